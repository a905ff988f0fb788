//! Links between pages: each leads to a page or a file of the book, or out of it.

use std::path::Path;
use std::{fs, io};

use super::Page;

/// The targets of all links in a text.
pub(crate) fn targets(text: &str) -> impl Iterator<Item = &str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next())
}

/// Leads links to directories to their pages, takes along the files that pages show, and undoes links to what is no part
/// of the book.
pub(crate) fn settle(root: &Path, pages: &mut Vec<Page>) -> io::Result<()> {
    let known: Vec<String> = pages.iter().map(|page| page.path.clone()).collect();
    let mut files = Vec::new();
    for page in pages.iter_mut() {
        let from = page.path.clone();
        let links: Vec<String> = targets(&page.text).filter(|target| is_relative(target)).map(str::to_owned).collect();
        for link in links {
            let path = resolved(&from, &link);
            let target = if known.contains(&path) {
                link.clone()
            } else if known.contains(&format!("{path}/README.md")) {
                format!("{link}/README.md")
            } else {
                files.extend(root.join(&path).is_file().then_some(path));
                continue;
            };
            page.text = page.text.replace(&format!("]({link})"), &format!("]({})", renamed(&target)));
        }
    }
    pages.iter_mut().for_each(|page| page.path = renamed(&page.path));
    files.sort();
    files.dedup();
    for path in files {
        let text = fs::read_to_string(root.join(&path))?;
        pages.push(Page { path, text });
    }
    Ok(())
}

/// mdBook makes the first page of a directory out of its README, and leaves links to it as they are.
fn renamed(path: &str) -> String {
    let (file, heading) = path.split_once('#').map_or((path, None), |(file, heading)| (file, Some(heading)));
    let file = match file.rsplit_once('/') {
        Some((directory, "README.md")) => format!("{directory}/index.md"),
        None if file == "README.md" => "index.md".to_owned(),
        _ => file.to_owned(),
    };
    heading.map_or(file.clone(), |heading| format!("{file}#{heading}"))
}

/// Whether it leads to a file of the repository.
pub(crate) fn is_relative(target: &str) -> bool {
    !target.contains("://") && !target.contains(char::is_whitespace) && !target.is_empty()
}

/// Where a link leads, from the book's root and without the heading.
pub(crate) fn resolved(from: &str, link: &str) -> String {
    let link = link.split('#').next().unwrap_or_default();
    if link.is_empty() {
        return from.to_owned();
    }
    let mut parts: Vec<&str> = from.split('/').collect();
    parts.pop();
    for part in link.split('/') {
        match part {
            ".." => drop(parts.pop()),
            "." | "" => {}
            part => parts.push(part),
        }
    }
    parts.join("/")
}
