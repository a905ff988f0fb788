//! What keeps networks for virtual machines beside VirtualBox (libvirt, WSL), and the firewall that a system has by itself.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::lab::hosted::{HostFirewallDecl, LibvirtDecl, WslDecl};
use crate::lab::{Declaration, WslMode};
use crate::language::text;
use crate::source::Spanned;

use super::{listen, products};

const LIBVIRT_KEYS: &[&str] = &["version", "firewall-backend"];

const WSL_KEYS: &[&str] = &["networking-mode", "localhost-forwarding", "host-address-loopback", "firewall"];

/// `networkingMode` in `.wslconfig`.
const MODES: &[(&str, WslMode)] = &[
    ("nat", WslMode::Nat),
    ("mirrored", WslMode::Mirrored),
    ("virtioproxy", WslMode::Other),
    ("bridged", WslMode::Other),
    ("none", WslMode::Off),
];

/// Reads `libvirt:`, on the host that runs the machines.
pub(super) fn libvirt(walk: &mut Walk, node: &Node) -> Declaration {
    let entries = walk.map(node, "`libvirt`");
    walk.check_keys(entries, "`libvirt`", LIBVIRT_KEYS);
    Declaration::Libvirt(LibvirtDecl {
        version: node.get("version").and_then(|value| products::version(walk, value)),
        backend: node.get("firewall-backend").and_then(|value| products::backend(walk, value)),
        span: node.span,
    })
}

/// Reads `wsl:` of the machine that WSL runs; the keys are those of `.wslconfig`.
pub(super) fn wsl(walk: &mut Walk, key: &Spanned<String>, node: &Node) -> Declaration {
    let entries = walk.map(node, "`wsl`");
    walk.check_keys(entries, "`wsl`", WSL_KEYS);
    let mut wsl = WslDecl {
        mode: None,
        localhost_forwarding: None,
        host_address_loopback: None,
        firewall: None,
        span: key.span.to(node.span),
    };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "networking-mode" => {
                wsl.mode = walk.word(value, text!("a networking mode", "네트워킹 모드"), MODES, Code::LabBadValue)
            }
            "localhost-forwarding" => wsl.localhost_forwarding = walk.bool(value, "`localhost-forwarding`"),
            "host-address-loopback" => wsl.host_address_loopback = walk.bool(value, "`host-address-loopback`"),
            "firewall" => wsl.firewall = walk.bool(value, "`firewall`"),
            _ => {}
        }
    }
    Declaration::Wsl(wsl)
}

/// Reads `firewall:`: whether it is on, or what it lets in.
pub(super) fn firewall(walk: &mut Walk, key: &Spanned<String>, node: &Node) -> Option<Declaration> {
    let span = key.span.to(node.span);
    let (is_on, allowed) = if matches!(node.value, Value::Mapping(_)) {
        let entries = walk.map(node, "`firewall`");
        walk.check_keys(entries, "`firewall`", &["allow"]);
        let allowed = node.get("allow").map_or_else(Vec::new, |list| listen::read(walk, list));
        let bound = allowed.iter().filter(|allowed| allowed.address.is_some());
        bound.for_each(|allowed| {
            walk.report(
                Diagnostic::new(
                    Code::LabBadValue,
                    text!(
                        "a port that a firewall lets in has no address here",
                        "방화벽이 허용하는 포트에는 주소를 적을 수 없습니다"
                    ),
                )
                .label(allowed.span, text!("for this address only", "이 주소만 지정함"))
                .help(text!("write `PORT` or `PORT/udp`", "`PORT`나 `PORT/udp`로 쓰십시오")),
            );
        });
        (true, allowed)
    } else {
        (walk.bool(node, "`firewall`")?.value, Vec::new())
    };
    Some(Declaration::HostFirewall(HostFirewallDecl { is_on, allowed, span }))
}
