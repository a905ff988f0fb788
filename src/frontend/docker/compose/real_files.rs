//! Real files against what `docker compose config` printed for them, kept outside of the repository.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value as Json;

use super::tests::alone;
use crate::lab::Declaration;
use crate::lab::declaration::{ContainerDecl, NetworkMode, PublishDecl};
use crate::net::PortRange;
use crate::source::Sources;

/// What `docker compose config --format json` printed.
fn check(folder: &Path) {
    let Ok(expected) = fs::read_to_string(folder.join("compose.expected.json")) else { return };
    let expected: Json = serde_json::from_str(&expected).unwrap();
    let name = folder.file_name().unwrap().to_str().unwrap();
    let file = ["compose.yaml", "compose.yml"].iter().find_map(|f| fs::read_to_string(folder.join(f)).ok()).unwrap();
    let environment = fs::read_to_string(folder.join(".env")).unwrap_or_default();
    let pairs = environment.lines().filter_map(|line| line.split_once('='));
    let variables: Vec<(&str, &str)> =
        pairs.map(|(name, value)| (name, value.split(" #").next().unwrap_or(""))).collect();
    let parsed = alone(&mut Sources::default(), &file, name, &variables);

    check_insertions(&file);
    check_cut_anywhere(&file);

    let mut networks = BTreeSet::new();
    let mut services = BTreeSet::new();
    for declaration in &parsed.value {
        match declaration {
            Declaration::Network(network) => networks.extend([network.name.value.clone()]),
            Declaration::Container(container) => {
                services.insert(container.aliases[0].clone());
                check_container(name, container, &expected);
            }
            _ => panic!("{name}: something else"),
        }
    }
    let names = expected["networks"].as_object().unwrap().values().map(|n| n["name"].as_str().unwrap().to_owned());
    assert_eq!(networks, names.collect(), "{name}");
    assert_eq!(services, expected["services"].as_object().unwrap().keys().cloned().collect(), "{name}");
}

fn check_container(folder: &str, container: &ContainerDecl, expected: &Json) {
    let place = format!("{folder} {}", container.aliases[0]);
    let service = &expected["services"][&container.aliases[0]];
    if let Some(name) = service["container_name"].as_str() {
        assert_eq!(container.name.as_ref().unwrap().value, name, "{place}");
    }
    assert_eq!(container.image.as_ref().map(|i| i.value.as_str()), service["image"].as_str(), "{place}");
    assert_eq!(
        container.publishes.iter().flat_map(publish).collect::<BTreeSet<_>>(),
        list(&service["ports"]).iter().map(expected_publish).collect::<BTreeSet<_>>(),
        "{place}"
    );
    let full_name = |key: &String| expected["networks"][key]["name"].as_str().unwrap().to_owned();
    assert_eq!(
        container.networks.iter().map(|n| n.network.value.clone()).collect::<BTreeSet<_>>(),
        service["networks"].as_object().map(|n| n.keys().map(full_name).collect()).unwrap_or_default(),
        "{place}"
    );
    for attach in &container.networks {
        let options =
            service["networks"].as_object().unwrap().iter().find(|(key, _)| full_name(key) == attach.network.value);
        let address = attach.address.as_ref().map(|a| a.value.to_string());
        assert_eq!(address.as_deref(), options.unwrap().1["ipv4_address"].as_str(), "{place}");
    }
    let words = list(&service["command"]).iter().map(|w| w.as_str().unwrap().replace("$$", "$"));
    let command: Vec<String> = words.collect();
    if !command.is_empty() {
        let written: Vec<&str> = container.command.iter().map(|w| w.value.as_str()).collect();
        assert!(written.ends_with(&command.iter().map(String::as_str).collect::<Vec<_>>()), "{place}: {written:?}");
    }
    let exposes: BTreeSet<String> = container.exposes.iter().map(|e| e.value.1.to_string()).collect();
    assert_eq!(exposes, list(&service["expose"]).iter().map(|e| e.as_str().unwrap().to_owned()).collect(), "{place}");
    let mode = container.mode.as_ref().map(|mode| match &mode.value {
        NetworkMode::Host => "host",
        NetworkMode::None => "none",
        NetworkMode::Bridge => "bridge",
        NetworkMode::Container(_) => "another",
    });
    assert_eq!(mode, service["network_mode"].as_str(), "{place}");
}

fn list(json: &Json) -> &[Json] {
    json.as_array().map_or(&[], Vec::as_slice)
}

/// docker compose prints one item for each port of a range.
fn publish(publish: &PublishDecl) -> Vec<String> {
    let ports = publish.container_ports;
    let host = |offset: u16| match publish.host_ports {
        None => String::new(),
        Some(range) if ports.count() == 1 => range.to_string(),
        Some(range) => (range.first + offset).to_string(),
    };
    let address = publish.host_address.map(|a| a.to_string()).unwrap_or_default();
    let one = |offset: u16| format!("{address} {} {} {}", host(offset), ports.first + offset, publish.protocol);
    (0..=ports.last - ports.first).map(one).collect()
}

fn expected_publish(json: &Json) -> String {
    let text = |key: &str| json[key].as_str().unwrap_or_default();
    format!("{} {} {} {}", text("host_ip"), text("published"), json["target"], text("protocol"))
}

/// Publishing one more port where the front-end says so changes that container and nothing else.
fn check_insertions(file: &str) {
    let read = |text: &str| alone(&mut Sources::default(), text, "shop", &[]);
    let containers = |text: &str| {
        let all = read(text).value.into_iter();
        all.filter_map(|d| if let Declaration::Container(c) = d { Some(c) } else { None }).collect::<Vec<_>>()
    };
    let before = containers(file);
    for (i, container) in before.iter().enumerate() {
        let Some(place) = &container.publish_at else { continue };
        let edited = [&file[..place.at.start], &place.text("65000:65000"), &file[place.at.end..]].concat();
        let after = containers(&edited);
        for (j, (old, new)) in before.iter().zip(&after).enumerate() {
            let added = usize::from(i == j);
            assert_eq!(old.publishes.len() + added, new.publishes.len(), "{edited}");
            assert_eq!(old.networks.len(), new.networks.len(), "{edited}");
        }
        assert_eq!(after[i].publishes.last().unwrap().host_ports, Some(PortRange::single(65000)), "{edited}");
    }
}

/// A file that ends anywhere is read without a panic.
fn check_cut_anywhere(file: &str) {
    for (at, _) in file.char_indices().step_by(7) {
        alone(&mut Sources::default(), &file[..at], "shop", &[]);
    }
}

#[test]
fn real_files_are_read_as_docker_compose_reads_them() {
    for entry in fs::read_dir("../shared/compose/awesome-compose").into_iter().flatten().flatten() {
        check(&entry.path());
    }
}
