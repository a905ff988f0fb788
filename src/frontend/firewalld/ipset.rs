//! ipset files: `/etc/firewalld/ipsets/NAME.xml` (firewalld.ipset(5)).

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::xml::Element;
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, IpSetDecl};
use crate::language::text;
use crate::net::IpNet;
use crate::source::{SourceId, Span, Spanned};

use super::content::{Reader, read_file};
use super::schema::Kind;
use super::value::{self, bad};

/// The types that there are (`IPSET_TYPES` in firewall/core/ipset.py).
const TYPES: [&str; 11] = [
    "hash:ip",
    "hash:ip,port",
    "hash:ip,port,ip",
    "hash:ip,port,net",
    "hash:ip,mark",
    "hash:net",
    "hash:net,net",
    "hash:net,port",
    "hash:net,port,net",
    "hash:net,iface",
    "hash:mac",
];

/// Reads an ipset file; `name` is its file name without `.xml`.
pub fn parse_ipset(source: SourceId, name: &str, text: &str) -> Declarations {
    read_file((source, text), (Kind::IpSet, "ipset"), format!("ipset `{name}`"), |reader, root| {
        let Some(kind) = root.attribute("type") else { return };
        let mut set = match empty(name.to_owned(), kind, root.tag()) {
            Ok(set) => set,
            Err(error) => return reader.refuse(*error),
        };
        for element in root.children() {
            match element.name() {
                "entry" => add(&mut set, element, reader),
                // Entries with a time limit come from somewhere else.
                "option" if element.attribute("name").is_some_and(|n| n.value == "timeout") => set.entries = None,
                _ => {}
            }
        }
        reader.out.value.insert(0, Declaration::FirewalldIpSet(set));
    })
}

/// A set without entries. Only addresses and networks have a model.
pub(super) fn empty(name: String, kind: Spanned<&str>, span: Span) -> Result<IpSetDecl, value::Refused> {
    if !TYPES.contains(&kind.value) {
        return Err(bad(
            kind.span,
            text!("`{kind}` is not a type of ipsets", "`{kind}`: ipset의 종류가 아닙니다", kind = &kind.value),
            text!("firewalld refuses this", "firewalld가 거부함"),
        ));
    }
    let entries = matches!(kind.value, "hash:ip" | "hash:net").then(Vec::new);
    Ok(IpSetDecl { name: Spanned::new(name, span), is_stock: false, entries, span })
}

fn add(set: &mut IpSetDecl, element: Element<'_, '_>, reader: &mut Reader) {
    let Some(entries) = &mut set.entries else { return };
    match entry(element.text()) {
        Some(nets) => entries.extend(nets),
        None => {
            // firewalld warns and goes on without the entry.
            let message = text!(
                "`{entry}` is not an entry of this ipset",
                "`{entry}`: 이 ipset의 항목이 아닙니다",
                entry = &element.text()
            );
            reader.out.diagnostics.push(
                Diagnostic::new(Code::BadAddress, message)
                    .label(element.span(), text!("an address or a network is wanted", "주소나 네트워크가 필요함")),
            );
        }
    }
}

/// An address, a network, or a range of addresses.
pub(super) fn entry(text: &str) -> Option<Vec<IpNet>> {
    let text = text.trim();
    value::parse_network(text).map(|net| vec![net]).or_else(|| value::range(text))
}
