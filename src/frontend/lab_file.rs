//! `lab.yaml`: what the products' own files do not say about a lab.
//!
//! ```yaml
//! networks:
//!   lan: {subnet: 192.168.1.0/24, gateway: 192.168.1.1, kind: lan, virtualbox: [en0]}
//!   default: {subnet: 192.168.122.0/24, kind: libvirt, forward: nat, bridge: virbr0}
//! hosts:
//!   mac:
//!     os: macos
//!     interfaces:
//!       en0: {network: lan, address: 192.168.1.100/24}
//!     processes: {browser: }
//!   rocky:
//!     on: mac
//!     vm: rocky.vbox
//!     files: [setup.sh, compose.yaml, firewalld/]
//!     rules: [rules.v4]
//!     interfaces:
//!       enp0s3: {adapter: 1, address: 10.0.2.15/24}
//!       enp0s8:
//!         nat: {network: 10.0.3.0/24, forwards: ["tcp:127.0.0.1:3000:3000"], localhost-reachable: true, engine: libslirp}
//!     tunnels: [{local: "8080:localhost:3000", through: gate}, {proxy: "8000:192.168.56.10:80"}]
//!     libvirt: {version: 10.0.0, firewall-backend: iptables}
//!     wsl: {networking-mode: mirrored, localhost-forwarding: true, host-address-loopback: false, firewall: true}
//!     firewall: {allow: [8000, 53/udp]}
//!     listen: [22/tcp, "127.0.0.1:9001/udp", 9000]
//!     docker: {version: 28.5.2, platform: engine, userland-proxy: false}
//!     firewalld: {version: 2.5.2, backend: nftables, default-zone: public}
//!     events: [firewalld, docker, firewalld-reload]
//!     ip-forward: true
//!     routes: {10.1.0.0/16: 192.168.1.7}
//! containers:
//!   grafana: {listen: [3000]}
//! groups: {monitoring: [grafana, prometheus]}
//! sentences:
//!   - mac/browser can reach grafana:3000
//!   - {sentence: "lan cannot reach mysql:3306", reason: only the application may}
//! ```

use crate::diagnostic::Code;
use crate::frontend::sentence_list;
use crate::frontend::yaml::{self, Entry, Node, Walk};
use crate::lab::declaration::{Declarations, ProcessDecl, SegmentDecl};
use crate::lab::{Declaration, ForwardMode, SegmentKind};
use crate::language::{Text, text};
use crate::source::{SourceId, Spanned};

mod host;
mod hosted;
mod interface;
mod listen;
mod products;
#[cfg(test)]
mod tests;
mod tunnel;

const SECTIONS: &[&str] = &["networks", "hosts", "containers", "groups", "sentences"];

const SEGMENT_KEYS: &[&str] = &["subnet", "gateway", "kind", "forward", "bridge", "virtualbox"];

const SEGMENT_KINDS: &[(&str, SegmentKind)] = &[
    ("lan", SegmentKind::Lan),
    ("host-only", SegmentKind::HostOnly),
    ("internal", SegmentKind::Internal),
    ("nat-network", SegmentKind::NatNetwork),
    ("libvirt", SegmentKind::Hosted),
];

/// As in `<forward mode=...>` of a network of libvirt, which an isolated one does not have.
const FORWARD_MODES: &[(&str, ForwardMode)] = &[
    ("nat", ForwardMode::Nat),
    ("route", ForwardMode::Route),
    ("open", ForwardMode::Open),
    ("none", ForwardMode::Isolated),
];

/// Reads `lab.yaml`. Segments come first and sentences last, in whatever order the file has them.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let document = yaml::parse(source, text);
    let mut walk = Walk { diagnostics: document.diagnostics };
    let mut value = Vec::new();
    if let Some(root) = &document.value {
        let entries = walk.map(root, "lab.yaml");
        walk.check_keys(entries, "lab.yaml", SECTIONS);
        section(&mut walk, root, "networks", |walk, entry| value.push(Declaration::Segment(segment(walk, entry))));
        section(&mut walk, root, "hosts", |walk, entry| value.extend(host::read(walk, text, entry)));
        section(&mut walk, root, "containers", |walk, entry| value.extend(container(walk, entry)));
        section(&mut walk, root, "groups", |walk, entry| value.push(group(walk, entry)));
        if let Some(list) = root.get("sentences") {
            value.extend(sentence_list::read(&mut walk, list));
        }
    }
    Declarations { value, diagnostics: walk.diagnostics }
}

fn section(walk: &mut Walk, root: &Node, key: &str, mut read: impl FnMut(&mut Walk, &Entry)) {
    let Some(node) = root.get(key) else { return };
    for entry in walk.map(node, format!("`{key}`")) {
        read(walk, entry);
    }
}

fn segment(walk: &mut Walk, entry: &Entry) -> SegmentDecl {
    let place = text!("network `{name}`", "`{name}` 네트워크", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    walk.check_keys(entries, &place, SEGMENT_KEYS);
    let mut segment = SegmentDecl {
        name: entry.key.clone(),
        kind: None,
        subnets: Vec::new(),
        gateway: None,
        forward: None,
        bridge: None,
        vbox_names: Vec::new(),
        span: entry.key.span.to(entry.value.span),
    };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "subnet" => {
                let items = walk.one_or_many(value).iter();
                segment.subnets = items
                    .filter_map(|n| {
                        walk.parsed(
                            n,
                            text!("a subnet like `192.168.1.0/24`", "`192.168.1.0/24` 같은 서브넷"),
                            Code::BadAddress,
                        )
                    })
                    .collect();
            }
            "gateway" => segment.gateway = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress),
            "kind" => {
                segment.kind =
                    walk.word(value, text!("a kind of network", "네트워크 종류"), SEGMENT_KINDS, Code::LabBadValue)
            }
            "forward" => {
                segment.forward =
                    walk.word(value, text!("a way to forward", "포워딩 방식"), FORWARD_MODES, Code::LabBadValue)
            }
            "bridge" => segment.bridge = walk.string(value, text!("the name of a bridge", "브리지 이름")),
            "virtualbox" => {
                segment.vbox_names =
                    strings(walk, value, text!("a name that VirtualBox uses", "VirtualBox에서 쓰는 이름"))
            }
            _ => {}
        }
    }
    segment
}

fn container(walk: &mut Walk, entry: &Entry) -> Option<Declaration> {
    let place = text!("container `{name}`", "`{name}` 컨테이너", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    walk.check_keys(entries, &place, &["listen"]);
    let listens = listen::read(walk, entry.value.get("listen")?);
    let span = entry.key.span.to(entry.value.span);
    Some(Declaration::Process(ProcessDecl { runs_in: entry.key.clone(), name: None, listens, span }))
}

fn group(walk: &mut Walk, entry: &Entry) -> Declaration {
    let members = walk.list(&entry.value, text!("a group", "그룹")).iter();
    let members =
        members.filter_map(|member| walk.string(member, text!("a member of a group", "그룹의 구성원"))).collect();
    Declaration::Group(entry.key.clone(), members)
}

fn strings(walk: &mut Walk, node: &Node, what: Text) -> Vec<Spanned<String>> {
    walk.one_or_many(node).iter().filter_map(|item| walk.string(item, &what)).collect()
}
