//! Targets of a rule (iptables-extensions(8), release 1.8.9).

use std::net::IpAddr;

use crate::lab::iptables::{Condition, IptablesRule, RejectWith, RuleTarget};
use crate::language::text;
use crate::net::{Family, IpNet};

use super::value::{self, Read, Trouble};

/// Targets that let the packet go on and change nothing that a verdict depends on.
const WITHOUT_EFFECT: [&str; 21] = [
    "LOG",
    "NFLOG",
    "ULOG",
    "AUDIT",
    "CHECKSUM",
    "TCPMSS",
    "TCPOPTSTRIP",
    "CLASSIFY",
    "TOS",
    "DSCP",
    "ECN",
    "TTL",
    "HL",
    "CONNSECMARK",
    "SECMARK",
    "TRACE",
    "RATEEST",
    "IDLETIMER",
    "LED",
    "TEE",
    "SET",
];

/// Targets of the kernel that a program decides about.
const UNMODELED: [&str; 2] = ["NFQUEUE", "QUEUE"];

/// Targets of the kernel that may send packets elsewhere, or set what other rules ask for.
const DIVERTING: [&str; 14] = [
    "CLUSTERIP",
    "CONNMARK",
    "CT",
    "DNAT",
    "DNPT",
    "HMARK",
    "MARK",
    "MIRROR",
    "NETMAP",
    "SAME",
    "SNAT",
    "SNPT",
    "SYNPROXY",
    "TPROXY",
];

/// A choice among more addresses than this is not written out.
const MOST_ADDRESSES: usize = 16;

/// Whether a target lets the packet go on and changes nothing that a verdict depends on.
pub(super) fn is_without_effect(name: &str) -> bool {
    WITHOUT_EFFECT.contains(&name)
}

/// An option of a target with its values.
pub(super) struct Setting {
    pub(super) name: String,
    pub(super) values: Vec<String>,
}

/// A target as it is written.
pub(super) struct Written {
    pub(super) name: String,
    pub(super) is_goto: bool,
    pub(super) settings: Vec<Setting>,
}

impl Written {
    fn value(&self, names: &[&str]) -> Option<&str> {
        let setting = self.settings.iter().find(|s| names.contains(&s.name.as_str()))?;
        setting.values.first().map(String::as_str)
    }

    fn has(&self, name: &str) -> bool {
        self.settings.iter().any(|s| s.name == name)
    }

    /// The target as it is written.
    pub(super) fn text(&self) -> String {
        let mut text = format!("{} {}", if self.is_goto { "-g" } else { "-j" }, self.name);
        for setting in &self.settings {
            text += &format!(" --{}", setting.name);
            setting.values.iter().for_each(|value| text += &format!(" {value}"));
        }
        text
    }

    /// What the target does.
    pub(super) fn read(&self, family: Family) -> Read<RuleTarget> {
        match self.understood(family) {
            Err(Trouble::Unknown) if DIVERTING.contains(&self.name.as_str()) => Ok(RuleTarget::Diverts(self.text())),
            Err(Trouble::Unknown) => Ok(RuleTarget::Unmodeled(self.text())),
            other => other,
        }
    }

    fn understood(&self, family: Family) -> Read<RuleTarget> {
        if self.is_goto {
            return Ok(RuleTarget::Goto(self.name.clone()));
        }
        Ok(match self.name.as_str() {
            "ACCEPT" => RuleTarget::Accept,
            "DROP" => RuleTarget::Drop,
            "RETURN" => RuleTarget::Return,
            "REJECT" => RuleTarget::Reject(reject(self.value(&["reject-with"]))?),
            "MASQUERADE" => RuleTarget::Masquerade,
            "DNAT" => {
                let (addresses, port) = destination_nat(self.value(&["to-destination", "to"]), family)?;
                match addresses {
                    None => RuleTarget::DestinationNat { address: None, port },
                    Some(all) => {
                        self.one_of(&all, |address| RuleTarget::DestinationNat { address: Some(address), port })
                    }
                }
            }
            "SNAT" => self.one_of(&source_nat(self.value(&["to-source", "to"]), family)?, RuleTarget::SourceNat),
            "REDIRECT" => RuleTarget::Redirect { port: self.value(&["to-ports", "to-port"]).map(port).transpose()? },
            "MARK" => self.mark()?,
            // Assigning a helper changes what is related, not what is new or established.
            "CT" if self.has("helper") && self.settings.len() == 1 => RuleTarget::Nothing,
            "CT" if self.has("notrack") => RuleTarget::Untrack,
            "NOTRACK" => RuleTarget::Untrack,
            "CONNMARK" => self.connection_mark()?,
            name if WITHOUT_EFFECT.contains(&name) => RuleTarget::Nothing,
            name if UNMODELED.contains(&name) || DIVERTING.contains(&name) => return Err(Trouble::Unknown),
            chain if self.settings.is_empty() => RuleTarget::Jump(chain.to_owned()),
            _ => return Err(Trouble::Unknown),
        })
    }

    /// The kernel chooses one of several addresses: which, nobody can tell.
    fn one_of(&self, addresses: &[IpAddr], target: impl Fn(IpAddr) -> RuleTarget) -> RuleTarget {
        let [first @ .., last] = addresses else { return RuleTarget::Diverts(self.text()) };
        if first.is_empty() {
            return target(*last);
        }
        let way = |address: &IpAddr, conditions| IptablesRule { conditions, target: target(*address) };
        let chosen = |address: &IpAddr| vec![Condition::Unmodeled(format!("{} takes {address}", self.text()))];
        let ways = first.iter().map(|address| way(address, chosen(address)));
        RuleTarget::Block(ways.chain([way(last, Vec::new())]).collect())
    }

    fn connection_mark(&self) -> Read<RuleTarget> {
        let mask = match self.value(&["mask", "nfmask", "ctmask"]) {
            Some(text) => value::number(text)?,
            None => u32::MAX,
        };
        let is_same = |name| self.value(&[name]).is_none_or(|text| value::number(text) == Ok(mask));
        if !is_same("nfmask") || !is_same("ctmask") {
            return Err(Trouble::Unknown);
        }
        if self.has("save-mark") {
            return Ok(RuleTarget::SaveMark { mask });
        }
        if self.has("restore-mark") {
            return Ok(RuleTarget::RestoreMark { mask });
        }
        match self.mark()? {
            RuleTarget::SetMark { value, mask } => Ok(RuleTarget::SetConnectionMark { value, mask }),
            _ => Err(Trouble::Unknown),
        }
    }

    fn mark(&self) -> Read<RuleTarget> {
        let Some(setting) = self.settings.first() else { return Err(Trouble::Unknown) };
        let (value, mask) = value::mark(setting.values.first().map_or("", String::as_str))?;
        Ok(match setting.name.as_str() {
            "set-mark" => RuleTarget::SetMark { value, mask: value | mask },
            // Outside its mask, `--set-xmark` flips bits instead of setting them.
            "set-xmark" if value & !mask == 0 => RuleTarget::SetMark { value, mask },
            "or-mark" => RuleTarget::SetMark { value, mask: value },
            "and-mark" => RuleTarget::SetMark { value: 0, mask: !value },
            _ => return Err(Trouble::Unknown),
        })
    }
}

fn reject(with: Option<&str>) -> Read<RejectWith> {
    Ok(match with {
        None | Some("icmp-port-unreachable" | "port-unreach" | "icmp6-port-unreachable") => RejectWith::Port,
        Some("tcp-reset" | "tcp-rst") => RejectWith::TcpReset,
        Some("icmp-host-unreachable" | "host-unreach" | "icmp6-addr-unreachable" | "addr-unreach") => RejectWith::Host,
        Some("icmp-net-unreachable" | "net-unreach" | "icmp6-no-route" | "no-route") => RejectWith::Net,
        Some("icmp-host-prohibited" | "host-prohib") => RejectWith::HostProhibited,
        Some(
            "icmp-admin-prohibited"
            | "admin-prohib"
            | "icmp6-adm-prohibited"
            | "adm-prohibited"
            | "icmp-net-prohibited"
            | "net-prohib",
        ) => RejectWith::AdminProhibited,
        Some(_) => return Err(Trouble::Unknown),
    })
}

/// `10.0.0.5`, `10.0.0.5:80`, `:80`, `10.0.0.5-10.0.0.7`; ranges of ports are not followed.
fn destination_nat(to: Option<&str>, family: Family) -> Read<(Option<Vec<IpAddr>>, Option<u16>)> {
    let to = to.ok_or_else(|| {
        Trouble::Bad(text!("`DNAT` needs `--to-destination`", "`DNAT`에는 `--to-destination`이 필요합니다"))
    })?;
    let (address, port_text) = address_and_port(to);
    let addresses = if address.is_empty() { None } else { Some(addresses(address, family)?) };
    let port = if port_text.is_empty() { None } else { Some(port(port_text)?) };
    Ok((addresses, port))
}

/// The source port is not followed: a translated packet may always get another one.
fn source_nat(to: Option<&str>, family: Family) -> Read<Vec<IpAddr>> {
    let to =
        to.ok_or_else(|| Trouble::Bad(text!("`SNAT` needs `--to-source`", "`SNAT`에는 `--to-source`가 필요합니다")))?;
    addresses(address_and_port(to).0, family)
}

/// One address, or each of a range.
fn addresses(text: &str, family: Family) -> Read<Vec<IpAddr>> {
    if !text.contains('-') {
        return Ok(vec![parsed(text, family)?]);
    }
    let nets = value::range(text, family)?;
    let single = |net: &IpNet| net.subnets(net.max_prefix_len()).into_iter().flatten().map(|one| one.addr());
    let all: Vec<IpAddr> = nets.iter().flat_map(single).take(MOST_ADDRESSES + 1).collect();
    if all.len() <= MOST_ADDRESSES { Ok(all) } else { Err(Trouble::Unknown) }
}

fn parsed(address: &str, family: Family) -> Read<IpAddr> {
    match address.parse::<IpAddr>() {
        Ok(address) if Family::of(address) == family => Ok(address),
        _ => Err(Trouble::Bad(text!("`{address}` is not an address", "`{address}`: 주소가 아닙니다"))),
    }
}

/// An IPv6 address before a port stands in brackets.
fn address_and_port(text: &str) -> (&str, &str) {
    if let Some((address, rest)) = text.strip_prefix('[').and_then(|t| t.split_once(']')) {
        return (address, rest.trim_start_matches(':'));
    }
    match text.split_once(':') {
        Some((address, port)) if !port.contains(':') => (address, port),
        _ => (text, ""),
    }
}

fn port(text: &str) -> Read<u16> {
    let ports = value::ports(&text.replace('-', ":"))?;
    if ports.first == ports.last { Ok(ports.first) } else { Err(Trouble::Unknown) }
}
