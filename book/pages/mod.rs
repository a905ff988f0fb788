//! What the book consists of. Every text has one home in the repository, and its page has the same path in the book, so
//! that links between pages lead to the same places in both; what is a table or a program's output is made here.

mod lab_file;
pub(crate) mod links;

use std::fmt::Write;
use std::path::Path;
use std::process::Command;
use std::{fs, io};

use canreach::diagnostic::Code;
use canreach::language::Language;
use canreach::lesson::Topic;

/// A page, or a file that pages show.
pub(crate) struct Page {
    /// Where it stands, from the book's root, with `/` between parts.
    pub(crate) path: String,
    /// What is in it.
    pub(crate) text: String,
}

/// A line of the summary: how deep, what it is called, which page it leads to.
struct Entry {
    depth: usize,
    title: String,
    path: String,
}

/// A part of the summary, with a heading unless it is the first.
struct Part {
    title: &'static str,
    entries: Vec<Entry>,
}

/// The pages about canreach itself, in the order in which they are best read.
const GUIDE: [(&str, &str); 7] = [
    ("canreach", "README.md"),
    ("Getting started", "docs/getting-started.md"),
    ("Sentences", "specs/sentences.md"),
    ("lab.yaml", LAB_FILE),
    ("Outputs, and where they go", "docs/outputs.md"),
    ("Limits", "docs/limits.md"),
    ("Other tools", "docs/other-tools.md"),
];
const PROJECT: [(&str, &str); 3] =
    [("Architecture", "ARCHITECTURE.md"), ("Glossary", "GLOSSARY.md"), ("Changes", "CHANGELOG.md")];
const BROKEN: [(&str, &str); 5] = [
    ("Broken labs", "tests/broken/README.md"),
    ("Docker", "tests/broken/docker.md"),
    ("Firewalls", "tests/broken/firewall.md"),
    ("Networks", "tests/broken/networks.md"),
    ("VirtualBox", "tests/broken/virtualbox.md"),
];
const LAB_FILE: &str = "docs/lab-file.md";

/// Everything: the summary, the pages, and the files that they show.
pub(crate) fn gather(root: &Path, program: &Path) -> io::Result<Vec<Page>> {
    let mut pages = Vec::new();
    let parts = [
        Part { title: "", entries: listed(root, &GUIDE, &mut pages)? },
        Part { title: "Labs to copy", entries: examples(root, &mut pages)? },
        Part { title: "Lessons", entries: lessons(program, Language::English, &mut pages)? },
        Part { title: "The model", entries: mechanisms(root, &mut pages)? },
        Part { title: "What breaks labs", entries: listed(root, &BROKEN, &mut pages)? },
        Part { title: "Codes of messages", entries: codes(Language::English, &mut pages) },
        Part { title: "The project", entries: listed(root, &PROJECT, &mut pages)? },
        Part { title: "한국어", entries: korean(root, program, &mut pages)? },
    ];
    pages.push(Page { path: "SUMMARY.md".to_owned(), text: summary(&parts) });
    links::settle(root, &mut pages)?;
    Ok(pages)
}

fn summary(parts: &[Part]) -> String {
    let mut text = "# Summary\n".to_owned();
    for part in parts {
        if !part.title.is_empty() {
            text += &format!("\n# {}\n", part.title);
        }
        text += "\n";
        for Entry { depth, title, path } in &part.entries {
            text += &format!("{}- [{title}]({path})\n", "  ".repeat(*depth));
        }
    }
    text
}

/// Pages by title and path, as they stand in the repository.
fn listed(root: &Path, wanted: &[(&str, &str)], pages: &mut Vec<Page>) -> io::Result<Vec<Entry>> {
    let mut entries = Vec::new();
    for (title, path) in wanted {
        let text = match *path {
            LAB_FILE => lab_file::page(&fs::read_to_string(root.join("specs/schema/lab-v1.json"))?)?,
            path => fs::read_to_string(root.join(path))?,
        };
        entries.push(add(pages, 0, title, path, text));
    }
    Ok(entries)
}

fn add(pages: &mut Vec<Page>, depth: usize, title: &str, path: &str, text: String) -> Entry {
    pages.push(Page { path: path.to_owned(), text });
    Entry { depth, title: title.to_owned(), path: path.to_owned() }
}

/// The labs of `examples/`, each with all its files.
fn examples(root: &Path, pages: &mut Vec<Page>) -> io::Result<Vec<Entry>> {
    let index = fs::read_to_string(root.join("examples/README.md"))?;
    let names: Vec<String> = links::targets(&index).map(|target| target.to_owned()).collect();
    let mut entries = vec![add(pages, 0, "Labs to copy", "examples/README.md", index)];
    for name in names.iter().filter(|name| root.join("examples").join(name).is_dir()) {
        let mut text = format!("# {name}\n\nIn the repository: `canreach check examples/{name}`.\n");
        for file in files_below(&root.join("examples").join(name), "")? {
            let content = fs::read_to_string(root.join("examples").join(name).join(&file))?;
            let language = match file.rsplit_once('.') {
                Some((_, "yaml" | "yml")) => "yaml",
                Some((_, "sh")) => "sh",
                Some((_, "xml" | "vbox")) => "xml",
                Some((_, "json")) => "json",
                _ => "text",
            };
            text += &format!("\n`{file}`:\n\n```{language}\n{}\n```\n", content.trim_end());
        }
        entries.push(add(pages, 1, name, &format!("examples/{name}/README.md"), text));
    }
    Ok(entries)
}

/// The files below a directory by their paths in it, in order.
fn files_below(directory: &Path, prefix: &str) -> io::Result<Vec<String>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(directory)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files_below(&entry.path(), &format!("{name}/"))?);
        } else {
            found.push(name);
        }
    }
    found.sort();
    Ok(found)
}

/// Lessons as `canreach teach` gives them, with the answer behind a fold.
fn lessons(program: &Path, language: Language, pages: &mut Vec<Page>) -> io::Result<Vec<Entry>> {
    let (tag, answer) = match language {
        Language::English => ("en", "The answer"),
        Language::Korean => ("ko", "답"),
    };
    let mut entries = Vec::new();
    for topic in Topic::ALL {
        let teach = |options: &[&str]| told(program, &[&["--lang", tag, "teach", topic.name()], options].concat());
        let text = format!(
            "{}\n<details><summary>{answer}</summary>\n\n{}\n</details>\n",
            fenced(&teach(&[])?),
            fenced(&teach(&["--answer"])?)
        );
        entries.push(add(pages, 0, topic.title(language), &format!("lessons/{tag}/{}.md", topic.name()), text));
    }
    Ok(entries)
}

/// What the program says.
fn told(program: &Path, arguments: &[&str]) -> io::Result<String> {
    let output = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output()?;
    if output.status.success() {
        String::from_utf8(output.stdout).map_err(io::Error::other)
    } else {
        Err(io::Error::other(format!("{arguments:?}: {}", String::from_utf8_lossy(&output.stderr))))
    }
}

/// A lesson with fences around what is followed and decided: its lines are indented by two blanks.
fn fenced(lesson: &str) -> String {
    let (mut text, mut is_inside, mut is_own) = (String::new(), false, false);
    for line in lesson.lines() {
        is_own ^= line.starts_with("```");
        let belongs = line.starts_with("  ") && !is_own;
        if belongs != is_inside {
            text += if belongs { "```text\n" } else { "```\n" };
            is_inside = belongs;
        }
        let _ = writeln!(text, "{}", if belongs { line.strip_prefix("  ").unwrap_or(line) } else { line });
    }
    text + if is_inside { "```\n" } else { "" }
}

/// The pages about mechanisms, in the order of their index, below its groups.
fn mechanisms(root: &Path, pages: &mut Vec<Page>) -> io::Result<Vec<Entry>> {
    let index = fs::read_to_string(root.join("specs/README.md"))?;
    let mut entries = Vec::new();
    for line in index.lines().take_while(|line| !line.starts_with("## ")).filter(|line| line.starts_with("- ")) {
        for target in links::targets(line) {
            let path = format!("specs/{target}");
            if !pages.iter().any(|page| page.path == path) {
                let text = fs::read_to_string(root.join(&path))?;
                let title = text.lines().next().unwrap_or_default().trim_start_matches("# ").to_owned();
                entries.push(add(pages, 1, &title, &path, text));
            }
        }
    }
    entries.insert(0, add(pages, 0, "Mechanism by mechanism", "specs/README.md", index));
    Ok(entries)
}

/// The index of all codes, and the page of each.
fn codes(language: Language, pages: &mut Vec<Page>) -> Vec<Entry> {
    let (title, introduction, end) = match language {
        Language::English => {
            ("Codes of messages", "Every message has a code; `canreach explain CODE` prints its page.", "md")
        }
        Language::Korean => (
            "메시지 코드",
            "모든 메시지에는 코드가 있습니다. `canreach explain 코드`가 그 설명을 보여 줍니다.",
            "ko.md",
        ),
    };
    let mut index = format!("# {title}\n\n{introduction}\n\n| | |\n|---|---|\n");
    let mut entries = Vec::new();
    for code in Code::ALL {
        let name = code.as_str().trim_start_matches("canreach::");
        let path = format!("{}.{end}", name.replace("::", "/"));
        let page = code.page(language);
        let summary = page.lines().skip(1).find(|line| !line.is_empty()).unwrap_or_default();
        index += &format!("| [`{name}`]({path}) | {} |\n", summary.replace('|', "\\|"));
        entries.push(add(pages, 1, name, &format!("specs/codes/{path}"), page.to_owned()));
    }
    entries.sort_by(|a, b| a.title.cmp(&b.title));
    entries.insert(0, add(pages, 0, title, &format!("specs/codes/README.{end}"), index));
    entries
}

/// What there is in Korean.
fn korean(root: &Path, program: &Path, pages: &mut Vec<Page>) -> io::Result<Vec<Entry>> {
    let mut entries = listed(root, &[("canreach (한국어)", "README.ko.md")], pages)?;
    entries.extend(lessons(program, Language::Korean, pages)?);
    entries.extend(codes(Language::Korean, pages));
    Ok(entries)
}
