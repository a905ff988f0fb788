//! Zone files: `/etc/firewalld/zones/NAME.xml`.

use crate::frontend::xml::Element;
use crate::lab::declaration::{Declarations, Insertion, ZoneDecl};
use crate::lab::{Content, Declaration, Peers};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

use super::content::{Reader, read_file, required};
use super::schema::Kind;
use super::value;

/// Reads a zone file; `name` is its file name without `.xml`, with its directory in front if the zone is put together
/// from several files (firewalld.zones(5), "zones in subdirectories").
pub fn parse_zone(source: SourceId, name: &str, text: &str) -> Declarations {
    read_file((source, text), (Kind::Zone, "zone"), format!("zone `{name}`"), |common, root| {
        let mut reader = ZoneReader { zone: empty(name, root), common };
        reader.attributes(root);
        root.children().for_each(|element| reader.element(element));
        reader.finish();
    })
}

fn empty(name: &str, root: Element<'_, '_>) -> ZoneDecl {
    ZoneDecl {
        name: Spanned::new(name.to_owned(), root.tag()),
        target: None,
        interfaces: Vec::new(),
        sources: Vec::new(),
        priorities: (None, None),
        is_stock: false,
        forward: false,
        services: Vec::new(),
        content: Content::default(),
        port_at: Some(port_at(root)),
        span: root.tag(),
    }
}

struct ZoneReader<'r> {
    zone: ZoneDecl,
    common: &'r mut Reader,
}

impl ZoneReader<'_> {
    fn attributes(&mut self, root: Element<'_, '_>) {
        if let Some(target) = root.attribute("target") {
            match value::zone_target(target) {
                Ok(value) => self.zone.target = Some(Spanned::new(value, target.span)),
                Err(error) => self.common.refuse(*error),
            }
        }
        self.zone.priorities = (self.priority(root, "ingress-priority"), self.priority(root, "egress-priority"));
    }

    fn priority(&mut self, root: Element<'_, '_>, name: &str) -> Option<Spanned<i32>> {
        let text = root.attribute(name)?;
        match text.value.parse().ok().filter(|p| (-32768..=32767).contains(p)) {
            Some(value) => Some(Spanned::new(value, text.span)),
            None => {
                let message =
                    text!("`{value}` is not a priority", "`{value}`: 우선순위가 아닙니다", value = &text.value);
                self.common.refuse(*value::bad(
                    text.span,
                    message,
                    text!("from -32768 to 32767", "-32768부터 32767까지"),
                ));
                None
            }
        }
    }

    fn element(&mut self, element: Element<'_, '_>) {
        match element.name() {
            "forward" => self.zone.forward = true,
            "icmp-block-inversion" => self.common.content.icmp_block_inversion = true,
            "interface" => match required(element, "name").and_then(value::interface) {
                Ok(name) => self.zone.interfaces.push(name),
                Err(error) => self.common.refuse(*error),
            },
            "source" => self.source(element),
            _ => self.common.element(element),
        }
    }

    fn source(&mut self, element: Element<'_, '_>) {
        if let Some(invert) = element.attribute("invert").filter(|i| value::is_yes(i.value)) {
            // firewalld warns and leaves the source out.
            let error = value::bad(
                invert.span,
                text!("a zone cannot be bound to an inverted source", "반전된 소스를 존에 연결할 수 없습니다"),
                text!("left out", "제외함"),
            );
            return self.common.out.diagnostics.push(*error);
        }
        let peers = match (element.attribute("mac"), element.attribute("ipset")) {
            (Some(mac), _) => value::hardware_address(mac),
            (None, Some(ipset)) => Ok(Peers::Set(ipset.value.to_owned(), None)),
            (None, None) => required(element, "address").and_then(value::peers),
        };
        match peers {
            Ok(peers) => self.zone.sources.push(Spanned::new(peers, element.tag())),
            Err(error) => self.common.refuse(*error),
        }
    }

    fn finish(self) {
        let Self { zone, common } = self;
        let zone = ZoneDecl {
            services: std::mem::take(&mut common.services),
            content: std::mem::take(&mut common.content),
            ..zone
        };
        common.out.value.insert(0, Declaration::Zone(zone));
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
