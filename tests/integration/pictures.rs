//! Pictures and pages: what is in them, and that nothing in them is broken, whatever the names in a lab are.

mod browser;
mod drawn;
mod page;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::slice;

use canreach::check::{self, Attempt, Checked};
use canreach::cli::load;
use canreach::dataplane::Dataplane;
use canreach::lab::{self, Lab};
use canreach::language::Language;
use canreach::lower;
use canreach::report::Report;
use canreach::report::html::{self, Page};
use canreach::report::mermaid;
use canreach::report::picture::svg::{self, Shown};
use canreach::report::picture::{self, Picture, dot};
use canreach::source::Sources;

use crate::support::Directory;

/// A lab that was drawn.
struct Scene {
    sources: Sources,
    lab: Lab,
    dataplane: Dataplane,
    picture: Picture,
    checked: Checked,
    attempts: Vec<Option<Attempt>>,
}

impl Scene {
    fn open(directory: &Path) -> Self {
        let loaded = load::load(slice::from_ref(&directory.to_owned())).unwrap();
        let (sources, lab) = (loaded.sources, lab::resolve(&loaded.labs[0].inputs).value);
        let dataplane = lower::lower(&lab);
        let picture = picture::picture(&lab, &dataplane, Language::English);
        let checked = check::check_all(&lab, &dataplane, &sources, &lab.sentences).unwrap();
        let attempt = |judgement| check::attempt(&lab, &dataplane, &sources, judgement).unwrap();
        let attempts = checked.judgements.iter().map(attempt).collect();
        Self { sources, lab, dataplane, picture, checked, attempts }
    }

    /// Sentence and way, for all sentences that have one.
    fn shown(&self) -> Vec<Shown> {
        let both = self.checked.judgements.iter().zip(&self.attempts);
        let shown = |(judgement, attempt): (_, &Option<Attempt>)| {
            let way = picture::way(&self.picture, &self.dataplane, &attempt.as_ref()?.witness, Language::English)?;
            Some(Shown::of(judgement, way, Language::English))
        };
        both.filter_map(shown).collect()
    }

    fn page(&self, title: &str) -> String {
        self.page_in(title, Language::English)
    }

    fn page_in(&self, title: &str, language: Language) -> String {
        let exposure = check::exposure(&self.lab, &self.dataplane).unwrap();
        let report = Report {
            judgements: self.checked.judgements.clone(),
            diagnostics: self.checked.diagnostics.clone(),
            dataplane: self.dataplane.clone(),
        };
        let (sources, picture, attempts) = (&self.sources, &self.picture, &self.attempts);
        html::page(&Page { title, report: &report, sources, picture, attempts, exposure: &exposure, language })
    }

    /// The picture in words, what its wires join, and where every sentence leads.
    fn structure(&self) -> String {
        let mut text = self.picture.in_words();
        let name = |id| {
            let houses = self.picture.all_houses();
            let house = houses.iter().find(|(house, _)| house.id == id).map(|(house, _)| house.title.clone());
            let mut doors = houses.iter().flat_map(|(house, _)| house.doors.iter().map(|door| (&house.title, door)));
            house.or_else(|| doors.find(|(_, d)| d.id == id).map(|(title, d)| format!("{title}'s {}", d.lines[0])))
        };
        text += "\n";
        for wire in &self.picture.wires {
            text += &format!("wire: {} -- {}\n", name(wire.from).unwrap(), name(wire.to).unwrap());
        }
        for shown in self.shown() {
            text += &format!("\n{}: {}\n", shown.sentence, shown.verdict);
            for stop in &shown.way.stops {
                text += &format!("  at {}: {:?}\n", name(stop.at).unwrap(), stop.fate);
                stop.lines.iter().for_each(|line| text += &format!("      {line}\n"));
            }
        }
        text
    }
}

/// What `canreach teach` writes as a page.
fn taught(locale: &str, topic: &[&str]) -> String {
    let directory = Directory::with(&[("empty", b"")]);
    let mut canreach = Command::new(env!("CARGO_BIN_EXE_canreach"));
    canreach.arg("teach").args(topic).args(["--output", "page.html"]).current_dir(directory.path());
    let output = canreach.env_clear().env("LANG", locale).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    fs::read_to_string(directory.path().join("page.html")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn examples() -> Vec<PathBuf> {
    let entries = fs::read_dir(root().join("examples")).unwrap().map(|entry| entry.unwrap().path());
    let mut all: Vec<PathBuf> = entries.filter(|path| path.is_dir()).collect();
    all.sort();
    all
}

/// Several LANs, a router of one's own, every kind of network inside a machine, every kind of container.
const MANY: &str = include_str!("pictures/many.yaml");
const MANY_SCRIPT: &str = "docker network create apps
docker network create --internal vault
docker run -d --name grafana --network apps -p 3000:3000 grafana/grafana:11.2.0
docker network connect vault grafana
docker run -d --name exporter --network host prom/node-exporter:v1.8.2
docker run -d --name job --network none busybox
docker run -d --name sidecar --network container:grafana nginx:1.27
docker run -d --name range --network apps -p 7000-7002:7000-7002 busybox
iptables -I INPUT -p tcp --dport 9100 -j DROP
";

fn many() -> Scene {
    let files = [("lab.yaml", MANY.as_bytes()), ("rocky.sh", MANY_SCRIPT.as_bytes())];
    Scene::open(Directory::with(&files).path())
}

/// Sixty containers in six networks.
fn sixty() -> Scene {
    let mut compose = "services:\n".to_owned();
    for number in 0..60 {
        let network = number % 6;
        compose += &format!("  service-{number:02}:\n    image: ghcr.io/example/service-{number}:2024.11\n");
        compose += &format!("    networks: [net{network}{}]\n", if number % 9 == 0 { ", shared" } else { "" });
        if number % 3 == 0 {
            compose += &format!("    ports: [\"{}:80\"]\n", 8000 + number);
        }
    }
    compose += "networks: {net0: , net1: , net2: , net3: , net4: , net5: {internal: true}, shared: }\n";
    let sentences = "sentences: [lan can reach service-03:80, internet cannot reach service-00:80]\n";
    let files = [("compose.yaml", compose.as_bytes()), ("specs/reach.yaml", sentences.as_bytes())];
    Scene::open(Directory::with(&files).path())
}

/// Names that would be markup, code or a command somewhere.
fn hostile() -> Scene {
    let script = "docker run -d --name 'a\"]; x' -p 80:80 'nginx<img src=x onerror=alert(1)>'\ndocker run -d --name web -p 81:80 nginx\n";
    let lab = "hosts:
  \"</title><script>alert(1)</script>\":
    files: [setup.sh]
    interfaces: {\"eth0\\\" onload=\\\"x\": {network: \"end`]]>--%%&amp;\", address: 192.168.1.20/24}}
    docker: {version: 28.5.2}
    listen: [22]
networks:
  \"end`]]>--%%&amp;\": {subnet: 192.168.1.0/24, kind: lan}
sentences:
  - lan can reach web:80
";
    Scene::open(Directory::with(&[("lab.yaml", lab.as_bytes()), ("setup.sh", script.as_bytes())]).path())
}

#[test]
fn what_is_in_a_picture() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../../snapshots/pictures");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    let example = |name: &str| Scene::open(&root().join("examples").join(name));
    for (name, scene) in [
        ("production", example("production")),
        ("nat-no-forward", example("nat-no-forward")),
        ("firewalld-host-network", example("firewalld-host-network")),
        ("many", many()),
    ] {
        settings.bind(|| insta::assert_snapshot!(name, scene.structure()));
    }
}

/// The README shows it. A picture that is out of date is written anew, and the test fails once.
#[test]
fn the_picture_in_the_readme_is_that_of_the_example() {
    let scene = Scene::open(&root().join("examples/production"));
    let shown = scene.shown().into_iter().find(|shown| shown.sentence == "phone cannot reach rocky:22").unwrap();
    let lab = svg::document(&scene.picture, "examples/production", None);
    let blocked = svg::document(&scene.picture, "examples/production", Some(&shown));
    let readme = fs::read_to_string(root().join("README.md")).unwrap();
    let mut written = Vec::new();
    for (name, real) in [("docs/production.svg", lab), ("docs/production-blocked.svg", blocked)] {
        let path = root().join(name);
        if fs::read_to_string(&path).unwrap_or_default() != real {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, real).unwrap();
            written.push(name);
        }
        assert!(readme.contains(name), "README.md does not show {name}");
    }
    assert!(written.is_empty(), "{written:?} were out of date and are written anew");
}

#[test]
fn the_text_formats_name_only_what_they_have() {
    let scenes = examples().into_iter().map(|path| Scene::open(&path)).chain([many(), sixty(), hostile()]);
    for scene in scenes {
        let shown = scene.shown();
        for way in shown.iter().map(|shown| Some(&shown.way)).chain([None]) {
            drawn::check_mermaid(&mermaid::lab::document(&scene.picture, "a \"title\"", way));
            drawn::check_dot(&dot::document(&scene.picture, "a \"title\"", way));
        }
    }
}

#[test]
fn every_svg_is_well_formed_and_keeps_its_lines_off_its_texts() {
    let scenes = examples().into_iter().map(|path| Scene::open(&path)).chain([many(), sixty(), hostile()]);
    for scene in scenes {
        drawn::check_svg(&svg::document(&scene.picture, "<title> & \"more\"", None));
        for shown in scene.shown() {
            drawn::check_svg(&svg::document(&scene.picture, "title", Some(&shown)));
        }
    }
}
