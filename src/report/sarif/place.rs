//! Places: files as URIs, spans as regions.

use crate::source::{Sources, Span};

use super::super::finding::shown;
use super::super::uri;
use super::format::{ArtifactLocation, Location, PhysicalLocation, Region};
use super::text;

/// What relative URIs are relative to: by convention the root of the checked-out repository.
pub(super) const ROOT: &str = "%SRCROOT%";

pub(super) fn location(sources: &Sources, span: Span, message: Option<&str>) -> Location {
    let physical = PhysicalLocation {
        artifact_location: artifact(&sources.get(span.source).name),
        region: region(sources, shown(sources, span)),
    };
    Location {
        id: None,
        physical_location: Some(physical),
        logical_locations: Vec::new(),
        message: message.filter(|message| !message.is_empty()).map(text),
    }
}

/// A file by its name: relative to the root, or absolute where it lies elsewhere.
pub(super) fn artifact(name: &str) -> ArtifactLocation {
    // `/srv/lab.yaml`, or `C:/lab.yaml`
    match name.starts_with('/') || name.as_bytes().get(1) == Some(&b':') {
        true => ArtifactLocation { uri: uri::of_path(name), uri_base_id: None },
        false => ArtifactLocation { uri: uri::escaped(name), uri_base_id: Some(ROOT) },
    }
}

/// An empty region is a place where something can be inserted.
pub(super) fn region(sources: &Sources, span: Span) -> Region {
    let source = sources.get(span.source);
    let (start, end) = (source.position(span.start), source.position(span.end));
    Region { start_line: start.line, start_column: start.column, end_line: end.line, end_column: end.column }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_uris() {
        let check = |name: &str, uri: &str, base: Option<&str>| {
            let artifact = artifact(name);
            assert_eq!((artifact.uri.as_str(), artifact.uri_base_id), (uri, base));
        };
        check("lab/compose.yaml", "lab/compose.yaml", Some(ROOT));
        check("my lab/포트#1.sh", "my%20lab/%ED%8F%AC%ED%8A%B8%231.sh", Some(ROOT));
        check("/srv/lab.yaml", "file:///srv/lab.yaml", None);
        check("C:/lab.yaml", "file:///C%3A/lab.yaml", None);
    }
}
