//! One lab as files, as listings and as command lines, all made by VBoxManage 7.2.22: every form gives the same
//! dataplane. And the table of `specs/vbox-files.md` against real files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use canreach::dataplane;
use canreach::lower;

use crate::support::lab_of;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn fixture(name: &str) -> String {
    fs::read_to_string(root().join("tests/virtualbox").join(name)).unwrap()
}

/// The dataplane without the places that its elements come from.
fn plane(networks: &str, web: &str, db: &str, files: &[&str]) -> String {
    let lab = format!(
        "networks:\n  lan: {{subnet: 192.0.2.0/24}}\nhosts:\n  pc:\n    os: linux\n    virtualbox: {{version: 7.2.22}}\n    \
         files: [{networks}]\n    interfaces: {{eth0: {{network: lan, address: 192.0.2.2/24}}}}\n    \
         listen: [\"127.0.0.1:8000\", \"127.0.0.2:8001\"]\n  web: {{on: pc, vm: {web}, listen: [22, 3000, 53/udp]}}\n  \
         db: {{on: pc, vm: {db}, listen: [5432]}}\n"
    );
    let texts: Vec<(&str, String)> = files.iter().map(|name| (*name, fixture(name))).collect();
    let mut named: Vec<(&str, &str)> = texts.iter().map(|(name, text)| (*name, text.as_str())).collect();
    named.push(("lab.yaml", &lab));
    let dump = dataplane::dump::dump(&lower::lower(&lab_of(&named)));
    let lines = dump.lines().map(|line| line.split("  # ").next().unwrap().trim_end());
    lines.collect::<Vec<_>>().join("\n")
}

fn same(expected: &str, found: &str) {
    let only =
        |a: &str, b: &str| a.lines().filter(|line| !b.lines().any(|l| l == *line)).collect::<Vec<_>>().join("\n");
    assert!(expected == found, "missing:\n{}\n\nadded:\n{}\n", only(expected, found), only(found, expected));
}

#[test]
fn every_form_of_a_lab_gives_the_same_dataplane() {
    let files = plane("VirtualBox.xml", "web.vbox", "db.vbox", &["VirtualBox.xml", "web.vbox", "db.vbox"]);
    // What the lab is about is in it.
    for part in ["NAT of web", "NAT of network NatNet1", "5433", "2222", "10.0.3.3", "10.9.8.2", "192.168.56.110"] {
        assert!(files.contains(part), "{part} is missing:\n{files}");
    }
    let for_programs = plane("networks.txt", "web", "db", &["networks.txt", "machine.txt"]);
    same(&files, &for_programs);
    let for_people = plane("networks.txt", "web", "db", &["networks.txt", "human.txt"]);
    // For people, 7.2.22 does not print which network the NAT of an adapter has: the default is taken.
    same(&files.replace("10.9.8.", "10.0.4."), &for_people);
    let lines = plane("lab.sh", "web", "db", &["lab.sh"]);
    same(&files, &lines);
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
    let directories = [root().join("tests/virtualbox"), root().join("../shared/oracle/vbox")];
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
