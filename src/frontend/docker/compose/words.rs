//! A command line as words: quotes and backslashes as a shell has them, and nothing else of a shell.

/// A line taken apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) words: Vec<String>,
    /// The operator at which reading stops, as in `a && b`.
    pub(super) cut_off: Option<char>,
    /// Quotes are closed, and no parenthesis stands where a word would.
    pub(super) is_valid: bool,
}

/// Splits as `command: some "quoted text"` is split (compose-go uses mattn/go-shellwords without expansion; each kind of
/// line was given to docker compose 2.40.3).
pub(super) fn split(line: &str) -> Line {
    let mut out = Line { is_valid: true, ..Line::default() };
    let mut word: Option<String> = None;
    // A quote, a backtick, or `(` for `$(`.
    let mut open: Option<char> = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, open) {
            ('\\', quote) if quote != Some('\'') => word.get_or_insert_default().extend(chars.next()),
            ('`', Some('`')) | (')', Some('(')) => {
                open = None;
                word.get_or_insert_default().push(c);
            }
            (c, Some(quote)) if c == quote && c != '(' => open = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                open = Some(c);
                word.get_or_insert_default();
            }
            ('`', None) => {
                open = Some(c);
                word.get_or_insert_default().push(c);
            }
            ('(', None) if word.as_ref().is_some_and(|word| word.ends_with('$')) => {
                open = Some(c);
                word.get_or_insert_default().push(c);
            }
            ('(', None) => out.is_valid = false,
            (';' | '&' | '|' | '<' | '>', None) => {
                // The number of `2>` belongs to the operator.
                let is_number = c == '>' && word.as_ref().is_some_and(|w| w.starts_with(|d: char| d.is_ascii_digit()));
                word = word.filter(|_| !is_number);
                out.cut_off = Some(c);
                break;
            }
            (c, None) if c.is_whitespace() => out.words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    out.words.extend(word);
    out.is_valid &= open.is_none();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        let check = |line: &str, expected: &[&str]| {
            let split = split(line);
            assert!(split.is_valid && split.cut_off.is_none(), "{line}");
            assert_eq!(split.words, expected, "{line}");
        };
        check("redis-server --port 6380", &["redis-server", "--port", "6380"]);
        check("sh -c 'nc -l \"80\"' \"a b\"c", &["sh", "-c", "nc -l \"80\"", "a bc"]);
        check("  a\\ b '' \n", &["a b", ""]);
        check("a 'x;y' z \\;", &["a", "x;y", "z", ";"]);
        check("a $(b c) `d e` ${X} b#c", &["a", "$(b c)", "`d e`", "${X}", "b#c"]);
        check("sh -c \"a && b\" 'b\\c' \"x\\y\"", &["sh", "-c", "a && b", "b\\c", "xy"]);
    }

    #[test]
    fn operators_end_the_line() {
        let check = |line: &str, words: &[&str], operator: char| {
            let split = split(line);
            assert_eq!((split.words, split.cut_off), (words.iter().map(|w| (*w).to_owned()).collect(), Some(operator)));
        };
        check("a b && c", &["a", "b"], '&');
        check("a;b", &["a"], ';');
        check("a 2>x", &["a"], '>');
        check("a x2>x", &["a", "x2"], '>');
        check("a | b", &["a"], '|');
    }

    #[test]
    fn what_is_no_command_line() {
        for line in ["'열린", "a \"b", "a (b)", "`", "$(a"] {
            assert!(!split(line).is_valid, "{line}");
        }
    }
}
