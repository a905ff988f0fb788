//! Services and ipsets of firewalld by name: what files and commands define, and below it what firewalld ships with.

use std::collections::BTreeMap;

use crate::lab::declaration::{Declaration, IpSetDecl, ServiceChange, ServiceDecl};
use crate::lab::{Content, Peers, RichElement, Service, Zone, firewall_builtin};
use crate::net::{Family, IpNet, Version};
use crate::source::Spanned;

use super::configuration::Configuration;

/// What is defined.
#[derive(Clone)]
pub(super) struct Definitions {
    version: Version,
    pub(super) services: BTreeMap<String, ServiceDecl>,
    pub(super) ipsets: BTreeMap<String, IpSetDecl>,
}

impl Definitions {
    /// What firewalld ships with.
    pub(super) fn stock(version: Version) -> Self {
        Self { version, services: BTreeMap::new(), ipsets: BTreeMap::new() }
    }

    /// Adds what files define; those of /etc replace those of /usr/lib.
    pub(super) fn read<'a>(&mut self, declarations: impl Iterator<Item = &'a Declaration>) {
        for declaration in declarations {
            match declaration {
                Declaration::Service(file) if !file.is_stock || !self.services.contains_key(&file.name.value) => {
                    self.services.insert(file.name.value.clone(), file.clone());
                }
                Declaration::FirewalldIpSet(file) if !file.is_stock || !self.ipsets.contains_key(&file.name.value) => {
                    self.ipsets.insert(file.name.value.clone(), file.clone());
                }
                _ => {}
            }
        }
    }

    /// The service of that name with those that it includes.
    pub(super) fn service(&self, name: &str) -> Option<Service> {
        self.expanded(name, &mut vec![name.to_owned()])
    }

    /// Every service is met once, as in firewalld's `_service` (firewall/core/fw_policy.py).
    fn expanded(&self, name: &str, met: &mut Vec<String>) -> Option<Service> {
        let (mut service, includes) = self.definition(name)?;
        for include in includes {
            if !met.contains(&include) {
                met.push(include.clone());
                service.included.extend(self.expanded(&include, met));
            }
        }
        Some(service)
    }

    fn definition(&self, name: &str) -> Option<(Service, Vec<String>)> {
        if let Some(file) = self.services.get(name) {
            let service = Service {
                name: name.to_owned(),
                ports: file.ports.clone(),
                protocols: file.protocols.clone(),
                source_ports: file.source_ports.clone(),
                destinations: file.destinations.clone(),
                included: Vec::new(),
            };
            return Some((service, file.includes.iter().map(|i| i.value.clone()).collect()));
        }
        let (service, includes) = firewall_builtin::service(name, self.version)?;
        Some((service, includes.into_iter().map(str::to_owned).collect()))
    }

    /// Names of all services.
    pub(super) fn service_names(&self) -> impl Iterator<Item = &str> + '_ {
        let own = self.services.keys().map(String::as_str);
        own.chain(firewall_builtin::services(self.version).map(|name| -> &str { name }))
    }

    /// Makes one change inside a service; whether there is such a service.
    pub(super) fn change_service(&mut self, name: &str, change: &ServiceChange, empty: ServiceDecl) -> bool {
        if !self.services.contains_key(name) {
            let Some((own, includes)) = self.definition(name) else { return false };
            let includes = includes.into_iter().map(|value| Spanned::new(value, empty.span)).collect();
            let Service { ports, protocols, source_ports, destinations, .. } = own;
            let copy = ServiceDecl { ports, protocols, source_ports, destinations, includes, ..empty };
            self.services.insert(name.to_owned(), copy);
        }
        if let Some(service) = self.services.get_mut(name) {
            change_one(service, change);
        }
        true
    }

    /// Puts in what every service and ipset that a configuration names stands for.
    pub(super) fn fill_in(&self, configuration: &mut Configuration) {
        for zone in configuration.zones.values_mut() {
            self.sources(zone);
            self.content(&mut zone.content);
        }
        for policy in configuration.policies.values_mut() {
            self.content(&mut policy.content);
        }
    }

    fn sources(&self, zone: &mut Zone) {
        zone.sources.iter_mut().for_each(|source| self.peers(&mut source.value));
    }

    fn peers(&self, peers: &mut Peers) {
        if let Peers::Set(name, nets) = peers {
            *nets = self.ipsets.get(name).and_then(|set| set.entries.clone());
        }
    }

    fn content(&self, content: &mut Content) {
        for entry in &mut content.services {
            if let Some(known) = self.service(&entry.value.name) {
                entry.value = known;
            }
        }
        for entry in &mut content.rich_rules {
            let rule = &mut entry.value;
            for (peers, _) in rule.source.iter_mut().chain(&mut rule.destination) {
                self.peers(peers);
            }
            if let RichElement::Service(named) = &mut rule.element
                && let Some(known) = self.service(&named.name)
            {
                *named = known;
            }
        }
    }
}

fn change_one(service: &mut ServiceDecl, change: &ServiceChange) {
    match change {
        ServiceChange::Port(add, port) => set(&mut service.ports, *add, *port),
        ServiceChange::SourcePort(add, port) => set(&mut service.source_ports, *add, *port),
        ServiceChange::Protocol(add, number) => set(&mut service.protocols, *add, *number),
        ServiceChange::Include(add, name) => {
            service.includes.retain(|other| other.value != name.value);
            service.includes.extend(add.then(|| name.clone()));
        }
        ServiceChange::Destination(family, net) => {
            service.destinations.retain(|other: &IpNet| Family::of(other.addr()) != *family);
            service.destinations.extend(*net);
        }
    }
}

fn set<T: PartialEq>(list: &mut Vec<T>, add: bool, value: T) {
    list.retain(|other| *other != value);
    if add {
        list.push(value);
    }
}
