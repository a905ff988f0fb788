//! Keyfiles: `/etc/NetworkManager/system-connections/*.nmconnection`.

use crate::lab::declaration::Declarations;
use crate::lab::interface_config::{ConfigSource, InterfaceConfig};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::{SourceId, Spanned};

use super::{Settings, not_modeled, parts};

/// Reads a connection.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut settings = Settings::read(source, text);
    let name = settings.get("connection", "interface-name");
    let zone = settings.zone(name, "connection", "zone");
    let Some(connection) = settings.all.iter().find(|setting| setting.section == "connection").map(|s| s.value.span)
    else {
        return Declarations::default();
    };
    let span = name.map_or(connection, |name| name.span);
    let mut config = InterfaceConfig {
        name: name.map(|name| name.map(str::to_owned)),
        mac: settings
            .hardware_address("ethernet", "mac-address")
            .or_else(|| settings.hardware_address("802-3-ethernet", "mac-address")),
        ..InterfaceConfig::new(ConfigSource::File, span)
    };
    let mut unmodeled = Vec::new();
    let kind = settings.get("connection", "type");
    if let Some(kind) = kind.filter(|kind| !matches!(kind.value, "ethernet" | "802-3-ethernet" | "loopback")) {
        unmodeled.push(not_modeled(
            text!("a connection of type `{kind}`", "`{kind}` 종류의 연결", kind = &kind.value),
            kind.span,
        ));
        return settings.declare(zone, None, unmodeled);
    }
    match settings.get("connection", "autoconnect").filter(|starts| matches!(starts.value, "false" | "no" | "0")) {
        Some(starts) => config.dhcp = Some(Spanned::new(false, starts.span)),
        None => addresses(&mut settings, &mut config, &mut unmodeled),
    }
    if config.name.is_none() && config.mac.is_none() {
        // It is used for one of the interfaces, and nothing says which.
        let is_manual = !config.addresses.is_empty();
        unmodeled.extend(is_manual.then(|| {
            not_modeled(text!("a connection without an interface", "인터페이스가 없는 연결"), settings.whole)
        }));
        return settings.declare(None, None, unmodeled);
    }
    settings.declare(zone, Some(config), unmodeled)
}

fn addresses(settings: &mut Settings<'_>, config: &mut InterfaceConfig, unmodeled: &mut Vec<Spanned<Text>>) {
    let method = settings.get("ipv4", "method");
    config.dhcp = method.map(|method| Spanned::new(method.value == "auto", method.span));
    if let Some(method) = method.filter(|method| method.value == "shared") {
        unmodeled.push(not_modeled(
            text!("a connection that is shared with others", "다른 기기와 공유하는 연결"),
            method.span,
        ));
    }
    for (key, value) in numbered(settings, "address") {
        let mut words = parts(value, &[',', ';']);
        let net = words.next().and_then(|word| {
            settings.parsed::<IpNet>(word, text!("an address with prefix length", "프리픽스 길이가 붙은 주소"))
        });
        config.addresses.extend(net);
        let gateway = words.next().filter(|word| !word.value.is_empty() && key != "addresses");
        config.gateway = config.gateway.or(gateway.and_then(|word| settings.address(word)));
    }
    let gateway = settings.get("ipv4", "gateway").and_then(|text| settings.address(text));
    config.gateway = gateway.or(config.gateway);
    for (_, value) in numbered(settings, "route") {
        route(settings, value, config, unmodeled);
    }
    let never = settings.get("ipv4", "never-default").filter(|value| matches!(value.value, "true" | "1" | "yes"));
    config.default_route = never.map(|value| Spanned::new(false, value.span));
    if never.is_some() {
        config.gateway = None;
    }
    config.metric = settings.metric("ipv4", "route-metric").filter(|_| config.gateway.is_some() || never.is_none());
}

/// `address1=`, `route2=` and their kin, in their order.
fn numbered<'a>(settings: &Settings<'a>, word: &str) -> Vec<(&'a str, Spanned<&'a str>)> {
    let is_it = |key: &str| {
        let rest =
            key.strip_prefix(word).map(|rest| rest.strip_prefix("es").or(rest.strip_prefix('s')).unwrap_or(rest));
        rest.is_some_and(|rest| rest.bytes().all(|b| b.is_ascii_digit()))
    };
    let of_section = settings.all.iter().filter(|setting| setting.section == "ipv4" && is_it(setting.key));
    of_section.filter(|setting| !setting.value.value.is_empty()).map(|setting| (setting.key, setting.value)).collect()
}

/// `10.1.0.0/16,10.0.2.7[,METRIC]`
fn route(
    settings: &mut Settings<'_>,
    value: Spanned<&str>,
    config: &mut InterfaceConfig,
    unmodeled: &mut Vec<Spanned<Text>>,
) {
    let words: Vec<Spanned<&str>> = parts(value, &[',', ';']).collect();
    let to = words.first().and_then(|word| {
        settings.parsed::<IpNet>(*word, text!("a prefix like `10.1.0.0/16`", "`10.1.0.0/16` 같은 프리픽스"))
    });
    let via = words.get(1).filter(|word| !word.value.is_empty()).and_then(|word| settings.address(*word));
    match (to, via) {
        (Some(to), Some(via)) if to.value.prefix_len() == 0 => {
            config.gateway = config.gateway.or(Some(via));
        }
        (Some(to), Some(via)) => config.routes.push((to, via)),
        (Some(to), None) => {
            unmodeled.push(not_modeled(text!("the route to `{to}`", "`{to}` 경로", to = &to.value), value.span))
        }
        (None, _) => {}
    }
}
