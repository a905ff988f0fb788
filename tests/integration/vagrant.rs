//! One lab as a Vagrantfile and as the files that VirtualBox and a shell have for it: both give the same dataplane.

use crate::support::{plane_of, same_lines};

const VAGRANTFILE: &str = r#"
Vagrant.configure("2") do |config|
  config.vm.box = "debian/bookworm64"
  config.vm.network "forwarded_port", guest: 3000, host: 3000, host_ip: "127.0.0.1"
  config.vm.network "forwarded_port", guest: 53, host: 5353, protocol: "udp"
  config.vm.network "private_network", ip: "192.168.56.10"
  config.vm.network "public_network", ip: "192.168.1.60", bridge: "eth0"
  config.vm.network "private_network", ip: "10.9.0.4", virtualbox__intnet: "cellar"
  config.vm.provider "virtualbox" do |vb|
    vb.customize ["modifyvm", :id, "--natnet1", "10.0.8.0/24"]
    vb.customize ["modifyvm", :id, "--cableconnected4", "off"]
  end
  config.vm.provision "shell", inline: <<~SHELL
    docker network create front
    docker run -d --name web --network front -p 3000:80 \
      nginx
    firewall-cmd --permanent --add-port=3000/tcp
    firewall-cmd --reload
  SHELL
end
"#;

const VBOX: &str = r#"<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
  <Machine uuid="{1}" name="vm" OSType="Debian_64"><Hardware><Network>
    <Adapter slot="0" enabled="true"><NAT network="10.0.8.0/24">
      <Forwarding name="tcp3000" proto="1" hostip="127.0.0.1" hostport="3000" guestport="3000"/>
      <Forwarding name="udp5353" proto="0" hostport="5353" guestport="53"/>
      <Forwarding name="ssh" proto="1" hostip="127.0.0.1" hostport="2222" guestport="22"/>
    </NAT></Adapter>
    <Adapter slot="1" enabled="true"><HostOnlyInterface name="vboxnet0"/></Adapter>
    <Adapter slot="2" enabled="true"><BridgedInterface name="eth0"/></Adapter>
    <Adapter slot="3" enabled="true" cable="false"><InternalNetwork name="cellar"/></Adapter>
  </Network></Hardware></Machine>
</VirtualBox>
"#;

const SCRIPT: &str = "docker network create front
docker run -d --name web --network front -p 3000:80 nginx
firewall-cmd --permanent --add-port=3000/tcp
firewall-cmd --reload
";

fn plane(vm: &str, files: &[(&str, &str)]) -> String {
    let lab = format!(
        "networks:\n  lan: {{subnet: 192.168.1.0/24}}\nhosts:\n  pc: {{os: linux, interfaces: \
         {{eth0: {{network: lan, address: 192.168.1.10/24}}}}}}\n  vm:\n    on: pc\n    listen: [22, 53/udp]\n{vm}"
    );
    let mut named = files.to_vec();
    named.push(("lab.yaml", &lab));
    plane_of(&named)
}

#[test]
fn a_vagrantfile_is_the_machine_that_vagrant_makes() {
    let addresses = "    vm: vm.vbox\n    files: [setup.sh]\n    interfaces:\n      \
                     enp0s8: {adapter: 2, address: 192.168.56.10/24}\n      \
                     enp0s9: {adapter: 3, address: 192.168.1.60/24}\n      \
                     enp0s10: {adapter: 4, address: 10.9.0.4/24}\n";
    let by_hand = plane(addresses, &[("vm.vbox", VBOX), ("setup.sh", SCRIPT)]);
    for part in ["10.0.8.15", "2222", "5353", "192.168.56.1", "10.9.0.4", "172.18.0.2"] {
        assert!(by_hand.contains(part), "{part} is missing:\n{by_hand}");
    }
    let by_vagrant = plane("    vm: Vagrantfile\n", &[("Vagrantfile", VAGRANTFILE)]);
    same_lines(&by_hand, &by_vagrant);
}
