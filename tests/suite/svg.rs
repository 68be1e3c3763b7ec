//! Pictures of real screens: a buffer as an SVG file with a grid of cells.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

const CELL: (f32, f32) = (8.43, 17.0);
const MARGIN: f32 = 14.0;
const BACK: &str = "#15181e";
const FORE: &str = "#ccd1da";

/// The colours of a common dark terminal.
fn colour(colour: Color, otherwise: &'static str) -> &'static str {
    match colour {
        Color::Black => BACK,
        Color::Red => "#f2636f",
        Color::Green => "#93cf74",
        Color::Yellow => "#e5bd62",
        Color::Blue => "#6aa4f0",
        Color::Magenta => "#c98bea",
        Color::Cyan => "#5fbfd0",
        Color::White => FORE,
        _ => otherwise,
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
struct Ink {
    fore: &'static str,
    back: &'static str,
    bold: bool,
    dim: bool,
}

fn ink(cell: &Cell) -> Ink {
    let (mut fore, mut back) = (colour(cell.fg, FORE), colour(cell.bg, BACK));
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut fore, &mut back);
    }
    Ink {
        fore,
        back,
        bold: cell.modifier.contains(Modifier::BOLD),
        dim: cell.modifier.contains(Modifier::DIM),
    }
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture.
pub fn svg(buffer: &Buffer) -> String {
    let area = buffer.area;
    let (width, height) = (
        f32::from(area.width) * CELL.0 + 2.0 * MARGIN,
        f32::from(area.height) * CELL.1 + 2.0 * MARGIN,
    );
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, \
         monospace\" font-size=\"14\" xml:space=\"preserve\">\n\
         <rect width=\"100%\" height=\"100%\" rx=\"8\" fill=\"{BACK}\"/>\n"
    );
    for y in area.top()..area.bottom() {
        let mut runs: Vec<(u16, u16, Ink, String)> = Vec::new();
        let mut x = area.left();
        while x < area.right() {
            let cell = &buffer[(x, y)];
            let cells = (cell.symbol().width() as u16).max(1);
            let here = ink(cell);
            match runs.last_mut() {
                Some((_, end, ink, text)) if *ink == here && *end == x => {
                    text.push_str(cell.symbol());
                    *end = x + cells;
                }
                _ => runs.push((x, x + cells, here, cell.symbol().to_owned())),
            }
            x += cells;
        }
        let top = MARGIN + f32::from(y) * CELL.1;
        for (from, to, ink, text) in &runs {
            let left = MARGIN + f32::from(*from) * CELL.0;
            let wide = f32::from(to - from) * CELL.0;
            if ink.back != BACK {
                let _ = writeln!(
                    out,
                    "<rect shape-rendering=\"crispEdges\" x=\"{left:.2}\" y=\"{top:.1}\" width=\"{wide:.2}\" height=\"{:.1}\" fill=\"{}\"/>",
                    CELL.1, ink.back
                );
            }
            let blank = text.len() - text.trim_start().len();
            let shown = text.trim();
            if shown.is_empty() {
                continue;
            }
            let left = left + blank as f32 * CELL.0;
            let wide = shown.width() as f32 * CELL.0;
            let bold = if ink.bold { " font-weight=\"bold\"" } else { "" };
            let dim = if ink.dim { " opacity=\"0.55\"" } else { "" };
            let _ = writeln!(
                out,
                "<text x=\"{left:.2}\" y=\"{:.1}\" textLength=\"{wide:.2}\" fill=\"{}\"{bold}{dim}>{}</text>",
                top + 13.0,
                ink.fore,
                escape(shown)
            );
        }
    }
    out.push_str("</svg>\n");
    out
}
