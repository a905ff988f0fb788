//! Answers under other releases and settings: one block per sentence, with the assumptions that decide it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::check::{Answer, Axis, Cell, Matrix, Row};
use crate::language::{Text, text};

use super::{Style, json};

const GREEN: u8 = 32;
const RED: u8 = 31;
const YELLOW: u8 = 33;

/// For people.
pub fn render(matrix: &Matrix, style: Style) -> String {
    let rows: String = matrix.rows.iter().map(|row| self::row(matrix, row, style)).collect();
    rows + "\n" + &varied(matrix, style)
}

/// For programs.
pub fn json(matrix: &Matrix) -> String {
    json::document(&Document {
        format: json::FORMAT,
        axes: matrix.axes.iter().map(axis_json).collect(),
        sentences: matrix.rows.iter().map(|row| row_json(matrix, row)).collect(),
    })
}

/// The same everywhere on one line; else the answer by default, and a line for each choice that changes it.
fn row(matrix: &Matrix, row: &Row, style: Style) -> String {
    let sentence = &row.statement.sentence.value;
    let Some(default) = row.cells.first().map(|cell| cell.answer) else { return String::new() };
    let mut text = format!("{}  {sentence}\n", word(default, style));
    for answer in [Answer::Holds, Answer::Violated, Answer::Undecided] {
        for choice in choices(matrix, row, answer, style).iter().filter(|_| answer != default) {
            let word = word(answer, style);
            text += style.say(&text!("    but {word} with {choice}\n", "    단 {word}: {choice}\n"));
        }
    }
    text
}

/// The combinations with this answer, in few words: an axis that does not matter there is left out.
fn choices(matrix: &Matrix, row: &Row, answer: Answer, style: Style) -> Vec<String> {
    let cells = row.cells.iter().filter(|cell| cell.answer == answer);
    let mut groups: Vec<Group> = cells.map(|cell| cell.at.iter().map(|value| vec![*value]).collect()).collect();
    while let Some((one, other, axis)) = mergeable(&groups) {
        let values = groups.remove(other).swap_remove(axis);
        if let Some(known) = groups.get_mut(one).and_then(|group| group.get_mut(axis)) {
            known.extend(values);
            known.sort_unstable();
        }
    }
    groups.sort_unstable();
    groups.iter().map(|group| group_text(matrix, row, group, style)).collect()
}

/// The values that are meant on each axis.
type Group = Vec<Vec<usize>>;

/// Two groups that differ on one axis only, the earlier one first; the first axis that has any.
fn mergeable(groups: &[Group]) -> Option<(usize, usize, usize)> {
    let axes = groups.first().map_or(0, Vec::len);
    let differ = |a: &Group, b: &Group, axis: usize| a.iter().zip(b).enumerate().all(|(i, (a, b))| i == axis || a == b);
    (0..axes).find_map(|axis| {
        let mut pairs = (1..groups.len()).flat_map(|other| (0..other).map(move |one| (one, other)));
        let (one, other) = pairs
            .find(|(one, other)| groups.get(*one).zip(groups.get(*other)).is_some_and(|(a, b)| differ(a, b, axis)))?;
        Some((one, other, axis))
    })
}

fn group_text(matrix: &Matrix, row: &Row, group: &Group, style: Style) -> String {
    let axes = row.axes.iter().filter_map(|index| matrix.axes.get(*index));
    let text = |(axis, values): (&Axis, &Vec<usize>)| {
        let (named, others): (Vec<_>, Vec<_>) =
            axis.values.iter().enumerate().partition(|(index, _)| values.contains(index));
        let listed = |all: Vec<(usize, &Text)>| all.iter().map(|(_, v)| style.say(v)).collect::<Vec<_>>().join(" | ");
        let name = style.say(&axis.name);
        match (named.len(), others.len()) {
            (_, 0) => None,
            (2.., 1) => {
                let others = listed(others);
                Some(style.say(&text!("{name} other than {others}", "{name} {others} 이외")).to_owned())
            }
            _ => Some(format!("{name} {}", listed(named))),
        }
    };
    axes.zip(group).filter_map(text).collect::<Vec<_>>().join(", ")
}

/// The assumptions of a cell, by name.
fn assumed<'m>(matrix: &'m Matrix, row: &Row, at: &[usize]) -> BTreeMap<&'m str, &'m str> {
    let axes = row.axes.iter().filter_map(|index| matrix.axes.get(*index));
    axes.zip(at).filter_map(|(axis, value)| Some((axis.name.as_str(), axis.values.get(*value)?.as_str()))).collect()
}

fn varied(matrix: &Matrix, style: Style) -> String {
    if matrix.axes.is_empty() {
        let nothing = text!(
            "nothing was varied: the files leave no release and no setting open that matters here\n",
            "바꿔 본 것이 없습니다: 이 랩에 영향을 주는 버전과 설정 가운데 파일이 비워 둔 것이 없습니다\n"
        );
        return style.say(&nothing).to_owned();
    }
    let listed = |axis: &Axis| axis.values.iter().map(|value| style.say(value)).collect::<Vec<_>>().join(", ");
    let axes = matrix.axes.iter().map(|axis| format!("  {}: {}\n", style.say(&axis.name), listed(axis)));
    let axes: String = axes.collect();
    style
        .say(&text!("varied wherever no file states it:\n{axes}", "파일에 명시되지 않아 바꿔 본 것:\n{axes}"))
        .to_owned()
}

fn word(answer: Answer, style: Style) -> String {
    match answer {
        Answer::Holds => style.paint(GREEN, style.say(&text!("holds", "성립"))),
        Answer::Violated => style.paint(RED, style.say(&text!("violated", "위반"))),
        Answer::Undecided => style.paint(YELLOW, style.say(&text!("undecided", "판정 불가"))),
    }
}

fn axis_json(axis: &Axis) -> AxisJson<'_> {
    AxisJson { name: &axis.name, values: axis.values.iter().map(Text::as_str).collect() }
}

fn row_json<'m>(matrix: &'m Matrix, row: &'m Row) -> RowJson<'m> {
    let cell =
        |cell: &'m Cell| CellJson { assuming: assumed(matrix, row, &cell.at), answer: json::answer_word(cell.answer) };
    RowJson { sentence: &row.statement.sentence.value, answers: row.cells.iter().map(cell).collect() }
}

#[derive(Serialize)]
struct Document<'m> {
    format: &'static str,
    axes: Vec<AxisJson<'m>>,
    sentences: Vec<RowJson<'m>>,
}

#[derive(Serialize)]
struct AxisJson<'m> {
    name: &'m str,
    values: Vec<&'m str>,
}

#[derive(Serialize)]
struct RowJson<'m> {
    sentence: &'m str,
    answers: Vec<CellJson<'m>>,
}

#[derive(Serialize)]
struct CellJson<'m> {
    assuming: BTreeMap<&'m str, &'m str>,
    answer: &'static str,
}
