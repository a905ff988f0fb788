//! Who can reach what, and what is to be said about the files.

use crate::check::Exposure;
use crate::diagnostic::{Diagnostic, Severity};
use crate::source::Sources;

use super::super::exposure::grid;
use super::super::markup::escaped;
use super::quote;

/// The matrix of who can reach what.
pub(super) fn exposure(exposure: &Exposure) -> String {
    let mut html = "<section id=\"exposure\" aria-labelledby=\"exposure-title\">\n\
                    <h2 id=\"exposure-title\">Who can reach what</h2>\n"
        .to_owned();
    if exposure.listeners.is_empty() {
        return html + "<p>Nothing in this lab is known to listen.</p>\n</section>\n";
    }
    let grid = grid(exposure);
    html += "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-labelledby=\"exposure-title\"><table class=\"matrix\">\n";
    for (index, row) in grid.rows.iter().enumerate() {
        html += if index == 0 { "<thead>\n<tr>" } else { "<tr>" };
        for (column, cell) in row.iter().enumerate() {
            let cell = escaped(cell);
            html += &match (index, column) {
                (0, 0) => "<th scope=\"col\">listens</th>".to_owned(),
                (0, _) => format!("<th scope=\"col\">{cell}</th>"),
                (_, 0) => format!("<th scope=\"row\">{cell}</th>"),
                _ if cell.is_empty() => "<td class=\"none\"><span class=\"hidden\">not at all</span></td>".to_owned(),
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
pub(super) fn diagnostics(diagnostics: &[Diagnostic], sources: &Sources) -> String {
    let mut html = "<section id=\"messages\" aria-labelledby=\"messages-title\">\n\
                    <h2 id=\"messages-title\">Messages about the files</h2>\n"
        .to_owned();
    if diagnostics.is_empty() {
        html += "<p>Nothing to warn of.</p>\n";
    }
    for diagnostic in diagnostics {
        let (class, word) = match diagnostic.severity {
            Severity::Error => ("violated", "error"),
            Severity::Warning => ("undecided", "warning"),
            Severity::Advice => ("advice", "advice"),
        };
        html += &format!(
            "<details class=\"message {class}\"><summary><span class=\"mark\" aria-hidden=\"true\"></span>\
             <span class=\"says\">{}</span><span class=\"verdict\">{word}</span></summary>\n<div class=\"body\">\n<p><code>{}</code></p>\n",
            escaped(&diagnostic.message),
            diagnostic.code.as_str()
        );
        for label in &diagnostic.labels {
            html += &quote::lines(sources, label.span, &label.message);
        }
        html += &diagnostic.help.as_ref().map_or(String::new(), |help| format!("<p>{}</p>\n", escaped(help)));
        html += "</div></details>\n";
    }
    html + "</section>\n"
}
