//! Kernel settings: `sysctl.conf`, `sysctl.d/*.conf` (sysctl.d(5)), `sysctl -w`, and what is written below `/proc/sys`.
//! Spec: specs/sysctl.md.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, SysctlDecl};
use crate::lab::sysctl::{Known, known};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

/// What setting a value means for packets; nothing if it means nothing.
pub fn assign(key: &str, value: &str, span: Span, at_boot: bool) -> Option<Declaration> {
    match known(key.trim(), value.trim()) {
        Known::Setting(setting) => Some(Declaration::Sysctl(SysctlDecl { setting, at_boot, span })),
        Known::Irrelevant => None,
        Known::Unmodeled => {
            let what = format!("`{} = {}`", key.trim(), value.trim());
            Some(Declaration::Unmodeled(Spanned::new(what.into(), span)))
        }
    }
}

/// Whether a file holds settings that the machine makes when it boots.
pub fn is_one(name: &str, within: impl Fn(&str) -> bool) -> bool {
    name == "sysctl.conf" || name.ends_with(".conf") && within("sysctl.d")
}

/// Reads a file. A `-` before a setting means that an error does not matter; without a value it takes the setting out of
/// what a `*` stands for.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim();
        let from = start + (line.len() - line.trim_start().len());
        start += line.len();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        let span = Span::new(source, from, from + bare.len());
        match bare.split_once('=') {
            Some((key, value)) => out.value.extend(assign(key.trim_start_matches('-'), value, span, true)),
            None if bare.starts_with('-') => {}
            None => out.diagnostics.push(
                Diagnostic::new(Code::LabBadValue, text!("`{bare}` sets nothing", "`{bare}`: 설정하는 값이 없습니다"))
                    .label(span, text!("`KEY = VALUE` is expected", "`키 = 값`이 와야 함")),
            ),
        }
    }
    for declaration in &out.value {
        if let Declaration::Unmodeled(what) = declaration {
            out.diagnostics.push(unmodeled(what));
        }
    }
    out
}

fn unmodeled(what: &Spanned<Text>) -> Diagnostic {
    Diagnostic::new(Code::ShellUnmodeled, text!("not modelled: {what}", "{what}: 모델에 없음", what = &what.value))
        .label(what.span, text!("could change packets", "패킷을 바꿀 수 있음"))
        .help(text!(
            "verdicts that may depend on it are left undecided",
            "이것에 달려 있을 수 있는 판정은 내리지 않습니다"
        ))
}

/// Reads `sysctl …`; the first word is the program. Nothing if it loads files, whose settings are not known here.
pub(super) fn command(words: &[Word], whole: Span) -> Option<Vec<Declaration>> {
    let arguments = words.get(1..).unwrap_or(&[]);
    let loads = |word: &Word| word.text.starts_with("-p") || word.text == "--system" || word.text.starts_with("--load");
    if arguments.iter().any(loads) {
        return None;
    }
    let mut found = Vec::new();
    for word in arguments.iter().filter(|word| !word.text.starts_with('-')) {
        let assignment = word.text.split_once('=');
        found.extend(match (assignment, word.unknown()) {
            (None, None) => None,
            (Some((key, value)), None) => assign(key, value, whole, false),
            (_, Some(_)) => Some(Declaration::Unmodeled(word.spanned().map(|text| format!("`sysctl {text}`").into()))),
        });
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    /// A file -> its settings and messages.
    fn check(text: &str, expected: &[&str]) {
        let mut sources = Sources::default();
        let source = sources.add("sysctl.conf", text);
        let read = parse(source, text);
        let shown = |d: &Declaration| match d {
            Declaration::Sysctl(sysctl) => format!("{:?} <{}>", sysctl.setting, sources.text(sysctl.span)),
            other => format!("{other:?}"),
        };
        let settings = read.value.iter().filter(|d| !matches!(d, Declaration::Unmodeled(_))).map(shown);
        let actual: Vec<String> = settings.chain(read.diagnostics.iter().map(|d| d.message.to_string())).collect();
        assert_eq!(actual, expected);
    }

    #[test]
    fn files_are_read_line_by_line() {
        check(
            "# 전달\nnet.ipv4.ip_forward = 1\n; a comment\n\n  -net.ipv4.conf.*.rp_filter=2\n-net.ipv4.conf.all.rp_filter\nvm.swappiness=1\n",
            &["IpForward(true) <net.ipv4.ip_forward = 1>", "RpFilter(Present, Loose) <-net.ipv4.conf.*.rp_filter=2>"],
        );
        check(
            "net.ipv4.ip_forward\nnet.ipv4.conf.all.arp_ignore=1",
            &["`net.ipv4.ip_forward` sets nothing", "not modelled: `net.ipv4.conf.all.arp_ignore = 1`"],
        );
    }
}
