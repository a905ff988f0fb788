//! ifcfg files: `/etc/sysconfig/network-scripts/ifcfg-*`, which older releases of the Red Hat family have.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::declaration::Declarations;
use crate::lab::interface_config::{ConfigSource, InterfaceConfig};
use crate::language::text;
use crate::net::{IpNet, Ipv4Net};
use crate::source::{SourceId, Spanned};

use super::{Settings, not_modeled};

/// Reads the file of an interface.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut settings = Settings::read(source, text);
    let name = settings.get("", "DEVICE");
    let mac = settings.hardware_address("", "HWADDR");
    let Some(span) = name.map(|name| name.span).or_else(|| mac.as_ref().map(|mac| mac.span)) else {
        return settings.declare(None, None, Vec::new());
    };
    let mut config = InterfaceConfig {
        name: name.map(|name| name.map(str::to_owned)),
        mac,
        ..InterfaceConfig::new(ConfigSource::File, span)
    };
    let mut unmodeled = Vec::new();
    for key in ["BRIDGE", "MASTER", "TEAM_MASTER", "VLAN", "BONDING_OPTS"] {
        let value = settings.get("", key).filter(|value| value.value != "no");
        unmodeled.extend(
            value.map(|value| not_modeled(text!("`{key}` of an ifcfg file", "ifcfg 파일의 `{key}`"), value.span)),
        );
    }
    if let Some(kind) = settings.get("", "TYPE").filter(|kind| !kind.value.eq_ignore_ascii_case("ethernet")) {
        unmodeled.push(not_modeled(
            text!("an interface of type `{kind}`", "`{kind}` 종류의 인터페이스", kind = &kind.value),
            kind.span,
        ));
    }
    let starts = settings.get("", "ONBOOT");
    let way = settings.get("", "BOOTPROTO");
    let asks = way.is_some_and(|way| matches!(way.value.to_ascii_lowercase().as_str(), "dhcp" | "bootp"));
    config.dhcp = Some(Spanned::new(asks, way.map_or(span, |way| way.span)));
    if let Some(starts) = starts.filter(|starts| is_no(starts.value)) {
        config.dhcp = Some(Spanned::new(false, starts.span));
    } else {
        addresses(&mut settings, &mut config);
        config.gateway = settings.get("", "GATEWAY").and_then(|text| settings.address(text));
    }
    let metric = settings.metric("", "IPV4_ROUTE_METRIC").or_else(|| settings.metric("", "METRIC"));
    config.metric = metric;
    if let Some(may) = settings.get("", "DEFROUTE") {
        config.default_route = Some(Spanned::new(!is_no(may.value), may.span));
        config.gateway = config.gateway.filter(|_| !is_no(may.value));
    }
    let zone = settings.zone(name, "", "ZONE");
    let is_plain = unmodeled.is_empty();
    settings.declare(zone, is_plain.then_some(config), unmodeled)
}

fn is_no(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "no" | "false" | "n" | "f" | "0")
}

/// `IPADDR` with `PREFIX` or `NETMASK`, and the same with numbers behind them.
fn addresses(settings: &mut Settings<'_>, config: &mut InterfaceConfig) {
    let numbers = std::iter::once(String::new()).chain((0..16).map(|number: u8| number.to_string()));
    for number in numbers {
        let Some(text) = settings.get("", &format!("IPADDR{number}")) else { continue };
        let Some(address) = settings.address(text) else { continue };
        let prefix: Option<u8> = settings.get("", &format!("PREFIX{number}")).and_then(|text| text.value.parse().ok());
        let mask = settings.get("", &format!("NETMASK{number}"));
        let mask = mask.and_then(|text| settings.parsed::<Ipv4Addr>(text, text!("a network mask", "네트워크 마스크")));
        let mask = mask.and_then(|mask| Ipv4Net::with_netmask(mask.value, mask.value).ok()).map(|net| net.prefix_len());
        // Without either the old classes count (ipcalc in initscripts).
        let length = prefix.or(mask).unwrap_or_else(|| class_of(address.value));
        let net = IpNet::new(address.value, length).ok();
        config.addresses.extend(net.map(|net| Spanned::new(net, address.span)));
    }
}

fn class_of(address: IpAddr) -> u8 {
    match address {
        IpAddr::V4(address) if address.octets().first().is_some_and(|first| *first < 128) => 8,
        IpAddr::V4(address) if address.octets().first().is_some_and(|first| *first < 192) => 16,
        _ => 24,
    }
}
