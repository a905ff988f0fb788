//! Interfaces of a host, with the private NAT that may be stated here instead of in a `.vbox` file.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::insert::ListItem;
use crate::frontend::yaml::{Entry, Node, Walk};
use crate::lab::declaration::InterfaceDecl;
use crate::lab::machine::{ForwardNotation, NatDecl};
use crate::language::text;
use crate::source::Spanned;

use super::listen;

const KEYS: &[&str] = &["adapter", "network", "nat", "address", "gateway"];

const NAT_KEYS: &[&str] = &["network", "forwards", "localhost-reachable", "engine"];

/// The engines: whether it is libslirp, and whether the guest reaches the host's loopback unless something else is
/// stated, as it does with QEMU (qemu(1), `-netdev user`).
const ENGINES: &[(&str, (bool, bool))] =
    &[("libslirp", (true, false)), ("classic", (false, false)), ("qemu", (true, true))];

/// Reads one entry of `interfaces:`.
pub(super) fn read(walk: &mut Walk, text: &str, entry: &Entry) -> InterfaceDecl {
    let place = text!("interface `{name}`", "`{name}` 인터페이스", name = &entry.key.value);
    let entries = walk.map(&entry.value, &place);
    walk.check_keys(entries, &place, KEYS);
    let mut interface = InterfaceDecl::new(entry.key.clone(), entry.key.span.to(entry.value.span));
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "adapter" => interface.adapter = adapter(walk, value),
            "network" => interface.segment = walk.string(value, text!("the name of a network", "네트워크 이름")),
            "nat" => interface.nat = Some(nat(walk, text, key, value)),
            "address" => {
                let what = text!(
                    "an address with prefix length like `192.168.1.7/24`",
                    "`192.168.1.7/24`처럼 프리픽스 길이가 붙은 주소"
                );
                let items = walk.one_or_many(value).iter();
                interface.addresses = items.filter_map(|n| walk.parsed(n, &what, Code::BadAddress)).collect();
            }
            "gateway" => interface.gateway = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress),
            _ => {}
        }
    }
    interface
}

/// VirtualBox numbers adapters from 1; the largest chipset has 36 of them.
fn adapter(walk: &mut Walk, node: &Node) -> Option<Spanned<u8>> {
    let number = walk.int(node, text!("an adapter number", "어댑터 번호"))?;
    let slot = u8::try_from(number.value).ok().filter(|n| (1..=36).contains(n));
    if slot.is_none() {
        walk.report(
            Diagnostic::new(
                Code::LabBadValue,
                text!(
                    "VirtualBox has no adapter {number}",
                    "VirtualBox에 {number}번 어댑터는 없습니다",
                    number = &number.value
                ),
            )
            .label(number.span, text!("adapters are numbered from 1", "어댑터 번호는 1부터임")),
        );
    }
    slot.map(|slot| Spanned::new(slot, number.span))
}

fn nat(walk: &mut Walk, text: &str, key: &Spanned<String>, node: &Node) -> NatDecl {
    let entries = walk.map(node, "`nat`");
    walk.check_keys(entries, "`nat`", NAT_KEYS);
    let forward_item = ListItem { key: "forwards", quote: "\"", implied: None };
    let forward_at = forward_item.place(text, node).map(|place| (place, ForwardNotation::LabYaml));
    let mut engine = None;
    let mut nat = NatDecl { forward_at, ..NatDecl::new(key.span.to(node.span)) };
    for Entry { key, value, .. } in entries {
        match key.value.as_str() {
            "network" => {
                nat.network = walk.parsed(
                    value,
                    text!("a network like `10.0.2.0/24`", "`10.0.2.0/24` 같은 네트워크"),
                    Code::BadAddress,
                )
            }
            "forwards" => {
                let items = walk.list(value, "`forwards`").iter();
                nat.forwards = items.filter_map(|item| listen::forward(walk, item)).collect();
            }
            "localhost-reachable" => nat.localhost_reachable = walk.bool(value, "`localhost-reachable`"),
            "engine" => engine = walk.word(value, text!("a NAT engine", "NAT 엔진"), ENGINES, Code::LabBadValue),
            _ => {}
        }
    }
    nat.libslirp = engine.map(|engine| engine.map(|(is_libslirp, _)| is_libslirp));
    let reachable = engine.map(|engine| engine.map(|(_, is_reachable)| is_reachable));
    nat.localhost_reachable = nat.localhost_reachable.or(reachable);
    nat
}
