//! The pages of codes, as they are kept: Markdown with a title, one sentence, and fixed headings.

use crate::diagnostic::Code;

/// The page of one code.
pub fn page(code: Code) -> String {
    format!("{}\n", code.page().trim_end())
}

/// Codes with the sentence that sums each up.
pub fn list(codes: &[Code]) -> String {
    let width = codes.iter().map(|code| code.as_str().len()).max().unwrap_or(0);
    codes.iter().map(|code| format!("{:width$}  {}\n", code.as_str(), summary(*code))).collect()
}

/// The sentence under the title.
pub(super) fn summary(code: Code) -> &'static str {
    code.page().lines().skip(1).find(|line| !line.is_empty()).unwrap_or("")
}

/// The first paragraph of what it means, on one line.
pub(super) fn meaning(code: Code) -> String {
    let section = code.page().split("## What it means").nth(1).unwrap_or_default();
    let paragraph = section.lines().skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_the_title_and_the_headings() {
        for code in Code::ALL {
            let lines: Vec<_> = code.page().lines().collect();
            assert_eq!(lines.first(), Some(&format!("# {code}").as_str()));
            assert!(!summary(*code).is_empty() && !summary(*code).starts_with('#'), "{code} has no summary");
            let headings: Vec<_> = lines.iter().filter(|line| line.starts_with("## ")).copied().collect();
            assert_eq!(headings, ["## What it means", "## Example", "## What to do", "## Source"], "{code}");
        }
    }
}
