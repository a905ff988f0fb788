//! `check --watch`: the same again whenever a file of the lab has changed, until somebody stops it.

use std::path::PathBuf;
use std::thread;
use std::time::Duration;

use super::{Exit, load, terminal};

/// How often the files are looked at. Nobody saves twice within it and reads what comes in between.
const PAUSE: Duration = Duration::from_millis(200);

/// Clears the screen and what has scrolled off it, and starts at the top.
const CLEAR: &str = "\x1b[H\x1b[2J\x1b[3J";

pub(super) fn run(paths: &[PathBuf], check: impl Fn() -> Exit) -> Exit {
    loop {
        let before = load::stamps(paths);
        if terminal::is_shown() {
            terminal::print(CLEAR);
        }
        check();
        terminal::print("\nwatching; Ctrl-C ends it\n");
        while load::stamps(paths) == before {
            thread::sleep(PAUSE);
        }
    }
}
