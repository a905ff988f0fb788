//! Who can reach what, and what is to be said about the files.

use crate::diagnostic::Severity;
use crate::language::text;

use super::super::exposure::grid;
use super::super::markup::escaped;
use super::super::message::headline;
use super::{Page, coded, quote};

/// The matrix of who can reach what.
pub(super) fn exposure(page: &Page<'_>) -> String {
    let title = page.said(&text!("Who can reach what", "누가 무엇에 연결할 수 있는가"));
    let mut html = format!(
        "<section id=\"exposure\" aria-labelledby=\"exposure-title\">\n<h2 id=\"exposure-title\">{title}</h2>\n"
    );
    if page.exposure.listeners.is_empty() {
        let nothing =
            text!("Nothing in this lab is known to listen.", "이 랩에서 대기하는 것으로 알려진 프로그램이 없습니다.");
        return html + &format!("<p>{}</p>\n</section>\n", page.said(&nothing));
    }
    let grid = grid(page.exposure, page.style());
    let listens = page.said(&text!("listens", "대기"));
    let not_at_all = page.said(&text!("not at all", "연결 불가"));
    html += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"exposure-title\"><table class=\"matrix\">\n";
    for (index, row) in grid.rows.iter().enumerate() {
        html += if index == 0 { "<thead>\n<tr>" } else { "<tr>" };
        for (column, cell) in row.iter().enumerate() {
            let cell = escaped(cell);
            html += &match (index, column) {
                (0, 0) => format!("<th scope=\"col\">{listens}</th>"),
                (0, _) => format!("<th scope=\"col\">{cell}</th>"),
                (_, 0) => format!("<th scope=\"row\">{cell}</th>"),
                _ if cell.is_empty() => format!("<td class=\"none\"><span class=\"hidden\">{not_at_all}</span></td>"),
                _ => format!("<td>{cell}</td>"),
            };
        }
        html += if index == 0 { "</tr>\n</thead>\n<tbody>\n" } else { "</tr>\n" };
    }
    html += "</tbody>\n</table></div>\n";
    let notes: String = grid.legend.iter().map(|line| format!("<li>{}</li>\n", escaped(line))).collect();
    html + &format!("<ul class=\"legend\">{notes}</ul>\n</section>\n")
}

/// Messages about the files.
pub(super) fn diagnostics(page: &Page<'_>) -> String {
    let title = page.said(&text!("Messages about the files", "파일에 대한 메시지"));
    let mut html = format!(
        "<section id=\"messages\" aria-labelledby=\"messages-title\">\n<h2 id=\"messages-title\">{title}</h2>\n"
    );
    if page.report.diagnostics.is_empty() {
        let nothing = page.said(&text!("Nothing to warn of.", "경고할 것이 없습니다."));
        html += &format!("<p>{nothing}</p>\n");
    }
    for diagnostic in &page.report.diagnostics {
        let (class, word) = match diagnostic.severity {
            Severity::Error => ("violated", text!("error", "오류")),
            Severity::Warning => ("undecided", text!("warning", "경고")),
            Severity::Advice => ("advice", text!("advice", "조언")),
        };
        let word = page.said(&word);
        html += &format!(
            "<details class=\"message {class}\"><summary><span class=\"mark\" aria-hidden=\"true\"></span>\
             <span class=\"says\">{}</span><span class=\"verdict\">{word}</span></summary>\n<div class=\"body\">\n<p><code>{}</code></p>\n",
            coded(&headline(diagnostic, page.style())),
            diagnostic.code.as_str()
        );
        for label in &diagnostic.labels {
            html += &quote::lines(page.sources, label.span, page.style().say(&label.message));
        }
        html += &diagnostic.help.as_ref().map_or(String::new(), |help| format!("<p>{}</p>\n", page.said(help)));
        html += "</div></details>\n";
    }
    html + "</section>\n"
}
