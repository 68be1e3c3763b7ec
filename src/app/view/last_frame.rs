//! What the last drawn frame showed.

/// What the last drawn frame showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewport {
    /// Width of the terminal in cells.
    pub width: u16,
    /// Height of the terminal in cells.
    pub height: u16,
    /// Number of rows of the view.
    pub rows: u16,
    /// Number of lines of the open page or list; 0 where there is none.
    pub page: u16,
    /// Number of lines that the page has in all.
    pub page_lines: u16,
    /// The first line of the page that is on the screen.
    pub page_top: u16,
    /// Whether there is a line for the headline's process below the rows of processes, where none of them has it.
    pub beside_next: bool,
    /// Number of columns that were left out on the left.
    pub columns_left: u16,
    /// Number of panels below the view.
    pub panels: u16,
    /// Whether a dialog was drawn in full. Only then can it be confirmed.
    pub dialog: bool,
}

impl Viewport {
    /// The first line of the open page after scrolling by `by` lines from the line `at`.
    #[must_use]
    pub fn scroll(&self, at: u16, by: isize) -> u16 {
        let last = self.page_lines.saturating_sub(self.page);
        let to = usize::from(at).saturating_add_signed(by);
        u16::try_from(to).unwrap_or(last).min(last)
    }
}
