//! A lab that is predicted wrongly, made as small as it can be while it still is.

use super::draft::Draft;
use super::topology;

/// Words that begin a part of a command of docker that can be left out.
const WORDS: [&str; 3] = [" -p ", " -o ", " --"];
/// Options of dockerd, docker network and docker run whose value is the next word.
const VALUED: [&str; 6] = [" -p ", " -o ", " --network ", " --subnet ", " --gateway ", " --publish "];
/// What every lab needs, and options without which a line says nothing.
const NEEDED: [&str; 8] =
    ["dockerd", "systemctl start firewalld", "DefaultZone", "<?xml", "<zone", "</zone", "<policy", "</policy"];
const NEEDED_WORDS: [&str; 3] = [" --name ", " --network container", " --zone"];

/// Tries to leave things out, one after the other, as often as `tries` allows. What is needed only because of something
/// that went later is tried again.
pub(super) fn shrink(draft: Draft, tries: usize, differs: impl Fn(&Draft) -> bool) -> Draft {
    let mut smallest = draft;
    let (mut position, mut is_smaller) = (0, false);
    for _ in 0..tries {
        match without(&smallest, position) {
            Some(smaller) if differs(&smaller) => {
                smallest = smaller;
                is_smaller = true;
            }
            Some(_) => position += 1,
            None if is_smaller => (position, is_smaller) = (0, false),
            None => break,
        }
    }
    smallest
}

/// The lab without its part number `position`: a host, a container with all that is said of it, a whole file, a line,
/// or a part of a line.
fn without(draft: &Draft, position: usize) -> Option<Draft> {
    let hosts = (0..).map_while(|n| topology::without(&draft.hosts, n)).map(|hosts| draft.with_hosts(hosts));
    let containers = draft.containers().map(|name| {
        let script = without_container(&draft.files["setup.sh"], name);
        draft.with("setup.sh", Some(script))
    });
    let parts = draft.files.iter().filter(|(name, _)| *name != "lab.yaml").flat_map(|(name, text)| {
        let whole = (name != "setup.sh" && !name.ends_with(".conf")).then_some(None);
        let lines = (0..text.lines().count()).filter_map(move |n| without_line(text, n)).map(Some);
        let words = parts_of_lines(text).into_iter().map(Some);
        whole.into_iter().chain(lines).chain(words).map(move |smaller| draft.with(name, smaller))
    });
    hosts.chain(containers.filter(|smaller| smaller.files != draft.files)).chain(parts).nth(position)
}

/// A script without the lines that speak of a container.
fn without_container(script: &str, name: &str) -> String {
    let speaks = |line: &&str| line.starts_with("docker ") && line.split([' ', ':']).any(|word| word == name);
    script.lines().filter(|line| !speaks(line)).map(|line| format!("{line}\n")).collect()
}

fn without_line(text: &str, number: usize) -> Option<String> {
    let line = text.lines().nth(number)?;
    let is_needed = NEEDED.iter().any(|needed| line.contains(needed));
    let others = text.lines().enumerate().filter(|(n, _)| *n != number);
    (!is_needed).then(|| others.map(|(_, line)| format!("{line}\n")).collect())
}

/// The text without one option of one line.
fn parts_of_lines(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    for (at, _) in text.char_indices().filter(|(at, _)| WORDS.iter().any(|word| text[*at..].starts_with(word))) {
        let rest = &text[at..];
        let line = text[..at].rsplit('\n').next().unwrap();
        let is_option_of_docker = line.starts_with("docker");
        if !is_option_of_docker || NEEDED_WORDS.iter().any(|word| rest.starts_with(word)) {
            continue;
        }
        // An option ends before the next word, and its value, if it has one, with that.
        let has_value = VALUED.iter().any(|option| rest.starts_with(option));
        let mut ends = rest.match_indices([' ', '\n']).map(|(end, _)| end).filter(|end| *end > 0);
        if let Some(end) = ends.nth(usize::from(has_value)) {
            all.push(format!("{}{}", &text[..at], &rest[end..]));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(script: &str) -> Draft {
        let mut draft = Draft::default();
        draft.hosts = topology::all();
        draft.add_container("c1", &["3000/tcp"]);
        draft.add_container("c2", &["3000/tcp"]);
        let zone = "<?xml version=\"1.0\"?>\n<zone>\n  <masquerade/>\n  <port port=\"22\"/>\n</zone>\n";
        draft.with("setup.sh", Some(script.to_owned())).with("etc/firewalld/zones/public.xml", Some(zone.to_owned()))
    }

    const SCRIPT: &str = "dockerd --icc=false --ip=127.0.0.1\n\
                          docker network create -o a=b --subnet 10.0.0.0/24 front\n\
                          docker run -d --name c1 --network front -p 1:2 -p 3:4 image\n\
                          docker run -d --name c2 --network container:c1 image\n\
                          docker network connect front c1\n";

    #[test]
    fn what_is_left_is_what_the_difference_needs() {
        let check = |needs: &[&str], script: &str, zone: Option<&str>, hosts: &[&str]| {
            let differs = |draft: &Draft| {
                let said: String = draft.files.values().map(String::as_str).collect();
                needs.iter().all(|needed| said.contains(needed))
            };
            let smallest = shrink(draft(SCRIPT), 1000, differs);
            assert_eq!(smallest.files["setup.sh"], script);
            assert_eq!(smallest.files.get("etc/firewalld/zones/public.xml").map(String::as_str), zone);
            let left: Vec<&str> = smallest.hosts.iter().map(|host| host.name).skip(3).collect();
            assert_eq!(left, hosts);
        };
        check(&["--ip=127.0.0.1"], "dockerd --ip=127.0.0.1\n", None, &[]);
        check(&["-p 3:4"], "dockerd\ndocker run -d --name c1 -p 3:4 image\n", None, &[]);
        check(
            &["container:c1", "  quiet:"],
            "dockerd\ndocker run -d --name c2 --network container:c1 image\n",
            None,
            &["quiet"],
        );
        check(&["-o a=b"], "dockerd\ndocker network create -o a=b front\n", None, &[]);
        let zone = "<?xml version=\"1.0\"?>\n<zone>\n  <masquerade/>\n</zone>\n";
        check(&["<masquerade/>"], "dockerd\n", Some(zone), &[]);
    }

    #[test]
    fn what_was_needed_only_by_something_else_goes_too() {
        // The network cannot go before the option has gone, which comes later.
        let differs = |draft: &Draft| {
            let script = &draft.files["setup.sh"];
            script.contains(" front") || !script.contains("--icc")
        };
        assert_eq!(shrink(draft(SCRIPT), 1000, differs).files["setup.sh"], "dockerd\n");
    }

    #[test]
    fn it_ends_after_so_many_tries() {
        let asked = std::cell::Cell::new(0);
        let differs = |_: &Draft| {
            asked.set(asked.get() + 1);
            true
        };
        shrink(draft(SCRIPT), 7, differs);
        assert_eq!(asked.get(), 7);
    }
}
