//! The pages of codes, as they are kept: Markdown with a title, one sentence, and fixed headings.

use crate::diagnostic::Code;
use crate::language::Language;

/// The page of one code.
pub fn page(code: Code, language: Language) -> String {
    format!("{}\n", code.page(language).trim_end())
}

/// Codes with the sentence that sums each up.
pub fn list(codes: &[Code], language: Language) -> String {
    let width = codes.iter().map(|code| code.as_str().len()).max().unwrap_or(0);
    codes.iter().map(|code| format!("{:width$}  {}\n", code.as_str(), summary(*code, language))).collect()
}

/// The sentence under the title.
pub(super) fn summary(code: Code, language: Language) -> &'static str {
    code.page(language).lines().skip(1).find(|line| !line.is_empty()).unwrap_or("")
}

/// The first paragraph of what it means, on one line.
pub(super) fn meaning(code: Code) -> String {
    let section = code.page(Language::English).split("## What it means").nth(1).unwrap_or_default();
    let paragraph = section.lines().skip_while(|line| line.is_empty()).take_while(|line| !line.is_empty());
    paragraph.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_page_has_the_title_and_the_headings() {
        for (code, language) in Code::ALL.iter().flat_map(|code| Language::ALL.map(|language| (*code, language))) {
            let lines: Vec<_> = code.page(language).lines().collect();
            assert_eq!(lines.first(), Some(&format!("# {code}").as_str()));
            let summary = summary(code, language);
            assert!(!summary.is_empty() && !summary.starts_with('#'), "{code} has no summary");
            let headings: Vec<_> = lines.iter().filter(|line| line.starts_with("## ")).copied().collect();
            let expected = match language {
                Language::English => ["## What it means", "## Example", "## What to do", "## Source"],
                Language::Korean => ["## 의미", "## 예", "## 해결 방법", "## 출처"],
            };
            assert_eq!(headings, expected, "{code}");
        }
    }

    #[test]
    fn pages_in_every_language_show_the_same_code() {
        for code in Code::ALL {
            let (english, korean) = (code.page(Language::English), code.page(Language::Korean));
            assert_eq!(blocks(english), blocks(korean), "{code}");
            assert!(korean.lines().any(|line| line.contains("니다.")), "{code} is not in Korean");
        }
    }

    /// The fenced blocks of a page, with their fences.
    fn blocks(page: &str) -> Vec<&str> {
        page.split("```").skip(1).step_by(2).collect()
    }
}
