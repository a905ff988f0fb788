//! The elements that zone and policy files have in common (`common_startElement` in firewall/core/io/policy.py).

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::xml::{self, Element};
use crate::lab::declaration::Declarations;
use crate::lab::{Content, Declaration, Entry};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{Span, Spanned};

use super::rich_rule::{self, Outcome};
use super::value::{self, ForwardPart, Refused, bad};

/// Reads the common elements of one zone or policy.
pub(super) struct Reader {
    /// The zone or policy, as in "zone `public`".
    owner: String,
    pub(super) content: Content,
    pub(super) services: Vec<Spanned<String>>,
    pub(super) out: Declarations,
}

/// Whether an element was one of the common ones.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Known {
    Yes,
    No,
}

impl Reader {
    pub(super) fn new(owner: String) -> Self {
        Self { owner, content: Content::default(), services: Vec::new(), out: Declarations::default() }
    }

    /// Reads an element if it is one of the common ones.
    pub(super) fn element(&mut self, element: Element<'_, '_>) -> Known {
        if let Err(error) = self.try_element(element) {
            return match error {
                Some(error) => {
                    self.out.diagnostics.push(*error);
                    // Observed: firewalld 2.5.2 then starts with the configuration that it ships with, and none of the
                    // files counts; 1.3.3 leaves out a rich rule alone.
                    let what =
                        format!("`{}` that makes firewalld fall back to its stock configuration", element.name());
                    self.out.value.push(Declaration::Unmodeled(Spanned::new(what, element.tag())));
                    Known::Yes
                }
                None => Known::No,
            };
        }
        Known::Yes
    }

    /// The error is absent if the element is none of the common ones.
    fn try_element(&mut self, element: Element<'_, '_>) -> Result<(), Option<Refused>> {
        let span = element.tag();
        match element.name() {
            "short" | "description" => {}
            "service" => self.services.push(required(element, "name")?.map(str::to_owned)),
            "port" => {
                if let Some((protocol, ports)) = port(element)? {
                    let entry = self.entry((protocol, ports), format!("port {ports}/{protocol} opened"), span);
                    self.content.ports.push(entry);
                }
            }
            "source-port" => {
                if let Some((protocol, ports)) = port(element)? {
                    let entry = self.entry((protocol, ports), format!("source port {ports}/{protocol} opened"), span);
                    self.content.source_ports.push(entry);
                }
            }
            "protocol" => {
                let text = required(element, "value")?;
                let entry = self.entry(value::protocol(text)?, format!("protocol `{}` opened", text.value), span);
                self.content.protocols.push(entry);
            }
            "masquerade" => self.content.masquerade = Some(self.origin("masquerading".to_owned(), span)),
            "icmp-block" => {
                let name = required(element, "name")?.value.to_owned();
                let what = format!("ICMP type `{name}` blocked");
                let entry = self.entry(name, what, span);
                self.content.icmp_blocks.push(entry);
            }
            "forward-port" => self.forward_port(element)?,
            "rule" => self.rule(element)?,
            _ => return Err(None),
        }
        Ok(())
    }

    fn forward_port(&mut self, element: Element<'_, '_>) -> Result<(), Refused> {
        let forward = value::forward_port(element.tag(), |wanted| {
            let name = match wanted {
                ForwardPart::Port => "port",
                ForwardPart::Protocol => "protocol",
                ForwardPart::ToPort => "to-port",
                ForwardPart::ToAddress => "to-addr",
            };
            element.attribute(name).map(|v| v.map(str::to_owned))
        })?;
        if let Some(forward) = forward {
            let what = format!("port {}/{} forwarded", forward.ports, forward.protocol);
            let entry = self.entry(forward, what, element.tag());
            self.content.forward_ports.push(entry);
        }
        Ok(())
    }

    fn rule(&mut self, element: Element<'_, '_>) -> Result<(), Refused> {
        match rich_rule::parse_xml(element)? {
            Outcome::Rule(rule) => {
                let entry = self.entry(*rule, "rich rule".to_owned(), element.span());
                self.content.rich_rules.push(entry);
            }
            Outcome::Nothing => {}
            Outcome::Unmodeled(what) => self.unmodeled(what, element.span()),
        }
        Ok(())
    }

    pub(super) fn unmodeled(&mut self, what: String, span: Span) {
        let what = format!("{what} in {}", self.owner);
        self.out.diagnostics.push(
            Diagnostic::new(Code::Unmodeled, format!("not modelled: {what}")).label(span, "could change packets"),
        );
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
    }

    pub(super) fn unknown(&mut self, element: Element<'_, '_>) {
        let name = Spanned::new(element.name(), element.tag());
        self.out.diagnostics.push(xml::unknown("element", name, &self.owner.replace('`', "")));
    }

    fn origin(&self, what: String, span: Span) -> Origin {
        Origin::written(format!("{what} in {}", self.owner), span)
    }

    fn entry<T>(&self, value: T, what: String, span: Span) -> Entry<T> {
        Entry { value, guard: None, origin: self.origin(what, span) }
    }
}

/// Attribute that firewalld insists on.
pub(super) fn required<'a>(element: Element<'a, '_>, name: &str) -> Result<Spanned<&'a str>, Refused> {
    element.attribute(name).ok_or_else(|| {
        bad(element.tag(), format!("`{}` without `{name}`", element.name()), "firewalld refuses the whole file")
    })
}

/// `port` and `protocol`; nothing when the transport has no ports that are modelled.
pub(super) fn port(element: Element<'_, '_>) -> Result<Option<(Protocol, PortRange)>, Refused> {
    let ports = value::ports(required(element, "port")?)?;
    let protocol = value::transport(required(element, "protocol")?)?;
    Ok(protocol.map(|protocol| (protocol, ports)))
}
