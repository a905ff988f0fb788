//! Files as URIs (RFC 8089), and back.

use std::fmt::Write;

/// The URI of a file by its absolute path, with `/` between parts: `/srv/lab.yaml`, `C:/lab.yaml`.
pub fn of_path(path: &str) -> String {
    let slash = if path.starts_with('/') { "" } else { "/" };
    format!("file://{slash}{}", escaped(path))
}

/// The path that a `file:` URI names; nothing for other URIs.
pub fn path_of(uri: &str) -> Option<String> {
    let rest = uri.strip_prefix("file://")?;
    // What stands before the path is the name of a machine.
    let path = unescaped(rest.get(rest.find('/')?..)?)?;
    let without_slash = path.strip_prefix('/').filter(|rest| rest.as_bytes().get(1) == Some(&b':'));
    Some(without_slash.map(str::to_owned).unwrap_or(path))
}

/// Everything but what RFC 3986 calls unreserved, and the slashes, as `%XX`.
pub(super) fn escaped(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => uri.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => drop(write!(uri, "%{byte:02X}")),
        }
    }
    uri
}

fn unescaped(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        let hex = |digit: Option<u8>| digit.and_then(|d| char::from(d).to_digit(16)).and_then(|d| u8::try_from(d).ok());
        bytes.push(match byte {
            b'%' => hex(rest.next())? * 16 + hex(rest.next())?,
            byte => byte,
        });
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_and_uris_are_the_same_thing() {
        let check = |path: &str, uri: &str| {
            assert_eq!(of_path(path), uri);
            assert_eq!(path_of(uri).as_deref(), Some(path));
        };
        check("/srv/my lab/포트.yaml", "file:///srv/my%20lab/%ED%8F%AC%ED%8A%B8.yaml");
        check("C:/lab.yaml", "file:///C%3A/lab.yaml");
        assert_eq!(path_of("file:///c:/lab.yaml").as_deref(), Some("c:/lab.yaml"));
        assert_eq!(path_of("file://machine/lab.yaml").as_deref(), Some("/lab.yaml"));
        for wrong in ["untitled:1", "file:", "file://x", "file:///%", "file:///%4", "file:///%zz", "file:///%ff"] {
            assert_eq!(path_of(wrong), None, "{wrong}");
        }
    }
}
