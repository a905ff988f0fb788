//! In which order services are started, which decides what addresses their containers get.

use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::language::text;
use crate::source::Spanned;

use super::{Project, attach, references};

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
    service.value.get("depends_on").into_iter().for_each(|node| depends_on(walk, project, node));
    let names = references::needs(service).into_iter().map(|need| need.name.value);
    names.filter_map(|name| services.iter().position(|entry| entry.key.value == name)).collect()
}

/// Reports services that are not there.
fn depends_on(walk: &mut Walk, project: &Project, node: &Node) {
    let names: Vec<Spanned<String>> = match &node.value {
        Value::Mapping(entries) => entries.iter().map(|entry| entry.key.clone()).collect(),
        _ => walk
            .list(node, "`depends_on`")
            .iter()
            .filter_map(|item| walk.string(item, text!("a service", "서비스")))
            .collect(),
    };
    names.iter().for_each(|name| drop(attach::container_of(walk, project, name)));
}
