//! Listening addresses that hide in a container's command line.

use std::net::{IpAddr, Ipv4Addr};

use crate::source::{Span, Spanned};

/// What a command line says about where its program listens.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Said {
    /// The server program that was recognized.
    pub(super) program: Option<&'static str>,
    /// The address; inside, nothing means all addresses.
    pub(super) address: Option<(Option<IpAddr>, Span)>,
    /// The port.
    pub(super) port: Option<(u16, Span)>,
    /// The word that says the address, as it would say all addresses. Nothing when it is part of a longer string.
    pub(super) widened: Option<Spanned<String>>,
}

/// A server program and how its options are called.
struct Server {
    program: &'static str,
    address: &'static [&'static str],
    port: &'static [&'static str],
    both: &'static [&'static str],
}

/// The program's own `--help` is the source of each row.
const SERVERS: &[Server] = &[
    Server { program: "uvicorn", address: &["--host"], port: &["--port"], both: &[] },
    Server { program: "gunicorn", address: &[], port: &[], both: &["-b", "--bind"] },
    Server { program: "hypercorn", address: &[], port: &[], both: &["-b", "--bind"] },
    Server { program: "flask", address: &["-h", "--host"], port: &["-p", "--port"], both: &[] },
    Server { program: "vite", address: &["--host"], port: &["--port"], both: &[] },
    Server { program: "next", address: &["-H", "--hostname"], port: &["-p", "--port"], both: &[] },
    Server { program: "rails", address: &["-b", "--binding"], port: &["-p", "--port"], both: &[] },
    Server { program: "streamlit", address: &["--server.address"], port: &["--server.port"], both: &[] },
    Server { program: "http.server", address: &["-b", "--bind"], port: &[], both: &[] },
    Server { program: "manage.py", address: &[], port: &[], both: &["runserver"] },
    Server { program: "php", address: &[], port: &[], both: &["-S"] },
];

/// Options of servers whose image is known, where the command is often only options. Sources: the command line help of
/// Prometheus and its exporters, InfluxDB, MySQL, Redis and MongoDB.
const KNOWN_IMAGE: Server = Server {
    program: "the image's program",
    address: &["--host", "--bind", "--bind-address", "--bind_ip", "--http.address", "--server.address"],
    port: &["--port", "--server.port", "--http.port"],
    both: &["--web.listen-address", "--listen-address"],
};

/// Reads the listening address and port; what is said twice or in an unknown form counts as not said.
pub(super) fn read(command: &[Spanned<String>], image_is_known: bool) -> Said {
    let words: Vec<Word<'_>> = command
        .iter()
        .flat_map(|word| word.value.split_whitespace().map(move |text| Word { text, whole: word, span: word.span }))
        .collect();
    let is_program = |word: &str, name: &str| word == name || word.rsplit('/').next() == Some(name);
    let server = SERVERS.iter().find(|s| words.iter().any(|word| is_program(word.text, s.program)));
    match server.or(image_is_known.then_some(&KNOWN_IMAGE)) {
        Some(server) => options(server, &words),
        None => Said::default(),
    }
}

/// A word of a command line, or a part of one, like the command behind `sh -c`.
#[derive(Clone, Copy)]
struct Word<'w> {
    text: &'w str,
    whole: &'w Spanned<String>,
    span: Span,
}

fn options(server: &Server, words: &[Word<'_>]) -> Said {
    let mut said = Said { program: Some(server.program), ..Said::default() };
    if let Some(word) = value(server.address, words) {
        said.address = address(word.text).map(|a| (a, word.span));
        said.widened = widened(word, word.text);
    }
    if let Some(word) = value(server.port, words) {
        said.port = word.text.parse().ok().map(|port| (port, word.span));
    }
    if let Some(word) = value(server.both, words)
        && let Some((host, port)) = word.text.rsplit_once(':')
    {
        said.address = address(host).map(|a| (a, word.span));
        said.port = port.parse().ok().map(|port| (port, word.span));
        said.widened = widened(word, host);
    }
    said
}

fn widened(word: Word<'_>, host: &str) -> Option<Spanned<String>> {
    let is_alone = !word.whole.value.contains(char::is_whitespace) && !host.is_empty();
    let text = word.whole.value.replacen(host, "0.0.0.0", 1);
    is_alone.then(|| Spanned::new(text, word.span))
}

/// The value of the first option of that name, in the forms `--port 1` and `--port=1`; nothing if it comes twice.
fn value<'w>(names: &[&str], words: &[Word<'w>]) -> Option<Word<'w>> {
    let mut values = words.iter().enumerate().filter_map(|(at, word)| {
        if names.contains(&word.text) {
            return words.get(at + 1).copied();
        }
        let (name, value) = word.text.split_once('=')?;
        names.contains(&name).then_some(Word { text: value, ..*word })
    });
    let first = values.next()?;
    values.next().is_none().then_some(first)
}

/// An address to listen on; `Some(None)` means all addresses.
fn address(text: &str) -> Option<Option<IpAddr>> {
    let bare = text.trim_start_matches('[').trim_end_matches(']');
    match bare {
        "" | "*" => Some(None),
        "localhost" => Some(Some(IpAddr::V4(Ipv4Addr::LOCALHOST))),
        _ => bare.parse::<IpAddr>().ok().map(|a| (!a.is_unspecified()).then_some(a)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::url_host;
    use crate::source::Sources;

    #[test]
    fn addresses_hidden_in_commands_are_found() {
        let span = Span::new(Sources::default().add("a", ""), 0, 0);
        let check = |command: &str, known: bool, expected: &str| {
            let words: Vec<_> = command.split(' ').map(|w| Spanned::new(w.to_owned(), span)).collect();
            let said = read(&words, known);
            let address = said.address.map_or("-".to_owned(), |(a, _)| a.map_or("all".to_owned(), url_host));
            let port = said.port.map_or("-".to_owned(), |(p, _)| p.to_string());
            assert_eq!(format!("{address} {port}"), expected, "{command}");
        };
        check("--web.listen-address=127.0.0.1:9090", true, "127.0.0.1 9090");
        check("--web.listen-address=:9091", true, "all 9091");
        check("--web.listen-address=[::1]:9091", true, "[::1] 9091");
        check("--config.file=/etc/p.yml", true, "- -");
        check("mysqld --bind-address=127.0.0.1", true, "127.0.0.1 -");
        check("uvicorn app:app --host 0.0.0.0 --port 8000", false, "all 8000");
        check("sh -c uvicorn app:app --port 80", false, "- 80");
        check("gunicorn -b localhost:5000 app", false, "127.0.0.1 5000");
        check("python manage.py runserver 0.0.0.0:8000", false, "all 8000");
        check("psql --host db --port 5432", false, "- -");
        check("uvicorn --port 1 --port 2", false, "- -");
    }
}
