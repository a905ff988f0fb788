//! The releases that run, and how one lab is run on them.

use std::path::{Path, PathBuf};
use std::process::Command;

use canreach::net::Version;

use super::draft::{Draft, Probe};

/// Daemons of this machine, or of a file system tree (`LIVE_ROOT`).
pub(super) struct Stack {
    pub(super) engine: Version,
    pub(super) firewalld: Version,
    root: PathBuf,
}

impl Stack {
    pub(super) fn of_environment() -> Self {
        let root = PathBuf::from(std::env::var_os("LIVE_ROOT").unwrap_or_else(|| "/".into()));
        let version = |program| {
            version(&root, program).unwrap_or_else(|| panic!("{program} has to be installed in {}", root.display()))
        };
        Self { engine: version("dockerd"), firewalld: version("firewall-offline-cmd"), root }
    }

    /// What real daemons did, one line for each probe; nothing if they could not be started, twice: a busy machine is
    /// no disagreement.
    pub(super) fn run(&self, draft: &Draft, probes: &[Probe], seed: u64) -> Option<Vec<String>> {
        let program = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reality/live.py");
        let lab = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("live-{}-{seed}.json", std::process::id()));
        std::fs::write(&lab, draft.to_json(probes)).unwrap();
        for _ in 0..2 {
            let output =
                Command::new("python3").arg(&program).arg("--root").arg(&self.root).arg(&lab).output().unwrap();
            if output.status.success() {
                std::fs::remove_file(&lab).unwrap();
                let seen: Vec<String> = String::from_utf8(output.stdout).unwrap().lines().map(str::to_owned).collect();
                assert_eq!(seen.len(), probes.len());
                return Some(seen);
            }
            let said = String::from_utf8_lossy(&output.stderr).into_owned();
            let reason =
                said.lines().filter(|line| line.contains("failed to start daemon") || line.contains("Error: "));
            println!("seed {seed} did not run: {}", reason.collect::<Vec<_>>().join("; "));
        }
        None
    }
}

/// The first word of a program's output that looks like a version.
fn version(root: &Path, program: &str) -> Option<Version> {
    let output = Command::new("chroot").arg(root).args([program, "--version"]).output().ok()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text.split([' ', ',', '\n', '+']).filter(|word| word.contains('.')).find_map(|word| word.parse().ok())
}
