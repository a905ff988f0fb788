//! One rule as text: statements from left to right.

use crate::frontend::netfilter::target;

use super::cursor::Cursor;
use super::key_text;
use super::lexer::Kind;
use super::syntax::{
    Comparison, Element, Family, Given, Left, Nat, NatKind, Relation, Rule, Statement, Value, Verdict,
};
use super::text::is_too_deep;

/// Reads a rule up to the end of its line; nothing if there is none.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Option<Rule> {
    let start = cursor.position();
    let mut statements = Vec::new();
    while !cursor.is_at_end() {
        let before = cursor.position();
        let statement = statement(cursor).unwrap_or_else(|| {
            cursor.back_to(before);
            foreign(cursor)
        });
        statements.push(statement);
        if cursor.position() == before {
            return None;
        }
    }
    let span = cursor.span_since(start)?;
    Some(Rule { statements, span })
}

/// Words at which a statement that is understood may begin, behind one that is not.
const BEGINNINGS: [&str; 18] = [
    "accept",
    "drop",
    "reject",
    "return",
    "continue",
    "jump",
    "goto",
    "queue",
    "counter",
    "log",
    "comment",
    "limit",
    "masquerade",
    "redirect",
    "dnat",
    "snat",
    "notrack",
    "vmap",
];

/// A statement that is kept as its text.
fn foreign(cursor: &mut Cursor<'_>) -> Statement {
    let start = cursor.position();
    let mut open = 0_usize;
    while let Some(token) = cursor.peek() {
        let is_end = cursor.is_at_end() || BEGINNINGS.iter().any(|word| token.is(word));
        if open == 0 && is_end && start < cursor.position() {
            break;
        }
        match token.text.as_str() {
            "{" if token.kind == Kind::Sign => open += 1,
            "}" if token.kind == Kind::Sign && open == 0 => break,
            "}" if token.kind == Kind::Sign => open -= 1,
            _ => {}
        }
        cursor.next();
    }
    Statement::Unmodeled(cursor.text_since(start))
}

fn statement(cursor: &mut Cursor<'_>) -> Option<Statement> {
    let start = cursor.position();
    let token = cursor.next()?;
    if token.kind != Kind::Word {
        return None;
    }
    Some(match token.text.as_str() {
        "accept" | "drop" | "continue" | "return" | "jump" | "goto" | "queue" => {
            cursor.back_to(start);
            let verdict = verdict(cursor)?;
            if matches!(verdict, Verdict::Queue) {
                cursor.skip_statement();
            }
            Statement::Verdict(verdict)
        }
        "reject" => Statement::Reject(rejection(cursor)),
        "dnat" => nat(cursor, NatKind::Destination, start)?,
        "snat" => nat(cursor, NatKind::Source, start)?,
        "masquerade" => nat(cursor, NatKind::Masquerade, start)?,
        "redirect" => nat(cursor, NatKind::Redirect, start)?,
        "notrack" => Statement::Untrack,
        "counter" | "last" | "log" | "comment" => side_note(cursor, &token.text),
        "limit" | "quota" => assumed(cursor, start),
        "ct" if cursor.is_at("count") => assumed(cursor, start),
        "flow" | "dup" => {
            cursor.skip_statement();
            Statement::Nothing
        }
        "tproxy" | "fwd" | "synproxy" => {
            cursor.skip_statement();
            Statement::Diverts(cursor.text_since(start))
        }
        "add" | "update" | "delete" | "set" if !cursor.is_at_end() => filling(cursor)?,
        "xt" => {
            // What only iptables can print: kind and name.
            let (kind, name) = (cursor.word()?, cursor.word()?);
            match kind.text.as_str() {
                "target" if target::is_without_effect(&name.text) => Statement::Nothing,
                "target" => Statement::Diverts(format!("xt target \"{}\"", name.text)),
                _ => Statement::Unmodeled(format!("xt {} \"{}\"", kind.text, name.text)),
            }
        }
        _ => {
            cursor.back_to(start);
            return compared(cursor);
        }
    })
}

/// `counter packets 0 bytes 0`, `log prefix "…" level info`, `comment "…"`
fn side_note(cursor: &mut Cursor<'_>, word: &str) -> Statement {
    let options: &[&str] = match word {
        "counter" => &["packets", "bytes", "name"],
        "last" => &["used"],
        "log" => &["prefix", "level", "group", "snaplen", "queue-threshold", "flags"],
        _ => {
            cursor.word();
            return Statement::Nothing;
        }
    };
    if cursor.peek().is_some_and(|t| t.kind == Kind::Quoted) {
        cursor.next();
    }
    while options.iter().any(|option| cursor.skip(option)) {
        cursor.word();
        // `log flags tcp sequence,options`
        while cursor.skip(",") || cursor.is_at("sequence") || cursor.is_at("options") {
            cursor.word();
        }
    }
    Statement::Nothing
}

/// Conditions on how much there was before: `limit rate 5/minute` is taken to hold, `limit rate over 5/minute` not.
fn assumed(cursor: &mut Cursor<'_>, start: usize) -> Statement {
    let mut is_over = false;
    while let Some(token) = cursor.peek() {
        let is_part = ["rate", "name", "over", "until", "burst", "used", "count"].contains(&token.text.as_str())
            || token.kind == Kind::Quoted
            || token.text.starts_with(|c: char| c.is_ascii_digit())
            || ["packets", "bytes", "kbytes", "mbytes", "second", "minute", "hour", "day", "week", "/"]
                .contains(&token.text.as_str());
        if !is_part || cursor.is_at_end() {
            break;
        }
        is_over |= token.is("over");
        cursor.next();
    }
    Statement::Assumed { text: cursor.text_since(start), holds: !is_over }
}

/// `add @set { ip saddr timeout 1m limit rate over 5/minute }`: with a limit inside it is a condition, too.
fn filling(cursor: &mut Cursor<'_>) -> Option<Statement> {
    let start = cursor.position().saturating_sub(1);
    let name = cursor.word()?.text.strip_prefix('@')?.to_owned();
    cursor.skip("{").then_some(())?;
    cursor.skip_statement();
    cursor.skip("}");
    let text = cursor.text_since(start);
    if text.contains(" over ") {
        return Some(Statement::Assumed { text, holds: false });
    }
    Some(Statement::Fills(name))
}

fn rejection(cursor: &mut Cursor<'_>) -> Vec<String> {
    let mut words = Vec::new();
    if cursor.skip("with") {
        while let Some(token) = cursor.peek().filter(|t| t.kind == Kind::Word && !BEGINNINGS.contains(&t.text.as_str()))
        {
            words.push(token.text.clone());
            cursor.next();
        }
    }
    words
}

pub(super) fn verdict(cursor: &mut Cursor<'_>) -> Option<Verdict> {
    let word = cursor.word()?;
    Some(match word.text.as_str() {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "queue" => Verdict::Queue,
        "jump" if cursor.is_at("{") => Verdict::Block(block(cursor)?),
        "goto" if cursor.is_at("{") => {
            let mut rules = block(cursor)?;
            let span = rules.last().map_or(word.span, |rule| rule.span);
            rules.push(Rule { statements: vec![Statement::Verdict(Verdict::Return)], span });
            Verdict::Block(rules)
        }
        "jump" => Verdict::Jump(cursor.word()?.text.clone()),
        "goto" => Verdict::Goto(cursor.word()?.text.clone()),
        _ => return None,
    })
}

fn block(cursor: &mut Cursor<'_>) -> Option<Vec<Rule>> {
    if is_too_deep(cursor) {
        return None;
    }
    cursor.next();
    cursor.depth += 1;
    let mut rules = Vec::new();
    loop {
        cursor.skip_ends();
        if cursor.skip("}") || cursor.peek().is_none() {
            break;
        }
        match read(cursor) {
            Some(rule) => rules.push(rule),
            None => break,
        }
    }
    cursor.depth -= 1;
    Some(rules)
}

/// `dnat ip to 10.0.0.5:80`, `masquerade to :1024-65535`, `redirect to :8080`
fn nat(cursor: &mut Cursor<'_>, kind: NatKind, start: usize) -> Option<Statement> {
    // `dnat ip to …` in a table of both families: the address tells the family.
    if cursor.peek().is_some_and(|t| Family::named(&t.text).is_some()) {
        cursor.next();
    }
    let is_prefix = cursor.skip("prefix");
    // `dnat ip addr . port to …`
    while !cursor.is_at("to") && ["addr", "port", "."].iter().any(|word| cursor.skip(word)) {}
    let mut nat = Nat { kind, address: None, port: None, text: String::new() };
    if cursor.skip("to") {
        let target = mapped(cursor).or_else(|| joined(cursor))?;
        (nat.address, nat.port) = match target {
            Value::Word(word) => address_and_port(&word),
            // In a concatenation the port comes behind the address.
            other => (Some(other), None),
        };
        if let Some(Value::Map(..)) = &nat.address
            && cursor.peek().is_some_and(|t| t.text.starts_with(':'))
        {
            (_, nat.port) = address_and_port(&cursor.next()?.text);
        }
    }
    while ["random", "fully-random", "persistent", ","].iter().any(|flag| cursor.skip(flag)) {}
    nat.text = cursor.text_since(start);
    Some(if is_prefix { Statement::Diverts(nat.text) } else { Statement::Nat(nat) })
}

/// `tcp dport map { 80 : 10.0.0.5 }`
fn mapped(cursor: &mut Cursor<'_>) -> Option<Value> {
    let start = cursor.position();
    let map = left(cursor).filter(|_| cursor.skip("map")).and_then(|left| Some((left, primary(cursor)?)));
    if map.is_none() {
        cursor.back_to(start);
    }
    map.map(|(left, map)| Value::Map(left, Box::new(map)))
}

/// `10.0.0.5`, `10.0.0.5:80`, `:80`, `[2001:db8::1]:80`
pub(super) fn address_and_port(word: &str) -> (Option<Value>, Option<Value>) {
    let value = |text: &str| (!text.is_empty()).then(|| Value::Word(text.to_owned()));
    if let Some((address, port)) = word.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (value(address), value(port.trim_start_matches(':')));
    }
    match word.split_once(':') {
        Some((address, port)) if !port.contains(':') => (value(address), value(port)),
        _ => (value(word), None),
    }
}

/// A comparison, a verdict map, or a key that is set.
fn compared(cursor: &mut Cursor<'_>) -> Option<Statement> {
    let start = cursor.position();
    let left = left(cursor)?;
    if cursor.skip("set") {
        let key = left.keys.first()?.clone();
        let value = key_text::assigned(cursor, &key)?;
        return Some(Statement::Set(key, value));
    }
    if cursor.skip("vmap") {
        return Some(Statement::VerdictMap(left, value(cursor)?));
    }
    let relation = relation(cursor);
    let right = value(cursor)?;
    Some(Statement::Match(Comparison { left, relation, right, text: cursor.text_since(start) }))
}

/// `ip saddr . tcp dport`, `ct mark & 0xff`
pub(super) fn left(cursor: &mut Cursor<'_>) -> Option<Left> {
    let mut keys = vec![key_text::key(cursor)?];
    while cursor.skip(".") {
        keys.push(key_text::key(cursor)?);
    }
    let mask = if cursor.skip("&") || cursor.skip("and") { Some(Box::new(primary(cursor)?)) } else { None };
    Some(Left { keys, mask })
}

fn relation(cursor: &mut Cursor<'_>) -> Relation {
    let words = [
        ("!=", Relation::IsNot),
        ("ne", Relation::IsNot),
        ("!", Relation::IsNot),
        ("not", Relation::IsNot),
        ("==", Relation::Is),
        ("eq", Relation::Is),
        ("<", Relation::Less),
        ("lt", Relation::Less),
        ("<=", Relation::AtMost),
        ("le", Relation::AtMost),
        (">", Relation::More),
        ("gt", Relation::More),
        (">=", Relation::AtLeast),
        ("ge", Relation::AtLeast),
    ];
    words.into_iter().find(|(word, _)| cursor.skip(word)).map_or(Relation::Is, |(_, relation)| relation)
}

/// What stands behind a key.
pub(super) fn value(cursor: &mut Cursor<'_>) -> Option<Value> {
    let first = joined(cursor)?;
    let mut all = vec![first];
    while cursor.skip(",") {
        all.push(joined(cursor)?);
    }
    let listed = one_or(all, Value::List);
    if cursor.skip("/") {
        return Some(Value::Masked(Box::new(listed), Box::new(value(cursor)?)));
    }
    Some(listed)
}

fn one_or(mut all: Vec<Value>, many: fn(Vec<Value>) -> Value) -> Value {
    match (all.len(), all.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            all.extend(last);
            many(all)
        }
    }
}

/// Values joined by dots, or by `|`.
fn joined(cursor: &mut Cursor<'_>) -> Option<Value> {
    let mut all = vec![primary(cursor)?];
    if cursor.is_at("|") {
        while cursor.skip("|") {
            all.push(primary(cursor)?);
        }
        return Some(Value::List(all));
    }
    while cursor.skip(".") {
        all.push(primary(cursor)?);
    }
    Some(one_or(all, Value::Joined))
}

/// One value.
pub(super) fn primary(cursor: &mut Cursor<'_>) -> Option<Value> {
    if cursor.is_at("{") {
        return set(cursor).map(Value::Set);
    }
    if cursor.skip("(") {
        if is_too_deep(cursor) {
            return None;
        }
        cursor.depth += 1;
        let inside = value(cursor);
        cursor.depth -= 1;
        return cursor.skip(")").then_some(inside).flatten();
    }
    let word = cursor.word()?;
    match word.text.strip_prefix('@') {
        Some(name) if word.kind == Kind::Word => Some(Value::Named(name.to_owned())),
        _ => Some(Value::Word(word.text.clone())),
    }
}

fn set(cursor: &mut Cursor<'_>) -> Option<Vec<Element>> {
    if is_too_deep(cursor) {
        return None;
    }
    cursor.next();
    cursor.depth += 1;
    let elements = elements(cursor);
    cursor.depth -= 1;
    Some(elements)
}

/// Elements up to the closing brace, which is read, too.
pub(super) fn elements(cursor: &mut Cursor<'_>) -> Vec<Element> {
    let mut all = Vec::new();
    loop {
        cursor.skip_ends();
        if cursor.skip("}") || cursor.peek().is_none() {
            return all;
        }
        match element(cursor) {
            Some(element) => all.push(element),
            None => drop(cursor.next()),
        }
        // What is said about an element beside its key: when it goes, how often it was met.
        while cursor.peek().is_some_and(|t| !t.is(",") && !t.is("}")) {
            cursor.next();
        }
        cursor.skip(",");
    }
}

fn element(cursor: &mut Cursor<'_>) -> Option<Element> {
    let key = joined(cursor)?;
    while ["timeout", "expires", "comment", "counter", "packets", "bytes"].iter().any(|word| cursor.skip(word)) {
        if !cursor.is_at("packets") && !cursor.is_at(":") {
            cursor.word();
        }
    }
    if !cursor.skip(":") {
        return Some(Element { key, gives: None });
    }
    let start = cursor.position();
    if let Some(verdict) = verdict(cursor) {
        return Some(Element { key, gives: Some(Given::Verdict(verdict)) });
    }
    cursor.back_to(start);
    Some(Element { key, gives: Some(Given::Value(joined(cursor)?)) })
}
