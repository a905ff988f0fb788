//! In the way: rules that the user gives to iptables or ufw.

use crate::dataplane::Hook;
use crate::diagnostic::Code;
use crate::lab::iptables::{Condition, IptablesChange, IptablesCommand, IptablesRule, IptablesTable, RuleTarget};
use crate::lab::{Host, HostEvent, HostId, Lab};
use crate::language::{Text, text};
use crate::net::{Family, PortRange};
use crate::provenance::Origin;
use crate::source::Span;

use super::{Obstacle, Scene, Stop, edit};

pub(super) fn obstacles(scene: &Scene<'_>) -> Vec<Obstacle> {
    let mut seen = Vec::new();
    let mut all = Vec::new();
    for stop in &scene.stops {
        let host = scene.lab.host(stop.host);
        let lines: Vec<&IptablesCommand> = host.rules.iter().flatten().filter(|c| c.span == stop.span).collect();
        if lines.is_empty() || seen.contains(&(stop.span, stop.header.destination_port)) {
            continue;
        }
        seen.push((stop.span, stop.header.destination_port));
        let place = Place { scene, stop, host };
        if scene.sources.text(stop.span).split_whitespace().any(|word| word == "ufw") {
            all.push(place.allow());
        } else if let [line] = lines.as_slice()
            && line.table == IptablesTable::Filter
        {
            all.extend(place.accept(line));
            all.extend(place.remove(line));
        }
    }
    all
}

struct Place<'a> {
    scene: &'a Scene<'a>,
    stop: &'a Stop,
    host: &'a Host,
}

impl Place<'_> {
    fn rule(&self, interface: Option<&str>) -> IptablesRule {
        let header = &self.stop.header;
        let port = PortRange::single(header.destination_port);
        let mut conditions: Vec<Condition> =
            interface.map(|i| Condition::InInterface(i.to_owned())).into_iter().collect();
        conditions.extend([Condition::Protocol(header.protocol), Condition::DestinationPort(port)]);
        IptablesRule { conditions, target: RuleTarget::Accept }
    }

    /// The rules with another line in the end.
    fn added(&self, change: IptablesChange) -> Box<dyn Fn(&mut Lab)> {
        let (id, span): (HostId, Span) = (self.stop.host, self.stop.span);
        Box::new(move |lab| {
            let Some(host) = lab.hosts.get_mut(id.0) else { return };
            let command =
                IptablesCommand { family: Family::V4, table: IptablesTable::Filter, change: change.clone(), span };
            host.events.push(HostEvent::UserRules(host.rules.len()));
            host.rules.push(vec![command]);
        })
    }

    /// ufw: whoever comes from a bridge of docker's gets a rule for that bridge.
    fn allow(&self) -> Obstacle {
        let (protocol, port) = (self.stop.header.protocol, self.stop.header.destination_port);
        let bridges = self.host.engine.iter().flat_map(|e| e.bridges()).map(|n| &n.bridge);
        let bridge = self.stop.interface.as_ref().filter(|name| bridges.into_iter().any(|b| b == *name));
        let is_forwarded = self.stop.hook == Hook::Forward;
        let command = match bridge {
            Some(name) if !is_forwarded => format!("ufw allow in on {name} to any port {port} proto {protocol}"),
            _ if is_forwarded => format!("ufw route allow proto {protocol} to any port {port}"),
            _ => format!("ufw allow {port}/{protocol}"),
        };
        let chain = if is_forwarded { "ufw-user-forward" } else { "ufw-user-input" };
        let interface = bridge.filter(|_| !is_forwarded).map(String::as_str);
        let rule = self.rule(interface);
        Obstacle {
            weight: 12,
            code: Code::Dropped,
            blocker: text!(
                "ufw on `{host}` lets nothing in to port {port}/{protocol}",
                "`{host}`의 ufw가 {port}/{protocol} 포트로 아무것도 들여보내지 않습니다",
                host = &self.host.name
            ),
            shown: Origin::written("ufw", self.stop.span),
            edit: edit(
                text!(
                    "allow {port}/{protocol} in ufw on `{host}`",
                    "`{host}`의 ufw에서 {port}/{protocol} 포트 허용",
                    host = &self.host.name
                ),
                self.scene.behind_command(self.stop.span, &["ufw"], &command),
                || command.clone(),
            ),
            moves_target: false,
            clear: self.added(IptablesChange::Append(chain.to_owned(), rule)),
        }
    }

    fn blocker(&self) -> Text {
        let line = self.scene.sources.text(self.stop.span);
        text!(
            "`{host}` stops {header}: `{line}`",
            "`{host}`에서 막힙니다: {header}. `{line}`",
            host = &self.host.name,
            header = self.stop.header
        )
    }

    /// A rule in front that lets this port through.
    fn accept(&self, line: &IptablesCommand) -> Option<Obstacle> {
        let (protocol, port) = (self.stop.header.protocol, self.stop.header.destination_port);
        let chain = chain_of(&line.change)?;
        let command = format!("iptables -I {chain} -p {protocol} --dport {port} -j ACCEPT");
        let text = self.scene.sources.text(self.stop.span);
        let place = self.scene.behind_command(self.stop.span, &["iptables"], &command).or_else(|| {
            let at = Span::new(self.stop.span.source, self.stop.span.start, self.stop.span.start);
            let saved = format!("-A {chain} -p {protocol} -m {protocol} --dport {port} -j ACCEPT\n");
            text.starts_with("-A ").then_some((at, saved))
        });
        Some(Obstacle {
            weight: 13,
            code: Code::Dropped,
            blocker: self.blocker(),
            shown: Origin::written(text!("this rule", "이 규칙"), self.stop.span),
            edit: edit(
                text!(
                    "accept port {port}/{protocol} in `{chain}` first",
                    "`{chain}` 체인 맨 앞에서 {port}/{protocol} 포트 허용"
                ),
                place,
                || command,
            ),
            moves_target: false,
            clear: self.added(IptablesChange::Insert(chain.to_owned(), 1, self.rule(None))),
        })
    }

    /// Without the line. One that is about this port alone goes more easily than one that guards others as well.
    fn remove(&self, line: &IptablesCommand) -> Option<Obstacle> {
        let rule = match &line.change {
            IptablesChange::Append(_, rule) | IptablesChange::Insert(_, _, rule) => rule,
            _ => return None,
        };
        let port = self.stop.header.destination_port;
        let names_it = |condition: &Condition| match condition {
            Condition::DestinationPort(ports) => ports.count() == 1 && ports.contains(port),
            Condition::OriginalDestinationPort(ports) => ports.count() == 1,
            _ => false,
        };
        let (id, span) = (self.stop.host, self.stop.span);
        let text = self.scene.sources.text(span).to_owned();
        Some(Obstacle {
            weight: if rule.conditions.iter().any(names_it) { 12 } else { 22 },
            code: Code::Dropped,
            blocker: self.blocker(),
            shown: Origin::written(text!("this rule", "이 규칙"), span),
            edit: edit(
                text!("remove `{text}`", "`{text}` 줄 지우기"),
                Some((self.whole_line(), String::new())),
                String::new,
            ),
            moves_target: false,
            clear: Box::new(move |lab| {
                let host = lab.hosts.get_mut(id.0);
                host.into_iter().flat_map(|h| &mut h.rules).for_each(|batch| batch.retain(|c| c.span != span));
            }),
        })
    }

    /// The line with its end, if nothing else stands on it.
    fn whole_line(&self) -> Span {
        let span = self.stop.span;
        let text = &self.scene.sources.get(span.source).text;
        let before = text.get(..span.start).unwrap_or_default();
        let start = before.rfind('\n').map_or(0, |at| at + 1);
        let is_alone = before.get(start..).is_some_and(|indent| indent.trim().is_empty())
            && text.get(span.end..).is_some_and(|rest| rest.starts_with('\n'));
        if is_alone { Span::new(span.source, start, span.end + 1) } else { span }
    }
}

fn chain_of(change: &IptablesChange) -> Option<&str> {
    match change {
        IptablesChange::Append(chain, _) | IptablesChange::Insert(chain, _, _) | IptablesChange::Policy(chain, _) => {
            Some(chain)
        }
        _ => None,
    }
}
