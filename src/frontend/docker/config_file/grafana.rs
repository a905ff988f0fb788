//! Grafana's provisioned data sources (grafana.com, "Provision Grafana", data sources).

use crate::frontend::yaml::{self, Node, Value};
use crate::source::{SourceId, Spanned};

/// Every YAML file of the directory is read; these are names that people give them.
pub(super) const PLACES: &[&str] = &[
    "/etc/grafana/provisioning/datasources/",
    "/etc/grafana/provisioning/datasources/datasource.yml",
    "/etc/grafana/provisioning/datasources/datasource.yaml",
    "/etc/grafana/provisioning/datasources/datasources.yml",
    "/etc/grafana/provisioning/datasources/datasources.yaml",
    "/etc/grafana/provisioning/datasources/default.yml",
    "/etc/grafana/provisioning/datasources/default.yaml",
    "/etc/grafana/provisioning/datasources/prometheus.yml",
    "/etc/grafana/provisioning/datasources/prometheus.yaml",
    "/etc/grafana/provisioning/datasources/all.yml",
];

/// What Grafana itself dials; with `access: direct` the browser does.
pub(super) fn dials(source: SourceId, text: &str) -> Vec<Spanned<String>> {
    let Some(root) = yaml::parse(source, text).value else { return Vec::new() };
    let sources = root.get("datasources").map(Node::items).unwrap_or_default().iter();
    let is_direct = |node: &Node| word(node, "access").is_some_and(|access| access.value != "proxy");
    let urls = sources.filter(|source| !is_direct(source)).filter_map(|source| word(source, "url"));
    urls.filter(|url| !url.value.contains('$')).collect()
}

fn word(node: &Node, key: &str) -> Option<Spanned<String>> {
    let node = node.get(key)?;
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
    fn what_the_server_dials() {
        let text = "apiVersion: 1\ndatasources:\n- {name: 가, type: prometheus, access: proxy, url: 'http://localhost:9090'}\n\
            - {name: b, url: 'http://loki:3100'}\n- {name: c, access: direct, url: 'http://localhost:1'}\n\
            - {name: d, url: 'http://$HOST:1'}\n- {name: e, type: postgres, url: 'db:5432'}\n";
        let source = Sources::default().add("ds.yml", text);
        let read: Vec<String> = dials(source, text).into_iter().map(|d| d.value).collect();
        assert_eq!(read, ["http://localhost:9090", "http://loki:3100", "db:5432"]);
    }
}
