//! One lab as files, as listings and as command lines, all made by VBoxManage 7.2.22: every form gives the same
//! dataplane. And the table of `specs/vbox-files.md` against real files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::cli::canreach_in;
use crate::support::{Directory, plane_of, same_lines};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> String {
    fs::read_to_string(root().join("tests/virtualbox").join(name)).unwrap()
}

fn plane(networks: &str, web: &str, db: &str, files: &[&str]) -> String {
    let lab = format!(
        "networks:\n  lan: {{subnet: 192.0.2.0/24}}\nhosts:\n  pc:\n    os: linux\n    virtualbox: {{version: 7.2.22}}\n    \
         files: [{networks}]\n    interfaces: {{eth0: {{network: lan, address: 192.0.2.2/24}}}}\n    \
         listen: [\"127.0.0.1:8000\", \"127.0.0.2:8001\"]\n  web: {{on: pc, vm: {web}, listen: [22, 3000, 53/udp]}}\n  \
         db: {{on: pc, vm: {db}, listen: [5432]}}\n"
    );
    plane_with(&lab, "", files)
}

/// With files of one directory.
fn plane_with(lab: &str, directory: &str, files: &[&str]) -> String {
    let texts: Vec<(&str, String)> = files.iter().map(|name| (*name, fixture(&format!("{directory}{name}")))).collect();
    let mut named: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    named.push(("lab.yaml", lab));
    plane_of(&named)
}

#[test]
fn every_form_of_a_lab_gives_the_same_dataplane() {
    let files = plane("VirtualBox.xml", "web.vbox", "db.vbox", &["VirtualBox.xml", "web.vbox", "db.vbox"]);
    // What the lab is about is in it.
    for part in ["NAT of web", "NAT of network NatNet1", "5433", "2222", "10.0.3.3", "10.9.8.2", "192.168.56.110"] {
        assert!(files.contains(part), "{part} is missing:\n{files}");
    }
    let for_programs = plane("networks.txt", "web", "db", &["networks.txt", "machine.txt"]);
    same_lines(&files, &for_programs);
    let for_people = plane("networks.txt", "web", "db", &["networks.txt", "human.txt"]);
    // For people, 7.2.22 does not print which network the NAT of an adapter has: the default is taken.
    same_lines(&files.replace("10.9.8.", "10.0.4."), &for_people);
    let lines = plane("lab.sh", "web", "db", &["lab.sh"]);
    same_lines(&files, &lines);
}

/// The lab of `notations/`. Only a Vagrantfile says which addresses the guests have, and not that on the NAT network.
fn in_notation(networks: &str, [web, db]: [&str; 2], files: &[&str]) -> String {
    let addresses = |list: &str| if web == "Vagrantfile" { "" } else { list }.to_owned();
    let web_addresses = addresses(
        "enp0s8: {adapter: 2, address: 192.168.56.10/24}, enp0s9: {adapter: 3, address: 192.0.2.60/24}, \
         enp0s10: {adapter: 4, address: 10.9.0.4/24}",
    );
    let db_addresses =
        addresses("enp0s8: {adapter: 2, address: 192.168.56.11/24}, enp0s9: {adapter: 3, address: 10.9.0.5/24}, ");
    let lab = format!(
        "networks:\n  lan: {{subnet: 192.0.2.0/24}}\nhosts:\n  pc:\n    os: linux\n    virtualbox: {{version: 7.2.22}}\n    \
         files: [{networks}]\n    interfaces: {{eth0: {{network: lan, address: 192.0.2.2/24}}}}\n    \
         listen: [\"127.0.0.1:8000\", \"127.0.0.2:8001\"]\n  \
         web:\n    on: pc\n    vm: {web}\n    listen: [22, 3000, 53/udp]\n    interfaces: {{{web_addresses}}}\n  \
         db:\n    on: pc\n    vm: {db}\n    listen: [22, 5432]\n    \
         interfaces: {{{db_addresses}enp0s10: {{adapter: 4, address: 10.0.3.9/24}}}}\n"
    );
    plane_with(&lab, "notations/", files)
}

#[test]
fn a_lab_is_the_same_in_every_notation() {
    let files = in_notation("VirtualBox.xml", ["web.vbox", "db.vbox"], &["VirtualBox.xml", "web.vbox", "db.vbox"]);
    for part in ["2222", "2200", "5353", "5433", "10.0.3.9", "192.168.56.11", "10.9.0.5", "192.0.2.60"] {
        assert!(files.contains(part), "{part} is missing:\n{files}");
    }
    same_lines(&files, &in_notation("networks.txt", ["web", "db"], &["networks.txt", "machine.txt"]));
    same_lines(&files, &in_notation("networks.txt", ["web", "db"], &["networks.txt", "human.txt"]));
    same_lines(&files, &in_notation("lab.sh", ["web", "db"], &["lab.sh"]));
    // Vagrant makes no NAT networks: those stay in the files of the installation.
    let by_vagrant = ["VirtualBox.xml", "Vagrantfile"];
    same_lines(&files, &in_notation("VirtualBox.xml", ["Vagrantfile", "Vagrantfile"], &by_vagrant));
}

/// A listing as Windows PowerShell writes it into a file, and everything that may want what Windows keeps.
#[test]
fn ports_that_windows_keeps_are_named_where_they_are_wanted() {
    let listing = "프로토콜 tcp 포트 제외 범위\r\n\r\n시작 포트    끝 포트\r\n----------    --------\r\n      2963        3062\r\n";
    let utf16: Vec<u8> = [0xfeff].into_iter().chain(listing.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let script = "@echo off\r\nset VM=web\r\nVBoxManage createvm --name %VM% --ostype Debian_64 --register\r\n\
                  VBoxManage modifyvm %VM% ^\r\n  --natpf1 \"web,tcp,,3000,,80\" --natpf1 \"other,tcp,,8080,,80\"\r\n\
                  docker run -d --name site -p 3001:80 nginx\r\n\
                  netsh interface portproxy add v4tov4 listenport=3002 connectaddress=127.0.0.1 connectport=8080\r\n";
    let lab = "networks: {lan: {subnet: 192.0.2.0/24}}\nhosts:\n  pc:\n    os: windows\n    files: [ports.txt, setup.cmd]\n    \
               interfaces: {Ethernet: {network: lan, address: 192.0.2.2/24}}\n  web: {on: pc, vm: web, listen: [80]}\n\
               sentences:\n  - pc can reach web:80 at localhost:3000\n  - pc can reach web:80 at localhost:8080\n";
    let files: [(&str, &[u8]); 3] =
        [("ports.txt", &utf16), ("setup.cmd", script.as_bytes()), ("lab.yaml", lab.as_bytes())];
    let directory = Directory::with(&files);
    let wanted = [
        "Windows on `pc` keeps port 3000/tcp for itself",
        "Windows on `pc` keeps port 3001/tcp for itself",
        "Windows on `pc` keeps port 3002/tcp for itself",
        "docker does not start this container",
        "2963        3062",
        "2 sentences: 1 holds, 1 violated",
    ];
    canreach_in(directory.path(), &["check", "."]).check(1, &wanted);
}

/// Which attributes of which elements the tables name; nothing stands for all.
fn table() -> BTreeMap<String, Option<Vec<String>>> {
    let page = fs::read_to_string(root().join("specs/vbox-files.md")).unwrap();
    let mut table: BTreeMap<String, Option<Vec<String>>> = BTreeMap::new();
    for row in page.lines().filter(|line| line.starts_with("| `")) {
        let cells: Vec<&str> = row.split('|').map(str::trim).collect();
        assert!(["read", "irrelevant"].contains(&cells[3]), "{row}");
        let names = |cell: &str| cell.split('`').skip(1).step_by(2).map(str::to_owned).collect::<Vec<_>>();
        for element in names(cells[1]) {
            let known = table.entry(element).or_insert_with(|| Some(Vec::new()));
            match names(cells[2]).as_slice() {
                [all] if all == "*" => *known = None,
                attributes => known.iter_mut().for_each(|list| list.extend_from_slice(attributes)),
            }
        }
    }
    table
}

fn not_in_table(text: &str, table: &BTreeMap<String, Option<Vec<String>>>) -> Vec<String> {
    let document = roxmltree::Document::parse(text).unwrap();
    let mut missing = Vec::new();
    for node in document.descendants().filter(roxmltree::Node::is_element) {
        let name = node.tag_name().name();
        let is_inside_all = node.ancestors().skip(1).any(|a| table.get(a.tag_name().name()) == Some(&None));
        match table.get(name) {
            _ if is_inside_all => {}
            None => missing.push(name.to_owned()),
            Some(None) => {}
            Some(Some(known)) => {
                let unknown = node.attributes().filter(|a| !known.iter().any(|k| k == a.name()));
                missing.extend(unknown.map(|a| format!("{name}/@{}", a.name())));
            }
        }
    }
    missing
}

fn real_files() -> Vec<PathBuf> {
    let directories =
        ["tests/virtualbox", "tests/virtualbox/notations", "../shared/oracle/vbox"].map(|name| root().join(name));
    let entries = directories.iter().filter(|d| d.is_dir()).flat_map(|d| fs::read_dir(d).unwrap());
    let paths = entries.map(|entry| entry.unwrap().path());
    paths.filter(|path| path.extension().is_some_and(|e| e == "vbox" || e == "xml")).collect()
}

#[test]
fn every_attribute_of_real_files_is_in_the_table() {
    let table = table();
    let check = |path: &Path| {
        let missing = not_in_table(&fs::read_to_string(path).unwrap(), &table);
        assert!(missing.is_empty(), "{}: {missing:?}", path.display());
    };
    let files = real_files();
    assert!(4 <= files.len(), "{files:?}");
    files.iter().for_each(|path| check(path));
    assert_eq!(not_in_table("<NAT colour='red'><Wormhole/></NAT>", &table), ["NAT/@colour", "Wormhole"]);
}
