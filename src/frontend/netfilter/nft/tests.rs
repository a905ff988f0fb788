//! Rule sets of nftables -> rules.

use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::nft::NftRuleset;
use crate::source::Sources;

use super::parse;

/// As nft 1.0.6 listed the same rule set in both notations.
const LISTING: &str = include_str!("recorded/listing.nft");
const LISTING_JSON: &str = include_str!("recorded/listing.json");

fn read(text: &str) -> Declarations {
    parse(Sources::default().add("rules.nft", text), text)
}

fn ruleset(read: &Declarations) -> &NftRuleset {
    let found = read.value.iter().find_map(|declaration| match declaration {
        Declaration::Nft(ruleset) => Some(ruleset),
        _ => None,
    });
    found.unwrap()
}

/// One line for every chain and every rule.
fn lines(read: &Declarations) -> Vec<String> {
    let mut lines = Vec::new();
    for table in &ruleset(read).tables {
        for chain in &table.chains {
            lines.push(format!("{:?} {} {} {:?}", table.family, table.name, chain.name, chain.base));
            for rule in &chain.rules {
                let conditions: Vec<String> = rule.value.conditions.iter().map(|c| format!("{c:?}")).collect();
                lines.push(format!("{} -> {:?}", conditions.join(" "), rule.value.target));
            }
        }
    }
    lines
}

/// The rules that one rule of a table of both families becomes.
#[track_caller]
fn check(rule: &str, expected: &[&str]) {
    let text = format!("table inet t {{\n\tchain c {{\n\t\t{rule}\n\t}}\n\tchain d {{\n\t}}\n}}\n");
    let read = read(&text);
    let rules: Vec<String> = lines(&read).into_iter().filter(|line| line.contains(" -> ")).collect();
    let rules: Vec<&str> = rules.iter().map(|line| line.trim()).collect();
    assert_eq!(rules, expected, "{rule}");
}

#[test]
fn comparisons() {
    check("tcp dport 22 accept", &["Protocol(Tcp) DestinationPort(PortRange { first: 22, last: 22 }) -> Accept"]);
    check("ip saddr != 10.0.0.0/8 drop", &["Family(V4) Not(Source(10.0.0.0/8)) -> Drop"]);
    check(
        "ip daddr 10.0.0.0-10.0.0.2 drop",
        &["Family(V4) AnyOf([Destination(10.0.0.0/31), Destination(10.0.0.2/32)]) -> Drop"],
    );
    check("iifname \"lo\" accept", &["InInterface(\"lo\") -> Accept"]);
    check("oifname != { \"a\", \"b*\" } drop", &["Not(AnyOf([OutInterface(\"a\"), OutInterface(\"b*\")])) -> Drop"]);
    check(
        "ct state established,related counter packets 3 bytes 9 accept",
        &["State([Established, Related]) -> Accept"],
    );
    check("ct state { new, untracked } accept", &["AnyOf([State([New]), State([Untracked])]) -> Accept"]);
    check("ct status dnat accept", &["State([DestinationRewritten]) -> Accept"]);
    check("ct direction reply accept", &["Reply -> Accept"]);
    check("meta mark & 0x000000ff == 0x00000001 drop", &["Mark { value: 1, mask: 255 } -> Drop"]);
    check("fib saddr . mark . iif oif missing drop", &["Not(SourceIsRoutedBack) -> Drop"]);
    check("fib saddr . mark . iif check missing drop", &["Not(SourceIsRoutedBack) -> Drop"]);
    check("fib daddr type local accept", &["DestinationKind(Local) -> Accept"]);
    check(
        "icmpv6 type { nd-router-advert, nd-neighbor-solicit } accept",
        &["Family(V6) Protocol(Icmp) AnyOf([IcmpType(134), IcmpType(135)]) -> Accept"],
    );
    check("tcp flags syn / fin,syn,rst,ack accept", &["Protocol(Tcp) Roughly(State([New])) -> Accept"]);
    check("tcp flags & (fin | syn | rst | ack) == syn accept", &["Protocol(Tcp) Roughly(State([New])) -> Accept"]);
    check(
        "udp dport > 1023 accept",
        &["Protocol(Udp) DestinationPort(PortRange { first: 1024, last: 65535 }) -> Accept"],
    );
    check("meta l4proto ipv6-icmp accept", &["AllOf([Family(V6), Protocol(Icmp)]) -> Accept"]);
    check(
        "ip saddr . tcp dport { 10.0.0.1 . 22, 10.0.0.2 . 80-81 } accept",
        &[
            "Family(V4) Protocol(Tcp) AnyOf([AllOf([Source(10.0.0.1/32), DestinationPort(PortRange { first: 22, last: 22 })]), \
         AllOf([Source(10.0.0.2/32), DestinationPort(PortRange { first: 80, last: 81 })])]) -> Accept",
        ],
    );
}

#[test]
fn conditions_that_nobody_can_tell() {
    check(
        "limit rate 5/minute burst 5 packets accept",
        &["Assumed(\"limit rate 5/minute burst 5 packets\", true) -> Accept"],
    );
    check("limit rate over 5/minute drop", &["Assumed(\"limit rate over 5/minute\", false) -> Drop"]);
    check("ether saddr 08:00:27:12:34:56 accept", &["Unmodeled(\"ether saddr 08:00:27:12:34:56\") -> Accept"]);
    check("osf name \"Linux\" drop", &["Unmodeled(\"osf name \\\"Linux\\\"\") -> Drop"]);
    check(
        "meta l4proto ipv6-icmp xt match \"hl\" counter accept",
        &["AllOf([Family(V6), Protocol(Icmp)]) Unmodeled(\"xt match \\\"hl\\\"\") -> Accept"],
    );
    check("meta skuid 1000 accept", &["AllOf([Not(InInterface(\"*\")), Unmodeled(\"meta skuid 1000\")]) -> Accept"]);
}

#[test]
fn verdicts_and_maps() {
    check("reject with icmpx admin-prohibited", &["-> Reject(AdminProhibited)"]);
    check("reject with icmp type host-prohibited", &["-> Reject(HostProhibited)"]);
    check("reject with tcp reset", &["-> Reject(TcpReset)"]);
    check("reject", &["-> Reject(Port)"]);
    check(
        "ct state vmap { invalid : drop, new : jump d }",
        &["State([Invalid]) -> Drop", "State([New]) -> Jump(\"d\")"],
    );
    check(
        "ip saddr vmap { 10.0.0.1 : accept, * : drop }",
        &["Family(V4) Source(10.0.0.1/32) -> Accept", "Family(V4) Not(AnyOf([Source(10.0.0.1/32)])) -> Drop"],
    );
    check(
        "jump { tcp dport 5 accept; drop; }",
        &["-> Block([IptablesRule { conditions: [Protocol(Tcp), DestinationPort(PortRange { first: 5, last: 5 })], \
         target: Accept }, IptablesRule { conditions: [], target: Drop }])"],
    );
    check("queue num 1", &["-> Unmodeled(\"queue\")"]);
}

#[test]
fn marks() {
    check("meta mark set 0x1", &["-> SetMark { value: 1, mask: 4294967295 }"]);
    check("meta mark set meta mark | 0x10", &["-> SetMark { value: 16, mask: 16 }"]);
    check("meta mark set meta mark & 0xffffff00 | 0x1", &["-> SetMark { value: 1, mask: 255 }"]);
    check("ct mark set meta mark", &["-> SaveMark { mask: 4294967295 }"]);
    check("meta mark set ct mark", &["-> RestoreMark { mask: 4294967295 }"]);
    check(
        "meta mark 0x0 meta mark set 0x1 accept",
        &[
            "Mark { value: 0, mask: 4294967295 } -> Block([IptablesRule { conditions: [], target: SetMark { value: 1, mask: \
         4294967295 } }, IptablesRule { conditions: [], target: Accept }])",
        ],
    );
    check("udp dport 53 notrack", &["Protocol(Udp) DestinationPort(PortRange { first: 53, last: 53 }) -> Untrack"]);
    check("meta priority set 1:2 accept", &["-> Accept"]);
}

#[test]
fn translations() {
    let dnat = |address: &str, port: &str| format!("DestinationNat {{ address: Some({address}), port: {port} }}");
    check("dnat ip to 172.17.0.2:3000", &[&format!("Family(V4) -> {}", dnat("172.17.0.2", "Some(3000)"))]);
    check("redirect to :9001", &["-> Redirect { port: Some(9001) }"]);
    check("masquerade random", &["-> Masquerade"]);
    check("snat ip to 10.0.0.9", &["Family(V4) -> SourceNat(10.0.0.9)"]);
    check(
        "dnat ip to tcp dport map { 80 : 10.0.0.1, 443 : 10.0.0.2 . 8443 }",
        &[
            &format!(
                "Protocol(Tcp) DestinationPort(PortRange {{ first: 80, last: 80 }}) Family(V4) -> {}",
                dnat("10.0.0.1", "None")
            ),
            &format!(
                "Protocol(Tcp) DestinationPort(PortRange {{ first: 443, last: 443 }}) Family(V4) -> {}",
                dnat("10.0.0.2", "Some(8443)")
            ),
        ],
    );
    check(
        "dnat ip to numgen inc mod 2 map { 0 : 10.0.0.1, 1 : 10.0.0.2 }",
        &[
            &format!(
                "Unmodeled(\"dnat ip to numgen inc mod 2 map {{ 0 : 10.0.0.1 , 1 : 10.0.0.2 }} takes choice 1\") \
             Family(V4) -> {}",
                dnat("10.0.0.1", "None")
            ),
            &format!("Family(V4) -> {}", dnat("10.0.0.2", "None")),
        ],
    );
    check(
        "dnat ip prefix to ip daddr map { 10.0.0.0/24 : 10.1.0.0/24 }",
        &["-> Diverts(\"dnat ip prefix to ip daddr map { 10.0.0.0/24 : 10.1.0.0/24 }\")"],
    );
}

#[test]
fn text_and_json_say_the_same() {
    let (text, json) = (read(LISTING), read(LISTING_JSON));
    assert!(text.diagnostics.iter().chain(&json.diagnostics).all(|d| d.code.as_str() == "canreach::input::unmodeled"));
    let told = |line: String| {
        // What nobody can tell is described in the words of its notation.
        let words = ["Assumed(\"", "Unmodeled(\""];
        words.iter().fold(line, |line, start| match line.split_once(start) {
            Some((before, rest)) => format!("{before}{start}{}", rest.split_once('"').map_or("", |(_, after)| after)),
            None => line,
        })
    };
    let [text, json] = [text, json].map(|read| lines(&read).into_iter().map(told).collect::<Vec<_>>());
    assert_eq!(text, json);
}

#[test]
fn files_for_nft_are_read_like_listings() {
    let script = "#!/usr/sbin/nft -f\nflush ruleset\ndefine web = { 80, 443 }\ntable inet filter {\n  chain input {\n    \
                  type filter hook input priority 0; policy drop;\n    tcp dport $web accept # 열림\n  }\n}\n\
                  add rule inet filter input ip saddr 10.0.0.1 accept\nadd set ip nat s { type ipv4_addr; }\n";
    let read = read(script);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    let ruleset = ruleset(&read);
    assert!(ruleset.is_script && ruleset.replaces);
    let rules = &ruleset.tables[0].chains[0].rules;
    let written: Vec<&str> = rules.iter().map(|rule| &script[rule.span.start..rule.span.end]).collect();
    assert_eq!(written, ["tcp dport $web accept", "ip saddr 10.0.0.1 accept"]);
}

#[test]
fn what_is_not_valid_is_reported_and_nothing_stops_the_reader() {
    let messages = |text: &str| read(text).diagnostics.iter().map(|d| d.message.clone()).collect::<Vec<_>>();
    assert_eq!(messages("table inet t {\n\tchain c {\n\t\taccept\n"), ["a brace is not closed"; 2]);
    assert_eq!(messages("}\n"), ["not valid in a rule set of nft"]);
    assert_eq!(
        messages("table ip t {\n\tchain c {\n\t\tjump x\n\t}\n}\n"),
        ["there is no chain `x` in the table `t`",]
    );
    for listing in [LISTING, LISTING_JSON] {
        for end in (0..listing.len()).step_by(7) {
            read(&listing[..end]);
        }
    }
    read(&"{".repeat(5000));
    read(&format!("table ip t {{ chain c {{ {}", "jump { ".repeat(5000)));
    read(&format!("table ip t {{ chain c {{ ip saddr {}", "{ ".repeat(5000)));
}
