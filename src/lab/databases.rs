//! Which programs are databases, for sentences about all of them: those that listen on the port of one, or whose image
//! does. The table beside this file names the source of each row.

use std::sync::LazyLock;

use crate::net::{PortRange, Protocol};

use super::container::Container;
use super::images;

static PORTS: LazyLock<Vec<u16>> = LazyLock::new(|| {
    let rows = include_str!("databases.tsv").lines().filter_map(|line| line.split('\t').next());
    rows.filter_map(|port| port.parse().ok()).collect()
});

/// Whether a database usually listens there.
pub fn is_port(protocol: Protocol, ports: PortRange) -> bool {
    protocol == Protocol::Tcp && PORTS.iter().any(|port| ports.first == *port && ports.last == *port)
}

/// Whether a container's image is one of a database.
pub fn is_image(container: &Container) -> bool {
    let known = container.image.as_ref().and_then(|image| images::find(&image.value));
    known.is_some_and(|image| image.ports.iter().any(|(protocol, port)| is_port(*protocol, PortRange::single(*port))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_read() {
        let rows = include_str!("databases.tsv").lines().filter(|line| !line.starts_with('#')).count();
        assert_eq!(PORTS.len(), rows);
        assert!(is_port(Protocol::Tcp, PortRange::single(5432)) && !is_port(Protocol::Udp, PortRange::single(5432)));
        assert!(!is_port(Protocol::Tcp, PortRange::single(80)));
    }
}
