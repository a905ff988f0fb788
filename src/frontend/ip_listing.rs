//! What `ip addr` and `ip route` print (iproute2, ip-address(8), ip-route(8)), as text or with `-json`: the addresses
//! and routes that a machine has. People paste several outputs into one file, with the commands in between.

use std::net::IpAddr;

use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::interface_config::{ConfigSource, InterfaceConfig, hardware_address};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::{SourceId, Span, Spanned};

mod json;
#[cfg(test)]
mod tests;

pub use json::is_one as is_json;
pub use json::parse as parse_json;

/// Whether a text is such a listing.
pub fn is_one(text: &str) -> bool {
    let is_route =
        |line: &str| line.starts_with("default via ") || (line.contains(" dev ") && line.contains(" scope link"));
    let is_brief = |line: &str| brief(&line.split_ascii_whitespace().collect::<Vec<_>>()).is_some();
    text.lines().any(|line| heading(line).is_some() || is_route(line) || is_brief(line))
}

/// Reads it.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut reader = Reader::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        reader.line(Spanned::new(bare, Span::new(source, start, start + bare.len())));
        start += line.len();
    }
    reader.finish()
}

/// `2: eth0: <BROADCAST,UP> mtu 1500 …`: the name, without what it sits on.
fn heading(line: &str) -> Option<&str> {
    let (number, rest) = line.split_once(": ")?;
    let (name, flags) = rest.split_once(": ")?;
    let is_heading = number.bytes().all(|b| b.is_ascii_digit()) && !number.is_empty() && flags.starts_with('<');
    is_heading.then_some(name)
}

/// `eth0  UP  10.0.2.15/24 fe80::1/64`, as `ip -brief addr` prints it: the addresses.
fn brief<'w, 't>(words: &'w [&'t str]) -> Option<&'w [&'t str]> {
    let (name_and_state, addresses) = words.split_at_checked(2)?;
    let has_state = matches!(name_and_state, [_, "UP" | "DOWN" | "UNKNOWN"]);
    (has_state && addresses.iter().all(|address| net(address).is_some())).then_some(addresses)
}

/// What was read so far.
#[derive(Default)]
struct Reader {
    interfaces: Vec<InterfaceConfig>,
    routes: Vec<InterfaceConfig>,
    unmodeled: Vec<Spanned<Text>>,
}

/// An entry of a listing of routes.
struct Route<'a> {
    /// `default`, a prefix, or what kind of route it is.
    to: Spanned<&'a str>,
    via: Option<Spanned<&'a str>>,
    dev: Option<Spanned<&'a str>>,
    metric: Option<Spanned<u32>>,
    /// It has several next hops, or drops what it is sent.
    is_special: bool,
    /// It comes with an address of the interface.
    is_own: bool,
    span: Span,
}

impl Reader {
    fn line(&mut self, line: Spanned<&str>) {
        let words = words(line);
        let word = |at: usize| words.get(at).copied();
        if let Some(name) = heading(line.value) {
            let at = line.value.find(name).unwrap_or(0);
            let start = line.span.start + at;
            let place = Span::new(line.span.source, start, start + name.len());
            self.interface(Spanned::new(name, place), line.span);
        } else if let (Some(name), Some(_)) = (word(0), brief(&words.iter().map(|w| w.value).collect::<Vec<_>>())) {
            let addresses = words.iter().skip(2).filter_map(|w| Some(Spanned::new(address_of(w.value)?, w.span)));
            self.interface(name, line.span).addresses.extend(addresses);
        } else if let (Some(last), true) = (self.interfaces.last_mut(), line.value.starts_with(' ')) {
            match (word(0).map(|w| w.value), word(1)) {
                (Some("link/ether"), Some(mac)) => {
                    last.mac = hardware_address(mac.value).map(|address| Spanned::new(address, mac.span));
                }
                (Some("inet"), Some(address)) => {
                    let (own, is_peer) = (address_of(address.value), word(2).is_some_and(|w| w.value == "peer"));
                    last.addresses.extend(own.filter(|_| !is_peer).map(|net| Spanned::new(net, address.span)));
                }
                _ => {}
            }
        } else if let Some(route) = route(line, &words) {
            self.route(&route);
        }
    }

    /// Adds an interface, whose name may be followed by what it sits on.
    fn interface(&mut self, name: Spanned<&str>, span: Span) -> &mut InterfaceConfig {
        let bare = name.value.split('@').next().unwrap_or(name.value);
        let place = Span::new(name.span.source, name.span.start, name.span.start + bare.len());
        let mut config = InterfaceConfig::new(ConfigSource::Addresses, span);
        config.name = Some(Spanned::new(bare.to_owned(), place));
        self.interfaces.push_mut(config)
    }

    fn route(&mut self, route: &Route<'_>) {
        let Some(dev) = route.dev.filter(|_| !route.is_special) else {
            return self.unmodeled(route);
        };
        let via: Option<Spanned<IpAddr>> =
            route.via.and_then(|via| Some(Spanned::new(via.value.parse().ok()?, via.span)));
        let is_default = matches!(route.to.value, "default" | "0.0.0.0/0");
        let config = self.of_device(dev, route.span);
        match (is_default, via, net(route.to.value)) {
            (true, Some(_), _) => {
                config.gateway = config.gateway.or(via);
                config.metric = config.metric.or(Some(route.metric.unwrap_or(Spanned::new(0, route.span))));
            }
            (false, Some(via), Some(to)) => config.routes.push((Spanned::new(to, route.to.span), via)),
            (false, None, Some(_)) if route.is_own => {}
            _ => self.unmodeled(route),
        }
    }

    fn of_device(&mut self, dev: Spanned<&str>, span: Span) -> &mut InterfaceConfig {
        let known = self.routes.iter().position(|config| config.names(dev.value));
        let index = known.unwrap_or_else(|| {
            let name = Some(dev.map(str::to_owned));
            self.routes.push(InterfaceConfig { name, ..InterfaceConfig::new(ConfigSource::Routes, span) });
            self.routes.len() - 1
        });
        #[expect(clippy::indexing_slicing, reason = "it was found or has just been added")]
        &mut self.routes[index]
    }

    fn unmodeled(&mut self, route: &Route<'_>) {
        let what = text!("the route to `{to}`", "`{to}` 경로", to = &route.to.value);
        self.unmodeled.push(Spanned::new(what, route.span));
    }

    fn finish(self) -> Declarations {
        let configs = self.interfaces.into_iter().chain(self.routes);
        let mut value: Vec<Declaration> = configs.map(|c| Declaration::InterfaceConfig(Box::new(c))).collect();
        value.extend(self.unmodeled.into_iter().map(Declaration::Unmodeled));
        Declarations { value, diagnostics: Vec::new() }
    }
}

/// Other kinds than unicast stand before the prefix.
const KINDS: [&str; 5] = ["blackhole", "unreachable", "prohibit", "throw", "nat"];

fn route<'a>(line: Spanned<&str>, words: &[Spanned<&'a str>]) -> Option<Route<'a>> {
    let first = *words.first()?;
    let is_kind = KINDS.contains(&first.value);
    let to = if is_kind { *words.get(1)? } else { first };
    if to.value != "default" && net(to.value).is_none() {
        return None;
    }
    let after = |key: &str| {
        let at = words.iter().position(|word| word.value == key)?;
        words.get(at + 1).copied()
    };
    let metric = after("metric").and_then(|m| Some(Spanned::new(m.value.parse().ok()?, m.span)));
    let is_special = is_kind || words.iter().any(|word| matches!(word.value, "nexthop" | "encap" | "via6"));
    let is_own = after("proto").is_some_and(|proto| proto.value == "kernel");
    let is_route = is_kind || after("dev").is_some() || after("via").is_some();
    is_route.then(|| Route { to, via: after("via"), dev: after("dev"), metric, is_special, is_own, span: line.span })
}

/// A prefix, or an address that stands for itself.
fn net(text: &str) -> Option<IpNet> {
    text.parse().ok().or_else(|| text.parse::<IpAddr>().ok().map(IpNet::from))
}

/// `10.0.2.15/24`, or an address alone; only those of IPv4 are of use.
fn address_of(text: &str) -> Option<IpNet> {
    net(text).filter(|net| net.addr().is_ipv4())
}

fn words(line: Spanned<&str>) -> Vec<Spanned<&str>> {
    let mut words = Vec::new();
    let mut from = 0;
    for word in line.value.split_ascii_whitespace() {
        let at = line.value.get(from..).and_then(|rest| rest.find(word)).unwrap_or(0) + from;
        from = at + word.len();
        let start = line.span.start + at;
        words.push(Spanned::new(word, Span::new(line.span.source, start, start + word.len())));
    }
    words
}
