//! Lines through the lanes between boxes: right angles, few bends, never across a text.
//!
//! The lanes form a grid that is looked through by A*. A line may cross the walls of houses, that is what it is drawn
//! for; it may not cross titles, doors and cards other than those that it joins.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use super::Id;
use super::layout::{Layout, Rect};

/// How far a lane is from the box beside it.
const LANE: i32 = 6;
/// How near a line may come to a text.
const CLEAR: i32 = 3;
/// What is wider than this need not be left in the middle.
const WIDE: i32 = 240;
/// A bend costs as much as this many pixels.
const BEND: i32 = 40;

/// Corners of a line.
pub(super) type Line = Vec<(i32, i32)>;

/// The lanes of one picture.
pub(super) struct Router {
    anchors: BTreeMap<Id, Rect>,
    xs: Vec<i32>,
    ys: Vec<i32>,
    /// Who is in the way between a crossing and the next one to the right, and below.
    right: Vec<Option<Id>>,
    below: Vec<Option<Id>>,
    /// The same edges, where they lie on a wall.
    on_wall: [Vec<bool>; 2],
    /// Edges of lines that the next one keeps off, where it can.
    taken: BTreeSet<(Spot, Spot)>,
}

/// A crossing, and whether the line came to it along a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Spot {
    x: usize,
    y: usize,
    along_row: bool,
}

/// The way from one crossing to the next.
#[derive(Clone, Copy)]
struct Edge {
    blocker: Option<Id>,
    is_on_wall: bool,
}

impl Router {
    pub(super) fn new(layout: &Layout<'_>) -> Self {
        let anchors = layout.anchors();
        let (mut xs, mut ys) = (BTreeSet::new(), BTreeSet::new());
        for rect in layout.marks.iter().map(|mark| mark.rect).chain(anchors.values().copied()) {
            xs.extend([rect.x - LANE, rect.right() + LANE]);
            ys.extend([rect.y - LANE, rect.bottom() + LANE]);
        }
        for rect in anchors.values() {
            xs.insert(rect.center().0);
            ys.insert(rect.center().1);
        }
        let (xs, ys): (Vec<i32>, Vec<i32>) = (xs.into_iter().collect(), ys.into_iter().collect());
        let size = xs.len() * ys.len();
        let on_wall = [vec![false; size], vec![false; size]];
        let mut router =
            Self { anchors, xs, ys, right: vec![None; size], below: vec![None; size], on_wall, taken: BTreeSet::new() };
        router.put_up_obstacles();
        layout.marks.iter().for_each(|mark| router.put_up_walls(mark.rect));
        router
    }

    fn put_up_obstacles(&mut self) {
        for (id, rect) in self.anchors.clone() {
            let rect = rect.grown(CLEAR);
            let columns = crossed(&self.xs, rect.x, rect.right());
            let rows = crossed(&self.ys, rect.y, rect.bottom());
            for y in rows.inside.clone() {
                for x in columns.touched.clone() {
                    self.bar(true, x, y, id);
                }
            }
            for x in columns.inside {
                for y in rows.touched.clone() {
                    self.bar(false, x, y, id);
                }
            }
        }
    }

    /// A line that runs along a wall cannot be told from it.
    fn put_up_walls(&mut self, rect: Rect) {
        let width = self.xs.len();
        let [right, below] = &mut self.on_wall;
        for wall in [rect.y, rect.bottom()] {
            for y in crossed(&self.ys, wall - CLEAR, wall + CLEAR).inside {
                for x in crossed(&self.xs, rect.x, rect.right()).touched {
                    right.get_mut(y * width + x).into_iter().for_each(|edge| *edge = true);
                }
            }
        }
        for wall in [rect.x, rect.right()] {
            for x in crossed(&self.xs, wall - CLEAR, wall + CLEAR).inside {
                for y in crossed(&self.ys, rect.y, rect.bottom()).touched {
                    below.get_mut(y * width + x).into_iter().for_each(|edge| *edge = true);
                }
            }
        }
    }

    fn bar(&mut self, along_row: bool, x: usize, y: usize, id: Id) {
        let index = y * self.xs.len() + x;
        let edges = if along_row { &mut self.right } else { &mut self.below };
        if let Some(edge) = edges.get_mut(index) {
            *edge = Some(id);
        }
    }

    /// Lines that come now need not keep off those before.
    pub(super) fn begin(&mut self) {
        self.taken.clear();
    }

    /// A line from the wall of one element to the wall of another.
    pub(super) fn line(&mut self, from: Id, to: Id) -> Line {
        let (start, end) = (self.anchors.get(&from).copied(), self.anchors.get(&to).copied());
        let (Some(start), Some(end)) = (start, end) else { return Line::new() };
        if from == to {
            return Line::new();
        }
        let spots = self.search(from, to);
        self.taken.extend(spots.windows(2).filter_map(|pair| Some(between(*pair.first()?, *pair.last()?))));
        let points: Line = spots.iter().map(|spot| self.point(spot.x, spot.y)).collect();
        let line = if points.is_empty() { angle(start.center(), end.center()) } else { straightened(&points) };
        clipped(line, start, end)
    }

    /// The crossings of the cheapest line; none where the lanes do not lead there.
    fn search(&self, from: Id, to: Id) -> Vec<Spot> {
        let (Some(start), Some(goal)) = (self.crossing(from, to), self.crossing(to, from)) else { return Vec::new() };
        let mut best: BTreeMap<Spot, i32> = BTreeMap::new();
        let mut before: BTreeMap<Spot, Spot> = BTreeMap::new();
        let mut open = BinaryHeap::new();
        for along_row in [true, false] {
            let spot = Spot { x: start.0, y: start.1, along_row };
            best.insert(spot, 0);
            open.push(Reverse((self.distance(spot, goal), 0, spot)));
        }
        while let Some(Reverse((_, cost, spot))) = open.pop() {
            if (spot.x, spot.y) == goal {
                let spots = std::iter::successors(Some(spot), |spot| before.get(spot).copied());
                return spots.collect::<Vec<_>>().into_iter().rev().collect();
            }
            if best.get(&spot).is_some_and(|known| *known < cost) {
                continue;
            }
            for (next, edge) in self.neighbours(spot) {
                if edge.blocker.is_some_and(|id| id != from && id != to) {
                    continue;
                }
                let bend = if next.along_row == spot.along_row { 0 } else { BEND };
                let length = self.distance(spot, (next.x, next.y));
                let is_taken = self.taken.contains(&between(spot, next));
                let weight = if edge.is_on_wall { 6 } else { 1 } + if is_taken { 8 } else { 0 };
                let cost = cost + bend + weight * length;
                if best.get(&next).is_none_or(|known| cost < *known) {
                    best.insert(next, cost);
                    before.insert(next, spot);
                    open.push(Reverse((cost + self.distance(next, goal), cost, next)));
                }
            }
        }
        Vec::new()
    }

    /// Where a line towards `other` begins: in the middle, or of something wide where the other one is above or below.
    fn crossing(&self, id: Id, other: Id) -> Option<(usize, usize)> {
        let (rect, other) = (self.anchors.get(&id)?, self.anchors.get(&other)?);
        let (middle, y) = rect.center();
        let opposite = other.center().0;
        let is_below = rect.x + LANE < opposite && opposite < rect.right() - LANE;
        let x = if WIDE < rect.w && is_below { opposite } else { middle };
        Some((self.xs.binary_search(&x).ok()?, self.ys.binary_search(&y).ok()?))
    }

    fn point(&self, x: usize, y: usize) -> (i32, i32) {
        (self.xs.get(x).copied().unwrap_or(0), self.ys.get(y).copied().unwrap_or(0))
    }

    fn distance(&self, from: Spot, to: (usize, usize)) -> i32 {
        let (a, b) = (self.point(from.x, from.y), self.point(to.0, to.1));
        (a.0 - b.0).abs() + (a.1 - b.1).abs()
    }

    fn neighbours(&self, spot: Spot) -> impl Iterator<Item = (Spot, Edge)> {
        let [on_row, on_column] = &self.on_wall;
        let is = |walls: &[bool], edge: usize| walls.get(edge).copied().unwrap_or(false);
        let at = |x: usize, y: usize| y * self.xs.len() + x;
        let row = |x: usize, edge: usize| {
            let blocker = self.right.get(edge).copied().flatten();
            (Spot { x, y: spot.y, along_row: true }, Edge { blocker, is_on_wall: is(on_row, edge) })
        };
        let column = |y: usize, edge: usize| {
            let blocker = self.below.get(edge).copied().flatten();
            (Spot { x: spot.x, y, along_row: false }, Edge { blocker, is_on_wall: is(on_column, edge) })
        };
        let left = spot.x.checked_sub(1).map(|x| row(x, at(x, spot.y)));
        let right = (spot.x + 1 < self.xs.len()).then(|| row(spot.x + 1, at(spot.x, spot.y)));
        let above = spot.y.checked_sub(1).map(|y| column(y, at(spot.x, y)));
        let below = (spot.y + 1 < self.ys.len()).then(|| column(spot.y + 1, at(spot.x, spot.y)));
        [left, right, above, below].into_iter().flatten()
    }
}

/// An edge, from whichever side it is come to.
fn between(a: Spot, b: Spot) -> (Spot, Spot) {
    let bare = |spot: Spot| Spot { along_row: false, ..spot };
    (bare(a).min(bare(b)), bare(a).max(bare(b)))
}

/// The grid lines strictly inside a range, and those whose way to the next one runs through it.
struct Crossed {
    inside: std::ops::Range<usize>,
    touched: std::ops::Range<usize>,
}

fn crossed(lines: &[i32], start: i32, end: i32) -> Crossed {
    let first = lines.partition_point(|line| *line <= start);
    let last = lines.partition_point(|line| *line < end);
    Crossed { inside: first..last, touched: first.saturating_sub(1)..last }
}

/// One bend, where the lanes lead nowhere.
fn angle(from: (i32, i32), to: (i32, i32)) -> Line {
    straightened(&[from, (to.0, from.1), to])
}

/// Only the ends and the bends.
fn straightened(line: &[(i32, i32)]) -> Line {
    let mut bends: Line = Vec::new();
    for point in line {
        if let [.., a, b] = bends.as_slice()
            && ((a.0 == b.0 && b.0 == point.0) || (a.1 == b.1 && b.1 == point.1))
        {
            bends.pop();
        }
        if bends.last() != Some(point) {
            bends.push(*point);
        }
    }
    bends
}

/// The part of a line between two rectangles.
fn clipped(line: Line, start: Rect, end: Rect) -> Line {
    let mut line = left_behind(line, start);
    line.reverse();
    let mut line = left_behind(line, end);
    line.reverse();
    line
}

/// A line that begins inside a rectangle, from its wall on.
fn left_behind(line: Line, rect: Rect) -> Line {
    let is_inside = |p: &(i32, i32)| rect.x <= p.0 && p.0 <= rect.right() && rect.y <= p.1 && p.1 <= rect.bottom();
    let inside = line.iter().take_while(|point| is_inside(point)).count();
    let (Some(last), Some(next)) = (inside.checked_sub(1).and_then(|i| line.get(i)), line.get(inside)) else {
        return line;
    };
    let wall = (next.0.clamp(rect.x, rect.right()), next.1.clamp(rect.y, rect.bottom()));
    let wall = if last.0 == next.0 { (last.0, wall.1) } else { (wall.0, last.1) };
    std::iter::once(wall).chain(line.iter().skip(inside).copied()).collect()
}
