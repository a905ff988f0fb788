//! Names that stand in no file: what `lower` calls the machines that nobody names, its links, and its relays. They are
//! names for programs; people read them in their language.

use crate::language::Text;

/// What a name begins with, and what stands behind the rest of it in Korean.
const GIVEN: [(&str, &str); 7] = [
    ("any other host on ", "의 다른 호스트"),
    ("resolver behind the NAT of ", "의 NAT 뒤 DNS"),
    ("NAT of network ", " 네트워크의 NAT"),
    ("NAT of ", "의 NAT"),
    ("NAT forward to ", "행 NAT 포트 포워딩"),
    ("NAT forward ", " NAT 포트 포워딩"),
    ("network ", " 네트워크"),
];

/// A node, link or relay as people call it; names from files are the same in every language.
pub fn called(name: &str) -> Text {
    let given = GIVEN.iter().find_map(|(before, after)| Some((name.strip_prefix(before)?, after)));
    match given {
        Some((rest, after)) => Text::new(name.to_owned(), format!("{rest}{after}")),
        None => name.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_given_names_are_translated() {
        let check = |name, korean| assert_eq!((called(name).as_str(), called(name).korean()), (name, korean));
        check("any other host on lan", "lan의 다른 호스트");
        check("network back", "back 네트워크");
        check("NAT forward to rocky", "rocky행 NAT 포트 포워딩");
        check("rocky/grafana", "rocky/grafana");
    }
}
