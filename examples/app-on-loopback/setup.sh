#!/bin/bash
# Run once in the VM, as root.
set -eu

dnf config-manager --add-repo https://download.docker.com/linux/rhel/docker-ce.repo
dnf install -y docker-ce docker-ce-cli containerd.io firewalld
systemctl enable --now firewalld
systemctl enable --now docker

docker build -t api /opt/api
docker run -d --name api -p 8000:8000 api uvicorn main:app --host 127.0.0.1 --port 8000
