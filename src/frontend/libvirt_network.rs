//! Networks of libvirt as `virsh net-dumpxml` prints them (libvirt, formatnetwork.html). Spec: specs/libvirt.md.

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::{Declarations, SegmentDecl};
use crate::lab::{Declaration, ForwardMode, SegmentKind};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::source::{SourceId, Span, Spanned};

use super::xml::{self, Element};

/// Whether a text is one.
pub fn is_one(text: &str) -> bool {
    let is_network = text.contains("<network>") || text.contains("<network ");
    is_network && ["<bridge", "<forward", "<ip"].iter().any(|element| text.contains(element))
}

/// Whether a text describes a machine of libvirt.
pub fn is_machine(text: &str) -> bool {
    text.contains("<domain ") && text.contains("<interface ")
}

/// Says that a machine's description is not read.
pub fn machine(source: SourceId, text: &str) -> Declarations {
    let start = text.find("<domain ").unwrap_or(0);
    let end = text.get(start..).and_then(|rest| rest.find('>')).map_or(text.len(), |at| start + at + 1);
    let message =
        text!("descriptions of libvirt's machines are not read", "libvirt 가상 머신을 기술한 파일은 읽지 않습니다");
    let diagnostic = Diagnostic::new(Code::InputUnused, message)
        .label(Span::new(source, start, end), text!("no machine comes of it", "이 파일로는 머신이 생기지 않음"))
        .help(text!(
            "state it in lab.yaml: `vm: {{on: kvm, interfaces: {{enp1s0: {{network: default}}}}}}`",
            "lab.yaml에 적으십시오: `vm: {{on: kvm, interfaces: {{enp1s0: {{network: default}}}}}}`"
        ));
    Declarations { value: Vec::new(), diagnostics: vec![diagnostic] }
}

/// Reads one network.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    match xml::parse(source, text) {
        Ok(document) => network(Element::root(&document, source), &mut out),
        Err(problem) => out.diagnostics.push(*problem),
    }
    out
}

fn network(root: Element<'_, '_>, out: &mut Declarations) {
    let Some(name) = root.child("name").filter(|name| !name.text().trim().is_empty()) else {
        out.diagnostics.push(
            Diagnostic::new(
                Code::LabBadValue,
                text!("a network of libvirt without a name", "이름이 없는 libvirt 네트워크입니다"),
            )
            .label(root.tag(), text!("libvirt refuses this", "libvirt가 거부함")),
        );
        return;
    };
    let name = Spanned::new(name.text().trim().to_owned(), name.span());
    let mut segment = SegmentDecl {
        kind: Some(Spanned::new(SegmentKind::Hosted, root.tag())),
        subnets: Vec::new(),
        gateway: None,
        forward: Some(Spanned::new(ForwardMode::Isolated, root.tag())),
        bridge: root.child("bridge").and_then(|bridge| bridge.attribute("name")).map(|name| name.map(str::to_owned)),
        vbox_names: Vec::new(),
        span: root.tag(),
        name,
    };
    if let Some(forward) = root.child("forward") {
        match mode(forward) {
            Some(mode) => segment.forward = Some(Spanned::new(mode, forward.tag())),
            None => {
                let what = text!(
                    "a network of libvirt that is forwarded in another way",
                    "다른 방식으로 포워딩되는 libvirt 네트워크"
                );
                out.value.push(unmodeled(forward, what));
            }
        }
    }
    if let Some(zone) = root.child("bridge").filter(|bridge| bridge.attribute("zone").is_some()) {
        let what =
            text!("the zone of firewalld that a network of libvirt names", "libvirt 네트워크가 지정한 firewalld 영역");
        out.value.push(unmodeled(zone, what));
    }
    for ip in root.children().filter(|element| element.name() == "ip" && is_v4(*element)) {
        match address(ip) {
            Ok(Some(net)) => {
                segment.gateway = segment.gateway.or(Some(net.map(|net| net.addr())));
                segment.subnets.push(net.map(|net| net.trunc()));
            }
            Ok(None) => {}
            Err(problem) => out.diagnostics.push(*problem),
        }
    }
    out.value.push(Declaration::Segment(segment));
}

/// Without a mode it is NAT; with a device only that one may be used.
fn mode(forward: Element<'_, '_>) -> Option<ForwardMode> {
    if forward.attribute("dev").is_some() {
        return None;
    }
    match forward.attribute("mode").map_or("nat", |mode| mode.value) {
        "nat" => Some(ForwardMode::Nat),
        "route" => Some(ForwardMode::Route),
        "open" => Some(ForwardMode::Open),
        "none" => Some(ForwardMode::Isolated),
        _ => None,
    }
}

fn is_v4(ip: Element<'_, '_>) -> bool {
    ip.attribute("family").is_none_or(|family| family.value == "ipv4")
}

/// The bridge's address, with its prefix length or its mask.
fn address(ip: Element<'_, '_>) -> Result<Option<Spanned<IpNet>>, Box<Diagnostic>> {
    let Some(address) = ip.attribute("address") else { return Ok(None) };
    let wrong = |text: Spanned<&str>, what: Text| {
        let message = text!("`{value}` is not {what}", "`{value}`: {what}이(가) 아닙니다", value = &text.value; what);
        Box::new(
            Diagnostic::new(Code::BadAddress, message)
                .label(text.span, text!("libvirt refuses this", "libvirt가 거부함")),
        )
    };
    let own: Ipv4Addr = address.value.parse().map_err(|_| wrong(address, text!("an IPv4 address", "IPv4 주소")))?;
    let length = match (ip.attribute("prefix"), ip.attribute("netmask")) {
        (Some(prefix), _) => {
            prefix.value.parse().map_err(|_| wrong(prefix, text!("a prefix length", "프리픽스 길이")))?
        }
        (None, Some(mask)) => {
            length_of(mask.value).ok_or_else(|| wrong(mask, text!("a network mask", "네트워크 마스크")))?
        }
        // That of the address's class.
        (None, None) => match own.octets()[0] {
            0..128 => 8,
            128..192 => 16,
            _ => 24,
        },
    };
    let net = IpNet::new(IpAddr::V4(own), length)
        .map_err(|_| wrong(address, text!("an address with such a prefix", "그 프리픽스 길이를 쓸 수 있는 주소")))?;
    Ok(Some(Spanned::new(net, address.span)))
}

fn length_of(mask: &str) -> Option<u8> {
    let bits = u32::from(mask.parse::<Ipv4Addr>().ok()?);
    (bits.leading_ones() + bits.trailing_zeros() == 32 || bits == 0).then(|| u8::try_from(bits.leading_ones()).ok())?
}

fn unmodeled(element: Element<'_, '_>, what: Text) -> Declaration {
    Declaration::Unmodeled(Spanned::new(what, element.tag()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn machines_are_said_to_be_left_out() {
        let text = "<!-- 설명 -->\n<domain type='kvm'><devices><interface type='network'/></devices></domain>";
        let source = Sources::default().add("vm.xml", text);
        assert!(is_machine(text) && !is_one(text));
        let read = machine(source, text);
        let label = &read.diagnostics[0].labels[0];
        assert_eq!(text.get(label.span.start..label.span.end), Some("<domain type='kvm'>"));
        assert_eq!(read.diagnostics[0].code, Code::InputUnused);
    }

    #[test]
    fn networks() {
        let check = |text: &str, expected: &[&str]| {
            let source = Sources::default().add("net.xml", text);
            let read = parse(source, text);
            let segment = |s: &SegmentDecl| {
                let subnets: Vec<String> = s.subnets.iter().map(|net| net.value.to_string()).collect();
                let bridge = s.bridge.as_ref().map_or("-", |bridge| bridge.value.as_str());
                let gateway = s.gateway.map_or("-".to_owned(), |gateway| gateway.value.to_string());
                let mode = s.forward.map(|mode| mode.value);
                format!("{} {mode:?} {bridge} {gateway} {}", s.name.value, subnets.join(" "))
            };
            let shown = read.value.iter().map(|declaration| match declaration {
                Declaration::Segment(s) => segment(s),
                Declaration::Unmodeled(what) => what.value.to_string(),
                other => format!("{other:?}"),
            });
            let problems = read.diagnostics.iter().map(|problem| problem.message.to_string());
            assert_eq!(shown.chain(problems).collect::<Vec<_>>(), expected, "{text}");
        };
        let network = |inner: &str| format!("<!-- 설명 -->\n<network><name>default</name>{inner}</network>");
        let ip = "<ip address='192.168.122.1' netmask='255.255.255.0'><dhcp/></ip>";
        check(
            &network(&format!("<forward mode='nat'/><bridge name='virbr0' stp='on'/>{ip}")),
            &["default Some(Nat) virbr0 192.168.122.1 192.168.122.0/24"],
        );
        check(&network("<forward/><ip address='10.0.0.1'/>"), &["default Some(Nat) - 10.0.0.1 10.0.0.0/8"]);
        check(
            &network("<ip family='ipv6' address='fd00::1'/><ip address='10.1.0.1' prefix='16'/>"),
            &["default Some(Isolated) - 10.1.0.1 10.1.0.0/16"],
        );
        check(
            &network("<forward mode='bridge'/><bridge name='br0'/>"),
            &["a network of libvirt that is forwarded in another way", "default Some(Isolated) br0 - "],
        );
        check(
            &network(
                "<ip address='10.1.0.300'/><ip address='10.1.0.1' prefix='99'/><ip address='10.1.0.1' netmask='1'/>",
            ),
            &[
                "default Some(Isolated) - - ",
                "`10.1.0.300` is not an IPv4 address",
                "`10.1.0.1` is not an address with such a prefix",
                "`1` is not a network mask",
            ],
        );
        check("<network><ip address='10.1.0.1'/></network>", &["a network of libvirt without a name"]);
        check("<network><name>a", &["the XML is broken: the root node was opened but never closed"]);
    }
}
