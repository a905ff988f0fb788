//! Zone files: `/etc/firewalld/zones/NAME.xml`.

use crate::frontend::xml::{self, Element};
use crate::lab::declaration::{Declarations, Insertion, ZoneDecl};
use crate::lab::{Content, Declaration};
use crate::source::{SourceId, Span, Spanned};

use super::content::{Known, Reader, required};
use super::value;

/// Reads a zone file; `name` is its file name without `.xml`.
pub fn parse_zone(source: SourceId, name: &str, text: &str) -> Declarations {
    let document = match xml::parse(source, text) {
        Ok(document) => document,
        Err(error) => return Declarations { value: Vec::new(), diagnostics: vec![*error] },
    };
    let root = Element::root(&document, source);
    if root.name() != "zone" {
        let error = value::bad(root.tag(), "this is not a zone file", "the outermost element should be `zone`");
        return Declarations { value: Vec::new(), diagnostics: vec![*error] };
    }
    let mut reader = ZoneReader { zone: empty(name, root), common: Reader::new(format!("zone `{name}`")) };
    reader.attributes(root);
    root.children().for_each(|element| reader.element(element));
    reader.finish()
}

fn empty(name: &str, root: Element<'_, '_>) -> ZoneDecl {
    ZoneDecl {
        name: Spanned::new(name.to_owned(), root.tag()),
        target: None,
        interfaces: Vec::new(),
        sources: Vec::new(),
        forward: false,
        services: Vec::new(),
        content: Content::default(),
        port_at: Some(port_at(root)),
        span: root.tag(),
    }
}

struct ZoneReader {
    zone: ZoneDecl,
    common: Reader,
}

impl ZoneReader {
    fn attributes(&mut self, root: Element<'_, '_>) {
        if let Some(target) = root.attribute("target") {
            match value::zone_target(target) {
                Ok(value) => self.zone.target = Some(Spanned::new(value, target.span)),
                Err(error) => self.common.out.diagnostics.push(*error),
            }
        }
        // Priorities of zones came with firewalld 2.0; 0 is the order of before.
        for name in ["priority", "ingress-priority", "egress-priority"] {
            if let Some(priority) = root.attribute(name).filter(|p| p.value != "0") {
                self.common.unmodeled(format!("`{name}`"), priority.span);
            }
        }
    }

    fn element(&mut self, element: Element<'_, '_>) {
        match element.name() {
            "forward" => self.zone.forward = true,
            "icmp-block-inversion" => self.common.content.icmp_block_inversion = true,
            "interface" => match required(element, "name") {
                Ok(name) => self.zone.interfaces.push(name.map(str::to_owned)),
                Err(error) => self.common.out.diagnostics.push(*error),
            },
            "source" => self.source(element),
            _ => {
                if self.common.element(element) == Known::No {
                    self.common.unknown(element);
                }
            }
        }
    }

    fn source(&mut self, element: Element<'_, '_>) {
        if let Some(ipset) = element.attribute("ipset") {
            return self.common.unmodeled(format!("the ipset `{}` as source", ipset.value), ipset.span);
        }
        if let Some(invert) = element.attribute("invert") {
            // firewalld warns and leaves the source out.
            let error = value::bad(invert.span, "a zone cannot be bound to an inverted source", "left out");
            return self.common.out.diagnostics.push(*error);
        }
        let address = match element.attribute("mac") {
            Some(mac) => Ok(mac),
            None => required(element, "address"),
        };
        match address {
            Ok(address) if value::is_mac_or_ipset(address.value) => {
                self.common.unmodeled(format!("the hardware address `{}` as source", address.value), address.span);
            }
            Ok(address) => match value::network(address) {
                Ok(net) => self.zone.sources.push(Spanned::new(net, element.tag())),
                Err(error) => self.common.out.diagnostics.push(*error),
            },
            Err(error) => self.common.out.diagnostics.push(*error),
        }
    }

    fn finish(self) -> Declarations {
        let Self { zone, common } = self;
        let mut out = common.out;
        let zone = ZoneDecl { services: common.services, content: common.content, ..zone };
        out.value.insert(0, Declaration::Zone(zone));
        out
    }
}

/// A line of its own in front of `</zone>`.
fn port_at(zone: Element<'_, '_>) -> Insertion {
    let inner = zone.children().next().map_or("  ", Element::indentation);
    let Some(closing) = zone.closing_tag() else {
        let at = zone.self_closing().unwrap_or(zone.tag().after());
        return Insertion { at, before: format!(">\n{inner}<port "), after: "/>\n</zone>".to_owned() };
    };
    let place = Span::new(closing.source, closing.start, closing.start);
    if zone.tag().end == closing.start || zone.children().next().is_none() {
        return Insertion { at: place, before: "<port ".to_owned(), after: "/>".to_owned() };
    }
    Insertion { at: place, before: format!("{inner}<port "), after: "/>\n".to_owned() }
}
