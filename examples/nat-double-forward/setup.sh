#!/bin/bash
# Run once in the VM, as root.
set -eu

dnf config-manager --add-repo https://download.docker.com/linux/rhel/docker-ce.repo
dnf install -y docker-ce docker-ce-cli containerd.io firewalld
systemctl enable --now firewalld
systemctl enable --now docker

docker run -d --name prometheus -p 9090:9090 prom/prometheus:v2.54.1
docker run -d --name grafana -p 3000:3000 grafana/grafana:11.2.0
docker run -d --name node-exporter -p 9100:9100 prom/node-exporter:v1.8.2
