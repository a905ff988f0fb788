//! The page in a real browser, where there is one.

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
    let directory = Directory::with(&[("report.html", scene.page("production").as_bytes())]);
    let page = directory.path().join("report.html");
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

/// A click on "Next", made by a second script in a copy of the page that allows one.
#[test]
fn a_way_is_walked_step_by_step() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let page = Scene::open(&root().join("examples/production")).page("production");
    let policy = page.find("<meta http-equiv").unwrap();
    let policy = &page[policy..policy + page[policy..].find('>').unwrap() + 1];
    let click = "document.querySelector('[data-do=next]').click();";
    let clicks = format!("<script>{}</script></body>", click.repeat(4));
    let page = page.replace(policy, "").replace("</body>", &clicks);
    let directory = Directory::with(&[("report.html", page.as_bytes())]);
    let dom = opened(&browser, &directory.path().join("report.html"), "sentence-8");
    let current: Vec<&str> =
        dom.split("aria-current=\"step\"").skip(1).map(|rest| rest.split("</tr>").next().unwrap()).collect();
    assert_eq!(current.len(), 1);
    assert!(current[0].contains("<td>4</td><td>rocky</td>"), "{}", current[0]);
    assert_eq!(dom.matches("class=\"at\"").count(), 1);
    assert!(dom.contains("Step 4 of "), "the heading does not say it");
}
