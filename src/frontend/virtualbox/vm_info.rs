//! What `VBoxManage showvminfo` prints about machines, for programs and for people (7.2.22; `VBoxManageInfo.cpp`).

use std::collections::BTreeMap;

use crate::diagnostic::Diagnostic;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::machine::MachineDecl;
use crate::net::IpNet;
use crate::source::Spanned;

use super::adapter::Draft;
use super::text::{assignment, field, numbered, part};
use super::value::{self, Checked};

/// Whether lines are those of `showvminfo --machinereadable`.
pub(super) fn is_for_programs(line: &str) -> bool {
    line.starts_with("nic1=\"") || line.starts_with("VMState=\"") || line.starts_with("CfgFile=\"")
}

/// Whether a line is one about an adapter, as `showvminfo` prints it for people.
pub(super) fn is_for_people(line: &str) -> bool {
    let number = line.strip_prefix("NIC ").and_then(|rest| rest.split_once(':')).map(|(number, _)| number);
    number.is_some_and(|n| n.parse::<u8>().is_ok()) && (line.contains("Attachment:") || line.contains("disabled"))
}

/// Reads what is printed for programs. Several machines may follow each other.
pub(super) fn for_programs(lines: &[Spanned<&str>]) -> Declarations {
    let mut reader = Reader::default();
    for (key, value) in lines.iter().filter_map(|line| assignment(*line)) {
        match (key, numbered(key)) {
            ("name", _) => reader.next_machine(value),
            ("ostype", _) => reader.os_type = Some(value.map(str::to_owned)),
            // Printed since 7.1, which came with libslirp.
            ("platformArchitecture", _) => reader.libslirp = Some(Spanned::new(true, value.span)),
            ("localhostReachable", _) => {
                let reachable = reader.checked(value, value::on_off);
                reader.last().localhost_reachable = reachable;
            }
            (key, _) if key.starts_with("Forwarding(") => {
                let parts: Vec<_> = value.value.split(',').map(|p| part(value, p)).collect();
                let forward = reader.kept(value::forward(&parts, value.span));
                reader.last().forwards.extend(forward);
            }
            (_, Some((word, number))) => reader.numbered(word, number, value),
            _ => {}
        }
    }
    reader.finish()
}

/// Reads what is printed for people.
pub(super) fn for_people(lines: &[Spanned<&str>]) -> Declarations {
    let mut reader = Reader::default();
    for (key, value) in lines.iter().filter_map(|line| field(*line)) {
        match key {
            "Name" if !value.value.starts_with('\'') => reader.next_machine(value),
            "Guest OS" => reader.os_type = Some(value.map(str::to_owned)),
            "Platform Architecture" => reader.libslirp = Some(Spanned::new(true, value.span)),
            "LocalhostReachable" => {
                let first = part(value, value.value.split(',').next().unwrap_or_default());
                let reachable = reader.checked(first, value::on_off);
                reader.last().localhost_reachable = reachable;
            }
            _ => {
                if let Some(number) = key.strip_prefix("NIC ") {
                    reader.nic(number, value);
                }
            }
        }
    }
    reader.finish()
}

/// One machine under construction, and those that are done.
#[derive(Default)]
struct Reader {
    name: Option<Spanned<String>>,
    os_type: Option<Spanned<String>>,
    libslirp: Option<Spanned<bool>>,
    adapters: BTreeMap<u8, Draft>,
    /// The adapter that lines without a number are about.
    current: u8,
    out: Declarations,
}

impl Reader {
    fn next_machine(&mut self, name: Spanned<&str>) {
        self.flush();
        self.name = Some(name.map(str::to_owned));
    }

    fn flush(&mut self) {
        let Some(name) = self.name.take() else { return };
        let libslirp = self.libslirp.take();
        let slot = |number: u8| number.saturating_sub(1);
        let drafts = std::mem::take(&mut self.adapters).into_iter();
        let adapters = drafts.filter_map(|(number, draft)| draft.finish(slot(number), libslirp)).collect();
        self.out.value.push(Declaration::Machine(MachineDecl {
            span: name.span,
            name,
            settings: None,
            runs_on: None,
            written_by: None,
            os_type: self.os_type.take(),
            adapters,
        }));
    }

    fn finish(mut self) -> Declarations {
        self.flush();
        self.out
    }

    fn last(&mut self) -> &mut Draft {
        self.adapter(self.current)
    }

    fn adapter(&mut self, number: u8) -> &mut Draft {
        self.adapters.entry(number).or_default()
    }

    /// `nic1="nat"` and what stands around it.
    fn numbered(&mut self, word: &str, number: u8, value: Spanned<&str>) {
        let owned = || Some(value.map(str::to_owned));
        match word {
            "nic" => {
                self.current = number;
                let is_there = value.value != "none";
                self.adapter(number).mode = is_there.then(|| value.map(str::to_lowercase));
            }
            "cableconnected" => self.adapter(number).cable = self.checked(value, value::on_off),
            "macaddress" => self.adapter(number).mac = owned(),
            "natnet" if value.value != "nat" => self.adapter(number).network = self.network(value),
            "bridgeadapter" | "hostonlyadapter" | "hostonly-network" | "intnet" | "nat-network" | "generic"
            | "cloud-network" => self.adapter(number).target = owned(),
            _ => {}
        }
    }

    /// `NIC 1: MAC: …, Attachment: …`, `NIC 1 Rule(0): name = …`, `NIC 1 Settings:`.
    fn nic(&mut self, key: &str, value: Spanned<&str>) {
        let (number, what) = key.split_once(' ').unwrap_or((key, ""));
        let Ok(number) = number.parse() else { return };
        self.current = number;
        if what.starts_with("Rule(") {
            let parts: Vec<_> =
                value.value.split(',').map(|p| part(value, p.rsplit('=').next().unwrap_or(p))).collect();
            let forward = self.kept(value::forward(&parts, value.span));
            self.last().forwards.extend(forward);
        } else if what.is_empty() && value.value != "disabled" {
            self.attached(number, value);
        }
    }

    fn attached(&mut self, number: u8, value: Spanned<&str>) {
        let after = |mark: &str| value.value.split_once(mark).map(|(_, rest)| rest);
        let attachment =
            after("Attachment: ").map_or("", |rest| rest.split(", Cable connected:").next().unwrap_or(rest));
        let word = attachment.split(" '").next().unwrap_or(attachment);
        let name = attachment.split_once('\'').and_then(|(_, rest)| rest.split_once('\'')).map(|(name, _)| name);
        let cable = after("Cable connected: ").and_then(|rest| rest.split(',').next()).map(|c| part(value, c));
        let mac = after("MAC: ").and_then(|rest| rest.split(',').next()).map(|m| part(value, m).map(str::to_owned));
        let cable = cable.and_then(|c| self.checked(c, value::on_off));
        let mode = Some(Spanned::new(mode_word(word).to_owned(), part(value, attachment).span));
        let target = name.map(|name| part(value, name).map(str::to_owned));
        *self.adapter(number) = Draft { mode, target, cable, mac, ..Draft::default() };
    }

    fn network(&mut self, text: Spanned<&str>) -> Option<Spanned<IpNet>> {
        self.kept(value::network(text)).map(|net| Spanned::new(net, text.span))
    }

    fn checked<T>(&mut self, text: Spanned<&str>, read: impl Fn(Spanned<&str>) -> Checked<T>) -> Option<T> {
        self.kept(read(text))
    }

    fn kept<T>(&mut self, checked: Result<T, Box<Diagnostic>>) -> Option<T> {
        checked.map_err(|problem| self.out.diagnostics.push(*problem)).ok()
    }
}

/// The words for people, in those for programs.
fn mode_word(attachment: &str) -> &str {
    match attachment {
        "NAT" => "nat",
        "Bridged Interface" => "bridged",
        "Host-only Interface" => "hostonly",
        "Host Only Network" | "Host-only Network" => "hostonlynetwork",
        "Internal Network" => "intnet",
        "NAT Network" => "natnetwork",
        "Generic" => "generic",
        "Cloud Network" => "cloudnetwork",
        _ => "null",
    }
}
