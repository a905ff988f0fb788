//! Just enough of m4 and Autotest to follow a test of firewalld's: calls, quotes, conditions, loops and own macros.

use std::collections::BTreeMap;

/// A call of a macro, with its arguments unquoted.
pub(super) struct Call {
    pub(super) name: String,
    pub(super) arguments: Vec<String>,
}

impl Call {
    pub(super) fn argument(&self, number: usize) -> &str {
        self.arguments.get(number).map_or("", String::as_str)
    }
}

/// The calls that are made under one backend, in order; what chooses between others is gone.
pub(super) fn calls(text: &str, backend: &str) -> Vec<Call> {
    let mut reader = Reader { backend, macros: BTreeMap::new(), out: Vec::new() };
    reader.text(text);
    reader.out
}

struct Reader<'a> {
    backend: &'a str,
    macros: BTreeMap<String, String>,
    out: Vec<Call>,
}

impl Reader<'_> {
    fn text(&mut self, text: &str) {
        let mut rest = text;
        while let Some(start) = rest.find(|c: char| c.is_ascii_alphabetic() || c == '_') {
            rest = &rest[start..];
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(rest.len());
            let (word, behind) = rest.split_at(end);
            rest = behind;
            if word == "dnl" {
                rest = rest.split_once('\n').map_or("", |(_, next)| next);
            } else if let Some(open) = behind.strip_prefix('(') {
                let (arguments, after) = arguments(open);
                rest = after;
                self.call(Call { name: word.to_owned(), arguments });
            } else if matches!(word, "FWD_RELOAD" | "FWD_RESTART" | "sleep") {
                self.call(Call { name: word.to_owned(), arguments: Vec::new() });
            }
        }
    }

    fn call(&mut self, call: Call) {
        match call.name.as_str() {
            "m4_define" => drop(self.macros.insert(call.argument(0).to_owned(), call.argument(1).to_owned())),
            // Nothing of what is asked for is defined.
            "m4_ifdef" => self.text(call.argument(2)),
            "m4_if" if call.arguments.iter().take(2).any(|argument| argument == "FIREWALL_BACKEND") => {
                let is_ours = call.arguments.iter().take(2).any(|argument| argument == self.backend);
                self.text(call.argument(if is_ours { 2 } else { 3 }));
            }
            "IF_BACKEND_IS_DEFAULT" if self.backend == "nftables" => self.text(call.argument(0)),
            "IF_HOST_SUPPORTS_IPV6_RULES" | "IF_HOST_SUPPORTS_IP6TABLES" => self.text(call.argument(0)),
            "m4_foreach" => {
                let (values, _) = arguments(&format!("{})", call.argument(1)));
                for value in values {
                    self.text(&call.argument(2).replace(call.argument(0), &value));
                }
            }
            name => match self.macros.get(name) {
                Some(body) => {
                    let numbered = call.arguments.iter().enumerate();
                    let text =
                        numbered.fold(body.clone(), |text, (n, value)| text.replace(&format!("${}", n + 1), value));
                    self.text(&text);
                }
                None => self.out.push(call),
            },
        }
    }
}

/// The arguments behind an opening parenthesis, and what follows the closing one.
fn arguments(text: &str) -> (Vec<String>, &str) {
    let (mut all, mut current) = (Vec::new(), String::new());
    let (mut quotes, mut parentheses) = (0_usize, 0_usize);
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        if quotes == 0 && text[at..].starts_with("dnl") {
            at += text[at..].find('\n').map_or(text.len() - at, |end| end + 1);
            continue;
        }
        at += c.len_utf8();
        match c {
            '[' => {
                quotes += 1;
                if quotes > 1 {
                    current.push(c);
                }
            }
            ']' => {
                quotes = quotes.saturating_sub(1);
                if quotes > 0 {
                    current.push(c);
                }
            }
            '(' if quotes == 0 => {
                parentheses += 1;
                current.push(c);
            }
            ')' if quotes == 0 && parentheses == 0 => {
                all.push(current.trim().to_owned());
                return (all, &text[at..]);
            }
            ')' if quotes == 0 => {
                parentheses -= 1;
                current.push(c);
            }
            ',' if quotes == 0 && parentheses == 0 => {
                all.push(current.trim().to_owned());
                current.clear();
            }
            c => current.push(c),
        }
    }
    (all, "")
}

/// What a quoted text stands for once it is read again: without comments and the quotes in it.
pub(super) fn expanded(text: &str) -> String {
    let mut lines = String::new();
    let mut quotes = 0_usize;
    for line in text.split_inclusive('\n') {
        let is_comment = line.trim_start().starts_with("dnl");
        let kept = line.split_once(" dnl").map_or(line, |(kept, _)| kept);
        for c in if is_comment { "" } else { kept }.chars() {
            match c {
                '[' => {
                    quotes += 1;
                    if quotes > 1 {
                        lines.push(c);
                    }
                }
                ']' => {
                    quotes = quotes.saturating_sub(1);
                    if quotes > 0 {
                        lines.push(c);
                    }
                }
                c => lines.push(c),
            }
        }
        if kept.len() < line.len() && !is_comment {
            lines.push('\n');
        }
    }
    lines.replace("@<:@", "[").replace("@:>@", "]")
}
