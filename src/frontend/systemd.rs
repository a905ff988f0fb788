//! systemd units, as far as they say with which options the docker daemon is started.

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::language::text;
use crate::source::{SourceId, Span};

/// The command of the last `ExecStart=`, which is the one that counts once an empty one took the others away
/// (systemd.service(5)); everything else is blanked out, so that places stay.
pub fn start_command(text: &str) -> String {
    let mut kept = vec![false; text.len()];
    let mut start = 0;
    let mut continues = false;
    for line in text.split_inclusive('\n') {
        let command = line.strip_prefix("ExecStart=");
        if command.is_some() {
            kept.fill(false);
        }
        let skipped =
            command.map_or(0, |command| line.len() - command.trim_start_matches(['-', '@', ':', '+', '!']).len());
        let is_kept = command.is_some() || continues;
        kept.iter_mut().skip(start + skipped).take(line.len() - skipped).for_each(|byte| *byte = is_kept);
        continues = is_kept && line.trim_end().ends_with('\\');
        start += line.len();
    }
    let bytes = text.bytes().zip(kept).map(|(byte, kept)| if kept || byte == b'\n' { byte } else { b' ' }).collect();
    String::from_utf8(bytes).unwrap_or_default()
}

/// A command beside another one that no empty `ExecStart=` took away: the unit is refused (systemd.service(5), "exactly one
/// command"). An addition stands beside the command of the unit itself.
pub fn second_command(source: SourceId, text: &str, is_addition: bool) -> Option<Diagnostic> {
    let mut is_set = is_addition;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let bare = line.trim_end();
        if let Some(command) = bare.strip_prefix("ExecStart=") {
            let is_command = !command.trim().is_empty();
            if is_set && is_command {
                let place = Span::new(source, start, start + bare.len());
                let message = text!(
                    "a second `ExecStart=`, which a service may not have",
                    "`ExecStart=`가 두 번째로 적혀 있는데, 서비스에는 하나만 둘 수 있습니다"
                );
                let diagnostic = Diagnostic::new(Code::DockerBadFlag, message);
                let diagnostic = diagnostic.label(
                    place,
                    text!(
                        "systemd refuses the unit, so docker does not start",
                        "systemd가 유닛을 거부하므로 docker가 시작되지 않음"
                    ),
                );
                return Some(diagnostic.help(text!(
                    "write an empty `ExecStart=` before it, which takes the first one away",
                    "그 앞에 빈 `ExecStart=`를 적어 첫 번째 것을 지우십시오"
                )));
            }
            is_set = is_command;
        }
        start += line.len();
    }
    None
}

/// A unit says how the daemon is started, not when.
pub fn without_events(mut read: Declarations) -> Declarations {
    read.value.retain(|declaration| !matches!(declaration, Declaration::Event(_)));
    read
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn the_last_start_command_counts() {
        let check = |text: &str, expected: &str| {
            let command = start_command(text);
            assert_eq!(command.trim(), expected);
            assert_eq!(command.len(), text.len());
            assert!(
                expected.is_empty()
                    || command.find(expected.lines().next().unwrap()) == text.rfind(expected.lines().next().unwrap())
            );
        };
        check(
            "# 설정\n[Service]\nExecStart=\nExecStart=-/usr/bin/dockerd --icc=false\nRestart=no\n",
            "/usr/bin/dockerd --icc=false",
        );
        check("[Service]\nExecStart=dockerd --a \\\n  --b\nX=1\n", "dockerd --a \\\n  --b");
        check("[Service]\nExecStart=a\nExecStart=\n", "");
        check("", "");
    }

    #[test]
    fn one_command_is_enough() {
        let check = |text: &str, is_addition: bool, expected: Option<&str>| {
            let source = Sources::default().add("docker.service", text);
            let place = second_command(source, text, is_addition).map(|d| d.labels[0].span);
            assert_eq!(place.map(|span| &text[span.start..span.end]), expected, "{text}");
        };
        check("[Service]\nExecStart=a\n", false, None);
        check("[Service]\nExecStart=a\n", true, Some("ExecStart=a"));
        check("# 설정\n[Service]\nExecStart=\nExecStart=a \\\n b\n", true, None);
        check("ExecStart=a\nExecStart=b", false, Some("ExecStart=b"));
        check("[Service]\nEnvironment=A=1\n", true, None);
    }
}
