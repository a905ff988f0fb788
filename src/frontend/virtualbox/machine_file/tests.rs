//! `.vbox` files and what is read from them.

use std::net::IpAddr;

use crate::lab::declaration::Insertion;
use crate::net::{Protocol, Version};
use crate::source::Sources;

use super::*;

const WEB: &str = r#"<?xml version="1.0"?>
<!--
** Written by VirtualBox 7.2.22_Debian (r175245)
-->
<VirtualBox xmlns="http://www.virtualbox.org/" version="1.19-linux">
  <Machine uuid="{06058f41}" name="웹" OSType="Debian_64">
    <Snapshot name="old"><Hardware><Network><Adapter slot="0" enabled="true"><NAT/></Adapter></Network></Hardware></Snapshot>
    <Hardware>
      <Network>
        <Adapter slot="0" enabled="true" MACAddress="08002752F246" type="82540EM">
          <NAT localhost-reachable="true">
            <Forwarding name="dns" proto="0" hostport="5353" guestport="53"/>
            <Forwarding name="ssh" proto="1" hostip="127.0.0.1" hostport="2222" guestip="10.0.2.15" guestport="22"/>
          </NAT>
        </Adapter>
        <Adapter slot="1" enabled="true" cable="false">
          <DisabledModes>
            <InternalNetwork name="intnet"/>
          </DisabledModes>
          <BridgedInterface name="en0"/>
        </Adapter>
        <Adapter slot="2" enabled="true"><HostOnlyInterface name="vboxnet0"/></Adapter>
        <Adapter slot="3"><InternalNetwork name="lab"/></Adapter>
        <Adapter slot="4" enabled="true"><NATNetwork name="NatNet1"/></Adapter>
        <Adapter slot="5" enabled="true"/>
        <Adapter slot="6" enabled="true"><HostOnlyNetwork name="hn"/></Adapter>
        <Adapter slot="7" enabled="true"><GenericInterface driver="UDPTunnel"><Property name="dest" value="10.0.0.1"/></GenericInterface></Adapter>
      </Network>
    </Hardware>
  </Machine>
</VirtualBox>
"#;

fn read(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id = sources.add("web.vbox", text);
    (sources, parse(id, text))
}

fn machine(out: &Declarations) -> &MachineDecl {
    match out.value.first() {
        Some(Declaration::Machine(machine)) => machine,
        other => panic!("no machine but {other:?}: {:?}", out.diagnostics),
    }
}

#[test]
fn a_machine_has_the_adapters_of_its_current_state() {
    let (sources, out) = read(WEB);
    assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    let machine = machine(&out);
    assert_eq!(machine.name.value, "웹");
    assert_eq!(sources.text(machine.name.span), "웹");
    assert_eq!(machine.settings.unwrap().value, Version::new(1, 19, 0));
    assert_eq!(machine.written_by.unwrap().value, Version::new(7, 2, 22));
    assert_eq!(machine.os_type.as_ref().unwrap().value, "Debian_64");
    let modes: Vec<String> = machine
        .adapters
        .iter()
        .map(|a| {
            let mode = match &a.mode {
                AdapterMode::Nat(_) => "nat".to_owned(),
                AdapterMode::Bridged(n) => format!("bridged {}", n.value),
                AdapterMode::HostOnly(n) | AdapterMode::HostOnlyEither(n) => format!("host-only {}", n.value),
                AdapterMode::Internal(n) => format!("internal {}", n.value),
                AdapterMode::NatNetwork(n) => format!("nat-network {}", n.value),
                AdapterMode::HostOnlyNetwork(n) => format!("host-only network {}", n.value),
                AdapterMode::Generic(n, properties) => format!("generic {} {properties:?}", n.value),
                AdapterMode::Cloud(n) => format!("cloud {}", n.value),
                AdapterMode::None => "none".to_owned(),
            };
            format!("{} {} {:?} {mode}", a.slot, a.enabled, a.cable.map(|c| c.value))
        })
        .collect();
    assert_eq!(
        modes,
        [
            "0 true None nat",
            "1 true Some(false) bridged en0",
            "2 true None host-only vboxnet0",
            "3 false None internal lab",
            "4 true None nat-network NatNet1",
            "5 true None none",
            "6 true None host-only network hn",
            "7 true None generic UDPTunnel [(\"dest\", \"10.0.0.1\")]",
        ]
    );
}

#[test]
fn forwards_are_read_and_can_be_added() {
    let (sources, out) = read(WEB);
    let AdapterMode::Nat(nat) = &machine(&out).adapters[0].mode else { panic!("no NAT") };
    assert!(nat.localhost_reachable.unwrap().value);
    let [dns, ssh] = nat.forwards.as_slice() else { panic!("{:?}", nat.forwards) };
    assert_eq!((dns.protocol, dns.host_address, dns.host_port, dns.guest_port), (Protocol::Udp, None, 5353, 53));
    assert_eq!(ssh.host_address, Some(IpAddr::from([127, 0, 0, 1])));
    assert_eq!(ssh.guest_address, Some(IpAddr::from([10, 0, 2, 15])));
    assert!(sources.text(ssh.span).starts_with("<Forwarding name=\"ssh\""));
    let (at, ForwardNotation::VboxXml) = nat.forward_at.as_ref().unwrap() else { panic!() };
    let fixed = apply(WEB, at, r#"name="g" proto="1" hostport="1" guestport="2""#);
    let (_, again) = read(&fixed);
    let AdapterMode::Nat(nat) = &machine(&again).adapters[0].mode else { panic!("no NAT") };
    assert_eq!(nat.forwards.len(), 3, "{fixed}");
    assert!(fixed.contains("\n            <Forwarding name=\"g\""), "{fixed}");
}

fn apply(text: &str, at: &Insertion, value: &str) -> String {
    format!("{}{}{}", &text[..at.at.start], at.text(value), &text[at.at.end..])
}

#[test]
fn a_nat_without_content_is_opened_for_a_forward() {
    let text = "<VirtualBox version='1.15-macosx'><Machine name='a'><Hardware><Network>\n  \
                <Adapter slot='0' enabled='true'>\n    <NAT network='10.9.8.0/24' />\n  </Adapter>\n\
                </Network></Hardware></Machine></VirtualBox>";
    let (_, out) = read(text);
    let AdapterMode::Nat(nat) = &machine(&out).adapters[0].mode else { panic!("no NAT") };
    assert_eq!(nat.network.unwrap().value.to_string(), "10.9.8.0/24");
    assert!(nat.localhost_reachable.is_none());
    let fixed = apply(text, &nat.forward_at.as_ref().unwrap().0, "name='g' proto='1' hostport='1' guestport='2'");
    let expected = "    <NAT network='10.9.8.0/24' >\n      \
                    <Forwarding name='g' proto='1' hostport='1' guestport='2'/>\n    </NAT>\n";
    assert!(fixed.contains(expected), "{fixed}");
}

#[test]
fn wrong_values_are_pointed_at() {
    let check = |from: &str, to: &str, code: Code, place: &str| {
        let (sources, out) = read(&WEB.replace(from, to));
        let found: Vec<(Code, &str)> =
            out.diagnostics.iter().map(|d| (d.code, sources.text(d.labels[0].span))).collect();
        assert_eq!(found, [(code, place)]);
    };
    check("hostport=\"5353\"", "hostport=\"65536\"", Code::BadPort, "65536");
    check("hostport=\"5353\"", "hostport=\"0\"", Code::BadPort, "0");
    check("127.0.0.1", "localhost", Code::BadAddress, "localhost");
    check("proto=\"0\"", "proto=\"tcp\"", Code::VboxBadValue, "tcp");
    check("slot=\"5\"", "slot=\"8\"", Code::VboxBadValue, "8");
    check("slot=\"5\"", "slot=\"4\"", Code::VboxDuplicate, "<Adapter slot=\"4\" enabled=\"true\">");
    check("slot=\"5\"", "slot=\"5\" speed=\"1\" colour=\"red\"", Code::UnknownKey, "colour");
    check(
        "name=\"ssh\"",
        "name=\"dns\"",
        Code::VboxDuplicate,
        "<Forwarding name=\"dns\" proto=\"1\" hostip=\"127.0.0.1\" hostport=\"2222\" guestip=\"10.0.2.15\" guestport=\"22\"/>",
    );
    check("<NATNetwork name=\"NatNet1\"/>", "<NAT/><NATNetwork name=\"NatNet1\"/>", Code::VboxDuplicate, "<NAT/>");
    check(
        "<InternalNetwork name=\"intnet\"/>",
        "<NAT><Forwarding name=\"a\" hostport=\"1\" guestport=\"2\"/></NAT>",
        Code::VboxUnusedForward,
        "<Forwarding name=\"a\" hostport=\"1\" guestport=\"2\"/>",
    );
    check("cable=\"false\"", "cable=\"off\"", Code::VboxBadValue, "off");
    check("1.19-linux", "new", Code::VboxBadValue, "new");
    check("<NATNetwork name=\"NatNet1\"/>", "<Wormhole/>", Code::UnknownKey, "<Wormhole/>");
    check("</Machine>", "</machine>", Code::XmlSyntax, "");
}

#[test]
fn damaged_files_never_panic() {
    for cut in (0..WEB.len()).filter(|cut| WEB.is_char_boundary(*cut)) {
        read(&WEB[..cut]);
        read(&WEB[cut..]);
    }
}

#[test]
fn files_of_a_real_virtualbox_are_read_without_complaint() {
    let directory = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/oracle/vbox");
    for name in ["web.vbox", "db.vbox"] {
        let Ok(text) = std::fs::read_to_string(directory.join(name)) else { continue };
        let (_, out) = read(&text);
        assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
        assert!(machine(&out).adapters.iter().any(|a| a.enabled));
    }
}
