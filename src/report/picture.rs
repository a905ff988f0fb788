//! A lab as a picture: houses inside houses, their doors, and the way of a packet through them.
//!
//! The picture is plain data; [`svg`], [`dot`] and `mermaid::lab` write it down. A house stands where it belongs: a
//! container in its first network, a virtual machine in the machine that runs it, a machine on its first LAN. Every
//! other attachment is a wire, or in a container's further networks a small card of its own. Everything is in the
//! order of the lab, so that equal labs give equal pictures.

mod build;
pub mod dot;
mod layout;
mod places;
mod route;
pub mod svg;
mod text;
pub mod way;

pub use build::picture;
pub use places::Places;
pub use way::{Fate, Stop, WalkedWay, way};

use std::fmt;

use crate::language::{Language, text};

/// Names one element of one picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(usize);

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "e{}", self.0)
    }
}

/// Everything that is drawn.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The outermost houses.
    pub houses: Vec<House>,
    /// What is plugged in elsewhere than where it stands.
    pub wires: Vec<Wire>,
    /// Where things of the dataplane are in the picture.
    pub places: Places,
    /// The language of everything that is written on it.
    pub language: Language,
}

/// A place with walls: a network, a machine, a container.
#[derive(Clone, Debug)]
pub struct House {
    /// Its name in the picture.
    pub id: Id,
    /// What it is.
    pub kind: HouseKind,
    /// What people call it.
    pub title: String,
    /// What sort of thing it is, in a word or two.
    pub label: String,
    /// One line each: addresses, an image.
    pub facts: Vec<String>,
    /// What is in its wall.
    pub doors: Vec<Door>,
    /// What stands in it.
    pub rooms: Vec<House>,
}

/// What a house is, as far as it looks different.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HouseKind {
    /// All machines outside.
    Internet,
    /// A real network.
    Lan,
    /// A network that exists only inside a machine: host-only, internal, NAT network.
    Segment,
    /// Any machine that nobody names.
    Stranger,
    /// A home router.
    Router,
    /// A physical machine.
    Machine,
    /// A virtual machine.
    Vm,
    /// A user-space NAT engine.
    Nat,
    /// A container network.
    Network,
    /// What has no network of its own, or none at all.
    Corner,
    /// A container.
    Container,
    /// A container's place in another network than the one that it is drawn in.
    Membership,
}

impl HouseKind {
    /// Small things without rooms; no line is drawn across them.
    pub(super) fn is_card(self) -> bool {
        matches!(
            self,
            Self::Internet
                | Self::Stranger
                | Self::Router
                | Self::Segment
                | Self::Nat
                | Self::Container
                | Self::Membership
        )
    }

    /// A word for style sheets.
    fn word(self) -> &'static str {
        match self {
            Self::Internet => "internet",
            Self::Lan => "lan",
            Self::Segment => "segment",
            Self::Stranger => "stranger",
            Self::Router => "router",
            Self::Machine => "machine",
            Self::Vm => "vm",
            Self::Nat => "nat",
            Self::Network => "network",
            Self::Corner => "corner",
            Self::Container => "container",
            Self::Membership => "membership",
        }
    }
}

/// Something in a house's wall that packets come to.
#[derive(Clone, Debug)]
pub struct Door {
    /// Its name in the picture.
    pub id: Id,
    /// What it is.
    pub kind: DoorKind,
    /// One line each; only guards have several.
    pub lines: Vec<String>,
}

impl Door {
    /// What is written on it, and what its looks say.
    pub(super) fn words(&self, language: Language) -> impl Iterator<Item = String> {
        let assumed = text!(" (assumed)", " (가정)");
        let more =
            if self.kind == DoorKind::Assumed { assumed.in_language(language).to_owned() } else { String::new() };
        self.lines.iter().map(move |line| format!("{line}{more}"))
    }
}

/// What a door is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DoorKind {
    /// A network adapter.
    Adapter,
    /// A firewall, which stands in front of everything behind it.
    Guard,
    /// A port that leads on: a published port, a NAT forward.
    Forward,
    /// A port that a program listens on.
    Listens,
    /// The same, which nothing states.
    Assumed,
}

impl DoorKind {
    /// A word for style sheets.
    fn word(self) -> &'static str {
        match self {
            Self::Adapter => "adapter",
            Self::Guard => "guard",
            Self::Forward => "forward",
            Self::Listens => "listens",
            Self::Assumed => "assumed",
        }
    }
}

/// A line between an adapter and the network that it is plugged into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wire {
    /// The adapter.
    pub from: Id,
    /// The network.
    pub to: Id,
}

impl Picture {
    /// Every house, from outside to inside, with the house that it stands in.
    pub fn all_houses(&self) -> Vec<(&House, Option<Id>)> {
        fn add<'a>(house: &'a House, outer: Option<Id>, all: &mut Vec<(&'a House, Option<Id>)>) {
            all.push((house, outer));
            house.rooms.iter().for_each(|room| add(room, Some(house.id), all));
        }
        let mut all = Vec::new();
        self.houses.iter().for_each(|house| add(house, None, &mut all));
        all
    }

    /// What a screen reader says: every house with what is in its wall, indented.
    pub fn in_words(&self) -> String {
        fn say(house: &House, depth: usize, language: Language, text: &mut String) {
            let doors = house.doors.iter().flat_map(|door| door.words(language));
            let facts: Vec<String> = house.facts.iter().cloned().chain(doors).collect();
            let facts = if facts.is_empty() { String::new() } else { format!(": {}", facts.join("; ")) };
            *text += &format!("{}{} ({}){facts}\n", "  ".repeat(depth), house.title, house.label);
            house.rooms.iter().for_each(|room| say(room, depth + 1, language, text));
        }
        let mut text = String::new();
        self.houses.iter().for_each(|house| say(house, 0, self.language, &mut text));
        text
    }
}
