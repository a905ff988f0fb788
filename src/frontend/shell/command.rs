//! One command with its arguments -> what it does to the network of the machine.

use crate::diagnostic::{Code, Diagnosed, Diagnostic};
use crate::frontend::docker::run as docker;
use crate::frontend::firewalld::cmd as firewall_cmd;
use crate::frontend::netfilter::{iptables, ufw};
use crate::frontend::virtualbox::manage;
use crate::frontend::{port_proxy, ssh, sysctl, windows_commands};
use crate::lab::declaration::Declarations;
use crate::lab::{Declaration, HostEvent};
use crate::language::text;
use crate::source::{Span, Spanned};

use super::word::Word;

/// What a command does.
#[derive(Debug)]
pub(super) enum Effect {
    /// It states something.
    Declare(Box<Declaration>),
    /// `docker rm`, `docker network rm` and so on: takes back what was stated before.
    TakeBack(docker::TakeBack),
    /// It could change packets and has no model.
    Unmodeled(Spanned<String>),
}

impl Effect {
    /// `docker compose up` without options.
    pub(super) fn is_plain_compose(&self) -> bool {
        let Self::Declare(declaration) = self else { return false };
        matches!(declaration.as_ref(), Declaration::Compose(compose) if compose.is_plain())
    }
}

/// The effects of a command, and what is wrong with it.
pub(super) fn run(words: &[Word]) -> Diagnosed<Vec<Effect>> {
    let words = without_wrappers(words);
    let (Some(name), Some(whole)) = (words.first(), span(words)) else { return Diagnosed::default() };
    match program(name) {
        "docker" => docker_effects(docker::parse(words)),
        "docker-compose" => docker_effects(docker::parse_compose(words)),
        "dockerd" => docker_effects(docker::parse_daemon(words)),
        "firewall-cmd" | "firewall-offline-cmd" => declared(firewall_cmd::parse(words)),
        "iptables" | "ip6tables" | "iptables-legacy" | "ip6tables-legacy" | "iptables-nft" | "ip6tables-nft" => {
            declared(iptables::parse(words))
        }
        "ufw" => declared(ufw::parse(words)),
        "VBoxManage" | "vboxmanage" | "VBoxManage.exe" => declared(manage::parse(words)),
        "ssh" | "autossh" => declared(ssh::parse(words)),
        "netsh" | "netsh.exe" => {
            let mut read = port_proxy::parse(words);
            read.value.extend(windows_commands::netsh(words).value);
            declared(read)
        }
        cmdlet if windows_commands::is_cmdlet(cmdlet) => declared(windows_commands::cmdlet(words)),
        "systemctl" => declared(services(words.get(1), words.get(2..).unwrap_or(&[]), whole)),
        "service" => declared(services(words.get(2), words.get(1..2).unwrap_or(&[]), whole)),
        "source" | "." | "bash" | "sh" | "zsh" => script(words, whole),
        name if is_script_path(name) => not_followed(whole, name),
        "sysctl" => match sysctl::command(words, whole) {
            Some(value) => declared(Declarations { value, diagnostics: Vec::new() }),
            None => unmodeled(whole, &shown(words)),
        },
        program if changes_packets(program, words) => unmodeled(whole, &shown(words)),
        _ => Diagnosed::default(),
    }
}

/// Whether a command only asks for something that its `||` branch would make.
pub(super) fn is_query(words: &[Word]) -> bool {
    let words = without_wrappers(words);
    let Some(name) = words.first() else { return false };
    let arguments = || words.iter().skip(1).map(|w| w.text.as_str());
    match program(name) {
        "docker" => arguments().any(|a| matches!(a, "inspect" | "ls" | "ps")),
        "iptables" | "ip6tables" => iptables::is_query(words),
        "VBoxManage" | "vboxmanage" => arguments().any(|a| matches!(a, "showvminfo" | "list")),
        "firewall-cmd" | "firewall-offline-cmd" => arguments().any(|a| a.starts_with("--query-")),
        _ => false,
    }
}

/// Whether a file decides what happens to packets.
pub(super) fn configures_network(path: &str) -> bool {
    const PLACES: [&str; 10] = [
        "/etc/ufw/",
        "/etc/default/ufw",
        "/etc/docker/daemon.json",
        "/etc/firewalld/",
        "/etc/sysctl",
        "/proc/sys/net/",
        "/etc/network/",
        "/etc/netplan/",
        "/etc/NetworkManager/",
        "/etc/nftables",
    ];
    PLACES.iter().any(|place| path.starts_with(place))
}

/// Whether a text that could not be read speaks of a program of interest.
pub(super) fn mentions_network(text: &str) -> bool {
    const NAMES: [&str; 8] = ["docker", "firewall-", "VBoxManage", "iptables", "ip6tables", "nft", "sysctl", "ufw"];
    NAMES.iter().any(|name| text.contains(name))
}

/// Leaves out `sudo -E`, `env A=b`, `nohup` and the like, which run the rest of the line.
fn without_wrappers(mut words: &[Word]) -> &[Word] {
    while let Some((first, rest)) = words.split_first() {
        let valued: &[&str] = match program(first) {
            "sudo" | "doas" => &["-u", "-g", "-h", "-p", "-C", "-r", "-t", "-T", "-U", "-D"],
            "env" => &["-u", "-C", "-S"],
            "nice" => &["-n"],
            "ionice" => &["-c", "-n"],
            "timeout" => return without_wrappers(without_options(rest, &["-s", "-k"]).get(1..).unwrap_or(&[])),
            "nohup" | "exec" | "command" | "time" | "setsid" | "builtin" | "eval" => &[],
            _ => return words,
        };
        words = without_options(rest, valued);
    }
    words
}

fn without_options<'a>(mut words: &'a [Word], valued: &[&str]) -> &'a [Word] {
    while let Some((first, rest)) = words.split_first() {
        let text = first.text.as_str();
        words = match text {
            "--" => return rest,
            _ if valued.contains(&text) => rest.get(1..).unwrap_or(&[]),
            _ if text.starts_with('-') || is_assignment(text) => rest,
            _ => return words,
        };
    }
    words
}

fn is_assignment(text: &str) -> bool {
    text.split_once('=')
        .is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_'))
}

/// The name of the program without its directory.
fn program(word: &Word) -> &str {
    word.text.rsplit('/').next().unwrap_or("")
}

fn span(words: &[Word]) -> Option<Span> {
    Some(words.first()?.span.to(words.last()?.span))
}

/// The command, shortened for a message.
fn shown(words: &[Word]) -> String {
    const SHOWN: usize = 4;
    let head = words.iter().take(SHOWN).map(|w| w.text.as_str()).collect::<Vec<_>>().join(" ");
    let rest = if words.len() <= SHOWN { "" } else { " …" };
    format!("`{head}{rest}`")
}

fn unmodeled(whole: Span, what: &str) -> Diagnosed<Vec<Effect>> {
    Diagnosed { value: vec![Effect::Unmodeled(Spanned::new(what.to_owned(), whole))], diagnostics: Vec::new() }
}

fn declared(declarations: Declarations) -> Diagnosed<Vec<Effect>> {
    let effect = |declaration| match declaration {
        Declaration::Unmodeled(what) => Effect::Unmodeled(what),
        other => Effect::Declare(Box::new(other)),
    };
    Diagnosed { value: declarations.value.into_iter().map(effect).collect(), diagnostics: declarations.diagnostics }
}

fn docker_effects(outcome: docker::Outcome) -> Diagnosed<Vec<Effect>> {
    let mut effects = declared(outcome.declarations);
    effects.value.extend(outcome.taken_back.into_iter().map(Effect::TakeBack));
    effects
}

/// `systemctl VERB UNIT…` for the services that load rules.
fn services(verb: Option<&Word>, units: &[Word], whole: Span) -> Declarations {
    let mut out = Declarations::default();
    let Some(verb) = verb else { return out };
    let starts_now = units.iter().any(|u| u.text == "--now");
    for unit in units {
        let name = unit.text.trim_end_matches(".service").trim_end_matches(".socket");
        let event = match (name, verb.text.as_str()) {
            ("firewalld", "start") => HostEvent::FirewalldStart,
            ("firewalld", "reload") => HostEvent::FirewalldReload,
            ("firewalld", "stop") => HostEvent::FirewalldStop,
            ("docker", "start") => HostEvent::EngineStart,
            ("docker", "restart") => HostEvent::EngineRestart,
            ("firewalld", "enable") if starts_now => HostEvent::FirewalldStart,
            ("firewalld", "disable" | "mask") if starts_now => HostEvent::FirewalldStop,
            ("docker", "enable") if starts_now => HostEvent::EngineStart,
            ("firewalld", "restart" | "try-restart" | "force-reload") => {
                out.value.push(event_at(HostEvent::FirewalldStop, whole));
                HostEvent::FirewalldStart
            }
            // `reload` makes dockerd read a few options again, none of which changes a packet.
            ("docker", "reload")
            | (_, "status" | "is-active" | "is-enabled" | "show" | "cat" | "enable" | "disable") => {
                continue;
            }
            ("docker" | "firewalld" | "nftables" | "iptables" | "ufw" | "network" | "NetworkManager", verb)
            | ("systemd-networkd" | "netfilter-persistent" | "networking" | "libvirtd", verb) => {
                let what = format!("`systemctl {verb} {name}`");
                out.value.push(Declaration::Unmodeled(Spanned::new(what, whole)));
                continue;
            }
            _ => continue,
        };
        out.value.push(event_at(event, whole));
    }
    out
}

fn event_at(event: HostEvent, span: Span) -> Declaration {
    Declaration::Event(Spanned::new(event, span))
}

/// `bash other.sh`, `source other.sh`, `bash -c '…'`.
fn script(words: &[Word], whole: Span) -> Diagnosed<Vec<Effect>> {
    let arguments = words.get(1..).unwrap_or(&[]);
    if let Some(code) = arguments.iter().skip_while(|w| w.text != "-c").nth(1) {
        return if mentions_network(&code.text) { unmodeled(whole, &shown(words)) } else { Diagnosed::default() };
    }
    match arguments.iter().find(|w| !w.text.starts_with('-')) {
        Some(file) => not_followed(whole, &file.text),
        None => Diagnosed::default(),
    }
}

fn is_script_path(name: &str) -> bool {
    name.ends_with(".sh")
}

fn not_followed(span: Span, file: &str) -> Diagnosed<Vec<Effect>> {
    let message = text!("the script `{file}` is not followed", "`{file}` 스크립트는 따라가지 않습니다");
    let diagnostic = Diagnostic::new(Code::ShellUnmodeled, message)
        .label(span, text!("runs another script", "다른 스크립트를 실행함"))
        .help(text!(
            "its commands count if that file is part of the lab too",
            "그 파일도 랩에 들어 있으면 그 안의 명령이 반영됩니다"
        ));
    Diagnosed { value: Vec::new(), diagnostics: vec![diagnostic] }
}

/// Programs that are not modelled and can change what happens to packets, unless they only show something.
fn changes_packets(program: &str, words: &[Word]) -> bool {
    let has = |wanted: &[&str]| words.iter().skip(1).any(|w| wanted.contains(&w.text.as_str()));
    match program {
        "ebtables" | "arptables" => !has(&["-L", "-S", "-V", "--list", "--version"]),
        "iptables-restore" | "ip6tables-restore" | "ipset" | "netplan" | "ifup" | "ifdown" | "dhclient" => true,
        "nft" => !has(&["list", "--version", "-v"]),
        "ip" => has(&["add", "del", "delete", "change", "replace", "append", "set", "flush", "exec", "attach"]),
        "ifconfig" | "route" | "brctl" | "bridge" | "tc" => 2 < words.len() && !has(&["show", "list"]),
        "nmcli" => has(&["add", "modify", "mod", "up", "down", "delete", "del", "connect", "disconnect", "on", "off"]),
        "socat" | "rinetd" | "redir" | "haproxy" | "slirp4netns" | "pasta" | "docker-proxy" | "ufw-docker" => true,
        // Other engines, and docker in the hands of a user or in a machine of its own.
        "podman" | "nerdctl" => has(&["run", "create", "start", "network", "pod", "play", "kube", "compose", "up"]),
        "podman-compose" | "rootlesskit" => true,
        "colima" | "limactl" | "docker-machine" | "minikube" | "kind" | "k3d" => has(&["start", "create"]),
        "tee" => words.iter().skip(1).any(|w| configures_network(&w.text)),
        "cp" | "mv" | "ln" | "install" | "sed" | "rm" => words.iter().skip(1).any(|w| configures_network(&w.text)),
        "xargs" | "wsl" | "wsl.exe" | "cmd" | "powershell" | "pwsh" | "Invoke-Expression" | "iex" | "Start-Process" => {
            words.iter().skip(1).any(|w| mentions_network(&w.text))
        }
        "virsh" | "vagrant" => has(&["net-start", "net-define", "attach-interface"]),
        _ => false,
    }
}
