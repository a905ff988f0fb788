//! Rule sets of nftables: what `nft list ruleset` prints, as text or with `-j`, and files for `nft -f`.
//!
//! Text and JSON become the same syntax tree ([`syntax`]); what it means is read in one place ([`meaning`]).
//!
//! Sources: nft(8), release 1.1.7; libnftables-json(5); the grammar of nftables, src/parser_bison.y.

mod cursor;
mod json;
mod json_value;
mod key;
mod key_text;
mod lexer;
mod meaning;
mod rule_text;
mod syntax;
#[cfg(test)]
mod tests;
mod text;
mod translation;
mod value;

use crate::diagnostic::{Code, Diagnostic};
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::nft::NftRuleset;
use crate::language::text;
use crate::source::{SourceId, Span};

use super::gaps::Gaps;
use syntax::{Ruleset, Statement};

/// Whether a text looks like a rule set of nftables.
pub fn is_one(text: &str) -> bool {
    let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let opens = |line: &str| {
        let line = words(line);
        let line: Vec<&str> = line.iter().map(String::as_str).collect();
        matches!(line.as_slice(), ["table", "ip" | "ip6" | "inet" | "arp" | "bridge" | "netdev", _, "{", ..])
            || matches!(line.as_slice(), ["flush", "ruleset"] | ["flush", "ruleset;"] | ["table", _, "{", ..])
    };
    text.trim_start().starts_with("{\"nftables\"") || text.lines().any(opens)
}

/// Reads a rule set.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let first = text.lines().next().unwrap_or("");
    let whole = Span::new(source, 0, first.len());
    let is_json = text.trim_start().starts_with('{');
    let (mut ruleset, mut diagnostics) =
        if is_json { json::read(source, text) } else { text::read(&lexer::tokens(source, text)) };
    ruleset.is_script |= first.starts_with("#!");
    mark_filled_sets(&mut ruleset);
    let mut gaps = Gaps::default();
    let mut unmodeled = std::mem::take(&mut ruleset.unmodeled);
    let tables = ruleset.tables.iter().filter_map(|table| meaning::table(table, &mut gaps, &mut unmodeled)).collect();
    diagnostics.extend(ruleset.tables.iter().flat_map(unknown_chains));
    diagnostics.extend(gaps.diagnostics());
    let is_script = ruleset.is_script;
    let mut value: Vec<Declaration> = unmodeled.into_iter().map(Declaration::Unmodeled).collect();
    value.push(Declaration::Nft(NftRuleset {
        replaces: ruleset.is_flushed || !is_script,
        is_script,
        tables,
        span: whole,
    }));
    Declarations { value, diagnostics }
}

/// What rules add elements to holds more than is written.
fn mark_filled_sets(ruleset: &mut Ruleset) {
    for table in &mut ruleset.tables {
        let statements = table.chains.iter().flat_map(|chain| &chain.rules).flat_map(|rule| &rule.statements);
        let filled: Vec<String> = statements
            .filter_map(|statement| match statement {
                Statement::Fills(name) => Some(name.clone()),
                _ => None,
            })
            .collect();
        table.sets.iter_mut().filter(|set| filled.contains(&set.name)).for_each(|set| set.is_dynamic = true);
    }
}

/// Jumps that nft would refuse.
fn unknown_chains(table: &syntax::Table) -> Vec<Diagnostic> {
    let mut wrong = Vec::new();
    for rule in table.chains.iter().flat_map(|chain| &chain.rules) {
        for statement in &rule.statements {
            if let Statement::Verdict(syntax::Verdict::Jump(to) | syntax::Verdict::Goto(to)) = statement
                && !table.chains.iter().any(|chain| chain.name.value == *to)
            {
                let message = text!(
                    "there is no chain `{to}` in the table `{table}`",
                    "`{table}` 테이블에 `{to}` 체인이 없습니다",
                    table = &table.name.value
                );
                let diagnostic = Diagnostic::new(Code::NftSyntax, message);
                wrong.push(
                    diagnostic
                        .label(rule.span, text!("nft refuses this", "nft가 거부함"))
                        .help(text!("the text may be cut off", "텍스트가 잘렸을 수 있습니다")),
                );
            }
        }
    }
    wrong
}
