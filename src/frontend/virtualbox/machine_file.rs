//! `.vbox` files: one VirtualBox machine and its network adapters.
//!
//! Element and attribute names, and what an absent or wrong one means, follow `src/VBox/Main/xml/Settings.cpp` and
//! what VirtualBox 7.2.22 makes of such files. Only the current state counts: `Hardware` inside `Snapshot` is another
//! time. `specs/vbox-files.md` has every element and attribute with what is made of it.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::xml::{self, Element};
use crate::lab::declaration::Declarations;
use crate::lab::machine::{AdapterDecl, AdapterMode, ForwardNotation, MachineDecl, NatDecl};
use crate::lab::{Declaration, Os};
use crate::language::{Text, text};
use crate::net::Version;
use crate::source::{SourceId, Span, Spanned};

use super::value::{self, Checked};
use super::xml_forward::{self, unknown_attributes};

const ADAPTER: [&str; 11] = [
    "slot",
    "enabled",
    "cable",
    "MACAddress",
    "type",
    "speed",
    "promiscuousModePolicy",
    "trace",
    "tracefile",
    "bootPriority",
    "bandwidthGroup",
];

const NAT: [&str; 10] = [
    "network",
    "hostip",
    "localhost-reachable",
    "mtu",
    "sockrcv",
    "socksnd",
    "tcprcv",
    "tcpsnd",
    "forward-broadcast",
    "enable-tftp",
];

/// Reads a `.vbox` file.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut reader = Reader::default();
    match xml::parse(source, text) {
        Ok(document) => {
            let written_by = written_by(source, text);
            if let Some(machine) = reader.machine(Element::root(&document, source), written_by) {
                reader.out.value.insert(0, Declaration::Machine(machine));
            }
        }
        Err(error) => reader.out.diagnostics.push(*error),
    }
    reader.out
}

/// The version in the comment `** Written by VirtualBox 7.2.22_Debian (r175245)`.
pub(super) fn written_by(source: SourceId, text: &str) -> Option<Spanned<Version>> {
    const MARK: &str = "Written by VirtualBox ";
    let start = text.find(MARK)? + MARK.len();
    let word = text.get(start..)?.split(|c: char| c.is_whitespace()).next()?;
    Some(Spanned::new(word.parse().ok()?, Span::new(source, start, start + word.len())))
}

/// The platform behind the settings version: `1.19-macosx` (`setVersionAttribute` in Settings.cpp).
pub(super) fn runs_on(settings: &str) -> Option<Os> {
    match settings.split_once('-')?.1 {
        "macosx" => Some(Os::MacOs),
        "windows" => Some(Os::Windows),
        "linux" => Some(Os::Linux),
        _ => None,
    }
}

#[derive(Default)]
struct Reader {
    out: Declarations,
}

impl Reader {
    fn machine(&mut self, root: Element<'_, '_>, written_by: Option<Spanned<Version>>) -> Option<MachineDecl> {
        let Some(machine) = root.child("Machine").filter(|_| root.name() == "VirtualBox") else {
            self.bad(
                root.tag(),
                text!("no machine in this file", "이 파일에 머신이 없습니다"),
                text!(
                    "a `.vbox` file holds `VirtualBox` with one `Machine`",
                    "`.vbox` 파일에는 `Machine` 하나를 담은 `VirtualBox`가 있어야 합니다"
                ),
            );
            return None;
        };
        let name = self.required(machine, "name")?;
        let settings = self.required(root, "version")?;
        let Ok(version) = settings.value.split('-').next().unwrap_or_default().parse() else {
            self.bad(
                settings.span,
                text!(
                    "`{value}` is not a settings version",
                    "`{value}`: 설정 버전이 아닙니다",
                    value = &settings.value
                ),
                text!("like `1.19-linux`", "`1.19-linux` 같은 형식입니다"),
            );
            return None;
        };
        machine.children().filter(|e| e.name() == "ExtraData").for_each(|extra| self.extra_data(extra));
        let adapters = machine.child("Hardware").map(|hardware| self.hardware(machine, hardware)).unwrap_or_default();
        Some(MachineDecl {
            name: name.map(str::to_owned),
            settings: Some(Spanned::new(version, settings.span)),
            runs_on: runs_on(settings.value),
            written_by,
            os_type: machine.attribute("OSType").map(|o| o.map(str::to_owned)),
            adapters,
            span: machine.tag(),
        })
    }

    /// Keys below `VBoxInternal/Devices` configure adapters behind VirtualBox's back, forwards among them.
    fn extra_data(&mut self, extra: Element<'_, '_>) {
        for item in extra.children() {
            let Some(key) = item.attribute("name").filter(|k| k.value.starts_with("VBoxInternal/Devices/")) else {
                continue;
            };
            if key.value.contains("/LUN#0/") {
                let what = text!("the setting `{key}`", "`{key}` 설정", key = &key.value);
                self.out.value.push(Declaration::Unmodeled(Spanned::new(what, key.span)));
            }
        }
    }

    fn hardware(&mut self, machine: Element<'_, '_>, hardware: Element<'_, '_>) -> Vec<AdapterDecl> {
        let Some(network) = hardware.child("Network") else { return Vec::new() };
        // From settings version 1.20 on the chip set stands in `Platform`.
        let chipset = hardware.child("Chipset").or_else(|| machine.child("Platform").and_then(|p| p.child("Chipset")));
        let is_ich9 = chipset.and_then(|c| c.attribute("type")).is_some_and(|t| t.value == "ICH9");
        self.adapters(network, if is_ich9 { ICH9_ADAPTERS } else { ADAPTERS })
    }

    fn adapters(&mut self, network: Element<'_, '_>, slots: u8) -> Vec<AdapterDecl> {
        let mut adapters: Vec<AdapterDecl> = Vec::new();
        for element in network.children() {
            if element.name() != "Adapter" {
                self.unknown_element(element, "Network");
                continue;
            }
            let Some(adapter) = self.adapter(element, slots) else { continue };
            if let Some(first) = adapters.iter_mut().find(|a| a.slot == adapter.slot) {
                let message =
                    text!("slot {slot} is used twice", "{slot}번 슬롯이 두 번 쓰였습니다", slot = &adapter.slot);
                self.out.diagnostics.push(
                    Diagnostic::new(Code::VboxDuplicate, message)
                        .label(
                            first.span,
                            text!("VirtualBox passes over this adapter", "VirtualBox가 이 어댑터를 건너뜀"),
                        )
                        .label(adapter.span, text!("this one is in use", "이것이 쓰임"))
                        .help(text!("give every adapter a slot of its own", "어댑터마다 다른 슬롯을 주십시오")),
                );
                *first = adapter;
                continue;
            }
            adapters.push(adapter);
        }
        adapters
    }

    fn adapter(&mut self, element: Element<'_, '_>, slots: u8) -> Option<AdapterDecl> {
        self.out.diagnostics.extend(unknown_attributes(element, &ADAPTER));
        let slot = self.required(element, "slot")?;
        let Some(slot) = slot.value.parse().ok().filter(|slot| *slot < slots) else {
            let help = text!(
                "slots of this chip set go from 0 to {last}; VirtualBox passes over others",
                "이 칩셋의 슬롯은 0부터 {last}까지입니다. VirtualBox는 다른 슬롯을 건너뜁니다",
                last = slots - 1
            );
            self.bad(
                slot.span,
                text!("`{value}` is not an adapter slot", "`{value}`: 어댑터 슬롯이 아닙니다", value = &slot.value),
                help,
            );
            return None;
        };
        let (mode, other_modes) = self.modes(element);
        Some(AdapterDecl {
            slot,
            enabled: self.boolean(element, "enabled").is_some_and(|e| e.value),
            cable: self.boolean(element, "cable"),
            mac: element.attribute("MACAddress").map(|m| m.map(str::to_owned)),
            mode,
            other_modes,
            addresses: Vec::new(),
            span: element.tag(),
        })
    }

    /// What the adapter is attached to, and what it would be attached to otherwise.
    fn modes(&mut self, adapter: Element<'_, '_>) -> (AdapterMode, Vec<AdapterMode>) {
        let mut found: Option<(AdapterMode, Span)> = None;
        let mut others = Vec::new();
        for element in adapter.children() {
            if element.name() == "DisabledModes" {
                others.extend(element.children().filter_map(|child| self.mode(child, "DisabledModes")));
                continue;
            }
            let Some(mode) = self.mode(element, "Adapter") else { continue };
            if let Some((_, first)) = &found {
                self.out.diagnostics.push(
                    Diagnostic::new(
                        Code::VboxDuplicate,
                        text!("the adapter is attached twice", "어댑터가 두 번 연결되어 있습니다"),
                    )
                    .label(*first, text!("VirtualBox passes over this", "VirtualBox가 이것을 건너뜀"))
                    .label(element.tag(), text!("this attachment is in use", "이 연결이 쓰임"))
                    .help(text!(
                        "leave one of them, or put it into `DisabledModes`",
                        "하나만 남기거나, 나머지를 `DisabledModes`로 옮기십시오"
                    )),
                );
            }
            found = Some((mode, element.tag()));
        }
        others.iter().for_each(|other| self.unused_forwards(other));
        (found.map_or(AdapterMode::None, |(mode, _)| mode), others)
    }

    fn mode(&mut self, element: Element<'_, '_>, inside: &str) -> Option<AdapterMode> {
        let mode = match element.name() {
            "NAT" => AdapterMode::Nat(Box::new(self.nat(element))),
            "BridgedInterface" | "HostInterface" => AdapterMode::Bridged(named(element)),
            "HostOnlyInterface" => AdapterMode::HostOnly(named(element)),
            "HostOnlyNetwork" => AdapterMode::HostOnlyNetwork(named(element)),
            "InternalNetwork" => AdapterMode::Internal(named(element)),
            "NATNetwork" => AdapterMode::NatNetwork(named(element)),
            "CloudNetwork" => AdapterMode::Cloud(named(element)),
            "GenericInterface" => AdapterMode::Generic(attribute(element, "driver"), properties(element)),
            "VDE" => AdapterMode::Generic(Spanned::new("VDE".to_owned(), element.tag()), Vec::new()),
            _ => {
                self.unknown_element(element, inside);
                return None;
            }
        };
        Some(mode)
    }

    fn nat(&mut self, nat: Element<'_, '_>) -> NatDecl {
        self.out.diagnostics.extend(unknown_attributes(nat, &NAT));
        for element in nat.children() {
            // Name service and boot server of the engine, and its old aliasing modes: no packet of ours.
            if !["Forwarding", "DNS", "Alias", "TFTP"].contains(&element.name()) {
                self.unknown_element(element, "NAT");
            }
        }
        let stated = |name: &str| nat.attribute(name).filter(|text| !text.value.is_empty());
        NatDecl {
            network: stated("network").and_then(|text| self.checked(text, value::network)),
            forwards: xml_forward::all(nat, &mut self.out.diagnostics),
            localhost_reachable: self.boolean(nat, "localhost-reachable"),
            bind_address: stated("hostip").and_then(|text| self.checked(text, value::address)),
            forward_at: Some((xml_forward::insertion(nat), ForwardNotation::VboxXml)),
            ..NatDecl::new(nat.tag())
        }
    }

    fn checked<T>(&mut self, text: Spanned<&str>, read: impl Fn(Spanned<&str>) -> Checked<T>) -> Option<Spanned<T>> {
        match read(text) {
            Ok(value) => Some(Spanned::new(value, text.span)),
            Err(problem) => {
                self.out.diagnostics.push(*problem);
                None
            }
        }
    }

    /// Forwards of a mode that is not in use listen nowhere.
    fn unused_forwards(&mut self, mode: &AdapterMode) {
        let AdapterMode::Nat(nat) = mode else { return };
        if let [first, ..] = nat.forwards.as_slice() {
            self.out.diagnostics.push(
                Diagnostic::new(
                    Code::VboxUnusedForward,
                    text!(
                        "forwards of a NAT that is not in use listen nowhere",
                        "쓰이지 않는 NAT의 포트 포워딩은 어디에서도 대기하지 않습니다"
                    ),
                )
                .label(
                    first.span,
                    text!(
                        "kept for the day when the adapter is attached to NAT again",
                        "어댑터를 다시 NAT에 연결할 때를 위해 남아 있음"
                    ),
                )
                .label(nat.span, text!("inside `DisabledModes`", "`DisabledModes` 안에 있음")),
            );
        }
    }

    fn boolean(&mut self, element: Element<'_, '_>, attribute: &str) -> Option<Spanned<bool>> {
        let written = element.attribute(attribute)?;
        let value = match written.value {
            "true" | "yes" | "1" => true,
            "false" | "no" | "0" => false,
            other => {
                self.bad(
                    written.span,
                    text!("`{other}` is neither `true` nor `false`", "`{other}`: `true`도 `false`도 아닙니다"),
                    text!("it counts as absent", "없는 것으로 봅니다"),
                );
                return None;
            }
        };
        Some(Spanned::new(value, written.span))
    }

    fn required<'a>(&mut self, element: Element<'a, '_>, attribute: &str) -> Option<Spanned<&'a str>> {
        let value = element.attribute(attribute).filter(|a| !a.value.is_empty());
        if value.is_none() {
            let message = text!(
                "`{element}` without `{attribute}`",
                "`{element}`에 `{attribute}`이(가) 없습니다",
                element = &element.name()
            );
            self.bad(
                element.tag(),
                message,
                text!("VirtualBox refuses to load such a file", "VirtualBox는 이런 파일을 불러오지 않습니다"),
            );
        }
        value
    }

    fn unknown_element(&mut self, element: Element<'_, '_>, inside: &str) {
        let name = Spanned::new(element.name(), element.tag());
        self.out.diagnostics.push(xml::unknown(&text!("element", "요소"), name, inside));
    }

    fn bad(&mut self, span: Span, message: impl Into<Text>, help: impl Into<Text>) {
        self.out
            .diagnostics
            .push(Diagnostic::new(Code::VboxBadValue, message).label(span, text!("here", "여기")).help(help));
    }
}

/// PIIX3 machines have 8 network adapters, ICH9 machines 36 (VirtualBox manual, 6.1).
const ADAPTERS: u8 = 8;
const ICH9_ADAPTERS: u8 = 36;

fn named(element: Element<'_, '_>) -> Spanned<String> {
    attribute(element, "name")
}

fn attribute(element: Element<'_, '_>, name: &str) -> Spanned<String> {
    element.attribute(name).map_or_else(|| Spanned::new(String::new(), element.tag()), |n| n.map(str::to_owned))
}

fn properties(generic: Element<'_, '_>) -> Vec<(String, String)> {
    let text = |element: Element<'_, '_>, name: &str| element.attribute(name).map(|a| a.value.to_owned());
    let properties = generic.children().filter(|child| child.name() == "Property");
    properties.filter_map(|p| Some((text(p, "name")?, text(p, "value")?))).collect()
}

#[cfg(test)]
mod tests;
