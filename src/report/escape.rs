//! Text of the user inside Markdown: whatever it holds, it is shown and does nothing.

/// Text that may have code in backticks, as messages do: the code stays code, everything else is plain.
pub(super) fn prose(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    // Without its partner, a backtick is a character like others.
    let closed = parts.len() - usize::from(parts.len().is_multiple_of(2));
    let mut shown = String::new();
    for (index, part) in parts.iter().enumerate() {
        let is_code = index % 2 == 1 && index < closed;
        if index == closed {
            shown += "\\`";
        }
        shown += &if is_code && !part.is_empty() { code(part) } else { plain(part) };
    }
    shown
}

/// Every character that means something to Markdown, HTML or GitHub, made harmless.
pub(super) fn plain(text: &str) -> String {
    let mut shown = String::new();
    for c in one_line(text).chars() {
        match c {
            '&' => shown += "&amp;",
            '<' => shown += "&lt;",
            '>' => shown += "&gt;",
            // Mentions and references are found in the finished text; nothing of no width stands between.
            '@' | '#' => shown.extend([c, '\u{200b}']),
            '\\' | '`' | '*' | '_' | '[' | ']' | '~' | '!' => shown.extend(['\\', c]),
            c => shown.push(c),
        }
    }
    shown
}

/// Code within a line.
pub(super) fn code(text: &str) -> String {
    let text = one_line(text);
    let fence = "`".repeat(longest_run(&text) + 1);
    // A blank keeps a backtick at the edge apart, and is taken away by the reader.
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{fence}{pad}{text}{pad}{fence}")
}

/// Markdown as a cell of a table: bars are taken for its edges even in code.
pub(super) fn cell(markdown: &str) -> String {
    markdown.replace('|', "\\|")
}

/// Code within HTML, where Markdown is not read.
pub(super) fn html_code(text: &str) -> String {
    let text = one_line(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<code>{text}</code>")
}

/// Lines of code in a language.
pub(super) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    let end = if text.ends_with('\n') { "" } else { "\n" };
    format!("{fence}{language}\n{text}{end}{fence}\n")
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}

fn longest_run(text: &str) -> usize {
    text.split(|c| c != '`').map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prose_keeps_its_code_and_nothing_else() {
        let check = |text: &str, expected: &str| assert_eq!(prose(text), expected);
        check("`mac` cannot reach db:5432", "`mac` cannot reach db:5432");
        check("a|b `c|d`", "a|b `c|d`");
        check("an `open one", "an \\`open one");
        check("`a` and `b", "`a` and \\`b");
        check("<img> *x* [a](b)", "&lt;img&gt; \\*x\\* \\[a\\](b)");
        check("@web and #1\nnext", "@\u{200b}web and #\u{200b}1 next");
        check("``", "");
    }

    #[test]
    fn fences_are_longer_than_what_they_hold() {
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(cell(&prose("a|b `c|d`")), "a\\|b `c\\|d`");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(block("sh", "echo ```\n"), "````sh\necho ```\n````\n");
        assert_eq!(html_code("<b>&"), "<code>&lt;b&gt;&amp;</code>");
    }
}
