//! netplan files as they are found on machines.

use super::*;
use crate::source::Sources;

fn check(text: &str, expected: &[&str]) {
    let mut sources = Sources::default();
    let read = parse(sources.add("01.yaml", text), text);
    let mut said: Vec<String> = read.value.iter().map(|declaration| describe(declaration, &sources)).collect();
    said.extend(read.diagnostics.iter().map(|d| format!("{} <{}>", d.message, sources.text(d.labels[0].span))));
    assert_eq!(said, expected, "{text}");
}

fn describe(declaration: &Declaration, sources: &Sources) -> String {
    let config = match declaration {
        Declaration::InterfaceConfig(config) => config,
        Declaration::Unmodeled(what) => return format!("not modelled: {} <{}>", what.value, sources.text(what.span)),
        other => return format!("{other:?}"),
    };
    let mut words: Vec<String> = config.name.iter().map(|name| name.value.clone()).collect();
    words.extend(config.mac.iter().map(|mac| mac.value.clone()));
    words.extend(config.dhcp.iter().filter(|dhcp| dhcp.value).map(|_| "dhcp".to_owned()));
    for address in &config.addresses {
        assert_eq!(sources.text(address.span).trim_matches('"'), address.value.to_string());
        words.push(address.value.to_string());
    }
    words.extend(config.gateway.iter().map(|gateway| format!("via {}", gateway.value)));
    words.extend(config.default_route.iter().filter(|may| !may.value).map(|_| "no default route".to_owned()));
    words.extend(config.metric.iter().map(|metric| format!("metric {}", metric.value)));
    words.extend(config.routes.iter().map(|(to, via)| format!("{} via {}", to.value, via.value)));
    words.join(" ")
}

#[test]
fn interfaces_are_read() {
    // What Vagrant writes (plugins/guests/debian, templates/guests/debian/networkd and netplan).
    check(
        "---\nnetwork:\n  version: 2\n  renderer: networkd\n  ethernets:\n    eth1:\n      addresses:\n      - 192.168.56.10/24\n",
        &["eth1 192.168.56.10/24"],
    );
    check(
        "network:\n  ethernets:\n    enp0s3: {dhcp4: true, dhcp4-overrides: {use-routes: false, route-metric: 50}}\n    enp0s8: {optional: true}\n",
        &["enp0s3 dhcp no default route metric 50", "enp0s8"],
    );
    check(
        "network:\n  ethernets:\n    lan:\n      match: {macaddress: \"08:00:27:a1:b2:c3\"}\n      set-name: lan0\n      addresses: [10.1.0.5/24, \"fd00::5/64\", \"10.1.0.6/24\": {label: a}]\n      gateway4: 10.1.0.1\n",
        &["lan0 080027A1B2C3 10.1.0.5/24 10.1.0.6/24 via 10.1.0.1 metric 0"],
    );
    check(
        "network:\n  ethernets:\n    all:\n      match: {name: \"en*\"}\n      dhcp4: yes\n      routes:\n      - {to: default, via: 10.0.2.2, metric: 200}\n      - {to: 10.9.0.0/16, via: 10.0.2.9}\n",
        &["en* dhcp via 10.0.2.2 metric 200 10.9.0.0/16 via 10.0.2.9"],
    );
}

#[test]
fn what_has_no_model_or_no_sense_is_said() {
    check(
        "network:\n  bridges:\n    br0: {interfaces: [enp0s3]}\n  ethernets:\n    enp0s3:\n      match: {driver: e1000}\n      routes: [{to: 10.9.0.0/16, via: 10.0.2.9, table: 7}]\n",
        &[
            "not modelled: `bridges` of netplan <bridges>",
            "not modelled: `match: driver` of netplan <driver: e1000>",
            "not modelled: the route to `10.9.0.0/16` <{to: 10.9.0.0/16, via: 10.0.2.9, table: 7}>",
            "",
        ],
    );
    check(
        "network:\n  ethernets:\n    eth0: {addresses: [10.0.0.300/24], adresses: []}\n",
        &[
            "eth0",
            "unknown key `adresses` in interface `eth0` <adresses>",
            "`10.0.0.300/24` is not an address with prefix length like `192.168.56.10/24` <10.0.0.300/24>",
        ],
    );
    check(
        "network:\n  ethernets: [\n",
        &[
            "not valid YAML: while parsing a node, did not find expected node content <>",
            "`ethernets` must be a map <[>",
        ],
    );
    check("", &[]);
}
