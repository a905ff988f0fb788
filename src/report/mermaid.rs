//! What all flow charts for mermaid are written with, which GitHub and many wikis draw:
//! <https://mermaid.js.org/syntax/flowchart.html>. [`lab`] draws a whole lab, `way` one packet.

pub mod lab;
pub(super) mod way;

/// What is drawn beside what a chart is about: guards, stops of a packet, where it arrives, and where it ends.
const CLASSES: &str = "  classDef guard stroke:#b97f0a,stroke-width:2px\n  classDef stop stroke:#0b6bcb,stroke-width:3px\n  \
                                  classDef works fill:#dafbe1,stroke:#1a7f37,color:#1f2328\n  \
                                  classDef blocked fill:#ffebe9,stroke:#c4232b,stroke-width:3px,stroke-dasharray:6 3,color:#1f2328\n";

/// A text that is shown and does nothing.
fn quoted(text: &str) -> String {
    format!("\"{}\"", entities(text))
}

/// Several lines in one box.
fn broken(lines: &[String]) -> String {
    let lines: Vec<String> = lines.iter().map(|line| entities(line)).collect();
    format!("\"{}\"", lines.join("<br/>"))
}

/// Mermaid's entity codes for everything that it, its Markdown or HTML could take for its own
/// (<https://mermaid.js.org/syntax/flowchart.html>, "Entity codes to escape characters").
fn entities(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            c if c.is_control() => safe.push('\u{fffd}'),
            c if c.is_alphanumeric() || " .,:-/_→…()".contains(c) => safe.push(c),
            c => safe += &format!("#{};", u32::from(c)),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_cannot_break_out() {
        assert_eq!(entities("rocky/grafana:3000"), "rocky/grafana:3000");
        assert_eq!(entities("a\"]\n<b>`#"), "a#34;#93;\u{fffd}#60;b#62;#96;#35;");
        assert_eq!(entities("포트"), "포트");
    }
}
