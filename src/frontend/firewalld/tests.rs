//! firewalld's files and commands and what is read from them.

use std::net::IpAddr;

use crate::diagnostic::Code;
use crate::frontend::shell;
use crate::lab::declaration::{Declarations, FirewallChange, FirewallCmd, Insertion, PolicyDecl, ZoneDecl};
use crate::lab::{Declaration, Peers, RichAction, RichElement, RichRule, RuleBackend, Target};
use crate::net::{Family, PortRange, Protocol};
use crate::source::Sources;

use super::conf;
use super::ipset::parse_ipset;
use super::policy::parse_policy;
use super::service::parse_service;
use super::zone::parse_zone;

const PUBLIC: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<zone target="DROP">
  <short>공개</short>
  <service name="ssh"/>
  <port port="3000" protocol="tcp"/>
  <port port="6000-6010" protocol="udp"/>
  <source-port port="53" protocol="udp"/>
  <protocol value="gre"/>
  <interface name="enp0s3"/>
  <source address="192.168.1.0/24"/>
  <masquerade/>
  <forward/>
  <icmp-block name="echo-request"/>
  <icmp-block-inversion/>
  <forward-port port="80" protocol="tcp" to-port="8080" to-addr="10.0.0.5"/>
  <rule family="ipv4" priority="-5">
    <source address="10.0.0.0/8" invert="true"/>
    <port port="3000" protocol="tcp"/>
    <log prefix="x"><limit value="1/m"/></log>
    <reject type="icmp-port-unreachable"/>
  </rule>
</zone>
"#;

fn net(text: &str) -> Peers {
    Peers::Net(text.parse().unwrap())
}

fn read_zone(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id = sources.add("zones/public.xml", text);
    (sources, parse_zone(id, "public", text))
}

fn zone(out: &Declarations) -> &ZoneDecl {
    match out.value.first() {
        Some(Declaration::Zone(zone)) => zone,
        other => panic!("no zone but {other:?}: {:?}", out.diagnostics),
    }
}

#[test]
fn a_zone_file_is_read_with_its_places() {
    let (sources, out) = read_zone(PUBLIC);
    assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    let zone = zone(&out);
    assert_eq!(zone.target.unwrap().value, Target::Drop);
    assert_eq!(sources.text(zone.target.unwrap().span), "DROP");
    assert_eq!(zone.services[0].value, "ssh");
    assert_eq!(zone.interfaces[0].value, "enp0s3");
    assert_eq!(sources.text(zone.interfaces[0].span), "enp0s3");
    assert_eq!(zone.sources[0].value.to_string(), "192.168.1.0/24");
    assert!(zone.forward && zone.content.icmp_block_inversion && zone.content.masquerade.is_some());
    let port = &zone.content.ports[0];
    assert_eq!(port.value, (Protocol::Tcp, PortRange::single(3000)));
    assert_eq!(port.origin.what, "port 3000/tcp opened in zone `public`");
    assert_eq!(sources.text(port.origin.span().unwrap()), r#"<port port="3000" protocol="tcp"/>"#);
    assert_eq!(zone.content.source_ports[0].value.1, PortRange::single(53));
    assert_eq!(zone.content.protocols[0].value, 47);
    assert_eq!(zone.content.icmp_blocks[0].value, "echo-request");
    let forward = &zone.content.forward_ports[0].value;
    assert_eq!(forward.to_port, Some(PortRange::single(8080)));
    assert_eq!(forward.to_address, Some(IpAddr::from([10, 0, 0, 5])));
    let rule = &zone.content.rich_rules[0].value;
    assert_eq!((rule.priority, rule.family), (-5, Some(Family::V4)));
    assert_eq!(rule.source, Some((net("10.0.0.0/8"), true)));
    assert_eq!(rule.element, RichElement::Port(Protocol::Tcp, PortRange::single(3000)));
    assert_eq!(rule.action, RichAction::Reject(Some("icmp-port-unreachable".to_owned())));
}

fn apply(text: &str, at: &Insertion) -> String {
    format!("{}{}{}", &text[..at.at.start], at.text(r#"port="9" protocol="tcp""#), &text[at.at.end..])
}

#[test]
fn a_port_can_be_added_to_every_form_of_zone() {
    let check = |text: &str, expected: &str| {
        let (_, out) = read_zone(text);
        let fixed = apply(text, zone(&out).port_at.as_ref().unwrap());
        assert!(fixed.contains(expected), "{fixed}");
        let (_, again) = read_zone(&fixed);
        assert!(zone(&again).content.ports.iter().any(|p| p.value.1 == PortRange::single(9)), "{fixed}");
    };
    check(PUBLIC, "  </rule>\n  <port port=\"9\" protocol=\"tcp\"/>\n</zone>");
    check("<zone/>", "<zone>\n  <port port=\"9\" protocol=\"tcp\"/>\n</zone>");
    check("<zone></zone>", "<zone><port port=\"9\" protocol=\"tcp\"/></zone>");
    check("<zone>\n\t<forward/>\n</zone>", "\n\t<port port=\"9\" protocol=\"tcp\"/>\n</zone>");
}

#[test]
fn wrong_elements_of_a_zone_are_pointed_at() {
    let check = |from: &str, to: &str, code: Code, place: &str| {
        let (sources, out) = read_zone(&PUBLIC.replace(from, to));
        let found: Vec<_> = out.diagnostics.iter().map(|d| (d.code, sources.text(d.labels[0].span))).collect();
        assert_eq!(found, [(code, place)]);
    };
    check("port=\"6000-6010\"", "port=\"70000\"", Code::BadPort, "70000");
    check("<protocol value=\"gre\"/>", "<protocol value=\"grr\"/>", Code::FirewalldBadRule, "grr");
    check("192.168.1.0/24", "192.168.1", Code::BadAddress, "192.168.1");
    check("DROP", "ALLOW", Code::FirewalldBadRule, "ALLOW");
    check("<forward/>", "<wormhole/>", Code::FirewalldBadRule, "<wormhole/>");
    check(" family=\"ipv4\"", "", Code::FirewalldBadRule, "10.0.0.0/8");
    check("</zone>", "</zon>", Code::XmlSyntax, "");
    let (_, out) = read_zone(&PUBLIC.replace("zone", "policy"));
    assert_eq!(out.diagnostics[0].code, Code::FirewalldBadRule);
}

#[test]
fn a_policy_file_is_read() {
    let text = "<policy target=\"REJECT\" priority=\"-10\">\n <ingress-zone name=\"public\"/>\n \
                <egress-zone name=\"docker\"/>\n <service name=\"http\"/>\n <rule><port port=\"1\" protocol=\"tcp\"/>\
                <drop/></rule>\n</policy>";
    let mut sources = Sources::default();
    let id = sources.add("p.xml", text);
    let out = parse_policy(id, "p", text);
    assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    let [Declaration::Policy(policy)] = out.value.as_slice() else { panic!("{:?}", out.value) };
    let PolicyDecl { target, priority, ingress, egress, services, content, .. } = policy;
    assert_eq!((target.unwrap().value, priority.unwrap().value), (Target::Reject, -10));
    assert_eq!((ingress[0].value.as_str(), egress[0].value.as_str()), ("public", "docker"));
    assert_eq!((services[0].value.as_str(), content.rich_rules.len()), ("http", 1));
}

#[test]
fn the_configuration_is_read() {
    let text = "# firewalld\nDefaultZone=home\nFirewallBackend=iptables\nStrictForwardPorts=yes\nLogDenied=all\n\
                IPv6_rpfilter=yes\nFlushAllOnReload=no\nDefaultzone=x\nFirewallBackend=pf\n";
    let mut sources = Sources::default();
    let id = sources.add("firewalld.conf", text);
    let out = conf::parse(id, text);
    let [Declaration::Firewalld(f)] = out.value.as_slice() else { panic!("{:?}", out.value) };
    assert_eq!(f.default_zone.as_ref().unwrap().value, "home");
    assert_eq!(sources.text(f.default_zone.as_ref().unwrap().span), "home");
    assert_eq!(f.backend.unwrap().value, RuleBackend::Iptables);
    assert!(f.strict_forward_ports.unwrap().value);
    assert!(!f.flush_all_on_reload.unwrap().value);
    let found: Vec<_> = out.diagnostics.iter().map(|d| (d.code, sources.text(d.labels[0].span))).collect();
    assert_eq!(found, [(Code::UnknownKey, "Defaultzone"), (Code::FirewalldBadRule, "pf")]);
}

fn read_script(text: &str) -> (Sources, Declarations) {
    let mut sources = Sources::default();
    let id = sources.add("fw.sh", text);
    (sources, shell::parse(id, text))
}

/// Changes and events in words: `permanent zone: change`.
fn shown(out: &Declarations) -> Vec<String> {
    let one = |d: &Declaration| match d {
        Declaration::FirewallCmd(FirewallCmd { permanent, zone, policy, change, .. }) => {
            let stored = if *permanent { "stored " } else { "" };
            let owner = zone.as_ref().or(policy.as_ref()).map_or(String::new(), |z| format!("{} ", z.value));
            let change = match change {
                FirewallChange::Port(added, (protocol, ports)) => format!("port {ports}/{protocol} {added}"),
                FirewallChange::ForwardPort(added, f) => {
                    format!(
                        "forward {}/{} {:?} {:?} {added}",
                        f.ports,
                        f.protocol,
                        f.to_port.map(|p| p.first),
                        f.to_address
                    )
                }
                FirewallChange::Source(added, net) => format!("source {net} {added}"),
                FirewallChange::RichRule(added, rule) => format!("rich {:?} {added}", rule.action),
                other => format!("{other:?}"),
            };
            Some(format!("{stored}{owner}{change}"))
        }
        Declaration::Event(e) => Some(format!("{:?}", e.value)),
        Declaration::Unmodeled(u) => Some(format!("?{}", u.value)),
        Declaration::Firewalld(_) => None,
        other => Some(format!("{other:?}")),
    };
    out.value.iter().filter_map(one).collect()
}

#[test]
fn firewall_cmd_lines_are_read() {
    let check = |line: &str, expected: &[&str]| {
        let (_, out) = read_script(line);
        assert_eq!(shown(&out), expected, "{line}: {:?}", out.diagnostics);
        assert_eq!(out.diagnostics.len(), 0, "{:?}", out.diagnostics);
    };
    check("firewall-cmd --add-port=3000/tcp", &["port 3000/tcp true"]);
    check(
        "sudo firewall-cmd --permanent --zone=public --add-port=3000-3010/udp --add-service=http",
        &["stored public port 3000-3010/udp true", "stored public Service(true, \"http\")"],
    );
    check(
        "firewall-cmd --zone home --remove-port 80/tcp; firewall-cmd --reload",
        &["home port 80/tcp false", "FirewalldReload"],
    );
    check("firewall-offline-cmd --zone=drop --add-interface=eth1", &["stored drop Interface(true, \"eth1\")"]);
    check(
        "firewall-cmd --complete-reload && firewall-cmd --runtime-to-permanent",
        &["FirewalldCompleteReload", "RuntimeToPermanent"],
    );
    check("firewall-cmd --set-default-zone=drop", &["DefaultZone(\"drop\")"]);
    check(
        "firewall-cmd --permanent --new-policy=p; firewall-cmd --permanent --policy=p --add-ingress-zone=docker \
         --add-egress-zone HOST --set-priority=-5",
        &[
            "stored NewPolicy(\"p\")",
            "stored p IngressZone(true, \"docker\")",
            "stored p EgressZone(true, \"HOST\")",
            "stored p Priority(-5)",
        ],
    );
    check(
        "firewall-cmd --permanent --new-zone=lab; firewall-cmd --permanent --zone=lab --set-target=DROP",
        &["stored NewZone(\"lab\")", "stored lab Target(Drop)"],
    );
    check(
        "firewall-cmd --zone=trusted --add-source=10.0.0.0/8 --add-masquerade --remove-forward",
        &["trusted source 10.0.0.0/8 true", "trusted Masquerade(true)", "trusted Forward(false)"],
    );
    check(
        "firewall-cmd --add-forward-port=port=80:proto=tcp:toport=8080:toaddr=10.0.0.5",
        &["forward 80/tcp Some(8080) Some(10.0.0.5) true"],
    );
    check(
        "firewall-cmd --add-forward-port port=80:proto=tcp:toaddr=fd00::5:toport=81",
        &["forward 80/tcp Some(81) Some(fd00::5) true"],
    );
    check("firewall-cmd --list-all --zone=public; firewall-cmd --query-port=3000/tcp; firewall-cmd --state", &[]);
    check("firewall-cmd --query-port=3/tcp || firewall-cmd --add-port=3/tcp", &["port 3/tcp true"]);
    check("firewall-cmd --permanent --policy=p --set-target=CONTINUE", &["stored p Target(Continue)"]);
    check("firewall-cmd --add-port=5/dccp --timeout=0", &[]);
    check(
        "firewall-cmd --add-rich-rule='rule family=\"ipv4\" source address=\"10.0.0.0/8\" port port=\"1\" protocol=\"tcp\" accept'",
        &["rich Accept true"],
    );
}

#[test]
fn firewall_cmd_without_a_model_is_reported() {
    let check = |line: &str| {
        let (_, out) = read_script(line);
        assert!(out.value.iter().any(|d| matches!(d, Declaration::Unmodeled(_))), "{line}: {:?}", out.value);
        assert!(!out.diagnostics.is_empty(), "{line}");
    };
    check("firewall-cmd --direct --add-rule eb filter INPUT 0 -j DROP");
    check("firewall-cmd --direct --remove-rules ipv4 filter INPUT");
    check("firewall-cmd --panic-on");
    check("firewall-cmd --add-port=$PORT/tcp");
    check("firewall-cmd --permanent --new-policy-from-file=p.xml");
    check("firewall-cmd --ipset=lan --add-entry=10.0.0.1,tcp:80");
    check("firewall-cmd --permanent --icmptype=x --add-destination=ipv4");
    check("firewall-cmd --ad-port=80/tcp");
}

#[test]
fn wrong_values_of_firewall_cmd_are_pointed_at() {
    let check = |line: &str, code: Code, place: &str| {
        let (sources, out) = read_script(line);
        let d = out.diagnostics.first().unwrap_or_else(|| panic!("no message for {line}"));
        assert_eq!((d.code, sources.text(d.labels[0].span)), (code, place), "{}", d.message);
    };
    check("firewall-cmd --add-port=3000", Code::FirewalldBadRule, "3000");
    check("firewall-cmd '--add-port=99999/tcp'", Code::BadPort, "99999");
    check("firewall-cmd --add-port \"80/tpc\"", Code::FirewalldBadRule, "tpc");
    check("firewall-cmd --zone=x --set-target=DROP", Code::FirewalldBadRule, "--set-target=DROP");
    check("firewall-cmd --add-source=10.0.0", Code::BadAddress, "10.0.0");
    check("firewall-cmd --add-rich-rule='rule family=ipv4 source address=\"10.0.0\" drop'", Code::BadAddress, "10.0.0");
    check("firewall-cmd --add-rich-rule='rule service name=http'", Code::FirewalldBadRule, "rule service name=http");
    check(
        "firewall-cmd --add-rich-rule='rule service name=http reject type=tcp-reset'",
        Code::FirewalldBadRule,
        "tcp-reset",
    );
    check(
        "firewall-cmd --add-rich-rule='rule family=ipv4 service name=http reject type=no-route'",
        Code::FirewalldBadRule,
        "no-route",
    );
    check("firewall-cmd --add-rich-rule='rule servce name=http drop'", Code::FirewalldBadRule, "servce");
    check("firewall-cmd --add-rich-rule='service name=http drop'", Code::FirewalldBadRule, "service");
    check("firewall-cmd --add-port", Code::FirewalldBadRule, "--add-port");
}

#[test]
fn rich_rules_of_the_command_line_say_the_same_as_xml() {
    let rule = |text: &str| -> RichRule {
        let (_, out) = read_script(&format!("firewall-cmd --add-rich-rule='{text}'"));
        match out.value.as_slice() {
            [_, Declaration::FirewallCmd(FirewallCmd { change: FirewallChange::RichRule(true, rule), .. })] => {
                (**rule).clone()
            }
            other => panic!("{text}: {other:?} {:?}", out.diagnostics),
        }
    };
    let r = rule(
        "rule priority=-5 family=\"ipv4\" source NOT address=\"10.0.0.0/8\" destination address=1.2.3.4 \
                  port port=\"3000\" protocol=\"tcp\" log prefix=\"a b\" level=info limit value=1/m reject type=\"tcp-rst\"",
    );
    assert_eq!((r.priority, r.family), (-5, Some(Family::V4)));
    assert_eq!(r.source, Some((net("10.0.0.0/8"), true)));
    assert_eq!(r.destination, Some((net("1.2.3.4/32"), false)));
    assert_eq!(r.element, RichElement::Port(Protocol::Tcp, PortRange::single(3000)));
    assert_eq!(r.action, RichAction::Reject(Some("tcp-rst".to_owned())));
    assert_eq!(rule("rule service name=\"http\" drop").action, RichAction::Drop);
    assert_eq!(rule("rule family=ipv4 masquerade").element, RichElement::Masquerade);
    assert_eq!(rule("rule protocol value=icmp accept").element, RichElement::Protocol(1));
    assert_eq!(rule("rule priority=9 drop").element, RichElement::Any);
    assert_eq!(rule("rule icmp-block name=echo-request").action, RichAction::None);
}

#[test]
fn damaged_files_never_panic() {
    for cut in (0..PUBLIC.len()).filter(|cut| PUBLIC.is_char_boundary(*cut)) {
        read_zone(&PUBLIC[..cut]);
        read_zone(&PUBLIC[cut..]);
    }
    let script =
        "firewall-cmd --add-rich-rule='rule family=\"ipv4\" source address=\"10.0.0.0/8\" 가 drop' --zone=\"나\"";
    for cut in (0..script.len()).filter(|cut| script.is_char_boundary(*cut)) {
        read_script(&script[..cut]);
        read_script(&format!("firewall-cmd {}", &script[cut..]));
    }
}

#[test]
fn services_have_ports_and_include_others() {
    let text = "<service><short>가</short><port port=\"1-3\" protocol=\"tcp\"/><port port=\"5\" protocol=\"udp\"/><include service=\"http\"/><protocol value=\"gre\"/><destination ipv4=\"10.0.0.0/8\"/></service>";
    let read = parse_service(Sources::default().add("services/own.xml", text), "own", text);
    let [Declaration::Service(service)] = read.value.as_slice() else { panic!("{:?}", read.value) };
    let ports: Vec<String> = service.ports.iter().map(|(protocol, ports)| format!("{ports}/{protocol}")).collect();
    assert_eq!((service.name.value.as_str(), ports.join(" ").as_str()), ("own", "1-3/tcp 5/udp"));
    assert_eq!(service.includes[0].value, "http");
    assert_eq!((service.destinations[0].to_string().as_str(), service.protocols.as_slice()), ("10.0.0.0/8", &[47][..]));
    assert_eq!(read.diagnostics.len(), 0);
}

#[test]
fn sources_are_networks_hardware_addresses_and_ipsets() {
    let check = |written: &str, expected: Peers| {
        let (_, out) = read_zone(&PUBLIC.replace("address=\"192.168.1.0/24\"", written));
        assert_eq!((&zone(&out).sources[0].value, out.diagnostics.len()), (&expected, 0), "{written}");
    };
    check("address=\"10.0.0.1\"", net("10.0.0.1/32"));
    check("mac=\"00:11:22:33:44:55\"", Peers::Mac("00:11:22:33:44:55".to_owned()));
    check("address=\"00:11:22:33:44:55\"", Peers::Mac("00:11:22:33:44:55".to_owned()));
    check("ipset=\"lan\"", Peers::Set("lan".to_owned(), None));
}

#[test]
fn ipsets_hold_addresses_networks_and_ranges() {
    let text = "<ipset type=\"hash:net\"><entry>10.0.0.0/8</entry><entry>가</entry>\
                <entry>192.168.1.4-192.168.1.7</entry></ipset>";
    let mut sources = Sources::default();
    let id = sources.add("ipsets/lan.xml", text);
    let read = parse_ipset(id, "lan", text);
    let [Declaration::FirewalldIpSet(set)] = read.value.as_slice() else { panic!("{:?}", read.value) };
    let entries: Vec<String> = set.entries.iter().flatten().map(ToString::to_string).collect();
    assert_eq!((set.name.value.as_str(), entries.join(" ").as_str()), ("lan", "10.0.0.0/8 192.168.1.4/30"));
    assert_eq!(sources.text(read.diagnostics[0].labels[0].span), "<entry>가</entry>");
    let other = parse_ipset(id, "lan", "<ipset type=\"hash:mac\"><entry>00:11:22:33:44:55</entry></ipset>");
    assert!(matches!(other.value.as_slice(), [Declaration::FirewalldIpSet(set)] if set.entries.is_none()));
}
