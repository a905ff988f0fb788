//! What a compose project says about the network, as lines that can be compared.
//!
//! A line that starts with `~` is a fact that the model does not keep; it is recorded and not compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use canreach::lab::declaration::{ContainerDecl, NetworkDecl, NetworkMode, PublishDecl};
use canreach::lab::{Declaration, Input};
use serde_json::Value as Json;

/// Sorted lines.
pub(super) type Facts = BTreeSet<String>;

/// Driver options that the model keeps.
const OPTIONS: [&str; 5] = ["name", "enable_icc", "enable_ip_masquerade", "host_binding_ipv4", "gateway_mode_ipv4"];

pub(super) fn of_text(text: &str) -> Facts {
    text.lines().map(str::to_owned).collect()
}

/// Lines of one side only. What is started before may be started before for no reason.
pub(super) fn difference(ours: &Facts, theirs: &Facts) -> Option<String> {
    let theirs: Facts = theirs.iter().filter(|fact| !fact.starts_with('~')).cloned().collect();
    let ours: Facts = ours.iter().filter(|fact| !fact.contains(" after ") || theirs.contains(*fact)).cloned().collect();
    let lines = |sign: &str, a: &Facts, b: &Facts| -> Vec<String> {
        a.difference(b).map(|fact| format!("  {sign} {fact}")).collect()
    };
    let all = [lines("ours:  ", &ours, &theirs), lines("theirs:", &theirs, &ours)].concat();
    (!all.is_empty()).then(|| all.join("\n"))
}

/// The facts of what `docker compose config --format json` prints.
pub(super) fn of_json(json: &Json) -> Facts {
    let mut facts = Facts::new();
    let networks = object(&json["networks"]);
    let full_name = |key: &str| json["networks"][key]["name"].as_str().unwrap_or(key).to_owned();
    for network in networks.values() {
        facts.extend(network_of_json(network));
    }
    for (name, service) in object(&json["services"]) {
        if service.get("provider").is_some() {
            facts.insert(format!("~{name} is provided"));
            continue;
        }
        if number_of(&service) == "0" {
            facts.insert(format!("~{name} is not started"));
            continue;
        }
        let mut lines = service_of_json(&service);
        let others = object(&service["depends_on"]);
        lines.extend(others.keys().filter(|o| json["services"].get(o).is_some()).map(|other| format!("after {other}")));
        for (key, options) in object(&service["networks"]) {
            lines.extend(attachment_of_json(&full_name(&key), &options));
        }
        facts.extend(lines.into_iter().map(|line| prefixed(&name, &line)));
    }
    facts
}

fn prefixed(name: &str, line: &str) -> String {
    line.strip_prefix('~').map_or_else(|| format!("{name} {line}"), |line| format!("~{name} {line}"))
}

fn object(json: &Json) -> BTreeMap<String, Json> {
    json.as_object()
        .map(|map| map.iter().map(|(key, value)| (key.clone(), value.clone())).collect())
        .unwrap_or_default()
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// Texts as they are, everything else as JSON.
fn text(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}

fn network_of_json(network: &Json) -> Vec<String> {
    let name = text(&network["name"]);
    let mut lines = vec![String::new()];
    for key in ["internal", "external"] {
        lines.extend((network[key] == true).then(|| key.to_owned()));
    }
    lines.extend(network.get("driver").map(|driver| format!("driver {}", text(driver))));
    for (key, value) in object(&network["driver_opts"]) {
        let short = key.strip_prefix("com.docker.network.bridge.").unwrap_or(&key);
        let kept = if OPTIONS.contains(&short) { "" } else { "~" };
        lines.push(format!("{kept}option {short}={}", text(&value)));
    }
    let pools = list(&network["ipam"]["config"]);
    let is_v4 = |pool: &&Json| !text(&pool["subnet"]).contains(':');
    for pool in pools.iter().filter(is_v4).take(1) {
        lines.extend(["subnet", "gateway"].iter().filter_map(|key| Some(format!("{key} {}", text(pool.get(key)?)))));
        lines.extend(pool.get("ip_range").map(|range| format!("~ip_range {}", text(range))));
    }
    lines.extend(pools.iter().filter(|pool| !is_v4(pool)).map(|pool| format!("~pool {pool}")));
    for key in ["enable_ipv4", "enable_ipv6", "attachable"] {
        lines.extend(network.get(key).map(|value| format!("~{key} {value}")));
    }
    lines.iter().map(|line| prefixed(&format!("network {name}"), line).trim_end().to_owned()).collect()
}

fn service_of_json(service: &Json) -> Vec<String> {
    let mut lines = Vec::new();
    let mut fact = |key: &str, word: &str| {
        lines.extend(service.get(key).filter(|value| !value.is_null()).map(|value| format!("{word} {}", text(value))));
    };
    fact("image", "image");
    fact("container_name", "named");
    fact("hostname", "hostname");
    fact("mac_address", "~mac");
    fact("domainname", "~domain");
    if let Some(mode) = service.get("network_mode").map(text) {
        let is_special = mode.contains(':') || ["host", "none", "bridge", "default"].contains(&mode.as_str());
        lines.push(if is_special { format!("mode {mode}") } else { format!("on {mode}") });
    }
    lines.push(format!("replicas {}", number_of(service)));
    let port = |p: &Json| {
        let field = |key: &str| p.get(key).map(text).filter(|value| value != "0").unwrap_or_default();
        format!("publish {}|{}|{}/{}", field("host_ip"), field("published"), p["target"], field("protocol"))
    };
    lines.extend(list(&service["ports"]).iter().map(port));
    let all = |key: &str, word: &str| -> Vec<String> {
        list(&service[key]).iter().map(|item| format!("{word} {}", text(item))).collect()
    };
    lines.extend(all("expose", "expose").iter().map(|e| e.trim_end_matches("/tcp").to_owned()));
    let with_alias = |link: &String| if link.contains(':') { link.clone() } else { doubled(link) };
    lines.extend(all("links", "link").iter().map(with_alias));
    lines.extend(all("external_links", "external").iter().map(with_alias));
    lines.extend(all("extra_hosts", "host"));
    lines.extend(all("dns", "~dns"));
    let words = |key: &str| list(&service[key]).iter().map(|word| text(word).replace("$$", "$")).collect::<Vec<_>>();
    let line = [words("entrypoint"), words("command")].concat();
    lines.extend((!line.is_empty()).then(|| format!("runs {line:?}")));
    lines
}

fn number_of(service: &Json) -> String {
    let replicas = service.get("scale").or_else(|| service["deploy"].get("replicas"));
    replicas.map_or("1".to_owned(), Json::to_string)
}

/// `link db` means `link db:db`.
fn doubled(link: &str) -> String {
    link.split_once(' ').map_or_else(String::new, |(word, name)| format!("{word} {name}:{name}"))
}

fn attachment_of_json(network: &str, options: &Json) -> Vec<String> {
    let mut lines = vec![format!("on {network}")];
    lines.extend(list(&options["aliases"]).iter().map(|alias| format!("on {network} as {}", text(alias))));
    lines.extend(options.get("ipv4_address").map(|address| format!("on {network} at {}", text(address))));
    lines.extend(options.get("gw_priority").map(|number| format!("on {network} priority {number}")));
    for key in ["ipv6_address", "mac_address", "priority", "link_local_ips", "driver_opts", "interface_name"] {
        lines.extend(options.get(key).map(|value| format!("~on {network} {key} {}", text(value))));
    }
    lines
}

/// The facts of what our front-end states.
pub(super) fn of_declarations(inputs: &[Input]) -> Facts {
    let mut facts = Facts::new();
    let mut services: Vec<(String, Vec<&ContainerDecl>)> = Vec::new();
    for declaration in inputs.iter().flat_map(|input| &input.declarations) {
        match declaration {
            Declaration::Network(network) => facts.extend(network_of(network)),
            Declaration::Container(container) => {
                let service = container.aliases[0].clone();
                match services.iter_mut().find(|(name, _)| *name == service) {
                    Some((_, replicas)) => replicas.push(container),
                    None => services.push((service, vec![container])),
                }
            }
            _ => {}
        }
    }
    for (number, (name, replicas)) in services.iter().enumerate() {
        let mut lines = service_of(name, replicas[0], &services);
        lines.push(format!("replicas {}", replicas.len()));
        lines.extend(services.iter().take(number).map(|(other, _)| format!("after {other}")));
        facts.extend(lines.iter().map(|line| prefixed(name, line)));
    }
    facts
}

fn network_of(network: &NetworkDecl) -> Vec<String> {
    let mut lines = vec![String::new()];
    lines.extend(network.internal.as_ref().filter(|i| i.value).map(|_| "internal".to_owned()));
    lines.extend(network.external.then(|| "external".to_owned()));
    lines.extend(network.driver.as_ref().map(|driver| format!("driver {}", driver.value)));
    lines.extend(network.subnet.as_ref().map(|subnet| format!("subnet {}", subnet.value)));
    lines.extend(network.gateway.as_ref().map(|gateway| format!("gateway {}", gateway.value)));
    let mut option = |key: &str, value: Option<&dyn Display>| {
        lines.extend(value.map(|value| format!("option {key}={value}")));
    };
    option("name", network.bridge.as_ref().map(|v| &v.value as &dyn Display));
    option("enable_icc", network.icc.as_ref().map(|v| &v.value as &dyn Display));
    option("enable_ip_masquerade", network.masquerade.as_ref().map(|v| &v.value as &dyn Display));
    option("host_binding_ipv4", network.publish_address.as_ref().map(|v| &v.value as &dyn Display));
    let mode = network.gateway_mode.as_ref().map(|mode| format!("{:?}", mode.value).to_lowercase());
    option("gateway_mode_ipv4", mode.as_ref().map(|v| v as &dyn Display));
    let name = format!("network {}", network.name.value);
    lines.iter().map(|line| prefixed(&name, line).trim_end().to_owned()).collect()
}

fn service_of(name: &str, container: &ContainerDecl, services: &[(String, Vec<&ContainerDecl>)]) -> Vec<String> {
    let mut lines = Vec::new();
    lines.extend(container.image.as_ref().map(|image| format!("image {}", image.value)));
    let service_of = |container: &str| {
        let is_it = |c: &&&ContainerDecl| c.name.as_ref().is_some_and(|n| n.value == container);
        services.iter().find(|(_, replicas)| replicas.iter().any(|c| is_it(&c))).map(|(name, _)| name.as_str())
    };
    let given = container.name.as_ref().map(|n| n.value.as_str()).filter(|n| !n.ends_with(&format!("-{name}-1")));
    lines.extend(given.map(|given| format!("named {given}")));
    lines.extend(container.aliases.get(1).map(|hostname| format!("hostname {hostname}")));
    lines.extend(container.mode.as_ref().map(|mode| match &mode.value {
        NetworkMode::Host => "mode host".to_owned(),
        NetworkMode::None => "mode none".to_owned(),
        NetworkMode::Bridge => "mode bridge".to_owned(),
        NetworkMode::Container(other) => match service_of(other) {
            Some(service) => format!("mode service:{service}"),
            None => format!("mode container:{other}"),
        },
    }));
    lines.extend(container.publishes.iter().flat_map(published));
    lines.extend(container.exposes.iter().map(|e| {
        let protocol = e.value.0.to_string();
        if protocol == "tcp" { format!("expose {}", e.value.1) } else { format!("expose {}/{protocol}", e.value.1) }
    }));
    for link in &container.links {
        let (target, alias) = &link.value;
        lines.push(match service_of(target) {
            Some(service) => format!("link {service}:{alias}"),
            None => format!("external {target}:{alias}"),
        });
    }
    lines.extend(container.extra_hosts.iter().map(|(name, address)| format!("host {}={address}", name.value)));
    let words: Vec<&str> = container.command.iter().map(|word| word.value.as_str()).collect();
    lines.extend((!words.is_empty()).then(|| format!("runs {words:?}")));
    for attach in &container.networks {
        let network = &attach.network.value;
        lines.push(format!("on {network}"));
        lines.extend(attach.aliases.iter().map(|alias| format!("on {network} as {alias}")));
        lines.extend(attach.address.as_ref().map(|address| format!("on {network} at {}", address.value)));
        lines.extend(attach.gateway_priority.as_ref().map(|p| format!("on {network} priority {}", p.value)));
    }
    lines
}

/// docker compose prints one item for each port of a range.
fn published(publish: &PublishDecl) -> Vec<String> {
    let ports = publish.container_ports;
    let host = |offset: u16| match publish.host_ports {
        None => String::new(),
        Some(range) if ports.count() == 1 => range.to_string(),
        Some(range) => (range.first + offset).to_string(),
    };
    let address = publish.host_address.map(|a| a.to_string()).unwrap_or_default();
    let one = |offset: u16| format!("publish {address}|{}|{}/{}", host(offset), ports.first + offset, publish.protocol);
    (0..=ports.last - ports.first).map(one).collect()
}
