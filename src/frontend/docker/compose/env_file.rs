//! `.env` files.

use std::collections::BTreeMap;

use super::interpolate;

/// `KEY=VALUE` lines; `export` and quotes are allowed, `#` starts a comment, and values that are not in single quotes may
/// use variables (docs.docker.com, Compose, `.env` file syntax). `outer` are variables that are set already.
pub fn parse(text: &str, outer: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    for line in text.lines() {
        let line = line.trim();
        let Some((key, value)) = line.strip_prefix("export ").unwrap_or(line).split_once('=') else { continue };
        if key.starts_with('#') {
            continue;
        }
        let known = |name: &str| outer.get(name).or_else(|| variables.get(name)).cloned();
        let value = value_of(value.trim(), &known);
        variables.insert(key.trim().to_owned(), value);
    }
    variables
}

fn value_of(text: &str, known: interpolate::Variables<'_>) -> String {
    let quoted =
        |quote: char| text.strip_prefix(quote).and_then(|rest| rest.split_once(quote)).map(|(inside, _)| inside);
    if let Some(literal) = quoted('\'') {
        return literal.to_owned();
    }
    let written = quoted('"').unwrap_or_else(|| match text.starts_with('#') {
        true => "",
        false => text.split(" #").next().unwrap_or(text).trim_end(),
    });
    interpolate::substitute(written, known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_files_are_read_as_compose_does() {
        let outer = BTreeMap::from([("A".to_owned(), "0".to_owned())]);
        let text = "# c\nA=1\nexport B = \"x y\" # no\nC='$A'\nD=v # w\nE=\nnonsense\nF=${A}-${D:-d}$G\nH=# none\n";
        let read = parse(text, &outer);
        let pairs: Vec<(&str, &str)> = read.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let expected = [("A", "1"), ("B", "x y"), ("C", "$A"), ("D", "v"), ("E", ""), ("F", "0-v"), ("H", "")];
        assert_eq!(pairs, expected);
    }
}
