//! What becomes of firewalld's files, commands and listings. Each wrong file was given to firewalld 1.3.3 and 2.5.2
//! (`INVALID_SERVICE`, `PARSE_ERROR`, …), which then had nothing of /etc/firewalld in force, or left something out and had
//! the rest.

use super::{firewall, ports, read};
use crate::lab::{Firewalld, Lab, RuleBackend};

const VERSIONS: [&str; 2] = ["1.3.3", "2.5.2"];

/// A lab whose host has these files.
fn host(version: &str, files: &[(&str, &str)]) -> (Lab, Vec<String>) {
    let lab = format!(
        "hosts:\n  h:\n    files: [etc]\n    interfaces: {{eth0: {{network: n, address: 10.0.0.2/24}}}}\n    \
         firewalld: {{version: {version}}}\nnetworks: {{n: {{subnet: 10.0.0.0/24}}}}\n"
    );
    let mut all = vec![("lab.yaml", lab.as_str())];
    all.extend(files);
    read(&all)
}

fn firewalld_of(lab: &Lab) -> &Firewalld {
    lab.hosts[0].firewalld.as_ref().unwrap()
}

/// Whether firewalld refuses its files: then nothing of them is in force, otherwise all of them are.
fn refuses(zone: &str, more: &[(&str, &str)], version: &str) -> bool {
    let zone = format!("<zone{zone}<port port=\"3000\" protocol=\"tcp\"/></zone>");
    let mut files = vec![
        ("etc/firewalld/zones/public.xml", zone.as_str()),
        ("etc/firewalld/firewalld.conf", "FirewallBackend=iptables\n"),
    ];
    files.extend(more);
    let (lab, diagnostics) = host(version, &files);
    let firewalld = firewalld_of(&lab);
    let falls_back = diagnostics.iter().any(|d| d.contains("runs with what it ships with"));
    assert_eq!(falls_back, ports(firewalld, "public").is_empty(), "{zone}: {diagnostics:?}");
    assert_eq!(falls_back, firewalld.backend == RuleBackend::Nftables, "{zone}");
    assert!(lab.unmodeled.is_empty(), "{zone}");
    falls_back
}

#[test]
fn some_mistakes_in_a_zone_cost_all_files() {
    for version in VERSIONS {
        for body in [
            "<service name=\"nosuch\"/>",
            "<port port=\"99999\" protocol=\"tcp\"/>",
            "<port port=\"80\" protocol=\"tpc\"/>",
            "<port port=\"80\"/>",
            "<foo/>",
            "<service name=\"http\" foo=\"1\"/>",
            "<source address=\"1.2.3.400\"/>",
            "<source address=\"example.com\"/>",
            "<source ipset=\"nosuch\"/>",
            "<service name=\"http\">",
            "<rule><service name=\"nosuch\"/><accept/></rule>",
            "<icmp-block name=\"nosuch\"/>",
            "<protocol value=\"foo\"/>",
            "<forward-port port=\"80\" protocol=\"tcp\"/>",
            "<forward-port port=\"80\" protocol=\"tcp\" to-addr=\"foo.example\"/>",
            "<interface name=\"averyveryverylonginterfacename\"/>",
        ] {
            assert!(refuses(&format!(">{body}"), &[], version), "{body} {version}");
        }
        assert!(refuses(" target=\"FOO\">", &[], version) && refuses(" priority=\"5\">", &[], version));
        let other = [("etc/firewalld/zones/extra.xml", "<zone><interface name=\"eth0\"/></zone>")];
        assert!(refuses("><interface name=\"eth0\"/>", &other, version));
    }
}

#[test]
fn other_mistakes_in_a_zone_cost_only_themselves() {
    for version in VERSIONS {
        for body in [
            "<port port=\"http\" protocol=\"tcp\"/>",
            "<port port=\"3000\" protocol=\"tcp\"/>",
            "<rule><service name=\"http\"/></rule>",
            "<rule><port port=\"abc\" protocol=\"tcp\"/><accept/></rule>",
            "<rule><source address=\"10.0.0.0/8\"/><accept/></rule>",
            "<source address=\"10.0.0.0/8\" invert=\"yes\"/>",
        ] {
            assert!(!refuses(&format!(">{body}"), &[], version), "{body} {version}");
        }
    }
}

#[test]
fn some_mistakes_in_other_files_cost_all_files() {
    for version in VERSIONS {
        let beside = |path: &str, text: &str| refuses(">", &[(path, text)], version);
        let policy = |inside: &str| beside("etc/firewalld/policies/pol.xml", &format!("<policy {inside}</policy>"));
        let ends = "<ingress-zone name=\"ANY\"/><egress-zone name=\"HOST\"/>";
        assert!(!policy(&format!("target=\"CONTINUE\">{ends}")));
        assert!(!policy(&format!("target=\"CONTINUE\" priority=\"0\">{ends}")));
        assert!(policy(&format!(">{ends}")));
        assert!(policy(&format!("target=\"FOO\">{ends}")));
        assert!(policy(&format!("target=\"ACCEPT\">{ends}<masquerade/>")));
        assert!(policy("target=\"ACCEPT\"><ingress-zone name=\"nosuch\"/><egress-zone name=\"HOST\"/>"));
        assert!(policy("target=\"ACCEPT\"><ingress-zone name=\"HOST\"/><egress-zone name=\"HOST\"/>"));
        assert!(policy(&format!("target=\"ACCEPT\"><ingress-zone name=\"public\"/>{ends}")));
        let service = |inside: &str| {
            let text = format!("<service>{inside}</service>");
            beside("etc/firewalld/services/own.xml", &text)
        };
        assert!(service("<port port=\"80-x\" protocol=\"tcp\"/>"));
        assert!(service("<include service=\"nosuch\"/>") && service("<foo/>"));
        assert!(beside("etc/firewalld/ipsets/s.xml", "<ipset type=\"hash:foo\"/>"));
        assert!(!beside("etc/firewalld/ipsets/s.xml", "<ipset type=\"hash:ip\"><entry>foo</entry></ipset>"));
        let rule = "<rule ipv=\"ipv4\" table=\"filter\" chain=\"INPUT\" priority=\"0\">-p tcp -j ACCEPT</rule>";
        assert!(!beside("etc/firewalld/direct.xml", &format!("<direct>{rule}</direct>")));
    }
}

#[test]
fn what_a_release_does_not_know_yet_costs_all_files() {
    let long = [("etc/firewalld/zones/averylongzonenameabcdef.xml", "<zone/>")];
    assert!(refuses(">", &long, "1.3.3") && !refuses(">", &long, "2.5.2"));
    let priority = " ingress-priority=\"5\">";
    assert!(refuses(priority, &[], "1.3.3") && !refuses(priority, &[], "2.5.2"));
    let policy =
        "<policy target=\"ACCEPT\"><disable/><ingress-zone name=\"ANY\"/><egress-zone name=\"HOST\"/></policy>";
    let policy = [("etc/firewalld/policies/pol.xml", policy)];
    assert!(refuses(">", &policy, "1.3.3") && !refuses(">", &policy, "2.5.2"));
}

#[test]
fn a_firewalld_that_refuses_its_files_only_changes_what_runs() {
    let (lab, diagnostics) = read(&[
        ("etc/firewalld/zones/public.xml", "<zone><service name=\"nosuch\"/></zone>"),
        (
            "fw.sh",
            "firewall-cmd --add-port=4444/tcp\nfirewall-cmd --permanent --add-port=4445/tcp\nfirewall-cmd --reload\n",
        ),
    ]);
    assert_eq!(ports(lab.hosts[0].firewalld.as_ref().unwrap(), "public"), "4444/tcp");
    assert!(diagnostics.iter().any(|d| d.contains("a permanent change while firewalld refuses its files")));
}

#[test]
fn files_of_etc_replace_those_of_usr_and_directories_are_put_together() {
    let (lab, diagnostics) = host(
        "2.5.2",
        &[
            ("etc/firewalld/zones/work.xml", "<zone><port port=\"1\" protocol=\"tcp\"/></zone>"),
            ("etc/firewalld/zones/both/a.xml", "<zone><port port=\"2\" protocol=\"tcp\"/></zone>"),
            ("etc/firewalld/zones/both/b.xml", "<zone><port port=\"3\" protocol=\"tcp\"/><forward/></zone>"),
            ("etc/usr/lib/firewalld/zones/work.xml", "<zone><port port=\"4\" protocol=\"tcp\"/></zone>"),
            ("etc/usr/lib/firewalld/zones/home.xml", "<zone><port port=\"5\" protocol=\"tcp\"/></zone>"),
        ],
    );
    let firewalld = firewalld_of(&lab);
    let shown = ["work", "both", "home"].map(|zone| ports(firewalld, zone));
    assert_eq!(shown, ["1/tcp", "2/tcp 3/tcp", "5/tcp"]);
    assert!(firewalld.zones["both"].forward);
    assert_eq!(diagnostics, [""; 0]);
}

#[test]
fn network_manager_wins_over_the_files() {
    let (lab, _) = host(
        "2.5.2",
        &[
            ("etc/firewalld/zones/work.xml", "<zone><interface name=\"eth0\"/></zone>"),
            ("etc/lan.nmconnection", "[connection]\ninterface-name=eth0\nzone=trusted\n"),
            ("etc/fw.sh", "firewall-cmd --reload\n"),
        ],
    );
    let zones = &firewalld_of(&lab).zones;
    assert!(zones["work"].interfaces.is_empty());
    assert_eq!(zones["trusted"].interfaces[0].value, "eth0");
}

#[test]
fn a_listing_wins_over_the_files_and_the_difference_is_reported() {
    let listing =
        "public (active)\n  target: default\n  interfaces: eth0\n  services: ssh\n  ports: 3000/tcp\n  forward: yes\n";
    let zone = "<zone><interface name=\"eth0\"/><service name=\"ssh\"/><forward/></zone>";
    let files = [("etc/firewalld/zones/public.xml", zone), ("etc/list.txt", listing)];
    let (lab, diagnostics) = host("2.5.2", &files);
    assert_eq!(ports(firewalld_of(&lab), "public"), "3000/tcp");
    assert_eq!(firewalld_of(&lab).zones["public"].content.services[0].value.ports.len(), 1);
    let expected =
        "etc/list.txt:1: zone `public` runs with something else than its files say: port 3000/tcp is in force";
    assert_eq!(diagnostics, [expected]);
}

#[test]
fn services_and_ipsets_are_defined_by_commands() {
    let (firewalld, diagnostics) = firewall(
        "firewall-cmd --permanent --new-service=web
firewall-cmd --permanent --service=web --add-port=3000/tcp --add-port=3001/tcp --remove-port=3001/tcp
firewall-cmd --permanent --service=web --add-include=ssh --set-destination=ipv4:10.0.0.0/8
firewall-cmd --permanent --add-service=web
firewall-cmd --permanent --new-ipset=bad --type=hash:net
firewall-cmd --permanent --ipset=bad --add-entry=203.0.113.0/24
firewall-cmd --permanent --zone=drop --add-source=ipset:bad
firewall-cmd --permanent --new-zone=mine
firewall-cmd --permanent --new-zone=gone
firewall-cmd --permanent --delete-zone=gone
firewall-cmd --reload
",
    );
    assert_eq!(diagnostics, [""; 0]);
    let web = firewalld.zones["public"].content.services.iter().find(|s| s.value.name == "web").unwrap();
    let names: Vec<_> =
        web.value.all().iter().map(|s| (s.name.as_str(), s.ports.len(), s.destinations.len())).collect();
    assert_eq!(names, [("ssh", 1, 0), ("web", 1, 1)]);
    let nets: Vec<String> =
        firewalld.zones["drop"].sources[0].value.nets().unwrap().iter().map(ToString::to_string).collect();
    assert_eq!(nets, ["203.0.113.0/24"]);
    assert!(firewalld.zones.contains_key("mine") && !firewalld.zones.contains_key("gone"));
}

#[test]
fn what_is_given_for_a_time_is_gone_unless_it_is_assumed_otherwise() {
    let (lab, _) = read(&[("fw.sh", "firewall-cmd --add-port=3000/tcp --timeout=5m\n")]);
    let port = &firewalld_of(&lab).zones["public"].content.ports[0];
    let switch = lab.switches.get(port.guard.unwrap());
    assert_eq!((switch.statement.as_str(), switch.default), ("`--timeout=5m` has not passed", false));
}

#[test]
fn direct_rules_stand_in_front_by_priority() {
    let script = "firewall-cmd --permanent --direct --add-rule ipv4 filter INPUT 1 -p tcp --dport 1 -j DROP
firewall-cmd --permanent --direct --add-rule ipv4 filter INPUT 0 -p tcp --dport 2 -j DROP
firewall-cmd --permanent --direct --passthrough ipv4 -A FORWARD -j DROP
firewall-cmd --permanent --direct --add-passthrough ipv4 -A FORWARD -j ACCEPT
firewall-cmd --permanent --direct --remove-rule ipv4 filter INPUT 1 -p tcp --dport 1 -j DROP
firewall-cmd --reload
firewall-cmd --direct --add-rule ipv4 filter INPUT 0 -p tcp --dport 3 -j DROP
";
    let (lab, _) = read(&[("fw.sh", script)]);
    let firewalld = firewalld_of(&lab);
    let changes: Vec<String> = firewalld.direct.iter().map(|c| format!("{:?}", c.change)).collect();
    assert_eq!(changes.len(), 2, "{changes:?}");
    assert!(changes[0].starts_with("Insert(\"INPUT\", 1") && changes[1].starts_with("Append(\"FORWARD\""));
    assert_eq!(lab.hosts[0].rules.len(), 1);
}

#[test]
fn rich_rules_are_stored_in_no_order_until_2_2() {
    let check = |version: &str, rules: [&str; 2], last: &str, is_known: bool| {
        let [one, other] = rules.map(|rule| format!("firewall-cmd --add-rich-rule='rule {rule}'\n"));
        let script = format!("{one}{other}firewall-cmd --runtime-to-permanent\n{last}");
        let lab = format!(
            "hosts:\n  h:\n    files: [x.sh]\n    interfaces: {{eth0: {{network: n, address: 10.0.0.2/24}}}}\n    \
             firewalld: {{version: {version}}}\nnetworks: {{n: {{subnet: 10.0.0.0/24}}}}\n"
        );
        let (lab, diagnostics) = read(&[("lab.yaml", &lab), ("x.sh", &script)]);
        assert_eq!(lab.unmodeled.is_empty(), is_known, "{version}\n{script}{diagnostics:?}");
    };
    let reload = "firewall-cmd --reload\n";
    let competing =
        ["priority=5 port port=80 protocol=tcp accept", "priority=5 family=ipv4 source address=10.0.0.3 drop"];
    check("1.3.3", competing, reload, false);
    check("1.3.3", competing, "", true);
    check("2.3.1", competing, reload, true);
    // Of priority 0 what denies comes first, in whatever order.
    check("1.3.3", ["port port=80 protocol=tcp accept", "family=ipv4 source address=10.0.0.3 drop"], reload, true);
    check("1.3.3", ["port port=80 protocol=tcp reject", "family=ipv4 source address=10.0.0.3 drop"], reload, false);
    check(
        "1.3.3",
        ["priority=1 port port=80 protocol=tcp accept", "priority=2 port port=80 protocol=tcp drop"],
        reload,
        true,
    );
}
