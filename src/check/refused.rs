//! Verdicts about containers that do not run because docker compose refuses their project.
//!
//! The rest of such a project is analyzed as if it were mended, which is more use than silence; but no verdict that
//! depends on it stands without saying so, and the error in the files keeps the exit code from being 0.

use std::collections::BTreeMap;

use crate::dataplane::NodeId;
use crate::lab::Container;
use crate::language::{Text, text};
use crate::property::Sentence;

use super::decide::Checker;
use super::verdict::Verdict;

/// One remark for each refused project that the verdict speaks of: by its subject, its target, or the way in between.
pub(super) fn notes(checker: &Checker<'_>, sentence: &Sentence, verdict: &Verdict) -> Vec<Text> {
    let places = &checker.places;
    let refused: Vec<(String, &Container)> = places
        .lab
        .containers()
        .filter(|(_, container)| container.refused.is_some())
        .map(|(host, container)| (format!("{}/{}", places.lab.host(host).name, container.name), container))
        .collect();
    if refused.is_empty() {
        return Vec::new();
    }
    let aims = places.aims(sentence).unwrap_or_default();
    let target = aims.first().and_then(|aim| aim.endpoint.as_ref());
    let members = places.members(&sentence.subject, target).unwrap_or_default();
    let named: Vec<&str> = members
        .iter()
        .chain(aims.iter().filter_map(|a| a.endpoint.as_ref()))
        .filter_map(|e| e.container.as_deref())
        .collect();
    let name_of = |node: NodeId| places.dataplane.node(node).name.as_str();
    let passed: Vec<&str> = verdict
        .witnesses
        .iter()
        .chain(&verdict.failure)
        .flat_map(|witness| &witness.trace.steps)
        .map(|step| name_of(step.node))
        .collect();
    let mut by_reason: BTreeMap<&str, &str> = BTreeMap::new();
    for (node, container) in &refused {
        let is_meant = named.contains(&container.name.as_str()) || passed.contains(&node.as_str());
        if let Some(why) = container.refused.as_ref().filter(|_| is_meant) {
            by_reason.entry(&why.value).or_insert(&container.name);
        }
    }
    let note = |(why, container)| {
        text!(
            "docker compose refuses the project of `{container}` ({why}): this is so only once that is mended",
            "docker compose가 `{container}` 컨테이너의 프로젝트를 거절합니다 ({why}): 이 답은 그것을 고친 뒤에야 맞습니다"
        )
    };
    by_reason.into_iter().map(note).collect()
}
