//! Solving and decoding.

use std::cell::OnceCell;
use std::collections::{BTreeSet, HashSet};
use std::net::IpAddr;

use z3::ast::{Ast, BV, Bool, Dynamic};
use z3::{Model, Optimize, Params, SatResult, Solver};

use crate::dataplane::{Dataplane, Flow, NodeId};
use crate::net::{Protocol, address_bits, address_from_bits};
use crate::switch::{Setting, SwitchId};

use super::Query;
use super::boxes::{Boxes, preferences};
use super::condition::{Variable, number, switch_literal, switch_term};
use super::walk::{self, Way, Ways};

/// Source ports that operating systems choose from (RFC 6335); the solver is asked for one of these first.
pub(super) const NATURAL_SOURCE_PORT: u64 = 50_000;
/// The solver gives up on one question after this many steps of its own: about a second, but the same on every
/// machine, and without the timer thread that a limit in milliseconds costs each time.
const STEP_LIMIT: u32 = 20_000_000;

/// What the solver says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// There is such a connection: this one.
    Yes(Flow),
    /// There is none.
    No,
    /// The solver or the encoding cannot tell.
    Unknown(String),
}

/// A query, encoded once and asked many times.
pub struct Encoding {
    query: Query,
    ways: Vec<Way>,
    /// Ways that need no solver.
    boxes: Option<Boxes>,
    encoded: OnceCell<Encoded>,
    switches: Vec<SwitchId>,
    unsure: Vec<String>,
    nodes: BTreeSet<NodeId>,
}

/// The ways as the solver has them.
struct Encoded {
    solver: Solver,
    /// Under these conditions the connection succeeds.
    goal: Bool,
}

impl Encoding {
    /// Encodes a query.
    pub fn new(dataplane: &Dataplane, query: Query) -> Self {
        let ways = walk::ways(dataplane, &query);
        Self::of(dataplane, query, ways)
    }

    /// Encodes ways of a query that are known already.
    pub(super) fn of(dataplane: &Dataplane, query: Query, ways: Ways) -> Self {
        let Ways { nodes, all, unsure } = ways;
        let boxes = Boxes::of(&all);
        let mut encoding =
            Self { query, ways: all, boxes, encoded: OnceCell::new(), switches: Vec::new(), unsure, nodes };
        // Only switches that occur in the encoding can change the answer.
        let all = dataplane.switches.iter().map(|(id, _)| id);
        encoding.switches = match &encoding.boxes {
            Some(boxes) => {
                let mentioned = boxes.switches();
                all.filter(|id| mentioned.contains(id)).collect()
            }
            None => {
                let mentioned = booleans(&encoding.encoded().goal);
                all.filter(|id| mentioned.contains(&switch_term(*id))).collect()
            }
        };
        encoding
    }

    fn encoded(&self) -> &Encoded {
        self.encoded.get_or_init(|| {
            let terms: Vec<Bool> = self.ways.iter().map(Way::term).collect();
            let goal = if terms.is_empty() { Bool::from_bool(false) } else { Bool::or(&terms) };
            let solver = Solver::new_for_logic("QF_BV").unwrap_or_default();
            let mut params = Params::new();
            params.set_u32("rlimit", STEP_LIMIT);
            solver.set_params(&params);
            solver.assert(&goal);
            Encoded { solver, goal }
        })
    }

    /// The switches on which the answer may depend.
    pub fn switches(&self) -> &[SwitchId] {
        &self.switches
    }

    /// The nodes that can lie on a way from the dialler to the goal.
    pub fn nodes(&self) -> &BTreeSet<NodeId> {
        &self.nodes
    }

    /// A connection that succeeds under a setting of the switches and dials none of `known`.
    pub fn find(&self, setting: &Setting, known: &[(IpAddr, u16)]) -> Answer {
        match &self.boxes {
            Some(boxes) => boxes.find(&self.query, setting, known).map_or_else(|| self.none(), Answer::Yes),
            None => self.solved(setting, known),
        }
    }

    /// The same, by the solver in any case.
    pub fn solved(&self, setting: &Setting, known: &[(IpAddr, u16)]) -> Answer {
        let mut assumptions = self.assumptions(setting);
        assumptions.extend(known.iter().map(|dialed| self.differs_from(*dialed)));
        let mut answer = self.check(&assumptions);
        for (variable, value) in preferences(&self.query) {
            if !matches!(answer, Answer::Yes(_)) {
                return answer;
            }
            let family = self.query.family;
            assumptions.push(variable.term(family).eq(number(value, variable.bits(family))));
            match self.check(&assumptions) {
                better @ Answer::Yes(_) => answer = better,
                Answer::No | Answer::Unknown(_) => drop(assumptions.pop()),
            }
        }
        self.lowest(assumptions, answer)
    }

    /// Of all connections the one to the lowest address and port: which one a solver happens to find first is nobody's
    /// business.
    fn lowest(&self, mut assumptions: Vec<Bool>, mut answer: Answer) -> Answer {
        while let Answer::Yes(flow) = &answer {
            assumptions.push(self.is_below((flow.destination, flow.destination_port)));
            match self.check(&assumptions) {
                lower @ Answer::Yes(_) => answer = lower,
                Answer::No | Answer::Unknown(_) => break,
            }
        }
        answer
    }

    fn is_below(&self, (address, port): (IpAddr, u16)) -> Bool {
        let family = self.query.family;
        let destination = Variable::Destination.term(family);
        let address = number(address_bits(address), family.bits());
        let port = BV::from_u64(u64::from(port), 16);
        let same_address = destination.eq(&address);
        let lower_port = Variable::DestinationPort.term(family).bvult(&port);
        Bool::or(&[destination.bvult(&address), Bool::and(&[same_address, lower_port])])
    }

    /// The cheapest set of edits under which a connection succeeds, other than supersets of those in `known`.
    pub fn cheapest_edits(
        &self,
        setting: &Setting,
        edits: &[(SwitchId, u32)],
        known: &[Vec<SwitchId>],
    ) -> Option<Vec<SwitchId>> {
        let optimize = Optimize::new();
        optimize.assert(&self.encoded().goal);
        for id in &self.switches {
            match edits.iter().find(|(edit, _)| edit == id) {
                Some((_, weight)) => optimize.assert_soft(&switch_term(*id).not(), *weight, None),
                None => optimize.assert(literal(*id, setting)),
            }
        }
        for set in known {
            let all: Vec<Bool> = set.iter().map(|id| switch_term(*id)).collect();
            optimize.assert(Bool::and(&all).not());
        }
        if optimize.check(&[]) != SatResult::Sat {
            return None;
        }
        let model = optimize.get_model()?;
        let chosen = |id: &SwitchId| {
            edits.iter().any(|(edit, _)| edit == id)
                && model.eval(&switch_term(*id), true).and_then(|b| b.as_bool()) == Some(true)
        };
        Some(self.switches.iter().copied().filter(chosen).collect())
    }

    /// What is asked, in SMT-LIB.
    pub fn smt2(&self) -> String {
        self.encoded().solver.to_smt2()
    }

    fn none(&self) -> Answer {
        match self.unsure.first() {
            Some(reason) => Answer::Unknown(reason.clone()),
            None => Answer::No,
        }
    }

    fn check(&self, assumptions: &[Bool]) -> Answer {
        match self.encoded().solver.check_assumptions(assumptions) {
            SatResult::Sat => match self.encoded().solver.get_model().and_then(|model| self.decode(&model)) {
                Some(flow) => Answer::Yes(flow),
                None => Answer::Unknown("the solver's model is incomplete".to_owned()),
            },
            SatResult::Unsat => self.none(),
            SatResult::Unknown => {
                let reason = self.encoded().solver.get_reason_unknown().unwrap_or_default();
                Answer::Unknown(format!("the solver gave up: {reason}"))
            }
        }
    }

    fn assumptions(&self, setting: &Setting) -> Vec<Bool> {
        self.switches.iter().map(|id| literal(*id, setting)).collect()
    }

    fn differs_from(&self, (address, port): (IpAddr, u16)) -> Bool {
        let family = self.query.family;
        let same_address = Variable::Destination.term(family).eq(number(address_bits(address), family.bits()));
        let same_port = Variable::DestinationPort.term(family).eq(BV::from_u64(u64::from(port), 16));
        Bool::and(&[same_address, same_port]).not()
    }

    fn decode(&self, model: &Model) -> Option<Flow> {
        let family = self.query.family;
        let value = |variable: Variable| bits_of(&model.eval(&variable.term(family), true)?, variable.bits(family));
        let port = |variable| u16::try_from(value(variable)?).ok();
        let is_ping = self.query.protocol == Protocol::Icmp;
        Some(Flow {
            from: self.query.from,
            protocol: self.query.protocol,
            source: Some(address_from_bits(family, value(Variable::Source)?)),
            source_port: if is_ping { 0 } else { port(Variable::SourcePort)? },
            destination: address_from_bits(family, value(Variable::Destination)?),
            destination_port: if is_ping { 0 } else { port(Variable::DestinationPort)? },
        })
    }
}

fn literal(id: SwitchId, setting: &Setting) -> Bool {
    switch_literal(id, setting.is_on(id))
}

/// The term and all Booleans that it is made of.
fn booleans(term: &Bool) -> HashSet<Bool> {
    let mut known = HashSet::new();
    let mut open = vec![term.clone()];
    while let Some(next) = open.pop() {
        if !known.contains(&next) {
            open.extend(next.children().iter().filter_map(Dynamic::as_bool));
            known.insert(next);
        }
    }
    known
}

/// The value of a bit-vector literal of any width.
pub(super) fn bits_of(literal: &BV, bits: u32) -> Option<u128> {
    if bits <= 64 {
        return literal.as_u64().map(u128::from);
    }
    let high = literal.extract(bits - 1, 64).simplify().as_u64()?;
    let low = literal.extract(63, 0).simplify().as_u64()?;
    Some((u128::from(high) << 64) | u128::from(low))
}
