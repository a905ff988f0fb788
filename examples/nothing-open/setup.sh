#!/bin/bash
# Run once in the VM, as root.
set -eu

dnf config-manager --add-repo https://download.docker.com/linux/rhel/docker-ce.repo
dnf install -y docker-ce docker-ce-cli containerd.io firewalld
systemctl enable --now firewalld
systemctl enable --now docker

docker run -d --name grafana grafana/grafana:11.2.0
