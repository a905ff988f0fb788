//! Commands among the rules of products -> the tables, as `iptables-save` prints them.

use crate::frontend::shell;
use crate::lab::Declaration;
use crate::lower::firewalld::fixture::empty_dataplane;
use crate::report::rules::{Beside, iptables};
use crate::source::Sources;

use super::apply;

/// A script and the rules that it leaves in the table `filter`.
#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let source = Sources::default().add("a.sh", script);
    let read = shell::parse(source, script);
    let (mut dataplane, node) = empty_dataplane();
    for declaration in &read.value {
        if let Declaration::Iptables(commands) = declaration {
            apply(commands, node, &mut dataplane);
        }
    }
    let printed = iptables::render(dataplane.node(node), &dataplane.switches, &Beside::Nothing);
    let rules: Vec<&str> = printed.lines().filter(|l| l.starts_with("-A") || l.contains(" DROP [")).collect();
    assert_eq!(rules, expected, "{script}");
}

#[test]
fn rules_stand_where_they_are_put() {
    let script = "iptables -A INPUT -s 10.0.0.1 -j DROP\niptables -I INPUT -s 10.0.0.2 -j DROP\n\
                  iptables -I INPUT 2 -s 10.0.0.3 -j DROP\n";
    let [first, second, third] = [2, 3, 1].map(|n| format!("-A INPUT -s 10.0.0.{n}/32 -j DROP"));
    check(script, &[&first, &second, &third]);
    check(&format!("{script}iptables -D INPUT 2"), &[&first, &third]);
    check(&format!("{script}iptables -D INPUT -j DROP -s 10.0.0.1/32"), &[&first, &second]);
    check(&format!("{script}iptables -R INPUT 1 -j ACCEPT"), &["-A INPUT -j ACCEPT", &second, &third]);
    check(&format!("{script}iptables -F; iptables -P INPUT DROP"), &[":INPUT DROP [0:0]"]);
}

#[test]
fn a_chain_must_be_there() {
    check("iptables -A MINE -j DROP; iptables -A INPUT -j MINE", &[]);
    check(
        "iptables -N MINE; iptables -A INPUT -j MINE; iptables -A MINE -p udp -j RETURN",
        &["-A INPUT -j MINE", "-A MINE -p udp -j RETURN"],
    );
    check("iptables -N A; iptables -E A B; iptables -A B -j ACCEPT", &["-A B -j ACCEPT"]);
}

/// The kernel refuses the jump that closes a circle.
#[test]
fn circles_are_opened() {
    check(
        "iptables -N A; iptables -N B; iptables -A INPUT -j A; iptables -A A -j B; iptables -A B -j A",
        &["-A INPUT -j A", "-A A -j B"],
    );
}

#[test]
fn conditions_without_a_model_are_found_again_by_their_text() {
    check(
        "iptables -A INPUT -m mac --mac-source 08:00:27:00:00:01 -j DROP\n\
         iptables -A INPUT -m mac --mac-source 08:00:27:00:00:02 -j DROP\n\
         iptables -D INPUT -m mac --mac-source 08:00:27:00:00:01 -j DROP\n",
        &["-A INPUT -j DROP"],
    );
}
