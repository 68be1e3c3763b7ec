//! How things look: named styles from the 16 terminal colours over the default background, and
//! glyphs, each with an ASCII form.
//!
//! Severity never stands on colour alone: what is red is also bold, a letter, a `!` or a place.

use ratatui::style::{Color, Modifier, Style};

/// What this terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// Colours; without them bold, dim, underlined and reversed remain.
    pub colour: bool,
    /// Glyphs outside ASCII.
    pub unicode: bool,
}

impl Default for Theme {
    fn default() -> Self {
        Self { colour: true, unicode: true }
    }
}

/// Glyphs of a frame.
#[derive(Clone, Copy, Debug)]
pub struct Border {
    /// Left and right.
    pub side: &'static str,
    /// Top and bottom.
    pub line: &'static str,
    /// Top left, top right, bottom left, bottom right.
    pub corners: [&'static str; 4],
}

impl Theme {
    fn ink(self, colour: Color, modifier: Modifier) -> Style {
        let style = Style::new().add_modifier(modifier);
        if self.colour { style.fg(colour) } else { style }
    }

    fn bar(self, back: Color) -> Style {
        if self.colour {
            Style::new().fg(Color::Black).bg(back)
        } else {
            Style::new().add_modifier(Modifier::REVERSED)
        }
    }

    /// Plain text.
    #[must_use]
    pub const fn plain(self) -> Style {
        Style::new()
    }

    /// What must not be overlooked.
    #[must_use]
    pub const fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// It goes wrong now.
    #[must_use]
    pub fn danger(self) -> Style {
        self.ink(Color::Red, Modifier::BOLD)
    }

    /// It went wrong just now: turned over.
    #[must_use]
    pub fn flash(self) -> Style {
        self.danger().add_modifier(Modifier::REVERSED)
    }

    /// It needs care.
    #[must_use]
    pub fn warn(self) -> Style {
        let modifier = if self.colour { Modifier::empty() } else { Modifier::BOLD };
        self.ink(Color::Yellow, modifier)
    }

    /// It is well.
    #[must_use]
    pub fn good(self) -> Style {
        self.ink(Color::Green, Modifier::empty())
    }

    /// Beside the point.
    #[must_use]
    pub const fn dim(self) -> Style {
        Style::new().add_modifier(Modifier::DIM)
    }

    /// The word before a value.
    #[must_use]
    pub fn label(self) -> Style {
        self.ink(Color::Cyan, Modifier::empty())
    }

    /// The heads of the columns.
    #[must_use]
    pub fn head(self) -> Style {
        self.bar(Color::Green)
    }

    /// The head of the column that the table is sorted by.
    #[must_use]
    pub fn sorted_head(self) -> Style {
        self.bar(Color::Cyan).add_modifier(Modifier::BOLD)
    }

    /// On top of a row's own style: the cursor.
    #[must_use]
    pub const fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// Takes that back: for what would say the opposite when reversed.
    #[must_use]
    pub const fn uncursor(self) -> Style {
        Style::new().remove_modifier(Modifier::REVERSED)
    }

    /// A tagged row's mark and pid.
    #[must_use]
    pub fn tag(self) -> Style {
        self.ink(Color::Magenta, Modifier::BOLD)
    }

    /// Who dies next.
    #[must_use]
    pub fn victim(self) -> Style {
        self.danger()
    }

    /// Who might die next as well.
    #[must_use]
    pub fn candidate(self) -> Style {
        self.warn()
    }

    /// The name of a key in the function bar.
    #[must_use]
    pub const fn key(self) -> Style {
        Style::new()
    }

    /// What a key of the function bar does.
    #[must_use]
    pub fn key_label(self) -> Style {
        self.bar(Color::Cyan)
    }

    /// A frame.
    #[must_use]
    pub fn frame(self) -> Style {
        self.ink(Color::Cyan, Modifier::empty())
    }

    /// The frame of a question about life and death.
    #[must_use]
    pub fn grave_frame(self) -> Style {
        self.ink(Color::Red, Modifier::BOLD)
    }

    /// Used, reclaimable and free cells of a gauge.
    #[must_use]
    pub const fn gauge(self) -> [&'static str; 3] {
        if self.unicode { ["▅", "▃", "▁"] } else { ["|", ":", " "] }
    }

    /// What stands before and behind a gauge.
    #[must_use]
    pub const fn gauge_ends(self) -> [&'static str; 2] {
        if self.unicode { ["", ""] } else { ["[", "]"] }
    }

    /// The glyphs of a frame.
    #[must_use]
    pub const fn border(self) -> Border {
        if self.unicode {
            Border { side: "│", line: "─", corners: ["╭", "╮", "╰", "╯"] }
        } else {
            Border { side: "|", line: "-", corners: ["+", "+", "+", "+"] }
        }
    }

    /// One of eight heights, for a share from 0 to 1.
    #[must_use]
    pub fn spark(self, share: f32) -> &'static str {
        const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        const ASCII: [&str; 8] = [".", ":", "-", "=", "+", "*", "#", "@"];
        let nth = ((share.clamp(0.0, 1.0) * 7.0).round() as usize).min(7);
        if self.unicode { BLOCKS[nth] } else { ASCII[nth] }
    }

    /// In a chart, where looks are missing; one cell.
    #[must_use]
    pub const fn gap(self) -> &'static str {
        if self.unicode { "·" } else { "~" }
    }

    /// The look on the screen, in a chart.
    #[must_use]
    pub fn time_cursor(self) -> Style {
        self.ink(Color::Magenta, Modifier::BOLD)
    }

    /// Its line through all charts.
    #[must_use]
    pub const fn time_line(self) -> &'static str {
        if self.unicode { "│" } else { "|" }
    }

    /// Under a chart: the look on the screen, and a kill.
    #[must_use]
    pub const fn time_marks(self) -> [&'static str; 2] {
        if self.unicode { ["▲", "✗"] } else { ["^", "x"] }
    }

    /// An axis, thin and heavy.
    #[must_use]
    pub const fn rules(self) -> [&'static str; 2] {
        if self.unicode { ["─", "━"] } else { ["-", "="] }
    }

    /// A mark of time on it.
    #[must_use]
    pub const fn tick(self) -> &'static str {
        if self.unicode { "┬" } else { "+" }
    }

    /// The machine slept there, or its clock was set.
    #[must_use]
    pub const fn leap(self) -> &'static str {
        if self.unicode { "≈" } else { "%" }
    }

    /// A child with siblings below, the last child, an ancestor with siblings below, nothing.
    #[must_use]
    pub const fn tree(self) -> [&'static str; 4] {
        if self.unicode { ["├─", "└─", "│ ", "  "] } else { ["|-", "`-", "| ", "  "] }
    }

    /// Something was cut off here; one cell.
    #[must_use]
    pub const fn cut(self) -> &'static str {
        if self.unicode { "…" } else { "~" }
    }

    /// Behind the head of the sorted column.
    #[must_use]
    pub const fn sort_mark(self, descending: bool) -> &'static str {
        match (self.unicode, descending) {
            (true, true) => "▼",
            (true, false) => "▲",
            (false, true) => "v",
            (false, false) => "^",
        }
    }

    /// Before the number of places that a row moved.
    #[must_use]
    pub const fn moved(self, up: bool) -> &'static str {
        match (self.unicode, up) {
            (true, true) => "▲",
            (true, false) => "▼",
            (false, true) => "^",
            (false, false) => "v",
        }
    }

    /// From one value to another.
    #[must_use]
    pub const fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// Times.
    #[must_use]
    pub const fn times(self) -> &'static str {
        if self.unicode { "×" } else { "x" }
    }

    /// The track of a slider, its zero, the old value and the new one.
    #[must_use]
    pub const fn slider(self) -> [&'static str; 4] {
        if self.unicode { ["─", "┼", "○", "◆"] } else { ["-", "|", "o", "#"] }
    }
}
