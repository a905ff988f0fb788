//! Rule sets as `nft -j list ruleset` prints them (libnftables-json(5), release 1.1). JSON is YAML, whose reader knows
//! places.

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::yaml::{self, Node, Value as Tree};
use crate::language::text;
use crate::source::{SourceId, Span, Spanned};

use super::json_value::{key, left, text_of, value, words};
use super::syntax::{
    Assigned, Base, Comparison, Element, Family, Given, Nat, NatKind, Relation, Rule, Ruleset, Statement, Value,
    Verdict,
};
use super::value as numbers;

/// Reads a whole text.
pub(super) fn read(source: SourceId, text: &str) -> (Ruleset, Vec<Diagnostic>) {
    let document = yaml::parse(source, &text.replace('\t', " "));
    let mut reader = Reader { ruleset: Ruleset::default(), diagnostics: document.diagnostics };
    let objects = document.value.as_ref().and_then(|root| root.get("nftables"));
    for object in objects.map_or(&[][..], Node::items) {
        reader.command(object);
    }
    (reader.ruleset, reader.diagnostics)
}

struct Reader {
    ruleset: Ruleset,
    diagnostics: Vec<Diagnostic>,
}

impl Reader {
    fn command(&mut self, object: &Node) {
        let Some(entry) = object.entries().first() else { return self.refused(object.span) };
        let done = match entry.key.value.as_str() {
            "metainfo" => Some(()),
            "flush" if entry.value.get("ruleset").is_some() => {
                self.ruleset.is_script = true;
                self.ruleset.is_flushed = true;
                self.ruleset.tables.clear();
                Some(())
            }
            "add" | "create" => {
                self.ruleset.is_script = true;
                entry.value.entries().first().and_then(|inner| self.object(&inner.key.value, &inner.value))
            }
            "insert" | "delete" | "destroy" | "flush" | "rename" | "replace" | "reset" => {
                self.ruleset.is_script = true;
                let what = text!("`{key}` in JSON for nft", "nft JSON의 `{key}`", key = &entry.key.value);
                let what = Spanned::new(what, object.span);
                self.ruleset.unmodeled.push(what);
                Some(())
            }
            name => self.object(name, &entry.value),
        };
        if done.is_none() {
            self.refused(object.span);
        }
    }

    fn refused(&mut self, span: Span) {
        self.diagnostics.push(
            Diagnostic::new(
                Code::NftSyntax,
                text!("not valid in a rule set of nft", "nft 규칙 집합의 문법에 맞지 않습니다"),
            )
            .label(span, text!("cannot be understood, so it is left out", "이해할 수 없어 제외함"))
            .help(text!(
                "libnftables-json(5) says what may stand there",
                "무엇을 쓸 수 있는지는 libnftables-json(5)를 보십시오"
            )),
        );
    }

    fn object(&mut self, what: &str, object: &Node) -> Option<()> {
        let family = object.get("family").and_then(text_of).map_or(Some(Family::Ip), |name| Family::named(&name))?;
        let name = |key: &str| object.get(key).and_then(|node| Some(Spanned::new(text_of(node)?, node.span)));
        if what == "table" {
            let table = self.ruleset.table(family, &name("name")?)?;
            table.is_dormant |= words(object.get("flags")).iter().any(|flag| flag == "dormant");
            return Some(());
        }
        if what == "flowtable" {
            let name = name("name")?;
            self.ruleset.unmodeled.push(Spanned::new(format!("flowtable `{}`", name.value).into(), object.span));
            return Some(());
        }
        let table = self.ruleset.table(family, &name("table")?)?;
        match what {
            "chain" => {
                let chain = table.chain(&name("name")?)?;
                if let Some(hook) = object.get("hook").and_then(text_of) {
                    chain.base = Some(base(object, hook)?);
                }
            }
            "rule" => {
                let statements = object.get("expr").map_or(&[][..], Node::items).iter().map(statement).collect();
                table.chain(&name("chain")?)?.rules.push(Rule { statements, span: object.span });
            }
            "set" | "map" | "element" => {
                let set = table.set(&name("name")?.value)?;
                set.is_dynamic |= words(object.get("flags")).iter().any(|flag| flag == "dynamic");
                set.elements.extend(object.get("elem").map_or(&[][..], Node::items).iter().filter_map(element));
            }
            // They take effect only where rules name them.
            "counter" | "quota" | "limit" | "ct helper" | "ct timeout" | "ct expectation" | "secmark" | "synproxy" => {}
            _ => return None,
        }
        Some(())
    }
}

fn base(object: &Node, hook: String) -> Option<Base> {
    let text = |key: &str| object.get(key).and_then(text_of);
    let priority = text("prio").map_or(Some(0), |number| number.parse().ok())?;
    let accepts = text("policy").is_none_or(|policy| policy != "drop");
    Some(Base { kind: text("type")?, hook, priority, accepts })
}

/// An element of a set, or a pair of a map.
pub(super) fn element(node: &Node) -> Option<Element> {
    let pair = match &node.value {
        Tree::Sequence(items) => items.as_slice(),
        _ => return Some(Element { key: value(node)?, gives: None }),
    };
    let [first, second] = pair else { return None };
    let gives = match verdict(second) {
        Some(verdict) => Given::Verdict(verdict),
        None => Given::Value(value(second)?),
    };
    Some(Element { key: value(first)?, gives: Some(gives) })
}

fn verdict(node: &Node) -> Option<Verdict> {
    let entry = node.entries().first()?;
    let target = || entry.value.get("target").and_then(text_of);
    Some(match entry.key.value.as_str() {
        "accept" => Verdict::Accept,
        "drop" => Verdict::Drop,
        "continue" => Verdict::Continue,
        "return" => Verdict::Return,
        "queue" => Verdict::Queue,
        "jump" => Verdict::Jump(target()?),
        "goto" => Verdict::Goto(target()?),
        _ => return None,
    })
}

fn statement(node: &Node) -> Statement {
    let Some(entry) = node.entries().first() else { return Statement::Unmodeled("an empty statement".to_owned()) };
    let name = entry.key.value.as_str();
    understood(name, &entry.value, node).unwrap_or_else(|| Statement::Unmodeled(name.to_owned()))
}

fn understood(name: &str, object: &Node, whole: &Node) -> Option<Statement> {
    Some(match name {
        "match" => comparison(object)?,
        "vmap" => Statement::VerdictMap(left(object.get("key")?)?, value(object.get("data")?)?),
        "mangle" => {
            let key = key(object.get("key")?)?;
            let assigned = assigned(&key, object.get("value")?);
            Statement::Set(key, assigned)
        }
        "reject" => {
            let kind = object.get("type").and_then(text_of).unwrap_or_default();
            let words = kind.split(' ').map(str::to_owned).chain(object.get("expr").and_then(text_of));
            Statement::Reject(words.filter(|word| !word.is_empty()).collect())
        }
        "dnat" => nat(NatKind::Destination, object, name),
        "snat" => nat(NatKind::Source, object, name),
        "masquerade" => nat(NatKind::Masquerade, object, name),
        "redirect" => nat(NatKind::Redirect, object, name),
        "notrack" => Statement::Untrack,
        "limit" | "quota" | "ct count" => {
            let is_over = object.get("inv").and_then(text_of).is_some_and(|word| word == "true");
            let amount = ["rate", "val"].iter().find_map(|key| object.get(key).and_then(text_of)).unwrap_or_default();
            Statement::Assumed { text: format!("{name} {amount}"), holds: !is_over }
        }
        "counter" | "log" | "last" | "comment" | "secmark" | "ct helper" | "ct timeout" | "ct expectation" | "flow"
        | "dup" => Statement::Nothing,
        "set" => Statement::Fills(object.get("set").and_then(text_of)?.trim_start_matches('@').to_owned()),
        "tproxy" | "fwd" | "synproxy" => Statement::Diverts(name.to_owned()),
        "xt" => {
            let name = object.get("name").and_then(text_of).unwrap_or_default();
            match object.get("type").and_then(text_of).as_deref() {
                Some("target") => Statement::Diverts(format!("xt target \"{name}\"")),
                _ => Statement::Unmodeled(format!("xt match \"{name}\"")),
            }
        }
        _ => Statement::Verdict(verdict(whole)?),
    })
}

fn comparison(object: &Node) -> Option<Statement> {
    let left = left(object.get("left")?)?;
    let relation = match text_of(object.get("op")?)?.as_str() {
        "==" | "in" => Relation::Is,
        "!=" => Relation::IsNot,
        "<" => Relation::Less,
        "<=" => Relation::AtMost,
        ">" => Relation::More,
        ">=" => Relation::AtLeast,
        _ => return None,
    };
    let right = value(object.get("right")?)?;
    let text = left.keys.join(" . ");
    Some(Statement::Match(Comparison { left, relation, right, text }))
}

fn nat(kind: NatKind, object: &Node, name: &str) -> Statement {
    let part = |key: &str| object.get(key).map(|node| value(node).ok_or(()));
    let is_prefix = words(object.get("type_flags")).iter().any(|flag| flag == "prefix");
    match (part("addr").transpose(), part("port").transpose()) {
        (Ok(address), Ok(port)) if !is_prefix => Statement::Nat(Nat { kind, address, port, text: name.to_owned() }),
        _ => Statement::Diverts(name.to_owned()),
    }
}

/// What a mark is set to: a number, another mark, or this one with some bits changed.
fn assigned(target: &str, node: &Node) -> Assigned {
    if let Some(from) = key(node) {
        return Assigned::Key { key: from, mask: u32::MAX };
    }
    let Some((kept, set)) = bits(target, node) else { return plain(node) };
    Assigned::Bits { value: Value::Word(set.to_string()), mask: !kept | set }
}

fn plain(node: &Node) -> Assigned {
    match value(node) {
        Some(value @ Value::Word(_)) => Assigned::Bits { value, mask: u32::MAX },
        _ => Assigned::Other,
    }
}

/// Which bits of a key an expression keeps, and which it sets.
fn bits(target: &str, node: &Node) -> Option<(u32, u32)> {
    if key(node).is_some_and(|own| own == target) {
        return Some((u32::MAX, 0));
    }
    let entry = node.entries().first()?;
    let [inner, number] = entry.value.items() else { return None };
    let (kept, set) = bits(target, inner)?;
    let number = numbers::number(&text_of(number)?).ok()?;
    match entry.key.value.as_str() {
        "&" => Some((kept & number, set & number)),
        "|" => Some((kept, set | number)),
        _ => None,
    }
}
