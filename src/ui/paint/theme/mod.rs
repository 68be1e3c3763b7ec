//! Named styles and glyphs of the theme that the user chose, each glyph with an ASCII form.
//!
//! Severity never depends on colour alone: red text is also bold, or marked by a letter, a `!` or its
//! position.

pub mod depth;
pub mod palette;

use ratatui::style::{Modifier, Style};

use crate::app::setup::ThemeName;
use crate::forecast::series::Severity;
use crate::ui::paint::theme::depth::ColourDepth;
use crate::ui::paint::theme::palette::Palette;

/// Styles and glyphs, by what the user chose and the terminal can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// The style of each role.
    pub palette: &'static Palette,
    /// Whether it shows glyphs outside ASCII.
    pub unicode: bool,
}

impl Default for Theme {
    fn default() -> Self {
        Self::new(ThemeName::Default, ColourDepth::Ansi, true)
    }
}

/// The glyphs of a frame.
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
    /// The theme of this name, as far as the terminal can show it.
    #[must_use]
    pub const fn new(name: ThemeName, depth: ColourDepth, unicode: bool) -> Self {
        Self { palette: palette::palette(name, depth), unicode }
    }

    /// Plain text.
    #[must_use]
    pub const fn plain(self) -> Style {
        Style::new()
    }

    /// Text that must not be overlooked.
    #[must_use]
    pub const fn strong(self) -> Style {
        Style::new().add_modifier(Modifier::BOLD)
    }

    /// Something goes wrong now.
    #[must_use]
    pub const fn danger(self) -> Style {
        self.palette.danger
    }

    /// An alarm that has just begun: reversed.
    #[must_use]
    pub const fn flash(self) -> Style {
        self.danger().add_modifier(Modifier::REVERSED)
    }

    /// Something needs care.
    #[must_use]
    pub const fn warn(self) -> Style {
        self.palette.warn
    }

    /// Something is as it should be.
    #[must_use]
    pub const fn good(self) -> Style {
        self.palette.good
    }

    /// Secondary text.
    #[must_use]
    pub const fn dim(self) -> Style {
        self.palette.dim
    }

    /// The label before a value.
    #[must_use]
    pub const fn label(self) -> Style {
        self.palette.label
    }

    /// Column headings.
    #[must_use]
    pub const fn head(self) -> Style {
        self.palette.head
    }

    /// The heading of the column that the table is sorted by.
    #[must_use]
    pub const fn sorted_head(self) -> Style {
        self.palette.sorted_head
    }

    /// The cursor in a text that is being typed.
    #[must_use]
    pub const fn cursor(self) -> Style {
        Style::new().add_modifier(Modifier::REVERSED)
    }

    /// The row under the cursor, filled whole.
    #[must_use]
    pub const fn selected(self) -> Style {
        self.palette.selected
    }

    /// The mark of a tagged row, and other marks of the user's choices.
    #[must_use]
    pub const fn tag(self) -> Style {
        self.palette.tag
    }

    /// The process that dies next.
    #[must_use]
    pub const fn victim(self) -> Style {
        self.palette.danger
    }

    /// The process that dies next, under the cursor.
    #[must_use]
    pub const fn victim_cursor(self) -> Style {
        self.palette.selected_victim
    }

    /// The process that would be chosen if memory ended now, while no death is near.
    #[must_use]
    pub const fn first_now(self) -> Style {
        self.strong()
    }

    /// A process that was killed a moment ago.
    #[must_use]
    pub const fn killed(self) -> Style {
        self.palette.danger.remove_modifier(Modifier::BOLD).add_modifier(Modifier::CROSSED_OUT)
    }

    /// The parts of a badness bar: memory, swap, adj.
    #[must_use]
    pub const fn bar_parts(self) -> [Style; 3] {
        self.palette.badness
    }

    /// The words of its legend in a heading, each in the colour of its part: memory, swap, adj.
    #[must_use]
    pub fn bar_legend(self) -> [Style; 3] {
        self.bar_parts().map(|style| self.head().patch(style))
    }

    /// Its glyphs: memory, swap, adj, less than half a cell, what a negative adj takes away, more of that
    /// than there is room for, the zero line.
    #[must_use]
    pub const fn bar_glyphs(self) -> [&'static str; 7] {
        if self.unicode {
            ["█", "▓", "░", "▏", "╌", "‹", "│"]
        } else {
            ["#", "=", "+", ".", "-", "<", "|"]
        }
    }

    /// A process that may die next, when the first ranks are too close to call.
    #[must_use]
    pub const fn candidate(self) -> Style {
        self.palette.warn
    }

    /// A message that covers a whole line: a kill.
    #[must_use]
    pub const fn banner(self) -> Style {
        self.palette.banner
    }

    /// The name of a key in the function bar.
    #[must_use]
    pub const fn key(self) -> Style {
        self.palette.key
    }

    /// What a key of the function bar does.
    #[must_use]
    pub const fn key_label(self) -> Style {
        self.palette.key_label
    }

    /// A frame.
    #[must_use]
    pub const fn frame(self) -> Style {
        self.palette.frame
    }

    /// The frame of the headline: by how near a death is.
    #[must_use]
    pub const fn headline_frame(self, severity: Severity) -> Style {
        match severity {
            Severity::Neutral => self.palette.frame,
            Severity::Calm => self.palette.calm_frame,
            Severity::Care => self.palette.warn,
            Severity::Bad => self.palette.danger,
        }
    }

    /// The frame of a dialog whose confirmation may lose data.
    #[must_use]
    pub const fn danger_frame(self) -> Style {
        self.palette.danger
    }

    /// Used, reclaimable and free cells of a gauge.
    #[must_use]
    pub const fn gauge(self) -> [&'static str; 3] {
        if self.unicode { ["▅", "▃", "▁"] } else { ["|", ":", " "] }
    }

    /// The glyphs before and behind a gauge.
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

    /// One of eight column heights, for a share from 0 to 1.
    #[must_use]
    pub fn spark(self, share: f32) -> &'static str {
        const BLOCKS: [&str; 8] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];
        const ASCII: [&str; 8] = [".", ":", "-", "=", "+", "*", "#", "@"];
        let nth = ((share.clamp(0.0, 1.0) * 7.0).round() as usize).min(7);
        if self.unicode { BLOCKS[nth] } else { ASCII[nth] }
    }

    /// A cell of a chart without a sample.
    #[must_use]
    pub const fn gap(self) -> &'static str {
        if self.unicode { "·" } else { "~" }
    }

    /// The sample on the screen, in a chart.
    #[must_use]
    pub const fn time_cursor(self) -> Style {
        self.palette.tag
    }

    /// The line through all charts at the sample on the screen.
    #[must_use]
    pub const fn time_line(self) -> &'static str {
        if self.unicode { "│" } else { "|" }
    }

    /// Marks below a chart: the sample on the screen, and a kill.
    #[must_use]
    pub const fn time_marks(self) -> [&'static str; 2] {
        if self.unicode { ["▲", "✗"] } else { ["^", "x"] }
    }

    /// The line of an axis, thin and heavy.
    #[must_use]
    pub const fn rules(self) -> [&'static str; 2] {
        if self.unicode { ["─", "━"] } else { ["-", "="] }
    }

    /// A mark of time on an axis.
    #[must_use]
    pub const fn tick(self) -> &'static str {
        if self.unicode { "┬" } else { "+" }
    }

    /// A mark on an axis: the machine was suspended, or its clock was set.
    #[must_use]
    pub const fn leap(self) -> &'static str {
        if self.unicode { "≈" } else { "%" }
    }

    /// A child with siblings below, the last child, an ancestor with siblings below, nothing.
    #[must_use]
    pub const fn tree(self) -> [&'static str; 4] {
        if self.unicode { ["├─", "└─", "│ ", "  "] } else { ["|-", "`-", "| ", "  "] }
    }

    /// The mark where text is cut off; one cell.
    #[must_use]
    pub const fn cut(self) -> &'static str {
        if self.unicode { "…" } else { "~" }
    }

    /// The mark behind the heading of the sorted column.
    #[must_use]
    pub const fn sort_mark(self, descending: bool) -> &'static str {
        match (self.unicode, descending) {
            (true, true) => "▼",
            (true, false) => "▲",
            (false, true) => "v",
            (false, false) => "^",
        }
    }

    /// The mark before the number of ranks that a row moved.
    #[must_use]
    pub const fn moved(self, up: bool) -> &'static str {
        match (self.unicode, up) {
            (true, true) => "▲",
            (true, false) => "▼",
            (false, true) => "^",
            (false, false) => "v",
        }
    }

    /// The sign between an old and a new value.
    #[must_use]
    pub const fn arrow(self) -> &'static str {
        if self.unicode { "→" } else { "->" }
    }

    /// The multiplication sign.
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
