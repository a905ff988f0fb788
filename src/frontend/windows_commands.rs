//! Commands that configure the network of Windows, `netsh` and cmdlets of PowerShell, apart from port proxies: it is said
//! what could change a verdict.

use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::source::Spanned;

/// Cmdlets that change addresses, routes, NAT, or what a firewall lets in.
const CMDLETS: [&str; 14] = [
    "New-NetFirewallRule",
    "Set-NetFirewallRule",
    "Remove-NetFirewallRule",
    "Disable-NetFirewallRule",
    "Set-NetFirewallProfile",
    "New-NetFirewallHyperVRule",
    "Set-NetFirewallHyperVRule",
    "Set-NetFirewallHyperVVMSetting",
    "New-NetIPAddress",
    "Remove-NetIPAddress",
    "New-NetRoute",
    "Remove-NetRoute",
    "New-NetNat",
    "Add-NetNatStaticMapping",
];

/// Reads a line of `netsh`; the first word is the program.
pub fn netsh(words: &[Word]) -> Declarations {
    let has = |names: &[&str]| words.iter().any(|word| names.iter().any(|name| word.text.eq_ignore_ascii_case(name)));
    // netsh takes any beginning of a word that is meant.
    let context = words.get(1).map_or("", |word| word.text.as_str()).to_lowercase();
    let is = |name: &str| 3 <= context.len() && name.starts_with(&context);
    let changes = if is("advfirewall") {
        // That a rule lets things in is assumed anyway, unless somebody says more.
        has(&["action=block", "delete", "reset", "firewallpolicy"])
    } else {
        is("interface") && has(&["set", "add", "delete", "reset"]) && has(&["address", "route", "forwarding=enabled"])
    };
    if changes { unmodeled(words) } else { Declarations::default() }
}

/// Whether a program is one of the cmdlets that matter.
pub fn is_cmdlet(program: &str) -> bool {
    CMDLETS.iter().any(|name| name.eq_ignore_ascii_case(program))
}

/// Reads a call of one of them.
pub fn cmdlet(words: &[Word]) -> Declarations {
    let Some(name) = words.first() else { return Declarations::default() };
    let is = |cmdlet: &str| name.text.eq_ignore_ascii_case(cmdlet);
    let is_rule = is("New-NetFirewallRule") || is("Set-NetFirewallProfile");
    let blocks = words.iter().any(|word| word.text.eq_ignore_ascii_case("Block"));
    if is_rule && !blocks { Declarations::default() } else { unmodeled(words) }
}

fn unmodeled(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    if let (Some(first), Some(last)) = (words.first(), words.last()) {
        let shown = words.iter().take(4).map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
        let what = Spanned::new(format!("`{shown} …`"), first.span.to(last.span));
        out.value.push(Declaration::Unmodeled(what));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::shell;
    use crate::source::Sources;

    #[test]
    fn what_could_change_a_verdict_is_said() {
        let check = |line: &str, expected: &[&str]| {
            let source = Sources::default().add("setup.sh", line);
            let read = shell::parse(source, line).value;
            let shown = read.iter().map(|declaration| match declaration {
                Declaration::Unmodeled(what) => what.value.as_str(),
                _ => "read",
            });
            assert_eq!(shown.collect::<Vec<_>>(), expected, "{line}");
        };
        check("netsh interface portproxy add v4tov4 listenport=80", &["read"]);
        check("netsh advfirewall firewall add rule name=x dir=in action=allow protocol=TCP localport=80", &[]);
        check("netsh advf firewall add rule name=x dir=in action=block", &["`netsh advf firewall add …`"]);
        check("netsh advfirewall firewall delete rule name=x", &["`netsh advfirewall firewall delete …`"]);
        check("netsh int ipv4 set address Ethernet static 10.0.0.1", &["`netsh int ipv4 set …`"]);
        check("netsh interface ipv4 show excludedportrange protocol=tcp", &[]);
        check("netsh wlan show profiles", &[]);
        check("New-NetFirewallRule -DisplayName x -Direction Inbound -LocalPort 80 -Action Allow", &[]);
        check("New-NetFirewallRule -DisplayName x -Action Block", &["`New-NetFirewallRule -DisplayName x -Action …`"]);
        check(
            "Set-NetFirewallHyperVVMSetting -Name x -DefaultInboundAction Allow",
            &["`Set-NetFirewallHyperVVMSetting -Name x -DefaultInboundAction …`"],
        );
    }
}
