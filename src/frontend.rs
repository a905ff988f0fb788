//! Text of one format in, declarations with spans out. A front-end never fails: what it cannot understand it reports.

pub mod docker;
pub mod engine_options;
pub mod firewalld;
pub mod ip_listing;
pub mod kept_ports;
pub mod lab_file;
pub mod libvirt_network;
pub mod makefile;
pub mod markdown;
pub mod netfilter;
pub mod netplan;
pub mod network_manager;
pub mod placed;
pub mod port_proxy;
pub mod projects;
pub mod ruby;
pub mod sentence_list;
pub mod shell;
pub mod spec_file;
pub mod ssh;
pub mod sysctl;
pub mod systemd;
pub mod vagrant;
pub mod virtualbox;
pub mod windows_commands;
pub mod windows_script;
pub mod wsl_config;
pub mod xml;
pub mod yaml;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::diagnostic::Diagnosed;
use crate::frontend::docker::listing as docker_listing;
use crate::frontend::netfilter::{ipset, iptables_save, nft, ufw};
use crate::frontend::virtualbox::{global_file, listing, machine_file, networks_conf};
use crate::lab::declaration::Declarations;
use crate::lab::{Declaration, Input};
use crate::source::{SourceId, Span, Spanned};

/// The formats that are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// Our own description of what no other file states.
    Lab,
    /// Sentences of the user's repository.
    Specs,
    /// A compose file that `docker compose` reads by itself.
    Compose,
    /// A compose file that `docker compose` lays over another one by itself.
    ComposeOverride,
    /// A compose file that `docker compose` reads only when told to.
    ComposeVariant,
    /// A shell script with docker, dockerd, VBoxManage, firewall-cmd lines.
    Shell,
    /// The same for `cmd`.
    Batch,
    /// The same for PowerShell.
    PowerShell,
    /// The docker daemon's options.
    DaemonJson,
    /// A systemd unit that starts the docker daemon, or an addition to it.
    SystemdUnit,
    /// A VirtualBox machine.
    VirtualBox,
    /// Machines as Vagrant makes them.
    Vagrantfile,
    /// `VirtualBox.xml`: networks that VirtualBox keeps.
    VirtualBoxGlobal,
    /// What `VBoxManage` prints.
    VirtualBoxListing,
    /// `networks.conf`: where host-only networks may lie.
    VirtualBoxRanges,
    /// A firewalld zone.
    FirewalldZone,
    /// A firewalld policy.
    FirewalldPolicy,
    /// A firewalld service.
    FirewalldService,
    /// An ipset of firewalld.
    FirewalldIpSet,
    /// What firewalld gives to iptables as it is.
    FirewalldDirect,
    /// firewalld's global settings.
    FirewalldConf,
    /// What firewalld prints about itself.
    FirewalldListing,
    /// A connection of NetworkManager.
    NetworkManager,
    /// An interface of the network scripts.
    Ifcfg,
    /// What `iptables-save` prints.
    IptablesSave,
    /// Rules of ufw: `before.rules`, `after.rules`, `user.rules`, and those for IPv6.
    UfwRules,
    /// Whether ufw is enabled.
    UfwConf,
    /// ufw's policies.
    UfwDefaults,
    /// What `ufw status` prints.
    UfwStatus,
    /// What `ipset save` prints.
    IpSets,
    /// A rule set of nftables: a listing, or a file for `nft -f`.
    Nft,
    /// netplan's configuration of a machine's interfaces.
    Netplan,
    /// What `ip addr` and `ip route` print.
    IpListing,
    /// What they print with `-json`.
    IpListingJson,
    /// What `virsh net-dumpxml` prints.
    LibvirtNetwork,
    /// What `netsh interface portproxy show` prints.
    PortProxies,
    /// What `netsh interface ipv4 show excludedportrange` and `show dynamicportrange` print.
    KeptPorts,
    /// `.wslconfig`: how WSL is connected.
    WslConfig,
    /// Settings of the kernel: `sysctl.conf`, `sysctl.d/*.conf`.
    Sysctl,
    /// A Markdown page whose code blocks are a lab.
    Markdown,
    /// A Markdown page whose code blocks hold commands; read only when it is named.
    Commands,
    /// A Makefile; read only when it is named.
    Makefile,
    /// What `docker inspect` or `docker ps` prints.
    DockerListing,
    /// A file that is read only because another one names it: `.env`.
    Beside,
    /// A file that can change packets and that we cannot read.
    Foreign,
}

/// A text with its name.
#[derive(Clone, Debug)]
pub struct File {
    /// Names the text.
    pub source: SourceId,
    /// Path relative to where the tool was pointed, with `/` between parts.
    pub path: String,
    /// The content.
    pub text: Arc<str>,
    /// The text in which places count: the whole page when the file stands in one.
    pub whole: Arc<str>,
}

/// Finds a file by its path.
pub type Open<'a> = &'a mut dyn FnMut(&str) -> Option<File>;

/// What a front-end needs to know beside the text.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The compose project's name.
    pub project: String,
    /// Variables for `${…}` in compose files.
    pub variables: BTreeMap<String, String>,
    /// The directory that paths in compose files start from, if it is not the first file's.
    pub directory: Option<String>,
    /// The services of a compose project that are started, with those that they need; none means all.
    pub services: Vec<String>,
}

/// Names that `docker compose` looks for, the preferred one first (compose-go, cli/options.go, `DefaultFileNames`).
pub const COMPOSE_NAMES: [&str; 4] = ["compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"];

/// Whether a file can have one of the formats at all, judged by its path.
pub fn is_candidate(path: &str) -> bool {
    detect(path, "").is_some()
        || matches!(
            extension(path),
            "xml" | "yaml" | "yml" | "md" | "rules" | "save" | "iptables-save" | "v4" | "v6" | "vminfo"
        )
        || may_be_anything(path)
}

/// Whether the name of a file tells nothing about what is in it.
pub fn may_be_anything(path: &str) -> bool {
    matches!(extension(path), "txt" | "out" | "log" | "json" | "nmconnection")
}

/// The format of a file that is read only because somebody names it: it may hold alternatives, or have any name.
pub fn detect_named(path: &str, text: &str) -> Option<Format> {
    let name = file_name(path);
    match extension(name) {
        _ if makefile::is_one(name) => Some(Format::Makefile),
        "md" if text.contains("docker") || text.contains("firewall-cmd") => Some(Format::Commands),
        "yaml" | "yml" => projects::is_compose_text(text).then_some(Format::ComposeVariant),
        _ => None,
    }
}

/// The format of a file, by its path and, where that is not enough, by its text.
pub fn detect(path: &str, text: &str) -> Option<Format> {
    let name = file_name(path);
    let within = |directory: &str| path.rsplit('/').skip(1).any(|part| part == directory);
    if let Some(file) = ufw::file(path) {
        return Some(match file {
            ufw::File::Rules(..) => Format::UfwRules,
            ufw::File::Conf => Format::UfwConf,
            ufw::File::Defaults => Format::UfwDefaults,
        });
    }
    match (name, extension(name)) {
        ("lab.yaml" | "lab.yml", _) => Some(Format::Lab),
        (_, "env") | ("Dockerfile", _) => Some(Format::Beside),
        ("firewalld.conf", _) => Some(Format::FirewalldConf),
        (_, "nmconnection") => text.contains("[connection]").then_some(Format::NetworkManager),
        (name, _) if name.starts_with("ifcfg-") => Some(Format::Ifcfg),
        (name, _) if name.starts_with("route-") && within("network-scripts") => Some(Format::Foreign),
        ("daemon.json", _) => Some(Format::DaemonJson),
        ("docker.service", _) => Some(Format::SystemdUnit),
        (_, "conf") if within("docker.service.d") => Some(Format::SystemdUnit),
        ("Vagrantfile", _) => Some(Format::Vagrantfile),
        (_, "vbox") => Some(Format::VirtualBox),
        ("VirtualBox.xml", _) => Some(Format::VirtualBoxGlobal),
        (name, _) if sysctl::is_one(name, within) => Some(Format::Sysctl),
        (".wslconfig", _) => Some(Format::WslConfig),
        ("networks.conf", _) if within("vbox") => Some(Format::VirtualBoxRanges),
        (_, "json") if ip_listing::is_json(text) => Some(Format::IpListingJson),
        (_, "yaml" | "yml") if within("netplan") || netplan::is_one(text) => Some(Format::Netplan),
        (_, "vminfo") => listing::is_one(text).then_some(Format::VirtualBoxListing),
        (_, "txt" | "out" | "log") => printed(text),
        (_, "sh") => Some(Format::Shell),
        (_, "bat" | "cmd") => Some(Format::Batch),
        (_, "ps1") => Some(Format::PowerShell),
        (_, "rules" | "iptables-save" | "v4" | "v6") if iptables_save::is_one(text) => Some(Format::IptablesSave),
        (_, "ipset") => Some(Format::IpSets),
        (_, "rules" | "save") if ipset::is_one(text) => Some(Format::IpSets),
        (_, "json") if nft::is_one(text) => Some(Format::Nft),
        (_, "nft") | ("nftables.conf", _) => Some(Format::Nft),
        (_, "rules") => nft::is_one(text).then_some(Format::Nft),
        (_, "yaml" | "yml") if COMPOSE_NAMES.contains(&name) => Some(Format::Compose),
        (_, "yaml" | "yml") if is_override(name) => Some(Format::ComposeOverride),
        (_, "yaml" | "yml") if is_variant(name) => Some(Format::ComposeVariant),
        (_, "yaml" | "yml") if within("specs") => Some(Format::Specs),
        (_, "xml") if libvirt_network::is_one(text) => Some(Format::LibvirtNetwork),
        (_, "xml") => firewalld(name, &within, text),
        (_, "json") => docker_listing::is_one(text).then_some(Format::DockerListing),
        (_, "md") => markdown::has_sentences(text).then_some(Format::Markdown),
        _ => None,
    }
}

/// What a program printed, by its text.
fn printed(text: &str) -> Option<Format> {
    if listing::is_one(text) {
        return Some(Format::VirtualBoxListing);
    }
    if docker_listing::is_one(text) {
        return Some(Format::DockerListing);
    }
    if firewalld::listing::is_one(text) {
        return Some(Format::FirewalldListing);
    }
    if ufw::is_status(text) {
        return Some(Format::UfwStatus);
    }
    if port_proxy::is_one(text) {
        return Some(Format::PortProxies);
    }
    if kept_ports::is_one(text) {
        return Some(Format::KeptPorts);
    }
    ip_listing::is_one(text).then_some(Format::IpListing)
}

fn extension(name: &str) -> &str {
    name.rsplit_once('.').map_or("", |(_, extension)| extension)
}

/// The last part of a path.
pub fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// A path without its last part.
pub fn directory_of(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(directory, _)| directory)
}

/// The path that a file in `directory` writes as `written`; nothing when it is absolute. `..` above the top stays.
pub fn beside(directory: &str, written: &str) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in directory.split('/').chain(written.split('/')) {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|p| *p != "..") => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    (!written.starts_with('/')).then(|| parts.join("/"))
}

/// The name of a zone is that of its file; one that is put together from several files has a directory of its own.
fn zone_name(path: &str) -> String {
    let directory = file_name(directory_of(path));
    match directory {
        "zones" | "" => stem(path).to_owned(),
        combined => format!("{combined}/{}", stem(path)),
    }
}

/// The name of a policy or service is that of its file.
fn stem(path: &str) -> &str {
    let name = file_name(path);
    name.rsplit_once('.').map_or(name, |(stem, _)| stem)
}

fn is_override(name: &str) -> bool {
    ["compose.override.", "docker-compose.override."].iter().any(|start| name.starts_with(start))
}

fn is_variant(name: &str) -> bool {
    ["compose.", "docker-compose."].iter().any(|start| name.starts_with(start))
}

fn firewalld(name: &str, within: &impl Fn(&str) -> bool, text: &str) -> Option<Format> {
    if within("zones") && text.contains("<zone") {
        Some(Format::FirewalldZone)
    } else if within("policies") && text.contains("<policy") {
        Some(Format::FirewalldPolicy)
    } else if within("services") && (text.contains("<service>") || text.contains("<service version=")) {
        Some(Format::FirewalldService)
    } else if within("ipsets") && text.contains("<ipset") {
        Some(Format::FirewalldIpSet)
    } else if name == "direct.xml" && text.contains("<direct") {
        Some(Format::FirewalldDirect)
    } else if within("firewalld") && (within("icmptypes") || within("helpers") || name == "lockdown-whitelist.xml") {
        // ICMP types that firewalld does not know itself match no packet, helpers look into open connections, and the
        // whitelist says who may change the configuration.
        Some(Format::Beside)
    } else {
        (within("services") && within("firewalld")).then_some(Format::Foreign)
    }
}

/// Reads the files of one lab of a page, which stands for a directory that is called like the page.
pub fn read_page_lab(page: &File, lab: &markdown::PageLab) -> Diagnosed<Vec<Input>> {
    let files = markdown::files(page, lab);
    let texts = projects::LabTexts { files: &files, folder: stem(&page.path), listed: &[] };
    projects::read_lab(&texts, &mut |path| files.iter().find(|file| file.path == path).cloned())
}

/// Reads what the recipes of a Makefile run.
fn recipes(source: SourceId, text: &str) -> Declarations {
    let Diagnosed { value: (script, variables), diagnostics } = makefile::parse(source, text);
    let mut read = shell::parse_placed(&script, variables);
    read.diagnostics.extend(diagnostics);
    read
}

/// Reads a text of a known format by itself.
pub fn read(format: Format, source: SourceId, path: &str, text: &str, environment: &Environment) -> Declarations {
    match format {
        Format::Lab => lab_file::parse(source, text),
        Format::Specs => spec_file::parse(source, text),
        Format::Compose | Format::ComposeVariant | Format::ComposeOverride => {
            let text: Arc<str> = text.into();
            let file = File { source, path: path.to_owned(), whole: Arc::clone(&text), text };
            docker::compose::parse(&[file], environment, &mut |_| None)
        }
        Format::Shell => shell::parse(source, text),
        Format::Batch => shell::parse_placed(&windows_script::batch(source, text), shell::Variables::new()),
        Format::PowerShell => shell::parse_placed(&windows_script::power_shell(source, text), shell::Variables::new()),
        Format::DaemonJson => docker::daemon_json::parse(source, text),
        Format::SystemdUnit => unit(source, path, text),
        Format::VirtualBox => machine_file::parse(source, text),
        Format::Vagrantfile => machines(source, path, text),
        Format::VirtualBoxGlobal => global_file::parse(source, text),
        Format::VirtualBoxListing => listing::parse(source, text),
        Format::VirtualBoxRanges => networks_conf::parse(source, text),
        Format::FirewalldZone => firewalld::in_layer(path, firewalld::zone::parse_zone(source, &zone_name(path), text)),
        Format::FirewalldPolicy => firewalld::in_layer(path, firewalld::policy::parse_policy(source, stem(path), text)),
        Format::FirewalldService => {
            firewalld::in_layer(path, firewalld::service::parse_service(source, stem(path), text))
        }
        Format::FirewalldIpSet => firewalld::in_layer(path, firewalld::ipset::parse_ipset(source, stem(path), text)),
        Format::FirewalldDirect => firewalld::direct::parse(source, text),
        Format::FirewalldConf => firewalld::conf::parse(source, text),
        Format::FirewalldListing => firewalld::listing::parse(source, text),
        Format::NetworkManager => network_manager::keyfile(source, text),
        Format::Ifcfg => network_manager::ifcfg(source, text),
        Format::IptablesSave => iptables_save::parse(source, path, text),
        Format::UfwRules => match ufw::file(path) {
            Some(ufw::File::Rules(file, family)) => ufw::parse_rules(source, (file, family), text),
            _ => Declarations::default(),
        },
        Format::UfwConf => ufw::parse_conf(source, text),
        Format::UfwDefaults => ufw::parse_defaults(source, text),
        Format::UfwStatus => ufw::parse_status(source, text),
        Format::IpSets => ipset::parse(source, text),
        Format::Nft => nft::parse(source, text),
        Format::Netplan => netplan::parse(source, text),
        Format::IpListing => ip_listing::parse(source, text),
        Format::LibvirtNetwork => libvirt_network::parse(source, text),
        Format::KeptPorts => kept_ports::parse(source, text),
        Format::PortProxies => port_proxy::parse_listing(source, text),
        Format::WslConfig => wsl_config::parse(source, text),
        Format::Sysctl => sysctl::parse(source, text),
        Format::IpListingJson => ip_listing::parse_json(source, text),
        Format::DockerListing => docker_listing::parse(source, text),
        Format::Commands => {
            let script = markdown::commands(source, text);
            script.map(|script| shell::parse_placed(&script, shell::Variables::new())).unwrap_or_default()
        }
        Format::Makefile => recipes(source, text),
        Format::Markdown => sentences(markdown::split(source, text)),
        Format::Beside => Declarations::default(),
        Format::Foreign => unmodeled(source, path, text),
    }
}

fn unit(source: SourceId, path: &str, text: &str) -> Declarations {
    let mut read = systemd::without_events(shell::parse(source, &systemd::start_command(text)));
    let is_addition = extension(file_name(path)) == "conf";
    read.diagnostics.extend(systemd::second_command(source, text, is_addition));
    read
}

fn machines(source: SourceId, path: &str, text: &str) -> Declarations {
    let text: Arc<str> = text.into();
    let file = File { source, path: path.to_owned(), whole: Arc::clone(&text), text };
    let read = vagrant::parse(&file, &mut |_| None);
    Declarations { value: read.value.into_iter().flatten().collect(), diagnostics: read.diagnostics }
}

fn sentences(labs: Vec<markdown::PageLab>) -> Declarations {
    let value =
        labs.into_iter().flat_map(|lab| lab.sentences).map(|s| Declaration::Sentence(s.sentence.into())).collect();
    Diagnosed { value, diagnostics: Vec::new() }
}

fn unmodeled(source: SourceId, path: &str, text: &str) -> Declarations {
    let first_line = text.lines().next().map_or(0, str::len);
    let what = Spanned::new(format!("`{path}`"), Span::new(source, 0, first_line));
    Diagnosed { value: vec![Declaration::Unmodeled(what)], diagnostics: Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_are_told_by_path_and_where_needed_by_text() {
        let check = |path, text, expected| assert_eq!(detect(path, text), expected, "{path}");
        check("a/lab.yaml", "", Some(Format::Lab));
        check("shop/compose.yaml", "", Some(Format::Compose));
        check("docker-compose.yml", "", Some(Format::Compose));
        check("compose.override.yaml", "", Some(Format::ComposeOverride));
        check("docker-compose.prod.yml", "", Some(Format::ComposeVariant));
        check("specs/db.yaml", "", Some(Format::Specs));
        check("values.yaml", "", None);
        check("etc/docker/daemon.json", "{}", Some(Format::DaemonJson));
        check("etc/systemd/system/docker.service.d/10-options.conf", "", Some(Format::SystemdUnit));
        check("a.conf", "", None);
        check("rocky.vbox", "", Some(Format::VirtualBox));
        check("etc/netplan/01.yaml", "", Some(Format::Netplan));
        check("01-netcfg.yaml", "network:\n  ethernets:\n    eth0: {dhcp4: true}\n", Some(Format::Netplan));
        check("values.yaml", "network:\n  name: x\n", None);
        check("a/ip.txt", "2: eth0: <UP> mtu 1500\n", Some(Format::IpListing));
        check("a/ip.txt", "default via 10.0.2.2 dev eth0\n", Some(Format::IpListing));
        check("a/ip.json", "[{\"ifname\": \"lo\", \"addr_info\": []}]", Some(Format::IpListingJson));
        check("rocky.vbox-prev", "", None);
        check("VirtualBox.xml", "", Some(Format::VirtualBoxGlobal));
        check("etc/vbox/networks.conf", "* 10.0.0.0/8", Some(Format::VirtualBoxRanges));
        check("web.txt", "name=\"web\"\nnic1=\"nat\"\n", Some(Format::VirtualBoxListing));
        check("nets.txt", "NAT Networks:\n\nName: n\n", Some(Format::VirtualBoxListing));
        check("notes.txt", "Name: nobody\nNetwork: none\n", None);
        check("etc/firewalld/zones/public.xml", "<zone>", Some(Format::FirewalldZone));
        check("etc/firewalld/policies/p.xml", "<policy>", Some(Format::FirewalldPolicy));
        check("etc/firewalld/services/x.xml", "<service>", Some(Format::FirewalldService));
        check("etc/firewalld/ipsets/x.xml", "<ipset>", Some(Format::FirewalldIpSet));
        check("etc/firewalld/direct.xml", "<direct/>", Some(Format::FirewalldDirect));
        check("etc/firewalld/icmptypes/x.xml", "<icmptype/>", Some(Format::Beside));
        check("zones.txt", "public\n  target: default\n", Some(Format::FirewalldListing));
        check("notes.txt", "target: default\n", None);
        check("etc/sysconfig/network-scripts/ifcfg-eth0", "", Some(Format::Ifcfg));
        check("lan.nmconnection", "[connection]\n", Some(Format::NetworkManager));
        check("etc/iptables/rules.v4", "*filter\nCOMMIT\n", Some(Format::IptablesSave));
        check("99-usb.rules", "SUBSYSTEM==\"usb\"", None);
        check("pom.xml", "<project>", None);
        check("README.md", "# Hello", None);
        check("README.md", "```canreach\na can reach b:1\n```", Some(Format::Markdown));
    }
}
