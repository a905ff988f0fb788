//! Conditions on the unknown parts of a flow: folded while they are built, handed to Z3 only where they stay open.

use std::borrow::Cow;

use z3::ast::{BV, Bool};

use crate::net::Family;
use crate::switch::SwitchId;

use super::area::{Area, Block};
use super::ranges::Ranges;

/// The four unknowns of a flow; every header on its path is made of these and of constants.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Variable {
    Source,
    SourcePort,
    Destination,
    DestinationPort,
}

impl Variable {
    pub(super) const ALL: [Self; 4] = [Self::Source, Self::SourcePort, Self::Destination, Self::DestinationPort];

    fn name(self) -> &'static str {
        match self {
            Self::Source => "source",
            Self::SourcePort => "source-port",
            Self::Destination => "destination",
            Self::DestinationPort => "destination-port",
        }
    }

    pub(super) fn bits(self, family: Family) -> u32 {
        match self {
            Self::Source | Self::Destination => family.bits(),
            Self::SourcePort | Self::DestinationPort => 16,
        }
    }

    pub(super) fn term(self, family: Family) -> BV {
        BV::new_const(self.name(), self.bits(family))
    }
}

/// The Z3 constant of a switch.
pub(super) fn switch_term(id: SwitchId) -> Bool {
    Bool::new_const(format!("switch-{}", id.0))
}

/// That a switch is on, or off.
pub(super) fn switch_literal(id: SwitchId, is_on: bool) -> Bool {
    if is_on { switch_term(id) } else { switch_term(id).not() }
}

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    True,
    False,
    /// One unknown lies in a set: kept apart because the cheap domain can decide it.
    In(Variable, Ranges),
    /// Several unknowns lie in sets, or switches are on or off: decided as one is, while there are few.
    Within(Box<Area>),
    /// Anything else.
    Term(Bool),
}

impl Condition {
    pub(super) fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    pub(super) fn switch(id: SwitchId) -> Self {
        Self::Within(Box::new(Area::of(Block::switch(id, true))))
    }

    pub(super) fn and(self, other: Self, family: Family) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, c) | (c, Self::True) => c,
            (Self::In(v, a), Self::In(w, b)) if v == w => in_set(v, a.intersect(&b)),
            (a, b) => match a.area().zip(b.area()).and_then(|(a, b)| a.intersect(&b)) {
                Some(both) => in_area(both),
                None => Self::Term(Bool::and(&[a.term(family), b.term(family)])),
            },
        }
    }

    pub(super) fn or(self, other: Self, family: Family) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, c) | (c, Self::False) => c,
            (Self::In(v, a), Self::In(w, b)) if v == w => Self::In(v, a.union(&b)),
            (a, b) => match a.area().zip(b.area()).and_then(|(a, b)| a.union(&b)) {
                Some(either) => in_area(either),
                None => Self::Term(Bool::or(&[a.term(family), b.term(family)])),
            },
        }
    }

    pub(super) fn not(self, family: Family) -> Self {
        let all = |variable: Variable| Ranges::all(variable.bits(family));
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::In(v, set) => in_set(v, all(v).minus(&set)),
            Self::Within(area) => match area.complement(all) {
                Some(rest) => in_area(rest),
                None => Self::Term(of_area(&area, family).not()),
            },
            Self::Term(term) => Self::Term(term.not()),
        }
    }

    fn area(&self) -> Option<Cow<'_, Area>> {
        match self {
            Self::In(variable, set) => Some(Cow::Owned(Area::of(Block::of(*variable, set.clone())))),
            Self::Within(area) => Some(Cow::Borrowed(area)),
            Self::True | Self::False | Self::Term(_) => None,
        }
    }

    pub(super) fn term(&self, family: Family) -> Bool {
        match self {
            Self::True => Bool::from_bool(true),
            Self::False => Bool::from_bool(false),
            Self::In(variable, set) => membership(*variable, set, family),
            Self::Within(area) => of_area(area, family),
            Self::Term(term) => term.clone(),
        }
    }
}

fn in_set(variable: Variable, set: Ranges) -> Condition {
    if set.is_empty() { Condition::False } else { Condition::In(variable, set) }
}

fn in_area(area: Area) -> Condition {
    let simple = match area.blocks() {
        [] => Some(Condition::False),
        [block] => {
            let mut sides = block.sides();
            match (sides.next(), sides.next()) {
                _ if !block.switches().is_empty() => None,
                (None, _) => Some(Condition::True),
                (Some((variable, set)), None) => Some(Condition::In(variable, set.clone())),
                _ => None,
            }
        }
        _ => None,
    };
    simple.unwrap_or_else(|| Condition::Within(Box::new(area)))
}

pub(super) fn of_area(area: &Area, family: Family) -> Bool {
    let of_block = |block: &Block| {
        let sides = block.sides().map(|(variable, set)| membership(variable, set, family));
        let switches = block.switches().iter().map(|(id, is_on)| switch_literal(*id, *is_on));
        Bool::and(&sides.chain(switches).collect::<Vec<_>>())
    };
    Bool::or(&area.blocks().iter().map(of_block).collect::<Vec<_>>())
}

/// Aligned ranges (prefixes) become an equality of the upper bits, others two comparisons.
pub(super) fn membership(variable: Variable, set: &Ranges, family: Family) -> Bool {
    let bits = variable.bits(family);
    let term = variable.term(family);
    let parts: Vec<Bool> = set.parts().iter().map(|(first, last)| in_range(&term, *first, *last, bits)).collect();
    match parts.as_slice() {
        [] => Bool::from_bool(false),
        [one] => one.clone(),
        many => Bool::or(many),
    }
}

/// The condition that a term lies between two numbers.
pub(super) fn in_range(term: &BV, first: u128, last: u128, bits: u32) -> Bool {
    let size = last - first;
    let free = 128 - size.leading_zeros();
    let is_prefix = size & size.wrapping_add(1) == 0 && first & size == 0;
    if is_prefix && free == bits {
        return Bool::from_bool(true);
    }
    if is_prefix {
        return term.extract(bits - 1, free).eq(number(first >> free, bits - free));
    }
    Bool::and(&[term.bvuge(number(first, bits)), term.bvule(number(last, bits))])
}

pub(super) fn number(value: u128, bits: u32) -> BV {
    u64::try_from(value)
        .map_or_else(|_| BV::from_str(bits, &value.to_string()), |small| Some(BV::from_u64(small, bits)))
        .unwrap_or_else(|| BV::from_u64(0, bits))
}
