//! Which address of a network a container gets: the lowest that is free at that moment. Stopping a container frees its
//! address, also when it is stopped because the daemon restarts (moby, libnetwork/ipam/allocator.go, `getAddress`:
//! only swarm allocates serially).
//! Spec: specs/docker-bridge.md.

use std::net::IpAddr;

use crate::lab::{ContainerNetwork, GatewayMode};

use super::addresses::Taken;

/// Somebody's address on a network.
struct Lease {
    holder: String,
    network: usize,
    stated: Option<IpAddr>,
    address: Option<IpAddr>,
    is_held: bool,
}

/// The addresses of all networks of an engine.
pub(super) struct Leases<'a> {
    networks: &'a [ContainerNetwork],
    /// Per network: addresses that are never handed out.
    reserved: Vec<Vec<IpAddr>>,
    all: Vec<Lease>,
}

/// What the bridge holds of its network's addresses: nothing on an isolated one, where the first container gets the
/// lowest (moby 28.5 libnetwork/drivers/bridge/bridge_linux.go, `GetSkipGwAlloc`).
fn own_address(network: &ContainerNetwork) -> Option<IpAddr> {
    (network.gateway_mode != GatewayMode::Isolated).then_some(network.gateway)
}

/// The number of a lease.
#[derive(Clone, Copy)]
pub(super) struct LeaseId(usize);

impl<'a> Leases<'a> {
    pub(super) fn new(networks: &'a [ContainerNetwork]) -> Self {
        let reserved = networks.iter().map(|network| own_address(network).into_iter().collect()).collect();
        Self { networks, reserved, all: Vec::new() }
    }

    /// Keeps a stated address for whom it is stated.
    pub(super) fn reserve(&mut self, network: usize, address: IpAddr) {
        self.reserved.get_mut(network).into_iter().for_each(|reserved| reserved.push(address));
    }

    /// `holder` starts, or is connected.
    pub(super) fn take(&mut self, holder: &str, network: usize, stated: Option<IpAddr>) -> LeaseId {
        let lease = Lease { holder: holder.to_owned(), network, stated, address: None, is_held: true };
        let address = self.lowest_for(&lease);
        self.all.push(Lease { address, ..lease });
        LeaseId(self.all.len() - 1)
    }

    /// `holder` ends, or is disconnected from one network.
    pub(super) fn free(&mut self, holder: &str, network: Option<usize>) {
        for lease in self.all.iter_mut().filter(|lease| lease.holder == holder) {
            if network.is_none_or(|network| network == lease.network) {
                lease.is_held = false;
            }
        }
    }

    /// All containers stop, and are started again one after the other.
    pub(super) fn restart(&mut self) {
        let held: Vec<usize> = (0..).zip(&self.all).filter(|(_, lease)| lease.is_held).map(|(n, _)| n).collect();
        self.all.iter_mut().for_each(|lease| lease.is_held = false);
        for number in held {
            let address = self.all.get(number).and_then(|lease| self.lowest_for(lease));
            if let Some(lease) = self.all.get_mut(number) {
                lease.address = address;
                lease.is_held = true;
            }
        }
    }

    pub(super) fn address(&self, id: LeaseId) -> Option<IpAddr> {
        self.all.get(id.0).and_then(|lease| lease.address)
    }

    fn lowest_for(&self, lease: &Lease) -> Option<IpAddr> {
        if lease.stated.is_some() {
            return lease.stated;
        }
        let mut taken = Taken::default();
        self.reserved.get(lease.network).into_iter().flatten().for_each(|address| taken.add(*address));
        let held = self.all.iter().filter(|other| other.is_held && other.network == lease.network);
        held.filter_map(|other| other.address).for_each(|address| taken.add(address));
        taken.next(self.networks.get(lease.network)?.subnet, 1)
    }
}
