#!/bin/sh
# The lab of this directory: run with VBoxManage 7.2.22, it leaves the files and prints the listings beside it.
VBoxManage natnetwork add --netname NatNet1 --network 10.0.3.0/24 --enable --dhcp on
VBoxManage natnetwork modify --netname NatNet1 --port-forward-4 "pg:tcp:[]:5433:[10.0.3.4]:5432"
VBoxManage natnetwork modify --netname NatNet1 --loopback-4 "127.0.0.2=3"
VBoxManage dhcpserver add --network lab --server-ip 10.5.5.1 --netmask 255.255.255.0 \
    --lower-ip 10.5.5.10 --upper-ip 10.5.5.99 --enable
VBoxManage dhcpserver modify --network HostInterfaceNetworking-vboxnet0 --lowerip 192.168.56.110 --upperip 192.168.56.254

VBoxManage createvm --name web --ostype Debian_64 --register
VBoxManage modifyvm web --nic1 nat --nat-localhostreachable1 on --natpf1 "ssh,tcp,127.0.0.1,2222,,22"
VBoxManage modifyvm web --nat-pf1 ",tcp,,3000,10.0.2.15,3000" --natpf1 "dns,udp,,5353,,53"
VBoxManage modifyvm web --natpf1 "gone,tcp,,9999,,99"
VBoxManage modifyvm web --natpf1 delete gone
VBoxManage modifyvm web --nic2 bridged --bridge-adapter2 eth0
VBoxManage modifyvm web --nic3 hostonly --hostonlyadapter3 vboxnet0 --macaddress3 080027000003
VBoxManage modifyvm web --nic4 intnet --intnet4 lab --cableconnected4 off
VBoxManage modifyvm web --nic5 null

VBoxManage createvm --name db --ostype Debian_64 --register
VBoxManage modifyvm db --nic1 natnetwork --nat-network1 NatNet1 --nic2 intnet --intnet2 lab
VBoxManage modifyvm db --nic3 nat --nat-net3 10.9.8.0/24 --nat-localhostreachable3 on
