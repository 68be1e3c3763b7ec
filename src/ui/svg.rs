//! Pictures of screens: a buffer as an SVG file with a grid of cells.

use std::fmt::Write;

use ratatui::buffer::{Buffer, Cell};
use ratatui::style::{Color, Modifier};
use unicode_width::UnicodeWidthStr;

/// Width and height of a cell, in pixels.
pub const CELL: (f32, f32) = (8.43, 17.0);
/// Pixels around the cells.
pub const MARGIN: f32 = 14.0;

/// The colours of a terminal.
#[derive(Clone, Debug)]
pub struct TerminalColours {
    /// Its background.
    pub back: u32,
    /// Its text.
    pub fore: u32,
    /// Its 16 colours.
    sixteen: [u32; 16],
}

/// A common dark terminal.
pub const DARK: TerminalColours = TerminalColours {
    back: 0x15_18_1e,
    fore: 0xcc_d1_da,
    sixteen: [
        0x15_18_1e, 0xd9_46_54, 0x93_cf_74, 0xe5_bd_62, 0x6a_a4_f0, 0xb5_78_d8, 0x5f_bf_d0,
        0xcc_d1_da, 0x7a_82_8e, 0xf2_63_6f, 0xa9_e0_8c, 0xf5_d4_83, 0x8a_bb_ff, 0xc9_8b_ea,
        0x7f_da_ea, 0xff_ff_ff,
    ],
};

/// A common light terminal.
pub const LIGHT: TerminalColours = TerminalColours {
    back: 0xff_ff_ff,
    fore: 0x22_27_2e,
    sixteen: [
        0x22_27_2e, 0xc0_1c_28, 0x2e_8b_3d, 0xa2_73_4c, 0x1e_57_b0, 0xa3_47_ba, 0x2a_a1_b3,
        0xd0_d5_db, 0x77_7f_8a, 0xe0_3a_46, 0x33_a0_48, 0xb5_87_0f, 0x2a_7b_de, 0xc0_61_cb,
        0x33_b5_c7, 0xff_ff_ff,
    ],
};

impl TerminalColours {
    /// A terminal with this background, text and 16 colours.
    #[must_use]
    pub const fn new(back: u32, fore: u32, sixteen: [u32; 16]) -> Self {
        Self { back, fore, sixteen }
    }

    /// A colour as the terminal shows it; nothing is the default.
    #[must_use]
    pub fn colour(&self, colour: Color) -> Option<u32> {
        let sixteen = |nth: usize| Some(self.sixteen[nth]);
        match colour {
            Color::Reset => None,
            Color::Black => sixteen(0),
            Color::Red => sixteen(1),
            Color::Green => sixteen(2),
            Color::Yellow => sixteen(3),
            Color::Blue => sixteen(4),
            Color::Magenta => sixteen(5),
            Color::Cyan => sixteen(6),
            Color::Gray => sixteen(7),
            Color::DarkGray => sixteen(8),
            Color::LightRed => sixteen(9),
            Color::LightGreen => sixteen(10),
            Color::LightYellow => sixteen(11),
            Color::LightBlue => sixteen(12),
            Color::LightMagenta => sixteen(13),
            Color::LightCyan => sixteen(14),
            Color::White => sixteen(15),
            Color::Rgb(red, green, blue) => Some(u32::from_be_bytes([0, red, green, blue])),
            Color::Indexed(nth @ 0..16) => sixteen(usize::from(nth)),
            Color::Indexed(nth @ 16..232) => {
                let level = |of: u8| if of == 0 { 0 } else { 55 + 40 * of };
                let nth = nth - 16;
                Some(u32::from_be_bytes([0, level(nth / 36), level(nth / 6 % 6), level(nth % 6)]))
            }
            Color::Indexed(nth) => Some(u32::from(8 + 10 * (nth - 232)) * 0x01_01_01),
        }
    }
}

/// How a cell is drawn: colours as 0xRRGGBB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools, reason = "each is one modifier of a cell")]
pub struct CellInk {
    /// Its text.
    pub fore: u32,
    /// Its ground.
    pub back: u32,
    /// Bold.
    pub bold: bool,
    /// Dim.
    pub dim: bool,
    /// Struck through.
    pub struck: bool,
    /// Underlined.
    pub underlined: bool,
}

/// How a cell is drawn on a terminal with these colours.
#[must_use]
pub fn ink(cell: &Cell, screen: &TerminalColours) -> CellInk {
    let mut fore = screen.colour(cell.fg).unwrap_or(screen.fore);
    let mut back = screen.colour(cell.bg).unwrap_or(screen.back);
    if cell.modifier.contains(Modifier::REVERSED) {
        std::mem::swap(&mut fore, &mut back);
    }
    CellInk {
        fore,
        back,
        bold: cell.modifier.contains(Modifier::BOLD),
        dim: cell.modifier.contains(Modifier::DIM),
        struck: cell.modifier.contains(Modifier::CROSSED_OUT),
        underlined: cell.modifier.contains(Modifier::UNDERLINED),
    }
}

/// Text as it may stand in an element.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The picture on a dark terminal.
#[must_use]
pub fn svg(buffer: &Buffer) -> String {
    svg_on(buffer, &DARK)
}

/// Width and height of the picture of a buffer, in pixels.
#[must_use]
pub fn size(buffer: &Buffer) -> (f32, f32) {
    let area = buffer.area;
    (f32::from(area.width) * CELL.0 + 2.0 * MARGIN, f32::from(area.height) * CELL.1 + 2.0 * MARGIN)
}

/// The picture on a terminal with these colours.
#[must_use]
pub fn svg_on(buffer: &Buffer, screen: &TerminalColours) -> String {
    let (width, height) = size(buffer);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width:.0}\" height=\"{height:.0}\" \
         viewBox=\"0 0 {width:.0} {height:.0}\" font-family=\"'DejaVu Sans Mono', Menlo, Consolas, \
         monospace\" font-size=\"14\" xml:space=\"preserve\">\n"
    );
    draw(buffer, screen, &mut out);
    out.push_str("</svg>\n");
    out
}

/// The elements of a picture.
pub fn draw(buffer: &Buffer, screen: &TerminalColours, out: &mut String) {
    let area = buffer.area;
    let (width, height) = size(buffer);
    let _ = writeln!(
        out,
        "<rect width=\"{width:.0}\" height=\"{height:.0}\" rx=\"8\" fill=\"#{:06x}\"/>",
        screen.back
    );
    for y in area.top()..area.bottom() {
        let mut runs: Vec<(u16, u16, CellInk, String)> = Vec::new();
        let mut x = area.left();
        while x < area.right() {
            let cell = &buffer[(x, y)];
            let cells = (cell.symbol().width() as u16).max(1);
            let here = ink(cell, screen);
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
            if ink.back != screen.back {
                let _ = writeln!(
                    out,
                    "<rect shape-rendering=\"crispEdges\" x=\"{left:.2}\" y=\"{top:.1}\" width=\"{wide:.2}\" height=\"{:.1}\" fill=\"#{:06x}\"/>",
                    CELL.1, ink.back
                );
            }
            if ink.underlined {
                let dim = if ink.dim { 0.3 } else { 0.5 };
                let _ = writeln!(
                    out,
                    "<rect x=\"{left:.2}\" y=\"{:.1}\" width=\"{wide:.2}\" height=\"1\" fill=\"#{:06x}\" opacity=\"{dim}\"/>",
                    top + CELL.1 - 1.5,
                    ink.fore
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
            let struck = if ink.struck { " text-decoration=\"line-through\"" } else { "" };
            let _ = writeln!(
                out,
                "<text x=\"{left:.2}\" y=\"{:.1}\" textLength=\"{wide:.2}\" fill=\"#{:06x}\"{bold}{dim}{struck}>{}</text>",
                top + 13.0,
                ink.fore,
                escape(shown)
            );
        }
    }
}
