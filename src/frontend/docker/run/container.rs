//! `docker run` and `docker create`.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::frontend::docker::port_spec;
use crate::frontend::shell::word::Word;
use crate::lab::Declaration;
use crate::lab::declaration::{
    AttachDecl, ContainerDecl, Declarations, Insertion, MountDecl, NetworkMode, RestartPolicy, unknown_policy,
};
use crate::language::{Text, text};
use crate::net::{PortRange, Protocol};
use crate::source::{Span, Spanned};

use super::flags::{self, Flag, Given, Order, Scanned, switch, switch_short, valued, valued_short};

/// Options of `docker run` and `docker create` (docker CLI 28.2.2, `docker run --help`), and at the end the spellings
/// that are hidden there (cli/command/container/opts.go).
const FLAGS: &[Flag] = &[
    valued("add-host"),
    valued("annotation"),
    valued_short("attach", 'a'),
    valued("blkio-weight"),
    valued("blkio-weight-device"),
    valued("cap-add"),
    valued("cap-drop"),
    valued("cgroup-parent"),
    valued("cgroupns"),
    valued("cidfile"),
    valued("cpu-count"),
    valued("cpu-percent"),
    valued("cpu-period"),
    valued("cpu-quota"),
    valued("cpu-rt-period"),
    valued("cpu-rt-runtime"),
    valued_short("cpu-shares", 'c'),
    valued("cpus"),
    valued("cpuset-cpus"),
    valued("cpuset-mems"),
    switch_short("detach", 'd'),
    valued("detach-keys"),
    valued("device"),
    valued("device-cgroup-rule"),
    valued("device-read-bps"),
    valued("device-read-iops"),
    valued("device-write-bps"),
    valued("device-write-iops"),
    switch("disable-content-trust"),
    valued("dns"),
    valued("dns-option"),
    valued("dns-search"),
    valued("domainname"),
    valued("entrypoint"),
    valued_short("env", 'e'),
    valued("env-file"),
    valued("expose"),
    valued("gpus"),
    valued("group-add"),
    valued("health-cmd"),
    valued("health-interval"),
    valued("health-retries"),
    valued("health-start-interval"),
    valued("health-start-period"),
    valued("health-timeout"),
    switch("help"),
    valued_short("hostname", 'h'),
    switch("init"),
    switch_short("interactive", 'i'),
    valued("io-maxbandwidth"),
    valued("io-maxiops"),
    valued("ip"),
    valued("ip6"),
    valued("ipc"),
    valued("isolation"),
    valued("kernel-memory"),
    valued_short("label", 'l'),
    valued("label-file"),
    valued("link"),
    valued("link-local-ip"),
    valued("log-driver"),
    valued("log-opt"),
    valued("mac-address"),
    valued_short("memory", 'm'),
    valued("memory-reservation"),
    valued("memory-swap"),
    valued("memory-swappiness"),
    valued("mount"),
    valued("name"),
    valued("network"),
    valued("network-alias"),
    switch("no-healthcheck"),
    switch("oom-kill-disable"),
    valued("oom-score-adj"),
    valued("pid"),
    valued("pids-limit"),
    valued("platform"),
    switch("privileged"),
    valued_short("publish", 'p'),
    switch_short("publish-all", 'P'),
    valued("pull"),
    switch_short("quiet", 'q'),
    switch("read-only"),
    valued("restart"),
    switch("rm"),
    valued("runtime"),
    valued("security-opt"),
    valued("shm-size"),
    switch("sig-proxy"),
    valued("stop-signal"),
    valued("stop-timeout"),
    valued("storage-opt"),
    valued("sysctl"),
    valued("tmpfs"),
    switch_short("tty", 't'),
    valued("ulimit"),
    switch("use-api-socket"),
    valued_short("user", 'u'),
    valued("userns"),
    valued("uts"),
    valued_short("volume", 'v'),
    valued("volume-driver"),
    valued("volumes-from"),
    valued_short("workdir", 'w'),
    valued("net"),
    valued("net-alias"),
    valued("dns-opt"),
];

/// Options whose value decides what is stated here.
const RELEVANT: [&str; 13] = [
    "add-host",
    "expose",
    "ip",
    "ip6",
    "link",
    "link-local-ip",
    "name",
    "net",
    "net-alias",
    "network",
    "network-alias",
    "publish",
    "sysctl",
];

/// Reads what stands behind `run` or `create`.
pub(super) fn parse(verb: &Word, arguments: &[Word], whole: Span) -> Declarations {
    let mut out = Declarations::default();
    let mut scanned = flags::scan("docker run", arguments, FLAGS, Order::FlagsFirst);
    out.diagnostics.append(&mut scanned.diagnostics);
    if scanned.flags.iter().any(|f| f.name == "help") {
        return out;
    }
    if let Some(what) = why_not(&scanned) {
        out.value.push(Declaration::Unmodeled(Spanned::new(what, whole)));
        return out;
    }
    let Some((image, command)) = scanned.arguments.split_first() else {
        out.diagnostics.push(no_image(whole));
        return out;
    };
    let mut reader =
        Reader { container: bare(verb, image, command, whole), first: Attachment::default(), given: Vec::new(), out };
    for flag in &scanned.flags {
        reader.flag(flag);
    }
    reader.finish()
}

/// Why the command line cannot be told apart with certainty.
fn why_not(scanned: &Scanned) -> Option<Text> {
    let unknown = |f: &&Given| RELEVANT.contains(&f.name) && f.value.as_ref().is_some_and(|v| v.unknown().is_some());
    if scanned.is_refused {
        Some(text!("a container whose options could not be read", "옵션을 읽을 수 없는 컨테이너"))
    } else if scanned.uncertain.is_some() && !image_alone_is_uncertain(scanned) {
        Some(text!("a container whose options are not known", "옵션을 알 수 없는 컨테이너"))
    } else {
        let flag = scanned.flags.iter().find(unknown)?;
        Some(text!(
            "a container whose `--{flag}` is not known",
            "`--{flag}` 값을 알 수 없는 컨테이너",
            flag = &flag.name
        ))
    }
}

/// `docker run -p 80:80 $IMAGE`: an unknown image is still one container.
fn image_alone_is_uncertain(scanned: &Scanned) -> bool {
    let Some(image) = scanned.arguments.first() else { return false };
    scanned.arguments.len() == 1 && scanned.uncertain == image.unknown() && !image.text.is_empty()
}

fn bare(verb: &Word, image: &Word, command: &[Word], whole: Span) -> ContainerDecl {
    let behind_verb =
        |option: &str| Some(Insertion { at: verb.span.after(), before: format!(" --{option} "), after: String::new() });
    ContainerDecl {
        image: image.unknown().is_none_or(|_| !image.text.starts_with('$')).then(|| image.spanned()),
        command: command.iter().map(Word::spanned).collect(),
        publish_at: Some(Insertion { at: verb.span.after(), before: " -p ".to_owned(), after: String::new() }),
        network_at: behind_verb("network"),
        ..ContainerDecl::at(whole)
    }
}

/// `--ip` and `--network-alias`, which belong to the first network (docker CLI 28, cli/command/container/opts.go,
/// `applyContainerOptions`).
#[derive(Default)]
struct Attachment {
    address: Option<Spanned<IpAddr>>,
    aliases: Vec<String>,
    aliases_at: Option<Span>,
}

/// Options that docker refuses for a container that joins another one's namespace.
const OF_NAMESPACE: [&str; 7] = ["publish", "publish-all", "expose", "hostname", "add-host", "link", "dns"];

struct Reader {
    container: ContainerDecl,
    first: Attachment,
    /// Every option that was written, with its place.
    given: Vec<(Span, &'static str)>,
    out: Declarations,
}

impl Reader {
    fn flag(&mut self, flag: &Given) {
        self.given.push((flag.span, flag.name));
        if flag.name == "publish-all" {
            self.container.publish_all = flag.switched().filter(|s| s.value).map(|s| s.span);
            return;
        }
        if flag.name == "rm" {
            self.container.is_removed_at_end = flag.switched().is_some_and(|s| s.value);
        }
        let Some(value) = &flag.value else { return };
        match flag.name {
            "publish" => self.publish(value),
            "name" => self.container.name = Some(value.spanned()),
            "network" | "net" => self.network(value),
            "network-alias" | "net-alias" => {
                self.first.aliases.push(value.text.clone());
                self.first.aliases_at = Some(value.span);
            }
            "ip" => self.first.address = self.address(value),
            "restart" if value.unknown().is_none() => match RestartPolicy::named(&value.text) {
                Some(policy) => self.container.restart = policy,
                None => self.bad(value.span, unknown_policy(&value.text)),
            },
            // Since engine 20.10 the name service answers to it (moby pull request 39204).
            "hostname" if value.unknown().is_none() => self.container.aliases.push(value.text.clone()),
            "env" => self.variable(value),
            "env-file" if value.unknown().is_none() => self.container.env_files.push(value.spanned()),
            "volume" => self.volume(value),
            "mount" => self.mount(value),
            "expose" => self.expose(value),
            "link" => self.link(value),
            "add-host" => self.extra_host(value),
            "entrypoint" if !value.text.is_empty() => self.container.command.insert(0, value.spanned()),
            "ip6" | "link-local-ip" => self.unmodeled(format!("`--{}`", flag.name), flag.span),
            "sysctl" if value.text.starts_with("net.") => {
                self.unmodeled(format!("`--sysctl {}`", value.text), flag.span)
            }
            _ => {}
        }
    }

    fn finish(mut self) -> Declarations {
        self.conflicts();
        if let Some(mode) = self.container.mode.take_if(|_| !self.container.networks.is_empty()) {
            // cli/command/container/opts.go, `parseNetworkOpts`.
            let message = text!(
                "this network cannot be combined with others",
                "이 네트워크는 다른 네트워크와 함께 쓸 수 없습니다"
            );
            self.bad(mode.span, message);
        }
        let first = std::mem::take(&mut self.first);
        if let Some(network) = self.container.networks.first_mut() {
            network.address = network.address.take().or(first.address);
            network.aliases.extend(first.aliases);
        }
        if self.out.diagnostics.iter().any(|d| d.severity == Severity::Error) {
            // The command ends there: no container is made.
            self.out.value.clear();
            for diagnostic in &mut self.out.diagnostics {
                diagnostic.help.get_or_insert_with(no_container);
            }
            return self.out;
        }
        self.out.value.insert(0, Declaration::Container(self.container));
        self.out
    }

    /// What does not go together (observed with docker 20.10.24 and 28.5.2; docker CLI, cli/command/container/opts.go,
    /// and moby, daemon/container.go, `validateContainerConfig`, runconfig/hostconfig_unix.go).
    fn conflicts(&mut self) {
        let is_name = |name: &str| {
            let mut chars = name.chars();
            let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
            chars.next().is_some_and(|c| c.is_ascii_alphanumeric()) && 1 < name.len() && chars.all(is_part)
        };
        if let Some(name) = self.container.name.clone().filter(|name| !is_name(&name.value)) {
            self.out.diagnostics.push(bad_name(&name));
        }
        let is_user_defined = self.container.mode.is_none() && !self.container.networks.is_empty();
        if let Some(span) = self.first.aliases_at.filter(|_| !is_user_defined) {
            let message = text!(
                "names on a network need a network that you made",
                "네트워크의 별칭은 직접 만든 네트워크에서만 쓸 수 있습니다"
            );
            self.bad(span, message);
        }
        if let Some(address) = self.first.address.filter(|_| !is_user_defined) {
            let message = text!(
                "a fixed address needs a network that you made",
                "고정 주소는 직접 만든 네트워크에서만 쓸 수 있습니다"
            );
            self.bad(address.span, message);
        }
        let names: Vec<Spanned<String>> = self.container.networks.iter().map(|a| a.network.clone()).collect();
        for (index, name) in names.iter().enumerate() {
            if names.iter().take(index).any(|earlier| earlier.value == name.value) {
                let twice = &name.value;
                let message = text!("network `{twice}` is given twice", "`{twice}` 네트워크가 두 번 주어졌습니다");
                self.bad(name.span, message);
            }
        }
        self.shared_namespace();
    }

    /// What belongs to a namespace is set where it is made, not by a container that joins it.
    fn shared_namespace(&mut self) {
        let (whose, options) = match self.container.mode.as_ref().map(|mode| &mode.value) {
            Some(NetworkMode::Container(_)) => {
                (text!("another container's network", "다른 컨테이너의 네트워크"), &OF_NAMESPACE[..])
            }
            Some(NetworkMode::Host) => (text!("the host's network", "호스트 네트워크"), &["link"][..]),
            _ => return,
        };
        let refused: Vec<(Span, &str)> =
            self.given.iter().copied().filter(|(_, name)| options.contains(name)).collect();
        for (span, name) in refused {
            let message = text!(
                "`--{name}` cannot be combined with {whose}",
                "`--{name}` 옵션은 {whose}와 함께 쓸 수 없습니다"; whose
            );
            self.bad(span, message);
        }
    }

    /// `HOST:CONTAINER`, or `target=CONTAINER,published=HOST` (docker CLI, opts/port.go).
    fn publish(&mut self, value: &Word) {
        if value.text.contains('=') {
            return self.long_publish(value);
        }
        match port_spec::parse(&value.text, value.place(0..value.text.len())) {
            Ok(publish) => self.container.publishes.push(publish),
            Err(error) => self.out.diagnostics.push(*error),
        }
    }

    fn long_publish(&mut self, value: &Word) {
        let (mut published, mut target, mut protocol) = (String::new(), String::new(), "tcp".to_owned());
        for part in value.split(',') {
            let Some((key, value)) = part.split_once('=') else {
                return self.bad(part.span, no_pair(&part.text));
            };
            match key.text.to_lowercase().as_str() {
                "published" => published = value.text,
                "target" => target = value.text,
                "protocol" => protocol = value.text,
                "mode" => {}
                key => return self.bad(part.span, no_field("--publish", key)),
            }
        }
        match port_spec::parse(&format!("{published}:{target}/{protocol}"), value.span) {
            Ok(publish) => self.container.publishes.push(publish),
            Err(error) => self.out.diagnostics.push(*error),
        }
    }

    fn network(&mut self, value: &Word) {
        // `name=…,alias=…`; anything else is a name (docker CLI, opts/network.go).
        let attach = if value.text.contains('=') { self.long_network(value) } else { Some(attach(value.spanned())) };
        let Some(attach) = attach else { return };
        let mode = match attach.network.value.as_str() {
            "host" => NetworkMode::Host,
            "none" => NetworkMode::None,
            "bridge" | "default" => NetworkMode::Bridge,
            name => match name.strip_prefix("container:") {
                Some(other) => NetworkMode::Container(other.to_owned()),
                None => {
                    self.container.networks.push(attach);
                    return;
                }
            },
        };
        self.container.mode = Some(Spanned::new(mode, attach.network.span));
    }

    fn long_network(&mut self, value: &Word) -> Option<AttachDecl> {
        let mut name = None;
        let mut rest = attach(value.spanned());
        for part in value.split(',') {
            let Some((key, value)) = part.split_once('=') else {
                self.bad(part.span, no_pair(&part.text));
                continue;
            };
            match key.text.to_lowercase().as_str() {
                "name" => name = Some(value.spanned()),
                "alias" => rest.aliases.push(value.text),
                "ip" => rest.address = self.address(&value),
                "gw-priority" => match value.text.parse() {
                    Ok(priority) => rest.gateway_priority = Some(Spanned::new(priority, value.span)),
                    Err(_) => self.bad(value.span, no_number(&value.text)),
                },
                "mac-address" => {}
                "ip6" | "link-local-ip" | "driver-opt" => self.unmodeled(format!("`{}`", part.text), part.span),
                key => self.bad(part.span, no_field("--network", key)),
            }
        }
        if name.is_none() {
            self.bad(value.span, text!("`--network` without a name", "`--network`에 이름이 없습니다"));
        }
        Some(AttachDecl { network: name?, ..rest })
    }

    fn address(&mut self, value: &Word) -> Option<Spanned<IpAddr>> {
        let address = address(value);
        match address {
            Ok(address) => Some(address),
            Err(error) => {
                self.out.diagnostics.push(*error);
                None
            }
        }
    }

    fn expose(&mut self, value: &Word) {
        let (ports, protocol) = value.text.split_once('/').unwrap_or((&value.text, ""));
        match (port_spec::port_range(ports), port_spec::published_protocol(protocol)) {
            (Some(ports), Some(protocol)) => {
                let exposed: (Protocol, PortRange) = (protocol, ports);
                self.container.exposes.push(Spanned::new(exposed, value.span));
            }
            _ => self.out.diagnostics.push(not_exposable(value)),
        }
    }

    /// `NAME` alone takes its value from the shell; a value that the shell makes is not known either.
    fn variable(&mut self, value: &Word) {
        if let Some((name, value)) = value.split_once('=')
            && name.unknown().is_none()
            && value.unknown().is_none()
        {
            self.container.environment.push((name.text.clone(), value.spanned()));
        }
    }

    /// `PATH:PLACE`; what has no slash is the name of a volume.
    fn volume(&mut self, value: &Word) {
        let Some((source, rest)) = value.text.split_once(':') else { return };
        let target = rest.split(':').next().unwrap_or(rest).to_owned();
        if let Some(path) = from_here(source).filter(|_| source.contains('/')) {
            self.container.mounts.push(MountDecl { source: Spanned::new(path.to_owned(), value.span), target });
        }
    }

    /// `type=bind,source=PATH,target=PLACE` (docker CLI, opts/mount.go).
    fn mount(&mut self, value: &Word) {
        let field = |names: &[&str]| {
            let parts = value.text.split(',').filter_map(|part| part.split_once('='));
            parts.into_iter().find(|(key, _)| names.contains(key)).map(|(_, value)| value.to_owned())
        };
        let source = field(&["source", "src"]).filter(|_| field(&["type"]).as_deref() == Some("bind"));
        let source = source.as_deref().and_then(from_here).map(str::to_owned);
        if let (Some(path), Some(target)) = (source, field(&["target", "destination", "dst"])) {
            self.container.mounts.push(MountDecl { source: Spanned::new(path, value.span), target });
        }
    }

    fn link(&mut self, value: &Word) {
        let (name, alias) = value.text.split_once(':').unwrap_or((&value.text, &value.text));
        self.container.links.push(Spanned::new((name.to_owned(), alias.to_owned()), value.span));
    }

    /// `name:address`, or `name=address` since docker CLI 25.
    fn extra_host(&mut self, value: &Word) {
        let split = if value.text.contains('=') { value.split_once('=') } else { value.split_once(':') };
        let Some((name, address)) = split else {
            let written = &value.text;
            let message = text!("`{written}` is not `name:address`", "`{written}`: `이름:주소` 형식이 아닙니다");
            return self.bad(value.span, message);
        };
        match address.text.parse() {
            Ok(address) => self.container.extra_hosts.push((name.spanned(), address)),
            Err(_) => self.out.diagnostics.push(bad_address(&address)),
        }
    }

    fn bad(&mut self, span: Span, message: Text) {
        self.out.diagnostics.push(refused(message, span));
    }

    fn unmodeled(&mut self, what: impl Into<Text>, span: Span) {
        self.out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), span)));
    }
}

fn refused(message: Text, span: Span) -> Diagnostic {
    Diagnostic::new(Code::DockerBadFlag, message).label(span, text!("docker refuses this", "docker가 거부함"))
}

fn no_container() -> Text {
    text!(
        "docker refuses the whole command, so there is no container",
        "docker가 명령 전체를 거부하므로, 컨테이너가 생기지 않습니다"
    )
}

fn bad_name(name: &Spanned<String>) -> Diagnostic {
    let written = &name.value;
    let message = text!("`{written}` is no name for a container", "컨테이너 이름으로 쓸 수 없습니다: `{written}`");
    refused(message, name.span).help(text!(
        "write two or more letters, digits, `_`, `.` and `-`, first a letter or digit; no container is made",
        "영문자, 숫자, `_`, `.`, `-`를 두 글자 이상 쓰고, 첫 글자는 영문자나 숫자로 하십시오. 지금은 컨테이너가 생기지 않습니다"
    ))
}

fn no_pair(written: &str) -> Text {
    text!("`{written}` is not `key=value`", "`{written}`: `키=값` 형식이 아닙니다")
}

fn no_field(option: &str, key: &str) -> Text {
    text!("`{option}` has no field `{key}`", "`{option}`에는 `{key}` 필드가 없습니다")
}

fn no_number(written: &str) -> Text {
    text!("`{written}` is not a number", "`{written}`은(는) 숫자가 아닙니다")
}

fn not_exposable(value: &Word) -> Diagnostic {
    let message =
        text!("`{written}` cannot be exposed", "노출(expose)할 수 없습니다: `{written}`", written = &value.text);
    Diagnostic::new(Code::BadPort, message)
        .label(value.span, text!("neither a port nor a range of ports", "포트도 포트 범위도 아님"))
}

fn attach(network: Spanned<String>) -> AttachDecl {
    AttachDecl { network, address: None, aliases: Vec::new(), gateway_priority: None }
}

/// Reads a literal address.
pub(super) fn address(value: &Word) -> Result<Spanned<IpAddr>, Box<Diagnostic>> {
    match value.text.parse() {
        Ok(address) => Ok(Spanned::new(address, value.span)),
        Err(_) => Err(Box::new(bad_address(value))),
    }
}

fn bad_address(value: &Word) -> Diagnostic {
    let message = text!("`{written}` is not an address", "`{written}`은(는) 주소가 아닙니다", written = &value.text);
    Diagnostic::new(Code::BadAddress, message)
        .label(value.span, text!("docker wants a literal IP address here", "docker는 여기에 IP 주소 자체를 요구함"))
}

/// A path without what the shell puts before it for the directory it is in; nothing for one that starts elsewhere.
fn from_here(path: &str) -> Option<&str> {
    let here = ["$PWD/", "${PWD}/", "$(pwd)/", "`pwd`/"].iter().find_map(|here| path.strip_prefix(here));
    here.or(Some(path)).filter(|path| !path.starts_with(['/', '$', '`', '~']))
}

fn no_image(whole: Span) -> Diagnostic {
    Diagnostic::new(Code::DockerBadFlag, text!("`docker run` without an image", "`docker run`에 이미지가 없습니다"))
        .label(whole, text!("the image is missing", "이미지가 빠져 있음"))
        .help(text!(
            "options stand before the image, the command of the container behind it",
            "옵션은 이미지 앞에, 컨테이너의 명령은 이미지 뒤에 쓰십시오"
        ))
}
