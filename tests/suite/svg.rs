//! Pictures of real screens: those of the program, and moving ones.

use std::fmt::Write;

use ratatui::buffer::Buffer;
use unicode_width::UnicodeWidthStr;

use doomtop::ui::svg::{CELL, MARGIN, escape, ink};
pub use doomtop::ui::svg::{DARK, LIGHT, TerminalColours as Screen, draw, size, svg};

const BACK: u32 = DARK.back;

/// Something on the screen: where, in which ink, for how many cells, and what; no text is a background.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Piece {
    y: u16,
    x: u16,
    wide: u16,
    class: String,
    text: String,
}

/// A picture in pieces: backgrounds, and words.
fn pieces(buffer: &Buffer) -> Vec<Piece> {
    let area = buffer.area;
    let mut all: Vec<Piece> = Vec::new();
    for y in area.top()..area.bottom() {
        let mut x = area.left();
        // Where the last background and the last word end.
        let (mut back, mut word) = (None, None);
        while x < area.right() {
            let cell = &buffer[(x, y)];
            let wide = (cell.symbol().width() as u16).max(1);
            let ink = ink(cell, &DARK);
            let mut put = |open: &mut Option<usize>, class: String, text: &str| match open {
                Some(at) if all[*at].class == class && all[*at].x + all[*at].wide == x => {
                    all[*at].wide += wide;
                    all[*at].text.push_str(text);
                }
                _ => {
                    *open = Some(all.len());
                    all.push(Piece { y, x, wide, class, text: text.to_owned() });
                }
            };
            if ink.back != BACK {
                put(&mut back, format!("b{:06x}", ink.back), "");
            }
            if !cell.symbol().trim().is_empty() {
                let bold = if ink.bold { " b" } else { "" };
                let dim = if ink.dim { " d" } else { "" };
                let struck = if ink.struck { " s" } else { "" };
                put(&mut word, format!("f{:06x}{bold}{dim}{struck}", ink.fore), cell.symbol());
            }
            x += wide;
        }
    }
    all
}

/// A moving picture: pictures and for how many milliseconds each is shown, over and over. A piece that
/// stays is drawn once. Without animations it shows the first picture.
pub fn film(frames: &[(Buffer, u32)]) -> String {
    use std::collections::{BTreeMap, BTreeSet};
    let area = frames[0].0.area;
    let (width, height) = (
        f32::from(area.width) * CELL.0 + 2.0 * MARGIN,
        f32::from(area.height) * CELL.1 + 2.0 * MARGIN,
    );
    let mut shown: BTreeMap<Piece, Vec<usize>> = BTreeMap::new();
    for (nth, (buffer, _)) in frames.iter().enumerate() {
        for piece in pieces(buffer) {
            shown.entry(piece).or_default().push(nth);
        }
    }
    // By the frames from which to which it is shown, without a gap.
    let mut spans: BTreeMap<(usize, usize), Vec<&Piece>> = BTreeMap::new();
    for (piece, at) in &shown {
        for run in at.chunk_by(|one, next| one + 1 == *next) {
            spans.entry((run[0], run[run.len() - 1] + 1)).or_default().push(piece);
        }
    }
    let total: u32 = frames.iter().map(|(_, long)| long).sum();
    let percent = |nth: usize| {
        let before: u32 = frames[..nth].iter().map(|(_, long)| long).sum();
        format!("{:.3}%", f64::from(before) * 100.0 / f64::from(total))
    };
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, \
         monospace\" font-size=\"14\">\n<style>\n.b{{font-weight:bold}}.d{{opacity:.55}}.s{{text-decoration:line-through}}\n"
    );
    let classes: BTreeSet<&str> =
        shown.keys().filter_map(|piece| piece.class.split(' ').next()).collect();
    for class in classes {
        let _ = writeln!(out, ".{class}{{fill:#{}}}", &class[1..]);
    }
    for &(from, to) in spans.keys().filter(|span| **span != (0, frames.len())) {
        let (on, off) = ("{visibility:visible}", "{visibility:hidden}");
        let first = if from == 0 { on } else { off };
        let _ = write!(out, "@keyframes k{from}-{to}{{0%{first}");
        if from > 0 {
            let _ = write!(out, "{}{on}", percent(from));
        }
        if to < frames.len() {
            let _ = write!(out, "{}{off}", percent(to));
        }
        let hidden = if from > 0 { "visibility:hidden;" } else { "" };
        let seconds = f64::from(total) / 1000.0;
        let _ = writeln!(
            out,
            "}}.k{from}-{to}{{{hidden}animation:k{from}-{to} {seconds}s step-end infinite}}"
        );
    }
    out.push_str("@media(prefers-reduced-motion:reduce){g{animation:none!important}}\n</style>\n");
    let _ = writeln!(out, "<rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"#{BACK:06x}\"/>");
    // No background over a word, whenever each of them came.
    for words in [false, true] {
        for ((from, to), pieces) in &spans {
            let of_kind = pieces.iter().filter(|piece| piece.text.is_empty() != words);
            let mut inside = String::new();
            for piece in of_kind {
                let left = MARGIN + f32::from(piece.x) * CELL.0;
                let top = MARGIN + f32::from(piece.y) * CELL.1;
                let wide = f32::from(piece.wide) * CELL.0;
                let class = &piece.class;
                let _ = if words {
                    let (y, text) = (top + 13.0, escape(&piece.text));
                    writeln!(
                        inside,
                        "<text x=\"{left:.2}\" y=\"{y}\" textLength=\"{wide:.2}\" class=\"{class}\">{text}</text>"
                    )
                } else {
                    writeln!(
                        inside,
                        "<rect shape-rendering=\"crispEdges\" x=\"{left:.2}\" y=\"{top}\" width=\"{wide:.2}\" \
                         height=\"{}\" class=\"{class}\"/>",
                        CELL.1
                    )
                };
            }
            if inside.is_empty() {
                continue;
            }
            if (*from, *to) == (0, frames.len()) {
                out.push_str(&inside);
            } else {
                let _ = write!(out, "<g class=\"k{from}-{to}\">\n{inside}</g>\n");
            }
        }
    }
    out.push_str("</svg>\n");
    out
}
