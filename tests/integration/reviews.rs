//! `--format github`, `junit` and `markdown`: what is read where people review changes.

use std::fs;
use std::path::Path;

use crate::cli::{Run, canreach_in};
use crate::support::Directory;

fn canreach(arguments: &[&str]) -> Run {
    canreach_in(Path::new(env!("CARGO_MANIFEST_DIR")), arguments)
}

/// Names and texts that would do something if they were not escaped.
fn hostile() -> Directory {
    let compose = "services:
  web: {image: \"x/`a`|<b>@c:1\", ports: [\"8080:80\"]}
  '<img src=x>': {image: nginx}
";
    let sentences = "sentences:
  - sentence: lan cannot reach web:80
    reason: \"<script>alert(1)</script> @team | `x` ```\"
  - sentence: internet can reach web:80
    severity: warning
";
    Directory::with(&[("compose.yaml", compose.as_bytes()), ("specs/a.yaml", sentences.as_bytes())])
}

#[test]
fn annotations_stand_at_the_line_to_blame() {
    let run = canreach(&["check", "examples/nat-no-forward", "--format", "github"]);
    let lines: Vec<&str> = run.stdout.lines().collect();
    let start = "::error file=examples/nat-no-forward/rocky.vbox,line=36,endLine=36,col=43,endColumn=43,\
                 title=canreach%3A%3Anat%3A%3Ano_inbound::mac cannot reach grafana:3000: connection refused%0A";
    assert!(run.code == 1 && lines.len() == 1 && lines[0].starts_with(start), "{lines:?}");
    assert!(lines[0].contains("%0Ahelp: forward port 3000 on 127.0.0.1"), "{lines:?}");
    let holds = canreach(&["check", "examples/bridged", "--format", "github"]);
    assert_eq!((holds.code, holds.stdout.as_str()), (0, ""));
}

#[test]
fn no_text_of_the_user_begins_a_command() {
    let run = canreach_in(hostile().path(), &["check", "--format", "github"]);
    for line in run.stdout.lines() {
        assert!(["::error ", "::warning ", "::notice "].iter().any(|start| line.starts_with(start)), "{line}");
    }
}

/// `tests`, `failures`, `errors` and `skipped` cases of a run.
fn cases(run: &Run) -> (usize, usize, usize, usize) {
    let document = roxmltree::Document::parse(&run.stdout).unwrap();
    let count = |name| document.descendants().filter(|node| node.has_tag_name(name)).count();
    (count("testcase"), count("failure"), count("error"), count("skipped"))
}

#[test]
fn test_cases_fail_as_sentences_do() {
    let violated = canreach(&["check", "examples/nat-no-forward", "--format", "junit"]);
    assert_eq!(cases(&violated), (5, 1, 0, 0));
    assert!(violated.stdout.contains("file=\"examples/nat-no-forward/lab.yaml\""), "{}", violated.stdout);
    assert_eq!(cases(&canreach(&["check", "examples/bridged", "--format", "junit"])), (6, 0, 0, 0));
    let wrong = Directory::with(&[("run.sh", b"docker run -d -p 80:8080 --name web nginx\n")]);
    let (all, failures, ..) = cases(&canreach_in(wrong.path(), &["lint", "--format", "junit"]));
    assert_eq!((all, failures), (1, 1));
    let (all, failures, errors, _) = cases(&canreach_in(wrong.path(), &["check", "--format", "junit"]));
    assert!(all > 1 && (failures, errors) == (0, 1), "a run without sentences must not be green");
    let unreadable = canreach(&["check", "tests/fixtures/bad/broken-xml", "--format", "junit"]);
    assert!(cases(&unreadable).2 > 0);
    let (.., skipped) = cases(&canreach_in(hostile().path(), &["check", "--format", "junit"]));
    assert!(skipped > 0);
}

/// The fenced blocks of a page, by language; every fence is closed, and so is every fold.
fn blocks(page: &str) -> Vec<(String, String)> {
    assert_eq!(page.matches("<details>").count(), page.matches("</details>").count(), "{page}");
    let mut blocks = Vec::new();
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let fence: String = line.chars().take_while(|c| *c == '`').collect();
        if fence.len() >= 3 {
            let inside: Vec<&str> = lines.by_ref().take_while(|line| *line != fence).collect();
            blocks.push((line[fence.len()..].to_owned(), inside.join("\n")));
        }
    }
    blocks
}

#[test]
fn a_comment_has_table_path_lines_and_fix() {
    let page = canreach(&["check", "examples/nat-forward-exposes-lan", "--format", "markdown"]).stdout;
    let blocks = blocks(&page);
    let of = |language: &str| &blocks.iter().find(|(name, _)| name == language).unwrap().1;
    assert!(of("mermaid").starts_with("flowchart LR\nn0[\"phone\"]\nn0 -->|\""), "{page}");
    assert!(of("mermaid").contains("grafana gets it\"]):::works"), "{page}");
    assert!(of("diff").contains("+++ b/examples/nat-forward-exposes-lan/rocky.vbox"), "{page}");
    for expected in [
        "## canreach: 2 sentences, 1 violated\n",
        "| ✅ | `mac/browser can reach grafana:3000 at http://localhost:3000` | at `http://localhost:3000` if `grafana` listens \
         on 3000/tcp on all addresses |\n",
        "| ❌ | `lan cannot reach grafana:3000` | phone can reach grafana:3000 at 192.168.1.100:3000 |\n",
        "<summary>❌ <code>lan cannot reach grafana:3000</code></summary>\n",
        "- NAT forward to rocky takes the connection on `mac`: `examples/nat-forward-exposes-lan/rocky.vbox:38` `<Forwarding",
    ] {
        assert!(page.contains(expected), "{expected} is missing in\n{page}");
    }
}

#[test]
fn the_blocked_hop_is_marked() {
    let page = canreach(&["check", "examples/nat-no-forward", "--format", "markdown"]).stdout;
    let chart = &blocks(&page)[0].1;
    assert!(chart.contains("n0 --x|\"dials tcp 127.0.0.1:3000\"| "), "{chart}");
    assert!(chart.contains("finds nobody who listens on tcp 127.0.0.1:3000\"]):::blocked"), "{chart}");
    let page = canreach(&["check", "examples/network-none", "--format", "markdown"]).stdout;
    let charts: Vec<String> = blocks(&page).into_iter().filter(|(name, _)| name == "mermaid").map(|(_, c)| c).collect();
    let rejected = "n2 --x e4([\"rejects it with ICMP administratively prohibited by rule";
    assert!(charts[0].contains(rejected), "{}", charts[0]);
    assert!(charts[1].starts_with("flowchart LR\nn0[\"rocky/grafana\"]\nn0 --x e2([\"finds no route"), "{}", charts[1]);
}

/// What is left of a page without its code: a run of backticks up to the next one of the same length.
fn without_code(page: &str) -> String {
    let mut left = String::new();
    let mut rest = page;
    while let Some(start) = rest.find('`') {
        let length = rest[start..].chars().take_while(|c| *c == '`').count();
        let inside = &rest[start + length..];
        let runs = inside.match_indices(|c| c != '`').map(|(at, c)| at + c.len()).chain([0]);
        let end = runs.filter(|at| inside[*at..].chars().take_while(|c| *c == '`').count() == length).min();
        left += &rest[..start];
        rest = end.map_or(inside, |end| &inside[end + length..]);
    }
    left + rest
}

#[test]
fn texts_of_the_user_are_shown_and_do_nothing() {
    let page = canreach_in(hostile().path(), &["check", "--format", "markdown"]).stdout;
    blocks(&page);
    let read = without_code(&page.replace("\\`", ""));
    for tag in ["<script", "<img", "<b>"] {
        assert!(page.contains(&tag[1..]) && !read.contains(tag), "{tag} is read as HTML in\n{page}");
    }
    assert!(!page.contains("@team"), "{page}");
    for row in page.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| |")) {
        assert_eq!(row.replace("\\|", "").matches('|').count(), 4, "{row}");
    }
}

#[test]
fn without_a_sentence_a_comment_says_so_and_shows_who_can_reach_what() {
    let compose = "services: {web: {image: nginx, ports: [\"8080:80\"]}}\n";
    let lab = Directory::with(&[("compose.yaml", compose.as_bytes())]);
    let page = canreach_in(lab.path(), &["check", "--format", "markdown"]).stdout;
    assert!(page.starts_with("<!-- canreach -->\n## canreach: no sentence to decide, nothing to warn of\n"), "{page}");
    let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| ")).collect();
    assert!(rows[0].starts_with("| LISTENS | any other host on lan | host |"), "{page}");
    assert!(rows[1].contains("| 192.168.1.100:8080 |"), "{page}");
    let bars = |row: &str| row.replace("\\|", "").matches('|').count();
    assert!(rows.iter().all(|row| bars(row) == bars(rows[0])), "{page}");
    let lint = canreach_in(lab.path(), &["lint", "--format", "markdown"]).stdout;
    assert_eq!(lint, "<!-- canreach -->\n## canreach: nothing to warn of\n");
}

#[test]
fn every_example_makes_a_comment_that_github_takes() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for path in fs::read_dir(examples).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for command in ["check", "lint"] {
            let run = canreach(&[command, path.to_str().unwrap(), "--format", "markdown"]);
            assert!(run.stdout.starts_with("<!-- canreach -->\n## canreach: ") && run.stdout.len() < 65_536);
            blocks(&run.stdout);
        }
    }
}
