//! Kernel settings that change what happens to packets, and those that do not. Spec: specs/sysctl.md.

use std::fmt;

use crate::provenance::Origin;

/// A setting, and where it is written.
#[derive(Clone, Debug)]
pub struct Sysctl {
    /// What is set.
    pub setting: SysctlSetting,
    /// Where.
    pub origin: Origin,
}

/// What is set, and to which value (Linux, Documentation/networking/ip-sysctl.rst).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SysctlSetting {
    /// `net.ipv4.ip_forward`, also called `net.ipv4.conf.all.forwarding`.
    IpForward(bool),
    /// `net.ipv4.conf.*.rp_filter`.
    RpFilter(Interfaces, RpFilter),
    /// `net.ipv4.conf.*.route_localnet`.
    RouteLocalnet(Interfaces, bool),
    /// `net.bridge.bridge-nf-call-iptables`.
    BridgeCallsIptables(bool),
}

/// Which interfaces a setting is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Interfaces {
    /// `all`: counts for every interface, beside its own value.
    All,
    /// `default`: the value of interfaces that are made later.
    Later,
    /// `*`: the value of every interface that is there.
    Present,
    /// One.
    Named(String),
}

/// `rp_filter`: what is asked of the way back to a packet's source. Of the interface's own value and that of `all`, the
/// higher one counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RpFilter {
    /// 0: nothing.
    Off,
    /// 1: that it leaves by the interface that the packet came by.
    Strict,
    /// 2: that there is one.
    Loose,
}

/// What is known of a setting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Known {
    /// It has a model.
    Setting(SysctlSetting),
    /// It changes nothing that a sentence could speak of.
    Irrelevant,
    /// It may change what happens to packets, or its value is not understood.
    Unmodeled,
}

/// Beginnings of settings that decide neither where a packet goes nor whether it does.
const IRRELEVANT: [&str; 16] = [
    "net.core.",
    "net.ipv4.tcp_",
    "net.ipv4.udp_",
    "net.ipv4.neigh.",
    "net.ipv4.igmp_",
    "net.ipv4.ip_local_",
    "net.ipv4.ip_default_ttl",
    "net.ipv4.ipfrag_",
    "net.ipv4.ping_group_range",
    "net.ipv4.icmp_echo_ignore_broadcasts",
    "net.ipv4.icmp_ignore_bogus_error_responses",
    "net.ipv6.",
    "net.netfilter.nf_conntrack_",
    "net.nf_conntrack_max",
    "net.bridge.bridge-nf-call-arptables",
    "net.bridge.bridge-nf-call-ip6tables",
];
/// Settings of an interface for which the same holds.
const IRRELEVANT_OF_INTERFACE: [&str; 8] = [
    "accept_redirects",
    "accept_source_route",
    "bootp_relay",
    "disable_policy",
    "log_martians",
    "promote_secondaries",
    "secure_redirects",
    "send_redirects",
];

/// What a setting means; slashes for dots are read as well (sysctl(8)).
pub fn known(key: &str, value: &str) -> Known {
    let key = dotted(key);
    let Some(path) = key.strip_prefix("net.") else { return Known::Irrelevant };
    let switched = match value {
        "0" => Some(false),
        "1" => Some(true),
        _ => None,
    };
    let setting = match path {
        "ipv4.ip_forward" | "ipv4.conf.all.forwarding" => switched.map(SysctlSetting::IpForward),
        "bridge.bridge-nf-call-iptables" => switched.map(SysctlSetting::BridgeCallsIptables),
        _ => match path.strip_prefix("ipv4.conf.").and_then(|rest| rest.rsplit_once('.')) {
            Some((of, "rp_filter")) => {
                RpFilter::of(value).map(|filter| SysctlSetting::RpFilter(interfaces(of), filter))
            }
            Some((of, "route_localnet")) => switched.map(|on| SysctlSetting::RouteLocalnet(interfaces(of), on)),
            Some((_, setting)) if IRRELEVANT_OF_INTERFACE.contains(&setting) => return Known::Irrelevant,
            _ if IRRELEVANT.iter().any(|start| key.starts_with(start)) => return Known::Irrelevant,
            _ => None,
        },
    };
    setting.map_or(Known::Unmodeled, Known::Setting)
}

/// `net/ipv4/conf/eth0.1/rp_filter` is `net.ipv4.conf.eth0/1.rp_filter`: whichever comes first separates (sysctl.d(5)).
fn dotted(key: &str) -> String {
    match key.find(['.', '/']).and_then(|at| key.as_bytes().get(at)) {
        Some(b'/') => key
            .chars()
            .map(|c| {
                if c == '/' {
                    '.'
                } else if c == '.' {
                    '/'
                } else {
                    c
                }
            })
            .collect(),
        _ => key.to_owned(),
    }
}

fn interfaces(of: &str) -> Interfaces {
    match of {
        "all" => Interfaces::All,
        "default" => Interfaces::Later,
        "*" => Interfaces::Present,
        name => Interfaces::Named(name.replace('/', ".")),
    }
}

impl RpFilter {
    fn of(value: &str) -> Option<Self> {
        match value {
            "0" => Some(Self::Off),
            "1" => Some(Self::Strict),
            "2" => Some(Self::Loose),
            _ => None,
        }
    }
}

impl fmt::Display for SysctlSetting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = |on: &bool| u8::from(*on);
        match self {
            Self::IpForward(on) => write!(f, "`net.ipv4.ip_forward` is {}", number(on)),
            Self::RpFilter(of, filter) => write!(f, "`net.ipv4.conf.{of}.rp_filter` is {}", *filter as u8),
            Self::RouteLocalnet(of, on) => write!(f, "`net.ipv4.conf.{of}.route_localnet` is {}", number(on)),
            Self::BridgeCallsIptables(on) => write!(f, "`net.bridge.bridge-nf-call-iptables` is {}", number(on)),
        }
    }
}

impl fmt::Display for Interfaces {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "all",
            Self::Later => "default",
            Self::Present => "*",
            Self::Named(name) => name,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_have_a_model_are_told_from_those_that_need_none() {
        let check = |key, value, expected: Known| assert_eq!(known(key, value), expected, "{key} = {value}");
        let set = Known::Setting;
        check("net.ipv4.ip_forward", "1", set(SysctlSetting::IpForward(true)));
        check("net/ipv4/ip_forward", "0", set(SysctlSetting::IpForward(false)));
        check("net.ipv4.conf.all.forwarding", "1", set(SysctlSetting::IpForward(true)));
        check("net.ipv4.conf.all.rp_filter", "1", set(SysctlSetting::RpFilter(Interfaces::All, RpFilter::Strict)));
        let vlan = Interfaces::Named("eth0.1".to_owned());
        check("net/ipv4/conf/eth0.1/rp_filter", "2", set(SysctlSetting::RpFilter(vlan.clone(), RpFilter::Loose)));
        check("net.ipv4.conf.eth0/1.rp_filter", "2", set(SysctlSetting::RpFilter(vlan, RpFilter::Loose)));
        check("net.ipv4.conf.*.route_localnet", "1", set(SysctlSetting::RouteLocalnet(Interfaces::Present, true)));
        check("net.bridge.bridge-nf-call-iptables", "0", set(SysctlSetting::BridgeCallsIptables(false)));
        check("net.ipv4.conf.all.send_redirects", "0", Known::Irrelevant);
        check("net.ipv4.tcp_syncookies", "1", Known::Irrelevant);
        check("vm.swappiness", "10", Known::Irrelevant);
        check("net.ipv4.conf.all.arp_ignore", "1", Known::Unmodeled);
        check("net.ipv4.icmp_echo_ignore_all", "1", Known::Unmodeled);
        check("net.ipv4.conf.eth0.forwarding", "1", Known::Unmodeled);
        check("net.ipv4.ip_forward", "yes", Known::Unmodeled);
    }
}
