//! Which ports well-known images listen on. The table beside this file names the source of each row.

use std::sync::LazyLock;

use crate::net::Protocol;

/// What is known about an image.
#[derive(Clone, Debug)]
pub struct Image {
    /// Its repository without registry: `grafana/grafana`.
    pub repository: &'static str,
    /// Ports that its program listens on by default; the first is the one that its options move.
    pub ports: Vec<(Protocol, u16)>,
    /// The row of the table of programs whose options and defaults hold.
    pub program: Option<&'static str>,
    /// Where that is documented.
    pub source: &'static str,
}

static TABLE: LazyLock<Vec<Image>> = LazyLock::new(|| include_str!("images.tsv").lines().filter_map(row).collect());

fn row(line: &'static str) -> Option<Image> {
    let mut columns = line.split('\t');
    let (repository, ports, program, source) = (columns.next()?, columns.next()?, columns.next()?, columns.next()?);
    (!repository.starts_with('#')).then(|| Image {
        repository,
        ports: ports.split(' ').filter_map(port).collect(),
        program: Some(program).filter(|program| *program != "-"),
        source,
    })
}

fn port(text: &str) -> Option<(Protocol, u16)> {
    let (number, protocol) = text.split_once('/')?;
    Some((protocol.parse().ok()?, number.parse().ok()?))
}

/// What is known about the image of a reference. Registry, tag and digest do not matter.
pub fn find(reference: &str) -> Option<&'static Image> {
    let repository = repository(reference);
    TABLE.iter().find(|image| image.repository == repository)
}

/// The last part of an image's name: `grafana` of `docker.io/grafana/grafana:11`.
pub fn short_name(reference: &str) -> &str {
    let repository = repository(reference);
    repository.rsplit('/').next().unwrap_or(repository)
}

/// The repository without registry, tag and digest; `library/` is Docker Hub's name for official images. A first part
/// with a dot or a colon, or `localhost`, is a registry (github.com/distribution/reference, `splitDockerDomain`).
pub fn repository(reference: &str) -> &str {
    let untagged = reference.split('@').next().unwrap_or(reference);
    let untagged = match untagged.rsplit_once(':') {
        Some((before, tag)) if !tag.contains('/') => before,
        _ => untagged,
    };
    let path = match untagged.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => rest,
        _ => untagged,
    };
    path.strip_prefix("library/").unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::programs;

    #[test]
    fn references_are_matched_by_repository() {
        let check = |reference: &str, expected: Option<u16>| {
            assert_eq!(find(reference).and_then(|i| i.ports.first()).map(|p| p.1), expected, "{reference}");
        };
        check("grafana/grafana", Some(3000));
        check("grafana/grafana:11.2.0", Some(3000));
        check("mirror.example:5000/grafana/grafana@sha256:0f", Some(3000));
        check("mysql", Some(3306));
        check("docker.io/library/mysql:8", Some(3306));
        check("someone/mysql", None);
        check("", None);
    }

    #[test]
    fn every_row_is_complete_and_sorted() {
        let lines: Vec<&str> = include_str!("images.tsv").lines().filter(|l| !l.starts_with('#')).collect();
        assert_eq!(lines.len(), TABLE.len());
        assert!(TABLE.len() >= 150);
        for (line, image) in lines.iter().zip(TABLE.iter()) {
            let columns: Vec<&str> = line.split('\t').collect();
            assert_eq!(columns.len(), 4, "{line}");
            assert_eq!(columns[1].split(' ').count(), image.ports.len(), "{line}");
            assert_eq!(repository(image.repository), image.repository, "{line}");
            assert!(image.source.contains('/') && !image.source.is_empty(), "{line}");
            let known = image.program.is_none_or(|name| programs::named(name).is_some());
            assert!(known, "there is no program `{:?}`", image.program);
        }
        let names: Vec<&str> = TABLE.iter().map(|image| image.repository).collect();
        assert!(names.is_sorted_by(|a, b| a < b), "{names:?}");
    }
}
