//! A command line as words: quotes and backslashes as a shell has them, and nothing else of a shell.

/// Splits as `command: some "quoted text"` is split (compose-go uses mattn/go-shellwords without expansion).
pub(super) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', None | Some('"')) => word.get_or_insert_default().extend(chars.next()),
            (c, Some(open)) if c == open => quote = None,
            (c, Some(_)) => word.get_or_insert_default().push(c),
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, None) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_hold_words_together() {
        let check = |line: &str, expected: &[&str]| assert_eq!(split(line), expected, "{line}");
        check("redis-server --port 6380", &["redis-server", "--port", "6380"]);
        check("sh -c 'nc -l \"80\"' \"a b\"c", &["sh", "-c", "nc -l \"80\"", "a bc"]);
        check("  a\\ b '' \n", &["a b", ""]);
        check("'열린", &["열린"]);
    }
}
