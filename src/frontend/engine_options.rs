//! Options of the docker engine, which daemon.json and lab.yaml write in the same way (moby 29, daemon/config).

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::{Node, Walk};
use crate::lab::RuleBackend;
use crate::lab::declaration::{AddressPool, EngineDecl};
use crate::language::text;
use crate::net::IpNet;
use crate::source::Spanned;

/// Options that are modelled.
pub const KEYS: &[&str] = &[
    "allow-direct-routing",
    "bip",
    "default-address-pools",
    "firewall-backend",
    "host-gateway-ip",
    "icc",
    "ip",
    "ip-forward",
    "ip-forward-no-drop",
    "ip-masq",
    "iptables",
    "userland-proxy",
];

const BACKENDS: &[(&str, RuleBackend)] = &[("iptables", RuleBackend::Iptables), ("nftables", RuleBackend::Nftables)];

/// Reads one option into `engine`; whether it is one that is modelled.
pub fn read(walk: &mut Walk, engine: &mut EngineDecl, key: &str, value: &Node) -> bool {
    let name = format!("`{key}`");
    match key {
        "iptables" => engine.iptables = walk.bool(value, &name),
        "ip-forward" => engine.ip_forward = walk.bool(value, &name),
        "ip-forward-no-drop" => engine.ip_forward_no_drop = walk.bool(value, &name),
        "ip-masq" => engine.ip_masq = walk.bool(value, &name),
        "live-restore" => engine.live_restore = walk.bool(value, &name),
        "icc" => engine.icc = walk.bool(value, &name),
        "ip" => engine.publish_address = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress),
        "host-gateway-ip" => {
            engine.host_gateway = walk.parsed(value, text!("an IP address", "IP 주소"), Code::BadAddress)
        }
        "userland-proxy" => engine.userland_proxy = walk.bool(value, &name),
        "allow-direct-routing" => engine.allow_direct_routing = walk.bool(value, &name),
        "firewall-backend" => {
            engine.backend =
                walk.word(value, text!("a firewall backend", "방화벽 백엔드"), BACKENDS, Code::LabBadValue);
        }
        "bip" => {
            let what = text!(
                "an address with prefix length like `172.17.0.1/16`",
                "`172.17.0.1/16`처럼 프리픽스 길이가 붙은 주소"
            );
            engine.default_bridge = walk.parsed(value, what, Code::BadAddress);
        }
        "default-address-pools" => {
            for item in walk.list(value, &name) {
                engine.address_pools.extend(address_pool(walk, item));
            }
        }
        _ => return false,
    }
    true
}

fn address_pool(walk: &mut Walk, item: &Node) -> Option<Spanned<AddressPool>> {
    let entries = walk.map(item, text!("an address pool", "주소 풀"));
    walk.check_keys(entries, text!("an address pool", "주소 풀"), &["base", "size"]);
    let base = walk.required(item, "base", text!("an address pool", "주소 풀"))?;
    let base: Spanned<IpNet> =
        walk.parsed(base, text!("a range like `10.10.0.0/16`", "`10.10.0.0/16` 같은 대역"), Code::BadAddress)?;
    let size = walk.required(item, "size", text!("an address pool", "주소 풀"))?;
    let size = walk.int(size, "`size`")?;
    let pool = u8::try_from(size.value).ok().and_then(|size| AddressPool::new(base.value, size));
    if pool.is_none() {
        let message = text!(
            "`{base}` cannot be cut into subnets of length {size}",
            "`{base}`: 길이 {size}의 서브넷으로 나눌 수 없습니다",
            base = &base.value,
            size = &size.value
        );
        walk.report(
            Diagnostic::new(Code::BadAddress, message)
                .label(size.span, text!("the length of a subnet's prefix", "서브넷의 프리픽스 길이")),
        );
    }
    pool.map(|pool| Spanned::new(pool, item.span))
}
