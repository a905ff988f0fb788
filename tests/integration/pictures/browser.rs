//! The page in a real browser, where there is one.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Scene, root};
use crate::support::Directory;

fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome"];
    let path = std::env::var_os("PATH")?;
    let mut candidates = std::env::split_paths(&path).flat_map(|directory| names.map(|name| directory.join(name)));
    candidates.find(|candidate| candidate.is_file())
}

/// The page as it is after its script has run, opened with a fragment.
fn opened(browser: &Path, page: &Path, fragment: &str) -> String {
    let profile = Directory::with(&[("empty", b"")]);
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync", "--dump-dom"])
        .arg(format!("--user-data-dir={}", profile.path().display()))
        .arg(format!("file://{}#{fragment}", page.display()))
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap()
}

/// The opening tag of an element.
fn tag<'a>(page: &'a str, id: &str) -> &'a str {
    let at = page.find(&format!(" id=\"{id}\"")).unwrap_or_else(|| panic!("there is no {id} in\n{page}"));
    let start = page[..at].rfind('<').unwrap();
    &page[start..at + page[at..].find('>').unwrap()]
}

#[test]
fn a_sentence_lights_its_way() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let scene = Scene::open(&root().join("examples/production"));
    let directory = Directory::with(&[]);
    fs::create_dir_all(directory.path()).unwrap();
    let page = directory.path().join("report.html");
    fs::write(&page, scene.page("production")).unwrap();
    let dom = opened(&browser, &page, "sentence-8");
    assert!(dom.contains("class=\"canreach walking\""), "the script did not run");
    assert!(tag(&dom, "sentence-8").contains(" open") && !tag(&dom, "sentence-7").contains(" open"));
    assert!(tag(&dom, "way-8").contains("walked shown") && !tag(&dom, "way-7").contains("shown"));
    let lit: Vec<&str> =
        tag(&dom, "way-8").split("data-lit=\"").nth(1).unwrap().split('"').next().unwrap().split(' ').collect();
    assert!(lit.iter().all(|id| tag(&dom, id).contains(" lit")));
    assert!(dom.contains("phone cannot reach rocky:22: holds: no route to host"), "the heading does not say it");
    let whole = opened(&browser, &page, "");
    assert!(!whole.contains("class=\"canreach walking\"") && !tag(&whole, "way-8").contains("shown"));
}
