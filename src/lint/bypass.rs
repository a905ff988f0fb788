//! Rules about the host's own ports that do not see published ones: the engine sends these packets on to the container
//! before anybody asks who may reach the host. Shown by following a packet.

use std::collections::BTreeSet;

use crate::dataplane::{Action, ChainId, ChainKind, Disposition, Hook, Match, NodeId, Policy, Rule, Ruleset};
use crate::diagnostic::{Code, Diagnostic};
use crate::lab::{Host, HostId, Publish};
use crate::language::{Text, text};
use crate::net::{IpNet, Protocol};
use crate::source::Span;

use super::scene::{Outsider, Place, Scene, comes_to, lines_with_rules};

/// Nobody listens on or publishes the port that shows what happens to the others ("discard", RFC 863).
const UNUSED_PORT: u16 = 9;
/// Published ports that are shown at once.
const MOST_LABELS: usize = 3;

pub(super) fn lint(scene: &Scene<'_>) -> Vec<Diagnostic> {
    scene
        .lab
        .hosts()
        .filter(|(_, host)| host.engine.is_some())
        .flat_map(|(id, host)| on_host(scene, id, host))
        .collect()
}

fn on_host(scene: &Scene<'_>, id: HostId, host: &Host) -> Vec<Diagnostic> {
    let Some(node) = scene.node_of(id) else { return Vec::new() };
    let guard = Guard { scene, node, host, rules: rules_for_host(scene, node, host) };
    let mut found = Vec::new();
    let mut open: Vec<(Place<'_>, &Publish)> = Vec::new();
    for place in scene.places().filter(|place| place.host == id) {
        for publish in &place.container.publishes {
            let about: Vec<&Input<'_>> = guard.rules.iter().filter(|r| r.is_about(publish)).collect();
            if about.is_empty() {
                open.push((place, publish));
            }
            found.extend(about.iter().filter(|r| r.refuses()).find_map(|rule| guard.ignored(place, publish, rule)));
            found.extend(guard.not_only(place, publish, &about));
        }
    }
    found.extend(guard.open_by_default(&open));
    found
}

/// A rule of the user for packets to the host itself.
struct Input<'a> {
    rule: &'a Rule,
    span: Span,
}

impl Input<'_> {
    fn is_about(&self, publish: &Publish) -> bool {
        let Some(port) = publish.host_port else { return false };
        let of_protocol = |m: &Match| !matches!(m, Match::Protocol(p) if *p != publish.protocol);
        self.rule.matches.iter().all(of_protocol) && self.rule.matches.iter().any(|m| names_port(m, port))
    }

    fn refuses(&self) -> bool {
        matches!(self.rule.action, Action::Drop | Action::Reject(_))
    }

    /// The sources that the rule is about; nothing means all.
    fn source(&self) -> Option<IpNet> {
        self.rule.matches.iter().find_map(|m| match m {
            Match::Source(net) => Some(*net),
            _ => None,
        })
    }

    /// Whether it depends on more than protocol, port and source.
    fn is_plain(&self) -> bool {
        let is_plain = |m: &Match| {
            matches!(
                m,
                Match::Protocol(_) | Match::DestinationPort(_) | Match::Source(_) | Match::Family(_) | Match::State(_)
            )
        };
        self.rule.matches.iter().all(|m| is_plain(m) || matches!(m, Match::AnyOf(all) if all.iter().all(is_plain)))
    }
}

fn names_port(condition: &Match, port: u16) -> bool {
    match condition {
        Match::DestinationPort(ports) => ports.contains(port),
        Match::AnyOf(all) => all.iter().any(|m| names_port(m, port)),
        _ => false,
    }
}

/// The rules of the user that packets to the host come to.
fn rules_for_host<'a>(scene: &'a Scene<'_>, node: NodeId, host: &Host) -> Vec<Input<'a>> {
    let ruleset = &scene.dataplane.node(node).ruleset;
    let lines = lines_with_rules(host);
    let rules = reachable(ruleset, Hook::Input).into_iter().flat_map(|chain| &ruleset.get(chain).rules);
    let input = |rule: &'a Rule| {
        let span = scene.dataplane.origins.get(rule.origin).span().filter(|span| lines.contains(span))?;
        Some(Input { rule, span }).filter(|_| rule.guard.is_none())
    };
    rules.filter_map(input).collect()
}

fn reachable(ruleset: &Ruleset, hook: Hook) -> BTreeSet<ChainId> {
    let filters = ruleset.base_chains(hook).into_iter().filter(|(_, point)| point.kind == ChainKind::Filter);
    let mut open: Vec<ChainId> = filters.map(|(id, _)| id).collect();
    let mut found: BTreeSet<ChainId> = open.iter().copied().collect();
    while let Some(id) = open.pop() {
        for rule in &ruleset.get(id).rules {
            if let Action::Jump(to) | Action::Goto(to) = rule.action
                && found.insert(to)
            {
                open.push(to);
            }
        }
    }
    found
}

struct Guard<'a> {
    scene: &'a Scene<'a>,
    node: NodeId,
    host: &'a Host,
    rules: Vec<Input<'a>>,
}

impl Guard<'_> {
    /// A rule refuses the port, and a packet that it is about comes to the container.
    fn ignored(&self, place: Place<'_>, publish: &Publish, rule: &Input<'_>) -> Option<Diagnostic> {
        if !rule.is_plain() {
            return None;
        }
        let outsider = self.through(place, publish, rule.source(), &[])?;
        let port = port(place, publish);
        let message = text!(
            "docker publishes {port} past this rule",
            "docker가 공개한 {port}: 이 규칙이 미치지 않습니다"; port
        );
        Some(self.explained(message, rule.span, only_own(), publish, &outsider))
    }

    /// Rules allow the port for some, the others are refused by default, and one of the others comes to the container.
    fn not_only(&self, place: Place<'_>, publish: &Publish, about: &[&Input<'_>]) -> Option<Diagnostic> {
        let allowing: Vec<_> = about.iter().filter(|r| r.rule.action == Action::Accept).collect();
        let sources: Vec<IpNet> = allowing.iter().map(|r| r.source()).collect::<Option<_>>()?;
        let first = allowing.first().filter(|_| allowing.iter().all(|r| r.is_plain()))?;
        let outsider = self.through(place, publish, None, &sources)?;
        if !self.refuses_by_default(&outsider, &sources) {
            return None;
        }
        let port = port(place, publish);
        let message = text!(
            "docker publishes {port} for everybody, whatever this rule allows",
            "이 규칙이 무엇을 허용하든, docker는 {port}를 모두에게 공개합니다"; port
        );
        Some(self.explained(message, first.span, only_own(), publish, &outsider))
    }

    /// Nothing allows the ports, everything is refused by default, and yet they are open.
    fn open_by_default(&self, publishes: &[(Place<'_>, &Publish)]) -> Option<Diagnostic> {
        let (what, policy) = self.default_of_user()?;
        let mut spans: Vec<(Span, Text)> = Vec::new();
        let mut network = String::new();
        for (place, publish) in publishes {
            let Some(outsider) = self.through(*place, publish, None, &[]) else { continue };
            if let Some(span) = publish.origin.span().filter(|_| self.refuses_by_default(&outsider, &[])) {
                network = outsider.network.to_owned();
                spans.push((span, port(*place, publish)));
            }
        }
        let (_, first) = spans.first()?;
        let others = spans.len() - 1;
        let more = if others == 0 { "".into() } else { text!(" and {others} more", " 외 {others}개") };
        let message = text!(
            "docker publishes {first}{more} past {what}",
            "docker가 공개한 {first}{more}: {what}의 차단이 미치지 않습니다"; first, more, what
        );
        let mut diagnostic = Diagnostic::new(Code::DockerBypassesFirewall, message);
        for (span, _) in spans.iter().take(MOST_LABELS) {
            diagnostic = diagnostic
                .label(*span, text!("open to every machine on `{network}`", "`{network}`의 모든 머신에 열려 있음"));
        }
        let remark = text!("this is about packets to the host itself only", "호스트 자신에게 오는 패킷에만 적용됨");
        Some(diagnostic.label(policy, remark).help(self.way_out()))
    }

    /// What the user's own rules say by default, where that is to refuse.
    fn default_of_user(&self) -> Option<(Text, Span)> {
        let ruleset = &self.scene.dataplane.node(self.node).ruleset;
        let mut inputs = ruleset.base_chains(Hook::Input).into_iter();
        let (id, _) = inputs.find(|(_, p)| p.kind == ChainKind::Filter && p.policy == Policy::Drop)?;
        let span = self.scene.dataplane.origins.get(ruleset.get(id).origin).span()?;
        let is_ufw = ruleset.chains.iter().any(|chain| chain.name == "ufw-user-input" && !chain.rules.is_empty());
        Some((if is_ufw { "ufw".into() } else { text!("the policy of `INPUT`", "`INPUT`의 기본 정책") }, span))
    }

    fn refuses_by_default(&self, outsider: &Outsider<'_>, outside: &[IpNet]) -> bool {
        let Some(source) = outsider.address(None, outside) else { return false };
        let trace = self.scene.dial(outsider, source, Protocol::Tcp, UNUSED_PORT);
        matches!(trace.outcome.disposition, Disposition::Dropped | Disposition::Rejected(_))
    }

    /// Somebody from these sources who comes to the container.
    fn through(
        &self,
        place: Place<'_>,
        publish: &Publish,
        inside: Option<IpNet>,
        outside: &[IpNet],
    ) -> Option<Outsider<'_>> {
        let (container, port) = (self.scene.namespace(place)?, publish.host_port?);
        let comes = |outsider: &Outsider<'_>| {
            let source = outsider.address(inside, outside)?;
            comes_to(&self.scene.dial(outsider, source, publish.protocol, port), container).then_some(())
        };
        self.scene.outsiders(self.node).into_iter().find(|outsider| comes(outsider).is_some())
    }

    fn explained(
        &self,
        message: Text,
        span: Span,
        remark: Text,
        publish: &Publish,
        outsider: &Outsider<'_>,
    ) -> Diagnostic {
        let mut diagnostic = Diagnostic::new(Code::DockerBypassesFirewall, message).label(span, remark);
        if let Some(span) = publish.origin.span() {
            let network = outsider.network;
            diagnostic = diagnostic.label(
                span,
                text!(
                    "sent on to the container first, also from `{network}`",
                    "그보다 먼저 컨테이너로 보내짐, `{network}`에서 온 것도"
                ),
            );
        }
        diagnostic.help(self.way_out())
    }

    fn way_out(&self) -> Text {
        match &self.host.firewalld {
            Some(firewalld) if (2, 3) <= (firewalld.version.major, firewalld.version.minor) => {
                text!(
                    "publish on 127.0.0.1 or another address of the host, or set `StrictForwardPorts=yes` in firewalld.conf",
                    "127.0.0.1이나 호스트의 특정 주소로만 공개하거나, firewalld.conf에 `StrictForwardPorts=yes`를 두십시오"
                )
            }
            Some(_) => text!(
                "publish on 127.0.0.1 or another address of the host, or filter in the chain `DOCKER-USER`",
                "127.0.0.1이나 호스트의 특정 주소로만 공개하거나, `DOCKER-USER` 체인에서 거르십시오"
            ),
            None => text!(
                "publish on 127.0.0.1 or another address of the host, or filter in the chain `DOCKER-USER`, which sees \
                 the container's port",
                "127.0.0.1이나 호스트의 특정 주소로만 공개하거나, `DOCKER-USER` 체인에서 거르십시오. 그 체인에는 컨테이너의 \
                 포트가 보입니다"
            ),
        }
    }
}

/// The remark at a rule of the input chain.
fn only_own() -> Text {
    text!("only sees packets to the host itself", "호스트 자신에게 오는 패킷만 봄")
}

fn port(place: Place<'_>, publish: &Publish) -> Text {
    let (port, name) = (publish.host_port.unwrap_or(publish.container_port), &place.container.name);
    text!("port {port} of `{name}`", "`{name}`의 {port}번 포트")
}
