//! The commands: what a person types to see what the model speaks of.

use std::net::IpAddr;

use crate::lab::Os;
use crate::net::{Protocol, url_host};

/// In the network namespace of a container, whose image need not have the program (`nsenter(1)`).
pub(super) fn inside(container: Option<&str>, command: &str) -> String {
    match container {
        Some(name) => format!("sudo nsenter -t $(docker inspect -f '{{{{.State.Pid}}}}' {name}) -n {command}"),
        None => command.to_owned(),
    }
}

pub(super) fn machine_state(vm: &str) -> String {
    format!("VBoxManage showvminfo {vm} --machinereadable | grep ^VMState=")
}

pub(super) fn ping(address: IpAddr) -> String {
    format!("ping -c 1 {address}")
}

/// Who listens on a port: ss(8), lsof(8), netstat.
pub(super) fn listening(os: Os, protocol: Protocol, port: u16) -> String {
    let is_udp = protocol == Protocol::Udp;
    match os {
        Os::Linux => format!("ss -Hln{} 'sport = :{port}'", if is_udp { 'u' } else { 't' }),
        Os::MacOs if is_udp => format!("lsof -nP -iUDP:{port}"),
        Os::MacOs => format!("lsof -nP -iTCP:{port} -sTCP:LISTEN"),
        Os::Windows => format!("netstat -ano -p {protocol} | findstr :{port}"),
    }
}

/// The connection as it is typed: `url` is `http://…`, `HOST:PORT`, or an address to ping.
pub(super) fn dial(url: &str, protocol: Protocol, destination: IpAddr) -> String {
    if url.contains("://") {
        return format!("curl -sS -o /dev/null -m 5 {url}");
    }
    match (protocol, url.rsplit_once(':')) {
        (Protocol::Tcp, Some((host, port))) => format!("nc -z -w 5 {host} {port}"),
        (Protocol::Udp, Some((host, port))) => format!("echo | nc -u -w 2 {host} {port}"),
        _ => ping(destination),
    }
    .replace(&url_host(destination), &destination.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_are_typed_with_the_usual_tools() {
        let check = |url: &str, protocol, destination: &str, expected: &str| {
            assert_eq!(dial(url, protocol, destination.parse().unwrap()), expected);
        };
        check("http://localhost:3000", Protocol::Tcp, "127.0.0.1", "curl -sS -o /dev/null -m 5 http://localhost:3000");
        check("10.0.0.1:22", Protocol::Tcp, "10.0.0.1", "nc -z -w 5 10.0.0.1 22");
        check("dns:53", Protocol::Udp, "10.0.0.2", "echo | nc -u -w 2 dns 53");
        check("10.0.0.1", Protocol::Icmp, "10.0.0.1", "ping -c 1 10.0.0.1");
    }

    #[test]
    fn a_container_is_entered_with_the_tools_of_its_host() {
        assert_eq!(inside(None, "ss"), "ss");
        assert_eq!(inside(Some("web"), "ss"), "sudo nsenter -t $(docker inspect -f '{{.State.Pid}}' web) -n ss");
    }
}
