//! Handing out addresses: which of a subnet are free, and which pool a new container network gets.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr};

use crate::lab::declaration::AddressPool;
use crate::net::{Family, IpNet, Version, address_bits, address_from_bits};

/// Addresses that are in use.
#[derive(Default)]
pub(super) struct Taken(BTreeSet<IpAddr>);

impl Taken {
    /// Marks an address as used.
    pub(super) fn add(&mut self, address: IpAddr) {
        self.0.insert(address);
    }

    /// Takes the first free address of `net` whose number inside it is at least `from`.
    pub(super) fn next(&mut self, net: IpNet, from: u128) -> Option<IpAddr> {
        let free = (from..).map_while(|n| nth(net, n)).find(|address| !self.0.contains(address))?;
        self.0.insert(free);
        Some(free)
    }
}

/// The address with number `n` inside `net`, unless it is the last one (IPv4's broadcast) or beyond.
pub(super) fn nth(net: IpNet, n: u128) -> Option<IpAddr> {
    let address = address_from_bits(Family::of(net.addr()), address_bits(net.network()).checked_add(n)?);
    (net.contains(&address) && address != net.broadcast()).then_some(address)
}

/// `address` with the prefix length of `net`.
pub(super) fn within(address: IpAddr, net: IpNet) -> IpNet {
    IpNet::new(address, net.prefix_len()).unwrap_or_else(|_| IpNet::from(address))
}

/// An IPv4 prefix from constants.
pub(super) fn prefix(octets: [u8; 4], length: u8) -> IpNet {
    let address = IpAddr::V4(Ipv4Addr::from(octets));
    IpNet::new(address, length).unwrap_or_else(|_| IpNet::from(address))
}

/// Whether two prefixes have an address in common.
pub(super) fn overlap(a: IpNet, b: IpNet) -> bool {
    a.contains(&b.network()) || b.contains(&a.network())
}

/// docker's default address pools in the order in which they are tried: 172.17.0.0/16 to 172.31.0.0/16, then
/// 192.168.0.0/16 cut into /20 (moby, daemon/libnetwork/ipamutils/utils.go, `localScopeDefaultNetworks`).
fn pools() -> impl Iterator<Item = IpNet> {
    let big = (17..=31).map(|second| prefix([172, second, 0, 0], 16));
    let small = (0..16).map(|sixteenth| prefix([192, 168, sixteenth * 16, 0], 20));
    big.chain(small)
}

/// The subnets that networks get whose subnet is not stated.
pub(super) struct Pools<'a> {
    stated: &'a [AddressPool],
    /// Until 26 every search begins behind the subnet that was given last, so that one that became free is not used
    /// again at once (moby 26.1, libnetwork/ipam/allocator.go, `updatePredefinedStartIndex`).
    goes_on: bool,
    start: usize,
}

impl<'a> Pools<'a> {
    /// Of `stated`, or docker's own.
    pub(super) fn new(stated: &'a [AddressPool], version: Version) -> Self {
        Self { stated, goes_on: version < Version::new(27, 0, 0), start: 0 }
    }

    /// The first IPv4 subnet that overlaps nothing in use.
    pub(super) fn next(&mut self, in_use: &[IpNet]) -> Option<IpNet> {
        let is_free = |pool: &IpNet| !in_use.iter().any(|used| overlap(*pool, *used));
        let behind = (0..).zip(self.all()).skip(self.start).find(|(_, pool)| is_free(pool));
        let (index, subnet) = behind.or_else(|| (0..).zip(self.all()).find(|(_, pool)| is_free(pool)))?;
        if self.goes_on {
            self.start = index + 1;
        }
        Some(subnet)
    }

    fn all(&self) -> impl Iterator<Item = IpNet> {
        let cut = |pool: &AddressPool| pool.base.trunc().subnets(pool.size).ok();
        let stated = self.stated.iter().filter(|pool| pool.base.addr().is_ipv4()).filter_map(cut).flatten();
        let own = pools().filter(|_| self.stated.is_empty());
        own.chain(stated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_are_tried_in_dockers_order() {
        let check = |in_use: &[&str], expected: Option<&str>| {
            let in_use: Vec<IpNet> = in_use.iter().map(|n| n.parse().unwrap()).collect();
            let mut pools = Pools::new(&[], Version::new(28, 0, 0));
            assert_eq!(pools.next(&in_use), expected.map(|n| n.parse().unwrap()));
        };
        check(&[], Some("172.17.0.0/16"));
        check(&["172.17.0.0/16", "172.18.5.0/24"], Some("172.19.0.0/16"));
        check(&["172.16.0.0/12"], Some("192.168.0.0/20"));
        check(&["172.16.0.0/12", "192.168.1.0/24"], Some("192.168.16.0/20"));
        check(&["0.0.0.0/0"], None);
    }

    #[test]
    fn stated_pools_are_cut_into_subnets_in_their_order() {
        let pool = |base: &str, size| AddressPool { base: base.parse().unwrap(), size };
        let pools = [pool("10.10.0.0/23", 24), pool("fd00::/48", 64), pool("10.9.0.0/24", 24)];
        let check = |in_use: &[&str], expected: Option<&str>| {
            let in_use: Vec<IpNet> = in_use.iter().map(|n| n.parse().unwrap()).collect();
            let mut pools = Pools::new(&pools, Version::new(28, 0, 0));
            assert_eq!(pools.next(&in_use), expected.map(|n| n.parse().unwrap()));
        };
        check(&[], Some("10.10.0.0/24"));
        check(&["10.10.0.0/24"], Some("10.10.1.0/24"));
        check(&["10.10.0.0/16"], Some("10.9.0.0/24"));
        check(&["10.0.0.0/8"], None);
    }

    #[test]
    fn older_engines_come_back_to_a_freed_subnet_last() {
        let check = |major, expected: &str| {
            let mut pools = Pools::new(&[], Version::new(major, 0, 0));
            let first = pools.next(&[]).unwrap();
            pools.next(&[first]).unwrap();
            assert_eq!(pools.next(&[first]).unwrap().to_string(), expected);
        };
        check(26, "172.19.0.0/16");
        check(27, "172.18.0.0/16");
    }

    #[test]
    fn addresses_are_handed_out_once_and_never_the_broadcast() {
        let net: IpNet = "10.0.0.0/30".parse().unwrap();
        let mut taken = Taken::default();
        taken.add("10.0.0.1".parse().unwrap());
        assert_eq!(taken.next(net, 1), Some("10.0.0.2".parse().unwrap()));
        assert_eq!(taken.next(net, 1), None);
    }
}
