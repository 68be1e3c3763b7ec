//! Text is cut only where there is no room for it: at the sizes that people use, in every view, no mark `…` stands
//! in a line that has free cells, nor in a box or in lines of prose where a line is free.

use doomtop::app::App;
use doomtop::app::view::click_target::ClickTarget;
use doomtop::ui::Theme;
use doomtop::ui::click_areas::ClickAreas;
use doomtop::ui::paint_clickable;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::demo::app_before;
use crate::fixtures::{app, paint, press, settle};

const FULL: Theme = crate::fixtures::theme(true, true);

/// The sizes that people use.
const SIZES: [(u16, u16); 6] = [(40, 10), (80, 24), (100, 30), (120, 40), (160, 50), (200, 60)];

/// The cells that may stay free in a line with a cut text: a word or a path is not broken for fewer.
const SPARE: usize = 3;

/// The same for a path, of which whole names are left out at the beginning.
const SPARE_NAME: usize = 30;

/// The free cells side by side, in every row of a table, up to which a column may be cut: a column has the width of
/// its longest text, which may be in a row below the screen, and numbers are at the right end of theirs.
const TABLE_SPARE: usize = 10;

/// A picture, and what was painted where.
struct Picture {
    cells: Vec<Vec<String>>,
    areas: ClickAreas,
}

/// A cut text, and where it had room.
#[derive(Debug)]
struct Cut {
    line: String,
    why: &'static str,
}

impl Picture {
    fn of(app: &mut App, (width, height): (u16, u16)) -> Self {
        paint(app, FULL, width, height);
        let area = Rect::new(0, 0, width, height);
        let (mut buffer, mut areas) = (Buffer::empty(area), ClickAreas::default());
        paint_clickable(app, &FULL, area, &mut buffer, &mut areas);
        let row = |y| (0..width).map(|x| buffer[(x, y)].symbol().to_owned()).collect();
        Self { cells: (0..height).map(row).collect(), areas }
    }

    fn is(&self, x: usize, y: usize, glyph: &str) -> bool {
        self.cells.get(y).and_then(|row| row.get(x)).is_some_and(|cell| cell == glyph)
    }

    /// The boxes, with their borders.
    fn boxes(&self) -> Vec<Rect> {
        let mut found = Vec::new();
        for (y, row) in self.cells.iter().enumerate() {
            let corners = row.iter().enumerate().filter(|(_, cell)| *cell == "╭");
            for (x, _) in corners {
                let right = (x..row.len()).find(|&x| self.is(x, y, "╮"));
                let bottom = (y..self.cells.len()).find(|&y| self.is(x, y, "╰"));
                if let (Some(right), Some(bottom)) = (right, bottom) {
                    let [x, y, right, bottom] = [x, y, right, bottom].map(|it| it as u16);
                    found.push(Rect::new(x, y, right - x + 1, bottom - y + 1));
                }
            }
        }
        found
    }

    /// The cells of a line between two columns.
    fn between(&self, y: usize, from: usize, to: usize) -> &[String] {
        &self.cells[y][from..to]
    }

    /// The free cells at the end of a line of text.
    fn free(cells: &[String]) -> usize {
        cells.iter().rev().take_while(|cell| *cell == " ").count()
    }

    fn is_row(&self, y: usize) -> bool {
        matches!(self.areas.at(8, y as u16), Some(ClickTarget::Row(_)))
    }

    fn is_list(&self, y: usize) -> bool {
        matches!(
            self.areas.at(8, y as u16),
            Some(ClickTarget::Row(_) | ClickTarget::List | ClickTarget::Column(_))
        )
    }

    /// Whether the mark at this place stands for things that are counted or left out on purpose: `…3 more`.
    fn is_count(&self, x: usize, y: usize) -> bool {
        self.cells[y].get(x + 1).is_some_and(|next| next.chars().all(|c| c.is_ascii_digit()))
    }

    /// The cut texts that had room.
    fn cuts(&self) -> Vec<Cut> {
        let boxes = self.boxes();
        let mut found = Vec::new();
        for (y, row) in self.cells.iter().enumerate() {
            for (x, _) in row.iter().enumerate().filter(|(_, cell)| *cell == "…") {
                if self.is_count(x, y) {
                    continue;
                }
                let inside = boxes.iter().find(|it| it.contains((x as u16, y as u16).into()));
                let why = match inside {
                    Some(inside) => self.cut_in_box(*inside, (x, y)),
                    None if self.is_list(y) => self.cut_in_table(y),
                    None => self.cut_in_line(y),
                };
                found.extend(why.map(|why| Cut { line: row.concat().trim_end().to_owned(), why }));
            }
        }
        found
    }

    fn cut_in_box(&self, inside: Rect, (x, y): (usize, usize)) -> Option<&'static str> {
        let [left, top, right, bottom] =
            [inside.left(), inside.top(), inside.right(), inside.bottom()].map(usize::from);
        if y == top {
            let border = self.between(y, left, right);
            let line = border.iter().filter(|cell| *cell == "─").count();
            return (line > SPARE + 2).then_some("its title had room");
        }
        let spare = if self.is(x + 1, y, "/") { SPARE_NAME } else { SPARE };
        if Self::free(self.between(y, left + 1, right - 2)) > spare {
            return Some("cells are free behind it");
        }
        let is_blank = |y| Self::free(self.between(y, left + 1, right - 1)) == right - left - 2;
        (top + 1..bottom - 1).any(is_blank).then_some("a line of its box is free")
    }

    fn cut_in_line(&self, y: usize) -> Option<&'static str> {
        let row = &self.cells[y];
        (Self::free(row) > SPARE).then_some("cells are free behind it")
    }

    /// In a table there is room where cells are free in each of its rows and in its head.
    fn cut_in_table(&self, y: usize) -> Option<&'static str> {
        let same = |other: &usize| self.is_list(*other) && self.is_row(*other) == self.is_row(y);
        let first = (0..y).rev().take_while(same).last().unwrap_or(y);
        // The head of the table is above its first row.
        let first = first.saturating_sub(1);
        let last = (y..self.cells.len()).take_while(same).last().unwrap_or(y);
        let width = self.cells[y].len();
        let is_free = |x: usize| (first..=last).all(|y| self.cells[y][x] == " ");
        let mut run = 0;
        for x in 0..width {
            run = if is_free(x) { run + 1 } else { 0 };
            if run > TABLE_SPARE {
                return Some("cells are free in all rows of its table");
            }
        }
        None
    }
}

/// Machines that are calm, near a death and after one.
fn machines() -> Vec<(String, App)> {
    let mut found = Vec::new();
    for (nth, before) in [(0, 20), (0, 3), (1, 5), (2, 3), (2, 0)] {
        found.push((format!("demo, {before} before kill {nth}"), app_before(nth, before)));
    }
    for name in ["db-03", "desk-7", "small", "strict"] {
        found.push((name.to_owned(), app(&format!("{name}.jsonl"))));
    }
    found
}

#[test]
fn text_is_cut_only_where_there_is_no_room_for_it() {
    let mut found = String::new();
    for (name, mut app) in machines() {
        settle(&mut app);
        for view in ["1", "2", "3", "4", "5"] {
            press(&mut app, &[&format!("Alt-{view}")]);
            app.display.notice = None;
            for (width, height) in SIZES {
                for Cut { line, why } in Picture::of(&mut app, (width, height)).cuts() {
                    found.push_str(&format!(
                        "{name}, view {view}, {width}x{height}: {why}\n{line}\n"
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

/// What opens a page or a dialog.
const OVER: [&[&str]; 21] = [
    &["?"],
    &["!"],
    &["J"],
    &["A"],
    &["v"],
    &["f"],
    &[":"],
    &["Enter"],
    &["a", "-200"],
    &["X"],
    &["k"],
    &["s"],
    &["u"],
    &["."],
    &["w"],
    &["y"],
    &["W"],
    &["t"],
    &["c"],
    &[":", "overcommit", "Enter"],
    &["F2"],
];

#[test]
fn text_of_pages_and_dialogs_is_cut_only_where_there_is_no_room_for_it() {
    let mut found = String::new();
    for script in OVER {
        for (name, mut app) in machines() {
            settle(&mut app);
            press(&mut app, script);
            for (width, height) in SIZES {
                for Cut { line, why } in Picture::of(&mut app, (width, height)).cuts() {
                    found.push_str(&format!(
                        "{name}, {script:?}, {width}x{height}: {why}\n{line}\n"
                    ));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn the_panel_of_kills_shows_whole_ones_and_the_newest() {
    for (width, height) in [(150, 32), (160, 50), (180, 50), (200, 60), (240, 70)] {
        let mut app = app_before(2, 0);
        let picture = Picture::of(&mut app, (width, height));
        let titled = |it: &&Rect| {
            let row = &picture.cells[usize::from(it.y)];
            row[usize::from(it.x)..usize::from(it.right())].concat().contains("Kills and actions")
        };
        let boxes = picture.boxes();
        let panel = boxes.iter().find(titled).expect("the panel");
        let (left, right) = (usize::from(panel.left()), usize::from(panel.right()));
        let rows = usize::from(panel.top())..usize::from(panel.bottom());
        let text: Vec<String> = rows.map(|y| picture.between(y, left, right).concat()).collect();
        let text = text.join("\n");
        assert!(!text.contains('…'), "{width}x{height}:\n{text}");
        assert!(text.contains("444 python3"), "{width}x{height}:\n{text}");
    }
}
