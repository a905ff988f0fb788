//! Service files: `/etc/firewalld/services/NAME.xml` (firewalld.service(5)).

use crate::frontend::xml::{self, Element};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, ServiceDecl};
use crate::source::{SourceId, Spanned};

use super::content::{Reader, port, required};
use super::value::{self, Refused};

/// Reads a service file; `name` is its file name without `.xml`.
pub fn parse_service(source: SourceId, name: &str, text: &str) -> Declarations {
    let document = match xml::parse(source, text) {
        Ok(document) => document,
        Err(error) => return Declarations { value: Vec::new(), diagnostics: vec![*error] },
    };
    let root = Element::root(&document, source);
    if root.name() != "service" {
        let error = value::bad(root.tag(), "this is not a service file", "the outermost element should be `service`");
        return Declarations { value: Vec::new(), diagnostics: vec![*error] };
    }
    let mut reader = Reader::new(format!("service `{name}`"));
    let mut service = ServiceDecl {
        name: Spanned::new(name.to_owned(), root.tag()),
        ports: Vec::new(),
        includes: Vec::new(),
        destinations: Vec::new(),
        span: root.tag(),
    };
    for element in root.children() {
        if let Err(error) = read(&mut reader, &mut service, element) {
            reader.out.diagnostics.push(*error);
        }
    }
    reader.out.value.insert(0, Declaration::Service(service));
    reader.out
}

fn read(reader: &mut Reader, service: &mut ServiceDecl, element: Element<'_, '_>) -> Result<(), Refused> {
    match element.name() {
        // A helper looks into connections that are open already.
        "short" | "description" | "module" | "helper" => {}
        "port" => service.ports.extend(port(element)?),
        "include" => service.includes.push(required(element, "service")?.map(str::to_owned)),
        "destination" => {
            for address in ["ipv4", "ipv6", "address"].into_iter().filter_map(|name| element.attribute(name)) {
                service.destinations.push(value::network(address)?);
            }
        }
        "protocol" | "source-port" => reader.unmodeled(format!("`{}`", element.name()), element.tag()),
        _ => reader.unknown(element),
    }
    Ok(())
}
