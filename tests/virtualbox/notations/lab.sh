#!/bin/sh
# The lab of this directory as command lines. VBoxManage 7.2.22 ran them; it left the files and printed the listings.
VBoxManage natnetwork add --netname NatNet1 --network 10.0.3.0/24 --enable --dhcp on
VBoxManage natnetwork modify --netname NatNet1 --port-forward-4 "pg:tcp:[]:5433:[10.0.3.9]:5432"
VBoxManage natnetwork modify --netname NatNet1 --loopback-4 "127.0.0.2=3"

VBoxManage createvm --name web --ostype Debian_64 --register
VBoxManage modifyvm web --nic1 nat --nat-localhostreachable1 on --natpf1 "ssh,tcp,127.0.0.1,2222,,22"
VBoxManage modifyvm web --nat-pf1 "tcp3000,tcp,127.0.0.1,3000,,3000" --natpf1 "udp5353,udp,,5353,,53"
VBoxManage modifyvm web --nic2 hostonly --hostonlyadapter2 vboxnet0
VBoxManage modifyvm web --nic3 bridged --bridge-adapter3 eth0
VBoxManage modifyvm web --nic4 intnet --intnet4 cellar --cableconnected4 off

VBoxManage createvm --name db --ostype Debian_64 --register
VBoxManage modifyvm db --nic1 nat --nat-localhostreachable1 on --natpf1 "ssh,tcp,127.0.0.1,2200,,22"
VBoxManage modifyvm db --nic2 hostonly --host-only-adapter2 vboxnet0
VBoxManage modifyvm db --nic3 intnet --intnet3 cellar
VBoxManage modifyvm db --nic4 natnetwork --nat-network4 NatNet1
