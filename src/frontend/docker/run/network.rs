//! `docker network create|connect|disconnect|rm`.

use std::str::FromStr;

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::shell::word::Word;
use crate::lab::declaration::{AttachDecl, ConnectDecl, Declarations, NetworkDecl};
use crate::lab::{Declaration, GatewayMode};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::{Span, Spanned};

use super::container::address;
use super::flags::{self, Flag, Given, Order, Scanned, switch, switch_short, valued, valued_short};
use super::{Outcome, TakeBack};

/// Options of `docker network create`, docker CLI 28.2.2.
const CREATE: &[Flag] = &[
    switch("attachable"),
    valued("aux-address"),
    valued("config-from"),
    switch("config-only"),
    valued_short("driver", 'd'),
    valued("gateway"),
    switch("ingress"),
    switch("internal"),
    valued("ip-range"),
    valued("ipam-driver"),
    valued("ipam-opt"),
    switch("ipv4"),
    switch("ipv6"),
    valued("label"),
    valued_short("opt", 'o'),
    valued("scope"),
    valued("subnet"),
    switch("help"),
];

/// Options of `docker network connect`, docker CLI 28.2.2.
const CONNECT: &[Flag] = &[
    valued("alias"),
    valued("driver-opt"),
    valued("gw-priority"),
    valued("ip"),
    valued("ip6"),
    valued("link"),
    valued("link-local-ip"),
    switch("help"),
];

const FORCE: &[Flag] = &[switch_short("force", 'f'), switch("help")];

/// Reads what stands behind `docker network`.
pub(super) fn parse(words: &[Word], whole: Span) -> Outcome {
    let Some((verb, arguments)) = words.split_first() else { return Outcome::default() };
    match verb.text.as_str() {
        "create" => create(arguments, whole).into(),
        "connect" => connect(arguments, whole).into(),
        "disconnect" => disconnect(arguments),
        "rm" | "remove" => {
            let scanned = flags::scan("docker network rm", arguments, FORCE, Order::Mixed);
            let taken_back = scanned.arguments.iter().map(|w| TakeBack::Network(w.spanned())).collect();
            Outcome { taken_back, ..reported(scanned) }
        }
        "prune" => Outcome { taken_back: vec![TakeBack::UnusedNetworks], ..Outcome::default() },
        _ => Outcome::default(),
    }
}

fn reported(scanned: Scanned) -> Outcome {
    Declarations { value: Vec::new(), diagnostics: scanned.diagnostics }.into()
}

fn disconnect(arguments: &[Word]) -> Outcome {
    let scanned = flags::scan("docker network disconnect", arguments, FORCE, Order::Mixed);
    let taken_back = match scanned.arguments.as_slice() {
        [network, container] => {
            vec![TakeBack::Attachment { network: network.spanned(), container: container.spanned() }]
        }
        _ => Vec::new(),
    };
    Outcome { taken_back, ..reported(scanned) }
}

/// The command line taken apart, or what to say if that is not certain.
fn scan(command: &str, arguments: &[Word], known: &[Flag], whole: Span) -> Result<Scanned, Declarations> {
    let mut scanned = flags::scan(command, arguments, known, Order::Mixed);
    let is_unknown = scanned.uncertain.is_some()
        || scanned.flags.iter().any(|f| f.name != "label" && f.value.as_ref().is_some_and(|v| v.unknown().is_some()))
        || scanned.arguments.iter().any(|a| a.unknown().is_some());
    if !scanned.is_refused && !is_unknown {
        return Ok(scanned);
    }
    let what = text!("`{command}` with options that could not be read", "읽을 수 없는 옵션이 있는 `{command}`");
    let value = vec![Declaration::Unmodeled(Spanned::new(what, whole))];
    Err(Declarations { value, diagnostics: std::mem::take(&mut scanned.diagnostics) })
}

fn create(arguments: &[Word], whole: Span) -> Declarations {
    let scanned = match scan("docker network create", arguments, CREATE, whole) {
        Ok(scanned) => scanned,
        Err(out) => return out,
    };
    let [name] = scanned.arguments.as_slice() else {
        let message =
            text!("`docker network create` wants one name", "`docker network create`에는 이름 하나가 필요합니다");
        return wrong_arguments(message, whole);
    };
    let network = NetworkDecl::named(name.spanned(), whole);
    let mut reader = Reader { network, out: Declarations::default() };
    scanned.flags.iter().for_each(|flag| reader.flag(flag));
    reader.out.value.insert(0, Declaration::Network(reader.network));
    reader.out
}

struct Reader {
    network: NetworkDecl,
    out: Declarations,
}

impl Reader {
    fn flag(&mut self, flag: &Given) {
        if flag.name == "internal" {
            self.network.internal = flag.switched();
            return;
        }
        let Some(value) = &flag.value else {
            if matches!(flag.name, "ipv6" | "ingress" | "config-only") {
                self.unmodeled(format!("`--{}`", flag.name), flag.span);
            }
            return;
        };
        match flag.name {
            "driver" => self.network.driver = Some(value.spanned()),
            "subnet" => self.subnet(value),
            "gateway" => self.gateway(value),
            "opt" => self.option(value, flag.span),
            "ipv4" if value.text == "true" => {}
            "ipv6" if value.text == "false" => {}
            "ip-range" | "aux-address" | "config-from" | "ipam-driver" | "ipam-opt" | "ipv4" | "ipv6" => {
                self.unmodeled(format!("`--{} {}`", flag.name, value.text), flag.span);
            }
            // `attachable` and `scope` matter to swarms only, `label` to nobody.
            _ => {}
        }
    }

    fn subnet(&mut self, value: &Word) {
        match IpNet::from_str(&value.text) {
            Ok(IpNet::V6(_)) => self.unmodeled(
                text!("the IPv6 subnet `{subnet}`", "IPv6 서브넷 `{subnet}`", subnet = &value.text),
                value.span,
            ),
            Ok(_) if self.network.subnet.is_some() => {
                self.unmodeled(
                    text!("the second subnet `{subnet}`", "두 번째 서브넷 `{subnet}`", subnet = &value.text),
                    value.span,
                );
            }
            Ok(subnet) => self.network.subnet = Some(Spanned::new(subnet, value.span)),
            Err(_) => self.out.diagnostics.push(not_a_network(value)),
        }
    }

    fn gateway(&mut self, value: &Word) {
        match address(value) {
            Ok(gateway) if gateway.value.is_ipv6() => {
                self.unmodeled(
                    text!("the IPv6 gateway `{gateway}`", "IPv6 게이트웨이 `{gateway}`", gateway = &value.text),
                    value.span,
                );
            }
            Ok(gateway) => self.network.gateway = Some(gateway),
            Err(error) => self.out.diagnostics.push(*error),
        }
    }

    /// Options of the bridge driver (moby 28, libnetwork/drivers/bridge/labels.go and netlabel/labels.go).
    fn option(&mut self, option: &Word, span: Span) {
        let (key, value) = option.split_once('=').unwrap_or_else(|| (option.clone(), option.slice(0..0)));
        match key.text.as_str() {
            "com.docker.network.bridge.name" => self.network.bridge = Some(value.spanned()),
            "com.docker.network.bridge.enable_icc" => self.network.icc = self.boolean(&value),
            "com.docker.network.bridge.enable_ip_masquerade" => self.network.masquerade = self.boolean(&value),
            "com.docker.network.bridge.host_binding_ipv4" => match address(&value) {
                Ok(address) => self.network.publish_address = Some(address),
                Err(error) => self.out.diagnostics.push(*error),
            },
            "com.docker.network.bridge.gateway_mode_ipv4" => self.network.gateway_mode = self.gateway_mode(&value),
            "parent" => self.network.parent = Some(value.spanned()),
            "macvlan_mode" | "ipvlan_mode" => self.network.driver_mode = Some(value.spanned()),
            "com.docker.network.driver.mtu" | "com.docker.network.container_iface_prefix" => {}
            _ => self.unmodeled(
                text!("the network option `{option}`", "네트워크 옵션 `{option}`", option = &option.text),
                span,
            ),
        }
    }

    fn boolean(&mut self, value: &Word) -> Option<Spanned<bool>> {
        let given = Given { name: "", value: Some(value.clone()), span: value.span };
        let switched = given.switched();
        if switched.is_none() {
            self.bad(value, text!("neither `true` nor `false`", "`true`도 `false`도 아님"));
        }
        switched
    }

    fn gateway_mode(&mut self, value: &Word) -> Option<Spanned<GatewayMode>> {
        let mode = match value.text.as_str() {
            "nat" => GatewayMode::Nat,
            "nat-unprotected" => GatewayMode::NatUnprotected,
            "routed" => GatewayMode::Routed,
            "isolated" => GatewayMode::Isolated,
            _ => {
                let label = text!(
                    "none of nat, nat-unprotected, routed, isolated",
                    "nat, nat-unprotected, routed, isolated 가운데 하나가 아님"
                );
                self.bad(value, label);
                return None;
            }
        };
        Some(Spanned::new(mode, value.span))
    }

    fn bad(&mut self, value: &Word, label: Text) {
        let message = text!(
            "docker refuses the value `{written}`",
            "docker가 거부하는 값입니다: `{written}`",
            written = &value.text
        );
        self.out.diagnostics.push(Diagnostic::new(Code::DockerBadFlag, message).label(value.span, label));
    }

    fn unmodeled(&mut self, what: impl Into<Text>, span: Span) {
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), span)));
    }
}

fn connect(arguments: &[Word], whole: Span) -> Declarations {
    let scanned = match scan("docker network connect", arguments, CONNECT, whole) {
        Ok(scanned) => scanned,
        Err(out) => return out,
    };
    let [network, container] = scanned.arguments.as_slice() else {
        let message = text!(
            "`docker network connect` wants a network and a container",
            "`docker network connect`에는 네트워크와 컨테이너가 하나씩 필요합니다"
        );
        return wrong_arguments(message, whole);
    };
    let mut out = Declarations::default();
    let mut attach =
        AttachDecl { network: network.spanned(), address: None, aliases: Vec::new(), gateway_priority: None };
    for flag in &scanned.flags {
        let Some(value) = &flag.value else { continue };
        match flag.name {
            "alias" => attach.aliases.push(value.text.clone()),
            "ip" => match address(value) {
                Ok(address) => attach.address = Some(address),
                Err(error) => out.diagnostics.push(*error),
            },
            "gw-priority" => match value.text.parse() {
                Ok(priority) => attach.gateway_priority = Some(Spanned::new(priority, value.span)),
                Err(_) => out.diagnostics.push(not_a_number(value)),
            },
            _ => {
                let what = format!("`--{} {}`", flag.name, value.text);
                out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), flag.span)));
            }
        }
    }
    out.value.insert(0, Declaration::Connect(ConnectDecl { container: container.spanned(), attach, span: whole }));
    out
}

fn not_a_number(value: &Word) -> Diagnostic {
    let message = text!("`{number}` is not a number", "`{number}`은(는) 숫자가 아닙니다", number = &value.text);
    Diagnostic::new(Code::DockerBadFlag, message)
        .label(value.span, text!("the highest number has the default route", "가장 큰 숫자가 기본 경로를 가짐"))
}

fn not_a_network(value: &Word) -> Diagnostic {
    let message = text!("`{net}` is not a network", "`{net}`은(는) 네트워크가 아닙니다", net = &value.text);
    let label = text!(
        "docker wants an address with prefix length, like `172.30.0.0/16`",
        "docker는 `172.30.0.0/16`처럼 프리픽스 길이가 붙은 주소를 요구함"
    );
    Diagnostic::new(Code::BadAddress, message).label(value.span, label)
}

fn wrong_arguments(message: Text, whole: Span) -> Declarations {
    let diagnostic =
        Diagnostic::new(Code::DockerBadFlag, message).label(whole, text!("docker refuses this", "docker가 거부함"));
    Declarations { value: Vec::new(), diagnostics: vec![diagnostic] }
}
