//! The elements that zone and policy files have in common (`common_startElement` in firewall/core/io/policy.py).

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::xml::{self, Element};
use crate::lab::declaration::Declarations;
use crate::lab::{Content, Declaration, Entry};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::provenance::Origin;
use crate::source::{SourceId, Span, Spanned};

use super::rich_rule::{self, Outcome};
use super::schema::{self, Kind};
use super::value::{self, ForwardPart, Refused, bad};

/// Reads the common elements of one zone or policy.
pub(super) struct Reader {
    /// The zone or policy, as in "zone `public`".
    owner: String,
    pub(super) content: Content,
    pub(super) services: Vec<Spanned<String>>,
    pub(super) out: Declarations,
}

impl Reader {
    pub(super) fn new(owner: String) -> Self {
        Self { owner, content: Content::default(), services: Vec::new(), out: Declarations::default() }
    }

    /// Keeps a message about something for which firewalld refuses all files of /etc/firewalld.
    pub(super) fn refuse(&mut self, error: Diagnostic) {
        if let Some(label) = error.labels.first() {
            let refused = Spanned::new(format!("{} in {}", error.message, self.owner), label.span);
            self.out.value.push(Declaration::FirewalldRefused(refused));
        }
        self.out.diagnostics.push(error);
    }

    /// Reads an element that zones and policies have in common. The form of the file has been looked at before.
    pub(super) fn element(&mut self, element: Element<'_, '_>) {
        if let Err(error) = self.try_element(element) {
            self.refuse(*error);
        }
    }

    fn try_element(&mut self, element: Element<'_, '_>) -> Result<(), Refused> {
        let span = element.tag();
        match element.name() {
            "service" => self.services.push(required(element, "name")?.map(str::to_owned)),
            kind @ ("port" | "source-port") => {
                let Some((protocol, ports)) = port(element)? else { return Ok(()) };
                let what = format!("{} {ports}/{protocol} opened", kind.replace('-', " "));
                let entry = self.entry((protocol, ports), what, span);
                let list = if kind == "port" { &mut self.content.ports } else { &mut self.content.source_ports };
                list.push(entry);
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
            "rule" => self.rule(element),
            _ => {}
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

    /// A rule that is wrong is left out, and the file still counts (`common_endElement` in firewall/core/io/policy.py).
    fn rule(&mut self, element: Element<'_, '_>) {
        match rich_rule::parse_xml(element) {
            Ok(Outcome::Rule(rule)) => {
                let entry = self.entry(*rule, "rich rule".to_owned(), element.span());
                self.content.rich_rules.push(entry);
            }
            Ok(Outcome::Nothing) => {}
            Ok(Outcome::Unmodeled(what)) => self.unmodeled(what, element.span()),
            Err(error) => self.out.diagnostics.push(*error),
        }
    }

    pub(super) fn unmodeled(&mut self, what: Text, span: Span) {
        let owner = &self.owner;
        let what = text!("{what} in {owner}", "{owner}의 {what}"; what);
        self.out.diagnostics.push(
            Diagnostic::new(Code::Unmodeled, text!("not modelled: {what}", "{what}: 모델에 없음"; what))
                .label(span, text!("could change packets", "패킷을 바꿀 수 있음")),
        );
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what, span)));
    }

    fn origin(&self, what: String, span: Span) -> Origin {
        Origin::written(format!("{what} in {}", self.owner), span)
    }

    fn entry<T>(&self, value: T, what: String, span: Span) -> Entry<T> {
        Entry { value, guard: None, origin: self.origin(what, span) }
    }
}

/// Reads a file whose outermost element is `name`: `read` sees it once nothing is wrong with its form.
pub(super) fn read_file(
    (source, text): (SourceId, &str),
    (kind, name): (Kind, &str),
    owner: String,
    read: impl FnOnce(&mut Reader, Element<'_, '_>),
) -> Declarations {
    let mut reader = Reader::new(owner);
    match xml::parse(source, text) {
        Ok(document) => {
            let root = Element::root(&document, source);
            if root.name() == name {
                if let Err(error) = schema::check(kind, root) {
                    reader.refuse(*error);
                }
                read(&mut reader, root);
            } else {
                let message = text!("this is not a {name} file", "{name} 파일이 아닙니다");
                let label = text!("the outermost element should be `{name}`", "가장 바깥 요소가 `{name}`이어야 함");
                reader.refuse(*bad(root.tag(), message, label));
            }
        }
        Err(error) => reader.refuse(*error),
    }
    reader.out
}

/// Attribute that firewalld insists on.
pub(super) fn required<'a>(element: Element<'a, '_>, name: &str) -> Result<Spanned<&'a str>, Refused> {
    element.attribute(name).ok_or_else(|| {
        bad(
            element.tag(),
            text!("`{element}` without `{name}`", "`{element}`에 `{name}`이(가) 없습니다", element = &element.name()),
            text!("firewalld refuses the whole file", "firewalld가 파일 전체를 거부함"),
        )
    })
}

/// `port` and `protocol`; nothing when the transport has no ports that are modelled.
pub(super) fn port(element: Element<'_, '_>) -> Result<Option<(Protocol, PortRange)>, Refused> {
    let ports = value::ports(required(element, "port")?)?;
    let protocol = value::transport(required(element, "protocol")?)?;
    Ok(protocol.map(|protocol| (protocol, ports)))
}
