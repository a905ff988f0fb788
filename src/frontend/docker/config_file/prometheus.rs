//! `prometheus.yml`: what is scraped, and where alerts and samples are sent (prometheus.io, "Configuration", 3.5).

use crate::frontend::yaml::{self, Node, Value};
use crate::source::{SourceId, Spanned};

/// Where the program looks; the image's own command names the first (prometheus/prometheus Dockerfile).
pub(super) const PLACES: &[&str] = &["/etc/prometheus/prometheus.yml", "/opt/bitnami/prometheus/conf/prometheus.yml"];

/// The option that names another file.
pub(super) const OPTION: &str = "config.file";

/// Every address that is dialled.
pub(super) fn dials(source: SourceId, text: &str) -> Vec<Spanned<String>> {
    let Some(root) = yaml::parse(source, text).value else { return Vec::new() };
    let jobs = items(&root, "scrape_configs");
    let managers = root.get("alerting").map(|alerting| items(alerting, "alertmanagers")).unwrap_or_default();
    let mut dials: Vec<Spanned<String>> = jobs.iter().chain(managers).flat_map(job).collect();
    for section in ["remote_write", "remote_read"] {
        dials.extend(items(&root, section).iter().filter_map(|item| scalar(item.get("url")?)));
    }
    dials
}

/// The targets of a job. One whose address is put together anew dials what stands there, if that is literal: the
/// black-box exporter gets its targets that way.
fn job(job: &Node) -> Vec<Spanned<String>> {
    if job.get("proxy_url").is_some() || job.get("proxy_from_environment").is_some() {
        return Vec::new();
    }
    let scheme = job.get("scheme").and_then(scalar).map_or_else(|| "http".to_owned(), |scheme| scheme.value);
    let url = |address: Spanned<String>| address.map(|address| format!("{scheme}://{address}"));
    let word = |node: &Node, key: &str| node.get(key).and_then(scalar);
    let rules = items(job, "relabel_configs").iter();
    let mut address = rules.filter(|rule| word(rule, "target_label").is_some_and(|label| label.value == "__address__"));
    if let Some(rule) = address.next_back() {
        let replacement = word(rule, "replacement").filter(|address| !address.value.contains('$'));
        return replacement.map(url).into_iter().collect();
    }
    let targets = items(job, "static_configs").iter().flat_map(|group| items(group, "targets"));
    targets.filter_map(scalar).map(url).collect()
}

fn items<'n>(node: &'n Node, key: &str) -> &'n [Node] {
    node.get(key).map(Node::items).unwrap_or_default()
}

fn scalar(node: &Node) -> Option<Spanned<String>> {
    match &node.value {
        Value::Scalar(text) if !node.is_null() => Some(Spanned::new(text.clone(), node.content)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn addresses_that_are_dialled() {
        let text = "# 감시\nglobal: {scrape_interval: 15s}\nscrape_configs:\n\
            - {job_name: own, static_configs: [{targets: ['localhost:9090', node]}, {labels: {a: b}}]}\n\
            - {job_name: tls, scheme: https, static_configs: [{targets: [a:1]}]}\n\
            - job_name: black\n  static_configs: [{targets: ['http://shop']}]\n  relabel_configs:\n  - {source_labels: [__address__], target_label: __param_target}\n  - {target_label: __address__, replacement: 'blackbox:9115'}\n\
            - job_name: other\n  static_configs: [{targets: [b:1]}]\n  relabel_configs: [{source_labels: [__address__], target_label: __address__, replacement: '$1:80'}]\n\
            - {job_name: proxied, proxy_url: 'http://p', static_configs: [{targets: [c:1]}]}\n\
            alerting: {alertmanagers: [{static_configs: [{targets: ['alert:9093']}]}]}\n\
            remote_write: [{url: 'http://mimir:9009/api'}]\n";
        let source = Sources::default().add("prometheus.yml", text);
        let read = dials(source, text);
        let shown: Vec<String> =
            read.iter().map(|d| format!("{} <{}>", d.value, &text[d.span.start..d.span.end])).collect();
        let expected = [
            "http://localhost:9090 <localhost:9090>",
            "http://node <node>",
            "https://a:1 <a:1>",
            "http://blackbox:9115 <blackbox:9115>",
            "http://alert:9093 <alert:9093>",
            "http://mimir:9009/api <http://mimir:9009/api>",
        ];
        assert_eq!(shown, expected);
        assert!(dials(source, "scrape_configs: 1").is_empty());
        assert!(dials(source, "[").is_empty());
    }
}
