//! A lab that is predicted wrongly, made as small as it can be while it still is.

use super::draft::Draft;

/// Parts of lines that can be left out.
const WORDS: [&str; 2] = [" -p ", " --"];
/// What every lab needs, and options without which a line says nothing.
const NEEDED: [&str; 8] =
    ["dockerd", "systemctl start firewalld", "DefaultZone", "<?xml", "<zone", "</zone", "<policy", "</policy"];
const NEEDED_WORDS: [&str; 3] = [" --name ", " --network container", " --zone"];

/// Tries to leave things out, one after the other, as often as `tries` allows.
pub(super) fn shrink(draft: Draft, tries: usize, differs: impl Fn(&Draft) -> bool) -> Draft {
    let mut smallest = draft;
    let mut left = tries;
    let mut position = 0;
    while let Some(smaller) = without(&smallest, position) {
        if left == 0 {
            break;
        }
        left -= 1;
        if differs(&smaller) {
            smallest = smaller;
        } else {
            position += 1;
        }
    }
    smallest
}

/// The lab without its part number `position`: a whole file, a line, or a part of a line.
fn without(draft: &Draft, position: usize) -> Option<Draft> {
    let mut parts = draft.files.iter().filter(|(name, _)| *name != "lab.yaml").flat_map(|(name, text)| {
        let whole = (name != "setup.sh" && !name.ends_with(".conf")).then_some(None);
        let lines = (0..text.lines().count()).filter_map(move |n| without_line(text, n)).map(Some);
        let words = parts_of_lines(text).into_iter().map(Some);
        whole.into_iter().chain(lines).chain(words).map(move |smaller| draft.with(name, smaller))
    });
    parts.nth(position)
}

fn without_line(text: &str, number: usize) -> Option<String> {
    let line = text.lines().nth(number)?;
    let is_needed = NEEDED.iter().any(|needed| line.contains(needed));
    let others = text.lines().enumerate().filter(|(n, _)| *n != number);
    (!is_needed).then(|| others.map(|(_, line)| format!("{line}\n")).collect())
}

/// The text without one option of one line.
fn parts_of_lines(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (at, _) in text.char_indices().filter(|(at, _)| WORDS.iter().any(|word| text[*at..].starts_with(word))) {
        let rest = &text[at..];
        let line = text[..at].rsplit('\n').next().unwrap();
        let is_option_of_docker = line.starts_with("docker");
        if !is_option_of_docker || NEEDED_WORDS.iter().any(|word| rest.starts_with(word)) {
            continue;
        }
        // An option ends before the next word, and its value, if it has one, with that.
        let has_value = rest.starts_with(" -p ") || rest.starts_with(" --network ");
        let mut ends = rest.match_indices([' ', '\n']).map(|(end, _)| end).filter(|end| *end > 0);
        if let Some(end) = ends.nth(usize::from(has_value)) {
            all.push(format!("{}{}", &text[..at], &rest[end..]));
        }
    }
    all
}
