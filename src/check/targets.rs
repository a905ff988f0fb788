//! Sentences about every member of a set: `any database`, `any container`, `any host`, a group of lab.yaml. Each member has its own sentence, and all
//! of them have to hold.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Container, HostId, HostKind, databases};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::property::{Many, Place, Sentence, Subject, Target, Verb, Who};
use crate::source::{Span, Spanned};

use super::decide::{Checker, Stop};
use super::hangs_on::merge_conditions;
use super::place::{Endpoint, Places, is_same};
use super::verdict::{Answer, Verdict};

impl Checker<'_> {
    /// A sentence about many targets holds if it holds of each; what is said of the first that it does not hold of.
    pub(super) fn judge(&self, sentence: &Sentence) -> Result<Verdict, Stop> {
        let Some(each) = self.places.each_target(sentence)? else { return self.judge_of_one(sentence) };
        let mut all = Verdict::new(Answer::Holds, Text::default());
        let mut named: Vec<String> = Vec::new();
        for one in &each {
            let is_about_nobody = one.subject.of.is_empty() || self.members(one)?.is_empty();
            if is_about_nobody && one.only.is_none() {
                continue;
            }
            let verdict = self.judge_of_one(one)?;
            if verdict.answer != Answer::Holds {
                return Ok(verdict);
            }
            named.extend(self.places.aims(one)?.into_iter().map(|aim| aim.label));
            merge_conditions(&mut all.conditions, verdict.conditions);
            all.witnesses.extend(verdict.witnesses);
            all.failure = all.failure.or(verdict.failure);
            let is_new = |note: &Text| !all.notes.contains(note);
            let notes: Vec<Text> = verdict.notes.into_iter().filter(is_new).collect();
            all.notes.extend(notes);
        }
        if named.is_empty() {
            let span = sentence.text.span;
            let alone = Diagnostic::new(
                Code::SentenceUnknownName,
                text!(
                    "nobody is left: the subject is all that is meant",
                    "남는 대상이 없습니다: 주어가 가리키는 대상의 전부입니다"
                ),
            );
            return Err(Box::new(alone.label(span, text!("about nobody else", "다른 대상이 없음"))).into());
        }
        let (said, named) = (&sentence.text.value, named.join(", "));
        all.headline = text!("{said}: {named}", "{said}: {named}");
        all.notes.insert(0, text!("what is meant: {named}", "대상: {named}"));
        Ok(all)
    }
}

impl Places<'_> {
    /// One sentence for every target of a sentence about many; nothing if it is about one.
    pub(super) fn each_target(&self, sentence: &Sentence) -> Result<Option<Vec<Sentence>>, Box<Diagnostic>> {
        let (place, ports, protocol) = match &sentence.verb {
            Verb::Reach { target, protocol, .. } => (&target.place, target.ports.as_ref(), *protocol),
            Verb::Ping(place) => (place, None, Protocol::Icmp),
            Verb::Resolve(_) => return Ok(None),
        };
        let (many, members) = match &place.value {
            Place::Every(many) => (Some(*many), self.every(*many, place.span)),
            Place::Named(name) => match self.group(name, place.span)? {
                Some(members) => (None, members),
                None => return Ok(None),
            },
            Place::Address(_) | Place::Internet => return Ok(None),
        };
        let mut each: Vec<Sentence> = Vec::new();
        for (name, endpoint) in members {
            let known = self.listening(&endpoint, many, protocol);
            let meant: Vec<Option<Spanned<PortRange>>> = match (ports, protocol) {
                (Some(_), _) if many == Some(Many::Databases) && known.is_empty() => continue,
                (Some(stated), _) => vec![Some(*stated)],
                (None, Protocol::Icmp) => vec![None],
                (None, _) => known.into_iter().map(|range| Some(Spanned::new(range, place.span))).collect(),
            };
            let subject = self.all_but(&sentence.subject, &endpoint);
            each.extend(meant.into_iter().map(|ports| {
                let place = Spanned::new(Place::Named(name.clone()), place.span);
                let verb = about(&sentence.verb, Target { place, ports });
                Sentence { subject: subject.clone(), verb, ..sentence.clone() }
            }));
        }
        if each.is_empty() {
            return Err(Box::new(nothing(many, place.span)));
        }
        Ok(Some(each))
    }

    /// The members of a group of lab.yaml; nothing if that is no group, or somebody bears the name.
    fn group(&self, name: &str, span: Span) -> Result<Option<Vec<(String, Endpoint)>>, Box<Diagnostic>> {
        let named = |name: &str| self.named(&Spanned::new(name.to_owned(), span));
        let Some(group) = self.lab.groups.iter().find(|group| group.name == name && named(name).is_err()) else {
            return Ok(None);
        };
        let members: Result<Vec<_>, _> = group.members.iter().map(|m| Ok((m.clone(), named(m)?))).collect();
        members.map(Some)
    }

    /// A subject without the target, also where it is named: nobody is asked about itself.
    fn all_but(&self, subject: &Subject, target: &Endpoint) -> Subject {
        let in_group = |who: &Who| match who {
            Who::Named(name) => match self.lab.groups.iter().find(|group| group.name == name.value) {
                Some(group) => group.members.iter().map(|m| Who::Named(Spanned::new(m.clone(), name.span))).collect(),
                None => vec![who.clone()],
            },
            _ => vec![who.clone()],
        };
        let is_target = |who: &Who| match who {
            Who::Named(name) => self.named(name).is_ok_and(|endpoint| is_same(&endpoint, Some(target))),
            _ => false,
        };
        let of = subject.of.iter().flat_map(in_group).filter(|who| !is_target(who)).collect();
        Subject { of, except: subject.except.clone() }
    }

    /// The members of a set, by a name that nobody else has.
    fn every(&self, many: Many, span: Span) -> Vec<(String, Endpoint)> {
        let hosts = self.lab.hosts().filter(|(_, host)| host.kind != HostKind::Router);
        let hosts = hosts.filter_map(|(id, host)| Some((host.name.clone(), self.of_host(id, host)?)));
        let containers =
            self.lab.containers().filter_map(|(id, c)| Some((self.name_of(id, c, span), self.of_container(id, c)?)));
        match many {
            Many::Hosts => hosts.collect(),
            Many::Containers => containers.collect(),
            Many::Databases => hosts.chain(containers).collect(),
        }
    }

    fn name_of(&self, host: HostId, container: &Container, span: Span) -> String {
        let short = Spanned::new(container.short_name.clone(), span);
        let is_it = |found: Endpoint| found.container.as_ref() == Some(&container.name) && found.host == Some(host);
        match self.named(&short).is_ok_and(is_it) {
            true => short.value,
            false => format!("{}/{}", self.lab.host(host).name, container.name),
        }
    }

    /// The ports that a sentence about many means at one of them.
    fn listening(&self, endpoint: &Endpoint, many: Option<Many>, protocol: Protocol) -> Vec<PortRange> {
        let container = endpoint.container.as_ref().and_then(|name| {
            self.lab.containers().find(|(host, c)| c.name == *name && Some(*host) == endpoint.host).map(|(_, c)| c)
        });
        let is_meant = |ports: &PortRange| match many {
            Some(Many::Databases) => databases::is_port(protocol, *ports) || container.is_some_and(databases::is_image),
            Some(Many::Containers | Many::Hosts) | None => true,
        };
        self.listening_ports(endpoint, protocol).into_iter().filter(is_meant).collect()
    }
}

fn about(verb: &Verb, target: Target) -> Verb {
    match verb {
        Verb::Reach { at, protocol, by_name, .. } => {
            Verb::Reach { target, at: at.clone(), protocol: *protocol, by_name: *by_name }
        }
        Verb::Ping(_) | Verb::Resolve(_) => Verb::Ping(target.place),
    }
}

fn nothing(many: Option<Many>, span: Span) -> Diagnostic {
    let (message, help) = match many {
        None => (
            text!("nobody of this group is known to listen", "이 그룹에는 대기하는 것으로 알려진 것이 없습니다"),
            text!(
                "write the port, or in lab.yaml what listens",
                "포트를 쓰거나, lab.yaml에 무엇이 대기하는지 적으십시오"
            ),
        ),
        Some(Many::Databases) => (
            text!("nothing in this lab is known to be a database", "이 랩에는 데이터베이스로 알려진 것이 없습니다"),
            text!(
                "a database is what listens on the port of one, or whose image does; write in lab.yaml what listens",
                "데이터베이스 포트에서 대기하거나 이미지가 데이터베이스인 것을 데이터베이스로 봅니다. \
                 lab.yaml에 무엇이 대기하는지 적으십시오"
            ),
        ),
        Some(Many::Containers) => (
            text!(
                "no container of this lab is known to listen",
                "이 랩에는 대기하는 것으로 알려진 컨테이너가 없습니다"
            ),
            text!("write in lab.yaml what listens", "lab.yaml에 무엇이 대기하는지 적으십시오"),
        ),
        Some(Many::Hosts) => (
            text!("no host of this lab is known to listen", "이 랩에는 대기하는 것으로 알려진 호스트가 없습니다"),
            text!("write in lab.yaml what listens", "lab.yaml에 무엇이 대기하는지 적으십시오"),
        ),
    };
    Diagnostic::new(Code::SentenceUnknownName, message).label(span, text!("about nobody", "대상이 없음")).help(help)
}
