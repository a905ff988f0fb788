//! Service files: `/etc/firewalld/services/NAME.xml` (firewalld.service(5)).

use crate::frontend::xml::Element;
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, ServiceDecl};
use crate::source::{SourceId, Span, Spanned};

use super::content::{port, read_file, required};
use super::schema::Kind;
use super::value::{self, Refused};

/// Reads a service file; `name` is its file name without `.xml`.
pub fn parse_service(source: SourceId, name: &str, text: &str) -> Declarations {
    read_file((source, text), (Kind::Service, "service"), format!("service `{name}`"), |reader, root| {
        let mut service = empty(name.to_owned(), root.tag());
        for element in root.children() {
            if let Err(error) = read(&mut service, element) {
                reader.refuse(*error);
            }
        }
        reader.out.value.insert(0, Declaration::Service(service));
    })
}

/// A service that opens nothing.
pub(super) fn empty(name: String, span: Span) -> ServiceDecl {
    ServiceDecl {
        name: Spanned::new(name, span),
        is_stock: false,
        ports: Vec::new(),
        protocols: Vec::new(),
        source_ports: Vec::new(),
        includes: Vec::new(),
        destinations: Vec::new(),
        span,
    }
}

fn read(service: &mut ServiceDecl, element: Element<'_, '_>) -> Result<(), Refused> {
    match element.name() {
        // Without a port it is the protocol that is opened.
        "port" if element.attribute("port").is_some_and(|p| p.value.is_empty()) => {
            service.protocols.push(value::protocol(required(element, "protocol")?)?);
        }
        "port" => service.ports.extend(port(element)?),
        "source-port" => service.source_ports.extend(port(element)?),
        "protocol" => service.protocols.push(value::protocol(required(element, "value")?)?),
        "include" => service.includes.push(required(element, "service")?.map(str::to_owned)),
        "destination" => {
            for address in ["ipv4", "ipv6"].into_iter().filter_map(|name| element.attribute(name)) {
                service.destinations.push(value::network(address)?);
            }
        }
        // A helper looks into connections that are open already.
        _ => {}
    }
    Ok(())
}
