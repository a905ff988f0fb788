//! One line of `iptables` or `ip6tables` (iptables(8), release 1.8.9).

use std::slice;

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::Declarations;
use crate::lab::iptables::{
    Condition, IptablesChange, IptablesCommand, IptablesRule, IptablesTable, RejectWith, RuleTarget,
};
use crate::language::{Text, text};
use crate::net::{Family, Protocol};
use crate::source::{Span, Spanned};

use super::Token;
use super::condition;
use super::gaps;
use super::target::{Setting, Written};
use super::value::{self, Read, Trouble};

/// Reads one call; the first word is the program.
pub fn parse(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    let (Some(program), Some(last)) = (words.first(), words.last()) else { return out };
    let whole = program.span.to(last.span);
    let family = if program.text.contains("ip6tables") { Family::V6 } else { Family::V4 };
    let tokens: Vec<Token> = words.iter().skip(1).map(Token::of).collect();
    if words.iter().any(Word::may_split) {
        out.value.push(Declaration::Unmodeled(Spanned::new(
            text!("a line of `{program}` that is not known", "알 수 없는 `{program}` 줄", program = &program.text),
            whole,
        )));
        return out;
    }
    match line(family, None, tokens, whole) {
        Ok(Line { command: None, .. }) => {}
        Ok(Line { command: Some(command), unmodeled }) => {
            out.diagnostics.extend(unmodeled.iter().map(|what| without_model(what, whole)));
            out.value.push(Declaration::Iptables(vec![command]));
        }
        Err(Stop::Bad(diagnostic)) => out.diagnostics.push(*diagnostic),
        Err(Stop::Unmodeled(what)) => out.value.push(Declaration::Unmodeled(Spanned::new(what, whole))),
    }
    out
}

/// Reads the arguments of a call that another program makes; a line that only asks gives nothing.
///
/// # Errors
/// With a message if iptables refuses the line, with words if it has no model.
pub fn arguments(
    family: Family,
    words: Vec<Spanned<String>>,
    whole: Span,
) -> Result<Option<IptablesCommand>, Result<Box<Diagnostic>, Text>> {
    let token = |word: Spanned<String>| Token { text: word.value, span: word.span, is_known: true };
    match line(family, None, words.into_iter().map(token).collect(), whole) {
        Ok(line) => Ok(line.command),
        Err(Stop::Bad(error)) => Err(Ok(error)),
        Err(Stop::Unmodeled(what)) => Err(Err(what)),
    }
}

/// Whether a call only asks for a rule that its `||` branch would make.
pub fn is_query(words: &[Word]) -> bool {
    words.iter().skip(1).any(|w| matches!(w.text.as_str(), "-C" | "--check" | "-S" | "-L" | "-nL"))
}

/// A line as it was understood.
pub(super) struct Line {
    /// The change; a line that only asks has none.
    pub(super) command: Option<IptablesCommand>,
    /// Conditions and targets without a model that the outcome may depend on.
    pub(super) unmodeled: Vec<String>,
}

/// Why a line has no effect that could be told.
pub(super) enum Stop {
    /// iptables refuses it.
    Bad(Box<Diagnostic>),
    /// It may do anything.
    Unmodeled(Text),
}

/// Reads the arguments of a call, or a line of a saved table.
pub(super) fn line(
    family: Family,
    table: Option<IptablesTable>,
    tokens: Vec<Token>,
    whole: Span,
) -> Result<Line, Stop> {
    let tokens = separated(tokens);
    let mut reader = Reader {
        family,
        whole,
        rest: tokens.iter(),
        table,
        verb: None,
        header: Vec::new(),
        conditions: Vec::new(),
        module: String::new(),
        open: String::new(),
        target: None,
    };
    reader.read()?;
    reader.finish()
}

fn without_model(what: &str, at: Span) -> Diagnostic {
    Diagnostic::new(Code::Unmodeled, text!("not modelled: `{what}`", "`{what}`: 모델에 없음"))
        .label(at, text!("may apply or not", "적용될 수도 아닐 수도 있음"))
        .help(text!("verdicts that depend on it are left undecided", "이것에 달려 있는 판정은 내리지 않습니다"))
}

fn bad(message: Text, at: Span) -> Stop {
    Stop::Bad(Box::new(
        Diagnostic::new(Code::IptablesBadRule, message)
            .label(at, text!("iptables refuses this, so nothing changes", "iptables가 거부하므로 바뀌는 것이 없음")),
    ))
}

/// Options that may be written together with their value, as in `-ptcp`.
const ATTACHED: &str = "AIDRPFNXZEtpsdijogm";

/// `--dport=80` and `-ptcp` as two words; `-nvL` as its last letter.
fn separated(tokens: Vec<Token>) -> Vec<Token> {
    let mut all = Vec::with_capacity(tokens.len());
    for token in tokens {
        let (first, second) = match token.text.strip_prefix("--") {
            Some(long) => match long.split_once('=') {
                Some((name, value)) if !name.is_empty() => (format!("--{name}"), Some(value.to_owned())),
                _ => (token.text.clone(), None),
            },
            None => short_option(&token.text),
        };
        let is_known = token.is_known;
        all.push(Token { text: first, span: token.span, is_known: is_known || second.is_some() });
        if let Some(text) = second {
            all.push(Token { text, span: token.span, is_known });
        }
    }
    all
}

fn short_option(text: &str) -> (String, Option<String>) {
    let Some(letters) = text.strip_prefix('-') else { return (text.to_owned(), None) };
    let letters = letters.trim_start_matches(['n', 'v', 'x']);
    let mut characters = letters.chars();
    match characters.next() {
        Some(letter) if ATTACHED.contains(letter) && !characters.as_str().is_empty() => {
            (format!("-{letter}"), Some(characters.as_str().to_owned()))
        }
        Some(letter) => (format!("-{letter}{}", characters.as_str()), None),
        None => (text.to_owned(), None),
    }
}

/// Reads the value of an option that every rule may have.
type ReadValue = fn(&str, Family) -> Read<Option<Condition>>;

/// The short name of an option that has one.
fn canonical(text: &str) -> &str {
    match text {
        "--append" => "-A",
        "--insert" => "-I",
        "--delete" => "-D",
        "--replace" => "-R",
        "--policy" => "-P",
        "--flush" => "-F",
        "--new" | "--new-chain" => "-N",
        "--delete-chain" => "-X",
        "--rename-chain" => "-E",
        "--zero" => "-Z",
        "--list" | "-S" | "--list-rules" | "-C" | "--check" => "-L",
        "--table" => "-t",
        "--protocol" | "--proto" => "-p",
        "--source" | "--src" => "-s",
        "--destination" | "--dst" => "-d",
        "--in-interface" => "-i",
        "--out-interface" => "-o",
        "--match" => "-m",
        "--jump" => "-j",
        "--goto" => "-g",
        "--fragment" => "-f",
        "--wait" => "-w",
        "--wait-interval" => "-W",
        "--set-counters" => "-c",
        "--ipv4" => "-4",
        "--ipv6" => "-6",
        "--verbose" | "--numeric" | "--exact" | "--line-numbers" => "-v",
        other => other,
    }
}

/// What a line is about, before its rule is known.
enum Verb {
    Append(String),
    Insert(String, usize),
    Replace(String, usize),
    Delete(String),
    /// The whole change is known.
    Whole(IptablesChange),
    /// It only asks, or resets counters.
    Nothing,
}

struct Reader<'t> {
    family: Family,
    whole: Span,
    rest: slice::Iter<'t, Token>,
    table: Option<IptablesTable>,
    verb: Option<Verb>,
    /// Addresses, interfaces and protocol, with their place in a rule.
    header: Vec<(u8, Condition)>,
    conditions: Vec<Condition>,
    /// The extension that options belong to.
    module: String,
    /// The text of an extension that has no model.
    open: String,
    target: Option<Written>,
}

impl<'t> Reader<'t> {
    fn read(&mut self) -> Result<(), Stop> {
        let mut not = false;
        while let Some(token) = self.rest.next() {
            if token.text == "!" {
                not = true;
                continue;
            }
            self.option(token, not)?;
            not = false;
        }
        self.close();
        Ok(())
    }

    fn option(&mut self, token: &'t Token, not: bool) -> Result<(), Stop> {
        if self.global(token)? || self.of_rule(token, not)? {
            return Ok(());
        }
        match token.text.strip_prefix("--") {
            Some(name) => self.extended(name, token, not),
            None => Err(bad(
                text!("`{token}` is out of place", "`{token}`: 있을 자리가 아닙니다", token = &token.text),
                token.span,
            )),
        }
    }

    /// What concerns the call, not the rule.
    fn global(&mut self, token: &'t Token) -> Result<bool, Stop> {
        let option = canonical(&token.text);
        match option {
            "-t" => {
                let name = self.required(token)?;
                let table = IptablesTable::ALL.into_iter().find(|t| t.name() == name.text);
                self.table = Some(table.ok_or_else(|| {
                    bad(
                        text!("there is no table `{table}`", "`{table}` 테이블은 없습니다", table = &name.text),
                        name.span,
                    )
                })?);
            }
            "-w" | "-W" => {
                self.number();
            }
            "-c" => {
                self.number();
                self.number();
            }
            "-v" | "-n" | "-x" | "-4" | "-6" | "-h" | "-V" | "--version" | "--help" | "-" => {}
            "-L" | "-Z" => {
                self.verb = Some(Verb::Nothing);
                self.optional();
                self.number();
            }
            _ => return self.verb(option, token),
        }
        Ok(true)
    }

    fn verb(&mut self, option: &str, token: &'t Token) -> Result<bool, Stop> {
        let verb = match option {
            "-A" => Verb::Append(self.chain(token)?),
            "-I" => Verb::Insert(self.chain(token)?, self.number().unwrap_or(1)),
            "-R" => {
                let chain = self.chain(token)?;
                let number = self.number().ok_or_else(|| {
                    bad(text!("`-R` needs the number of a rule", "`-R`에는 규칙 번호가 필요합니다"), token.span)
                })?;
                Verb::Replace(chain, number)
            }
            "-D" => {
                let chain = self.chain(token)?;
                match self.number() {
                    Some(number) => Verb::Whole(IptablesChange::DeleteAt(chain, number)),
                    None => Verb::Delete(chain),
                }
            }
            "-F" => Verb::Whole(IptablesChange::Flush(self.optional())),
            "-X" => Verb::Whole(IptablesChange::Remove(self.optional())),
            "-N" => Verb::Whole(IptablesChange::New(self.chain(token)?)),
            "-E" => Verb::Whole(IptablesChange::Rename(self.chain(token)?, self.chain(token)?)),
            "-P" => Verb::Whole(self.policy(token)?),
            _ => return Ok(false),
        };
        self.verb = Some(verb);
        Ok(true)
    }

    fn policy(&mut self, token: &'t Token) -> Result<IptablesChange, Stop> {
        let chain = self.chain(token)?;
        let policy = self.required(token)?;
        match policy.text.as_str() {
            "ACCEPT" => Ok(IptablesChange::Policy(chain, true)),
            "DROP" => Ok(IptablesChange::Policy(chain, false)),
            other => Err(bad(text!("`{other}` is not a policy", "`{other}`: 기본 정책이 아닙니다"), policy.span)),
        }
    }

    fn chain(&mut self, token: &Token) -> Result<String, Stop> {
        let name = self.required(token)?;
        if name.is_known {
            Ok(name.text.clone())
        } else {
            Err(Stop::Unmodeled(text!(
                "a rule in the chain `{chain}`, whose name is not known",
                "이름을 알 수 없는 `{chain}` 체인의 규칙",
                chain = &name.text
            )))
        }
    }

    fn required(&mut self, option: &Token) -> Result<&'t Token, Stop> {
        self.rest.next().ok_or_else(|| {
            bad(text!("`{option}` needs a value", "`{option}`에 값이 필요합니다", option = &option.text), option.span)
        })
    }

    fn peek(&self) -> Option<&'t Token> {
        self.rest.as_slice().first()
    }

    /// The next word, if it is no option.
    fn optional(&mut self) -> Option<String> {
        let next = self.peek().filter(|t| !t.text.starts_with(['-', '!']))?;
        self.rest.next();
        Some(next.text.clone())
    }

    /// The next word, if it is a number.
    fn number(&mut self) -> Option<usize> {
        let number = self.peek()?.text.parse().ok()?;
        self.rest.next();
        Some(number)
    }

    /// Options that every rule may have.
    fn of_rule(&mut self, token: &'t Token, mut not: bool) -> Result<bool, Stop> {
        let option = canonical(&token.text);
        let family = self.family;
        let (rank, read): (u8, ReadValue) = match option {
            "-s" => (0, |text, family| condition::networks(text, family, Condition::Source)),
            "-d" => (1, |text, family| condition::networks(text, family, Condition::Destination)),
            "-i" => (2, |text, _| Ok(value::interface(text).map(Condition::InInterface))),
            "-o" => (3, |text, _| Ok(value::interface(text).map(Condition::OutInterface))),
            "-p" => (4, value::protocol),
            "-f" => {
                self.header.extend((!not).then(|| (5, condition::roughly(condition::never()))));
                return Ok(true);
            }
            "-m" => {
                self.close();
                self.module = self.required(token)?.text.clone();
                if !condition::is_modeled(&self.module) {
                    self.open = format!("-m {}", self.module);
                }
                return Ok(true);
            }
            "-j" | "-g" => {
                self.close();
                self.module.clear();
                let name = self.required(token)?;
                if !name.is_known {
                    return Err(Stop::Unmodeled(text!(
                        "a rule with the target `{target}`, which is not known",
                        "알 수 없는 대상 `{target}`을(를) 쓰는 규칙",
                        target = &name.text
                    )));
                }
                self.target = Some(Written { name: name.text.clone(), is_goto: option == "-g", settings: Vec::new() });
                return Ok(true);
            }
            _ => return Ok(false),
        };
        let value = self.value(token, &mut not)?;
        let outcome = self.judged(read(&value.text, family), value, || format!("{option} {}", value.text))?;
        self.header
            .extend(outcome.map_or_else(|| not.then(condition::never), |c| Some(negated(c, not))).map(|c| (rank, c)));
        Ok(true)
    }

    /// The value of an option; the older notation has the `!` in front of it.
    fn value(&mut self, option: &Token, not: &mut bool) -> Result<&'t Token, Stop> {
        let value = self.required(option)?;
        if value.text != "!" {
            return Ok(value);
        }
        *not = true;
        self.required(option)
    }

    /// What a value states; the text of the option if that is not known.
    fn judged(
        &self,
        read: Read<Option<Condition>>,
        value: &Token,
        text: impl Fn() -> String,
    ) -> Result<Option<Condition>, Stop> {
        if !value.is_known {
            return Ok(Some(Condition::Unmodeled(text())));
        }
        match read {
            Ok(condition) => Ok(condition),
            Err(Trouble::Unknown) => Ok(Some(Condition::Unmodeled(text()))),
            Err(Trouble::Bad(message)) => Err(bad(message, value.span)),
        }
    }

    /// An option of an extension or of the target.
    fn extended(&mut self, name: &str, token: &'t Token, mut not: bool) -> Result<(), Stop> {
        let Some(arity) = condition::arity(&self.module, name) else {
            self.foreign(name, not);
            return Ok(());
        };
        let mut values = Vec::new();
        for position in 0..arity {
            let value = if position == 0 { self.value(token, &mut not)? } else { self.required(token)? };
            values.push(value);
        }
        let texts: Vec<&str> = values.iter().map(|v| v.text.as_str()).collect();
        let written = format!("--{name} {}", texts.join(" "));
        let doubtful = values.iter().copied().find(|v| !v.is_known);
        let value = doubtful.or_else(|| values.first().copied()).unwrap_or(token);
        let outcome =
            self.judged(condition::read(self.family, &self.module, name, &texts), value, || written.clone())?;
        let outcome = match outcome {
            None if not && name != "comment" => Some(condition::never()),
            other => other.map(|c| negated(c, not)),
        };
        self.conditions.extend(outcome);
        Ok(())
    }

    /// An option that is kept as text.
    fn foreign(&mut self, name: &str, not: bool) {
        const ONE_VALUE: [&str; 6] = ["log-prefix", "nflog-prefix", "ulog-prefix", "string", "hex-string", "algo"];
        let mut values = Vec::new();
        while let Some(next) = self.peek() {
            let is_option = next.text.starts_with('-') || next.text == "!";
            let takes_one = ONE_VALUE.contains(&name);
            if takes_one && !values.is_empty() || !takes_one && is_option {
                break;
            }
            values.push(next.text.clone());
            self.rest.next();
        }
        let text = format!("{}--{name}{}", if not { "! " } else { "" }, spaced(&values));
        match &mut self.target {
            Some(target) => target.settings.push(Setting { name: name.to_owned(), values }),
            None if self.open.is_empty() => {
                let module = if self.module.is_empty() { String::new() } else { format!("-m {} ", self.module) };
                self.conditions.push(Condition::Unmodeled(format!("{module}{text}")));
            }
            None => self.open += &format!(" {text}"),
        }
    }

    /// The extension that was read so far has no more options.
    fn close(&mut self) {
        let open = std::mem::take(&mut self.open);
        if !open.is_empty() {
            self.conditions.extend(condition::of_extension(&open));
        }
    }

    fn finish(mut self) -> Result<Line, Stop> {
        let Some(verb) = self.verb.take() else { return Ok(Line { command: None, unmodeled: Vec::new() }) };
        let target = match &self.target {
            None => RuleTarget::Nothing,
            Some(target) => match target.read(self.family) {
                Ok(target) => target,
                Err(Trouble::Bad(message)) => return Err(bad(message, self.whole)),
                Err(Trouble::Unknown) => RuleTarget::Unmodeled(target.text()),
            },
        };
        self.header.sort_by_key(|(rank, _)| *rank);
        let conditions: Vec<Condition> = self.header.into_iter().map(|(_, c)| c).chain(self.conditions).collect();
        let rule = IptablesRule { conditions, target };
        // Linux, net/ipv4/netfilter/ipt_REJECT.c, `reject_tg_check`.
        let is_tcp = rule.conditions.contains(&Condition::Protocol(Protocol::Tcp));
        if rule.target == RuleTarget::Reject(RejectWith::TcpReset) && !is_tcp {
            return Err(bad(
                text!(
                    "`--reject-with tcp-reset` needs `-p tcp`",
                    "`--reject-with tcp-reset`에는 `-p tcp`가 필요합니다"
                ),
                self.whole,
            ));
        }
        let unmodeled = gaps::of_rule(&rule);
        let change = match verb {
            Verb::Append(chain) => IptablesChange::Append(chain, rule),
            Verb::Insert(chain, at) => IptablesChange::Insert(chain, at, rule),
            Verb::Replace(chain, at) => IptablesChange::Replace(chain, at, rule),
            Verb::Delete(chain) => IptablesChange::Delete(chain, rule),
            Verb::Whole(change) => change,
            Verb::Nothing => return Ok(Line { command: None, unmodeled: Vec::new() }),
        };
        let table = self.table.unwrap_or(IptablesTable::Filter);
        let command = IptablesCommand { family: self.family, table, change, span: self.whole };
        Ok(Line { command: Some(command), unmodeled })
    }
}

fn negated(condition: Condition, not: bool) -> Condition {
    if not { Condition::Not(Box::new(condition)) } else { condition }
}

fn spaced(values: &[String]) -> String {
    values.iter().map(|value| format!(" {value}")).collect()
}
