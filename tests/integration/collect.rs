//! What is collected on a machine is a lab. The programs are stand-ins that print what the real ones print.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

use crate::cli::canreach_in;
use crate::support::Directory;

const INSPECT: &str = r#"[{"Id": "4f1c", "Name": "/web", "State": {"Status": "running", "Running": true},
  "Config": {"Image": "nginx", "Env": ["SECRET=1"], "ExposedPorts": {"80/tcp": {}}},
  "HostConfig": {"NetworkMode": "bridge", "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "8080"}]}},
  "NetworkSettings": {"Ports": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "8080"}]},
    "Networks": {"bridge": {"IPAddress": "172.17.0.2", "IPPrefixLen": 16, "Gateway": "172.17.0.1"}}}}]"#;

const ADDRESSES: &str = r#"[{"ifname": "lo", "addr_info": [{"family": "inet", "local": "127.0.0.1", "prefixlen": 8}]},
  {"ifname": "enp1s0", "address": "52:54:00:12:34:56", "operstate": "UP",
   "addr_info": [{"family": "inet", "local": "10.20.0.7", "prefixlen": 24}]}]"#;

/// Programs by name and shell text.
fn programs(all: &[(&str, &str)]) -> Directory {
    let texts: Vec<(&str, String)> = all.iter().map(|(name, text)| (*name, format!("#!/bin/sh\n{text}\n"))).collect();
    let files: Vec<(&str, &[u8])> = texts.iter().map(|(name, text)| (*name, text.as_bytes())).collect();
    let directory = Directory::with(&files);
    for (name, _) in all {
        fs::set_permissions(directory.path().join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    directory
}

fn collect(programs: &Directory, into: &Path) -> Output {
    let command = Path::new(env!("CARGO_BIN_EXE_canreach"));
    Command::new(command).args(["collect", into.to_str().unwrap()]).env("PATH", programs.path()).output().unwrap()
}

#[test]
fn the_listings_of_a_machine_are_a_lab() {
    let docker =
        format!("case \"$1 $2\" in 'ps --all') echo 4f1c;; 'inspect 4f1c') printf '%s' '{INSPECT}';; *) exit 1;; esac");
    let ip = format!("case \"$2\" in address) printf '%s' '{ADDRESSES}';; *) printf '[]';; esac");
    let programs = programs(&[("docker", &docker), ("ip", &ip), ("ufw", "echo 'you need to be root' >&2; exit 1")]);
    let place = Directory::with(&[]);
    let lab = place.path().join("lab");
    let output = collect(&programs, &lab);
    let (said, complained) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "{said}{complained}");
    for wanted in ["docker-containers.json", "ip-address.json", "not here: VBoxManage, firewall-cmd", "passwords"] {
        assert!(said.contains(wanted), "`{wanted}` is missing in\n{said}");
    }
    assert!(complained.contains("`ufw status verbose` failed: you need to be root"), "{complained}");
    assert!(!lab.join("ip-route.json").exists());
    canreach_in(&lab, &["ask", ".", "lan can reach web:80 at 10.20.0.7:8080"]).check(0, &["1 holds"]);
    assert_eq!(collect(&programs, &lab).status.code(), Some(2), "nothing is written over");
}

#[test]
fn a_machine_with_nothing_is_no_lab() {
    let place = Directory::with(&[]);
    let output = collect(&programs(&[]), &place.path().join("lab"));
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("nothing was found"));
}
