//! The notation `[[ip:]host:]container[/protocol]` of `docker run -p` and of compose's `ports:`.
//!
//! Follows `ParsePortSpec` of github.com/docker/go-connections (nat/nat.go, v0.5), which both products use.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::declaration::PublishDecl;
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::source::Span;

/// Reads one item. `span` is the place of `text`; when both are equally long, errors point at the wrong part alone.
///
/// # Errors
/// When docker would refuse the item.
pub fn parse(text: &str, span: Span) -> Result<PublishDecl, Box<Diagnostic>> {
    let item = Item { text, span };
    let (rest, container) = text.rsplit_once(':').map_or((None, text), |(rest, last)| (Some(rest), last));
    let (address, host) = match rest.map(|rest| rest.rsplit_once(':').map_or((None, rest), |(a, h)| (Some(a), h))) {
        Some((address, host)) => (address, host),
        None => (None, ""),
    };
    let (container, protocol) = container.split_once('/').unwrap_or((container, ""));
    if container.is_empty() {
        return Err(no_container_port(item));
    }
    let protocol = self::protocol(item, protocol)?;
    let container_ports = container_ports(item, container)?;
    let host_ports = if host.is_empty() { None } else { host_ports(item, host)? };
    check_lengths(item, host, host_ports, container_ports)?;
    let host_address = address.map_or(Ok(None), |a| self::address(item, a))?;
    Ok(PublishDecl { host_address, host_ports, container_ports, protocol, span })
}

/// Reads `8000` or `8000-8010`; nothing when it is neither or the wrong way round.
pub fn port_range(text: &str) -> Option<PortRange> {
    match text.split_once('-') {
        Some((first, last)) => PortRange::new(port(first)?, port(last)?),
        None => port(text).map(PortRange::single),
    }
}

/// Reads the protocols that docker can publish; nothing written means TCP.
pub fn published_protocol(text: &str) -> Option<Protocol> {
    match text.to_ascii_lowercase().as_str() {
        "" | "tcp" => Some(Protocol::Tcp),
        "udp" => Some(Protocol::Udp),
        "sctp" => Some(Protocol::Sctp),
        _ => None,
    }
}

/// One port. Go's `ParseUint` takes digits only, Rust's `parse` would also take `+80`.
fn port(text: &str) -> Option<u16> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
}

#[derive(Clone, Copy)]
struct Item<'a> {
    text: &'a str,
    span: Span,
}

impl Item<'_> {
    /// The place of `part`, which must be a slice of the item's text.
    fn span_of(self, part: &str) -> Span {
        let offset = part.as_ptr().addr().wrapping_sub(self.text.as_ptr().addr());
        let is_literal = self.span.end - self.span.start == self.text.len();
        if !is_literal || self.text.len() < offset.saturating_add(part.len()) {
            return self.span;
        }
        Span::new(self.span.source, self.span.start + offset, self.span.start + offset + part.len())
    }
}

fn protocol(item: Item<'_>, text: &str) -> Result<Protocol, Box<Diagnostic>> {
    published_protocol(text).ok_or_else(|| {
        Box::new(
            Diagnostic::new(Code::BadPort, not_publishable(text))
                .label(item.span_of(text), text!("neither tcp, udp nor sctp", "tcp, udp, sctp가 아님")),
        )
    })
}

/// What is said of a protocol that docker does not publish.
pub(super) fn not_publishable(protocol: &str) -> Text {
    text!(
        "`{protocol}` is not a protocol that can be published",
        "`{protocol}`은(는) 게시할 수 있는 프로토콜이 아닙니다"
    )
}

fn container_ports(item: Item<'_>, text: &str) -> Result<PortRange, Box<Diagnostic>> {
    let ports = port_range(text).ok_or_else(|| bad_port(item, text))?;
    if ports.first == 0 { Err(bad_port(item, text)) } else { Ok(ports) }
}

/// Port 0 on the host means an ephemeral one, like no port at all.
fn host_ports(item: Item<'_>, text: &str) -> Result<Option<PortRange>, Box<Diagnostic>> {
    let ports = port_range(text).ok_or_else(|| bad_port(item, text))?;
    Ok((ports != PortRange::single(0)).then_some(ports))
}

/// A range on the host for one container port is allowed: docker takes a free port out of it.
fn check_lengths(
    item: Item<'_>,
    host_text: &str,
    host: Option<PortRange>,
    container: PortRange,
) -> Result<(), Box<Diagnostic>> {
    let Some(host) = host else { return Ok(()) };
    if container.count() == 1 || host.count() == container.count() {
        return Ok(());
    }
    let counts = text!(
        "{outside} ports on the host for {inside} in the container",
        "호스트 포트 {outside}개, 컨테이너 포트 {inside}개",
        outside = host.count(),
        inside = container.count()
    );
    let message = text!(
        "the port ranges of `{written}` differ in length",
        "`{written}`: 두 포트 범위의 길이가 다릅니다",
        written = item.text
    );
    Err(Box::new(
        Diagnostic::new(Code::BadPort, message)
            .label(item.span_of(host_text), counts)
            .help(text!("both ranges must have the same number of ports", "두 범위의 포트 개수가 같아야 합니다")),
    ))
}

fn address(item: Item<'_>, text: &str) -> Result<Option<IpAddr>, Box<Diagnostic>> {
    if text.is_empty() {
        return Ok(None);
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    bare.parse().map(Some).map_err(|_| {
        Box::new(
            Diagnostic::new(
                Code::BadAddress,
                text!("`{text}` is not an IP address", "`{text}`은(는) IP 주소가 아닙니다"),
            )
            .label(
                item.span_of(text),
                text!("docker needs an address here, not a name", "docker는 여기에 이름이 아니라 주소를 요구함"),
            ),
        )
    })
}

fn no_container_port(item: Item<'_>) -> Box<Diagnostic> {
    let message =
        text!("`{written}` names no container port", "`{written}`에 컨테이너 포트가 없습니다", written = item.text);
    Box::new(
        Diagnostic::new(Code::BadPort, message)
            .label(item.span, text!("the last number is the port in the container", "마지막 숫자가 컨테이너의 포트임"))
            .help(text!(
                "write `HOST:CONTAINER`, for example `8080:80`",
                "`호스트:컨테이너` 형식으로 쓰십시오. 예: `8080:80`"
            )),
    )
}

fn bad_port(item: Item<'_>, text: &str) -> Box<Diagnostic> {
    let what = if text.contains('-') { text!("port range", "포트 범위") } else { text!("port", "포트") };
    Box::new(
        Diagnostic::new(Code::BadPort, text!("`{text}` is not a {what}", "`{text}`은(는) {what}가 아닙니다"; what))
            .label(item.span_of(text), text!("ports go from 1 to 65535", "포트는 1부터 65535까지임")),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    fn run(text: &str) -> (Sources, Result<PublishDecl, Box<Diagnostic>>) {
        let mut sources = Sources::default();
        let source = sources.add("command", &format!("docker run -p {text}"));
        let start = "docker run -p ".len();
        let result = parse(text, Span::new(source, start, start + text.len()));
        (sources, result)
    }

    fn check(text: &str, expected: &str) {
        let decl = run(text).1.unwrap();
        let host = decl.host_ports.map_or("any".to_owned(), |p| p.to_string());
        let address = decl.host_address.map_or("all".to_owned(), |a| a.to_string());
        assert_eq!(format!("{address} {host} {} {}", decl.container_ports, decl.protocol), expected, "{text}");
    }

    fn check_error(text: &str, message: &str, place: &str) {
        let (sources, result) = run(text);
        let error = result.unwrap_err();
        assert_eq!((error.message.as_str(), sources.text(error.labels[0].span)), (message, place), "{text}");
    }

    #[test]
    fn every_form_that_docker_takes() {
        check("80", "all any 80 tcp");
        check("80/udp", "all any 80 udp");
        check("8080:80", "all 8080 80 tcp");
        check("0:80", "all any 80 tcp");
        check(":80", "all any 80 tcp");
        check("127.0.0.1:8080:80/UDP", "127.0.0.1 8080 80 udp");
        check("127.0.0.1::80", "127.0.0.1 any 80 tcp");
        check("8000-8010:9000-9010", "all 8000-8010 9000-9010 tcp");
        check("8000-8010:80", "all 8000-8010 80 tcp");
        check("3000-3001", "all any 3000-3001 tcp");
        check("[::1]:80:80/sctp", "::1 80 80 sctp");
        check("::1:80:80", "::1 80 80 tcp");
        check("[::]::80", ":: any 80 tcp");
    }

    #[test]
    fn errors_point_at_the_wrong_part() {
        check_error("70000:80", "`70000` is not a port", "70000");
        check_error("80:0", "`0` is not a port", "0");
        check_error("80:", "`80:` names no container port", "80:");
        check_error("", "`` names no container port", "");
        check_error("80:포트", "`포트` is not a port", "포트");
        check_error("+80:80", "`+80` is not a port", "+80");
        check_error("90-80:80", "`90-80` is not a port range", "90-80");
        check_error("8000-8001:80-82", "the port ranges of `8000-8001:80-82` differ in length", "8000-8001");
        check_error("localhost:80:80", "`localhost` is not an IP address", "localhost");
        check_error("80:80/icmp", "`icmp` is not a protocol that can be published", "icmp");
    }
}
