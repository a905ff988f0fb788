//! Tables, chains and sets as text: what `nft list ruleset` prints and `nft -f` reads (nft(8), release 1.1).

use crate::diagnostic::{Code, Diagnostic};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::cursor::{Cursor, DEEPEST};
use super::lexer::{Kind, Token};
use super::rule_text;
use super::syntax::{Base, Family, Ruleset, Table};

/// Reads a whole text.
pub(super) fn read(tokens: &[Token]) -> (Ruleset, Vec<Diagnostic>) {
    let mut reader = Reader { cursor: Cursor::new(tokens), ruleset: Ruleset::default(), diagnostics: Vec::new() };
    loop {
        reader.cursor.skip_ends();
        let Some(token) = reader.cursor.peek() else { break };
        if reader.command(token).is_none() {
            reader.refused(token);
        }
        // A brace that nobody opened.
        if reader.cursor.skip("}") {
            reader.refused(token);
        }
    }
    (reader.ruleset, reader.diagnostics)
}

struct Reader<'t> {
    cursor: Cursor<'t>,
    ruleset: Ruleset,
    diagnostics: Vec<Diagnostic>,
}

impl<'t> Reader<'t> {
    /// Goes past a statement that nobody understands.
    fn refused(&mut self, at: &Token) {
        let start = self.cursor.position();
        self.cursor.skip_statement();
        let span = self.cursor.span_since(start).map_or(at.span, |rest| at.span.to(rest));
        self.diagnostics.push(refused(span));
    }

    fn unmodeled(&mut self, what: impl Into<Text>, span: Span) {
        self.ruleset.unmodeled.push(Spanned::new(what.into(), span));
    }

    /// One command; nothing if it cannot be one.
    fn command(&mut self, token: &'t Token) -> Option<()> {
        if token.is("table") {
            self.cursor.next();
            return self.table();
        }
        self.ruleset.is_script = true;
        self.cursor.next();
        match token.text.as_str() {
            "flush" if self.cursor.skip("ruleset") => {
                self.ruleset.is_flushed = true;
                self.ruleset.tables.clear();
            }
            "add" | "create" | "insert" | "replace" => return self.addition(token),
            "delete" | "destroy" | "flush" | "reset" => return self.removal(token),
            "include" => {
                let name = self.cursor.word()?;
                self.unmodeled(format!("`include {}`", name.text), token.span.to(name.span));
            }
            "undefine" | "list" => self.cursor.skip_statement(),
            _ => return None,
        }
        Some(())
    }

    fn name(&mut self) -> Option<Spanned<String>> {
        let token = self.cursor.word()?;
        Some(Spanned::new(token.text.clone(), token.span))
    }

    /// `inet filter`, `filter`
    fn table_name(&mut self) -> Option<(Family, Spanned<String>)> {
        let family = self.cursor.peek().filter(|t| t.kind == Kind::Word).and_then(|t| Family::named(&t.text));
        if family.is_some() {
            self.cursor.next();
        }
        Some((family.unwrap_or(Family::Ip), self.name()?))
    }

    fn table(&mut self) -> Option<()> {
        let (family, name) = self.table_name()?;
        let mut table = Table::new(family, name.clone());
        if let Some(present) = self.ruleset.tables.iter().position(|t| t.family == family && t.name == name) {
            table = self.ruleset.tables.remove(present);
        }
        if self.cursor.skip("{") {
            self.block(&mut table);
        }
        self.ruleset.tables.push(table);
        Some(())
    }

    /// What stands between the braces of a table.
    fn block(&mut self, table: &mut Table) {
        loop {
            self.cursor.skip_ends();
            let Some(token) = self.cursor.peek() else {
                self.diagnostics.push(unclosed(table.name.span));
                return;
            };
            if self.cursor.skip("}") {
                return;
            }
            self.cursor.next();
            if self.object(table, token).is_none() {
                self.refused(token);
            }
        }
    }

    fn object(&mut self, table: &mut Table, token: &'t Token) -> Option<()> {
        match token.text.as_str() {
            "chain" => {
                let name = self.name()?;
                if self.cursor.skip("{") {
                    self.chain(table, &name);
                } else {
                    table.chain(&name)?;
                }
            }
            "set" | "map" => {
                let name = self.name()?;
                self.set(table, &name.value);
            }
            "flags" => {
                let start = self.cursor.position();
                self.cursor.skip_statement();
                table.is_dormant |= self.cursor.text_since(start).contains("dormant");
            }
            "flowtable" => {
                let name = self.name()?;
                self.unmodeled(format!("flowtable `{}`", name.value), token.span.to(name.span));
                self.cursor.skip_statement();
            }
            // They take effect only where rules name them.
            "counter" | "quota" | "limit" | "ct" | "secmark" | "synproxy" | "tunnel" | "comment" => {
                self.cursor.skip_statement();
            }
            _ => return None,
        }
        Some(())
    }

    fn chain(&mut self, table: &mut Table, name: &Spanned<String>) {
        let mut rules = Vec::new();
        let mut base = table.chain(name).and_then(|chain| chain.base.clone());
        loop {
            self.cursor.skip_ends();
            let Some(token) = self.cursor.peek() else {
                self.diagnostics.push(unclosed(name.span));
                break;
            };
            if self.cursor.skip("}") {
                break;
            }
            match token.text.as_str() {
                "type" => match self.hook() {
                    Some(hook) => base = Some(hook),
                    None => self.refused(token),
                },
                "policy" => {
                    self.cursor.next();
                    let accepts = !self.cursor.is_at("drop");
                    self.cursor.skip_statement();
                    if let Some(base) = &mut base {
                        base.accepts = accepts;
                    }
                }
                "comment" | "devices" | "device" => self.cursor.skip_statement(),
                _ => match rule_text::read(&mut self.cursor) {
                    Some(rule) => rules.push(rule),
                    None => self.refused(token),
                },
            }
        }
        if let Some(chain) = table.chain(name) {
            chain.base = base;
            chain.rules.extend(rules);
        }
    }

    /// `type filter hook input priority filter + 10`
    fn hook(&mut self) -> Option<Base> {
        self.cursor.next();
        let kind = self.cursor.word()?.text.clone();
        if !self.cursor.skip("hook") {
            return None;
        }
        let hook = self.cursor.word()?.text.clone();
        while !self.cursor.is_at("priority") {
            self.cursor.next().filter(|t| t.kind != Kind::End)?;
        }
        self.cursor.next();
        let start = self.cursor.position();
        self.cursor.skip_statement();
        let priority = priority(&self.cursor.text_since(start), &hook)?;
        Some(Base { kind, hook, priority, accepts: true })
    }

    /// The braces of a set or map, whose type does not matter: elements are read as what they are compared with.
    fn set(&mut self, table: &mut Table, name: &str) {
        if !self.cursor.skip("{") {
            self.cursor.skip_statement();
            table.set(name);
            return;
        }
        let Some(set) = table.set(name) else { return };
        loop {
            self.cursor.skip_ends();
            let Some(token) = self.cursor.peek() else { return };
            if self.cursor.skip("}") {
                return;
            }
            self.cursor.next();
            if token.is("elements") && self.cursor.skip("=") && self.cursor.skip("{") {
                set.elements.extend(rule_text::elements(&mut self.cursor));
                continue;
            }
            let start = self.cursor.position();
            self.cursor.skip_statement();
            set.is_dynamic |= token.is("flags") && self.cursor.text_since(start).contains("dynamic");
        }
    }

    /// `add rule inet filter input tcp dport 22 accept` and its like.
    fn addition(&mut self, verb: &Token) -> Option<()> {
        let what = self.cursor.word()?.text.as_str();
        if !matches!(what, "table" | "chain" | "rule" | "set" | "map" | "element") {
            // Without a word for it, a rule is meant: `add filter input accept`.
            let is_known = ["counter", "quota", "limit", "ct", "flowtable", "secmark", "synproxy"].contains(&what);
            if what == "flowtable" {
                let span = verb.span;
                self.unmodeled(text!("a flowtable", "flowtable"), span);
            }
            self.cursor.skip_statement();
            return is_known.then_some(());
        }
        if what == "table" {
            return self.table();
        }
        let (family, table_name) = self.table_name()?;
        let name = self.name()?;
        let mut table = Table::new(family, table_name.clone());
        let present = self.ruleset.tables.iter().position(|t| t.family == family && t.name == table_name);
        if let Some(present) = present {
            table = self.ruleset.tables.remove(present);
        }
        let done = self.add_to(&mut table, &name, what, verb);
        self.ruleset.tables.push(table);
        done
    }

    fn add_to(&mut self, table: &mut Table, name: &Spanned<String>, what: &str, verb: &Token) -> Option<()> {
        match what {
            "chain" if self.cursor.skip("{") => self.chain(table, name),
            "chain" => drop(table.chain(name)?),
            "rule" => {
                let is_placed = ["index", "handle", "position"].iter().any(|word| self.cursor.skip(word));
                if is_placed || verb.is("replace") {
                    self.cursor.skip_statement();
                    self.unmodeled(
                        text!(
                            "a rule at a place in `{chain}`",
                            "`{chain}`의 정해진 자리에 넣는 규칙",
                            chain = &name.value
                        ),
                        verb.span.to(name.span),
                    );
                    return Some(());
                }
                let rule = rule_text::read(&mut self.cursor)?;
                let rules = &mut table.chain(name)?.rules;
                let at = if verb.is("insert") { 0 } else { rules.len() };
                rules.insert(at, rule);
            }
            "element" => {
                if self.cursor.skip("{") {
                    let elements = rule_text::elements(&mut self.cursor);
                    table.set(&name.value)?.elements.extend(elements);
                }
            }
            _ => self.set(table, &name.value),
        }
        Some(())
    }

    /// What is taken away must have been given in the same text.
    fn removal(&mut self, verb: &Token) -> Option<()> {
        let what = self.cursor.word()?.text.as_str();
        let (family, name) = self.table_name()?;
        let found = self.ruleset.tables.iter().position(|t| t.family == family && t.name == name);
        match (verb.text.as_str(), what, found) {
            ("reset", ..) => self.cursor.skip_statement(),
            ("delete" | "destroy", "table", Some(index)) => drop(self.ruleset.tables.remove(index)),
            ("flush", "table", Some(index)) => {
                let table = self.ruleset.tables.get_mut(index)?;
                table.chains.iter_mut().for_each(|chain| chain.rules.clear());
            }
            ("flush", "chain", Some(index)) => {
                let chain = self.name()?;
                self.ruleset.tables.get_mut(index)?.chain(&chain)?.rules.clear();
            }
            ("destroy", "table", None) => {}
            _ => {
                self.cursor.skip_statement();
                self.unmodeled(format!("`{} {what}`", verb.text), verb.span.to(name.span));
            }
        }
        Some(())
    }
}

/// `filter + 10`, `-150`, `dstnat`. Names: nft(8), "Chains", table 6 and 7; those of the bridge family differ, but chains
/// of that family are not followed.
pub(super) fn priority(text: &str, hook: &str) -> Option<i32> {
    let (name, offset) = match text.split_once(['+', '-']) {
        Some((name, offset)) if !name.trim().is_empty() => {
            let size: i32 = offset.trim().parse().ok()?;
            (name.trim(), if text.contains('+') { size } else { -size })
        }
        _ => (text.trim(), 0),
    };
    let standard: i32 = match name {
        "raw" => -300,
        "mangle" => -150,
        "dstnat" => -100,
        "filter" => 0,
        "security" => 50,
        "srcnat" => 100,
        "out" if hook == "output" => 100,
        number => number.parse().ok()?,
    };
    Some(standard.saturating_add(offset))
}

fn refused(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NftSyntax, text!("not valid in a rule set of nft", "nft 규칙 집합의 문법에 맞지 않습니다"))
        .label(span, text!("cannot be understood, so it is left out", "이해할 수 없어 제외함"))
        .help(text!(
            "nft loads nothing of a text in which something is wrong; `nft -c -f FILE` says what",
            "nft는 틀린 곳이 있으면 전체를 불러오지 않습니다. `nft -c -f FILE`로 확인하십시오"
        ))
}

fn unclosed(span: Span) -> Diagnostic {
    Diagnostic::new(Code::NftSyntax, text!("a brace is not closed", "중괄호가 닫히지 않았습니다"))
        .label(span, text!("the text ends inside of this", "이 안에서 텍스트가 끝남"))
        .help(text!(
            "the text may be cut off; what stands there was read",
            "텍스트가 잘렸을 수 있습니다. 있는 데까지 읽었습니다"
        ))
}

/// Whether a reader is deeper in braces than it goes.
pub(super) fn is_too_deep(cursor: &Cursor<'_>) -> bool {
    DEEPEST <= cursor.depth
}
