//! Two texts as a unified diff that `patch -p1` and `git apply` take.

use super::Style;

const RED: u8 = 31;
const GREEN: u8 = 32;
const CYAN: u8 = 36;

/// Unchanged lines around a change.
const CONTEXT: usize = 3;

/// Longer changes are not compared line by line.
const MOST_COMPARED: usize = 2000;

/// The difference of two versions of a file.
pub(super) fn unified(name: &str, old: &str, new: &str, style: Style) -> String {
    let (old, new) = (lines(old), lines(new));
    let script = script(&old, &new);
    let mut text = format!("--- a/{name}\n+++ b/{name}\n");
    for (start, end) in hunks(&script) {
        text += &hunk(&script, start, end, style);
    }
    text
}

fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// A line that stays (` `), goes (`-`) or comes (`+`).
type Line<'a> = (char, &'a str);

fn script<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    let above = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let rest = old.len().min(new.len()) - above;
    let below = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (above..old.len() - below, above..new.len() - below);
    let kept = |lines: &[&'a str]| -> Vec<Line<'a>> { lines.iter().map(|l| (' ', *l)).collect() };
    let mut script = kept(old.get(..above).unwrap_or_default());
    script.extend(compared(old.get(old_middle).unwrap_or_default(), new.get(new_middle).unwrap_or_default()));
    script.extend(kept(old.get(old.len() - below..).unwrap_or_default()));
    script
}

/// By the longest common subsequence: `table[i][j]` is its length for `old[i..]` and `new[j..]`.
fn compared<'a>(old: &[&'a str], new: &[&'a str]) -> Vec<Line<'a>> {
    if old.len() > MOST_COMPARED || new.len() > MOST_COMPARED {
        return old.iter().map(|l| ('-', *l)).chain(new.iter().map(|l| ('+', *l))).collect();
    }
    let width = new.len() + 1;
    let mut table = vec![0usize; (old.len() + 1) * width];
    let at = |table: &[usize], i: usize, j: usize| table.get(i * width + j).copied().unwrap_or(0);
    for (i, a) in old.iter().enumerate().rev() {
        for (j, b) in new.iter().enumerate().rev() {
            let longest = match a == b {
                true => at(&table, i + 1, j + 1) + 1,
                false => at(&table, i + 1, j).max(at(&table, i, j + 1)),
            };
            if let Some(slot) = table.get_mut(i * width + j) {
                *slot = longest;
            }
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut script = Vec::new();
    loop {
        match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) if a == b => {
                script.push((' ', *a));
                (i, j) = (i + 1, j + 1);
            }
            (Some(a), b) if b.is_none() || at(&table, i + 1, j) >= at(&table, i, j + 1) => {
                script.push(('-', *a));
                i += 1;
            }
            (_, Some(b)) => {
                script.push(('+', *b));
                j += 1;
            }
            (_, None) => return script,
        }
    }
}

/// Ranges of the script with a change and its context; those that touch are one.
fn hunks(script: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    for (index, _) in script.iter().enumerate().filter(|(_, (sign, _))| *sign != ' ') {
        let (start, end) = (index.saturating_sub(CONTEXT), (index + CONTEXT + 1).min(script.len()));
        match hunks.last_mut() {
            Some(last) if start <= last.1 => last.1 = end,
            _ => hunks.push((start, end)),
        }
    }
    hunks
}

fn hunk(script: &[Line<'_>], start: usize, end: usize, style: Style) -> String {
    let of = |from: usize, to: usize, other: char| {
        script.get(from..to).unwrap_or_default().iter().filter(|(sign, _)| *sign != other).count()
    };
    // A range of no lines is named by the line before it.
    let range = |other| {
        let (before, count) = (of(0, start, other), of(start, end, other));
        format!("{},{count}", if count == 0 { before } else { before + 1 })
    };
    let head = format!("@@ -{} +{} @@", range('+'), range('-'));
    let mut text = style.paint(CYAN, &head) + "\n";
    for (sign, line) in script.get(start..end).unwrap_or_default() {
        let shown = format!("{sign}{}", line.strip_suffix('\n').unwrap_or(line));
        text += &match sign {
            '-' => style.paint(RED, &shown),
            '+' => style.paint(GREEN, &shown),
            _ => shown,
        };
        text += if line.ends_with('\n') { "\n" } else { "\n\\ No newline at end of file\n" };
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(old: &str, new: &str, expected: &str) {
        assert_eq!(unified("f", old, new, Style::PLAIN), format!("--- a/f\n+++ b/f\n{expected}"));
    }

    // Expectations from `diff -u` of GNU diffutils.
    #[test]
    fn hunks_have_three_lines_of_context() {
        check("1\n2\n3\n4\n5\n", "1\n2\n3\n4\nx\n5\n", "@@ -2,4 +2,5 @@\n 2\n 3\n 4\n+x\n 5\n");
        check("a\n", "b\n", "@@ -1,1 +1,1 @@\n-a\n+b\n");
        check("", "a\n", "@@ -0,0 +1,1 @@\n+a\n");
        check("a", "a\nb", "@@ -1,1 +1,2 @@\n-a\n\\ No newline at end of file\n+a\n+b\n\\ No newline at end of file\n");
    }

    #[test]
    fn changes_far_apart_are_hunks_of_their_own() {
        let middle = "=\n".repeat(9);
        let hunks = "@@ -1,4 +1,4 @@\n-a\n+x\n =\n =\n =\n@@ -8,4 +8,4 @@\n =\n =\n =\n-b\n+y\n";
        check(&format!("a\n{middle}b\n"), &format!("x\n{middle}y\n"), hunks);
    }

    proptest! {
        #[test]
        fn the_script_gives_both_texts(old in "([ab]\\n){0,8}[ab]?", new in "([ab]\\n){0,8}[ab]?") {
            let (a, b) = (lines(&old), lines(&new));
            let script = script(&a, &b);
            let without = |other| script.iter().filter(|(sign, _)| *sign != other).map(|(_, l)| *l).collect::<String>();
            prop_assert_eq!(without('+'), old.as_str());
            prop_assert_eq!(without('-'), new.as_str());
        }
    }
}
