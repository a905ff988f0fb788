//! `dockerd` with options.

use std::net::IpAddr;

use crate::diagnostic::{Code, Diagnostic};
use crate::frontend::shell::word::Word;
use crate::lab::declaration::{AddressPool, Declarations, EngineDecl};
use crate::lab::{Declaration, HostEvent, RuleBackend};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::container::address;
use super::flags::{self, Flag, Given, Order, switch, switch_short, valued, valued_short};

/// Options of dockerd 20.10.24 (`dockerd --help`), then those that came until 29 (moby, cmd/dockerd/config*.go).
const FLAGS: &[Flag] = &[
    valued("add-runtime"),
    valued("allow-nondistributable-artifacts"),
    valued("api-cors-header"),
    valued("authorization-plugin"),
    valued("bip"),
    valued_short("bridge", 'b'),
    valued("cgroup-parent"),
    valued("config-file"),
    valued("containerd"),
    valued("containerd-namespace"),
    valued("containerd-plugins-namespace"),
    valued("cpu-rt-period"),
    valued("cpu-rt-runtime"),
    switch("cri-containerd"),
    valued("data-root"),
    switch_short("debug", 'D'),
    valued("default-address-pool"),
    valued("default-cgroupns-mode"),
    valued("default-gateway"),
    valued("default-gateway-v6"),
    valued("default-ipc-mode"),
    valued("default-runtime"),
    valued("default-shm-size"),
    valued("default-ulimit"),
    valued("dns"),
    valued("dns-opt"),
    valued("dns-search"),
    valued("exec-opt"),
    valued("exec-root"),
    switch("experimental"),
    valued("fixed-cidr"),
    valued("fixed-cidr-v6"),
    valued_short("group", 'G'),
    switch("help"),
    valued_short("host", 'H'),
    valued("host-gateway-ip"),
    switch("icc"),
    switch("init"),
    valued("init-path"),
    valued("insecure-registry"),
    valued("ip"),
    switch("ip-forward"),
    switch("ip-masq"),
    switch("ip6tables"),
    switch("iptables"),
    switch("ipv6"),
    valued("label"),
    switch("live-restore"),
    valued("log-driver"),
    valued_short("log-level", 'l'),
    valued("log-opt"),
    valued("max-concurrent-downloads"),
    valued("max-concurrent-uploads"),
    valued("max-download-attempts"),
    valued("metrics-addr"),
    valued("mtu"),
    valued("network-control-plane-mtu"),
    switch("no-new-privileges"),
    valued("node-generic-resource"),
    valued("oom-score-adjust"),
    valued_short("pidfile", 'p'),
    switch("raw-logs"),
    valued("registry-mirror"),
    switch("rootless"),
    valued("seccomp-profile"),
    switch("selinux-enabled"),
    valued("shutdown-timeout"),
    valued_short("storage-driver", 's'),
    valued("storage-opt"),
    valued("swarm-default-advertise-addr"),
    switch("tls"),
    valued("tlscacert"),
    valued("tlscert"),
    valued("tlskey"),
    switch("tlsverify"),
    switch("userland-proxy"),
    valued("userland-proxy-path"),
    valued("userns-remap"),
    switch_short("version", 'v'),
    switch("allow-direct-routing"),
    valued("bridge-accept-fwmark"),
    valued("cdi-spec-dir"),
    valued("default-network-opt"),
    valued("feature"),
    valued("firewall-backend"),
    valued("http-proxy"),
    valued("https-proxy"),
    switch("ip-forward-no-drop"),
    valued("log-format"),
    valued("no-proxy"),
    switch("validate"),
];

/// Options that change packets or addresses and have no model.
const UNMODELED: [&str; 11] = [
    "bridge",
    "bridge-accept-fwmark",
    "config-file",
    "default-gateway",
    "default-gateway-v6",
    "default-network-opt",
    "fixed-cidr",
    "fixed-cidr-v6",
    "ipv6",
    "rootless",
    "userland-proxy-path",
];

/// Reads a start of dockerd.
pub(super) fn parse(words: &[Word]) -> Declarations {
    let mut out = Declarations::default();
    let (Some(first), Some(last)) = (words.first(), words.last()) else { return out };
    let whole = first.span.to(last.span);
    let mut scanned = flags::scan("dockerd", words.get(1..).unwrap_or(&[]), FLAGS, Order::Mixed);
    out.diagnostics.append(&mut scanned.diagnostics);
    if scanned.flags.iter().any(|f| matches!(f.name, "help" | "version" | "validate")) {
        return out;
    }
    let is_unknown = |f: &Given| f.value.as_ref().is_some_and(|v| v.unknown().is_some());
    if scanned.is_refused || scanned.uncertain.is_some() || scanned.flags.iter().any(is_unknown) {
        let what = text!("dockerd with options that could not be read", "읽을 수 없는 옵션이 있는 dockerd");
        out.value.push(Declaration::Unmodeled(Spanned::new(what, whole)));
        return out;
    }
    let mut reader = Reader { engine: EngineDecl { span: Some(whole), ..EngineDecl::default() }, out };
    scanned.flags.iter().for_each(|flag| reader.flag(flag));
    reader.out.value.push(Declaration::Engine(reader.engine));
    reader.out.value.push(Declaration::Event(Spanned::new(HostEvent::EngineStart, whole)));
    reader.out
}

struct Reader {
    engine: EngineDecl,
    out: Declarations,
}

impl Reader {
    fn flag(&mut self, flag: &Given) {
        match flag.name {
            "iptables" => self.engine.iptables = self.switched(flag),
            "ip-forward" => self.engine.ip_forward = self.switched(flag),
            "ip-forward-no-drop" => self.engine.ip_forward_no_drop = self.switched(flag),
            "ip-masq" => self.engine.ip_masq = self.switched(flag),
            "live-restore" => self.engine.live_restore = self.switched(flag),
            "icc" => self.engine.icc = self.switched(flag),
            "userland-proxy" => self.engine.userland_proxy = self.switched(flag),
            "allow-direct-routing" => self.engine.allow_direct_routing = self.switched(flag),
            "ipv6" | "rootless" if flag.switched().is_some_and(|s| !s.value) => {}
            name if UNMODELED.contains(&name) => {
                let value = flag.value.as_ref().map_or_else(String::new, |v| format!(" {}", v.text));
                let what = format!("`dockerd --{name}{value}`");
                self.out.value.push(Declaration::Unmodeled(Spanned::new(what.into(), flag.span)));
            }
            _ => {
                if let Some(value) = &flag.value {
                    self.valued(flag.name, value);
                }
            }
        }
    }

    fn valued(&mut self, name: &str, value: &Word) {
        match name {
            "ip" => self.engine.publish_address = self.address(value),
            "host-gateway-ip" => self.engine.host_gateway = self.address(value),
            "default-address-pool" => match address_pool(&value.text) {
                Some(pool) => self.engine.address_pools.push(Spanned::new(pool, value.span)),
                None => self.bad(value.span, no_pool(&value.text)),
            },
            "bip" => match value.text.parse() {
                Ok(net) => self.engine.default_bridge = Some(Spanned::new(net, value.span)),
                Err(_) => self.bad(value.span, no_bridge_address(&value.text)),
            },
            "firewall-backend" => {
                let backend = match value.text.as_str() {
                    "iptables" => RuleBackend::Iptables,
                    "nftables" => RuleBackend::Nftables,
                    other => {
                        let message =
                            text!("`{other}` is not a firewall backend", "`{other}`은(는) 방화벽 백엔드가 아닙니다");
                        return self.bad(value.span, message);
                    }
                };
                self.engine.backend = Some(Spanned::new(backend, value.span));
            }
            _ => {}
        }
    }

    fn address(&mut self, value: &Word) -> Option<Spanned<IpAddr>> {
        address(value).map_err(|error| self.out.diagnostics.push(*error)).ok()
    }

    fn switched(&mut self, flag: &Given) -> Option<Spanned<bool>> {
        let switched = flag.switched();
        if switched.is_none() {
            let message = text!(
                "`--{name}` is neither `true` nor `false`",
                "`--{name}`의 값이 `true`도 `false`도 아닙니다",
                name = flag.name
            );
            self.bad(flag.span, message);
        }
        switched
    }

    fn bad(&mut self, span: Span, message: Text) {
        let label = text!("dockerd refuses this", "dockerd가 거부함");
        self.out.diagnostics.push(Diagnostic::new(Code::DockerBadFlag, message).label(span, label));
    }
}

fn no_pool(written: &str) -> Text {
    text!("`{written}` is not `base=SUBNET,size=LENGTH`", "`{written}`: `base=서브넷,size=길이` 형식이 아닙니다")
}

fn no_bridge_address(written: &str) -> Text {
    text!("`{written}` is not an address with prefix length", "`{written}`은(는) 프리픽스 길이가 붙은 주소가 아닙니다")
}

/// `base=10.10.0.0/16,size=24`, in either order.
fn address_pool(text: &str) -> Option<AddressPool> {
    let field = |name: &str| text.split(',').find_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    AddressPool::new(field("base")?.parse().ok()?, field("size")?.parse().ok()?)
}
