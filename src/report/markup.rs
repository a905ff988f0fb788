//! Text inside XML and HTML.

/// A text with nothing in it that XML or HTML would take for its own, in elements and in attributes. Characters that
/// XML 1.0 does not allow at all (section 2.2) become U+FFFD.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\t' | '\n' | '\r' => safe.push(c),
            '\u{0}'..='\u{1f}' | '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            // What turns the direction of text round would make a name look like another one.
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => safe.push('\u{fffd}'),
            _ => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use roxmltree::Document;

    use super::*;

    #[test]
    fn markup_in_names_stays_text() {
        let check = |text, expected| assert_eq!(escaped(text), expected);
        check("a<b>&\"'", "a&lt;b&gt;&amp;&quot;&#39;");
        check("데이터베이스", "데이터베이스");
        check("a\u{0}\u{1b}[31m\u{202e}b", "a\u{fffd}\u{fffd}[31m\u{fffd}b");
    }

    proptest! {
        #[test]
        fn any_text_can_stand_in_xml(text in any::<String>()) {
            let document = format!("<a b=\"{0}\">{0}</a>", escaped(&text));
            prop_assert!(Document::parse(&document).is_ok(), "{document}");
        }
    }
}
