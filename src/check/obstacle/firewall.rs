//! In the way of packets that firewalld sees: another zone, a rule that denies, a policy, answers that find no way back.

use crate::dataplane::Hook;
use crate::diagnostic::Code;
use crate::lab::{Entry, Firewalld, Host, HostId, Lab, Policy, RichAction, RichElement, RichRule, Target, Zone};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::Span;

use super::{Obstacle, Scene, blamed, edit};

pub(super) fn obstacles(scene: &Scene<'_>) -> Vec<Obstacle> {
    let mut all = Vec::new();
    for (id, host) in scene.hosts() {
        let Some(firewalld) = &host.firewalld else { continue };
        let place = Place { scene, id, host, firewalld };
        all.extend(place.strict());
        for (name, zone) in &firewalld.zones {
            all.extend(place.other_zone(name, zone));
            all.extend(place.unanswered(name, zone));
            all.extend(place.denied(name, zone));
        }
        for (name, policy) in &firewalld.policies {
            all.extend(place.policy(name, policy));
        }
    }
    all
}

struct Place<'a> {
    scene: &'a Scene<'a>,
    id: HostId,
    host: &'a Host,
    firewalld: &'a Firewalld,
}

impl Place<'_> {
    fn change(&self, change: impl Fn(&mut Firewalld) + 'static) -> Box<dyn Fn(&mut Lab)> {
        let id = self.id;
        Box::new(move |lab| {
            lab.hosts.get_mut(id.0).and_then(|h| h.firewalld.as_mut()).into_iter().for_each(&change);
        })
    }

    fn change_zone(&self, name: &str, change: impl Fn(&mut Zone) + 'static) -> Box<dyn Fn(&mut Lab)> {
        let name = name.to_owned();
        self.change(move |firewalld| firewalld.zones.get_mut(&name).into_iter().for_each(&change))
    }

    fn strict(&self) -> Option<Obstacle> {
        let at = self.firewalld.strict_at.filter(|_| self.firewalld.strict_forward_ports)?;
        let place = self.scene.swapped(at, "yes", "no").or_else(|| self.scene.swapped(at, "true", "false"));
        Some(Obstacle {
            weight: 16,
            code: Code::FirewallFiltered,
            blocker: format!(
                "firewalld on `{}` lets through its own forwards only (StrictForwardPorts), not docker's",
                self.host.name
            ),
            shown: Origin::written("StrictForwardPorts", at),
            edit: edit("set StrictForwardPorts=no and reload firewalld".to_owned(), place, || {
                "set StrictForwardPorts=no in /etc/firewalld/firewalld.conf and reload firewalld".to_owned()
            }),
            moves_target: false,
            clear: self.change(|firewalld| firewalld.strict_forward_ports = false),
        })
    }

    /// The port is open in a zone that no interface of the host is in.
    fn other_zone(&self, name: &str, zone: &Zone) -> Vec<Obstacle> {
        let Some(port) = self.scene.port else { return Vec::new() };
        let protocol = self.scene.protocol;
        let Some(opened) = opener(zone, protocol, port).filter(|origin| origin.span().is_some()) else {
            return Vec::new();
        };
        let is_in = |interface: &str| zone.interfaces.iter().any(|i| i.value == interface);
        let is_default = self.firewalld.default_zone == name;
        let elsewhere = self.host.interfaces.iter().map(|i| i.name.clone());
        let elsewhere = elsewhere.filter(|i| !is_in(i) && (!is_default || self.zone_of(i).is_some()));
        elsewhere.map(|interface| self.move_interface(name, interface, opened, port)).collect()
    }

    /// The zone that an interface is bound to.
    fn zone_of(&self, interface: &str) -> Option<&str> {
        let is_bound = |zone: &Zone| zone.interfaces.iter().any(|i| i.value == interface);
        self.firewalld.zones.iter().find(|(_, zone)| is_bound(zone)).map(|(name, _)| name.as_str())
    }

    fn move_interface(&self, name: &str, interface: String, opened: &Origin, port: u16) -> Obstacle {
        let now = self.zone_of(&interface).unwrap_or(&self.firewalld.default_zone);
        let protocol = self.scene.protocol;
        let command = format!("firewall-cmd --zone={name} --change-interface={interface}");
        let at = opened.span().and_then(|span| self.scene.behind_command(span, &["firewall-cmd"], &command));
        let entry = Entry { value: interface.clone(), guard: None, origin: opened.clone() };
        let zone = name.to_owned();
        Obstacle {
            weight: 9,
            code: Code::FirewalldWrongZone,
            blocker: format!("{port}/{protocol} is open in zone `{name}`, but `{interface}` is in zone `{now}`"),
            shown: opened.clone(),
            edit: edit(format!("move `{interface}` to zone `{name}`"), at, || command),
            moves_target: false,
            clear: self.change(move |firewalld| {
                for other in firewalld.zones.values_mut() {
                    other.interfaces.retain(|i| i.value != entry.value);
                }
                firewalld.zones.get_mut(&zone).into_iter().for_each(|z| z.interfaces.push(entry.clone()));
            }),
        }
    }

    /// A forward to another machine whose answers do not come back through this one.
    fn unanswered(&self, name: &str, zone: &Zone) -> Option<Obstacle> {
        let forward = zone.content.forward_ports.iter().find(|f| f.value.to_address.is_some())?;
        if zone.content.masquerade.is_some() {
            return None;
        }
        let command = format!("firewall-cmd --zone={name} --add-masquerade");
        // An open port and masquerading are written at the same place of a zone.
        let in_file = zone.port_at.as_ref().and_then(|i| {
            let text = i.text("@");
            text.contains("<port @/>").then(|| (i.at, text.replace("<port @/>", "<masquerade/>")))
        });
        let place = in_file.or_else(|| {
            forward.origin.span().and_then(|span| self.scene.behind_command(span, &["firewall-cmd"], &command))
        });
        let origin = forward.origin.clone();
        Some(Obstacle {
            weight: 12,
            code: Code::FirewalldForwardUnanswered,
            blocker: format!(
                "firewalld on `{}` forwards the request under the caller's own address: the answer goes past it",
                self.host.name
            ),
            shown: forward.origin.clone(),
            edit: edit(format!("masquerade in zone `{name}`"), place, || command),
            moves_target: false,
            clear: self.change_zone(name, move |zone| zone.content.masquerade = Some(origin.clone())),
        })
    }

    /// Rich rules that deny. One that accepts may go first, or the denying one goes.
    fn denied(&self, name: &str, zone: &Zone) -> Vec<Obstacle> {
        let denies = |e: &&Entry<RichRule>| {
            matches!(e.value.action, RichAction::Drop | RichAction::Reject(_)) && self.scene.is_stop(e.origin.span())
        };
        let rules = &zone.content.rich_rules;
        let mut all = Vec::new();
        for denying in rules.iter().filter(denies) {
            let accepting = rules
                .iter()
                .enumerate()
                .filter(|(_, e)| e.value.action == RichAction::Accept && denying.value.priority <= e.value.priority);
            all.extend(accepting.filter_map(|(index, e)| self.earlier(name, index, e, denying)));
            all.push(self.without(name, denying));
        }
        all
    }

    fn earlier(
        &self,
        zone: &str,
        index: usize,
        accepting: &Entry<RichRule>,
        denying: &Entry<RichRule>,
    ) -> Option<Obstacle> {
        let span = accepting.origin.span()?;
        let priority = denying.value.priority - 1;
        let new = format!("rule priority=\"{priority}\"");
        let place = self.scene.swapped(span, "rule", &new).filter(|_| accepting.value.priority == 0);
        Some(Obstacle {
            weight: 11,
            code: Code::FirewallFiltered,
            blocker: denial(zone, denying),
            shown: denying.origin.clone(),
            edit: edit(
                format!("let the rule that accepts go first in zone `{zone}`: priority {priority}"),
                Some(place?),
                String::new,
            ),
            moves_target: false,
            clear: self.change_zone(zone, move |zone| {
                zone.content.rich_rules.get_mut(index).into_iter().for_each(|e| e.value.priority = priority);
            }),
        })
    }

    fn without(&self, zone: &str, denying: &Entry<RichRule>) -> Obstacle {
        let gone = denying.origin.span();
        Obstacle {
            weight: 20,
            code: Code::FirewallFiltered,
            blocker: denial(zone, denying),
            shown: denying.origin.clone(),
            edit: edit(
                format!("take the rich rule out of zone `{zone}`"),
                gone.map(|span| (self.line(span), String::new())),
                String::new,
            ),
            moves_target: false,
            clear: self.change_zone(zone, move |zone| zone.content.rich_rules.retain(|e| e.origin.span() != gone)),
        }
    }

    /// An element of an XML file up to its end; a command is a line.
    fn line(&self, span: Span) -> Span {
        let text = &self.scene.sources.get(span.source).text;
        let rest = text.get(span.start..).unwrap_or_default();
        match rest.starts_with("<rule").then(|| rest.find("</rule>")).flatten() {
            Some(end) => Span::new(span.source, span.start, span.start + end + "</rule>".len()),
            None => span,
        }
    }

    /// A policy whose target ends what nothing else decided.
    fn policy(&self, name: &str, policy: &Policy) -> Option<Obstacle> {
        let span = policy.origin.span().filter(|_| matches!(policy.target, Target::Drop | Target::Reject))?;
        let stop = self.scene.stops.iter().find(|stop| stop.host == self.id && stop.span == span)?;
        let (protocol, port) = (stop.header.protocol, stop.header.destination_port);
        let command =
            format!("firewall-cmd --permanent --policy={name} --add-port={port}/{protocol} && firewall-cmd --reload");
        let text = &self.scene.sources.get(span.source).text;
        let tag = text.get(span.start..).filter(|rest| rest.starts_with("<policy")).and_then(|rest| rest.find('>'));
        let place = tag.map(|end| {
            let at = Span::new(span.source, span.start + end + 1, span.start + end + 1);
            (at, format!("\n  <port port=\"{port}\" protocol=\"{protocol}\"/>"))
        });
        let way = if stop.hook == Hook::Input { "to the host" } else { "on" };
        let (policy_name, origin) = (name.to_owned(), policy.origin.clone());
        Some(Obstacle {
            weight: 12,
            code: Code::FirewallFiltered,
            blocker: format!("policy `{name}` on `{}` lets nothing {way} that it does not list", self.host.name),
            shown: blamed(format!("policy `{name}`"), &policy.origin),
            edit: edit(format!("open {port}/{protocol} in policy `{name}`"), place, || command),
            moves_target: false,
            clear: self.change(move |firewalld| {
                let value = (protocol, PortRange::single(port));
                let entry = Entry { value, guard: None, origin: origin.clone() };
                let policy = firewalld.policies.get_mut(&policy_name);
                policy.into_iter().for_each(|policy| policy.content.ports.push(entry.clone()));
            }),
        })
    }
}

fn denial(zone: &str, denying: &Entry<RichRule>) -> String {
    let from = denying.value.source.as_ref().map_or(String::new(), |(net, is_not)| {
        if *is_not { format!(" whoever is not {net}") } else { format!(" {net}") }
    });
    format!("zone `{zone}` denies{from}, before it accepts anybody: a rich rule that denies goes first")
}

/// What opens a port in a zone.
fn opener(zone: &Zone, protocol: Protocol, port: u16) -> Option<&Origin> {
    let opens = |(p, ports): &(Protocol, PortRange)| *p == protocol && ports.contains(port);
    let of_ports = zone.content.ports.iter().find(|e| e.guard.is_none() && opens(&e.value)).map(|e| &e.origin);
    let of_services = || zone.content.services.iter().find(|e| e.value.ports.iter().any(opens)).map(|e| &e.origin);
    let of_rules = || {
        let accepts = |e: &&Entry<RichRule>| {
            let is_it = match &e.value.element {
                RichElement::Port(p, ports) => opens(&(*p, *ports)),
                RichElement::Service(service) => service.ports.iter().any(opens),
                _ => false,
            };
            is_it && e.value.action == RichAction::Accept
        };
        zone.content.rich_rules.iter().find(accepts).map(|e| &e.origin)
    };
    of_ports.or_else(of_services).or_else(of_rules)
}
