//! Listings as firewalld 1.3.3 and 2.5.2 print them, of a configuration that was given to both.

use super::super::policy::parse_policy;
use super::super::service::parse_service;
use super::super::zone::parse_zone;
use super::*;
use crate::source::Sources;

const PUBLIC: &str = r#"<zone>
  <service name="own"/>
  <service name="ssh"/>
  <interface name="eth0"/>
  <source address="192.168.7.0/24"/>
  <source ipset="blocked"/>
  <port port="3000" protocol="tcp"/>
  <port port="6000-6010" protocol="udp"/>
  <protocol value="gre"/>
  <icmp-block name="echo-request"/>
  <masquerade/>
  <forward-port port="80" protocol="tcp" to-port="8080" to-addr="10.0.0.5"/>
  <forward-port port="81" protocol="tcp" to-port="8081"/>
  <source-port port="53" protocol="udp"/>
  <rule family="ipv4" priority="-5"><source address="10.0.0.0/8" invert="true"/><port port="3000" protocol="tcp"/>
    <log prefix="a b"><limit value="1/m"/></log><reject type="icmp-port-unreachable"/></rule>
  <rule family="ipv4"><source ipset="blocked"/><drop/></rule>
  <forward/>
</zone>
"#;

const OLD: &str = "[root@h ~]# firewall-cmd --list-all
public (active)
  target: default
  icmp-block-inversion: no
  interfaces: eth0
  sources: 192.168.7.0/24 ipset:blocked
  services: own ssh
  ports: 3000/tcp 6000-6010/udp
  protocols: gre
  forward: yes
  masquerade: yes
  forward-ports: 
\tport=80:proto=tcp:toport=8080:toaddr=10.0.0.5
\tport=81:proto=tcp:toport=8081:toaddr=
  source-ports: 53/udp
  icmp-blocks: echo-request
  rich rules: 
\trule priority=\"-5\" family=\"ipv4\" source NOT address=\"10.0.0.0/8\" port port=\"3000\" protocol=\"tcp\" log prefix=\"a b\" limit value=\"1/m\" reject type=\"icmp-port-unreachable\"
\trule family=\"ipv4\" source ipset=\"blocked\" drop
[root@h ~]# ";

const NEW: &str = "block
  target: %%REJECT%%
  ingress-priority: 0
  egress-priority: 0
  icmp-block-inversion: no
  interfaces: 
  sources: 
  services: 
  ports: 
  protocols: 
  forward: yes
  masquerade: no
  forward-ports: 
  source-ports: 
  icmp-blocks: 
  rich rules: 

public (default, active)
  target: default
  ingress-priority: 0
  egress-priority: 0
  interfaces: eth0
  sources: 192.168.7.0/24 ipset:blocked
  services: own ssh
";

const POLICY: &str = "pol (active)
  disable: no
  priority: 5
  target: ACCEPT
  ingress-zones: public
  egress-zones: extra
  services: http
  ports: 
  protocols: 
  masquerade: no
  forward-ports: 
  source-ports: 
  icmp-blocks: 
  rich rules: 
";

const OTHERS: &str = "own
  ports: 7000/tcp
  protocols: esp
  source-ports: 99/udp
  modules: 
  destination: ipv4:10.0.0.0/8
  includes: ssh
  helpers: 
blocked
  type: hash:net
  options: 
  entries: 203.0.113.0/24 198.51.100.7
extra
  interfaces: eth1
public (default)
  interfaces: eth0
  sources: 192.168.7.0/24 ipset:blocked
";

fn listed(text: &str) -> (Sources, FirewalldListing) {
    assert!(is_one(text), "{text}");
    let mut sources = Sources::default();
    let id = sources.add("listing.txt", text);
    let mut out = parse(id, text);
    assert!(out.diagnostics.is_empty(), "{:?}", out.diagnostics);
    match out.value.remove(0) {
        Declaration::FirewalldListed(listing) => (sources, listing),
        other => panic!("{other:?}"),
    }
}

/// What a declaration says, without the places.
fn without_places(declaration: &impl std::fmt::Debug) -> String {
    let mut text = format!("{declaration:?}");
    for start in ["span: Span {", "Origin {"] {
        while let Some(at) = text.find(start) {
            let end = at + closing(&text[at..]);
            text.replace_range(at..end, "");
        }
    }
    text
}

/// Behind the brace that closes the first one.
fn closing(text: &str) -> usize {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 1 => return at + 1,
            '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn a_listed_zone_says_what_its_file_says() {
    let (sources, listing) = listed(OLD);
    let [listed_zone] = listing.zones.as_slice() else { panic!("{:?}", listing.zones) };
    let file = parse_zone(Sources::default().add("public.xml", PUBLIC), "public", PUBLIC);
    let Some(Declaration::Zone(zone)) = file.value.first() else { panic!("{file:?}") };
    assert_eq!(zone.content.ports.len(), listed_zone.content.ports.len());
    assert_eq!(without_places(&zone.services), without_places(&listed_zone.services));
    assert_eq!(without_places(&zone.sources), without_places(&listed_zone.sources));
    assert_eq!(without_places(&zone.interfaces), without_places(&listed_zone.interfaces));
    assert_eq!(without_places(&zone.content), without_places(&listed_zone.content));
    assert!(listed_zone.forward && listing.default_zone.is_none());
    assert_eq!(sources.text(listed_zone.sources[1].span), "ipset:blocked");
    let rule = listed_zone.content.rich_rules[1].origin.span().unwrap();
    assert_eq!(sources.text(rule), "rule family=\"ipv4\" source ipset=\"blocked\" drop");
}

#[test]
fn several_zones_and_the_default_one_are_told_apart() {
    let (_, listing) = listed(NEW);
    let names: Vec<&str> = listing.zones.iter().map(|z| z.name.value.as_str()).collect();
    assert_eq!(names, ["block", "public"]);
    assert_eq!(listing.zones[0].target.unwrap().value, Target::Reject);
    assert_eq!(listing.default_zone.unwrap().value, "public");
}

#[test]
fn policies_services_ipsets_and_bindings_are_listed_too() {
    let (_, listing) = listed(POLICY);
    let text = "<policy target=\"ACCEPT\" priority=\"5\"><ingress-zone name=\"public\"/><egress-zone name=\"extra\"/>\
                <service name=\"http\"/></policy>";
    let file = parse_policy(Sources::default().add("pol.xml", text), "pol", text);
    let Some(Declaration::Policy(policy)) = file.value.first() else { panic!("{file:?}") };
    assert_eq!(without_places(policy), without_places(&listing.policies[0]));
    let (_, listing) = listed(OTHERS);
    let text = "<service><port port=\"7000\" protocol=\"tcp\"/><protocol value=\"esp\"/><source-port port=\"99\" \
                protocol=\"udp\"/><destination ipv4=\"10.0.0.0/8\"/><include service=\"ssh\"/></service>";
    let file = parse_service(Sources::default().add("own.xml", text), "own", text);
    let Some(Declaration::Service(service)) = file.value.first() else { panic!("{file:?}") };
    assert_eq!(without_places(service), without_places(&listing.services[0]));
    let entries: Vec<String> = listing.ipsets[0].entries.iter().flatten().map(ToString::to_string).collect();
    assert_eq!(entries, ["203.0.113.0/24", "198.51.100.7/32"]);
    let ZoneBindings { zone, interfaces, sources } = &listing.bindings[1];
    assert_eq!((zone.value.as_str(), interfaces[0].value.as_str(), sources.len()), ("public", "eth0", 2));
}

#[test]
fn damaged_listings_never_panic() {
    for text in [OLD, NEW, POLICY, OTHERS] {
        for cut in (0..text.len()).filter(|cut| text.is_char_boundary(*cut)) {
            parse(Sources::default().add("a.txt", text), &text[..cut]);
            parse(Sources::default().add("a.txt", text), &text[cut..]);
        }
    }
    assert!(!is_one("Hello\n  world: x\n") && !is_one(""));
}
