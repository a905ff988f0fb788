//! How wide a text will be, before anybody draws it.
//!
//! The reader's fonts are not known; the figures are those of common ones (Helvetica's and DejaVu Sans Mono's), rounded
//! up. Korean and other wide characters are as wide as they are high.

use unicode_width::UnicodeWidthChar;

/// A font and its size in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Font {
    /// Names.
    Title,
    /// What sort of thing it is.
    Label,
    /// Addresses and ports, all characters equally wide.
    Mono,
    /// Running text.
    Body,
}

impl Font {
    /// Its size in pixels.
    pub(super) fn size(self) -> i32 {
        match self {
            Self::Title => 14,
            Self::Label | Self::Mono => 11,
            Self::Body => 13,
        }
    }

    /// The width of a character in thousandths of the size.
    fn advance(self, c: char) -> i32 {
        match (c.width().unwrap_or(0), self) {
            (0, _) => 0,
            (2.., Self::Mono) => 1205,
            (2.., _) => 1000,
            (_, Self::Mono) => 603,
            (_, Self::Title) => proportional(c) * 114 / 100,
            (_, Self::Label | Self::Body) => proportional(c),
        }
    }
}

fn proportional(c: char) -> i32 {
    match c {
        'i' | 'j' | 'l' | '\'' | '|' | '.' | ',' | ':' | ';' | '!' | 'I' => 320,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' | ' ' => 400,
        'm' | 'w' | 'M' | 'W' | '@' | '%' => 970,
        'A'..='Z' => 740,
        _ if c.is_ascii() => 620,
        _ => 700,
    }
}

/// The width of a text in pixels.
pub(super) fn width(text: &str, font: Font) -> i32 {
    let thousandths: i32 = text.chars().map(|c| font.advance(c)).fold(0, i32::saturating_add);
    thousandths.saturating_mul(font.size()) / 1000 + 1
}

/// As much of a text as fits, `…` for what does not.
pub(super) fn fitted(text: &str, font: Font, room: i32) -> String {
    if width(text, font) <= room {
        return text.to_owned();
    }
    let mut kept = String::new();
    for c in text.chars() {
        kept.push(c);
        if room < width(&kept, font) + width("…", font) {
            kept.pop();
            break;
        }
    }
    kept.trim_end().to_owned() + "…"
}

/// The same for a path, of which the last part says most.
pub(super) fn fitted_path(path: &str, font: Font, room: i32) -> String {
    match path.rsplit_once('/') {
        Some((_, last)) if room < width(path, font) => fitted(&format!("…/{last}"), font, room),
        _ => fitted(path, font, room),
    }
}

/// A text as lines that fit, broken at blanks.
pub(super) fn wrapped(text: &str, font: Font, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(line, font) + width(word, font) + width(" ", font) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines.iter().map(|line| fitted(line, font, room)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wide_characters_count_twice() {
        let check = |text, expected| assert_eq!(width(text, Font::Mono), expected, "{text}");
        check("", 1);
        check("abcd", 27);
        check("데모", 27);
        check("e\u{301}", 7);
        assert!(width("데이터베이스", Font::Title) > width("iiiiii", Font::Title) * 2);
    }

    #[test]
    fn what_does_not_fit_is_cut_or_wrapped() {
        assert_eq!(fitted("grafana", Font::Mono, 100), "grafana");
        assert_eq!(fitted("grafana/grafana:11.2.0", Font::Mono, 100), "grafana/grafan…");
        assert_eq!(fitted("모니터링", Font::Mono, 40), "모니…");
        assert_eq!(fitted_path("ghcr.io/example/web:1", Font::Mono, 100), "…/web:1");
        assert_eq!(fitted_path("web:1", Font::Mono, 100), "web:1");
        assert_eq!(wrapped("zone public: http, https", Font::Mono, 90), ["zone public:", "http, https"]);
        assert_eq!(wrapped("", Font::Mono, 90), Vec::<String>::new());
    }
}
