//! `/etc/vbox/networks.conf`: the ranges that host-only networks may lie in (VirtualBox manual, 6.7; since 6.1.28).
//!
//! A line begins with `*` and lists prefixes; other lines are passed over (`NetIf` in Main, `netIfIsAllowed…`).

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::machine::HypervisorDecl;
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

use super::text::{lines, part};
use super::value;

/// Reads it.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    let mut ranges = Vec::new();
    for line in lines(source, text) {
        let bare = part(line, line.value.split('#').next().unwrap_or_default());
        let Some(list) = bare.value.strip_prefix('*') else {
            out.diagnostics.extend((!bare.value.is_empty()).then(|| no_star(bare)));
            continue;
        };
        for word in list.split_whitespace() {
            match value::network(part(line, word)) {
                Ok(net) => ranges.push(net),
                Err(problem) => out.diagnostics.push(*problem),
            }
        }
    }
    let whole = Span::new(source, 0, text.trim_end().len());
    out.value.push(Declaration::Hypervisor(HypervisorDecl::HostOnlyRanges(Spanned::new(ranges, whole))));
    out
}

fn no_star(line: Spanned<&str>) -> Diagnostic {
    let diagnostic = Diagnostic::new(
        Code::VboxBadValue,
        text!(
            "VirtualBox passes over a line that does not begin with `*`",
            "VirtualBox는 `*`로 시작하지 않는 줄을 건너뜁니다"
        ),
    )
    .label(line.span, text!("allows nothing", "아무것도 허용하지 않음"))
    .help(text!("write `* {line}`", "`* {line}`로 쓰십시오", line = &line.value));
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn lines_with_a_star_allow_prefixes() {
        let check = |text: &str, expected: &[&str], wrong: &[&str]| {
            let mut sources = Sources::default();
            let id = sources.add("networks.conf", text);
            let out = parse(id, text);
            let [Declaration::Hypervisor(HypervisorDecl::HostOnlyRanges(ranges))] = out.value.as_slice() else {
                panic!("{:?}", out.value)
            };
            assert_eq!(ranges.value.iter().map(ToString::to_string).collect::<Vec<_>>(), expected, "{text}");
            let found: Vec<_> = out.diagnostics.iter().map(|d| sources.text(d.labels[0].span)).collect();
            assert_eq!(found, wrong, "{text}");
        };
        check(
            "# 주석\n* 192.168.50.0/24 10.0.0.0/8\n\n* 2001::/64\n",
            &["192.168.50.0/24", "10.0.0.0/8", "2001::/64"],
            &[],
        );
        check("192.168.50.0/24\n", &[], &["192.168.50.0/24"]);
        check("* * 0.0.0.0/0\n", &["0.0.0.0/0"], &["*"]);
        check("", &[], &[]);
    }
}
