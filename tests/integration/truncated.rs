//! Files that end too early, at every place: no input panics, and every message points into the text.

use std::fs;
use std::path::PathBuf;

use canreach::frontend::{Environment, detect, read};
use canreach::source::Sources;

const NETPLAN: &str = "network:\n  ethernets:\n    lan: {match: {macaddress: \"08:00:27:a1:b2:c3\"}, dhcp4: true, dhcp4-overrides: {use-routes: false}, routes: [{to: default, via: 10.0.0.1}]} # 주소\n";
const LISTING: &str = "$ ip addr # 주소\n2: eth0@if3: <UP> mtu 1500\n    link/ether 08:00:27:a1:b2:c3 brd ff:ff:ff:ff:ff:ff\n    inet 10.0.2.15/24 scope global eth0\ndefault via 10.0.2.2 dev eth0 metric 100\n";
const JSON: &str = r#"[{"ifname":"eth0","link_type":"ether","address":"08:00:27:a1:b2:c3","addr_info":[{"family":"inet","local":"10.0.2.15","prefixlen":24}]},{"dst":"default","gateway":"10.0.2.2","dev":"eth0","metric":100}]"#;
const KEYFILE: &str = "[connection]\nid=집\ninterface-name=eth1\nzone=work\n[ipv4]\nmethod=manual\naddress1=10.0.0.5/24,10.0.0.1\nroute1=10.1.0.0/16,10.0.0.9\n";
const IFCFG: &str =
    "# 주소\nDEVICE=eth1\nBOOTPROTO=none\nIPADDR=10.0.0.5\nNETMASK=255.255.255.0\nGATEWAY=10.0.0.1\nZONE=work\n";
const SCRIPT: &str = "ssh -fN -p 2222 -L '*:8080:[::1]:80' -R 9000:localhost:9001 me@서버\n";

fn check(path: &str, text: &str) {
    let format = detect(path, text).unwrap_or_else(|| panic!("{path} has no format"));
    for end in (0..text.len()).filter(|end| text.is_char_boundary(*end)) {
        let cut = &text[..end];
        let mut sources = Sources::default();
        let read = read(format, sources.add(path, cut), path, cut, &Environment::default());
        for label in read.diagnostics.iter().flat_map(|d| &d.labels) {
            assert!(cut.get(label.span.start..label.span.end).is_some(), "{path}, cut at {end}: {:?}", label.span);
        }
    }
}

#[test]
fn files_may_end_anywhere() {
    check("netplan/01.yaml", NETPLAN);
    check("ip.txt", LISTING);
    check("ip.json", JSON);
    check("a.nmconnection", KEYFILE);
    check("ifcfg-eth1", IFCFG);
    check("up.sh", SCRIPT);
    for name in ["web.vbox", "VirtualBox.xml", "machine.txt", "networks.txt"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/virtualbox").join(name);
        check(name, &fs::read_to_string(path).unwrap());
    }
}
