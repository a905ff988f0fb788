//! `canreach explain`: the page of a code, or a lesson.

use crate::diagnostic::{Code, did_you_mean};
use crate::language::{Text, text};
use crate::report::codes;

use super::args::ExplainArguments;
use super::{Exit, teach, terminal};

pub(super) fn run(arguments: &ExplainArguments) -> Exit {
    let Some(asked) = &arguments.code else {
        terminal::print(&codes::list(Code::ALL, terminal::language()));
        return Exit::Holds;
    };
    if let Some(topic) = teach::topic(asked) {
        return teach::show(topic, false);
    }
    match matching(asked).as_slice() {
        [code] => {
            terminal::print(&codes::page(*code, terminal::language()));
            Exit::Holds
        }
        [] => {
            terminal::complain(unknown(asked));
            Exit::Unusable
        }
        several => {
            terminal::complain(text!("`{asked}` could be any of these", "`{asked}`에 해당할 수 있는 것이 여럿입니다"));
            terminal::print_aside(&codes::list(several, terminal::language()));
            Exit::Unusable
        }
    }
}

/// The codes that end with what was asked, at a `::`.
fn matching(asked: &str) -> Vec<Code> {
    let tail = format!("::{}", asked.trim().trim_start_matches("::").to_ascii_lowercase());
    Code::ALL.iter().copied().filter(|code| format!("::{code}").ends_with(&tail)).collect()
}

fn unknown(asked: &str) -> Text {
    let names = Code::ALL.iter().flat_map(|code| {
        let code = code.as_str();
        let tail = code.strip_prefix("canreach::").unwrap_or(code);
        [code, tail, tail.rsplit("::").next().unwrap_or(tail)]
    });
    let near = did_you_mean(asked, names);
    let help = match near {
        Some(near) => text!("did you mean `{near}`?", "혹시 `{near}`?"),
        None => text!("`canreach explain` lists all", "`canreach explain`으로 모두 볼 수 있습니다"),
    };
    text!("there is no code and no lesson `{asked}`; {help}", "`{asked}` 코드나 강의는 없습니다. {help}"; help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_found_by_their_tail() {
        let check = |asked, expected: &[Code]| assert_eq!(matching(asked), expected);
        check("canreach::nat::no_inbound", &[Code::NatNoInbound]);
        check("nat::no_inbound", &[Code::NatNoInbound]);
        check("no_inbound", &[Code::NatNoInbound]);
        check("inbound", &[]);
        check("unknown_network", &[Code::ComposeUnknownNetwork, Code::DockerUnknownNetwork]);
        assert_eq!(unknown("no_inbond"), "there is no code and no lesson `no_inbond`; did you mean `no_inbound`?");
    }
}
