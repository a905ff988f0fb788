//! Listening addresses that hide in a container's command line and variables. Spec: specs/listening.md.

use std::net::{IpAddr, Ipv4Addr};

use crate::lab::declaration::ContainerDecl;
use crate::lab::programs::{self, Opt, Program, Says};
use crate::net::Protocol;
use crate::source::{Span, Spanned};

/// What is said about where a container's program listens.
#[derive(Clone, Debug, Default)]
pub(super) struct Said {
    /// The server program that was recognized.
    pub(super) program: Option<&'static Program>,
    /// The address; inside, nothing means all addresses.
    pub(super) address: Option<Told<Option<IpAddr>>>,
    /// The port.
    pub(super) port: Option<Told<u16>>,
    /// Several places at once, in place of what the program does otherwise.
    pub(super) places: Vec<Told<Place>>,
    /// Places beside the main one.
    pub(super) more: Vec<Told<Place>>,
}

/// Something that is said, and where. Nothing for a default of the program.
#[derive(Clone, Debug)]
pub(super) struct Told<T> {
    pub(super) value: T,
    pub(super) span: Option<Span>,
    /// The word that says it, as it would say all addresses. Nothing when it is part of a longer string.
    pub(super) widened: Option<Spanned<String>>,
}

/// A place to listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) protocol: Protocol,
    pub(super) address: Option<IpAddr>,
    pub(super) port: u16,
}

/// Reads the listening address and port of a container. `image` names the program of a known image, whose command line
/// is often only options. What is said twice or in an unknown form counts as neither said nor default.
pub(super) fn read(container: &ContainerDecl, image: Option<&'static str>) -> Said {
    let words: Vec<Word<'_>> = container
        .words()
        .flat_map(|word| word.value.split_whitespace().map(move |text| Word { text, whole: word, span: word.span }))
        .collect();
    let written = words.iter().map(|word| word.text);
    let in_image =
        || image.and_then(|image| programs::find(&image.split(' ').chain(written.clone()).collect::<Vec<_>>()));
    let Some(program) = programs::find(&written.clone().collect::<Vec<_>>()).or_else(in_image) else {
        return Said::default();
    };
    let mut reader = Reader { said: Said { program: Some(program), ..Said::default() }, address: false, port: false };
    reader.options(program, &words);
    reader.variables(program, &container.variables());
    reader.defaults(program, &container.command);
    reader.said
}

/// A word of a command line, or a part of one, like the command behind `sh -c`.
#[derive(Clone, Copy)]
struct Word<'w> {
    text: &'w str,
    whole: &'w Spanned<String>,
    span: Span,
}

struct Reader {
    said: Said,
    /// The address was spoken of, understood or not: nobody knows better from here on.
    address: bool,
    /// The port likewise.
    port: bool,
}

impl Reader {
    fn options(&mut self, program: &Program, words: &[Word<'_>]) {
        for says in [Says::Address, Says::Port, Says::Both] {
            let options = || program.options.iter().filter(move |option| option.says == says && !option.adds);
            let given: Vec<(&Opt, Option<Word<'_>>)> = options().flat_map(|option| values(option, words)).collect();
            match given.as_slice() {
                [] => {}
                [(option, value)] => self.tell(says, option.bare, *value),
                // Named entry points are several things, each said once.
                several if several.iter().all(|(option, _)| option.name.contains('*')) => {
                    self.places(several.iter().filter_map(|(_, value)| *value));
                }
                _ => {
                    (self.address, self.port) = (self.address || says != Says::Port, self.port || says != Says::Address)
                }
            }
        }
        for option in program.options.iter().filter(|option| option.adds) {
            for (option, value) in values(option, words) {
                self.add(option, value);
            }
        }
    }

    /// What an option says. Without a value it may mean all addresses.
    fn tell(&mut self, says: Says, bare: bool, value: Option<Word<'_>>) {
        let Some(word) = value else {
            if bare && says == Says::Address {
                self.address = true;
                self.said.address = Some(Told { value: None, span: None, widened: None });
            }
            return;
        };
        match says {
            Says::Address => {
                self.address = true;
                let widened = widened(word, word.text);
                self.said.address = address(word.text).map(|value| Told { value, span: Some(word.span), widened });
            }
            Says::Port | Says::Everywhere => {
                self.port = true;
                self.said.port =
                    word.text.parse().ok().map(|value| Told { value, span: Some(word.span), widened: None });
                if says == Says::Everywhere {
                    self.address = true;
                    self.said.address = Some(Told { value: None, span: Some(word.span), widened: None });
                }
            }
            Says::Both => self.places([word].into_iter()),
        }
    }

    /// `127.0.0.1:9090`, `:80`, `8000`, `tcp://[::]:1883`, or several of them with commas.
    fn places<'w>(&mut self, words: impl Iterator<Item = Word<'w>>) {
        let items: Vec<(&str, Word<'w>)> = words
            .flat_map(|word| word.text.split(',').map(move |item| (item.trim_matches(['"', '\'']), word)))
            .collect();
        if let [(item, word)] = items.as_slice() {
            self.place(item, *word);
            return;
        }
        (self.address, self.port) = (true, true);
        let told = |(item, word): &(&str, Word<'w>)| {
            let (host, port, protocol) = parts(item)?;
            let value = Place { protocol, address: address(host)?, port: port?.parse().ok()? };
            Some(Told { value, span: Some(word.span), widened: None })
        };
        let told: Option<Vec<_>> = items.iter().map(told).collect();
        self.said.places = told.unwrap_or_default();
    }

    /// One place, which moves the main one. A bare number is a port, a bare address an address.
    fn place(&mut self, item: &str, word: Word<'_>) {
        let Some((host, port, _)) = parts(item) else {
            (self.address, self.port) = (true, true);
            return;
        };
        if let Some(port) = port {
            self.port = true;
            self.said.port = port.parse().ok().map(|value| Told { value, span: Some(word.span), widened: None });
        }
        if port.is_none() || item != port.unwrap_or_default() {
            self.address = true;
            let widened = widened(word, host);
            self.said.address = address(host).map(|value| Told { value, span: Some(word.span), widened });
        }
    }

    fn add(&mut self, option: &Opt, value: Option<Word<'_>>) {
        let span = value.map(|word| word.span);
        let text = value.map_or("true", |word| word.text);
        let place = match option.switches_on {
            Some(port) => (text != "false").then_some(Place { protocol: Protocol::Tcp, address: None, port }),
            None => parts(text).and_then(|(host, port, protocol)| {
                Some(Place { protocol, address: address(host)?, port: port?.parse().ok()? })
            }),
        };
        self.said.more.extend(place.map(|value| Told { value, span, widened: None }));
    }

    /// A variable counts where no option says anything.
    fn variables(&mut self, program: &Program, environment: &[(String, Spanned<String>)]) {
        for variable in &program.variables {
            let Some((_, value)) = environment.iter().find(|(name, _)| name == variable.name) else { continue };
            let word = Word { text: value.value.trim(), whole: value, span: value.span };
            let is_free = match variable.says {
                Says::Address => !self.address,
                Says::Port => !self.port,
                Says::Both | Says::Everywhere => !self.address && !self.port,
            };
            if variable.adds {
                let option = Opt { name: "", says: variable.says, adds: true, switches_on: None, bare: false };
                self.add(&option, Some(word));
            } else if is_free && !word.text.is_empty() {
                self.tell(variable.says, false, Some(word));
            }
        }
    }

    fn defaults(&mut self, program: &Program, command: &[Spanned<String>]) {
        if !self.address {
            let widened = appended(program, command);
            self.said.address = program.address.map(|value| Told { value, span: None, widened });
        }
        if !self.port {
            self.said.port = program.port.map(|value| Told { value, span: None, widened: None });
        }
    }
}

/// An option behind a command line that makes its program listen on all addresses. The words of a command that is written
/// as a list do not stand side by side.
fn appended(program: &Program, command: &[Spanned<String>]) -> Option<Spanned<String>> {
    let of_address = || program.options.iter().filter(|o| o.says == Says::Address && !o.adds && !o.bare);
    let option = of_address().find(|o| o.name.starts_with("--")).or_else(|| of_address().next())?;
    let [.., before, last] = command else { return None };
    let is_line = before.span.source == last.span.source && before.span.end + 1 == last.span.start;
    is_line.then(|| Spanned::new(format!(" {} 0.0.0.0", option.name), last.span.after()))
}

/// Host, port and protocol of a place to listen: `tcp://0.0.0.0:80/`, `:8443/udp`, `8000`.
fn parts(item: &str) -> Option<(&str, Option<&str>, Protocol)> {
    let bare = item.split_once("://").map_or(item, |(_, rest)| rest);
    let (bare, suffix) = bare.split_once('/').unwrap_or((bare, ""));
    let protocol = if suffix == "udp" { Protocol::Udp } else { Protocol::Tcp };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(bare) {
        return Some(("", Some(bare), protocol));
    }
    match bare.rsplit_once(':') {
        Some((host, port)) if is_number(port) => Some((host, Some(port), protocol)),
        Some(_) if !bare.ends_with(']') => None,
        _ => (!bare.is_empty()).then_some((bare, None, protocol)),
    }
}

fn widened(word: Word<'_>, host: &str) -> Option<Spanned<String>> {
    let is_alone = !word.whole.value.contains(char::is_whitespace) && !host.is_empty();
    let text = word.whole.value.replacen(host, "0.0.0.0", 1);
    is_alone.then(|| Spanned::new(text, word.span))
}

/// The values of an option, in the forms `--port 1` and `--port=1`.
fn values<'o, 'w>(option: &'o Opt, words: &[Word<'w>]) -> Vec<(&'o Opt, Option<Word<'w>>)> {
    let is_value = |word: &&Word<'w>| !word.text.starts_with('-');
    let found = words.iter().enumerate().filter_map(|(at, word)| {
        if is_named(word.text, option.name) {
            let next = words.get(at + 1).filter(is_value).copied().filter(|_| option.switches_on.is_none());
            let next = next.map(|next| if is_list(words.get(at + 2)) { Word { text: SEVERAL, ..next } } else { next });
            let is_positional = !option.name.starts_with('-');
            return (next.is_some() || !is_positional).then_some((option, next));
        }
        let (name, value) = word.text.split_once('=')?;
        is_named(name, option.name).then_some((option, Some(Word { text: value, ..*word })))
    });
    found.collect()
}

/// Stands for several addresses behind one option, which is understood by nobody here.
const SEVERAL: &str = "(several)";

/// `--bind 127.0.0.1 ::1`
fn is_list(second: Option<&Word<'_>>) -> bool {
    second.is_some_and(|word| word.text.parse::<IpAddr>().is_ok())
}

/// Whether a word is an option; `*` in its name stands for a name that the user gives.
fn is_named(word: &str, option: &str) -> bool {
    match option.split_once('*') {
        Some((start, end)) => start.len() + end.len() < word.len() && word.starts_with(start) && word.ends_with(end),
        None => word == option,
    }
}

/// An address to listen on; `Some(None)` means all addresses.
fn address(text: &str) -> Option<Option<IpAddr>> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare {
        "" | "*" | "+" | "0" => Some(None),
        "localhost" => Some(Some(IpAddr::V4(Ipv4Addr::LOCALHOST))),
        _ => bare.parse::<IpAddr>().ok().map(|a| (!a.is_unspecified()).then_some(a)),
    }
}

#[cfg(test)]
mod tests;
