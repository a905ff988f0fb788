//! What `VBoxManage` prints and what is read from it.

use crate::diagnostic::Code;
use crate::lab::machine::{AdapterMode, MachineDecl};
use crate::source::Sources;

use super::*;

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id = sources.add("vms.txt", text);
    (sources, parse(id, text))
}

fn shown(declaration: &Declaration) -> String {
    match declaration {
        Declaration::Machine(machine) => machine_shown(machine),
        Declaration::Hypervisor(HypervisorDecl::NatNetwork(n)) => {
            let forwards: Vec<_> = n.forwards.iter().map(|f| format!("{}:{}", f.name, f.host_port)).collect();
            let loopbacks: Vec<_> = n.loopbacks.iter().map(|m| format!("{}={}", m.value.0, m.value.1)).collect();
            let network = n.network.map(|n| n.value.to_string());
            format!("nat {} {network:?} {:?} {forwards:?} {loopbacks:?}", n.name.value, n.dhcp.map(|d| d.value))
        }
        Declaration::Hypervisor(HypervisorDecl::HostOnly(n)) => format!(
            "host-only {} {} {:?} {:?}",
            n.name.value,
            n.is_network,
            n.address.map(|a| a.value.to_string()),
            n.up.map(|u| u.value)
        ),
        Declaration::Hypervisor(HypervisorDecl::Dhcp(s)) => {
            let range = s.range.map(|r| format!("{}-{}", r.value.0, r.value.1));
            format!("dhcp {} {:?} {range:?}", s.network.value, s.address.map(|a| a.value.to_string()))
        }
        Declaration::Hypervisor(HypervisorDecl::HostInterface(i)) => format!(
            "interface {} {:?} {:?} {:?}",
            i.name.value,
            i.address.map(|a| a.value.to_string()),
            i.wireless.map(|w| w.value),
            i.up.map(|u| u.value)
        ),
        other => format!("{other:?}"),
    }
}

fn machine_shown(machine: &MachineDecl) -> String {
    let adapters = machine.adapters.iter().map(|a| {
        let what = match &a.mode {
            AdapterMode::Nat(nat) => {
                format!("{:?} {}", nat.localhost_reachable.map(|r| r.value), nat.forwards.len())
            }
            AdapterMode::Bridged(n) | AdapterMode::HostOnly(n) | AdapterMode::Internal(n) => n.value.clone(),
            AdapterMode::NatNetwork(n) | AdapterMode::Cloud(n) => n.value.clone(),
            AdapterMode::HostOnlyNetwork(n) | AdapterMode::HostOnlyEither(n) => n.value.clone(),
            AdapterMode::Generic(n, _) => n.value.clone(),
            AdapterMode::None => String::new(),
        };
        format!("{}{} {:?} {what}", a.slot, if a.cable.is_some_and(|c| !c.value) { "!" } else { "" }, a.mode.kind())
    });
    format!("{}: {}", machine.name.value, adapters.collect::<Vec<_>>().join(", "))
}

fn check(text: &str, expected: &[&str]) {
    let (_, out) = read(text);
    assert!(out.diagnostics.is_empty(), "{:?}", out.diagnostics);
    assert_eq!(out.value.iter().map(shown).collect::<Vec<_>>(), expected);
    assert!(is_one(text), "{text}");
}

#[test]
fn machines_are_read_in_both_forms() {
    check(
        "name=\"웹\"\nostype=\"Debian (64-bit)\"\nnatnet1=\"nat\"\ncableconnected1=\"on\"\nnic1=\"nat\"\nmtu=\"0\"\n\
         localhostReachable=\"0\"\nForwarding(0)=\"ssh,tcp,127.0.0.1,2222,,22\"\nbridgeadapter2=\"en0: Wi-Fi\"\n\
         cableconnected2=\"off\"\nnic2=\"bridged\"\nnic3=\"none\"\nnic4=\"null\"\nhostonly-network5=\"hn\"\n\
         nic5=\"hostonlynetwork\"\ngeneric6=\"UDPTunnel\"\nnic6=\"Generic\"\n\nname=\"db\"\nnat-network1=\"n\"\n\
         nic1=\"natnetwork\"\n",
        &[
            "웹: 0 Nat Some(false) 1, 1! Bridged en0: Wi-Fi, 3 Null , 4 HostOnlyNetwork hn, 5 Generic UDPTunnel",
            "db: 0 NatNetwork n",
        ],
    );
    check(
        "Name:                        웹\r\nGuest OS:  Debian (64-bit)\r\n\
         NIC 1:   MAC: 080027000001, Attachment: NAT, Cable connected: on, Trace: off (file: none)\r\n\
         NIC 1 Settings:\r\n\tMTU: 0, Socket (send: 64, receive: 64),\r\n\tLocalhostReachable: 1, ForwardBroadcast: 0\r\n\
         NIC 1 Rule(0):   name = dns, protocol = udp, host ip = , host port = 5353, guest ip = , guest port = 53\r\n\
         NIC 2:   MAC: 080027000002, Attachment: Bridged Interface 'en0: Wi-Fi', Cable connected: off, Type: 82540EM\r\n\
         NIC 3:   disabled\r\n\
         NIC 4:   MAC: 080027000004, Attachment: Generic 'UDPTunnel' { dest='10.0.0.1' }, Cable connected: on\r\n",
        &["웹: 0 Nat Some(true) 1, 1! Bridged en0: Wi-Fi, 3 Generic UDPTunnel"],
    );
}

#[test]
fn networks_are_read_in_old_and_new_words() {
    check(
        "$ VBoxManage natnetwork list\n\nNAT Networks:\n\nName:         n\nEnabled:      Yes\nNetwork:      10.7.0.0/24\n\
         Gateway:      10.7.0.1\nDHCP Server:  No\nIPv6:         No\nPort-forwarding (ipv4)\n        \
         pg:tcp:[]:5433:[10.7.0.4]:5432\nloopback mappings (ipv4)\n        127.0.0.1=2\n\n1 network found\n",
        &["nat n Some(\"10.7.0.0/24\") Some(false) [\"pg:5433\"] [\"127.0.0.1=2\"]"],
    );
    check(
        "NetworkName:    n\nIP:             10.7.0.1\nNetwork:        10.7.0.0/24\nIPv6 Enabled:   No\nDHCP Enabled:   Yes\n\
         Enabled:        Yes\nloopback mappings (ipv4)\n        127.0.0.1=2\n",
        &["nat n Some(\"10.7.0.0/24\") Some(true) [] [\"127.0.0.1=2\"]"],
    );
    check(
        "NetworkName:    HostInterfaceNetworking-vboxnet0\nIP:             192.168.56.100\nNetworkMask:    255.255.255.0\n\
         lowerIPAddress: 192.168.56.101\nupperIPAddress: 192.168.56.254\nEnabled:        Yes\n",
        &["dhcp HostInterfaceNetworking-vboxnet0 Some(\"192.168.56.100/24\") Some(\"192.168.56.101-192.168.56.254\")"],
    );
    check(
        "Name:            hn\nGUID:            00\nState:           Enabled\nNetworkMask:     255.255.255.0\nLowerIP:         \
         192.168.57.1\nUpperIP:         192.168.57.9\nVBoxNetworkName: hostonly-hn\n",
        &["host-only hn true Some(\"192.168.57.1/24\") Some(true)"],
    );
    let interface = |name: &str, address: &str, mask: &str, hardware: &str| {
        format!(
            "Name:            {name}\nIPAddress:       {address}\nNetworkMask:     {mask}\nHardwareAddress: {hardware}\n\
             Wireless:        No\nStatus:          Down\nVBoxNetworkName: HostInterfaceNetworking-{name}\n"
        )
    };
    check(
        &interface("eth0", "192.0.2.2", "255.255.255.0", "02:00:00:00:00:01"),
        &["interface eth0 Some(\"192.0.2.2/24\") Some(false) Some(false)"],
    );
    check(
        &interface("vboxnet0", "0.0.0.0", "0.0.0.0", "0a:00:27:00:00:00"),
        &["host-only vboxnet0 false None Some(false)"],
    );
    check(
        &interface("VirtualBox Host-Only Ethernet Adapter", "192.168.56.1", "255.255.255.0", "0A"),
        &["host-only VirtualBox Host-Only Ethernet Adapter false Some(\"192.168.56.1/24\") Some(false)"],
    );
    check("$ VBoxManage list intnets\nName:        lab\nVBoxNetworkName: lab\n", &[]);
}

#[test]
fn wrong_values_are_pointed_at() {
    let check = |text: &str, code: Code, place: &str| {
        let (sources, out) = read(text);
        let found: Vec<_> = out.diagnostics.iter().map(|d| (d.code, sources.text(d.labels[0].span))).collect();
        assert_eq!(found, [(code, place)], "{text}");
    };
    check("name=\"웹\"\nnic1=\"nat\"\nForwarding(0)=\"a,tcp,,70000,,80\"\n", Code::BadPort, "70000");
    check("name=\"웹\"\nnatnet1=\"foo\"\nnic1=\"nat\"\n", Code::BadAddress, "foo");
    check("name=\"웹\"\ncableconnected1=\"maybe\"\nnic1=\"nat\"\n", Code::VboxBadValue, "maybe");
    check("Name: n\nNetwork: foo\nDHCP Server: Yes\n", Code::BadAddress, "foo");
    check("NetworkName: n\nDhcpd IP: 10.0.0.1\nNetworkMask: 255.0.255.0\n", Code::BadAddress, "255.0.255.0");
}

#[test]
fn damaged_listings_never_panic() {
    let text = "name=\"웹\"\nnic1=\"nat\"\nForwarding(0)=\"a,tcp,,80,,80\"\n$ VBoxManage list\nName: 웹\nNetwork: 10.0.0.0/8\n \
                x\nNIC 1: MAC: 1, Attachment: Bridged Interface '웹', Cable connected: on\n";
    for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
        read(&text[..cut]);
        read(&text[cut..]);
    }
}
