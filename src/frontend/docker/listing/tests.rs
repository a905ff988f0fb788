//! Listings of the docker command and what is read from them. The texts are recorded ones, shortened.

use std::fmt::Write;

use super::*;
use crate::lab::declaration::{AttachDecl, PublishDecl};
use crate::source::Sources;

fn attached(a: &AttachDecl) -> String {
    let address = a.address.as_ref().map_or("-".to_owned(), |a| a.value.to_string());
    format!("{} {address} {:?}", a.network.value, a.aliases)
}

fn published(p: &PublishDecl) -> String {
    let host = p.host_ports.map_or("-".to_owned(), |ports| ports.to_string());
    format!("{:?} {host} -> {}/{}", p.host_address, p.container_ports, p.protocol)
}

fn dump(sources: &Sources, declarations: &[Declaration]) -> String {
    let mut out = String::new();
    for declaration in declarations {
        match declaration {
            Declaration::Running(r) => {
                let c = &r.container;
                let name = c.name.as_ref().unwrap();
                assert_eq!(sources.text(name.span).split(',').next().unwrap(), name.value);
                writeln!(
                    out,
                    "{} {:?} {:?} {:?}",
                    name.value,
                    r.state.value,
                    c.mode.as_ref().map(|m| &m.value),
                    r.made_from
                )
                .unwrap();
                c.networks.iter().for_each(|a| writeln!(out, "  on {}", attached(a)).unwrap());
                c.publishes.iter().for_each(|p| writeln!(out, "  publish {}", published(p)).unwrap());
                c.exposes.iter().for_each(|e| writeln!(out, "  expose {}/{}", e.value.1, e.value.0).unwrap());
                c.links.iter().for_each(|l| writeln!(out, "  link {:?}", l.value).unwrap());
                c.extra_hosts.iter().for_each(|(n, a)| writeln!(out, "  host {} {a}", n.value).unwrap());
                c.environment.iter().for_each(|(n, v)| writeln!(out, "  {n}={}", v.value).unwrap());
            }
            Declaration::RunningNetwork(n) => {
                let option =
                    |name: &str, value: Option<String>| value.map(|v| format!(" {name} {v}")).unwrap_or_default();
                writeln!(
                    out,
                    "network {}{}{}{}{}{}",
                    n.name.value,
                    option("driver", n.driver.as_ref().map(|d| d.value.clone())),
                    option("subnet", n.subnet.as_ref().map(|s| s.value.to_string())),
                    option("gateway", n.gateway.as_ref().map(|g| g.value.to_string())),
                    option("internal", n.internal.as_ref().map(|i| i.value.to_string())),
                    option("parent", n.parent.as_ref().map(|p| p.value.clone())),
                )
                .unwrap();
            }
            Declaration::Engine(e) => {
                writeln!(out, "docker0 {}", e.default_bridge.as_ref().unwrap().value).unwrap();
            }
            _ => out.push_str("something else\n"),
        }
    }
    out
}

#[track_caller]
fn check(text: &str, expected: &str) {
    assert!(is_one(text), "not recognized");
    let mut sources = Sources::default();
    let source = sources.add("listing.txt", text);
    let parsed = parse(source, text);
    assert!(parsed.diagnostics.is_empty(), "{:#?}", parsed.diagnostics);
    assert_eq!(dump(&sources, &parsed.value), expected);
}

#[test]
fn tables_of_containers() {
    // docker 20.10 writes `:::`, later ones `[::]`; a long command ends in a character of three bytes.
    check(
        "$ docker ps -a\n\
         CONTAINER ID   IMAGE     COMMAND                  CREATED         STATUS                      PORTS                                                                         NAMES\n\
         9f397780cb17   bb:1      \"/bin/sleep 86400\"       2 seconds ago   Exited (137) 1 second ago                                                                                 cx\n\
         b5bce005caf3   nginx     \"/docker-entrypoint.…\"   6 seconds ago   Up 5 seconds                0.0.0.0:3000->3000/tcp, :::3000->3000/tcp, 127.0.0.1:53->53/udp, 9000/tcp     c1,cl/one\n\
         \n\
         done\n",
        "cx Down None None\n\
         c1 Up None None\n\
         \x20 publish None 3000 -> 3000/tcp\n\
         \x20 publish Some(127.0.0.1) 53 -> 53/udp\n\
         \x20 expose 9000/tcp\n",
    );
    check(
        "NAME         IMAGE     COMMAND     SERVICE   CREATED         STATUS         PORTS\n\
         shop-web-1   nginx     \"nginx\"     web       3 seconds ago   Up 3 seconds   0.0.0.0:80-81->80-81/tcp\n",
        "shop-web-1 Up None Some((\"\", \"web\"))\n\
         \x20 publish Some(0.0.0.0) 80-81 -> 80-81/tcp\n",
    );
}

#[test]
fn json_of_docker_ps() {
    check(
        "{\"Command\":\"\\\"sleep\\\"\",\"ID\":\"0d682990ef0a\",\"Image\":\"bb:1\",\"Labels\":\"com.docker.compose.project=shop,com.docker.compose.service=web\",\"Names\":\"shop-web-1\",\"Networks\":\"back,front\",\"Ports\":\"127.0.0.1:3002-\\u003e3000/tcp\",\"State\":\"running\",\"Status\":\"Up 4 seconds\"}\n\
         {\"ID\":\"6092f347b5cd\",\"Image\":\"bb:1\",\"Labels\":\"\",\"Names\":\"ch\",\"Networks\":\"host\",\"Ports\":\"\",\"State\":\"running\",\"Status\":\"Up 3 seconds\"}\n",
        "shop-web-1 Up None Some((\"shop\", \"web\"))\n\
         \x20 on back - []\n\
         \x20 on front - []\n\
         \x20 publish Some(127.0.0.1) 3002 -> 3000/tcp\n\
         ch Up Some(Host) None\n",
    );
}

#[test]
fn inspected_containers_tell_about_their_networks() {
    check(
        r#"[
  {"Id": "0d68", "Name": "/c3", "State": {"Status": "running"}, "Path": "/bin/sleep", "Args": ["1"],
   "HostConfig": {"NetworkMode": "front", "ExtraHosts": ["x:10.1.2.3"], "Links": ["/c1:/c3/one"],
                  "PortBindings": {"3000/tcp": [{"HostIp": "", "HostPort": "3002"}], "80/tcp": [{"HostIp": "", "HostPort": ""}]}},
   "Config": {"Image": "bb:1", "Env": ["LISTEN=127.0.0.1", "EMPTY="], "Labels": {},
              "ExposedPorts": {"3000/tcp": {}, "80/tcp": {}, "9000/tcp": {}}},
   "NetworkSettings": {
     "Ports": {"3000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "3002"}], "9000/tcp": null,
               "80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}, {"HostIp": "::", "HostPort": "32768"}]},
     "Networks": {
       "back": {"GwPriority": 0, "Gateway": "", "IPAddress": "172.18.0.2", "IPPrefixLen": 16, "DNSNames": ["c3", "db"]},
       "front": {"GwPriority": 0, "Gateway": "172.30.0.254", "IPAddress": "172.30.0.10", "IPPrefixLen": 24, "Aliases": ["웹"]}}}},
  {"Id": "982b", "Name": "/cc", "State": {"Status": "running"}, "HostConfig": {"NetworkMode": "container:0d68"}, "NetworkSettings": {"Ports": {}, "Networks": {}}}
]
"#,
        "network back subnet 172.18.0.0/16 internal true\n\
         network front subnet 172.30.0.0/24 gateway 172.30.0.254\n\
         c3 Up None None\n\
         \x20 on back 172.18.0.2 [\"c3\", \"db\"]\n\
         \x20 on front 172.30.0.10 [\"웹\"]\n\
         \x20 publish Some(127.0.0.1) 3002 -> 3000/tcp\n\
         \x20 publish None 32768 -> 80/tcp\n\
         \x20 expose 9000/tcp\n\
         \x20 link (\"c1\", \"one\")\n\
         \x20 host x 10.1.2.3\n\
         \x20 LISTEN=127.0.0.1\n\
         \x20 EMPTY=\n\
         cc Up Some(Container(\"0d68\")) None\n",
    );
}

#[test]
fn inspected_networks() {
    check(
        r#"[
  {"Name": "mv", "Id": "a2bd43e3c47dcefb", "Scope": "local", "Driver": "macvlan", "Internal": false, "Options": {"parent": "enp0s8"},
   "IPAM": {"Config": [{"Subnet": "fd00::/64"}, {"Subnet": "192.168.56.0/24", "IPRange": "192.168.56.192/27", "Gateway": "192.168.56.1"}]}},
  {"Name": "bridge", "Id": "1caab73fa5e2", "Scope": "local", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.17.0.0/16"}]}},
  {"Name": "host", "Id": "3be9", "Scope": "local", "Driver": "host", "IPAM": {"Config": null}}
]"#,
        "network mv driver macvlan subnet 192.168.56.0/24 gateway 192.168.56.1 internal false parent enp0s8\n\
         docker0 172.17.0.1/16\n",
    );
}

#[test]
fn many_small_values_are_read_in_no_time() {
    let text = "{\"Names\":\"a\",\"Ports\":\"\",\"Image\":\"b\"}\n".repeat(20_000);
    let source = Sources::default().add("ps.txt", &text);
    assert_eq!(parse(source, &text).value.len(), 20_000);
}

#[test]
fn other_texts_are_not_listings() {
    for text in [
        "",
        "[1, 2]",
        "{\"name\": \"shop\", \"dependencies\": {}}",
        "CONTAINER ID",
        "NAME  READY  STATUS",
        "\u{feff}[]",
    ] {
        assert!(!is_one(text), "{text}");
    }
}

#[test]
fn listings_that_are_cut_off_end_in_a_message() {
    let text = "[{\"Name\": \"/c1\", \"HostConfig\": {}, \"NetworkSettings\": {\"Ports\": {\"80/tcp\": [";
    let source = Sources::default().add("a.json", text);
    assert!(is_one(text) && !parse(source, text).diagnostics.is_empty());
}
