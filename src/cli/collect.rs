//! `canreach collect`: the listings of the machine at hand, written into a directory that is a lab. Every command only
//! reads.

use std::fs;
use std::io;
use std::path::Path;
use std::process::Command;

use super::args::CollectArguments;
use super::{Exit, terminal};

/// A file, and the command whose output it is.
struct Listing {
    file: String,
    command: Vec<String>,
}

/// Commands that need to know nothing, by file.
const PLAIN: [(&str, &str); 11] = [
    ("ip-address.json", "ip -json address"),
    ("ip-route.json", "ip -json route"),
    ("firewalld-zones.txt", "firewall-cmd --list-all-zones"),
    ("firewalld-policies.txt", "firewall-cmd --list-all-policies"),
    ("ufw-status.txt", "ufw status verbose"),
    ("virtualbox-natnets.txt", "VBoxManage list natnets"),
    ("virtualbox-natnetworks.txt", "VBoxManage natnetwork list"),
    ("virtualbox-hostonlyifs.txt", "VBoxManage list hostonlyifs"),
    ("virtualbox-hostonlynets.txt", "VBoxManage list hostonlynets"),
    ("virtualbox-dhcpservers.txt", "VBoxManage list dhcpservers"),
    ("virtualbox-bridgedifs.txt", "VBoxManage list bridgedifs"),
];

/// The same on Windows.
const WINDOWS: [(&str, &str); 3] = [
    ("excluded-tcp-ports.txt", "netsh interface ipv4 show excludedportrange protocol=tcp"),
    ("excluded-udp-ports.txt", "netsh interface ipv4 show excludedportrange protocol=udp"),
    ("port-proxies.txt", "netsh interface portproxy show all"),
];

/// What became of a command.
enum Outcome {
    Printed(String),
    NotHere,
    Failed(String),
}

pub(super) fn run(arguments: &CollectArguments) -> Exit {
    let directory = &arguments.directory;
    if fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some()) {
        terminal::complain(&format!("`{}` is not empty; name a new directory", directory.display()));
        return Exit::Unusable;
    }
    let mut missing: Vec<String> = Vec::new();
    let mut written = 0;
    for listing in listings(&mut missing) {
        match outcome(&listing.command) {
            Outcome::Printed(text) if text.trim().is_empty() || text.trim() == "[]" => {}
            Outcome::Printed(text) => match write(directory, &listing.file, &text) {
                Ok(()) => {
                    terminal::print(&format!("{:30} {}\n", listing.file, shown(&listing.command)));
                    written += 1;
                }
                Err(error) => {
                    terminal::complain(&format!("cannot write `{}`: {error}", directory.join(&listing.file).display()));
                    return Exit::Unusable;
                }
            },
            other => complain(&listing.command, other, &mut missing),
        }
    }
    finish(directory, written, &missing)
}

fn finish(directory: &Path, written: usize, missing: &[String]) -> Exit {
    if !missing.is_empty() {
        terminal::print(&format!("not here: {}\n", missing.join(", ")));
    }
    if written == 0 {
        terminal::complain("nothing was found that canreach could read");
        return Exit::Unusable;
    }
    if directory.join("docker-containers.json").exists() {
        terminal::print(
            "docker-containers.json has the variables of containers, passwords among them: mind who gets it\n",
        );
    }
    let directory = directory.display();
    terminal::print(&format!("\n  $ canreach init {directory}\n  $ canreach check {directory}\n"));
    Exit::Holds
}

/// All commands; some are about what others list.
fn listings(missing: &mut Vec<String>) -> Vec<Listing> {
    let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
    let of_system = WINDOWS.iter().filter(|_| cfg!(windows));
    let mut all: Vec<Listing> = PLAIN
        .iter()
        .chain(of_system)
        .map(|(file, text)| Listing { file: (*file).to_owned(), command: words(text) })
        .collect();
    for (file, list, inspect) in [
        ("docker-containers.json", "docker ps --all --quiet", "docker inspect"),
        ("docker-networks.json", "docker network ls --quiet", "docker network inspect"),
    ] {
        let listed = printed(&words(list), missing);
        let names: Vec<String> = listed.split_whitespace().map(str::to_owned).collect();
        if !names.is_empty() {
            all.push(Listing { file: file.to_owned(), command: [words(inspect), names].concat() });
        }
    }
    for line in printed(&words("VBoxManage list vms"), missing).lines() {
        // "name" {identity}
        let Some((name, identity)) = line.rsplit_once(' ') else { continue };
        let name: String = name.trim_matches('"').chars().map(|c| if c.is_alphanumeric() { c } else { '-' }).collect();
        let command = [words("VBoxManage showvminfo"), vec![identity.to_owned()], words("--machinereadable")].concat();
        all.push(Listing { file: format!("{name}.vminfo"), command });
    }
    all
}

fn printed(command: &[String], missing: &mut Vec<String>) -> String {
    match outcome(command) {
        Outcome::Printed(text) => text,
        other => {
            complain(command, other, missing);
            String::new()
        }
    }
}

fn complain(command: &[String], outcome: Outcome, missing: &mut Vec<String>) {
    match outcome {
        Outcome::Printed(_) => {}
        Outcome::NotHere => {
            let program = command.first().cloned().unwrap_or_default();
            if !missing.contains(&program) {
                missing.push(program);
            }
        }
        Outcome::Failed(why) => terminal::complain(&format!("`{}` failed: {why}", shown(command))),
    }
}

fn outcome(command: &[String]) -> Outcome {
    let [program, arguments @ ..] = command else { return Outcome::NotHere };
    match Command::new(program).args(arguments).env("LC_ALL", "C").output() {
        Ok(output) if output.status.success() => Outcome::Printed(String::from_utf8_lossy(&output.stdout).into_owned()),
        Ok(output) => Outcome::Failed(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Outcome::NotHere,
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn shown(command: &[String]) -> String {
    match command {
        [first, second, third, _, more @ ..] if !more.is_empty() => format!("{first} {second} {third} …"),
        all => all.join(" "),
    }
}

fn write(directory: &Path, file: &str, text: &str) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    fs::write(directory.join(file), text)
}
