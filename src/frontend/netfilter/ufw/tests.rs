//! Files and listings of ufw, held against the lines that would make the same rules.

use crate::frontend::{self, Environment, shell};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::iptables::{IptablesCommand, UfwChange, UfwFile};
use crate::source::Sources;

fn read(path: &str, text: &str) -> Declarations {
    let source = Sources::default().add(path, text);
    let format = frontend::detect(path, text).unwrap_or_else(|| panic!("no format for {path}"));
    frontend::read(format, source, path, text, &Environment::default())
}

fn shown(command: &IptablesCommand) -> String {
    format!("{:?} {} {:?}", command.family, command.table.name(), command.change)
}

fn rules(read: &Declarations) -> Vec<String> {
    let mut all = Vec::new();
    for declaration in &read.value {
        match declaration {
            Declaration::Ufw(change) => match &change.value {
                UfwChange::Set(commands) | UfwChange::Defaults(commands) => all.extend(commands.iter().map(shown)),
                UfwChange::File(file, commands) => {
                    all.push(format!("{file:?}"));
                    all.extend(commands.iter().map(shown));
                }
                UfwChange::Boot(loaded) => all.push(format!("boot {}", loaded.is_some())),
                UfwChange::Enable(_) => all.push("enable".to_owned()),
                UfwChange::Disable(_) => all.push("disable".to_owned()),
                UfwChange::Reset(_) => all.push("reset".to_owned()),
            },
            Declaration::Iptables(commands) => all.extend(commands.iter().map(shown)),
            Declaration::Unmodeled(what) => all.push(format!("unmodeled {}", what.value)),
            other => panic!("{other:?}"),
        }
    }
    all.extend(read.diagnostics.iter().map(|d| d.message.to_string()));
    all
}

/// What lines of a script make.
fn lines(script: &str) -> Vec<String> {
    let source = Sources::default().add("a.sh", script);
    rules(&shell::parse(source, script))
}

#[track_caller]
fn row(row: &str, line: &str) {
    let text = format!(
        "Status: active\n\nTo                         Action      From\n--                         ------      ----\n{row}\n"
    );
    let expected = [vec!["reset".to_owned(), "enable".to_owned()], lines(line)].concat();
    assert_eq!(rules(&read("status.txt", &text)), expected, "{row}");
}

#[test]
fn rows_of_a_listing_are_rules() {
    row("22/tcp                     ALLOW IN    Anywhere                  ", "ufw allow 22/tcp");
    row("[ 1] 22/tcp                     LIMIT IN    Anywhere", "ufw limit 22/tcp");
    row("443                        ALLOW       192.168.1.0/24", "ufw allow from 192.168.1.0/24 to any port 443");
    row("80,443/tcp (Nginx Full)    ALLOW IN    Anywhere                   # web", "ufw allow 80,443/tcp");
    row("Nginx Full                 DENY IN     Anywhere", "ufw deny 'Nginx Full'");
    row("9001/tcp on docker0        ALLOW IN    Anywhere", "ufw allow in on docker0 to any port 9001 proto tcp");
    row("Anywhere on docker0        ALLOW IN    172.16.0.0/12", "ufw allow in on docker0 from 172.16.0.0/12");
    row("172.17.0.2 80/tcp          ALLOW FWD   Anywhere", "ufw route allow proto tcp to 172.17.0.2 port 80");
    row("Anywhere on eth1           ALLOW FWD   Anywhere on eth0", "ufw route allow in on eth0 out on eth1");
    row("25/tcp                     REJECT OUT  Anywhere                  (out)", "ufw reject out 25/tcp");
    row("6000:6007/tcp              DENY IN     Anywhere                   (log)", "ufw deny 6000:6007/tcp");
    row("22/tcp (v6)                ALLOW IN    Anywhere (v6)", "");
}

#[test]
fn a_listing_tells_the_policies_and_whether_it_is_enabled() {
    let text = "Status: active\nLogging: on (low)\nDefault: deny (incoming), allow (outgoing), disabled (routed)\nNew profiles: skip\n";
    let policies = lines("ufw default deny incoming; ufw default allow outgoing; ufw default deny routed");
    assert_eq!(rules(&read("ufw.txt", text)), [vec!["reset".to_owned(), "enable".to_owned()], policies].concat());
    assert_eq!(rules(&read("ufw.txt", "Status: inactive\n")), ["disable"]);
    let text = "Status: active\n\nTo  Action  From\n--  ------  ----\nOwn App   ALLOW IN   Anywhere\n";
    assert_eq!(
        rules(&read("ufw.txt", text)).last().unwrap(),
        "unmodeled the row `Own App   ALLOW IN   Anywhere` of ufw"
    );
}

#[test]
fn settings_in_files() {
    assert_eq!(rules(&read("etc/ufw/ufw.conf", "# ufw\nENABLED=yes\nLOGLEVEL=low\n")), ["boot true"]);
    assert_eq!(rules(&read("etc/ufw/ufw.conf", "ENABLED=no\n")), ["boot false"]);
    let defaults = "IPV6=yes\nDEFAULT_INPUT_POLICY=\"REJECT\"\nDEFAULT_FORWARD_POLICY=\"ACCEPT\"\nMANAGE_BUILTINS=no\n";
    let expected = lines("ufw default reject incoming; ufw default allow routed");
    assert_eq!(rules(&read("etc/default/ufw", defaults)), expected);
    assert_eq!(
        rules(&read("etc/default/ufw", "DEFAULT_INPUT_POLICY=\"OPEN\"\n")),
        ["unmodeled `DEFAULT_INPUT_POLICY=OPEN`"]
    );
    assert_eq!(rules(&read("etc/default/ufw", "MANAGE_BUILTINS=yes\n")), ["unmodeled `MANAGE_BUILTINS=yes`"]);
}

#[test]
fn rules_in_files_are_added_to_what_is_there() {
    let text = "*filter\n:ufw-user-forward - [0:0]\n:DOCKER-USER - [0:0]\n-A DOCKER-USER -j ufw-user-forward\nCOMMIT\n";
    let after = rules(&read("etc/ufw/after.rules", text));
    let expected = lines(
        "iptables -F ufw-after-input; iptables -F ufw-after-output; iptables -F ufw-after-forward
         iptables -N ufw-user-forward; iptables -F ufw-user-forward
         iptables -N DOCKER-USER; iptables -F DOCKER-USER; iptables -A DOCKER-USER -j ufw-user-forward",
    );
    assert_eq!(after, [vec!["After".to_owned()], expected].concat());
    let before = rules(&read("etc/ufw/before6.rules", "*filter\n:ufw6-before-input - [0:0]\nCOMMIT\n"));
    assert_eq!(before.first().unwrap(), "Before");
    let hook = lines("ip6tables -A ufw6-before-forward -j ufw6-user-forward");
    assert_eq!(before.last().unwrap(), hook.first().unwrap());
    assert!(before.iter().skip(1).all(|rule| rule.starts_with("V6 filter")), "{before:?}");
}

#[test]
fn which_file_is_which() {
    use super::{File, file};
    use crate::net::Family;
    assert_eq!(file("etc/ufw/user6.rules"), Some(File::Rules(UfwFile::User, Family::V6)));
    assert_eq!(file("files/ufw-after.rules"), Some(File::Rules(UfwFile::After, Family::V4)));
    assert_eq!(file("etc/default/ufw"), Some(File::Defaults));
    assert_eq!(file("etc/iptables.rules"), None);
    assert_eq!(file("bin/ufw"), None);
}

/// ufw has a profile with several kinds of ports.
#[test]
fn profiles() {
    assert_eq!(lines("ufw allow 'XMPP'"), lines("ufw allow 5222/tcp; ufw allow 5269/tcp"));
    assert_eq!(lines("ufw allow from 10.0.0.0/8 to any app CIFS").len(), 2);
    assert_eq!(lines("ufw allow 'My App'").first().unwrap(), "unmodeled `ufw allow My App`");
}

/// ufw 0.36.2 refused these, and took those.
#[test]
fn lines_that_are_refused() {
    let check = |line: &str, expected: &str| assert_eq!(lines(line), [expected], "{line}");
    check("ufw allow 99999/tcp", "`99999/tcp` is no port");
    check("ufw allow 22/xyz", "`22/xyz` is no port");
    check("ufw allow 22:21/tcp", "`22:21/tcp` is no port");
    check("ufw allow 0", "`0` is no port");
    check("ufw allow from any port 70000", "`70000` is no port");
    check("ufw alow 22", "ufw has no command `alow`");
    check("ufw default alow", "`alow` is not a policy");
    check("ufw insert x allow 22", "`x` is not a position");
    check("ufw allow from 10.0.0.0/99", "`10.0.0.0/99` is not an address");
    check("ufw allow to 10.0.0.300", "`10.0.0.300` is not an address");
    check("ufw allow from 10.0.0.1 to fe80::1", "from one family of addresses to another");
    check("ufw allow proto xyz from any", "`xyz` is not a protocol");
    check("ufw allow 80,443", "several ports without a protocol");
    check("ufw allow 8000:8010", "several ports without a protocol");
    for taken in
        ["ufw allow 80,443/tcp", "ufw allow proto esp from any", "ufw allow from any to any port 80,443 proto tcp"]
    {
        assert!(lines(taken).iter().all(|line| line.starts_with('V')), "{taken}: {:?}", lines(taken));
    }
}
