//! The pages that `tests/reality/convert.py` writes: a lab as files, phase by phase, and what was seen in each phase.

use std::collections::BTreeMap;

use canreach::frontend::markdown;
use canreach::source::Sources;

/// The versions that ran together.
pub(super) struct Stack {
    pub(super) tag: &'static str,
    variables: [(&'static str, &'static str); 4],
}

pub(super) const STACKS: [Stack; 4] = [
    stack("d20", "20.10.24", "iptables", "1.3.3", "false"),
    stack("d28", "28.5.2", "iptables", "2.5.2", "false"),
    stack("d29", "29.7.2", "iptables", "2.5.2", "false"),
    stack("d29n", "29.7.2", "nftables", "2.5.2", "true"),
];

const fn stack(
    tag: &'static str,
    docker: &'static str,
    backend: &'static str,
    firewalld: &'static str,
    ip_forward: &'static str,
) -> Stack {
    let variables =
        [("$docker", docker), ("$firewall_backend", backend), ("$firewalld", firewalld), ("$ip_forward", ip_forward)];
    Stack { tag, variables }
}

impl Stack {
    /// dockerd 28 listens on ports that it only holds with a backlog of 0 (moby 28.5
    /// libnetwork/drivers/bridge/port_mapping_linux.go, tcpListenBoundPorts); older ones take Go's, which nobody fills.
    pub(super) fn has_queue_of_one(&self) -> bool {
        self.tag == "d28"
    }
}

/// One recorded scenario.
pub(super) struct Page {
    pub(super) name: String,
    pub(super) phases: Vec<Phase>,
}

/// The lab at one moment.
pub(super) struct Phase {
    pub(super) label: String,
    pub(super) files: BTreeMap<String, String>,
    rows: Vec<Row>,
}

/// Who dialled what, and what came of it on each stack.
pub(super) struct Row {
    pub(super) from: String,
    pub(super) protocol: String,
    pub(super) place: String,
    cells: BTreeMap<String, String>,
}

impl Row {
    pub(super) fn dialed(&self) -> String {
        format!("{} {}", self.protocol, self.place)
    }
}

impl Page {
    pub(super) fn read(text: &str) -> Self {
        let mut sections = text.split("\n## ");
        let head = sections.next().unwrap();
        let name = head.lines().next().unwrap().trim_start_matches("# ").to_owned();
        let mut files = BTreeMap::new();
        change(&mut files, head);
        let phases = sections.map(|section| phase(section, &mut files)).collect();
        Self { name, phases }
    }
}

fn phase(section: &str, files: &mut BTreeMap<String, String>) -> Phase {
    change(files, section);
    let label = section.lines().next().unwrap().to_owned();
    Phase { label, files: files.clone(), rows: table(section) }
}

/// `setup.sh` goes on where it ended, other files are replaced, empty ones removed.
fn change(files: &mut BTreeMap<String, String>, text: &str) {
    let source = Sources::default().add("page", text);
    for (name, content) in markdown::split(source, text).into_iter().flat_map(|lab| lab.files) {
        let content = &text[content];
        match name.value.as_str() {
            "setup.sh" => files.entry(name.value).or_default().push_str(content),
            _ if content.is_empty() => drop(files.remove(&name.value)),
            _ => drop(files.insert(name.value, content.to_owned())),
        }
    }
}

fn table(section: &str) -> Vec<Row> {
    let mut lines = section.lines().filter_map(|line| line.strip_prefix("| ")).map(cells);
    let head = lines.next().unwrap();
    lines
        .map(|cells| {
            let (protocol, place) = cells[1].split_once(' ').unwrap();
            let seen = head.iter().zip(&cells).skip(2).filter(|(_, cell)| !cell.is_empty());
            Row {
                from: cells[0].clone(),
                protocol: protocol.to_owned(),
                place: place.to_owned(),
                cells: seen.map(|(tag, cell)| (tag.clone(), cell.clone())).collect(),
            }
        })
        .collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_end_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}

impl Phase {
    /// The rows that were recorded on a stack.
    pub(super) fn rows_of(&self, stack: &Stack) -> impl Iterator<Item = (&Row, &String)> {
        self.rows.iter().filter_map(move |row| Some((row, row.cells.get(stack.tag)?)))
    }

    /// The files of the lab, with the versions of a stack.
    pub(super) fn files_on(&self, stack: &Stack) -> BTreeMap<String, String> {
        let mut files = self.files.clone();
        let lab = files.get_mut("lab.yaml").unwrap();
        // The longer name first: `$firewall_backend` does not begin with `$firewalld`, nor the other way round.
        for (variable, value) in stack.variables {
            *lab = lab.replace(variable, value);
        }
        files
    }
}
