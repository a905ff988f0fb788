//! Port proxies of Windows: `netsh interface portproxy` lines, and what `netsh interface portproxy show all` prints
//! (learn.microsoft.com, "Netsh interface portproxy commands").

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::tunnel::{ProxyEnd, TunnelDecl, TunnelKind};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

/// The parameters in the order in which they may stand without their names.
const PARAMETERS: [&str; 5] = ["listenport", "connectaddress", "connectport", "listenaddress", "protocol"];

/// Reads one command line; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return out };
    let span = first.span.to(last.span);
    // netsh takes any beginning of a word that is meant: `netsh int portproxy`.
    let is = |at: usize, name: &str, least: usize| {
        let word = words.get(at).map(|word| word.text.to_lowercase());
        word.is_some_and(|word| least <= word.len() && name.starts_with(&word))
    };
    if !(is(1, "interface", 3) && is(2, "portproxy", 4)) {
        return out;
    }
    let family = words.get(4).map(|word| word.text.to_lowercase());
    let is_uncertain = words.iter().any(|word| word.unknown().is_some());
    let parameters = parameters(words.get(5..).unwrap_or_default());
    let found = match family.as_deref() {
        _ if is(3, "show", 2) || is(3, "dump", 2) => return out,
        _ if is(3, "reset", 3) => Ok(Declaration::ProxyGone(None)),
        Some("v4tov4") if is_uncertain => Ok(unmodeled(span)),
        Some("v4tov4") if is(3, "add", 2) || is(3, "set", 3) => proxy(&parameters, span).map(Declaration::Tunnel),
        Some("v4tov4") if is(3, "delete", 3) => listens(&parameters, span).map(|end| Declaration::ProxyGone(Some(end))),
        _ => Ok(unmodeled(span)),
    };
    match found {
        Ok(declaration) => out.value.push(declaration),
        Err(problem) => out.diagnostics.push(*problem),
    }
    out
}

/// Each with its name; those without one in their order.
fn parameters(words: &[Word]) -> Vec<(String, Word)> {
    let mut unnamed = PARAMETERS.iter();
    let named = |word: &Word| match word.split_once('=') {
        Some((name, value)) => Some((name.text.to_lowercase(), value)),
        None => Some(((*unnamed.next()?).to_owned(), word.clone())),
    };
    words.iter().filter_map(named).collect()
}

fn get<'w>(parameters: &'w [(String, Word)], name: &str) -> Option<&'w Word> {
    parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

fn listens(parameters: &[(String, Word)], span: Span) -> Result<ProxyEnd, Box<Diagnostic>> {
    let Some(listen) = get(parameters, "listenport") else {
        let message = text!("a port proxy without `listenport`", "포트 프록시에 `listenport`가 없습니다");
        return Err(Box::new(
            Diagnostic::new(Code::BadPort, message).label(span, text!("netsh refuses this", "netsh가 거부함")),
        ));
    };
    let address = get(parameters, "listenaddress").map(|word| listen_address(word.spanned())).transpose()?;
    Ok((address.flatten(), port(&listen.spanned())?))
}

fn proxy(parameters: &[(String, Word)], span: Span) -> Result<TunnelDecl, Box<Diagnostic>> {
    let (listen_address, listen_port) = listens(parameters, span)?;
    let to_port = get(parameters, "connectport").map_or(Ok(listen_port), |word| port(&word.spanned()))?;
    // The local computer, unless something else is stated.
    let to = get(parameters, "connectaddress").map_or(Spanned::new("localhost".to_owned(), span), Word::spanned);
    Ok(TunnelDecl { kind: TunnelKind::Here, listen_address, listen_port, to, to_port, span })
}

/// Nothing and `*` mean all addresses of the machine, and so does 0.0.0.0.
fn listen_address(address: Spanned<String>) -> Result<Option<IpAddr>, Box<Diagnostic>> {
    match address.value.as_str() {
        "*" | "0.0.0.0" => Ok(None),
        "localhost" => Ok(Some(IpAddr::V4(Ipv4Addr::LOCALHOST))),
        other => match other.parse() {
            Ok(address) => Ok(Some(IpAddr::V4(address))),
            Err(_) => Err(Box::new(
                Diagnostic::new(
                    Code::BadAddress,
                    text!("`{other}` is not an IPv4 address", "`{other}`: IPv4 주소가 아닙니다"),
                )
                .label(address.span, text!("to listen on", "대기할 주소")),
            )),
        },
    }
}

fn port(word: &Spanned<String>) -> Result<u16, Box<Diagnostic>> {
    word.value.parse().ok().filter(|port: &u16| *port != 0).ok_or_else(|| {
        let message = text!("`{value}` is not a port", "`{value}`: 포트가 아닙니다", value = &word.value);
        Box::new(
            Diagnostic::new(Code::BadPort, message)
                .label(word.span, text!("ports go from 1 to 65535", "포트는 1부터 65535까지임")),
        )
    })
}

fn unmodeled(span: Span) -> Declaration {
    let what = text!(
        "a port proxy of which not everything is known, or for IPv6",
        "일부를 알 수 없거나 IPv6에 쓰는 포트 프록시(portproxy)"
    );
    Declaration::Unmodeled(Spanned::new(what, span))
}

/// Whether a text is a listing of port proxies.
pub fn is_one(text: &str) -> bool {
    ["Listen on ipv4:", "Listen on ipv6:"].iter().any(|heading| text.contains(heading))
}

/// Reads a listing.
pub fn parse_listing(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    let (mut start, mut is_v4, mut in_rows) = (0, false, false);
    for line in text.split_inclusive('\n') {
        let words = columns(source, start, line);
        start += line.len();
        let bare = line.trim();
        if bare.starts_with("Listen on") {
            is_v4 = bare.matches("ipv4:").count() == 2;
            in_rows = false;
        } else if bare.starts_with("---") {
            in_rows = true;
        } else if let ([from, port, to, to_port], true) = (words.as_slice(), in_rows) {
            match row(from, port, to, to_port) {
                Ok(tunnel) if is_v4 => out.value.push(Declaration::Tunnel(tunnel)),
                Ok(tunnel) => out.value.push(unmodeled(tunnel.span)),
                Err(_) if !is_v4 => out.value.push(unmodeled(from.span.to(to_port.span))),
                Err(problem) => out.diagnostics.push(*problem),
            }
        }
    }
    out
}

fn row(
    from: &Spanned<String>,
    listen: &Spanned<String>,
    to: &Spanned<String>,
    to_port: &Spanned<String>,
) -> Result<TunnelDecl, Box<Diagnostic>> {
    Ok(TunnelDecl {
        kind: TunnelKind::Here,
        listen_address: listen_address(from.clone())?,
        listen_port: port(listen)?,
        to: to.clone(),
        to_port: port(to_port)?,
        span: from.span.to(to_port.span),
    })
}

/// The words of a line, with their places.
fn columns(source: SourceId, start: usize, line: &str) -> Vec<Spanned<String>> {
    let mut at = 0;
    let place = |word: &str| {
        let from = line.get(at..)?.find(word)? + at;
        at = from + word.len();
        Some(Spanned::new(word.to_owned(), Span::new(source, start + from, start + at)))
    };
    line.split_whitespace().filter_map(place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frontend::shell;
    use crate::source::Sources;

    fn shown(read: &Declarations) -> Vec<String> {
        let all = |address: Option<IpAddr>| address.map_or("*".to_owned(), |address| address.to_string());
        let declaration = |declaration: &Declaration| match declaration {
            Declaration::Tunnel(t) => {
                format!("{}:{} -> {}:{}", all(t.listen_address), t.listen_port, t.to.value, t.to_port)
            }
            Declaration::ProxyGone(Some((address, port))) => format!("gone {}:{port}", all(*address)),
            Declaration::ProxyGone(None) => "all gone".to_owned(),
            Declaration::Unmodeled(what) => format!("unmodeled {}", what.value),
            other => format!("{other:?}"),
        };
        let problems = read.diagnostics.iter().map(|problem| problem.message.as_str().to_owned());
        read.value.iter().map(declaration).chain(problems).collect()
    }

    #[test]
    fn lines() {
        let check = |line: &str, expected: &str| {
            let source = Sources::default().add("a.sh", line);
            assert_eq!(shown(&shell::parse(source, line))[0], expected, "{line}");
        };
        let add = "netsh interface portproxy add v4tov4";
        check(
            &format!("{add} listenport=8000 listenaddress=0.0.0.0 connectport=80 connectaddress=172.17.1.5"),
            "*:8000 -> 172.17.1.5:80",
        );
        check(
            "netsh.exe int portproxy add v4tov4 8000 172.17.1.5 80 192.168.1.10",
            "192.168.1.10:8000 -> 172.17.1.5:80",
        );
        check(&format!("{add} listenport=8000"), "*:8000 -> localhost:8000");
        check(&format!("{add} listenport=70000"), "`70000` is not a port");
        check(&format!("{add} connectport=80"), "a port proxy without `listenport`");
        check(&format!("{add} listenport=1 listenaddress=here"), "`here` is not an IPv4 address");
        check("netsh interface portproxy delete v4tov4 listenport=8000 listenaddress=0.0.0.0", "gone *:8000");
        check("netsh interface portproxy reset", "all gone");
        let unknown = "unmodeled a port proxy of which not everything is known, or for IPv6";
        check(&format!("{add} listenport=8000 connectaddress=$(wsl hostname -I)"), unknown);
        check("netsh interface portproxy add v6tov4 listenport=1", unknown);
    }

    #[test]
    fn listing() {
        let text = "\r\nListen on ipv4:             Connect to ipv4:\r\n\r\nAddress         Port        Address         Port\r\n\
                    --------------- ----------  --------------- ----------\r\n\
                    0.0.0.0         8000        172.17.145.130  8000\r\n\
                    192.168.1.10    443         localhost       8443\r\n\r\n\
                    Listen on ipv6:             Connect to ipv4:\r\n\r\nAddress         Port        Address         Port\r\n\
                    --------------- ----------  --------------- ----------\r\n*               80          10.0.0.1        80\r\n";
        let source = Sources::default().add("proxies.txt", text);
        let read = parse_listing(source, text);
        let unknown = "unmodeled a port proxy of which not everything is known, or for IPv6";
        let expected = ["*:8000 -> 172.17.145.130:8000", "192.168.1.10:443 -> localhost:8443", unknown];
        assert_eq!(shown(&read), expected);
        let Declaration::Tunnel(first) = &read.value[0] else { panic!() };
        assert_eq!(&text[first.to.span.start..first.to.span.end], "172.17.145.130");
    }
}
