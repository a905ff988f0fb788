//! Ports that Windows keeps for itself: what `netsh interface ipv4 show excludedportrange protocol=tcp` and `show
//! dynamicportrange tcp` print. Windows prints them in its own language; only the shape is relied on. Spec: specs/vm-host.md.

use std::mem;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::kept_ports::{Kept, KeptPorts};
use crate::language::text;
use crate::net::{PortRange, Protocol};
use crate::source::{SourceId, Span, Spanned};

/// Below the two headings of a table of ranges.
const RULE: [&str; 2] = ["----------", "--------"];

/// Whether a text has such a listing.
pub fn is_one(text: &str) -> bool {
    let mut protocol = None;
    text.lines().any(|line| {
        protocol = heading(line).or(protocol);
        protocol.is_some() && (is_rule(line) || is_long_rule(line.trim()))
    })
}

/// The protocol of a heading: `Protocol tcp Port Exclusion Ranges`, `프로토콜 tcp 포트 제외 범위`.
fn heading(line: &str) -> Option<Protocol> {
    // The command line itself says `protocol=tcp`.
    line.split_whitespace().find_map(|word| match word {
        "tcp" | "TCP" => Some(Protocol::Tcp),
        "udp" | "UDP" => Some(Protocol::Udp),
        _ => None,
    })
}

fn is_rule(line: &str) -> bool {
    line.split_whitespace().eq(RULE)
}

/// Below the heading of the dynamic range.
fn is_long_rule(bare: &str) -> bool {
    20 < bare.len() && bare.bytes().all(|b| b == b'-')
}

/// What the next lines are.
enum Inside {
    Nothing,
    Ranges(Vec<Spanned<PortRange>>),
    /// The first port and, after it, how many there are.
    Dynamic(Option<u16>),
}

/// Reads all listings of a text.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut reader = Reader { out: Declarations::default(), protocol: None, inside: Inside::Nothing, begin: 0 };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let from = start + (line.len() - line.trim_start().len());
        start += line.len();
        reader.line(bare, Span::new(source, from, from + bare.len()));
    }
    reader.close(Span::new(source, start, start));
    reader.out
}

struct Reader {
    out: Declarations,
    protocol: Option<Protocol>,
    inside: Inside,
    begin: usize,
}

impl Reader {
    fn line(&mut self, bare: &str, span: Span) {
        if bare.is_empty() {
            return;
        }
        if is_rule(bare) {
            (self.inside, self.begin) = (Inside::Ranges(Vec::new()), span.start);
        } else if is_long_rule(bare) {
            (self.inside, self.begin) = (Inside::Dynamic(None), span.start);
        } else if heading(bare).is_some() {
            self.close(span);
            self.protocol = heading(bare);
        } else {
            self.entry(bare, span);
        }
    }

    fn entry(&mut self, bare: &str, span: Span) {
        match &mut self.inside {
            Inside::Nothing => {}
            Inside::Ranges(ranges) => match bare.split_whitespace().collect::<Vec<_>>().as_slice() {
                [first, last] if is_number(first) => match range(first, last) {
                    Some(range) => ranges.push(Spanned::new(range, span)),
                    None => self.out.diagnostics.push(no_range(bare, span)),
                },
                // Set aside by an administrator (`*`), or prose.
                _ => {}
            },
            Inside::Dynamic(first) => {
                let Some(number) = bare.rsplit(':').next().and_then(|n| n.trim().parse::<u16>().ok()) else { return };
                match *first {
                    None => *first = Some(number),
                    Some(first) => {
                        let last = first.saturating_add(number.saturating_sub(1));
                        let kept = PortRange::new(first, last).map(Kept::Dynamic);
                        self.inside = Inside::Nothing;
                        self.declare(kept, Span::new(span.source, self.begin, span.end));
                    }
                }
            }
        }
    }

    /// A listing ends where another one begins.
    fn close(&mut self, at: Span) {
        if let Inside::Ranges(ranges) = mem::replace(&mut self.inside, Inside::Nothing) {
            let end = ranges.last().map_or(self.begin + RULE.concat().len(), |range| range.span.end);
            self.declare(Some(Kept::Excluded(ranges)), Span::new(at.source, self.begin, end));
        }
    }

    fn declare(&mut self, what: Option<Kept>, span: Span) {
        if let (Some(protocol), Some(what)) = (self.protocol, what) {
            self.out.value.push(Declaration::KeptPorts(KeptPorts { protocol, what, span }));
        }
    }
}

fn is_number(word: &str) -> bool {
    word.bytes().all(|b| b.is_ascii_digit())
}

fn range(first: &str, last: &str) -> Option<PortRange> {
    PortRange::new(first.parse().ok()?, last.parse().ok()?)
}

fn no_range(written: &str, span: Span) -> Diagnostic {
    let message = text!("`{written}` is no range of ports", "`{written}`: 포트 범위가 아닙니다");
    Diagnostic::new(Code::BadPort, message).label(span, text!("ports go from 1 to 65535", "포트는 1부터 65535까지임"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn listings() {
        let check = |text: &str, expected: &[&str]| {
            let source = Sources::default().add("ports.txt", text);
            let read = parse(source, text);
            let shown = read.value.iter().map(|declaration| match declaration {
                Declaration::KeptPorts(KeptPorts { protocol, what: Kept::Excluded(ranges), .. }) => {
                    let places = ranges.iter().map(|r| text.get(r.span.start..r.span.end).unwrap());
                    format!("{protocol} excluded {}", places.collect::<Vec<_>>().join(", "))
                }
                Declaration::KeptPorts(KeptPorts { protocol, what: Kept::Dynamic(range), span }) => {
                    let last = text.get(span.start..span.end).unwrap().lines().last();
                    format!("{protocol} dynamic {range} up to `{}`", last.unwrap())
                }
                other => format!("{other:?}"),
            });
            let problems = read.diagnostics.iter().map(|problem| problem.message.to_string());
            assert_eq!(shown.chain(problems).collect::<Vec<_>>(), expected, "{text}");
            assert!(is_one(text) || read.value.is_empty(), "{text}");
        };
        // docker/for-win#3171 and a page of questions about it; the second is cloud-barista/cb-coffeehouse#81.
        check(
            "C:\\> netsh int ipv4 show excludedportrange protocol=tcp\r\n\r\nProtocol tcp Port Exclusion Ranges\r\n\r\n\
             Start Port    End Port\r\n----------    --------\r\n      5357        5357\r\n     49671       49770\r\n     \
             50000       50059     *\r\n\r\n* - Administered port exclusions.\r\n",
            &["tcp excluded 5357        5357, 49671       49770"],
        );
        check(
            "프로토콜 tcp 포트 제외 범위\n\n시작 포트    끝 포트\n----------    --------\n      8233        8233\n     \
             13543       13642\n\n* - 관리 포트 제외입니다.\n\n프로토콜 udp 포트 제외 범위\n\n시작 포트    끝 포트\n\
             ----------    --------\n",
            &["tcp excluded 8233        8233, 13543       13642", "udp excluded "],
        );
        check(
            "Protocol tcp Dynamic Port Range\n---------------------------------\nStart Port      : 1024\n\
             Number of Ports : 64511\n",
            &["tcp dynamic 1024-65534 up to `Number of Ports : 64511`"],
        );
        check(
            "Protocol tcp Port Exclusion Ranges\n----------    --------\n 70000   70010\n 90 80\n 80 90",
            &["tcp excluded 80 90", "`70000   70010` is no range of ports", "`90 80` is no range of ports"],
        );
        check("----------    --------\n 80 90\n", &[]);
    }
}
