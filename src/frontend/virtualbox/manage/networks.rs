//! `VBoxManage natnetwork|hostonlyif|hostonlynet|dhcpserver`.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::shell::word::Word;
use crate::frontend::virtualbox::value::{self, Checked, bad};
use crate::lab::Declaration;
use crate::lab::machine::{DhcpDecl, HostOnlyDecl, HypervisorDecl, NatNetworkDecl, Verb};
use crate::net::IpNet;
use crate::source::{Span, Spanned};

use super::options::{self, Given};
use super::{Read, missing, text, unmodeled};

const NAT: &str = "netname network ipv4-prefix dhcp ipv6 ipv6-enable ipv6-default ipv6-prefix enable disable \
    port-forward-4 port-forward-6 loopback-4 loopback-6";

const INTERFACE: &str = "dhcp ip netmask ipv6 netmasklengthv6";

const NETWORK: &str = "name id netmask lower-ip upper-ip enable disable";

const DHCP: &str = "network netname interface ifname server-ip ip netmask lower-ip lowerip upper-ip upperip enable disable \
    global group vm nic mac-address set-opt set-opt-hex force-opt suppress-opt unforce-opt unsuppress-opt del-opt \
    min-lease-time default-lease-time max-lease-time fixed-address remove-config incl-mac excl-mac incl-mac-wild \
    excl-mac-wild incl-vendor excl-vendor incl-vendor-wild excl-vendor-wild incl-user excl-user incl-user-wild \
    excl-user-wild del-mac zap-conditions";

/// Options of one command.
struct Options<'a> {
    given: Vec<Given<'a>>,
    whole: Span,
}

impl Options<'_> {
    fn of<'a>(command: &str, words: &'a [Word], known: &'static str, whole: Span) -> Checked<Options<'a>> {
        Ok(Options { given: options::scan(command, words, &[known])?.0, whole })
    }

    fn value(&self, names: &[&str]) -> Option<&Word> {
        self.given.iter().find(|o| names.contains(&o.name)).and_then(Given::value)
    }

    fn required(&self, names: &[&str]) -> Checked<&Word> {
        let name = names.first().unwrap_or(&"");
        self.value(names).ok_or_else(|| missing(format!("`--{name}`"), self.whole))
    }

    /// `--enable` or `--disable`.
    fn enabled(&self) -> Option<Spanned<bool>> {
        let switch = self.given.iter().rev().find(|o| matches!(o.name, "enable" | "disable"))?;
        Some(Spanned::new(switch.name == "enable", switch.word.span))
    }

    fn address(&self, names: &[&str]) -> Checked<Option<IpAddr>> {
        self.value(names).map(|word| value::address(text(word))).transpose()
    }

    /// An address and the mask beside it.
    fn masked(&self, address: &[&str]) -> Checked<Option<Spanned<IpNet>>> {
        let (Some(word), Some(mask)) = (self.value(address), self.value(&["netmask"])) else { return Ok(None) };
        let net = value::masked(value::address(text(word))?, text(mask))?;
        Ok(Some(Spanned::new(net, word.span)))
    }

    fn range(&self) -> Checked<Option<Spanned<(IpAddr, IpAddr)>>> {
        let both = (self.address(&["lower-ip", "lowerip"])?, self.address(&["upper-ip", "upperip"])?);
        let (Some(lower), Some(upper)) = both else { return Ok(None) };
        let place = self.value(&["lower-ip", "lowerip"]).map_or(self.whole, |word| word.span);
        Ok(Some(Spanned::new((lower, upper), place)))
    }
}

fn state(declaration: HypervisorDecl) -> Read {
    Ok(vec![Declaration::Hypervisor(declaration)])
}

/// A verb that changes nothing here (`list`), or one that there is not.
fn other_verb(command: &str, verb: &Word, known: &[&str]) -> Read {
    if known.contains(&verb.text.as_str()) {
        return Ok(Vec::new());
    }
    let message = text!(
        "`VBoxManage {command}` has no `{verb}`",
        "`VBoxManage {command}`에 `{verb}` 명령은 없습니다",
        verb = &verb.text
    );
    let diagnostic = Diagnostic::new(Code::VboxUnknownFlag, message)
        .label(verb.span, text!("VBoxManage stops here", "VBoxManage가 여기서 멈춤"));
    let verbs = ["add", "modify", "remove", "create", "ipconfig"].into_iter().chain(known.iter().copied());
    Err(Box::new(match did_you_mean(&verb.text, verbs) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic,
    }))
}

pub(super) fn nat_network(words: &[Word], whole: Span) -> Read {
    let Some((verb, rest)) = words.split_first() else { return Ok(Vec::new()) };
    let verb = match verb.text.as_str() {
        "add" => Verb::Added,
        "modify" => Verb::Changed,
        "remove" => Verb::Removed,
        _ => return other_verb("natnetwork", verb, &["start", "stop", "list"]),
    };
    let options = Options::of("natnetwork", rest, NAT, whole)?;
    let network = match verb {
        Verb::Added => Some(options.required(&["network", "ipv4-prefix"])?),
        _ => options.value(&["network", "ipv4-prefix"]),
    };
    let mut decl = NatNetworkDecl {
        name: options.required(&["netname"])?.spanned(),
        verb,
        network: network.map(nat_prefix).transpose()?,
        enabled: options.enabled(),
        dhcp: options.value(&["dhcp"]).map(|word| value::on_off(text(word))).transpose()?,
        forwards: Vec::new(),
        removed_forwards: Vec::new(),
        loopbacks: Vec::new(),
        forward_at: None,
        span: whole,
    };
    for option in &options.given {
        match (option.name, option.values.as_slice()) {
            ("port-forward-4", [delete, name]) if delete.text == "delete" => decl.removed_forwards.push(name.spanned()),
            ("port-forward-4", [rule]) => decl.forwards.push(value::network_forward(text(rule))?),
            // `--loopback-4 delete` is accepted and deletes nothing (VBoxManage 7.2, `handleOp`).
            ("loopback-4", [mapping]) => {
                decl.loopbacks.push(Spanned::new(value::loopback(text(mapping))?, mapping.span));
            }
            _ => {}
        }
    }
    state(HypervisorDecl::NatNetwork(decl))
}

/// A prefix; `10.0.3.5/24` is refused, unlike for a private NAT.
fn nat_prefix(word: &Word) -> Checked<Spanned<IpNet>> {
    let net = value::network(text(word))?;
    if net != net.trunc() {
        let message = text!(
            "`{word}` has bits behind its prefix",
            "`{word}`: 프리픽스 뒤에 비트가 남아 있습니다",
            word = &word.text
        );
        return Err(bad(
            Code::BadAddress,
            word.span,
            message,
            text!("write `{net}`", "`{net}`로 쓰십시오", net = &net.trunc()),
        ));
    }
    Ok(Spanned::new(net, word.span))
}

pub(super) fn host_only_interface(words: &[Word], whole: Span) -> Read {
    let Some((verb, rest)) = words.split_first() else { return Ok(Vec::new()) };
    let (name, rest) = match (verb.text.as_str(), rest.split_first()) {
        ("ipconfig" | "remove", Some((name, rest))) => (name, rest),
        ("ipconfig" | "remove", None) => return Err(missing("an interface", whole)),
        // The name of the new interface is the first free one, and its address comes with `ipconfig`.
        ("create", _) => return Ok(Vec::new()),
        _ => return other_verb("hostonlyif", verb, &["list"]),
    };
    let options = Options::of("hostonlyif", rest, INTERFACE, whole)?;
    let address = match (options.value(&["ip"]), options.value(&["netmask"])) {
        // VBoxManage takes 255.255.255.0 when no mask is given.
        (Some(ip), None) => IpNet::new(value::address(text(ip))?, 24).ok().map(|net| Spanned::new(net, ip.span)),
        _ => options.masked(&["ip"])?,
    };
    let verb = if verb.text == "remove" { Verb::Removed } else { Verb::Changed };
    state(HypervisorDecl::HostOnly(HostOnlyDecl {
        name: name.spanned(),
        verb,
        is_network: false,
        address,
        range: None,
        up: None,
        span: whole,
    }))
}

pub(super) fn host_only_network(words: &[Word], whole: Span) -> Read {
    let Some((verb, rest)) = words.split_first() else { return Ok(Vec::new()) };
    let verb = match verb.text.as_str() {
        "add" => Verb::Added,
        "modify" => Verb::Changed,
        "remove" => Verb::Removed,
        _ => return other_verb("hostonlynet", verb, &[]),
    };
    let options = Options::of("hostonlynet", rest, NETWORK, whole)?;
    state(HypervisorDecl::HostOnly(HostOnlyDecl {
        name: options.required(&["name"])?.spanned(),
        verb,
        is_network: true,
        address: options.masked(&["lower-ip"])?,
        range: options.range()?,
        up: options.enabled(),
        span: whole,
    }))
}

pub(super) fn dhcp_server(words: &[Word], whole: Span) -> Read {
    let Some((verb, rest)) = words.split_first() else { return Ok(Vec::new()) };
    let word = verb;
    let verb = match verb.text.as_str() {
        "add" => Verb::Added,
        "modify" => Verb::Changed,
        "remove" => Verb::Removed,
        _ => return other_verb("dhcpserver", verb, &["start", "stop", "restart", "findlease"]),
    };
    let options = Options::of("dhcpserver", rest, DHCP, whole)?;
    if let Some(fixed) = options.given.iter().find(|o| o.name == "fixed-address") {
        return Ok(vec![unmodeled(word, fixed.span())]);
    }
    let network = match options.value(&["interface", "ifname"]) {
        Some(interface) => Spanned::new(format!("HostInterfaceNetworking-{}", interface.text), interface.span),
        None => options.required(&["network", "netname"])?.spanned(),
    };
    state(HypervisorDecl::Dhcp(DhcpDecl {
        network,
        verb,
        address: options.masked(&["server-ip", "ip"])?,
        range: options.range()?,
        enabled: options.enabled(),
        span: whole,
    }))
}
