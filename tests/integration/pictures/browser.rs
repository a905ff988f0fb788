//! The page in a real browser, where there is one.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Scene, root, taught};
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

/// The page after clicks on its first buttons of these names, made by a second script in a copy that allows one.
fn clicked(browser: &Path, page: &str, fragment: &str, buttons: &[&str]) -> String {
    let policy = page.find("<meta http-equiv").unwrap();
    let policy = &page[policy..policy + page[policy..].find('>').unwrap() + 1];
    let click = |name: &&str| format!("document.querySelector('[data-do={name}]').click();");
    let clicks: String = buttons.iter().map(click).collect();
    let page = page.replace(policy, "").replace("</body>", &format!("<script>{clicks}</script></body>"));
    let directory = Directory::with(&[("page.html", page.as_bytes())]);
    opened(browser, &directory.path().join("page.html"), fragment)
}

#[test]
fn a_way_is_walked_step_by_step() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let page = Scene::open(&root().join("examples/production")).page("production");
    let dom = clicked(&browser, &page, "sentence-8", &["next"; 4]);
    let current: Vec<&str> =
        dom.split("aria-current=\"step\"").skip(1).map(|rest| rest.split("</tr>").next().unwrap()).collect();
    assert_eq!(current.len(), 1);
    assert!(current[0].contains("<td>4</td><td>rocky</td>"), "{}", current[0]);
    assert_eq!(dom.matches("class=\"at\"").count(), 1);
    assert!(dom.contains("Step 4 of "), "the heading does not say it");
}

#[test]
fn a_lesson_is_walked_step_by_step() {
    let Some(browser) = browser() else {
        println!("skipped: there is no Chromium here");
        return;
    };
    let page = taught("C.UTF-8", &["nat"]);
    let directory = Directory::with(&[("nat.html", page.as_bytes())]);
    let begun = opened(&browser, &directory.path().join("nat.html"), "");
    let trips = page.matches("<figure class=\"trip\"").count();
    assert_eq!(begun.matches("aria-current=\"step\"").count(), trips, "each connection shows its first step");
    assert_eq!(begun.matches("<p class=\"seen\" hidden=\"\">").count(), trips, "how it ends is not told at once");
    let trip =
        |dom: &str| dom.split("<figure class=\"trip\"").nth(1).unwrap().split("</figure>").next().unwrap().to_owned();
    let rows = |dom: &str| trip(dom).matches("<td>").count() / 5;
    let hidden = |dom: &str| trip(dom).matches("<tr hidden=\"\"><td>").count();
    assert_eq!(hidden(&begun), rows(&begun) - 1);
    let dom = clicked(&browser, &page, "", &["next", "next", "next", "previous"]);
    assert!(trip(&dom).contains(&format!("Step 3 of {}: ", rows(&dom))), "{}", trip(&dom));
    assert_eq!(hidden(&dom), rows(&dom) - 3);
    let all = clicked(&browser, &page, "", &["all"]);
    assert!(
        hidden(&all) == 0 && trip(&all).contains("<p class=\"seen\">What you would see: it works"),
        "{}",
        trip(&all)
    );
}
