//! `ip -json addr` and `ip -json route`. JSON is YAML, whose reader knows places.

use crate::frontend::yaml::{self, Node, Value};
use crate::lab::declaration::Declarations;
use crate::lab::interface_config::{ConfigSource, InterfaceConfig, hardware_address};
use crate::net::IpNet;
use crate::source::{SourceId, Spanned};

use super::{KINDS, Reader, Route};

/// Whether a text is such a listing.
pub fn is_one(text: &str) -> bool {
    let is_list = text.trim_start().starts_with('[');
    is_list && (text.contains("\"addr_info\"") || (text.contains("\"dst\"") && text.contains("\"dev\"")))
}

/// Reads it.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let document = yaml::parse(source, &text.replace('\t', " "));
    let mut reader = Reader::default();
    for object in document.value.iter().flat_map(Node::items) {
        if object.get("addr_info").is_some() {
            reader.interfaces.extend(interface(object));
        } else if let Some(route) = route(object) {
            reader.route(&route);
        }
    }
    let mut read = reader.finish();
    read.diagnostics.extend(document.diagnostics);
    read
}

fn interface(object: &Node) -> Option<InterfaceConfig> {
    let name = text(object, "ifname")?;
    let mac = text(object, "address").filter(|_| text(object, "link_type").is_some_and(|kind| kind.value == "ether"));
    Some(InterfaceConfig {
        name: Some(name.map(str::to_owned)),
        mac: mac.and_then(|mac| Some(Spanned::new(hardware_address(mac.value)?, mac.span))),
        addresses: object.get("addr_info").map_or(&[][..], Node::items).iter().filter_map(address).collect(),
        ..InterfaceConfig::new(ConfigSource::Addresses, object.span)
    })
}

fn address(info: &Node) -> Option<Spanned<IpNet>> {
    let local = text(info, "local").filter(|_| text(info, "family").is_some_and(|family| family.value == "inet"))?;
    let length = text(info, "prefixlen")?.value.parse().ok()?;
    Some(Spanned::new(IpNet::new(local.value.parse().ok()?, length).ok()?, local.span))
}

fn route(object: &Node) -> Option<Route<'_>> {
    let kind = text(object, "type").filter(|kind| KINDS.contains(&kind.value));
    let metric = text(object, "metric").and_then(|m| Some(Spanned::new(m.value.parse().ok()?, m.span)));
    Some(Route {
        to: text(object, "dst")?,
        via: text(object, "gateway"),
        dev: text(object, "dev"),
        metric,
        is_special: kind.is_some() || object.get("nexthops").is_some() || object.get("via").is_some(),
        is_own: text(object, "protocol").is_some_and(|protocol| protocol.value == "kernel"),
        span: object.span,
    })
}

fn text<'n>(object: &'n Node, key: &str) -> Option<Spanned<&'n str>> {
    let node = object.get(key)?;
    match &node.value {
        Value::Scalar(text) => Some(Spanned::new(text, node.content)),
        _ => None,
    }
}
