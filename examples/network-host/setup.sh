#!/bin/bash
# Run once in the VM, as root.
set -eu

dnf config-manager --add-repo https://download.docker.com/linux/rhel/docker-ce.repo
dnf install -y docker-ce docker-ce-cli containerd.io
systemctl enable --now docker

docker run -d --name grafana --network host grafana/grafana:11.2.0
docker run -d --name node-exporter --network host -p 9200:9100 prom/node-exporter:v1.8.2
