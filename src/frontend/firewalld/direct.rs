//! firewalld's direct interface: `direct.xml` and `firewall-cmd --direct` (firewalld.direct(5)). What it holds goes to
//! iptables as it is written.

use crate::diagnostic::Diagnostic;
use crate::frontend::netfilter::iptables;
use crate::frontend::shell::word::Word;
use crate::frontend::xml::{self, Element};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, DirectRule};
use crate::lab::iptables::{IptablesChange, IptablesCommand};
use crate::language::{Text, text};
use crate::net::Family;
use crate::source::{SourceId, Span, Spanned};

use super::value::bad;

/// Why a line has no effect that could be told.
pub(super) enum Stop {
    /// firewalld or iptables refuses it.
    Bad(Box<Diagnostic>),
    /// It may do anything.
    Unmodeled(Text),
}

impl From<Box<Diagnostic>> for Stop {
    fn from(error: Box<Diagnostic>) -> Self {
        Self::Bad(error)
    }
}

/// Reads direct.xml. What is wrong with the form costs all of this file and nothing else, and what iptables refuses costs
/// all of /etc/firewalld (seen with firewalld 1.3.3 and 2.5.2).
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut out = Declarations::default();
    let document = match xml::parse(source, text) {
        Ok(document) => document,
        Err(error) => {
            out.diagnostics.push(*error);
            return out;
        }
    };
    for element in Element::root(&document, source).children() {
        match entry(element) {
            Ok(Some(rule)) => out.value.push(Declaration::Direct(Spanned::new(rule, element.span()))),
            Ok(None) => {}
            Err(Stop::Bad(error)) => {
                let refused = Spanned::new(format!("{} in direct.xml", error.message), element.span());
                out.value.push(Declaration::FirewalldRefused(refused));
                out.diagnostics.push(*error);
            }
            Err(Stop::Unmodeled(what)) => out.value.push(Declaration::Unmodeled(Spanned::new(what, element.span()))),
        }
    }
    out
}

fn entry(element: Element<'_, '_>) -> Result<Option<DirectRule>, Stop> {
    let attribute = |name: &str| element.attribute(name).map(|a| a.map(str::to_owned));
    let words = |text: &str| -> Vec<Spanned<String>> {
        text.split_whitespace().map(|word| Spanned::new(word.trim_matches('"').to_owned(), element.span())).collect()
    };
    let part = |name: &str| {
        attribute(name).ok_or_else(|| {
            let message = text!(
                "`{element}` without `{name}`",
                "`{element}`에 `{name}`이(가) 없습니다",
                element = &element.name()
            );
            Stop::Bad(bad(element.tag(), message, text!("firewalld refuses this", "firewalld가 거부함")))
        })
    };
    let line = Line { whole: element.span(), family: part("ipv")? };
    match element.name() {
        "chain" => line.chain(&part("table")?, &part("chain")?),
        "rule" => line.rule(&part("table")?, &part("chain")?, &part("priority")?, words(element.text())),
        "passthrough" => line.passthrough(words(element.text())),
        _ => Ok(None),
    }
}

/// Reads what stands behind `--direct`: whether something is added, and what. Nothing if the line only asks.
pub(super) fn command(words: &[Word], permanent: bool, whole: Span) -> Result<Option<(bool, DirectRule)>, Stop> {
    let words: Vec<&Word> = words.iter().filter(|w| w.text != "--permanent").collect();
    let Some((verb, rest)) = words.split_first() else { return Ok(None) };
    if let Some(unknown) = words.iter().find_map(|w| w.unknown()) {
        return Err(Stop::Unmodeled(text!(
            "`firewall-cmd --direct` with a value that is not known ({start})",
            "값을 알 수 없는 `firewall-cmd --direct` ({start})",
            start = unknown.start
        )));
    }
    let arguments: Vec<Spanned<String>> = rest.iter().map(|w| w.spanned()).collect();
    let missing = || {
        Stop::Bad(bad(
            whole,
            text!("`{verb}` needs more arguments", "`{verb}`: 인자가 더 필요합니다", verb = &verb.text),
            text!("firewall-cmd refuses this", "firewall-cmd가 거부함"),
        ))
    };
    let family = || arguments.first().cloned().ok_or_else(missing);
    let one = |at: usize| arguments.get(at).ok_or_else(missing);
    let from = |at: usize| arguments.get(at..).unwrap_or(&[]).to_vec();
    let line = || family().map(|family| Line { whole, family });
    let rule = match verb.text.as_str() {
        "--add-chain" => line()?.chain(one(1)?, one(2)?)?.map(|rule| (true, rule)),
        "--add-rule" => line()?.rule(one(1)?, one(2)?, one(3)?, from(4))?.map(|rule| (true, rule)),
        "--remove-rule" => line()?.rule(one(1)?, one(2)?, one(3)?, from(4))?.map(|rule| (false, rule)),
        "--add-passthrough" => line()?.passthrough(from(1))?.map(|rule| (true, rule)),
        "--passthrough" if !permanent => line()?.passthrough(from(1))?.map(|rule| (true, rule)),
        "--remove-passthrough" if permanent => line()?.passthrough(from(1))?.map(|rule| (false, rule)),
        other if other.starts_with("--get-") || other.starts_with("--query-") => None,
        other => return Err(Stop::Unmodeled(format!("`firewall-cmd --direct {other}`").into())),
    };
    Ok(rule)
}

/// The parts that every entry has.
struct Line {
    whole: Span,
    family: Spanned<String>,
}

impl Line {
    /// Ethernet frames have no model: rules for them are left out where they cannot matter, and reported.
    fn family(&self) -> Result<Family, Stop> {
        match self.family.value.as_str() {
            "ipv4" => Ok(Family::V4),
            "ipv6" => Ok(Family::V6),
            "eb" => Err(Stop::Unmodeled(text!("a direct rule for `ebtables`", "`ebtables`의 직접(direct) 규칙"))),
            other => Err(Stop::Bad(bad(
                self.family.span,
                text!("`{other}` is not a family", "`{other}`: 주소 체계가 아닙니다"),
                text!("ipv4, ipv6 or eb", "ipv4, ipv6, eb 가운데 하나"),
            ))),
        }
    }

    fn command(&self, words: Vec<Spanned<String>>) -> Result<Option<IptablesCommand>, Stop> {
        match iptables::arguments(self.family()?, words, self.whole) {
            Ok(command) => Ok(command),
            Err(Ok(error)) => Err(Stop::Bad(error)),
            Err(Err(what)) => Err(Stop::Unmodeled(what)),
        }
    }

    fn words(&self, texts: &[&str]) -> Vec<Spanned<String>> {
        texts.iter().map(|text| Spanned::new((*text).to_owned(), self.whole)).collect()
    }

    fn chain(&self, table: &Spanned<String>, chain: &Spanned<String>) -> Result<Option<DirectRule>, Stop> {
        Ok(self.command(self.words(&["-t", &table.value, "-N", &chain.value]))?.map(DirectRule::Chain))
    }

    fn rule(
        &self,
        table: &Spanned<String>,
        chain: &Spanned<String>,
        priority: &Spanned<String>,
        rest: Vec<Spanned<String>>,
    ) -> Result<Option<DirectRule>, Stop> {
        let Ok(priority) = priority.value.parse() else {
            let message =
                text!("`{value}` is not a priority", "`{value}`: 우선순위가 아닙니다", value = &priority.value);
            return Err(Stop::Bad(bad(priority.span, message, text!("a number", "수여야 함"))));
        };
        let mut words = self.words(&["-t", &table.value, "-A", &chain.value]);
        words.extend(rest);
        Ok(self.command(words)?.map(|command| DirectRule::Rule(priority, command)))
    }

    fn passthrough(&self, words: Vec<Spanned<String>>) -> Result<Option<DirectRule>, Stop> {
        let command = self.command(words)?;
        Ok(command.filter(|c| !matches!(c.change, IptablesChange::Clear)).map(DirectRule::Passthrough))
    }
}
