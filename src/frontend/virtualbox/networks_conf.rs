//! `/etc/vbox/networks.conf`: the ranges that host-only networks may lie in (VirtualBox manual, 6.7; since 6.1.28).
//!
//! A line begins with `*` and lists prefixes; other lines are passed over (`NetIf` in Main, `netIfIsAllowed…`).

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::machine::HypervisorDecl;
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
    let diagnostic = Diagnostic::new(Code::VboxBadValue, "VirtualBox passes over a line that does not begin with `*`")
        .label(line.span, "allows nothing")
        .help(format!("write `* {}`", line.value));
    Diagnostic { severity: Severity::Warning, ..diagnostic }
}
