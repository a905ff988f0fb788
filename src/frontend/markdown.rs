//! Markdown pages as labs: code blocks with a file name are files, `canreach` blocks are sentences.
//!
//! A block is a file when its info string names one (```` ```yaml name=compose.yaml ````) or when the line before it
//! does (`` `compose.yaml`: ``). Sentences stand one a line; `#` starts a comment line, and what follows `=>` is the
//! verdict that is expected. Fences are CommonMark's (spec 0.31, section 4.5), at the top level of the page.
//!
//! A page may hold several labs. A `## ` section with files begins the next lab as soon as the one before it has
//! sentences. Files above the first section belong to every lab that has no file of the same name.

use std::mem;
use std::ops::Range;
use std::sync::Arc;

use crate::frontend::File;
use crate::frontend::placed::{Nature, PlacedText};
use crate::source::{SourceId, Span, Spanned};

/// Name of a file and the bytes of its content.
pub type PageFile = (Spanned<String>, Range<usize>);

/// One lab of a page.
#[derive(Clone, Debug, Default)]
pub struct PageLab {
    /// The section that it begins in.
    pub heading: Option<Spanned<String>>,
    /// Files: name and the bytes of their content.
    pub files: Vec<PageFile>,
    /// Sentences, in order.
    pub sentences: Vec<PageSentence>,
}

/// A sentence and what the page says about it.
#[derive(Clone, Debug, PartialEq)]
pub struct PageSentence {
    /// The sentence.
    pub sentence: Spanned<String>,
    /// What follows `=>`.
    pub expected: Option<Spanned<String>>,
}

/// A fenced code block.
struct Block<'a> {
    /// The `## ` heading that it stands under.
    heading: Option<(usize, &'a str)>,
    info: &'a str,
    info_start: usize,
    /// The last line before the block that is not blank, and where it starts.
    before: Option<(usize, &'a str)>,
    content: Range<usize>,
}

/// Whether a page holds sentences.
pub fn has_sentences(text: &str) -> bool {
    blocks(text).iter().any(is_sentences)
}

/// The commands of a page without a lab, as one script: its blocks in a shell's language, in which a prompt may stand
/// before each command and what it prints behind; nothing when there are none.
pub fn commands(source: SourceId, text: &str) -> Option<PlacedText> {
    let mut script = PlacedText::default();
    for block in blocks(text).iter().filter(|block| is_shell(source, block)) {
        let content = text.get(block.content.clone()).unwrap_or("");
        let has_prompts = content.lines().any(|line| prompt(line).is_some());
        let mut at = block.content.start;
        let mut continues = false;
        for line in content.split_inclusive('\n') {
            let skipped = if has_prompts && !continues { prompt(line) } else { Some(0) };
            if let Some(skipped) = skipped {
                let command = line.get(skipped..).unwrap_or("");
                script.push(command, Span::new(source, at + skipped, at + line.len()), Nature::Literal);
                continues = command.trim_end().ends_with('\\');
            }
            at += line.len();
        }
    }
    (!script.as_str().trim().is_empty()).then_some(script)
}

fn is_shell(source: SourceId, block: &Block<'_>) -> bool {
    let language = block.info.split_whitespace().next().unwrap_or("");
    matches!(language, "sh" | "bash" | "shell" | "zsh" | "console" | "shell-session" | "terminal")
        && named_in_info(source, block).is_none()
}

/// The length of a prompt before a command: `$ ` or `# `, perhaps with a user before it as in `root@host:~# `.
fn prompt(line: &str) -> Option<usize> {
    let at = line.find(['$', '#'])?;
    let (before, behind) = (line.get(..at)?, line.get(at + 1..)?);
    let is_user = before.is_empty() || (before.contains('@') && !before.contains(' '));
    let is_comment = line.starts_with('#');
    (behind.starts_with(' ') && is_user && !is_comment).then_some(at + 2)
}

/// Takes a page apart: its labs, at least one.
pub fn split(source: SourceId, text: &str) -> Vec<PageLab> {
    let mut labs = Vec::new();
    let mut shared = Vec::new();
    let mut lab = PageLab::default();
    for block in blocks(text) {
        if is_sentences(&block) {
            lab.sentences.extend(sentences(source, text, &block.content));
        } else if let Some(name) = file_name(source, &block) {
            let heading = block.heading.map(|(at, heading)| trimmed(source, at, heading));
            let is_next = heading.as_ref().map(|h| h.span) != lab.heading.as_ref().map(|h| h.span);
            if is_next && !lab.sentences.is_empty() {
                labs.push(mem::take(&mut lab));
            }
            let files = if heading.is_some() { &mut lab.files } else { &mut shared };
            files.push((name, block.content));
            lab.heading = lab.heading.take().or(heading);
        }
    }
    labs.push(lab);
    labs.iter_mut().for_each(|lab| lay_over(&shared, &mut lab.files));
    labs
}

/// Puts the files of the whole page below those of a section.
fn lay_over(shared: &[PageFile], own: &mut Vec<PageFile>) {
    let is_missing = |file: &&PageFile| own.iter().all(|(name, _)| name.value != file.0.value);
    let missing: Vec<PageFile> = shared.iter().filter(is_missing).cloned().collect();
    own.splice(0..0, missing);
}

/// The files of one lab of a page; their places are places in the page.
pub fn files(page: &File, lab: &PageLab) -> Vec<File> {
    let file = |(name, range): &PageFile| File {
        source: page.source,
        path: name.value.clone(),
        text: only(&page.text, range).into(),
        whole: Arc::clone(&page.text),
    };
    lab.files.iter().map(file).collect()
}

/// The page's text with everything but one file blanked out, so that places in the file are places in the page. An XML
/// declaration is blanked too, because it may only stand at the very beginning.
pub fn only(text: &str, content: &Range<usize>) -> String {
    let inside = text.get(content.clone()).unwrap_or("");
    let declaration = if inside.starts_with("<?xml") { inside.find("?>").map_or(0, |at| at + 2) } else { 0 };
    let start = content.start + declaration;
    let kept = text.get(start..content.end).unwrap_or("");
    let mut only = blank(text.get(..start).unwrap_or(""));
    only.push_str(kept);
    only
}

fn blank(text: &str) -> String {
    text.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }).collect()
}

fn is_sentences(block: &Block<'_>) -> bool {
    block.info.split_whitespace().next() == Some("canreach")
}

fn blocks(text: &str) -> Vec<Block<'_>> {
    let mut found = Vec::new();
    let mut open: Option<(Block<'_>, &str)> = None;
    let mut before = None;
    let mut heading = None;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let end = start + line.len();
        let bare = line.trim_end_matches(['\n', '\r']);
        match open.take() {
            Some((mut block, fence)) if closes(bare, fence) => {
                block.content.end = start;
                found.push(block);
                before = None;
            }
            Some((mut block, fence)) => {
                block.content.end = end;
                open = Some((block, fence));
            }
            None => match fence(bare) {
                Some((fence, info)) => {
                    let info_start = start + bare.len() - info.len();
                    open = Some((Block { heading, info, info_start, before, content: end..end }, fence));
                }
                None if bare.trim().is_empty() => {}
                None => {
                    before = Some((start, bare));
                    heading = bare.strip_prefix("## ").map(|text| (start + 3, text)).or(heading);
                }
            },
        }
        start = end;
    }
    found.extend(open.map(|(block, _)| block));
    found
}

/// The fence that opens a block, and its info string.
fn fence(line: &str) -> Option<(&str, &str)> {
    let indented = line.trim_start_matches(' ');
    let mark = indented.chars().next().filter(|c| matches!(c, '`' | '~'))?;
    let info = indented.trim_start_matches(mark);
    let length = indented.len() - info.len();
    let valid = line.len() - indented.len() < 4 && 3 <= length && !(mark == '`' && info.contains('`'));
    valid.then_some((indented.get(..length)?, info))
}

fn closes(line: &str, open: &str) -> bool {
    fence(line).is_some_and(|(close, info)| close.starts_with(open) && info.trim().is_empty())
}

fn file_name(source: SourceId, block: &Block<'_>) -> Option<Spanned<String>> {
    named_in_info(source, block).or_else(|| named_before(source, block))
}

fn named_in_info(source: SourceId, block: &Block<'_>) -> Option<Spanned<String>> {
    let mut at = 0;
    for word in block.info.split(char::is_whitespace) {
        let start = block.info_start + at;
        at += word.len() + block.info.get(at + word.len()..)?.chars().next().map_or(0, char::len_utf8);
        let Some((key, value)) = word.split_once('=').filter(|(key, _)| matches!(*key, "name" | "file" | "title"))
        else {
            continue;
        };
        let name = value.trim_matches('"');
        let place = Span::new(source, start + key.len() + 1, start + word.len());
        return (!name.is_empty()).then(|| Spanned::new(name.to_owned(), place));
    }
    None
}

/// A line that is nothing but a path in backticks and a colon names the block behind it.
fn named_before(source: SourceId, block: &Block<'_>) -> Option<Spanned<String>> {
    let (start, line) = block.before?;
    let name = line.trim().strip_suffix(':')?.strip_prefix('`')?.strip_suffix('`')?;
    let at = start + line.find('`')? + 1;
    let is_path = !name.is_empty() && !name.contains(['`', ' ']);
    is_path.then(|| Spanned::new(name.to_owned(), Span::new(source, at, at + name.len())))
}

fn sentences(source: SourceId, text: &str, content: &Range<usize>) -> Vec<PageSentence> {
    let mut found = Vec::new();
    let mut start = content.start;
    for line in text.get(content.clone()).unwrap_or("").split_inclusive('\n') {
        let (sentence, expected) = match line.find("=>") {
            Some(at) => (line.get(..at).unwrap_or(line), line.get(at + 2..).map(|rest| (start + at + 2, rest))),
            None => (line, None),
        };
        let sentence = trimmed(source, start, sentence);
        if !sentence.value.is_empty() && !sentence.value.starts_with('#') {
            let expected = expected.map(|(at, rest)| trimmed(source, at, rest));
            found.push(PageSentence { sentence, expected });
        }
        start += line.len();
    }
    found
}

fn trimmed(source: SourceId, start: usize, text: &str) -> Spanned<String> {
    let bare = text.trim();
    let start = start + text.len() - text.trim_start().len();
    Spanned::new(bare.to_owned(), Span::new(source, start, start + bare.len()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    const PAGE: &str = "# 한글\n\n```yaml name=compose.yaml\nservices: {}\n```\n\n`vm/rocky.vbox`:\n\n~~~xml\n<?xml version=\"1.0\"?>\n<VirtualBox/>\n~~~\n\n```sh\nls\n```\n\n```canreach\n# 주석\nlan cannot reach db:3306 => violated timeout\n\n  lan can reach web:80\n```\n";

    #[test]
    fn blocks_with_names_are_files() {
        let source = Sources::default().add("page.md", PAGE);
        let [page] = split(source, PAGE).try_into().unwrap();
        let files: Vec<(&str, &str)> = page.files.iter().map(|(n, r)| (n.value.as_str(), &PAGE[r.clone()])).collect();
        assert_eq!(
            files,
            [("compose.yaml", "services: {}\n"), ("vm/rocky.vbox", "<?xml version=\"1.0\"?>\n<VirtualBox/>\n")]
        );
        for (name, _) in &page.files {
            assert_eq!(&PAGE[name.span.start..name.span.end], name.value);
        }
    }

    #[test]
    fn sentences_stand_one_a_line_with_an_expected_verdict() {
        let source = Sources::default().add("page.md", PAGE);
        let [page] = split(source, PAGE).try_into().unwrap();
        let texts: Vec<(&str, Option<&str>)> = page
            .sentences
            .iter()
            .map(|s| (s.sentence.value.as_str(), s.expected.as_ref().map(|e| e.value.as_str())))
            .collect();
        assert_eq!(texts, [("lan cannot reach db:3306", Some("violated timeout")), ("lan can reach web:80", None)]);
        for sentence in &page.sentences {
            assert_eq!(&PAGE[sentence.sentence.span.start..sentence.sentence.span.end], sentence.sentence.value);
        }
    }

    #[test]
    fn a_file_keeps_its_place_in_the_page() {
        let [page] = split(Sources::default().add("page.md", PAGE), PAGE).try_into().unwrap();
        let xml = only(PAGE, &page.files[1].1);
        assert_eq!(xml.trim(), "<VirtualBox/>");
        assert_eq!(xml.find("<VirtualBox/>"), PAGE.find("<VirtualBox/>"));
        assert_eq!(xml.lines().count(), PAGE[..page.files[1].1.end].lines().count());
    }

    /// Labs -> heading, files, and number of sentences of each.
    fn labs(text: &str, expected: &[&str]) {
        let described = |lab: &PageLab| {
            let heading = lab.heading.as_ref().map_or("-", |h| h.value.as_str());
            let files: Vec<&str> = lab.files.iter().map(|(_, range)| text[range.clone()].trim()).collect();
            format!("{heading}: {} / {}", files.join(" "), lab.sentences.len())
        };
        let labs = split(Sources::default().add("page.md", text), text);
        assert_eq!(labs.iter().map(described).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn a_section_with_files_is_a_lab_of_its_own() {
        let file = |name: &str, content: &str| format!("```yaml name={name}\n{content}\n```\n");
        let sentence = "```canreach\na can reach b:1\n```\n";
        let (a, b, c) = (file("a.yaml", "A"), file("b.yaml", "B"), file("a.yaml", "C"));
        labs(&format!("# T\n{a}## x\n{b}{sentence}## y\n{c}{sentence}{sentence}"), &["x: A B / 1", "y: C / 2"]);
        labs(&format!("# T\n{a}{sentence}## x\n{b}{sentence}## y\n{sentence}"), &["-: A / 1", "x: A B / 2"]);
        labs(&format!("## x\n{a}## y\n{b}## z\n{sentence}"), &["x: A B / 1"]);
        labs(&format!("## x\n{a}{sentence}## x\n{c}{sentence}"), &["x: A / 1", "x: C / 1"]);
        labs(&format!("## x\n{a}{sentence}### x\n{b}{sentence}"), &["x: A B / 2"]);
        labs("no labs", &["-:  / 0"]);
    }

    #[test]
    fn shell_blocks_of_a_page_are_one_script() {
        let check = |text: &str, expected: Option<&str>| {
            let script = commands(Sources::default().add("README.md", text), text);
            assert_eq!(script.as_ref().map(PlacedText::as_str), expected, "{text}");
            for word in script.iter().flat_map(|script| script.as_str().match_indices("docker")) {
                let span = script.as_ref().unwrap().span(word.0..word.0 + 6).unwrap();
                assert_eq!(&text[span.start..span.end], "docker");
            }
        };
        check(
            "# 실습\n\n```sh\ndocker run x\n```\n\n~~~bash\n# y\ndocker ps\n~~~\n",
            Some("docker run x\n# y\ndocker ps\n"),
        );
        check(
            "```console\n$ docker run \\\n  x\nabc123\nroot@가:~# docker ps\nID\n```\n",
            Some("docker run \\\n  x\ndocker ps\n"),
        );
        check("```yaml\ndocker: x\n```\n```sh name=up.sh\ndocker run x\n```\n", None);
        check("docker run x", None);
    }

    #[test]
    fn odd_pages_do_no_harm() {
        let check = |text: &str, files: usize, sentences: usize| {
            let [page] = split(Sources::default().add("p", text), text).try_into().unwrap();
            assert_eq!((page.files.len(), page.sentences.len()), (files, sentences), "{text:?}");
        };
        check("", 0, 0);
        check("```", 0, 0);
        check("```canreach\na can reach b:1", 0, 1);
        check("````yaml file=\"a.yaml\"\n```\n````\n", 1, 0);
        check("```yaml name=\n```", 0, 0);
        check("`a b`:\n```\n```", 0, 0);
    }
}
