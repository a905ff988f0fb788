//! systemd units, as far as they say with which options the docker daemon is started.

use crate::lab::Declaration;
use crate::lab::declaration::Declarations;

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

/// A unit says how the daemon is started, not when.
pub fn without_events(mut read: Declarations) -> Declarations {
    read.value.retain(|declaration| !matches!(declaration, Declaration::Event(_)));
    read
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
