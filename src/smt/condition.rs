//! Conditions on the unknown parts of a flow: folded while they are built, handed to Z3 only where they stay open.

use std::collections::BTreeMap;

use z3::ast::{BV, Bool};

use crate::net::Family;
use crate::switch::SwitchId;

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

/// A condition.
#[derive(Clone, Debug)]
pub(super) enum Condition {
    True,
    False,
    /// One unknown lies in a set: kept apart because the cheap domain can decide it.
    In(Variable, Ranges),
    /// Anything else.
    Term(Bool),
}

impl Condition {
    pub(super) fn of(value: bool) -> Self {
        if value { Self::True } else { Self::False }
    }

    pub(super) fn switch(id: SwitchId) -> Self {
        Self::Term(switch_term(id))
    }

    pub(super) fn and(self, other: Self, family: Family) -> Self {
        match (self, other) {
            (Self::False, _) | (_, Self::False) => Self::False,
            (Self::True, c) | (c, Self::True) => c,
            (Self::In(v, a), Self::In(w, b)) if v == w => in_set(v, a.intersect(&b)),
            (a, b) => Self::Term(Bool::and(&[a.term(family), b.term(family)])),
        }
    }

    pub(super) fn or(self, other: Self, family: Family) -> Self {
        match (self, other) {
            (Self::True, _) | (_, Self::True) => Self::True,
            (Self::False, c) | (c, Self::False) => c,
            (Self::In(v, a), Self::In(w, b)) if v == w => Self::In(v, a.union(&b)),
            (a, b) => Self::Term(Bool::or(&[a.term(family), b.term(family)])),
        }
    }

    pub(super) fn not(self, family: Family) -> Self {
        match self {
            Self::True => Self::False,
            Self::False => Self::True,
            Self::In(v, set) => in_set(v, Ranges::all(v.bits(family)).minus(&set)),
            Self::Term(term) => Self::Term(term.not()),
        }
    }

    pub(super) fn term(&self, family: Family) -> Bool {
        match self {
            Self::True => Bool::from_bool(true),
            Self::False => Bool::from_bool(false),
            Self::In(variable, set) => membership(*variable, set, family),
            Self::Term(term) => term.clone(),
        }
    }
}

fn in_set(variable: Variable, set: Ranges) -> Condition {
    if set.is_empty() { Condition::False } else { Condition::In(variable, set) }
}

/// Aligned ranges (prefixes) become an equality of the upper bits, others two comparisons.
fn membership(variable: Variable, set: &Ranges, family: Family) -> Bool {
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

/// What a path has assumed so far: a set for every unknown, and the conditions that no set can express.
#[derive(Clone, Debug)]
pub(super) struct Assumed {
    pub(super) family: Family,
    domains: BTreeMap<Variable, Ranges>,
    terms: Vec<Bool>,
}

impl Assumed {
    pub(super) fn new(family: Family) -> Self {
        let domains = Variable::ALL.into_iter().map(|v| (v, Ranges::all(v.bits(family)))).collect();
        Self { family, domains, terms: Vec::new() }
    }

    pub(super) fn domain(&self, variable: Variable) -> Ranges {
        self.domains.get(&variable).cloned().unwrap_or_else(Ranges::empty)
    }

    /// A membership, decided if what is assumed decides it.
    pub(super) fn fold(&self, variable: Variable, set: &Ranges) -> Condition {
        let domain = self.domain(variable);
        let inside = domain.intersect(set);
        if inside.is_empty() {
            Condition::False
        } else if inside == domain {
            Condition::True
        } else {
            Condition::In(variable, inside)
        }
    }

    /// The same path under one more condition; nothing if that is impossible.
    pub(super) fn and(mut self, condition: Condition) -> Option<Self> {
        match condition {
            Condition::True => {}
            Condition::False => return None,
            Condition::In(variable, set) => {
                let domain = self.domain(variable).intersect(&set);
                if domain.is_empty() {
                    return None;
                }
                self.domains.insert(variable, domain);
            }
            Condition::Term(term) => self.terms.push(term),
        }
        Some(self)
    }

    /// Whether the sets say everything: then every combination of their members takes this path.
    pub(super) fn is_box(&self) -> bool {
        self.terms.is_empty()
    }

    /// Everything that is assumed, as one term.
    pub(super) fn term(&self) -> Bool {
        let mut all = self.terms.clone();
        for (variable, set) in &self.domains {
            if *set != Ranges::all(variable.bits(self.family)) {
                all.push(membership(*variable, set, self.family));
            }
        }
        Bool::and(&all)
    }
}
