//! `daemon.json`: the engine's options in a file. JSON is YAML, whose reader knows places.

use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::frontend::engine_options;
use crate::frontend::yaml::{self, Entry, Node, Resolved, Style, Value, Walk};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, EngineDecl};
use crate::language::{Text, text};
use crate::source::{SourceId, Span, Spanned};

/// Options that change packets or addresses and have no model.
const UNMODELED: &[&str] = &[
    "bridge",
    "bridge-accept-fwmark",
    "default-gateway",
    "default-gateway-v6",
    "default-network-opts",
    "fixed-cidr",
    "fixed-cidr-v6",
    "host-gateway-ips",
    "ipv6",
    "userland-proxy-path",
];

/// What the value of an option has to be.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Switch,
    Whole,
    Text,
    Texts,
    Map,
    /// Several forms, or one that is checked where it is read.
    Any,
}

/// Every option of dockerd 20.10 to 29 (docs.docker.com, dockerd, "Daemon configuration file"), by the kind of its value,
/// as `dockerd --validate` of 28.5.2 asks for it.
#[rustfmt::skip]
const OPTIONS: &[(Kind, &[&str])] = &[
    (Kind::Switch, &[
        "allow-direct-routing", "debug", "experimental", "icc", "init", "ip-forward", "ip-forward-no-drop", "ip-masq",
        "ip6tables", "iptables", "ipv6", "live-restore", "no-new-privileges", "raw-logs", "selinux-enabled", "tls",
        "tlsverify", "userland-proxy",
    ]),
    (Kind::Whole, &[
        "cpu-rt-period", "cpu-rt-runtime", "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts",
        "mtu", "network-control-plane-mtu", "oom-score-adjust", "shutdown-timeout",
    ]),
    (Kind::Text, &[
        "api-cors-header", "bip", "bridge", "bridge-accept-fwmark", "cgroup-parent", "cluster-advertise", "cluster-store",
        "containerd", "containerd-namespace", "containerd-plugin-namespace", "containerd-plugins-namespace", "data-root",
        "default-cgroupns-mode", "default-gateway", "default-gateway-v6", "default-ipc-mode", "default-runtime",
        "deprecated-key-path", "exec-root", "firewall-backend", "fixed-cidr", "fixed-cidr-v6", "graph", "group",
        "host-gateway-ip", "http-proxy", "https-proxy", "init-path", "ip", "log-driver", "log-format", "log-level",
        "metrics-addr", "min-api-version", "no-proxy", "pidfile", "seccomp-profile", "storage-driver",
        "swarm-default-advertise-addr", "tlscacert", "tlscert", "tlskey", "userland-proxy-path", "userns-remap",
    ]),
    (Kind::Texts, &[
        "allow-nondistributable-artifacts", "authorization-plugins", "cdi-spec-dirs", "dns", "dns-opts", "dns-search",
        "exec-opts", "host-gateway-ips", "hosts", "insecure-registries", "labels", "node-generic-resources",
        "registry-mirrors", "storage-opts",
    ]),
    (Kind::Map, &[
        "builder", "cluster-store-opts", "default-network-opts", "default-ulimits", "features", "log-opts", "proxies",
        "runtimes",
    ]),
    (Kind::Any, &["default-address-pools", "default-shm-size"]),
];

/// Reads the file.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    // JSON allows tabs where YAML does not.
    let document = yaml::parse(source, &text.replace('\t', " "));
    let mut walk = Walk { diagnostics: document.diagnostics };
    // dockerd takes the last of several.
    for diagnostic in walk.diagnostics.iter_mut().filter(|d| d.code == Code::YamlDuplicateKey) {
        diagnostic.severity = Severity::Warning;
    }
    let Some(root) = document.value else { return Declarations { value: Vec::new(), diagnostics: walk.diagnostics } };
    walk.diagnostics.extend(no_json(source, text));
    let mut engine = EngineDecl { span: Some(root.span), ..EngineDecl::default() };
    let mut value = Vec::new();
    for Entry { key, value: option, .. } in walk.map(&root, "`daemon.json`") {
        let name = key.value.as_str();
        let Some(kind) = kind(name) else {
            walk.report(unknown(key));
            continue;
        };
        let is_nothing = option.is_null() || matches!(&option.value, Value::Scalar(text) if text.is_empty());
        if let Some(expected) = wrong(kind, option).filter(|_| !option.is_null()) {
            walk.report(not_of_kind(key, option, &expected));
        } else if UNMODELED.contains(&name) {
            value.extend(unmodeled(key, option));
        } else if !is_nothing {
            engine_options::read(&mut walk, &mut engine, name, option);
        }
    }
    value.push(Declaration::Engine(engine));
    Declarations { value, diagnostics: walk.diagnostics }
}

fn kind(name: &str) -> Option<Kind> {
    OPTIONS.iter().find(|(_, names)| names.contains(&name)).map(|(kind, _)| *kind)
}

/// What a value should be, if it is not that.
fn wrong(kind: Kind, node: &Node) -> Option<Text> {
    let is_text = |node: &Node| matches!(node.value, Value::Scalar(_)) && node.style == Style::Quoted;
    let (is_right, expected) = match kind {
        Kind::Switch => (matches!(node.resolve(), Some(Resolved::Bool(_))), text!("true or false", "true/false")),
        Kind::Whole => (matches!(node.resolve(), Some(Resolved::Int(_))), text!("a whole number", "정수")),
        Kind::Text => (is_text(node), text!("a text", "문자열")),
        Kind::Texts => (
            matches!(&node.value, Value::Sequence(items) if items.iter().all(is_text)),
            text!("a list of texts", "문자열 목록"),
        ),
        Kind::Map => (matches!(node.value, Value::Mapping(_)), text!("a map", "맵")),
        Kind::Any => (true, Text::default()),
    };
    (!is_right).then_some(expected)
}

/// What YAML allows and JSON does not: comments, commas before a closing bracket, other quotes, words without quotes.
fn no_json(source: SourceId, text: &str) -> Option<Diagnostic> {
    let said = |at: usize, len: usize, what: Text| {
        let message = text!("not valid JSON: {what}", "올바른 JSON이 아닙니다: {what}"; what);
        Some(Diagnostic::new(Code::YamlSyntax, message).label(Span::new(source, at, at + len), no_start()))
    };
    let mut comma: Option<usize> = None;
    let mut chars = text.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => {
                while let Some((_, inside)) = chars.next().filter(|(_, c)| *c != '"') {
                    if inside == '\\' {
                        chars.next();
                    }
                }
            }
            '}' | ']' if comma.is_some() => {
                return said(comma.unwrap_or(at), 1, text!("a comma behind the last entry", "마지막 항목 뒤의 쉼표"));
            }
            '#' | '/' => return said(at, c.len_utf8(), text!("a comment", "주석")),
            '\'' => return said(at, 1, in_quotes()),
            c if c.is_alphabetic() => {
                let mut end = at + c.len_utf8();
                while let Some((next, c)) = chars.next_if(|(_, c)| c.is_alphanumeric() || matches!(c, '-' | '_')) {
                    end = next + c.len_utf8();
                }
                if !text.get(at..end).is_some_and(|word| ["true", "false", "null"].contains(&word)) {
                    return said(at, end - at, in_quotes());
                }
            }
            _ => {}
        }
        if !c.is_whitespace() {
            comma = (c == ',').then_some(at);
        }
    }
    None
}

/// What is switched off or empty changes nothing.
fn unmodeled(key: &Spanned<String>, option: &Node) -> Option<Declaration> {
    let is_off = match &option.value {
        Value::Scalar(text) => text.is_empty() || option.resolve() == Some(Resolved::Bool(false)),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(entries) => entries.is_empty(),
    };
    let what = || text!("`{key}` in daemon.json", "daemon.json의 `{key}`", key = &key.value);
    (!is_off).then(|| Declaration::Unmodeled(Spanned::new(what(), key.span.to(option.span))))
}

fn in_quotes() -> Text {
    text!("texts stand in double quotes", "문자열은 큰따옴표 안에 씁니다")
}

fn no_start() -> Text {
    text!("dockerd refuses to start", "dockerd가 시작하지 않음")
}

fn unknown(key: &Spanned<String>) -> Diagnostic {
    let known = OPTIONS.iter().flat_map(|(_, names)| *names).copied();
    let message = text!("dockerd has no option `{name}`", "dockerd에는 `{name}` 옵션이 없습니다", name = &key.value);
    let diagnostic = Diagnostic::new(Code::UnknownKey, message).label(key.span, no_start());
    let diagnostic = match did_you_mean(&key.value, known) {
        Some(near) => diagnostic.help(text!("did you mean `{near}`?", "혹시 `{near}`?")),
        None => diagnostic,
    };
    Diagnostic { severity: Severity::Error, ..diagnostic }
}

fn not_of_kind(key: &Spanned<String>, option: &Node, expected: &Text) -> Diagnostic {
    let name = &key.value;
    let message = text!("`{name}` must be {expected}", "`{name}`에는 {expected}만 쓸 수 있습니다"; expected);
    let diagnostic = Diagnostic::new(Code::YamlType, message).label(option.span, no_start());
    match expected.as_str() {
        "true or false" | "a whole number" => diagnostic.help(text!("write it without quotes", "따옴표 없이 쓰십시오")),
        "a list of texts" => {
            diagnostic.help(text!("write it in brackets: `[\"…\"]`", "대괄호 안에 쓰십시오: `[\"…\"]`"))
        }
        _ => diagnostic,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::declaration::AddressPool;
    use crate::source::Sources;

    fn read(text: &str) -> (EngineDecl, Vec<String>) {
        let mut sources = Sources::default();
        let source = sources.add("daemon.json", text);
        let read = parse(source, text);
        let mut said: Vec<String> = read
            .diagnostics
            .iter()
            .map(|d| format!("{} <{}> {}", d.message, sources.text(d.labels[0].span), d.help.as_deref().unwrap_or("")))
            .collect();
        let mut engine = EngineDecl::default();
        for declaration in read.value {
            match declaration {
                Declaration::Engine(read) => engine = read,
                Declaration::Unmodeled(what) => {
                    said.push(format!("unmodeled {} <{}>", what.value, sources.text(what.span)))
                }
                _ => {}
            }
        }
        (engine, said)
    }

    #[test]
    fn options_keep_their_places() {
        let text = "{\n\t\"iptables\": false,\n\t\"bip\": \"10.1.0.1/24\", \"hosts\": [\"fd://\"], \"ipv6\": false,\n\t\"default-address-pools\": [{\"base\": \"10.10.0.0/16\", \"size\": 24}]\n}\n";
        let (engine, said) = read(text);
        assert_eq!(said, Vec::<String>::new());
        let iptables = engine.iptables.unwrap();
        assert!(!iptables.value);
        assert_eq!(&text[iptables.span.start..iptables.span.end], "false");
        let bridge = engine.default_bridge.unwrap();
        assert_eq!(
            (bridge.value.to_string().as_str(), &text[bridge.span.start..bridge.span.end]),
            ("10.1.0.1/24", "10.1.0.1/24")
        );
        assert_eq!(engine.address_pools[0].value, AddressPool { base: "10.10.0.0/16".parse().unwrap(), size: 24 });
    }

    #[test]
    fn what_dockerd_refuses_or_we_do_not_model_is_said() {
        let check = |text: &str, expected: &[&str]| assert_eq!(read(text).1, expected, "{text}");
        check("{\"iptable\": false}", &["dockerd has no option `iptable` <\"iptable\"> did you mean `iptables`?"]);
        check("{\"Icc\": false}", &["dockerd has no option `Icc` <\"Icc\"> did you mean `icc`?"]);
        check("{\"icc\": \"no\"}", &["`icc` must be true or false <\"no\"> write it without quotes"]);
        check("{\"bridge\": \"none\"}", &["unmodeled `bridge` in daemon.json <\"bridge\": \"none\">"]);
        check(
            "{\"default-address-pools\": [{\"base\": \"10.0.0.0/24\", \"size\": 16}]}",
            &["`10.0.0.0/24` cannot be cut into subnets of length 16 <16> "],
        );
        check("[]", &["`daemon.json` must be a map <[]> "]);
        check("{\"icc\": false,}", &["not valid JSON: a comma behind the last entry <,> "]);
        check("// 주석\n{}", &["not valid JSON: a comment </> ", "`daemon.json` must be a map <// 주석\n{}> "]);
        check("{\"icc\": false} # no", &["not valid JSON: a comment <#> "]);
        check("{\"mtu\": 1500, \"bip\": '10.1.0.1/24'}", &["not valid JSON: texts stand in double quotes <'> "]);
        check("{icc: false}", &["not valid JSON: texts stand in double quotes <icc> "]);
        check("", &[]);
    }

    /// Each value with what `dockerd --validate` 28.5.2 says about it.
    #[test]
    fn values_are_of_the_kind_that_dockerd_asks_for() {
        let check = |is_valid: bool, options: &[&str]| {
            for option in options {
                let text = format!("{{{option}}}");
                let said = read(&text).1;
                let is_ours = said.iter().all(|message| message.starts_with("unmodeled"));
                assert_eq!(is_ours, is_valid, "{text}: {said:?}");
            }
        };
        check(
            true,
            &[
                r#""mtu": 1500"#,
                r#""dns": ["8.8.8.8"]"#,
                r#""ip": """#,
                r#""ip": null"#,
                r#""userland-proxy": null"#,
                r#""log-opts": {"max-size": "10m"}"#,
                r#""features": {"buildkit": true}"#,
                r#""storage-driver": "overlay2""#,
                r#""ipv6": true"#,
                r#""bridge": "none", "bip": "10.0.0.1/24""#,
                r#""host-gateway-ips": ["10.0.0.1"]"#,
                r#""allow-direct-routing": true"#,
            ],
        );
        check(
            false,
            &[
                r#""iptables": 1"#,
                r#""bip": 5"#,
                r#""mtu": "1500""#,
                r#""mtu": 1500.5"#,
                r#""dns": "8.8.8.8""#,
                r#""hosts": "fd://""#,
                r#""ip": "1.2.3""#,
                r#""host-gateway-ip": "x""#,
                r#""default-address-pools": [{"base": "10.0.0.0/16", "size": []}]"#,
                r#""insecure-registries": "a""#,
                r#""labels": "a""#,
                r#""data-root": 1"#,
                r#""debug": "true""#,
                r#""runtimes": []"#,
                r#""exec-opts": "native.cgroupdriver=systemd""#,
                r#""experimental": "yes""#,
                r#""live-restore": 1"#,
            ],
        );
    }
}
