//! Lessons: pages of prose, in every language, in which connections are followed through a lab when they are read.
//!
//! Pages and labs are part of the program, so that a lesson needs no file. What a page says about a lab stands in blocks
//! that are run: ```` ```canreach trace LAB --from HOST --to ADDRESS --port N ```` shows a connection step by step, and a
//! ```` ```canreach check LAB ```` block holds sentences with the verdict that a test expects behind `=>`. What stands
//! under the last heading is the answer to the question above it.

mod labs;

pub use labs::{Lab, lab};

use std::net::IpAddr;

use crate::language::Language;

macro_rules! topics {
    ($($variant:ident $name:literal;)*) => {
        /// What a lesson is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Topic { $(#[doc = concat!("`", $name, "`")] $variant,)* }

        impl Topic {
            /// Every lesson, in the order in which they are best read.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word by which it is asked for.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The page, in Markdown.
            pub fn page(self, language: Language) -> &'static str {
                match language {
                    Language::English => match self {
                        $(Self::$variant => include_str!(concat!("../lessons/en/", $name, ".md")),)*
                    },
                    Language::Korean => match self {
                        $(Self::$variant => include_str!(concat!("../lessons/ko/", $name, ".md")),)*
                    },
                }
            }
        }
    };
}

topics! {
    NatInbound "nat";
    Attachments "adapters";
    Localhost "localhost";
    Addresses "addresses";
    Publishing "publish";
    Ports "ports";
    Names "names";
    Firewalld "firewalld";
    Conntrack "conntrack";
}

impl Topic {
    /// The title of the page.
    pub fn title(self, language: Language) -> &'static str {
        self.page(language).lines().next().unwrap_or("").trim_start_matches("# ")
    }

    /// The lesson up to its question, and the answer.
    pub fn parts(self, language: Language) -> (&'static str, &'static str) {
        let page = self.page(language);
        page.rfind("\n## ").and_then(|at| page.split_at_checked(at + 1)).unwrap_or((page, ""))
    }
}

/// A piece of a page.
#[derive(Clone, Debug, PartialEq)]
pub enum Piece<'a> {
    /// Markdown that is printed as it stands.
    Prose(&'a str),
    /// A connection to be followed.
    Trace(Attempt<'a>),
    /// Sentences to be decided.
    Check {
        /// The lab.
        lab: &'a str,
        /// Each sentence with the verdict that is expected.
        sentences: Vec<(&'a str, &'a str)>,
    },
}

/// A connection of a lesson.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Attempt<'a> {
    /// The lab.
    pub lab: &'a str,
    /// The node that dials.
    pub from: &'a str,
    /// The dialled address.
    pub to: IpAddr,
    /// The dialled port, of TCP.
    pub port: u16,
}

/// Takes a text of a page apart; a block that is none of ours is prose.
pub fn pieces(text: &str) -> Vec<Piece<'_>> {
    const FENCE: &str = "```canreach ";
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find(FENCE) {
        let Some((prose, block)) = rest.split_at_checked(start) else { break };
        let Some((first, behind)) = block.split_once('\n') else { break };
        let Some((body, after)) = behind.split_once("```\n").or_else(|| behind.split_once("```")) else { break };
        let Some(piece) = block_piece(first.trim_start_matches(FENCE), body) else { break };
        found.push(Piece::Prose(prose));
        found.push(piece);
        rest = after;
    }
    found.push(Piece::Prose(rest));
    found
}

fn block_piece<'a>(command: &'a str, body: &'a str) -> Option<Piece<'a>> {
    let words: Vec<&str> = command.split_whitespace().collect();
    match words.as_slice() {
        ["check", lab] => {
            let sentence = |line: &'a str| line.split_once("=>").map(|(said, is)| (said.trim(), is.trim()));
            Some(Piece::Check { lab, sentences: body.lines().filter_map(sentence).collect() })
        }
        ["trace", lab, "--from", from, "--to", to, "--port", port] => {
            let attempt = Attempt { lab, from, to: to.parse().ok()?, port: port.parse().ok()? };
            Some(Piece::Trace(attempt))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_is_prose_and_blocks() {
        let page = "one\n```canreach trace l --from mac --to 10.0.2.15 --port 80\n```\ntwo\n\
                    ```canreach check l\na can reach b:1 => holds\n```\n```sh\nthree\n```\n";
        let expected = [
            Piece::Prose("one\n"),
            Piece::Trace(Attempt { lab: "l", from: "mac", to: "10.0.2.15".parse().unwrap(), port: 80 }),
            Piece::Prose("two\n"),
            Piece::Check { lab: "l", sentences: vec![("a can reach b:1", "holds")] },
            Piece::Prose("```sh\nthree\n```\n"),
        ];
        assert_eq!(pieces(page), expected);
    }

    #[test]
    fn lessons_are_the_same_in_every_language() {
        for topic in Topic::ALL {
            let blocks = |language| -> Vec<_> {
                let (lesson, answer) = topic.parts(language);
                let all = [lesson, answer].map(pieces).concat();
                all.into_iter().filter(|piece| !matches!(piece, Piece::Prose(_))).collect()
            };
            let shown = blocks(Language::English);
            assert_eq!(shown, blocks(Language::Korean), "{}", topic.name());
            assert!(shown.iter().any(|piece| matches!(piece, Piece::Trace(_))), "{} follows nothing", topic.name());
            for language in Language::ALL {
                let page = topic.page(language);
                let (lesson, answer) = topic.parts(language);
                assert!(page.starts_with("# ") && answer.starts_with("## "), "{}", topic.name());
                let unread = page.matches("```canreach ").count();
                assert_eq!(unread, shown.len(), "a block of {} cannot be read", topic.name());
                assert!(lesson.contains(&format!("canreach teach {} --copy", topic.name())), "{}", topic.name());
            }
        }
    }
}
