//! nginx: servers that requests are passed on to (nginx.org, ngx_http_proxy_module, ngx_http_upstream_module).

use crate::source::{SourceId, Span, Spanned};

/// `conf.d` is read whole; the image's own file there is `default.conf` (nginx/docker-nginx, stable/debian/Dockerfile).
pub(super) const PLACES: &[&str] = &[
    "/etc/nginx/conf.d/",
    "/etc/nginx/nginx.conf",
    "/etc/nginx/conf.d/default.conf",
    "/etc/nginx/conf.d/nginx.conf",
    "/etc/nginx/conf.d/app.conf",
];

/// Directives whose first word is a server, and what stands for a missing port there.
const DIRECTIVES: [(&str, &str); 5] = [
    ("proxy_pass", ""),
    ("fastcgi_pass", "tcp://"),
    ("uwsgi_pass", "tcp://"),
    ("grpc_pass", ""),
    ("server", "http://"),
];

/// The servers; names of groups of servers (`upstream`) are none, and what holds a variable is not known.
pub(super) fn dials(source: SourceId, text: &str) -> Vec<Spanned<String>> {
    let mut dials = Vec::new();
    let mut groups = Vec::new();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let code = line.split('#').next().unwrap_or(line);
        let words: Vec<(usize, &str)> = words(code).collect();
        let mut is_first = true;
        for pair in words.windows(2) {
            let &[(_, name), (at, value)] = pair else { continue };
            let value = value.trim_end_matches(';');
            if is_first && name == "upstream" {
                groups.push(value.to_owned());
            }
            let directive = DIRECTIVES.iter().find(|(directive, _)| is_first && *directive == name);
            if let Some((_, scheme)) = directive.filter(|_| is_literal(value)) {
                let place = Span::new(source, start + at, start + at + value.len());
                dials.push((Spanned::new(value.to_owned(), place), *scheme));
            }
            is_first = name.ends_with([';', '{', '}']);
        }
        start += line.len();
    }
    let url = |(value, scheme): (Spanned<String>, &str)| {
        let has_scheme = value.value.contains("://");
        value.map(|value| if has_scheme { value } else { format!("{scheme}{value}") })
    };
    let is_group = |address: &str| {
        let host = address.split_once("://").map_or(address, |(_, rest)| rest).split(['/', ':']).next();
        groups.iter().any(|group| Some(group.as_str()) == host)
    };
    dials.into_iter().filter(|(value, _)| !is_group(&value.value)).map(url).collect()
}

/// Neither a block, nor a variable, nor a UNIX socket.
fn is_literal(value: &str) -> bool {
    !value.contains(['$', '{']) && !value.starts_with("unix:") && !value.contains("://unix:")
}

fn words(line: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    line.split_inclusive(char::is_whitespace).filter_map(move |piece| {
        let (from, word) = (at, piece.trim_end());
        at += piece.len();
        (!word.is_empty()).then_some((from, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::Sources;

    #[test]
    fn servers_that_requests_go_to() {
        let text = "# 서버\nupstream app {\n    server web:8000 weight=2;\n    server web2;\n}\nserver {\n    listen 80;\n    \
            server_name a;\n    location / { proxy_pass http://app; }\n    location /api { proxy_pass http://localhost:3000/; }\n    \
            location ~ php { \n fastcgi_pass php:9000;\n    }\n    location /x { \n proxy_pass http://$host:1;\n fastcgi_pass unix:/run/php.sock; # proxy_pass http://b;\n  }\n}\n";
        let source = Sources::default().add("default.conf", text);
        let read = dials(source, text);
        let shown: Vec<String> =
            read.iter().map(|d| format!("{} <{}>", d.value, &text[d.span.start..d.span.end])).collect();
        let expected = [
            "http://web:8000 <web:8000>",
            "http://web2 <web2>",
            "http://localhost:3000/ <http://localhost:3000/>",
            "tcp://php:9000 <php:9000>",
        ];
        assert_eq!(shown, expected);
    }
}
