//! Sentences and what is read from them, with the complaints about those that cannot be.

use proptest::prelude::*;

use super::*;
use crate::property::Who;
use crate::source::Sources;

fn read(sentence: &str) -> (Parsed<Sentence>, Sources) {
    let mut sources = Sources::default();
    let before = "# 문장\n- ";
    let id = sources.add("lab.yaml", &format!("{before}{sentence}\n"));
    let span = Span::new(id, before.len(), before.len() + sentence.len());
    (parse(&Spanned::new(sentence.to_owned(), span)), sources)
}

fn understood(sentence: &str) -> Sentence {
    read(sentence).0.unwrap_or_else(|d| panic!("{sentence}: {}", d.message))
}

fn names(all: &[Who]) -> String {
    let name = |who: &Who| match who {
        Who::Named(name) => name.value.clone(),
        Who::Addresses(net) => format!("<{}>", net.value),
        Who::Anyone(_) => "<anyone>".to_owned(),
        Who::Lan(_) => "<lan>".to_owned(),
        Who::Internet(_) => "<internet>".to_owned(),
        Who::AnyContainer(_) => "<any container>".to_owned(),
        Who::AnyHost(_) => "<any host>".to_owned(),
        Who::Network(name) => format!("<network {}>", name.value),
    };
    all.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The sentence's parts in a fixed notation: who, can, verb, symptom.
fn parts(sentence: &Sentence) -> String {
    let only = if sentence.only.is_some() { "only " } else { "" };
    let of = names(&sentence.subject.of);
    let except = if sentence.subject.except.is_empty() { "" } else { " except " };
    let who = format!("{only}{of}{except}{}", names(&sentence.subject.except));
    let verb = match &sentence.verb {
        Verb::Reach { target, at, protocol, by_name } => {
            let ports = target.ports.as_ref().map_or(String::new(), |p| format!(" port {}", p.value));
            let at = at.as_ref().map_or(String::new(), |u| format!(" at {} {}", u.value.host, u.value.port));
            format!("{:?}{ports}{at} {protocol}{}", target.place.value, if *by_name { " by name" } else { "" })
        }
        Verb::Ping(place) => format!("ping {:?}", place.value),
        Verb::Resolve(name) => format!("resolve {}", name.value),
    };
    let symptom = sentence.symptom.as_ref().map_or(String::new(), |s| format!(" | {:?}", s.value));
    let cause = sentence.cause.as_ref().map_or(String::new(), |c| format!(" | {:?}", c.value));
    format!("{who} | {} | {verb}{symptom}{cause}", if sentence.can { "can" } else { "cannot" })
}

#[test]
fn sentences_of_the_grammar() {
    let check = |sentence, expected| assert_eq!(parts(&understood(sentence)), expected);
    check("mac/browser can reach grafana:3000", r#"mac/browser | can | Named("grafana") port 3000 tcp"#);
    check("lan cannot reach mysql:3306", r#"<lan> | cannot | Named("mysql") port 3306 tcp"#);
    check("mac can reach any database", "mac | can | Every(Databases) tcp");
    check("mac can reach any host:22-23", "mac | can | Every(Hosts) port 22-23 tcp");
    check("mac can ping any container", "mac | can | ping Every(Containers)");
    check("any container cannot reach rocky:22", r#"<any container> | cannot | Named("rocky") port 22 tcp"#);
    check("any host can ping rocky", r#"<any host> | can | ping Named("rocky")"#);
    check("network backend cannot reach internet", "<network backend> | cannot | Internet tcp");
    check("network can reach web", r#"network | can | Named("web") tcp"#);
    check("grafana can resolve mysql", "grafana | can | resolve mysql");
    check("internet cannot reach 192.168.1.101:22", "<internet> | cannot | Address(192.168.1.101) port 22 tcp");
    check("mac can reach [::1]:80", "mac | can | Address(::1) port 80 tcp");
    check("mac can reach ::1", "mac | can | Address(::1) tcp");
    check("  mac   can reach\tdns:53 over udp by name ", r#"mac | can | Named("dns") port 53 udp by name"#);
    check("mac cannot reach web:8000-8010 with refused", r#"mac | cannot | Named("web") port 8000-8010 tcp | Refused"#);
    check("mac cannot reach web:80 over udp with no-route", r#"mac | cannot | Named("web") port 80 udp | NoRoute"#);
    check("맥 can reach 그라파나:3000", r#"맥 | can | Named("그라파나") port 3000 tcp"#);
    check("only mac can reach web:80", r#"only mac | can | Named("web") port 80 tcp"#);
    check("only can reach web:80", r#"only | can | Named("web") port 80 tcp"#);
    check("only mac,lan , network a can ping w", r#"only mac, <lan>, <network a> | can | ping Named("w")"#);
    check(
        "any host except mac, 10.1.0.0/16 can ping w",
        r#"<any host> except mac, <10.1.0.0/16> | can | ping Named("w")"#,
    );
    check("192.168.1.50 can ping w", r#"<192.168.1.50/32> | can | ping Named("w")"#);
    check("anyone cannot resolve w", "<anyone> | cannot | resolve w");
    check("a cannot ping w because nat::no_inbound", r#"a | cannot | ping Named("w") | Codes([NatNoInbound])"#);
    check(
        "a cannot ping w with timeout because b/c.yaml:3",
        r#"a | cannot | ping Named("w") | Timeout | File { name: "b/c.yaml", line: Some(3) }"#,
    );
}

#[test]
fn urls_know_their_port() {
    let check = |url, host, port| {
        let sentence = understood(&format!("mac can reach grafana:3000 at {url}"));
        let Verb::Reach { at: Some(at), .. } = sentence.verb else { panic!("no url") };
        assert_eq!((at.value.host.as_str(), at.value.port, at.value.text.as_str()), (host, port, url));
    };
    check("http://localhost:3000", "localhost", 3000);
    check("http://localhost:3000/d/1?x=a:b", "localhost", 3000);
    check("http://grafana", "grafana", 80);
    check("https://[fe80::1]/", "fe80::1", 443);
    check("ssh://root@192.168.1.101", "192.168.1.101", 22);
    check("127.0.0.1:8080", "127.0.0.1", 8080);
    check("127.0.0.1", "127.0.0.1", 3000);
    check("::1", "::1", 3000);
}

#[test]
fn a_word_outside_the_grammar_is_pointed_at() {
    let check = |sentence, word: &str, message, help: &str| {
        let (result, sources) = read(sentence);
        let Err(diagnostic) = result else { panic!("`{sentence}` was understood") };
        let span = diagnostic.labels[0].span;
        assert_eq!((sources.text(span), diagnostic.message.as_str()), (word, message), "{sentence}");
        assert!(diagnostic.help.as_deref().unwrap_or("").contains(help), "{sentence}: {:?}", diagnostic.help);
    };
    check("mac cann reach web:80", "cann", "expected `can` or `cannot`, found `cann`", "did you mean `can`?");
    check("맥 canot reach web:80", "canot", "expected `can` or `cannot`, found `canot`", "did you mean `cannot`?");
    check(
        "mac can reech web",
        "reech",
        "expected `reach`, `ping` or `resolve`, found `reech`",
        "did you mean `reach`?",
    );
    check("mac can not reach web", "not", "expected a verb, found `not`", "write `cannot`");
    check("mac can't reach web", "can't", "expected `can` or `cannot`, found `can't`", "write `cannot`");
    check("mac can reach", "", "expected what is reached, like `grafana:3000`", "");
    check("can reach web:80", "can", "expected who, before `can` or `cannot`, found `can`", "");
    check(
        "",
        "",
        "expected who: a host, a container, `lan`, `internet`, `anyone`, `any container`, `network NAME`",
        "",
    );
    check("mac can reach web:http", "http", "`http` is not a port", "");
    check("mac can reach web:0", "0", "`0` is not a port", "");
    check("mac can reach web:90-80", "90-80", "`90-80` is not a port", "");
    check("mac can reach ::1:80x:", "", "`` is not a port", "");
    check("mac can reach web:80 over icmp", "icmp", "expected `tcp` or `udp`, found `icmp`", "can ping");
    check("mac can reach web:80 over tcp over udp", "over", "`over` stands twice in the sentence", "leave one out");
    check("mac can ping web:80", "80", "a ping has no port", "leave the port out");
    check("web:80 can reach db:1", ":80", "`web` dials, so it has no port here", "write `web`");
    check("mac can reach web:80 with refused", "with refused", "what can be reached does not end with `refused`", "");
    check(
        "mac cannot reach web:80 with refusd",
        "refusd",
        "expected `timeout`, `refused`, `reset`, `no-route`, `unreachable` or `unresolved`, found `refusd`",
        "did you mean `refused`?",
    );
    check("mac can reach w:80 at htp://w", "htp", "the default port of `htp` is not known", "did you mean `http`?");
    check("mac can reach w at localhost", "", "`localhost` has no port", "");
    check("any contaner can ping w", "contaner", "expected `container` or `host` after `any`, found `contaner`", "did");
    check("only mac cannot reach web:80", "cannot", "expected `can` after `only`, found `cannot`", "without `only`");
    check("mac, can reach web:80", "can", "expected who, before `can` or `cannot`, found `can`", "");
    check("lan except can ping web", "can", "expected who, before `can` or `cannot`, found `can`", "");
    check("mac can reach w because nat", "because nat", "nothing stops what can be reached", "`cannot`");
    check(
        "lan cannot reach web:80 because nta",
        "nta",
        "expected what stops it: `nat`, `docker`, `firewall`, `route`, `listen`, a code, or a file, found `nta`",
        "did you mean `nat`?",
    );
    check("mac can ping web now", "now", "expected the end of the sentence, found `now`", "");
}

#[test]
fn a_sentence_that_the_file_spells_differently_is_pointed_at_whole() {
    let mut sources = Sources::default();
    let id = sources.add("lab.yaml", r#""mac \x63ann reach web""#);
    let span = Span::new(id, 0, 23);
    let diagnostic = parse(&Spanned::new("mac cann reach web".to_owned(), span)).unwrap_err();
    assert_eq!(diagnostic.labels[0].span, span);
}

proptest! {
    #[test]
    fn never_panics(words in proptest::collection::vec(
        prop_oneof![
            "mac|can|cannot|reach|ping|at|over|by|with|any|network|only|except|because|,|nat|tcp|web:80|http://a:1/",
            "[\\[\\]:/@?#a-z0-9가-힣.-]{0,12}",
            "\\PC{0,6}",
        ], 0..9)
    ) {
        let (result, sources) = read(&words.join(" "));
        if let Err(diagnostic) = result {
            for label in &diagnostic.labels {
                let text = &sources.get(label.span.source).text;
                prop_assert!(text.get(label.span.start..label.span.end).is_some());
            }
        }
    }
}

#[test]
fn a_kind_of_target_is_one_of_three() {
    let (result, _) = read("mac can reach any databse");
    let diagnostic = result.unwrap_err();
    assert_eq!(diagnostic.message.as_str(), "expected `container`, `host` or `database` after `any`, found `databse`");
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `database`?"));
}
