//! Where everything goes: boxes in boxes, small ones in a grid, large ones in rows.
//!
//! Sizes come from inside to outside, places from outside to inside. Between any two boxes there is a lane that is wide
//! enough for a line, see `route`.

use std::collections::BTreeMap;

use super::text::{Font, width, wrapped};
use super::{Door, DoorKind, House, HouseKind, Id, Picture};

/// Between a wall and what is inside.
pub(super) const PAD: i32 = 16;
/// Between two lines of text.
pub(super) const LINE: i32 = 16;
/// The height of a title.
pub(super) const TITLE: i32 = 20;
/// The height of a door with one line.
const DOOR: i32 = 22;
/// Between doors, and between cards: one lane.
const NEAR: i32 = 13;
/// Between houses: two lanes.
const FAR: i32 = 20;
/// Facts on a card may be this wide, and names.
const CARD: i32 = 152;
const NAME: i32 = 190;
/// Doors may be this wide together before they begin another row.
const DOORS: i32 = 460;
/// How much wider than high a group is.
const RATIO: f64 = 1.8;
/// Houses, and cards, that are no longer than this together stand in one row.
const ONE_ROW: i32 = 1180;
const ONE_ROW_OF_CARDS: i32 = 420;

/// A rectangle in pixels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub(super) x: i32,
    pub(super) y: i32,
    pub(super) w: i32,
    pub(super) h: i32,
}

impl Rect {
    pub(super) fn right(self) -> i32 {
        self.x + self.w
    }

    pub(super) fn bottom(self) -> i32 {
        self.y + self.h
    }

    pub(super) fn center(self) -> (i32, i32) {
        (self.x + self.w / 2, self.y + self.h / 2)
    }

    pub(super) fn grown(self, by: i32) -> Self {
        Self { x: self.x - by, y: self.y - by, w: self.w + 2 * by, h: self.h + 2 * by }
    }
}

/// What is drawn in a rectangle.
#[derive(Clone, Copy, Debug)]
pub(super) enum Drawn<'a> {
    House(&'a House),
    Door(&'a Door),
}

/// An element and its place.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mark<'a> {
    pub(super) drawn: Drawn<'a>,
    pub(super) rect: Rect,
}

/// A whole picture with places for everything; houses come before what is in them.
#[derive(Clone, Debug)]
pub(super) struct Layout<'a> {
    pub(super) width: i32,
    pub(super) height: i32,
    pub(super) marks: Vec<Mark<'a>>,
}

/// A part of the picture, its first mark around all others.
#[derive(Clone, Debug, Default)]
struct Block<'a> {
    w: i32,
    h: i32,
    marks: Vec<Mark<'a>>,
}

impl<'a> Block<'a> {
    fn add(&mut self, other: Block<'a>, x: i32, y: i32) {
        let moved =
            |mark: Mark<'a>| Mark { rect: Rect { x: mark.rect.x + x, y: mark.rect.y + y, ..mark.rect }, ..mark };
        self.marks.extend(other.marks.into_iter().map(moved));
        self.w = self.w.max(x + other.w);
        self.h = self.h.max(y + other.h);
    }

    fn stretch(&mut self, w: i32, h: i32) {
        (self.w, self.h) = (self.w.max(w), self.h.max(h));
        if let Some(outer) = self.marks.first_mut() {
            (outer.rect.w, outer.rect.h) = (self.w, self.h);
        }
    }
}

/// Places everything.
pub(super) fn layout(picture: &Picture) -> Layout<'_> {
    let (outside, inside): (Vec<&House>, Vec<&House>) =
        picture.houses.iter().partition(|house| house.kind == HouseKind::Internet);
    let mut whole = Block::default();
    let rest = rooms(&inside);
    for house in outside {
        let mut sky = block(house);
        sky.stretch(rest.w, 0);
        let y = if whole.h == 0 { 0 } else { whole.h + FAR };
        whole.add(sky, 0, y);
    }
    let y = if whole.h == 0 { 0 } else { whole.h + FAR + NEAR };
    whole.add(rest, 0, y);
    let mut page = Block::default();
    page.add(whole, PAD, PAD);
    Layout { width: page.w + PAD, height: page.h + PAD, marks: page.marks }
}

fn block(house: &House) -> Block<'_> {
    if house.kind.is_card() { card(house) } else { shell(house) }
}

/// A small thing: name, facts, what it listens on.
fn card(house: &House) -> Block<'_> {
    let facts = house.facts.iter().map(|fact| width(fact, Font::Mono)).max().unwrap_or(0);
    let label = if shows_label(house) { width(&house.label, Font::Label) + 14 } else { 0 };
    let title = width(&house.title, Font::Title).min(NAME) + label;
    let written = facts.min(CARD).max(title).max(60);
    let mut doors = flow(&house.doors, written.max(96), 6);
    let w = written.max(doors.w) + 2 * (PAD - 4);
    let text = header_height(house) - 4;
    let y = if doors.h == 0 { text } else { text + 2 };
    let h = if doors.h == 0 { text + 5 } else { y + doors.h + PAD - 6 };
    let mut card = Block { w, h, marks: vec![Mark { drawn: Drawn::House(house), rect: Rect { x: 0, y: 0, w, h } }] };
    doors.h = 0;
    card.add(Block { w: 0, ..doors }, PAD - 4, y);
    card
}

/// A house with rooms: title, doors in the order adapters, guards, ports, then the rooms.
fn shell(house: &House) -> Block<'_> {
    let rooms = rooms(&house.rooms.iter().collect::<Vec<_>>());
    let title = width(&house.title, Font::Title) + 12 + width(&house.label, Font::Label);
    let facts = house.facts.iter().map(|fact| width(fact, Font::Mono)).max().unwrap_or(0);
    let has_guard = house.doors.iter().any(|door| door.kind == DoorKind::Guard);
    let least = rooms.w.max(title).max(facts).max(if has_guard { 300 } else { 0 });
    let (adapters, others): (Vec<&Door>, Vec<&Door>) = house.doors.iter().partition(|d| d.kind == DoorKind::Adapter);
    let (guards, ports): (Vec<&Door>, Vec<&Door>) = others.into_iter().partition(|d| d.kind == DoorKind::Guard);
    let adapters = flow(adapters, least.max(DOORS), NEAR);
    let ports = flow(ports, least.max(DOORS), NEAR);
    let content = least.max(adapters.w).max(ports.w);
    let mut parts = vec![adapters];
    parts.extend(guards.into_iter().map(|guard| guard_block(guard, content)));
    parts.extend([ports, rooms]);
    let mut y = header_height(house);
    let mut inside = Block::default();
    for part in parts.into_iter().filter(|part| part.h > 0) {
        let below = part.h;
        inside.add(part, PAD, y);
        y += below + NEAR + 3;
    }
    let (w, h) = (content + 2 * PAD, if inside.h == 0 { y } else { inside.h + PAD });
    let mut shell = Block { w, h, marks: vec![Mark { drawn: Drawn::House(house), rect: Rect { x: 0, y: 0, w, h } }] };
    shell.add(inside, 0, 0);
    shell
}

/// Whether a house says what it is; sixty containers need not.
pub(super) fn shows_label(house: &House) -> bool {
    !matches!(house.kind, HouseKind::Container | HouseKind::Membership)
}

fn header_height(house: &House) -> i32 {
    let facts = i32::try_from(house.facts.len()).unwrap_or(0);
    PAD - 4 + TITLE + facts * LINE + 6
}

/// The text at the top of a house.
pub(super) fn header(house: &House, rect: Rect) -> Rect {
    let label = if shows_label(house) { 12 + width(&house.label, Font::Label) } else { 0 };
    let facts = house.facts.iter().map(|fact| width(fact, Font::Mono));
    let w = facts.chain([width(&house.title, Font::Title) + label]).max().unwrap_or(0);
    Rect { x: rect.x + PAD - 6, y: rect.y + 7, w: (w + 12).min(rect.w - 12), h: header_height(house) - 13 }
}

/// Doors in rows.
fn flow<'a>(doors: impl IntoIterator<Item = &'a Door>, room: i32, gap: i32) -> Block<'a> {
    let mut block = Block::default();
    let (mut x, mut y) = (0, 0);
    for door in doors {
        let text = door.lines.first().map_or(0, |line| width(line, Font::Mono));
        let w = (text + 16).min(room.max(60));
        if 0 < x && room < x + w {
            (x, y) = (0, y + DOOR + gap);
        }
        let rect = Rect { x: 0, y: 0, w, h: DOOR };
        block.add(Block { w, h: DOOR, marks: vec![Mark { drawn: Drawn::Door(door), rect }] }, x, y);
        x += w + gap;
    }
    block
}

fn guard_block(guard: &Door, w: i32) -> Block<'_> {
    let lines = i32::try_from(guard_lines(guard, w).len()).unwrap_or(1);
    let h = lines * LINE + 10;
    Block { w, h, marks: vec![Mark { drawn: Drawn::Door(guard), rect: Rect { x: 0, y: 0, w, h } }] }
}

/// What is written on a guard of this width; room is left for its shield.
pub(super) fn guard_lines(guard: &Door, w: i32) -> Vec<String> {
    guard.lines.iter().flat_map(|line| wrapped(line, Font::Mono, w - 44)).collect()
}

/// In this order: what is plumbing, cards in a grid, houses in rows, and who is here besides elsewhere.
fn rooms<'a>(houses: &[&'a House]) -> Block<'a> {
    let mut groups: [Vec<Block<'a>>; 4] = Default::default();
    let [plumbing, cards, shells, members] = &mut groups;
    for house in houses {
        let group = match house.kind {
            HouseKind::Segment | HouseKind::Nat => &mut *plumbing,
            HouseKind::Membership => &mut *members,
            HouseKind::Lan => &mut *shells,
            _ if house.rooms.is_empty() => &mut *cards,
            _ => &mut *shells,
        };
        group.push(block(house));
    }
    [plumbing, cards, members].into_iter().for_each(|group| even_out(group));
    let [plumbing, cards, shells, members] = groups;
    let shells = rows(shells, FAR, 0);
    let least = shells.w;
    let parts = [rows(plumbing, NEAR, least), rows(cards, NEAR, least), shells, rows(members, NEAR, least)];
    let mut all = Block::default();
    for part in parts.into_iter().filter(|part| part.h > 0) {
        let y = if all.h == 0 { 0 } else { all.h + FAR };
        all.add(part, 0, y);
    }
    all
}

/// Cards of one group get one width, so that they stand in columns.
fn even_out(cards: &mut [Block<'_>]) {
    let widest = cards.iter().map(|card| card.w).max().unwrap_or(0);
    cards.iter_mut().for_each(|card| card.stretch(widest, 0));
}

/// Rows that are about as long as the whole is wide, or as `least`; in one row all are equally high.
fn rows<'a>(blocks: Vec<Block<'a>>, gap: i32, least: i32) -> Block<'a> {
    let area: f64 = blocks.iter().map(|b| f64::from(b.w + gap) * f64::from(b.h + gap)).sum();
    let widest = blocks.iter().map(|b| b.w).max().unwrap_or(0);
    #[expect(clippy::cast_possible_truncation, reason = "the root of an area of pixels is a number of pixels")]
    let square = (area * RATIO).sqrt() as i32;
    let one_row: i32 = blocks.iter().map(|b| b.w + gap).sum();
    let room = square.max(widest).max(least).max(one_row.min(if gap == FAR { ONE_ROW } else { ONE_ROW_OF_CARDS }));
    let mut rows: Vec<Vec<Block<'a>>> = Vec::new();
    let mut x = 0;
    for block in blocks {
        let fits = x + block.w <= room;
        x = if fits { x } else { 0 } + block.w + gap;
        match rows.last_mut().filter(|_| fits) {
            Some(row) => row.push(block),
            None => rows.push(vec![block]),
        }
    }
    let mut all = Block::default();
    let mut y = 0;
    for row in rows {
        let height = row.iter().map(|block| block.h).max().unwrap_or(0);
        let mut x = 0;
        for mut block in row {
            block.stretch(0, height);
            let w = block.w;
            all.add(block, x, y);
            x += w + gap;
        }
        y += height + gap;
    }
    all
}

impl Layout<'_> {
    /// Where lines may begin and end: cards and doors as a whole, houses at their title.
    pub(super) fn anchors(&self) -> BTreeMap<Id, Rect> {
        let anchor = |mark: &Mark<'_>| match mark.drawn {
            Drawn::House(house) if house.kind.is_card() => (house.id, mark.rect),
            Drawn::House(house) => (house.id, header(house, mark.rect)),
            Drawn::Door(door) => (door.id, mark.rect),
        };
        self.marks.iter().map(anchor).collect()
    }
}
