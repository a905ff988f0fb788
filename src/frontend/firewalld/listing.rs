//! What firewalld prints about itself: `--list-all`, `--list-all-zones`, `--list-all-policies`, `--info-zone`,
//! `--info-policy`, `--info-service`, `--info-ipset` and `--get-active-zones` (outputs of 1.3.3 and 2.5.2).
//!
//! A text may hold several of them, and lines around them: prompts, commands, other programs' output.

use crate::frontend::shell::word::Word;
use crate::lab::declaration::{
    Declarations, FirewalldListing, IpSetDecl, PolicyDecl, ServiceDecl, ZoneBindings, ZoneDecl,
};
use crate::lab::{Content, Declaration, Entry, Target};
use crate::provenance::Origin;
use crate::source::{SourceId, Span, Spanned};

use super::cmd::value as command;
use super::rich_rule::{self, Outcome};
use super::value::{self, Refused};
use super::{ipset, service};

/// Whether a text holds a listing: a name, and below it lines that firewalld indents by two blanks.
pub fn is_one(text: &str) -> bool {
    let lines: Vec<&str> = text.lines().collect();
    lines.windows(2).any(|pair| match pair {
        [name, first] => heading(name).is_some() && is_first_key(first),
        _ => false,
    })
}

fn is_first_key(line: &str) -> bool {
    ["  target: ", "  disable: ", "  priority: ", "  interfaces: ", "  sources: ", "  ports: ", "  type: hash:"]
        .iter()
        .any(|start| line.starts_with(start) || line == start.trim_end())
}

/// `public (default, active)`: the name, and what stands in brackets.
fn heading(line: &str) -> Option<(&str, &str)> {
    let (name, notes) = match line.trim_end().split_once(" (") {
        Some((name, notes)) => (name, notes.strip_suffix(')')?),
        None => (line.trim_end(), ""),
    };
    let is_name = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/');
    (!name.is_empty() && name.chars().all(is_name)).then_some((name, notes))
}

/// Reads a text that holds listings.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    let mut reader = Reader { source, block: None, listing: FirewalldListing::default(), out: Declarations::default() };
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        reader.line(line.trim_end_matches(['\n', '\r']), start);
        start += line.len();
    }
    reader.finish_block();
    reader.out.value.insert(0, Declaration::FirewalldListed(reader.listing));
    reader.out
}

/// One name with its lines.
struct Block {
    name: Spanned<String>,
    is_default: bool,
    keys: Vec<(String, Vec<Spanned<String>>)>,
    span: Span,
}

impl Block {
    fn words(&self, key: &str) -> impl Iterator<Item = &Spanned<String>> {
        self.keys.iter().filter(move |(name, _)| name == key).flat_map(|(_, words)| words)
    }

    fn has(&self, key: &str) -> bool {
        self.keys.iter().any(|(name, _)| name == key)
    }

    fn word(&self, key: &str) -> Option<Spanned<&str>> {
        self.words(key).next().map(|word| word.as_ref().map(String::as_str))
    }

    fn says_yes(&self, key: &str) -> bool {
        self.word(key).is_some_and(|word| word.value == "yes")
    }
}

struct Reader {
    source: SourceId,
    block: Option<Block>,
    listing: FirewalldListing,
    out: Declarations,
}

impl Reader {
    fn line(&mut self, line: &str, start: usize) {
        let source = self.source;
        let span = |from: usize, to: usize| Span::new(source, start + from, start + to);
        if let Some(block) = &mut self.block {
            if let Some(rest) = line.strip_prefix('\t') {
                // Rich rules and forwards stand on lines of their own.
                if let Some((_, words)) = block.keys.last_mut() {
                    let text = rest.trim_end();
                    words.push(Spanned::new(text.to_owned(), span(1, 1 + text.len())));
                }
                return;
            }
            if let Some((key, values)) = line.strip_prefix("  ").and_then(|rest| rest.split_once(':')) {
                let offset = 2 + key.len() + 1;
                let words = words(values)
                    .into_iter()
                    .map(|(at, word)| Spanned::new(word.to_owned(), span(offset + at, offset + at + word.len())));
                block.keys.push((key.to_owned(), words.collect()));
                return;
            }
        }
        self.finish_block();
        if let Some((name, notes)) = heading(line) {
            let is_default = notes.split(", ").any(|note| note == "default");
            let name = Spanned::new(name.to_owned(), span(0, name.len()));
            self.block = Some(Block { span: name.span, name, is_default, keys: Vec::new() });
        }
    }

    fn finish_block(&mut self) {
        let Some(block) = self.block.take().filter(|b| !b.keys.is_empty()) else { return };
        if block.is_default {
            self.listing.default_zone = Some(block.name.clone());
        }
        if block.has("ingress-zones") {
            let policy = self.policy(&block);
            self.listing.policies.push(policy);
        } else if block.has("target") {
            let zone = self.zone(&block);
            self.listing.zones.push(zone);
        } else if block.has("type") {
            let set = self.ipset(&block);
            self.listing.ipsets.extend(set);
        } else if block.has("modules") || block.has("includes") {
            let service = self.service(&block);
            self.listing.services.push(service);
        } else {
            let interfaces = block.words("interfaces").cloned().collect();
            let sources = self.all(&block, "sources", value::peers);
            self.listing.bindings.push(ZoneBindings { zone: block.name, interfaces, sources });
        }
    }

    /// Every word of a line that can be read; the others are reported.
    fn all<T>(
        &mut self,
        block: &Block,
        key: &str,
        read: impl Fn(Spanned<&str>) -> Result<T, Refused>,
    ) -> Vec<Spanned<T>> {
        let mut found = Vec::new();
        for word in block.words(key) {
            match read(word.as_ref().map(String::as_str)) {
                Ok(value) => found.push(Spanned::new(value, word.span)),
                Err(error) => self.out.diagnostics.push(*error),
            }
        }
        found
    }

    fn zone(&mut self, block: &Block) -> ZoneDecl {
        let sources = self.all(block, "sources", value::peers);
        let target = self.target(block, value::zone_target);
        let priority = |key: &str| block.word(key).and_then(|w| w.value.parse().ok().map(|p| Spanned::new(p, w.span)));
        ZoneDecl {
            name: block.name.clone(),
            target,
            interfaces: block.words("interfaces").cloned().collect(),
            sources,
            priorities: (priority("ingress-priority"), priority("egress-priority")),
            is_stock: false,
            forward: block.says_yes("forward"),
            services: block.words("services").cloned().collect(),
            content: self.content(block, "zone"),
            port_at: None,
            span: block.span,
        }
    }

    fn policy(&mut self, block: &Block) -> PolicyDecl {
        let target = self.target(block, value::policy_target);
        let priority = block.word("priority");
        PolicyDecl {
            name: block.name.clone(),
            target,
            priority: priority.and_then(|w| w.value.parse().ok().map(|p| Spanned::new(p, w.span))),
            ingress: block.words("ingress-zones").cloned().collect(),
            egress: block.words("egress-zones").cloned().collect(),
            disabled: block.says_yes("disable").then_some(block.span),
            is_stock: false,
            services: block.words("services").cloned().collect(),
            content: self.content(block, "policy"),
            span: block.span,
        }
    }

    fn target(
        &mut self,
        block: &Block,
        read: impl Fn(Spanned<&str>) -> Result<Target, Refused>,
    ) -> Option<Spanned<Target>> {
        let word = block.word("target")?;
        match read(word) {
            Ok(target) => Some(Spanned::new(target, word.span)),
            Err(error) => {
                self.out.diagnostics.push(*error);
                None
            }
        }
    }

    fn content(&mut self, block: &Block, kind: &str) -> Content {
        let owner = format!("{kind} `{}`", block.name.value);
        let port = |word: Spanned<&str>| command::port(&Word::written(word.value, word.span));
        let entries = |found: Vec<Spanned<_>>, what: &str| {
            let entry = |spanned: Spanned<Option<_>>| {
                let origin = Origin::written(format!("{what} opened in {owner}"), spanned.span);
                spanned.value.map(|value| Entry { value, guard: None, origin })
            };
            found.into_iter().filter_map(entry).collect()
        };
        let ports = self.all(block, "ports", port);
        let source_ports = self.all(block, "source-ports", port);
        let masquerade = block.word("masquerade").filter(|word| word.value == "yes");
        Content {
            ports: entries(ports, "port"),
            source_ports: entries(source_ports, "source port"),
            protocols: self.entries(block, "protocols", &owner, |word| value::protocol(word).map(Some)),
            masquerade: masquerade.map(|word| Origin::written(format!("masquerading in {owner}"), word.span)),
            forward_ports: self.entries(block, "forward-ports", &owner, |word| {
                command::forward_port(&Word::written(word.value, word.span))
            }),
            icmp_blocks: self.entries(block, "icmp-blocks", &owner, |word| Ok(Some(word.value.to_owned()))),
            icmp_block_inversion: block.says_yes("icmp-block-inversion"),
            rich_rules: self.entries(block, "rich rules", &owner, |word| {
                match rich_rule::parse(&Word::written(word.value, word.span))? {
                    Outcome::Rule(rule) => Ok(Some(*rule)),
                    Outcome::Nothing | Outcome::Unmodeled(_) => Ok(None),
                }
            }),
            ..Content::default()
        }
    }

    fn entries<T>(
        &mut self,
        block: &Block,
        key: &str,
        owner: &str,
        read: impl Fn(Spanned<&str>) -> Result<Option<T>, Refused>,
    ) -> Vec<Entry<T>> {
        let what = key.replace('-', " ");
        let entry = |found: Spanned<Option<T>>| {
            let origin = Origin::written(format!("{what} of {owner}"), found.span);
            found.value.map(|value| Entry { value, guard: None, origin })
        };
        self.all(block, key, read).into_iter().filter_map(entry).collect()
    }

    fn service(&mut self, block: &Block) -> ServiceDecl {
        let port = |word: Spanned<&str>| command::port(&Word::written(word.value, word.span));
        let address = |word: Spanned<&str>| {
            let net = word.value.split_once(':').map_or(word.value, |(_, net)| net);
            value::network(Spanned::new(net, word.span))
        };
        let ports = |found: Vec<Spanned<Option<_>>>| found.into_iter().filter_map(|p| p.value).collect();
        ServiceDecl {
            ports: ports(self.all(block, "ports", port)),
            source_ports: ports(self.all(block, "source-ports", port)),
            protocols: self.all(block, "protocols", value::protocol).into_iter().map(|p| p.value).collect(),
            includes: block.words("includes").cloned().collect(),
            destinations: self.all(block, "destination", address).into_iter().map(|d| d.value).collect(),
            ..service::empty(block.name.value.clone(), block.span)
        }
    }

    fn ipset(&mut self, block: &Block) -> Option<IpSetDecl> {
        let kind = block.word("type")?;
        let mut set = match ipset::empty(block.name.value.clone(), kind, block.span) {
            Ok(set) => set,
            Err(error) => {
                self.out.diagnostics.push(*error);
                return None;
            }
        };
        for word in block.words("entries") {
            match (&mut set.entries, ipset::entry(&word.value)) {
                (Some(entries), Some(nets)) => entries.extend(nets),
                (entries, None) => *entries = None,
                (None, _) => {}
            }
        }
        Some(set)
    }
}

/// The words of a line with their places in it.
fn words(line: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    let mut at = 0;
    for part in line.split(' ') {
        if !part.is_empty() {
            found.push((at, part));
        }
        at += part.len() + 1;
    }
    found
}

#[cfg(test)]
mod tests;
