//! What is true today, as sentences: for everything that listens, who can reach it and that nobody else can.
//!
//! Each sentence is decided before it is offered; what cannot be said in one is left out and named. The matrix of who can reach
//! what decides most of them: its cells are answers of the solver about every address and port, and replayed. What it leaves open
//! is decided like any other sentence.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;

use crate::dataplane::{Dataplane, NodeId};
use crate::diagnostic::Diagnostic;
use crate::lab::Lab;
use crate::net::Protocol;
use crate::property::{Sentence, Subject, Who, parse};
use crate::source::{Sources, Span, Spanned};

use super::CheckError;
use super::decide::{Checker, Stop, dialable};
use super::exposure::{Contact, Exposure, Listener, exposure};
use super::parallel::in_parallel;
use super::place::{Endpoint, is_same};
use super::verdict::Answer;

/// The present behaviour of a lab.
#[derive(Clone, Debug, Default)]
pub struct Inferred {
    /// Sentences that hold, in the order of what listens.
    pub sentences: Vec<String>,
    /// Listeners about which nothing can be promised, and why.
    pub left_out: Vec<(String, String)>,
}

/// Describes a lab.
///
/// # Errors
/// Only when the two engines disagree, which is a bug of this program.
pub fn infer(lab: &Lab, dataplane: &Dataplane) -> Result<Inferred, CheckError> {
    let exposure = exposure(lab, dataplane)?;
    let mut sources = Sources::default();
    let span = Span::new(sources.add("(inferred)", ""), 0, 0);
    let checker = Checker::brief(lab, dataplane, &sources);
    let everyone = checker.places.everyone();
    let diallers = everyone.iter().enumerate().map(|(dialler, endpoint)| (endpoint.node, dialler)).collect();
    let dialable = dialable(dataplane).into_iter().collect();
    let inference = Inference { checker, exposure: &exposure, everyone, diallers, dialable, span };
    let numbered: Vec<(usize, &Listener)> = exposure.listeners.iter().enumerate().collect();
    let about_each = in_parallel(&numbered, |(index, listener)| inference.sentences(*index, listener));
    let mut inferred = Inferred::default();
    for (listener, sentences) in exposure.listeners.iter().zip(about_each) {
        match sentences? {
            Ok(sentences) => inferred.sentences.extend(sentences),
            Err(reason) => inferred.left_out.push((listener.name.clone(), reason)),
        }
    }
    Ok(inferred)
}

struct Inference<'a> {
    checker: Checker<'a>,
    exposure: &'a Exposure,
    /// Who dials in the matrix, in its order.
    everyone: Vec<Endpoint>,
    /// The diallers of the matrix, by node.
    diallers: HashMap<NodeId, usize>,
    /// Addresses that somebody would type.
    dialable: HashSet<IpAddr>,
    /// Nowhere: these sentences stand in no file.
    span: Span,
}

/// What listens, as a sentence names it: `grafana:3000`, `dns:53 over udp`.
struct Target {
    text: String,
    endpoint: Endpoint,
}

impl Inference<'_> {
    /// Who reaches a listener, in as few words as hold; or why that cannot be said.
    fn sentences(&self, index: usize, listener: &Listener) -> Result<Result<Vec<String>, String>, CheckError> {
        let Some(target) = self.target(listener) else {
            return Ok(Err("no sentence can name it".to_owned()));
        };
        let reaches = |who: &&Endpoint| {
            let dialler = self.diallers.get(&who.node);
            dialler.is_some_and(|d| self.exposure.contacts(*d, index).any(|contact| !contact.is_doubtful))
        };
        let anyone = self.members(&Who::Anyone(self.span), &target.endpoint);
        let (can, cannot): (Vec<&Endpoint>, Vec<&Endpoint>) = anyone.iter().partition(reaches);
        let of_subject = |subject: String| match (can.is_empty(), cannot.is_empty()) {
            (true, _) => format!("anyone cannot reach {}", target.text),
            (_, true) => format!("anyone can reach {}", target.text),
            _ => format!("only {subject} can reach {}", target.text),
        };
        let candidates = self.subjects(&can, &cannot, &target.endpoint).into_iter().map(of_subject);
        let first = match self.first_that_holds(candidates, index)? {
            Ok(sentence) => sentence,
            Err(reason) => return Ok(Err(reason)),
        };
        // `anyone` leaves out the machines that the target runs on.
        let below: Vec<Endpoint> = self
            .everyone
            .iter()
            .filter(|e| !is_same(e, Some(&target.endpoint)) && !anyone.iter().any(|a| is_same(a, Some(e))))
            .cloned()
            .collect();
        let (can, cannot): (Vec<&Endpoint>, Vec<&Endpoint>) = below.iter().partition(reaches);
        let mut sentences = vec![first];
        for (who, verb) in [(can, "can"), (cannot, "cannot")] {
            let said = (!who.is_empty()).then(|| format!("{} {verb} reach {}", self.listed(&who), target.text));
            sentences.extend(self.first_that_holds(said.into_iter(), index)?.ok());
        }
        Ok(Ok(sentences))
    }

    fn first_that_holds(
        &self,
        candidates: impl Iterator<Item = String>,
        listener: usize,
    ) -> Result<Result<String, String>, CheckError> {
        let mut reason = "nothing is known".to_owned();
        for sentence in candidates {
            match self.answer(&sentence, listener)? {
                Ok(Answer::Holds) => return Ok(Ok(sentence)),
                Ok(_) => reason = format!("`{sentence}` does not hold in every case"),
                Err(diagnostic) => reason = diagnostic.message.to_string(),
            }
        }
        Ok(Err(reason))
    }

    /// Who can, in the sets of the language first, then name by name.
    fn subjects(&self, can: &[&Endpoint], cannot: &[&Endpoint], target: &Endpoint) -> Vec<String> {
        let mut words = Vec::new();
        let mut left: Vec<&Endpoint> = can.to_vec();
        for (word, who) in self.sets() {
            let members = self.members(&who, target);
            let is_missing = |m: &Endpoint| cannot.iter().any(|c| is_same(c, Some(m)));
            let covers = members.iter().filter(|m| left.iter().any(|l| is_same(l, Some(m)))).count();
            if 0 < covers
                && !members.iter().any(is_missing)
                && (1 < members.len() || word == "internet" || word == "lan")
            {
                left.retain(|l| !members.iter().any(|m| is_same(l, Some(m))));
                words.push(word);
            }
        }
        words.extend(left.iter().map(|who| who.label.clone()));
        vec![words.join(", "), self.listed(can)]
    }

    fn listed(&self, all: &[&Endpoint]) -> String {
        all.iter().map(|who| who.label.as_str()).collect::<Vec<_>>().join(", ")
    }

    /// What a sentence calls a listener.
    fn target(&self, listener: &Listener) -> Option<Target> {
        let (name, _) = listener.name.split_once(':')?;
        let endpoint = self.checker.places.named(&Spanned::new(name.to_owned(), self.span)).ok()?;
        let over =
            if listener.protocol == Protocol::Tcp { String::new() } else { format!(" over {}", listener.protocol) };
        Some(Target { text: format!("{name}:{}{over}", listener.ports), endpoint })
    }

    /// The sets that a sentence can name, the widest first.
    fn sets(&self) -> Vec<(String, Who)> {
        let span = self.span;
        let mut all = vec![
            ("internet".to_owned(), Who::Internet(span)),
            ("lan".to_owned(), Who::Lan(span)),
            ("any host".to_owned(), Who::AnyHost(span)),
            ("any container".to_owned(), Who::AnyContainer(span)),
        ];
        for host in &self.checker.places.lab.hosts {
            for network in host.engine.iter().flat_map(|engine| &engine.networks) {
                let name = network.aliases.first().unwrap_or(&network.name);
                all.push((format!("network {name}"), Who::Network(Spanned::new(name.clone(), span))));
            }
        }
        all
    }

    fn members(&self, who: &Who, target: &Endpoint) -> Vec<Endpoint> {
        let subject = Subject { of: vec![who.clone()], except: Vec::new() };
        let all = self.checker.places.members(&subject, Some(target)).unwrap_or_default();
        all.into_iter().filter(|member| self.has_own_namespace(member)).collect()
    }

    /// Containers that share a namespace are no diallers of their own in the matrix.
    fn has_own_namespace(&self, endpoint: &Endpoint) -> bool {
        let dialler = self.diallers.get(&endpoint.node).and_then(|dialler| self.everyone.get(*dialler));
        endpoint.container.is_none() || is_same(endpoint, dialler)
    }

    fn answer(&self, sentence: &str, listener: usize) -> Result<Result<Answer, Box<Diagnostic>>, CheckError> {
        let sentence = match parse(&Spanned::new(sentence.to_owned(), self.span)) {
            Ok(sentence) => sentence,
            Err(diagnostic) => return Ok(Err(diagnostic)),
        };
        if self.is_known(&sentence, listener) {
            return Ok(Ok(Answer::Holds));
        }
        match self.checker.judge(&sentence) {
            Ok(verdict) => Ok(Ok(verdict.answer)),
            Err(Stop::Sentence(diagnostic)) => Ok(Err(diagnostic)),
            Err(Stop::Engines(error)) => Err(error),
        }
    }

    /// Whether the matrix says that a sentence about a listener holds.
    fn is_known(&self, sentence: &Sentence, listener: usize) -> bool {
        let says = |sentence: &Sentence| {
            let members = self.checker.members(sentence).ok()?;
            let is_so = |member: &Endpoint| self.cell(member, listener) == Some(sentence.can);
            members.iter().all(is_so).then_some(members.len())
        };
        let others: Option<Vec<usize>> = sentence.others().iter().map(says).collect();
        self.is_meant(sentence, listener) && others.is_some() && says(sentence).is_some_and(|members| 0 < members)
    }

    /// Whether the target of a sentence is the listener and nothing else.
    fn is_meant(&self, sentence: &Sentence, listener: usize) -> bool {
        let meant = self.exposure.listeners.get(listener);
        match self.checker.places.aims(sentence).as_deref() {
            Ok([aim]) => {
                aim.listeners(self.exposure).is_some_and(|all| all.iter().map(|l| &l.name).eq(meant.map(|l| &l.name)))
            }
            _ => false,
        }
    }

    /// Whether somebody reaches a listener; nothing if the matrix leaves it open.
    fn cell(&self, who: &Endpoint, listener: usize) -> Option<bool> {
        let dialler = *self.diallers.get(&who.node)?;
        self.exposure.stand_in(dialler, listener)?;
        if !self.exposure.unsure.is_empty() || self.exposure.is_doubtful(dialler, listener) {
            return None;
        }
        let contacts: Vec<&Contact> = self.exposure.contacts(dialler, listener).collect();
        let is_natural = |contact: &&Contact| self.dialable.contains(&contact.trace.flow.destination);
        if contacts.is_empty() { Some(false) } else { contacts.iter().any(is_natural).then_some(true) }
    }
}
