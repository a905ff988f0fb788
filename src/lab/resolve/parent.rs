//! Networks whose containers use an interface of the host directly: macvlan and ipvlan. Spec: specs/docker-drivers.md.

use std::net::IpAddr;

use crate::lab::declaration::NetworkDecl;
use crate::lab::{Declaration, Host, HostKind};
use crate::language::{Text, text};
use crate::net::IpNet;
use crate::provenance::Basis;

/// Which interface of the host a network uses; nothing for a bridge.
///
/// # Errors
/// What about the network has no model.
pub(super) fn of_network(network: &NetworkDecl, host: &Host) -> Result<Option<usize>, Text> {
    let name = &network.name.value;
    let driver = network.driver.as_ref().map_or("bridge", |driver| driver.value.as_str());
    let mode = network.driver_mode.as_ref().map(|mode| mode.value.as_str());
    match (driver, mode) {
        ("bridge", _) => return Ok(None),
        ("macvlan", None | Some("bridge")) | ("ipvlan", None | Some("l2")) => {}
        ("ipvlan", Some("l3" | "l3s")) => {
            return Err(text!(
                "network `{name}` of ipvlan in mode l3, which routes need on every other machine",
                "ipvlan l3 모드의 네트워크 `{name}` (다른 모든 머신에 경로가 있어야 함)"
            ));
        }
        ("macvlan" | "ipvlan", Some(mode)) => {
            return Err(text!(
                "network `{name}` of {driver} in mode {mode}",
                "{driver} {mode} 모드의 네트워크 `{name}`"
            ));
        }
        ("overlay", _) => {
            return Err(text!(
                "network `{name}` of driver `overlay`: swarms are not modelled",
                "`overlay` 드라이버의 네트워크 `{name}`: swarm은 모델에 없음"
            ));
        }
        _ => return Err(text!("network `{name}` of driver `{driver}`", "`{driver}` 드라이버의 네트워크 `{name}`")),
    }
    let Some(parent) = &network.parent else {
        return Err(text!(
            "network `{name}` of {driver} without a parent, which leads nowhere",
            "parent가 없어 아무 데도 이어지지 않는 {driver} 네트워크 `{name}`"
        ));
    };
    // A virtual switch passes frames for the addresses that it knows; whether for others depends on its settings.
    if driver == "macvlan" && matches!(host.kind, HostKind::Vm { .. }) {
        return Err(text!(
            "network `{name}` of macvlan in a virtual machine, which needs promiscuous mode outside",
            "가상 머신 안의 macvlan 네트워크 `{name}` (바깥 어댑터에 무차별 모드가 필요함)"
        ));
    }
    let named = host.interfaces.iter().position(|interface| interface.name == parent.value);
    named.or_else(|| only_assumed(host)).map(Some).ok_or_else(|| {
        text!(
            "network `{name}` on `{parent}`, which is no interface of `{host}` that is known",
            "`{host}`의 인터페이스로 알려지지 않은 `{parent}` 위의 네트워크 `{name}`",
            parent = &parent.value,
            host = &host.name
        )
    })
}

/// The subnet and the router of the LAN that a network is a part of, as far as it says them.
pub(super) fn lan(declaration: &Declaration) -> Option<(IpNet, Option<IpAddr>)> {
    let Declaration::Network(network) = declaration else { return None };
    let driver = network.driver.as_ref().map(|driver| driver.value.as_str());
    let subnet = network.subnet.filter(|_| matches!(driver, Some("macvlan" | "ipvlan")))?;
    Some((subnet.value.trunc(), network.gateway.map(|gateway| gateway.value)))
}

/// Where nothing is known about the host's interfaces, the one that is assumed is the one that is meant.
fn only_assumed(host: &Host) -> Option<usize> {
    let is_assumed = matches!(host.interfaces.as_slice(), [one] if matches!(one.origin.basis, Basis::Assumed { .. }));
    is_assumed.then_some(0)
}
