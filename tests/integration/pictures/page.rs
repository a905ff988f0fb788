//! The page: self-contained, well linked, and safe whatever a lab is called.

use std::collections::BTreeSet;

use sha2::{Digest, Sha256};

use canreach::language::Language;
use canreach::lesson::{self, Piece, Topic};

use super::{Scene, examples, hostile, many, root, sixty, taught};

/// The values of an attribute, wherever it stands in a tag.
fn attributes<'a>(page: &'a str, name: &str) -> Vec<&'a str> {
    let start = format!(" {name}=\"");
    page.split(start.as_str()).skip(1).map(|rest| rest.split('"').next().unwrap()).collect()
}

fn check_page(page: &str) {
    let (head, script) = page.split_once("<script>").unwrap();
    let script = script.split_once("</script>").unwrap().0;
    assert_eq!(page.matches("<script").count(), 1);
    assert!(
        page.contains(&format!("script-src 'sha256-{}'", base64(&Sha256::digest(script)))),
        "hash of page.js: {}",
        base64(&Sha256::digest(script))
    );
    let mut ids = BTreeSet::new();
    for id in attributes(head, "id") {
        assert!(ids.insert(id), "two elements are called {id}");
    }
    for href in attributes(head, "href") {
        assert!(ids.contains(href.strip_prefix('#').unwrap()), "{href} leads nowhere");
    }
    for name in ["aria-labelledby", "aria-describedby", "data-lit"] {
        for id in attributes(head, name).into_iter().flat_map(str::split_whitespace) {
            assert!(ids.contains(id), "there is no {id}");
        }
    }
    assert!(attributes(head, "src").is_empty() && !head.contains("url(") && !head.contains("@import"));
    for tag in ["<img", "<link", "<iframe", "<object"] {
        assert!(!head.contains(tag), "{tag}");
    }
    for tag in ["details", "section", "table", "g", "div", "pre", "figure", "ul", "ol", "tr", "p", "span"] {
        let opened = head.matches(&format!("<{tag}>")).count() + head.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, head.matches(&format!("</{tag}>")).count(), "<{tag}>");
    }
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |chunk: &[u8]| {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let digit = |index: usize| match index <= chunk.len() {
            true => char::from(DIGITS[(bits >> (18 - 6 * index) & 63) as usize]),
            false => '=',
        };
        (0..4).map(digit).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}

#[test]
fn every_page_is_complete_and_loads_nothing() {
    for path in examples() {
        let page = Scene::open(&path).page("a <lab> & \"more\"");
        check_page(&page);
        assert!(page.contains("<h1>a &lt;lab&gt; &amp; &quot;more&quot;</h1>"));
    }
    for scene in [many(), sixty(), hostile()] {
        check_page(&scene.page("a lab"));
    }
}

#[test]
fn a_page_says_what_a_terminal_says() {
    let path = examples().into_iter().find(|path| path.ends_with("nat-no-forward")).unwrap();
    let page = Scene::open(&path).page("lab");
    for text in [
        "mac cannot reach grafana:3000: connection refused",
        "canreach::nat::no_inbound",
        "rocky.vbox:37",
        "class=\"comes\"",
        "http://192.168.1.100:3000 works",
        "What you would see: <b>connection refused, at once</b>",
        "Every step, with addresses before and after",
    ] {
        assert!(page.contains(text), "`{text}` is missing");
    }
}

#[test]
fn a_korean_page_speaks_korean() {
    let page = Scene::open(&root().join("examples/nat-no-forward")).page_in("lab", Language::Korean);
    check_page(&page);
    for text in [
        "<html lang=\"ko\">",
        "mac에서 grafana:3000에 연결할 수 없습니다",
        "눈에 보이는 증상: <b>연결이 즉시 거부됩니다",
        "해결 방법",
        "모든 단계와 전후의 주소",
    ] {
        assert!(page.contains(text), "`{text}` is missing");
    }
    for text in ["cannot reach grafana:3000: ", "works", "Previous", "missing here", "dials", "Sentences"] {
        assert!(!page.split("<script>").next().unwrap().contains(text), "`{text}` is not Korean");
    }
}

#[test]
fn every_lesson_is_a_page_to_walk_through() {
    for (locale, language) in [("C.UTF-8", Language::English), ("ko_KR.UTF-8", Language::Korean)] {
        let page = taught(locale, &[]);
        check_page(&page);
        let pieces = |topic: &Topic| lesson::pieces(topic.page(language));
        let traces = Topic::ALL.iter().flat_map(pieces).filter(|piece| matches!(piece, Piece::Trace(_))).count();
        assert_eq!(page.matches("<figure class=\"trip\"").count(), traces);
        for topic in Topic::ALL {
            assert!(page.contains(&format!("<article class=\"lesson\" id=\"{}\">", topic.name())));
        }
        assert!(!page.contains("```"), "a block is not read");
    }
    let one = taught("C.UTF-8", &["nat"]);
    check_page(&one);
    assert!(one.contains("<title>Why NAT lets nobody in</title>") && !one.contains("id=\"publish\""));
    assert!(
        one.contains("<del>192.168.1.100:50000</del><br><ins>203.0.113.2:50000</ins>"),
        "no header before and after"
    );
}
