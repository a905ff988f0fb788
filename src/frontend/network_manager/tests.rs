//! Connections as NetworkManager writes them.

use super::*;
use crate::source::Sources;

fn check(read: fn(SourceId, &str) -> Declarations, text: &str, expected: &[&str]) {
    let mut sources = Sources::default();
    let read = read(sources.add("file", text), text);
    let mut said: Vec<String> = read.value.iter().map(|declaration| describe(declaration, &sources)).collect();
    said.extend(read.diagnostics.iter().map(|d| format!("{} <{}>", d.message, sources.text(d.labels[0].span))));
    assert_eq!(said, expected, "{text}");
}

fn describe(declaration: &Declaration, sources: &Sources) -> String {
    let config = match declaration {
        Declaration::InterfaceConfig(config) => config,
        Declaration::InterfaceZone(z) => return format!("{} in zone {}", z.interface, sources.text(z.zone.span)),
        Declaration::Unmodeled(what) => return format!("not modelled: {} <{}>", what.value, sources.text(what.span)),
        other => return format!("{other:?}"),
    };
    let mut words: Vec<String> = config.name.iter().map(|name| sources.text(name.span).to_owned()).collect();
    words.extend(config.mac.iter().map(|mac| mac.value.clone()));
    words.extend(config.dhcp.iter().filter(|dhcp| dhcp.value).map(|_| "dhcp".to_owned()));
    for address in &config.addresses {
        assert!(address.value.to_string().starts_with(sources.text(address.span)));
        words.push(address.value.to_string());
    }
    words.extend(config.gateway.iter().map(|gateway| format!("via {}", sources.text(gateway.span))));
    words.extend(config.default_route.iter().filter(|may| !may.value).map(|_| "no default route".to_owned()));
    words.extend(config.metric.iter().map(|metric| format!("metric {}", metric.value)));
    words.extend(config.routes.iter().map(|(to, via)| format!("{} via {}", to.value, via.value)));
    words.join(" ")
}

#[test]
fn the_zone_of_a_connection_is_read_with_its_place() {
    let written = "# 한글\n[connection]\nid=lan\ninterface-name=enp0s3\nzone=trusted\n\n[ipv4]\nzone=x\n";
    check(keyfile, written, &["enp0s3 in zone trusted", "enp0s3"]);
    check(keyfile, "[connection]\ninterface-name=enp0s3\nzone=\n", &["enp0s3"]);
    check(keyfile, "[ipv4]\ninterface-name=enp0s3\nzone=trusted\n", &[]);
    check(ifcfg, "DEVICE=\"eth0\"\nONBOOT=yes\nZONE='work'\n", &["eth0 in zone work", "eth0"]);
    check(ifcfg, "DEVICE=eth0\n#ZONE=work\n", &["eth0"]);
    check(ifcfg, "", &[]);
}

#[test]
fn addresses_of_keyfiles_are_read() {
    let check = |ipv4: &str, expected: &str| {
        check(keyfile, &format!("[connection]\ntype=ethernet\ninterface-name=eth1\n[ipv4]\n{ipv4}"), &[expected]);
    };
    check("method=auto\n", "eth1 dhcp");
    check("method=disabled\n", "eth1");
    check("method=manual\naddress1=192.168.56.10/24\n", "eth1 192.168.56.10/24");
    check(
        "method=manual\naddress1=192.168.56.10/24,192.168.56.1\naddress2=10.9.0.1/16\n",
        "eth1 192.168.56.10/24 10.9.0.1/16 via 192.168.56.1",
    );
    check("method=auto\nnever-default=true\n", "eth1 dhcp no default route");
    check(
        "method=auto\nroute-metric=50\nroute1=10.1.0.0/16,10.0.2.7\n",
        "eth1 dhcp metric 50 10.1.0.0/16 via 10.0.2.7",
    );
}

#[test]
fn addresses_of_ifcfg_files_are_read() {
    // What Vagrant writes (plugins/guests/redhat, templates/guests/redhat/network_static.erb).
    check(
        ifcfg,
        "#VAGRANT-BEGIN\nNM_CONTROLLED=no\nBOOTPROTO=none\nONBOOT=yes\nIPADDR=192.168.56.10\nNETMASK=255.255.255.0\nDEVICE=eth1\nPEERDNS=no\n#VAGRANT-END\n",
        &["eth1 192.168.56.10/24"],
    );
    check(
        ifcfg,
        "TYPE=Ethernet\nBOOTPROTO=dhcp\nDEFROUTE=no\nDEVICE=eth0\nONBOOT=yes\n",
        &["eth0 dhcp no default route"],
    );
    check(ifcfg, "DEVICE=eth0\nBOOTPROTO=dhcp\nONBOOT=no\n", &["eth0"]);
    check(
        ifcfg,
        "HWADDR=08:00:27:a1:b2:c3\nBOOTPROTO=static\nIPADDR0=10.1.0.5\nPREFIX0=16\nIPADDR1=10.2.0.5\nGATEWAY=10.1.0.1\nMETRIC=7\n",
        &["080027A1B2C3 10.1.0.5/16 10.2.0.5/8 via 10.1.0.1 metric 7"],
    );
}

#[test]
fn what_has_no_model_or_no_sense_is_said() {
    check(
        keyfile,
        "[connection]\ntype=wireguard\ninterface-name=wg0\n[ipv4]\nmethod=manual\naddress1=10.8.0.300/24\n",
        &["not modelled: a connection of type `wireguard` <wireguard>"],
    );
    check(
        keyfile,
        "[connection]\ninterface-name=eth1\n[ipv4]\nmethod=manual\naddress1=10.8.0.300/24\n",
        &["eth1", "`10.8.0.300/24` is not an address with prefix length <10.8.0.300/24>"],
    );
    check(
        keyfile,
        "[connection]\nid=lan\n[ipv4]\nmethod=manual\naddress1=10.8.0.3/24\n",
        &[
            "not modelled: a connection without an interface <[connection]\nid=lan\n[ipv4]\nmethod=manual\naddress1=10.8.0.3/24>",
        ],
    );
    check(
        ifcfg,
        "DEVICE=eth1\nBRIDGE=br0\nIPADDR=10.1.0\n",
        &["not modelled: `BRIDGE` of an ifcfg file <br0>", "`10.1.0` is not an IP address <10.1.0>"],
    );
}
