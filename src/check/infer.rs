//! What is true today, as sentences: for everything that listens, who can reach it and that nobody else can.
//!
//! Each sentence is decided like any other before it is offered; what cannot be said in one is left out and named.

use crate::dataplane::Dataplane;
use crate::diagnostic::Diagnostic;
use crate::lab::{Lab, Networking};
use crate::net::Protocol;
use crate::property::{Subject, Who, parse};
use crate::source::{Sources, Span, Spanned};

use super::CheckError;
use super::decide::{Checker, Stop};
use super::exposure::{Exposure, Listener, exposure};
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
    let inference = Inference { checker, exposure: &exposure, span };
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
        let everyone = self.checker.places.everyone();
        let reaches = |who: &&Endpoint| {
            let dialler = everyone.iter().position(|e| is_same(e, Some(who)));
            dialler.is_some_and(|d| self.exposure.contacts(d, index).any(|contact| !contact.is_doubtful))
        };
        let anyone = self.members(&Who::Anyone(self.span), &target.endpoint);
        let (can, cannot): (Vec<&Endpoint>, Vec<&Endpoint>) = anyone.iter().partition(reaches);
        let of_subject = |subject: String| match (can.is_empty(), cannot.is_empty()) {
            (true, _) => format!("anyone cannot reach {}", target.text),
            (_, true) => format!("anyone can reach {}", target.text),
            _ => format!("only {subject} can reach {}", target.text),
        };
        let candidates = self.subjects(&can, &cannot, &target.endpoint).into_iter().map(of_subject);
        let first = match self.first_that_holds(candidates)? {
            Ok(sentence) => sentence,
            Err(reason) => return Ok(Err(reason)),
        };
        // `anyone` leaves out the machines that the target runs on.
        let below: Vec<Endpoint> = everyone
            .iter()
            .filter(|e| !is_same(e, Some(&target.endpoint)) && !anyone.iter().any(|a| is_same(a, Some(e))))
            .cloned()
            .collect();
        let (can, cannot): (Vec<&Endpoint>, Vec<&Endpoint>) = below.iter().partition(reaches);
        let mut sentences = vec![first];
        for (who, verb) in [(can, "can"), (cannot, "cannot")] {
            let said = (!who.is_empty()).then(|| format!("{} {verb} reach {}", self.listed(&who), target.text));
            sentences.extend(self.first_that_holds(said.into_iter())?.ok());
        }
        Ok(Ok(sentences))
    }

    fn first_that_holds(&self, candidates: impl Iterator<Item = String>) -> Result<Result<String, String>, CheckError> {
        let mut reason = "nothing is known".to_owned();
        for sentence in candidates {
            match self.answer(&sentence)? {
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
        let Some(name) = &endpoint.container else { return true };
        let mut containers = self.checker.places.lab.containers();
        containers.any(|(host, c)| {
            let has_own = matches!(c.networking, Networking::Bridges(_) | Networking::None(_));
            Some(host) == endpoint.host && c.name == *name && has_own
        })
    }

    fn answer(&self, sentence: &str) -> Result<Result<Answer, Box<Diagnostic>>, CheckError> {
        let sentence = match parse(&Spanned::new(sentence.to_owned(), self.span)) {
            Ok(sentence) => sentence,
            Err(diagnostic) => return Ok(Err(diagnostic)),
        };
        match self.checker.judge(&sentence) {
            Ok(verdict) => Ok(Ok(verdict.answer)),
            Err(Stop::Sentence(diagnostic)) => Ok(Err(diagnostic)),
            Err(Stop::Engines(error)) => Err(error),
        }
    }
}
