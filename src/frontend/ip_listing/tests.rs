//! Listings as iproute2 6.1 prints them.

use super::*;
use crate::source::Sources;

/// One line for each thing that a listing states: name, hardware address, addresses, gateway, metric, routes.
fn check(read: fn(SourceId, &str) -> Declarations, text: &str, expected: &[&str]) {
    let mut sources = Sources::default();
    let read = read(sources.add("ip.txt", text), text);
    assert!(read.diagnostics.is_empty(), "{:?}", read.diagnostics);
    let said: Vec<String> = read.value.iter().map(|declaration| describe(declaration, &sources)).collect();
    assert_eq!(said, expected, "{text}");
}

fn describe(declaration: &Declaration, sources: &Sources) -> String {
    let config = match declaration {
        Declaration::InterfaceConfig(config) => config,
        Declaration::Unmodeled(what) => return format!("not modelled: {} <{}>", what.value, sources.text(what.span)),
        other => return format!("{other:?}"),
    };
    let name = config.name.as_ref().unwrap();
    assert_eq!(sources.text(name.span), name.value);
    let mut words = vec![name.value.clone()];
    words.extend(config.mac.iter().map(|mac| mac.value.clone()));
    for address in &config.addresses {
        assert!(
            address.value.to_string().starts_with(sources.text(address.span))
                || sources.text(address.span).contains('/')
        );
        words.push(address.value.to_string());
    }
    words.extend(config.gateway.iter().map(|gateway| format!("via {}", gateway.value)));
    words.extend(config.metric.iter().map(|metric| format!("metric {}", metric.value)));
    words.extend(config.routes.iter().map(|(to, via)| format!("{} via {}", to.value, via.value)));
    words.join(" ")
}

const ADDRESSES: &str = "\
$ ip addr
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: p0@eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 36:db:de:4f:7a:b6 brd ff:ff:ff:ff:ff:ff
    inet6 fe80::34db:deff:fe4f:7ab6/64 scope link tentative
       valid_lft forever preferred_lft forever
3: eth0@p0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc noqueue state UP group default qlen 1000
    link/ether 08:00:27:a1:b2:c3 brd ff:ff:ff:ff:ff:ff
    inet 10.0.2.15/24 brd 10.0.2.255 scope global dynamic eth0
       valid_lft 86000sec preferred_lft 86000sec
    inet 10.0.2.16/24 scope global secondary eth0
       valid_lft forever preferred_lft forever
";

const ROUTES: &str = "\
$ ip route
default via 10.0.2.2 dev eth0 proto dhcp src 10.0.2.15 metric 100
10.0.2.0/24 dev eth0 proto kernel scope link src 10.0.2.15
10.1.0.0/16 via 10.0.2.7 dev eth0
blackhole 10.9.0.0/16
10.8.0.0/16 dev eth0 scope link
";

#[test]
fn addresses_are_read_with_their_places() {
    let expected = ["lo 127.0.0.1/8", "p0 36DBDE4F7AB6", "eth0 080027A1B2C3 10.0.2.15/24 10.0.2.16/24"];
    check(parse, ADDRESSES, &expected);
    check(parse, &format!("이름\n{ADDRESSES}"), &expected);
    check(
        parse,
        "lo   UNKNOWN  127.0.0.1/8 ::1/128\neth0@if5 UP 10.0.2.15/24\n",
        &["lo 127.0.0.1/8", "eth0 10.0.2.15/24"],
    );
    check(parse, "", &[]);
}

#[test]
fn routes_are_read_and_what_has_no_model_is_said() {
    check(
        parse,
        ROUTES,
        &[
            "eth0 via 10.0.2.2 metric 100 10.1.0.0/16 via 10.0.2.7",
            "not modelled: the route to `10.9.0.0/16` <blackhole 10.9.0.0/16>",
            "not modelled: the route to `10.8.0.0/16` <10.8.0.0/16 dev eth0 scope link>",
        ],
    );
    check(
        parse,
        "default dev tun0 scope link\n",
        &["tun0", "not modelled: the route to `default` <default dev tun0 scope link>"],
    );
}

#[test]
fn json_says_the_same() {
    let addresses = r#"[{"ifindex":3,"link":"p0","ifname":"eth0","operstate":"UP","link_type":"ether","address":"08:00:27:a1:b2:c3","addr_info":[{"family":"inet","local":"10.0.2.15","prefixlen":24,"scope":"global"},{"family":"inet6","local":"fe80::1","prefixlen":64}]}]"#;
    check(parse_json, addresses, &["eth0 080027A1B2C3 10.0.2.15/24"]);
    let routes = r#"[{"dst":"default","gateway":"10.0.2.2","dev":"eth0","protocol":"dhcp","metric":100,"flags":[]},
{"dst":"10.0.2.0/24","dev":"eth0","protocol":"kernel","scope":"link"},{"type":"blackhole","dst":"10.9.0.0/16"}]"#;
    check(
        parse_json,
        routes,
        &[
            "eth0 via 10.0.2.2 metric 100",
            r#"not modelled: the route to `10.9.0.0/16` <{"type":"blackhole","dst":"10.9.0.0/16"}>"#,
        ],
    );
}
