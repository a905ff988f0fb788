//! What services refer to in the rest of the project, and what docker compose asks of it all together (compose-go
//! v2.9.1, loader/validate.go, validation/validation.go, graph/graph.go).

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::frontend::yaml::{Entry, Node, Value, Walk};
use crate::language::{Text, text};
use crate::source::{Span, Spanned};

use super::{attach, schema};

/// Reports what does not fit together in the services that are started.
pub(super) fn check(walk: &mut Walk, root: &Node, active: &[&Entry]) {
    for service in active {
        for section in ["volumes", "configs", "secrets", "models"] {
            let names = service.value.get(section).map(|node| used(section, node)).unwrap_or_default();
            names.iter().for_each(|name| defined(walk, root, section, name));
        }
        service.value.get("volumes").map(Node::items).unwrap_or_default().iter().for_each(|mount| bound(walk, mount));
        health(walk, service);
        disabled(walk, root, service, active);
        for name in volumes_from(service).filter(|name| !has(root, "services", &name.value)) {
            walk.report(refused(attach::not_defined(&name.value), name.span));
        }
        let secrets = service.value.get("build").and_then(|build| build.get("secrets"));
        let secrets = secrets.map(|node| used("secrets", node)).unwrap_or_default();
        secrets.iter().for_each(|name| defined(walk, root, "secrets", name));
    }
    circles(walk, active);
    let entries = |section: &str| root.get(section).map(Node::entries).unwrap_or_default().iter();
    entries("configs").for_each(|config| source(walk, config, &["file", "environment", "content"], &["driver"]));
    entries("secrets").for_each(|secret| source(walk, secret, &["file", "environment"], &[]));
    entries("volumes").for_each(|volume| external(walk, volume));
}

/// Names of the top-level `section` that a service uses.
fn used(section: &str, node: &Node) -> Vec<Spanned<String>> {
    let short = |item: &Node| {
        let text = text(item)?;
        if section != "volumes" {
            return Some(text);
        }
        let (source, _) = text.value.split_once(':')?;
        let is_path = source.is_empty() || source.starts_with(['.', '/', '~', '$']) || is_drive(source);
        (!is_path).then(|| Spanned::new(source.to_owned(), text.span))
    };
    let long = |item: &Node| {
        let is_volume = item.get("type").and_then(text).is_none_or(|kind| kind.value == "volume");
        item.get("source").and_then(text).filter(|_| is_volume)
    };
    let of_list = node.items().iter().filter_map(|item| short(item).or_else(|| long(item)));
    of_list.chain(node.entries().iter().map(|entry| entry.key.clone())).collect()
}

/// `C:\data` on Windows.
fn is_drive(source: &str) -> bool {
    source.len() == 1 && source.starts_with(|c: char| c.is_ascii_alphabetic())
}

fn defined(walk: &mut Walk, root: &Node, section: &str, name: &Spanned<String>) {
    let entries = root.get(section).map(Node::entries).unwrap_or_default();
    if entries.iter().any(|entry| entry.key.value == name.value) {
        return;
    }
    let near = did_you_mean(&name.value, entries.iter().map(|entry| entry.key.value.as_str()));
    let help = match near {
        Some(near) => text!("did you mean `{near}`?", "혹시 `{near}`?"),
        None => attach::to_be_added(&name.value, section),
    };
    let (what, who) = (schema::noun(section), &name.value);
    let message = text!("the {what} `{who}` is not defined", "`{who}` {what}이 정의되어 있지 않습니다"; what);
    walk.report(refused(message, name.span).help(help));
}

fn bound(walk: &mut Walk, mount: &Node) {
    if let Some(short) = text(mount) {
        // compose-go format/volume.go, `ParseVolume`; a drive like `C:` is one section with what follows.
        let sections: Vec<&str> = short.value.split(':').collect();
        let drives = sections.iter().filter(|section| is_drive(section)).count();
        if 2 < short.value.len() && sections.iter().any(|section| section.is_empty()) {
            walk.report(refused(
                text!("a mount with nothing between colons", "콜론 사이가 비어 있는 마운트입니다"),
                short.span,
            ));
        } else if 3 + drives < sections.len() {
            walk.report(refused(text!("a mount with too many colons", "콜론이 너무 많은 마운트입니다"), short.span));
        }
    }
    let is_bind = mount.get("type").and_then(text).is_some_and(|kind| kind.value == "bind");
    if is_bind && mount.get("source").and_then(text).is_none_or(|source| source.value.is_empty()) {
        let message = text!("a mount of type `bind` needs `source`", "`bind` 마운트에는 `source`가 필요합니다");
        walk.report(refused(message, mount.span));
    }
}

fn health(walk: &mut Walk, service: &Entry) {
    let test = service.value.get("healthcheck").and_then(|health| health.get("test"));
    let Some(first) = test.and_then(|test| test.items().first()) else { return };
    if let Some(word) = text(first).filter(|w| !["CMD", "CMD-SHELL", "NONE"].contains(&w.value.as_str())) {
        let message = text!(
            "a health check starts with `CMD`, `CMD-SHELL` or `NONE`, not with `{first}`",
            "헬스 체크의 첫 단어는 `{first}`이(가) 아니라 `CMD`, `CMD-SHELL`, `NONE` 가운데 하나여야 합니다",
            first = &word.value
        );
        walk.report(refused(message, word.span));
    }
}

/// A service that only another profile starts is there for nobody.
fn disabled(walk: &mut Walk, root: &Node, service: &Entry, active: &[&Entry]) {
    let is_active = |name: &str| active.iter().any(|entry| entry.key.value == name);
    for need in needs(service).iter().filter(|need| need.required && has(root, "services", &need.name.value)) {
        if !is_active(&need.name.value) {
            let message = text!(
                "`{who}` needs `{whom}`, which is not started",
                "`{who}`에 필요한 `{whom}` 서비스가 시작되지 않습니다",
                who = &service.key.value,
                whom = &need.name.value
            );
            walk.report(refused(message, need.name.span).help(text!(
                "start its profile, or write `required: false`",
                "그 서비스의 프로필을 켜거나, `required: false`를 쓰십시오"
            )));
        }
    }
}

fn has(root: &Node, section: &str, name: &str) -> bool {
    root.get(section).is_some_and(|entries| entries.entry(name).is_some())
}

/// A service that another one needs.
pub(super) struct Need {
    pub(super) name: Spanned<String>,
    required: bool,
}

/// `volumes_from:` without containers of other projects.
fn volumes_from(service: &Entry) -> impl Iterator<Item = Spanned<String>> {
    let items = service.value.get("volumes_from").map(Node::items).unwrap_or_default().iter().filter_map(text);
    let services = items.filter(|from| !from.value.starts_with("container:"));
    services.map(|from| from.map(|from| from.split(':').next().unwrap_or("").to_owned()))
}

/// The services that must be there before this one (compose-go loader/normalize.go).
pub(super) fn needs(service: &Entry) -> Vec<Need> {
    let mut needs = Vec::new();
    let mut need = |name: Spanned<String>| needs.push(Need { name, required: true });
    let texts = |key: &str| {
        let node = service.value.get(key);
        node.into_iter().flat_map(|node| std::slice::from_ref(node).iter().chain(node.items())).filter_map(text)
    };
    texts("depends_on").for_each(&mut need);
    texts("links").map(|link| link.map(|l| l.split(':').next().unwrap_or("").to_owned())).for_each(&mut need);
    for key in ["network_mode", "ipc", "pid", "uts", "cgroup"] {
        let shared =
            texts(key).filter_map(|t| Some(Spanned::new(t.value.strip_prefix("service:")?.to_owned(), t.span)));
        shared.for_each(&mut need);
    }
    volumes_from(service).for_each(&mut need);
    for entry in service.value.get("depends_on").map(Node::entries).unwrap_or_default() {
        let required = entry.value.get("required").and_then(text).is_none_or(|required| required.value != "false");
        needs.push(Need { name: entry.key.clone(), required });
    }
    needs
}

/// Reports one circle.
fn circles(walk: &mut Walk, active: &[&Entry]) {
    let position = |name: &str| active.iter().position(|entry| entry.key.value == name);
    let needs: Vec<Vec<(usize, Span)>> = active
        .iter()
        .map(|s| needs(s).into_iter().filter_map(|n| Some((position(&n.name.value)?, n.name.span))).collect())
        .collect();
    let mut is_done = vec![false; active.len()];
    for start in 0..active.len() {
        let mut trail = vec![(start, 0)];
        while let Some((service, seen)) = trail.pop() {
            let Some((next, span)) = needs.get(service).and_then(|needs| needs.get(seen)).copied() else {
                is_done.iter_mut().skip(service).take(1).for_each(|done| *done = true);
                continue;
            };
            trail.push((service, seen + 1));
            if let Some(from) = trail.iter().position(|(on, _)| *on == next) {
                let names = trail.iter().skip(from).map(|(on, _)| *on).chain([next]);
                let names: Vec<&str> = names.filter_map(|i| active.get(i)).map(|e| e.key.value.as_str()).collect();
                let way = names.join(" -> ");
                let message = text!("services need each other: {way}", "서비스가 서로를 필요로 합니다: {way}");
                walk.report(refused(message, span));
                return;
            }
            if !is_done.get(next).copied().unwrap_or(true) {
                trail.push((next, 0));
            }
        }
    }
}

/// A config or secret comes from one place.
fn source(walk: &mut Walk, entry: &Entry, keys: &[&str], others: &[&str]) {
    let given = keys.iter().filter(|key| entry.value.entry(key).is_some()).count();
    let is_external = entry.value.get("external").is_some_and(|e| text(e).is_none_or(|e| e.value != "false"));
    let is_elsewhere = is_external || others.iter().any(|key| entry.value.entry(key).is_some());
    if 1 < given || (given == 0 && !is_elsewhere) {
        let list = keys.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(", ");
        let message = text!(
            "`{name}` needs one of {list}",
            "`{name}`에는 이 가운데 하나가 필요합니다: {list}",
            name = &entry.key.value
        );
        walk.report(refused(message, entry.key.span));
    }
}

/// An external volume is described elsewhere.
fn external(walk: &mut Walk, volume: &Entry) {
    let is_external = volume.value.get("external").and_then(text).is_some_and(|e| e.value == "true");
    let is_own = |key: &str| matches!(key, "name" | "external") || key.starts_with("x-");
    if let Some(other) = volume.value.entries().iter().find(|e| is_external && !is_own(&e.key.value)) {
        let message = text!(
            "an external volume has no `{key}` of its own",
            "외부 볼륨에는 `{key}` 키를 쓸 수 없습니다",
            key = &other.key.value
        );
        walk.report(refused(message, other.key.span));
    }
}

fn text(node: &Node) -> Option<Spanned<String>> {
    match &node.value {
        Value::Scalar(text) if !node.is_null() => Some(Spanned::new(text.clone(), node.content)),
        _ => None,
    }
}

fn refused(message: Text, span: Span) -> Diagnostic {
    Diagnostic::new(Code::ComposeBadService, message)
        .label(span, text!("docker compose refuses the file", "docker compose가 파일을 거부함"))
}
