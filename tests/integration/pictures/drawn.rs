//! What must be true of every picture, read back from its text.

use std::collections::BTreeSet;

use roxmltree::{Document, Node};

#[derive(Clone, Copy, Debug)]
struct Rect {
    x: f64,
    y: f64,
    w: f64,
    h: f64,
}

impl Rect {
    fn of(node: Node<'_, '_>) -> Self {
        let number = |name| node.attribute(name).map_or(0.0, |value| value.parse().unwrap());
        Self { x: number("x"), y: number("y"), w: number("width"), h: number("height") }
    }

    /// Whether a point is inside, further than `by` from the wall.
    fn holds(self, (x, y): (f64, f64), by: f64) -> bool {
        self.x + by < x && x < self.x + self.w - by && self.y + by < y && y < self.y + self.h - by
    }
}

fn has_class(node: Node<'_, '_>, class: &str) -> bool {
    node.attribute("class").is_some_and(|all| all.split(' ').any(|one| one == class))
}

pub(super) fn check_svg(text: &str) {
    let document = Document::parse(text).unwrap_or_else(|error| panic!("{error}\n{text}"));
    let svg = document.root_element();
    let page = Rect::of(svg);
    let mut ids = BTreeSet::new();
    for id in svg.descendants().filter_map(|node| node.attribute("id")) {
        assert!(ids.insert(id), "two elements are called {id}");
    }
    for node in svg.descendants() {
        for name in node.attribute("aria-labelledby").into_iter().flat_map(str::split_whitespace) {
            assert!(ids.contains(name), "there is no {name}");
        }
        assert!(!["script", "image", "foreignObject", "use", "a"].contains(&node.tag_name().name()), "{node:?}");
        let loads = |attribute: &str| attribute.starts_with("on") || attribute == "href" || attribute == "src";
        assert!(!node.attributes().any(|attribute| loads(attribute.name())), "{node:?}");
        if node.has_tag_name(("http://www.w3.org/2000/svg", "rect")) {
            let rect = Rect::of(node);
            assert!(
                rect.x >= -3.0 && rect.x + rect.w <= page.w + 3.0 && rect.y + rect.h <= page.h,
                "{rect:?} is outside"
            );
        }
    }
    texts_fit(svg);
    lines_avoid_cards(svg);
}

/// Every text begins inside the element that it belongs to.
fn texts_fit(svg: Node<'_, '_>) {
    for element in svg.descendants().filter(|node| has_class(*node, "el")) {
        let Some(rect) = element.children().find(|node| node.tag_name().name() == "rect").map(Rect::of) else {
            continue;
        };
        for text in element.children().filter(|node| node.tag_name().name() == "text") {
            let at = Rect::of(text);
            assert!(rect.holds((at.x, at.y), 0.0), "`{}` is outside of its box", text.text().unwrap_or(""));
        }
    }
}

/// A line touches only the cards and doors that it begins and ends at: those that it is more than a little inside of.
fn lines_avoid_cards(svg: Node<'_, '_>) {
    let is_card = |node: &Node<'_, '_>| {
        let solid = ["container", "membership", "door", "router", "stranger", "nat", "segment"];
        has_class(*node, "el") && solid.iter().any(|class| has_class(*node, class)) && node.attribute("id").is_some()
    };
    let cards: Vec<Rect> = svg
        .descendants()
        .filter(is_card)
        .filter_map(|node| node.children().find(|child| child.tag_name().name() == "rect").map(Rect::of))
        .collect();
    let is_line = |node: &Node<'_, '_>| {
        let is_wire = node.parent().is_some_and(|parent| has_class(parent, "wires"));
        node.tag_name().name() == "path" && ((has_class(*node, "hop") && !has_class(*node, "tip")) || is_wire)
    };
    for line in svg.descendants().filter(is_line) {
        let points = points(line.attribute("d").unwrap());
        let inside = |point| cards.iter().any(|card| card.holds(point, 1.0));
        let crosses =
            points.windows(2).flat_map(|pair| between(pair[0], pair[1])).filter(|point| inside(*point)).count();
        assert_eq!(crosses, 0, "a line crosses a card: {}", line.attribute("d").unwrap());
    }
}

/// The numbers of a path's data in pairs.
fn points(data: &str) -> Vec<(f64, f64)> {
    let numbers: Vec<f64> = data
        .split(|c: char| c.is_ascii_alphabetic() || c == ' ')
        .filter(|word| !word.is_empty())
        .map(|word| word.parse().unwrap())
        .collect();
    numbers.chunks(2).map(|pair| (pair[0], pair[1])).collect()
}

fn between(a: (f64, f64), b: (f64, f64)) -> impl Iterator<Item = (f64, f64)> {
    (0..=50).map(move |step| {
        let part = f64::from(step) / 50.0;
        (a.0 + (b.0 - a.0) * part, a.1 + (b.1 - a.1) * part)
    })
}

fn is_id(word: &str) -> bool {
    word.strip_prefix('e').is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()))
}

/// One statement a line; every name in an edge is that of a node or subgraph, and no label ends its quotes early.
pub(super) fn check_mermaid(text: &str) {
    let body = text.split_once("flowchart TB\n").unwrap().1;
    let (mut known, mut used, mut depth) = (BTreeSet::new(), BTreeSet::new(), 0);
    for line in body.lines().map(str::trim) {
        assert!(line.matches('"').count() % 2 == 0 && line.matches('"').count() <= 2, "{line}");
        let bare = line.split('"').step_by(2).collect::<String>();
        let words: Vec<&str> = bare.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| is_id(word)).collect();
        match line.split(' ').next().unwrap() {
            "subgraph" => depth += 1,
            "end" => depth -= 1,
            "linkStyle" | "classDef" | "class" => {}
            _ if words.len() == 2 => used.extend(words.iter().map(|word| (*word).to_owned())),
            _ => assert_eq!(words.len(), 1, "{line}"),
        }
        if words.len() == 1 && !line.starts_with("class ") {
            assert!(known.insert(words[0].to_owned()), "twice: {line}");
        }
    }
    assert_eq!(depth, 0);
    assert!(used.is_subset(&known), "{used:?}");
}

pub(super) fn check_dot(text: &str) {
    let (mut known, mut used) = (BTreeSet::new(), BTreeSet::new());
    for line in text.lines().map(str::trim) {
        let bare = without_strings(line);
        assert!(!bare.contains('"'), "{line}");
        let words: Vec<&str> = bare.split([' ', ';']).filter(|word| is_id(word)).collect();
        match words.as_slice() {
            [one] => assert!(known.insert((*one).to_owned()), "twice: {line}"),
            all => used.extend(all.iter().map(|word| (*word).to_owned())),
        }
    }
    assert_eq!(text.matches("{\n").count(), text.lines().filter(|line| line.trim() == "}").count());
    assert!(used.is_subset(&known), "{used:?}");
}

/// A line of DOT without its quoted strings.
fn without_strings(line: &str) -> String {
    let (mut bare, mut in_string, mut is_escaped) = (String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' if !is_escaped => in_string = !in_string,
            _ if !in_string => bare.push(c),
            _ => {}
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    assert!(!in_string, "{line}");
    bare
}
