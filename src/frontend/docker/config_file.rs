//! Configuration that is mounted into a container, or copied into its image, and that says whom its program dials.

mod grafana;
mod nginx;
mod prometheus;

use crate::frontend::{File, Open, beside};
use crate::lab::declaration::{ContainerDecl, MountDecl};
use crate::lab::images;
use crate::source::{SourceId, Spanned};

/// Bytes of a file that are read at most; nobody writes more by hand.
const MAX_SIZE: usize = 256 * 1024;

/// What reads a file of a program: the addresses in it, each as a URL or `host:port`.
type Reader = fn(SourceId, &str) -> Vec<Spanned<String>>;

/// Programs by the repositories of their images, with the files or directories that they read.
const PROGRAMS: &[(&[&str], &[&str], Reader)] = &[
    (&["prom/prometheus", "bitnami/prometheus"], prometheus::PLACES, prometheus::dials),
    (&["grafana/grafana", "grafana/grafana-oss", "grafana/grafana-enterprise"], grafana::PLACES, grafana::dials),
    (&["nginx", "nginxinc/nginx-unprivileged", "openresty/openresty"], nginx::PLACES, nginx::dials),
];

/// The addresses that files in a container tell its program to dial. Paths start from one of `directories`.
pub fn dials(container: &ContainerDecl, directories: &[&str], open: Open<'_>) -> Vec<Spanned<String>> {
    let Some((places, reader)) = program(container) else { return Vec::new() };
    let mut dials = Vec::new();
    for path in wanted(container, places) {
        let Some(file) = mounted(container, &path, directories, open) else { continue };
        if file.text.len() <= MAX_SIZE {
            dials.extend(reader(file.source, &file.text));
        }
    }
    dials
}

/// The files and directories that the container's program reads, and how.
fn program(container: &ContainerDecl) -> Option<(&'static [&'static str], Reader)> {
    let base = container.built.as_ref().and_then(|image| image.base.as_ref());
    let repository = container.image.iter().chain(base).map(|image| images::repository(&image.value));
    let known = |repository: &str| PROGRAMS.iter().find(|(names, ..)| names.contains(&repository));
    repository.filter_map(known).next().map(|(_, places, reader)| (*places, *reader))
}

/// What is read in the container: an option names the file, or it has a usual place, or lies in a usual directory.
fn wanted(container: &ContainerDecl, places: &[&str]) -> Vec<String> {
    let words: Vec<&str> = container.words().map(|word| word.value.as_str()).collect();
    let value = |(at, word): (usize, &&str)| {
        let rest = word.trim_start_matches('-').strip_prefix(prometheus::OPTION)?;
        match rest.strip_prefix('=') {
            Some(path) => Some(path.to_owned()),
            None => words.get(at + 1).filter(|_| rest.is_empty()).map(|path| (*path).to_owned()),
        }
    };
    if let Some(path) = words.iter().enumerate().find_map(value) {
        return vec![path];
    }
    let (directories, files): (Vec<&str>, Vec<&str>) = places.iter().partition(|place| place.ends_with('/'));
    let inside = |mount: &MountDecl| directories.iter().any(|directory| mount.target.starts_with(directory));
    let mounted = container.mounts.iter().filter(|mount| inside(mount)).map(|mount| mount.target.clone());
    let mut wanted: Vec<String> = files.into_iter().map(str::to_owned).collect();
    let mounted: Vec<String> = mounted.filter(|path| !wanted.contains(path)).collect();
    wanted.extend(mounted);
    wanted
}

/// The file that stands at a path of the container: the longest mount counts, of equal ones the last.
fn mounted(container: &ContainerDecl, path: &str, directories: &[&str], open: Open<'_>) -> Option<File> {
    let rest = |mount: &MountDecl| {
        let below = path.strip_prefix(mount.target.trim_end_matches('/'))?;
        (below.is_empty() || below.starts_with('/')).then(|| below.to_owned())
    };
    let mounts = container.mounts.iter().filter_map(|mount| Some((mount, rest(mount)?)));
    let (mount, below) = mounts.max_by_key(|(mount, _)| mount.target.len())?;
    let written = format!("{}{below}", mount.source.value);
    // The source is relative, and may be the directory itself.
    let written = written.trim_start_matches('/');
    directories.iter().find_map(|directory| open(&beside(directory, written)?))
}
