//! `ssh` command lines: the tunnels that they open (ssh(1), OpenSSH 9.9).

use std::net::{IpAddr, Ipv4Addr};

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::tunnel::{SshServer, TunnelDecl, TunnelKind};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

/// Options that take a value.
const VALUED: &str = "BbcDEeFIiJLlmOoPpQRSWw";

/// The option of autossh that does, which to ssh is a flag (autossh(1) 1.4).
const MONITOR: char = 'M';

/// Reads one command line; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return out };
    let whole = first.span.to(last.span);
    let line = Line::read(words.get(1..).unwrap_or_default(), first.text.ends_with("autossh"));
    if line.forwards.is_empty() {
        return out;
    }
    let uncertain = words.iter().any(|word| word.unknown().is_some());
    let server = line.server().filter(|_| !uncertain && !line.is_through_others);
    for (option, value) in &line.forwards {
        let tunnel = match (option, &server) {
            ('L' | 'R', Some(server)) => forward(*option, value, server, line.is_gateway, whole),
            _ => Ok(None),
        };
        match tunnel {
            Ok(Some(tunnel)) => out.value.push(Declaration::Tunnel(tunnel)),
            Ok(None) => {
                let what = format!("`ssh -{option} {}`", value.text);
                out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), value.span)));
            }
            Err(problem) => out.diagnostics.push(*problem),
        }
    }
    out
}

/// What a command line says, as far as tunnels are concerned.
#[derive(Default)]
struct Line {
    forwards: Vec<(char, Word)>,
    destination: Option<Word>,
    port: Option<Word>,
    /// `-g`: others may use the tunnels.
    is_gateway: bool,
    /// By way of another machine, or of a file that says more.
    is_through_others: bool,
}

impl Line {
    fn read(words: &[Word], is_autossh: bool) -> Self {
        let mut line = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let Some(options) = word.text.strip_prefix('-').filter(|options| !options.is_empty()) else {
                // What follows the destination and is no option is run on the other side.
                if line.destination.is_some() {
                    break;
                }
                line.destination = Some(word.clone());
                continue;
            };
            for (at, option) in options.char_indices() {
                let attached = word.slice(at + 2..word.text.len());
                if !(VALUED.contains(option) || is_autossh && option == MONITOR) {
                    line.is_gateway |= option == 'g';
                    continue;
                }
                let value = if attached.text.is_empty() { words.next().cloned() } else { Some(attached) };
                line.option(option, value);
                break;
            }
        }
        line
    }

    fn option(&mut self, option: char, value: Option<Word>) {
        let Some(value) = value else { return };
        match option {
            'L' | 'R' | 'D' | 'w' | 'W' => self.forwards.push((option, value)),
            'p' => self.port = Some(value),
            'J' | 'F' => self.is_through_others = true,
            'o' => {
                let name = value.text.split(['=', ' ']).next().unwrap_or_default().to_ascii_lowercase();
                self.is_through_others |= matches!(
                    name.as_str(),
                    "proxycommand"
                        | "proxyjump"
                        | "hostname"
                        | "port"
                        | "localforward"
                        | "remoteforward"
                        | "gatewayports"
                );
            }
            _ => {}
        }
    }

    fn server(&self) -> Option<SshServer> {
        let destination = self.destination.as_ref()?;
        let uri = destination.text.strip_prefix("ssh://").unwrap_or(&destination.text);
        let (name, in_uri) = match uri.rsplit_once(':') {
            Some((name, port)) if destination.text.starts_with("ssh://") => (name, port.parse().ok()),
            _ => (uri, None),
        };
        let name = name.rsplit_once('@').map_or(name, |(_, host)| host);
        let port = self.port.as_ref().and_then(|port| port.text.parse().ok()).or(in_uri).unwrap_or(22);
        Some(SshServer { name: Spanned::new(name.to_owned(), destination.span), port })
    }
}

/// `[bind:]port:host:hostport`; nothing where a form has no model, like sockets of files.
fn forward(
    option: char,
    value: &Word,
    server: &SshServer,
    is_gateway: bool,
    whole: Span,
) -> Result<Option<TunnelDecl>, Box<Diagnostic>> {
    if value.text.contains('/') {
        return Ok(None);
    }
    let parts = between_colons(value);
    let (bind, listen, to, to_port) = match parts.as_slice() {
        [listen, to, to_port] => (None, listen, to, to_port),
        [bind, listen, to, to_port] => (Some(bind), listen, to, to_port),
        // `-R port` alone is a SOCKS proxy on the other side.
        _ if option == 'R' && parts.len() < 3 => return Ok(None),
        _ => {
            return Err(bad(
                value,
                text!("a tunnel", "터널"),
                text!("write `[ADDRESS:]PORT:HOST:PORT`", "`[ADDRESS:]PORT:HOST:PORT`로 쓰십시오"),
            ));
        }
    };
    let listen_port = port(listen)?;
    let to_port = port(to_port)?;
    let listen_address = match bind.map(|bind| bind.text.trim_matches(['[', ']'])) {
        None if is_gateway && option == 'L' => None,
        None | Some("localhost") => Some(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        // Where the server listens for others is for its `GatewayPorts` to say.
        Some(other) if option == 'R' && !other.starts_with("127.") => return Ok(None),
        Some("" | "*") => None,
        Some(address) => Some(address.parse().map_err(|_| {
            bad(value, text!("a tunnel", "터널"), text!("the address is not one", "주소가 올바르지 않습니다"))
        })?),
    };
    let kind = if option == 'L' { TunnelKind::Local(server.clone()) } else { TunnelKind::Remote(server.clone()) };
    let to = Spanned::new(to.text.trim_matches(['[', ']']).to_owned(), to.span);
    Ok(Some(TunnelDecl { kind, listen_address, listen_port, to, to_port, span: whole }))
}

/// The parts of a word between colons that stand outside brackets.
fn between_colons(value: &Word) -> Vec<Word> {
    let (mut parts, mut start, mut inside) = (Vec::new(), 0, false);
    for (at, c) in value.text.char_indices().chain([(value.text.len(), ':')]) {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            ':' if !inside => {
                parts.push(value.slice(start..at));
                start = at + 1;
            }
            _ => {}
        }
    }
    parts
}

fn port(word: &Word) -> Result<u16, Box<Diagnostic>> {
    let port = word.text.parse().ok().filter(|port: &u16| *port != 0);
    port.ok_or_else(|| {
        bad(word, text!("a port", "포트"), text!("ports go from 1 to 65535", "포트는 1부터 65535까지입니다"))
    })
}

fn bad(word: &Word, what: impl Into<Text>, help: impl Into<Text>) -> Box<Diagnostic> {
    let what = what.into();
    let message = text!("`{value}` is not {what}", "`{value}`: {what}이(가) 아닙니다", value = &word.text; what);
    Box::new(
        Diagnostic::new(Code::BadPort, message).label(word.span, text!("ssh refuses this", "ssh가 거부함")).help(help),
    )
}

#[cfg(test)]
mod tests;
