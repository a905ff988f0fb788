//! In which order services are started, which decides what addresses their containers get.

use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::source::Spanned;

use super::{Project, attach};

/// Services after those they depend on, otherwise in the order of the file. Within a cycle, which docker compose
/// refuses, the order of the file stays.
pub(super) fn by_dependency<'n>(walk: &mut Walk, project: &Project, services: &[&'n Entry]) -> Vec<&'n Entry> {
    let needs: Vec<Vec<usize>> = services.iter().map(|entry| dependencies(walk, project, services, entry)).collect();
    let mut placed = vec![false; services.len()];
    let mut ordered = Vec::new();
    for start in 0..services.len() {
        // Each item is a service and how many of its dependencies have been looked at.
        let mut stack = vec![(start, 0)];
        while let Some((service, seen)) = stack.pop() {
            let is_fresh = seen == 0;
            if is_fresh && placed.get(service).copied().unwrap_or(true) {
                continue;
            }
            if let Some(flag) = placed.get_mut(service) {
                *flag = true;
            }
            match needs.get(service).and_then(|needs| needs.get(seen)) {
                Some(next) => stack.extend([(service, seen + 1), (*next, 0)]),
                None => ordered.extend(services.get(service)),
            }
        }
    }
    ordered
}

fn dependencies(walk: &mut Walk, project: &Project, services: &[&Entry], service: &Entry) -> Vec<usize> {
    let mut names = service.value.get("depends_on").map(|node| depends_on(walk, project, node)).unwrap_or_default();
    let texts = |key| service.value.get(key).map(texts).unwrap_or_default();
    names.extend(texts("links").iter().map(|link| link.split(':').next().unwrap_or(link).to_owned()));
    names.extend(texts("network_mode").iter().filter_map(|mode| mode.strip_prefix("service:")).map(str::to_owned));
    names.iter().filter_map(|name| services.iter().position(|entry| entry.key.value == *name)).collect()
}

fn depends_on(walk: &mut Walk, project: &Project, node: &Node) -> Vec<String> {
    let names: Vec<Spanned<String>> = match &node.value {
        Value::Mapping(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => walk.list(node, "`depends_on`").iter().filter_map(|item| walk.string(item, "a service")).collect(),
    };
    names.iter().for_each(|name| drop(attach::container_of(walk, project, name)));
    names.into_iter().map(|name| name.value).collect()
}

fn texts(node: &Node) -> Vec<&str> {
    let own = std::slice::from_ref(node).iter().chain(node.items());
    own.filter_map(|n| if let Value::Scalar(text) = &n.value { Some(text.as_str()) } else { None }).collect()
}
