//! What a machine's own system says about its interfaces, beside its `.vbox` file.

use super::{check, read};

fn vbox(name: &str, mac: &str) -> String {
    format!(
        "<VirtualBox version=\"1.19-linux\"><Machine name=\"{name}\"><Hardware><Network>\
         <Adapter slot=\"0\" enabled=\"true\" MACAddress=\"080027{mac}01\"><NAT/></Adapter>\
         <Adapter slot=\"1\" enabled=\"true\" MACAddress=\"080027{mac}02\"><BridgedInterface name=\"eth0\"/></Adapter>\
         </Network></Hardware></Machine></VirtualBox>"
    )
}

#[test]
fn names_of_boxes_are_understood_and_the_host_is_on_the_lan_of_its_machine() {
    let netplan = "network:\n  ethernets:\n    eth1: {addresses: [10.20.0.5/24], gateway4: 10.20.0.254}\n";
    check(
        &[("web.vbox", &vbox("web", "AA01")), ("etc/netplan/50-vagrant.yaml", netplan)],
        r#"
        host Linux Physical
          eth0 lan 10.20.0.100/24 via 10.20.0.254
        web Linux Vm { on: HostId(0) }
          enp0s3 Libslirp NAT 10.0.2.0/24 10.0.2.15/24
          eth1 lan 10.20.0.5/24 via 10.20.0.254
        router Linux Router
          lan0 lan 10.20.0.254/24
        "#,
    );
}

#[test]
fn a_listing_belongs_to_the_machine_with_its_hardware_addresses() {
    let listing = "2: eth0: <UP> mtu 1500\n    link/ether 08:00:27:bb:01:01\n    inet 10.0.2.15/24 scope global eth0\n\
                   3: ens9: <UP> mtu 1500\n    link/ether 08:00:27:bb:01:02\n    inet 192.168.1.77/24 scope global ens9\n\
                   4: tun0: <UP> mtu 1500\n    link/none\n    inet 10.8.0.2/24 scope global tun0\n";
    check(
        &[("a.vbox", &vbox("a", "AA01")), ("b.vbox", &vbox("b", "BB01")), ("ip.txt", listing)],
        r#"
        host Linux Physical
          eth0 lan 192.168.1.100/24 via 192.168.1.1
        a Linux Vm { on: HostId(0) }
          enp0s3 Libslirp NAT 10.0.2.0/24 10.0.2.15/24 via 10.0.2.2
          enp0s8 lan 192.168.1.101/24
        b Linux Vm { on: HostId(0) }
          eth0 Libslirp NAT 10.0.2.0/24 10.0.2.15/24 via 10.0.2.2
          ens9 lan 192.168.1.77/24
        router Linux Router
          lan0 lan 192.168.1.1/24
        "#,
    );
}

#[test]
fn a_tunnel_of_the_guest_has_no_model() {
    let listing = "2: tun0: <UP> mtu 1500\n    link/none\n    inet 10.8.0.2/24 scope global tun0\n\
                   3: docker0: <UP> mtu 1500\n    link/ether 02:42:0a:00:00:01\n    inet 172.17.0.1/16 scope global docker0\n\
                   4: dummy0: <NOARP> mtu 1500\n    link/ether 02:00:00:00:00:01\n";
    let (lab, diagnostics) = read(&[("a.vbox", &vbox("a", "AA01")), ("ip.txt", listing)]);
    let unmodeled: Vec<&str> = lab.unmodeled.iter().map(|u| u.what.as_str()).collect();
    assert_eq!(unmodeled, ["interface `tun0`, which is no adapter of `a`"]);
    assert_eq!(diagnostics, [""; 0]);
}

#[test]
fn what_configures_no_adapter_is_reported() {
    let netplan = "network:\n  ethernets:\n    ens33: {dhcp4: true}\n";
    check(
        &[("web.vbox", &vbox("web", "AA01")), ("etc/netplan/01.yaml", netplan)],
        r#"
        host Linux Physical
          eth0 lan 192.168.1.100/24 via 192.168.1.1
        web Linux Vm { on: HostId(0) }
          enp0s3 Libslirp NAT 10.0.2.0/24 10.0.2.15/24 via 10.0.2.2
          enp0s8 lan 192.168.1.101/24
        router Linux Router
          lan0 lan 192.168.1.1/24
        etc/netplan/01.yaml:3: no adapter of `web` is `ens33`
        "#,
    );
}

#[test]
fn lab_yaml_wins_over_listings_and_these_over_files() {
    let lab = "
networks:
  lan: {subnet: 192.168.1.0/24, gateway: 192.168.1.1}
hosts:
  pc: {interfaces: {eth0: {network: lan, address: 192.168.1.2/24}}}
  web: {on: pc, vm: web.vbox, files: [web], interfaces: {first: {adapter: 1, address: 10.0.2.99/24}}}
";
    let netplan = "
network:
  ethernets:
    first: {addresses: [10.0.2.50/24]}
    enp0s8: {addresses: [192.168.1.50/24], gateway4: 192.168.1.1}
";
    let listing = "2: first: <UP> mtu 1500\n    link/ether 08:00:27:aa:01:01\n    inet 10.0.2.15/24 scope global first\n\
                   3: enp0s8: <UP> mtu 1500\n    link/ether 08:00:27:aa:01:02\n    inet 192.168.1.60/24 scope global enp0s8\n";
    check(
        &[("lab.yaml", lab), ("web.vbox", &vbox("web", "AA01")), ("web/01.yaml", netplan), ("web/ip.txt", listing)],
        r#"
        pc Linux Physical
          eth0 lan 192.168.1.2/24 via 192.168.1.1
        web Linux Vm { on: HostId(0) }
          first Libslirp NAT 10.0.2.0/24 10.0.2.99/24
          enp0s8 lan 192.168.1.60/24 via 192.168.1.1
        router Linux Router
          lan0 lan 192.168.1.1/24
        "#,
    );
}

#[test]
fn a_host_without_adapters_has_what_is_configured() {
    let netplan = "
network:
  ethernets:
    enp3s0: {addresses: [10.20.0.5/24], routes: [{to: default, via: 10.20.0.1}]}
    enp4s0: {}
";
    check(
        &[("etc/netplan/01.yaml", netplan), ("run.sh", "docker run -d --name db mysql\n")],
        r#"
        host Linux Physical
          enp3s0 lan 10.20.0.5/24 via 10.20.0.1
          network bridge docker0 172.17.0.0/16 172.17.0.1
          container db bridge=172.17.0.2 []
            listens *:3306/tcp assumed
            listens *:33060/tcp assumed
          events [EngineStart]
        router Linux Router
          lan0 lan 10.20.0.1/24
        "#,
    );
}
