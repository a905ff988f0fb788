//! Where another forward of a machine would be written: on a line of its own behind one that is certainly about this
//! machine and no other.

use crate::frontend::File;
use crate::lab::declaration::Insertion;
use crate::source::Span;

use super::record::Call;

/// Settings that stand on lines of their own, the best one to follow first.
const FOLLOWED: [&str; 5] = ["vm.network", "vm.hostname=", "vm.host_name=", "vm.box=", "vm.box_version="];

/// The place, if there is one. `others` is what other machines are told: a loop says the same line to several.
pub(super) fn forward(file: &File, own: &[Call], others: &[Call]) -> Option<Insertion> {
    let is_own = |call: &&Call| call.doubt.is_none() && !others.iter().any(|other| other.span == call.span);
    FOLLOWED.iter().find_map(|method| {
        let calls = own.iter().rev().filter(|call| call.method == *method).filter(is_own);
        calls.into_iter().find_map(|call| behind(file, call.span))
    })
}

/// A line behind the statement, if nothing else stands on its last line.
fn behind(file: &File, statement: Span) -> Option<Insertion> {
    let text = &file.text;
    if statement.source != file.source {
        return None;
    }
    let written = text.get(statement.start..statement.end)?;
    let object = written.split(".vm.").next().filter(|name| is_name(name) && name.len() < written.len())?;
    let line_start = text.get(..statement.start)?.rfind('\n').map_or(0, |at| at + 1);
    let indent = text.get(line_start..statement.start).filter(|before| before.trim().is_empty())?;
    let rest = text.get(statement.end..)?.split('\n').next()?;
    let is_alone = rest.trim().is_empty() || rest.trim_start().starts_with('#');
    let end = statement.end + rest.trim_end_matches('\r').len();
    is_alone.then(|| Insertion {
        at: Span::new(file.source, end, end),
        before: format!("\n{indent}{object}.vm.network \"forwarded_port\", "),
        after: String::new(),
    })
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_alphanumeric() || c == '_')
}
