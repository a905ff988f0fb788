//! `daemon.json`: the engine's options in a file. JSON is YAML, whose reader knows places.

use crate::diagnostic::{Code, Diagnostic, Severity, did_you_mean};
use crate::frontend::engine_options;
use crate::frontend::yaml::{self, Entry, Node, Resolved, Value, Walk};
use crate::lab::Declaration;
use crate::lab::declaration::{Declarations, EngineDecl};
use crate::source::{SourceId, Spanned};

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

/// Options that change no packet (docs.docker.com, dockerd, "Daemon configuration file", 20.10 to 29).
#[rustfmt::skip]
const NEUTRAL: &[&str] = &[
    "allow-nondistributable-artifacts", "api-cors-header", "authorization-plugins", "builder", "cgroup-parent",
    "cluster-advertise", "cluster-store", "cluster-store-opts", "containerd", "containerd-namespace",
    "containerd-plugins-namespace", "containerd-plugin-namespace", "cdi-spec-dirs", "cpu-rt-period", "cpu-rt-runtime",
    "data-root", "debug", "default-cgroupns-mode", "default-ipc-mode", "default-runtime", "default-shm-size",
    "default-ulimits", "deprecated-key-path", "dns", "dns-opts", "dns-search", "exec-opts", "exec-root",
    "experimental", "features", "graph", "group", "hosts", "http-proxy", "https-proxy", "init", "init-path",
    "insecure-registries", "ip6tables", "labels", "live-restore", "log-driver", "log-format", "log-level", "log-opts",
    "max-concurrent-downloads", "max-concurrent-uploads", "max-download-attempts", "metrics-addr", "min-api-version",
    "mtu", "network-control-plane-mtu", "no-new-privileges", "no-proxy", "node-generic-resources",
    "oom-score-adjust", "pidfile", "proxies", "raw-logs", "registry-mirrors", "runtimes", "seccomp-profile",
    "selinux-enabled", "shutdown-timeout", "storage-driver", "storage-opts", "swarm-default-advertise-addr", "tls",
    "tlscacert", "tlscert", "tlskey", "tlsverify", "userns-remap",
];

/// Options that are `true` or `false`; dockerd refuses anything else.
const SWITCHES: &[&str] =
    &["allow-direct-routing", "icc", "ip-forward", "ip-forward-no-drop", "ip-masq", "iptables", "userland-proxy"];

/// Reads the file.
pub fn parse(source: SourceId, text: &str) -> Declarations {
    // JSON allows tabs where YAML does not.
    let document = yaml::parse(source, &text.replace('\t', " "));
    let mut walk = Walk { diagnostics: document.diagnostics };
    let Some(root) = document.value else { return Declarations { value: Vec::new(), diagnostics: walk.diagnostics } };
    let mut engine = EngineDecl { span: Some(root.span), ..EngineDecl::default() };
    let mut value = Vec::new();
    for Entry { key, value: option, .. } in walk.map(&root, "`daemon.json`") {
        let name = key.value.as_str();
        if SWITCHES.contains(&name) && !is_switch(option) {
            walk.report(not_a_switch(key, option));
        } else if UNMODELED.contains(&name) {
            value.extend(unmodeled(key, option));
        } else if !engine_options::read(&mut walk, &mut engine, name, option) && !NEUTRAL.contains(&name) {
            walk.report(unknown(key));
        }
    }
    value.push(Declaration::Engine(engine));
    Declarations { value, diagnostics: walk.diagnostics }
}

fn is_switch(node: &Node) -> bool {
    matches!(node.resolve(), Some(Resolved::Bool(_)))
}

/// What is switched off or empty changes nothing.
fn unmodeled(key: &Spanned<String>, option: &Node) -> Option<Declaration> {
    let is_off = match &option.value {
        Value::Scalar(text) => text.is_empty() || option.resolve() == Some(Resolved::Bool(false)),
        Value::Sequence(items) => items.is_empty(),
        Value::Mapping(entries) => entries.is_empty(),
    };
    let what = || format!("`{}` in daemon.json", key.value);
    (!is_off).then(|| Declaration::Unmodeled(Spanned::new(what(), key.span.to(option.span))))
}

fn unknown(key: &Spanned<String>) -> Diagnostic {
    let known = engine_options::KEYS.iter().chain(UNMODELED).chain(NEUTRAL).copied();
    let diagnostic = Diagnostic::new(Code::UnknownKey, format!("dockerd has no option `{}`", key.value))
        .label(key.span, "dockerd refuses to start");
    let diagnostic = match did_you_mean(&key.value, known) {
        Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
        None => diagnostic,
    };
    Diagnostic { severity: Severity::Error, ..diagnostic }
}

fn not_a_switch(key: &Spanned<String>, option: &Node) -> Diagnostic {
    Diagnostic::new(Code::YamlType, format!("`{}` must be true or false", key.value))
        .label(option.span, "dockerd refuses to start")
        .help("write `true` or `false` without quotes")
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
        check("{\"icc\": \"no\"}", &["`icc` must be true or false <\"no\"> write `true` or `false` without quotes"]);
        check("{\"bridge\": \"none\"}", &["unmodeled `bridge` in daemon.json <\"bridge\": \"none\">"]);
        check(
            "{\"default-address-pools\": [{\"base\": \"10.0.0.0/24\", \"size\": 16}]}",
            &["`10.0.0.0/24` cannot be cut into subnets of length 16 <16> "],
        );
        check("[]", &["`daemon.json` must be a map <[]> "]);
        check("", &[]);
    }
}
