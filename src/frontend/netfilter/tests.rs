//! Lines and saved rule sets -> what they change.

use std::fmt::Write;
use std::path::Path;

use super::{ipset, iptables_save};
use crate::frontend::shell;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::iptables::{IptablesChange, IptablesCommand, IptablesRule, UfwChange};
use crate::source::Sources;

fn rule_text(rule: &IptablesRule) -> String {
    let conditions: Vec<String> = rule.conditions.iter().map(|c| format!("{c:?}")).collect();
    format!("[{}] {:?}", conditions.join(" "), rule.target)
}

fn command_text(command: &IptablesCommand) -> String {
    let table = command.table.name();
    match &command.change {
        IptablesChange::Append(chain, rule) => format!("{table} -A {chain} {}", rule_text(rule)),
        IptablesChange::Insert(chain, at, rule) => format!("{table} -I {chain} {at} {}", rule_text(rule)),
        IptablesChange::Delete(chain, rule) => format!("{table} -D {chain} {}", rule_text(rule)),
        other => format!("{table} {other:?}"),
    }
}

fn text(read: &Declarations) -> String {
    let mut text = String::new();
    for declaration in &read.value {
        match declaration {
            Declaration::Iptables(commands) => {
                commands.iter().for_each(|c| writeln!(text, "{:?} {}", c.family, command_text(c)).unwrap());
            }
            Declaration::Ufw(change) => match &change.value {
                UfwChange::Set(commands) | UfwChange::Defaults(commands) | UfwChange::File(_, commands) => {
                    commands.iter().for_each(|c| writeln!(text, "{:?} {}", c.family, command_text(c)).unwrap());
                }
                UfwChange::Enable(commands) => writeln!(text, "enable {}", commands.len()).unwrap(),
                UfwChange::Disable(commands) => writeln!(text, "disable {}", commands.len()).unwrap(),
                UfwChange::Reset(commands) => writeln!(text, "reset {}", commands.len()).unwrap(),
                UfwChange::Boot(commands) => writeln!(text, "boot {:?}", commands.as_ref().map(Vec::len)).unwrap(),
            },
            Declaration::Unmodeled(what) => writeln!(text, "unmodeled {}", what.value).unwrap(),
            other => writeln!(text, "{other:?}").unwrap(),
        }
    }
    read.diagnostics.iter().for_each(|d| writeln!(text, "{}: {}", d.code, d.message).unwrap());
    text
}

#[track_caller]
fn check(line: &str, expected: &str) {
    let source = Sources::default().add("a.sh", line);
    assert_eq!(text(&shell::parse(source, line)).trim(), expected, "{line}");
}

#[test]
fn commands_and_places() {
    check("iptables -P FORWARD DROP", r#"V4 filter Policy("FORWARD", false)"#);
    check("sudo iptables -t nat -F", "V4 nat Flush(None)");
    check("ip6tables -w 5 -A INPUT -j DROP", "V6 filter -A INPUT [] Drop");
    check("iptables --insert INPUT 3 --jump ACCEPT", "V4 filter -I INPUT 3 [] Accept");
    check("iptables -D DOCKER-USER 1", r#"V4 filter DeleteAt("DOCKER-USER", 1)"#);
    check("iptables -N MINE", r#"V4 filter New("MINE")"#);
    check("iptables -AINPUT -ptcp -jMINE", r#"V4 filter -A INPUT [Protocol(Tcp)] Jump("MINE")"#);
    check("iptables -nvL", "");
    check("iptables -t nat -S DOCKER", "");
}

#[test]
fn conditions() {
    let with = |options: &str, expected: &str| {
        check(&format!("iptables -A C {options} -j DROP"), &format!("V4 filter -A C [{expected}] Drop"));
    };
    with("-i eth0 -s 10.1.2.3/8", "Source(10.0.0.0/8) InInterface(\"eth0\")");
    with("! -i eth+", "Not(InInterface(\"eth*\"))");
    with("-s ! 10.0.0.0/255.0.0.0", "Not(Source(10.0.0.0/8))");
    with("-s 10.0.0.1,10.0.0.2", "AnyOf([Source(10.0.0.1/32), Source(10.0.0.2/32)])");
    with("-s 0.0.0.0/0 -i +", "");
    with("-p tcp -m tcp --dport ssh", "Protocol(Tcp) DestinationPort(PortRange { first: 22, last: 22 })");
    with("-p udp --sport :1023", "Protocol(Udp) SourcePort(PortRange { first: 0, last: 1023 })");
    with("-m conntrack --ctstate NEW,DNAT", "State([New, DestinationRewritten])");
    with("-m state ! --state ESTABLISHED", "Not(State([Established]))");
    with("-m conntrack --ctorigdstport 3002", "OriginalDestinationPort(PortRange { first: 3002, last: 3002 })");
    with("-m conntrack --ctorigdst 10.0.0.9", "OriginalDestination(10.0.0.9/32)");
    with("-m addrtype --dst-type LOCAL", "DestinationKind(Local)");
    with("-m mark --mark 0x1/0xff", "Mark { value: 1, mask: 255 }");
    with("-m iprange --src-range 10.0.0.0-10.0.0.2", "AnyOf([Source(10.0.0.0/31), Source(10.0.0.2/32)])");
    with("-m connmark --mark 0x1/0xff", "ConnectionMark { value: 1, mask: 255 }");
    with("-m conntrack --ctdir REPLY", "Reply");
    with("-m conntrack --ctorigsrc 10.0.0.9", "OriginalSource(10.0.0.9/32)");
    with("-m rpfilter --invert", "Not(SourceIsRoutedBack)");
    with("-m set ! --match-set blocked src,dst", "Not(InSet { name: \"blocked\", sources: [true, false] })");
    with("-m limit --limit 5/sec", "Assumed(\"-m limit --limit 5/sec\", true)");
    with("-m recent --name ssh --set", "");
    with(
        "-m recent --name ssh --update --seconds 60",
        "Assumed(\"-m recent --name ssh --update --seconds 60\", false)",
    );
    with("-m recent ! --rcheck", "Assumed(\"-m recent ! --rcheck\", true)");
    with("-m connlimit --connlimit-above 10", "Assumed(\"-m connlimit --connlimit-above 10\", false)");
    with("-m connlimit --connlimit-upto 10", "Assumed(\"-m connlimit --connlimit-upto 10\", true)");
    with("-m hashlimit --hashlimit-above 9/sec", "Assumed(\"-m hashlimit --hashlimit-above 9/sec\", false)");
    with("-p icmp --icmp-type echo-request", "Protocol(Icmp) IcmpType(8)");
    with("-p tcp --syn", "Protocol(Tcp) Roughly(State([New]))");
    with("-p tcp --tcp-flags SYN,FIN SYN,FIN", "Protocol(Tcp) Roughly(AnyOf([]))");
    with("-m comment --comment \"no -j here\"", "");
    with(
        "-p tcp -m multiport --dports 80,8000:8010",
        "Protocol(Tcp) AnyOf([DestinationPort(PortRange { first: 80, last: 80 }), \
         DestinationPort(PortRange { first: 8000, last: 8010 })])",
    );
}

#[test]
fn a_reset_answers_tcp_only() {
    let rule = "iptables -A C -p tcp -j REJECT --reject-with tcp-reset";
    check(rule, "V4 filter -A C [Protocol(Tcp)] Reject(TcpReset)");
    let needs = "canreach::iptables::bad_rule: `--reject-with tcp-reset` needs `-p tcp`";
    for protocol in ["", "-p udp ", "! -p tcp "] {
        check(&format!("iptables -A C {protocol}-j REJECT --reject-with tcp-reset"), needs);
    }
}

#[test]
fn targets() {
    let with = |target: &str, expected: &str| {
        check(&format!("iptables -t nat -A C {target}"), &format!("V4 nat -A C [] {expected}"));
    };
    with("-j REJECT", "Reject(Port)");
    with("-g MINE", "Goto(\"MINE\")");
    with("-j DNAT --to-destination 10.0.0.5:80", "DestinationNat { address: Some(10.0.0.5), port: Some(80) }");
    with("-j SNAT --to-source 10.0.0.9", "SourceNat(10.0.0.9)");
    with("-j REDIRECT --to-ports 3128", "Redirect { port: Some(3128) }");
    with("-j MARK --set-mark 7", "SetMark { value: 7, mask: 4294967295 }");
    with("-j CONNMARK --save-mark", "SaveMark { mask: 4294967295 }");
    with("-j CONNMARK --restore-mark --nfmask 0xff --ctmask 0xff", "RestoreMark { mask: 255 }");
    with("-j CONNMARK --set-xmark 0x2/0xff", "SetConnectionMark { value: 2, mask: 255 }");
    with("-j CT --notrack", "Untrack");
    with(
        "-j SNAT --to-source 10.0.0.8-10.0.0.9",
        "Block([IptablesRule { conditions: [Unmodeled(\"-j SNAT --to-source 10.0.0.8-10.0.0.9 takes 10.0.0.8\")], \
         target: SourceNat(10.0.0.8) }, IptablesRule { conditions: [], target: SourceNat(10.0.0.9) }])\n\
         canreach::input::unmodeled: not modelled: `-j SNAT --to-source 10.0.0.8-10.0.0.9 takes 10.0.0.8`",
    );
    with(
        "-j NETMAP --to 10.1.0.0/16",
        "Diverts(\"-j NETMAP --to 10.1.0.0/16\")\n\
         canreach::input::unmodeled: not modelled: `-j NETMAP --to 10.1.0.0/16`",
    );
    with("-j LOG --log-prefix \"-x- dropped: \"", "Nothing");
    with("", "Nothing");
}

#[test]
fn what_has_no_model_is_kept_as_text_and_reported() {
    check(
        "iptables -A INPUT -m mac ! --mac-source 00:11:22:33:44:55 -p tcp --dport 22 -j DROP",
        "V4 filter -A INPUT [Protocol(Tcp) DestinationPort(PortRange { first: 22, last: 22 }) \
         Unmodeled(\"-m mac ! --mac-source 00:11:22:33:44:55\")] Drop\n\
         canreach::input::unmodeled: not modelled: `-m mac ! --mac-source 00:11:22:33:44:55`",
    );
    check(
        "iptables -A INPUT -m limit --limit 3/min -j LOG",
        "V4 filter -A INPUT [Assumed(\"-m limit --limit 3/min\", true)] Nothing",
    );
    check(
        "iptables -A INPUT -j NFQUEUE --queue-num 1",
        "V4 filter -A INPUT [] Unmodeled(\"-j NFQUEUE --queue-num 1\")\n\
         canreach::input::unmodeled: not modelled: `-j NFQUEUE --queue-num 1`",
    );
    check(
        "iptables -A INPUT -s \"$CLIENT\" -j DROP",
        "V4 filter -A INPUT [Unmodeled(\"-s $CLIENT\")] Drop\ncanreach::input::unmodeled: not modelled: `-s $CLIENT`",
    );
}

#[test]
fn what_iptables_refuses_is_reported() {
    check("iptables -A INPUT -p tcp --dport 70000 -j DROP", "canreach::iptables::bad_rule: `70000` is not a port");
    check("iptables -t filtr -F", "canreach::iptables::bad_rule: there is no table `filtr`");
    check("iptables -A", "canreach::iptables::bad_rule: `-A` needs a value");
}

#[test]
fn a_saved_rule_set_replaces_everything() {
    let saved = "# 저장\n*nat\n:PREROUTING ACCEPT [1:2]\n:MINE - [0:0]\n[3:4] -A PREROUTING -j MINE\nCOMMIT\n";
    let source = Sources::default().add("rules.v4", saved);
    let read = iptables_save::parse(source, "rules.v4", saved);
    assert_eq!(
        text(&read),
        "V4 filter Clear\nV4 nat Policy(\"PREROUTING\", true)\nV4 nat New(\"MINE\")\n\
         V4 nat -A PREROUTING [] Jump(\"MINE\")\n"
    );
    let Some(Declaration::Iptables(commands)) = read.value.first() else { panic!("no commands") };
    let span = commands.last().unwrap().span;
    assert_eq!(&saved[span.start..span.end], "[3:4] -A PREROUTING -j MINE");
}

/// Published rule sets: every line is read, and what has no model is reported by its name.
#[test]
fn real_rule_sets_are_read() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/netfilter");
    let Ok(files) = std::fs::read_dir(directory) else { return };
    for file in files.map(|f| f.unwrap().path()).filter(|f| f.extension().is_some_and(|e| e == "iptables-save")) {
        let saved = std::fs::read_to_string(&file).unwrap();
        let source = Sources::default().add("rules.v4", &saved);
        let read = iptables_save::parse(source, "rules.v4", &saved);
        let Some(Declaration::Iptables(commands)) = read.value.first() else { panic!("no commands") };
        let lines = saved.lines().filter(|l| l.starts_with([':', '-', '['])).count();
        println!("{file:?}\n{}", text(&Declarations { value: vec![], diagnostics: read.diagnostics.clone() }));
        assert_eq!(commands.len(), lines + 1, "{file:?}");
    }
}

#[test]
fn saved_sets_are_read() {
    let saved = "create blocked hash:net family inet hashsize 1024\nadd blocked 10.9.0.0/16\nadd blocked 10.9.9.9 nomatch\n\
                 create web hash:ip,port\nadd web 10.0.0.5,tcp:80\nadd web 10.0.0.5\nadd nowhere 10.0.0.1\n";
    assert!(ipset::is_one(saved));
    let source = Sources::default().add("a.ipset", saved);
    let read = ipset::parse(source, saved);
    let sets: Vec<String> = read
        .value
        .iter()
        .map(|declaration| match declaration {
            Declaration::IpSet(set) => format!("{} {:?} {:?}", set.name.value, set.elements, set.excluded),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        sets,
        [
            "blocked [[Nets([10.9.0.0/16])]] [[Nets([10.9.9.9/32])]]",
            "web [[Nets([10.0.0.5/32]), Ports(Tcp, PortRange { first: 80, last: 80 })]] []",
        ]
    );
    assert_eq!(read.diagnostics.len(), 2);
}

#[test]
fn lines_of_ufw() {
    let port = |p: u16| format!("DestinationPort(PortRange {{ first: {p}, last: {p} }})");
    let both = |rule: &str| format!("V4 filter {rule}\nV6 filter {}", rule.replace("ufw-", "ufw6-"));
    let (ssh, shop) = (port(22), port(3000));
    check("ufw allow 22/tcp", &both(&format!("-A ufw-user-input [Protocol(Tcp) {ssh}] Accept")));
    check("ufw limit ssh", &both(&format!("-A ufw-user-input [Protocol(Tcp) {ssh}] Accept")));
    check("ufw allow \"OpenSSH\"", &both(&format!("-A ufw-user-input [Protocol(Tcp) {ssh}] Accept")));
    check("ufw delete allow 22/tcp", &both(&format!("-D ufw-user-input [Protocol(Tcp) {ssh}] Accept")));
    check(
        "ufw route deny proto tcp to any port 3000",
        &both(&format!("-A ufw-user-forward [Protocol(Tcp) {shop}] Drop")),
    );
    check(
        "ufw insert 1 reject in on eth0 from 10.0.0.0/8 to any port 3000 proto tcp comment 'no shop'",
        &format!(
            "V4 filter -I ufw-user-input 1 [Source(10.0.0.0/8) InInterface(\"eth0\") Protocol(Tcp) {shop}] \
             Reject(TcpReset)"
        ),
    );
    check("ufw deny from 10.0.0.7", "V4 filter -A ufw-user-input [Source(10.0.0.7/32)] Drop");
    check("ufw status; ufw logging on; ufw --dry-run allow 80; ufw reload", "");
    check("ufw delete 3", "unmodeled `ufw delete 3`\ncanreach::shell::unmodeled: not modelled: `ufw delete 3`");
}
