//! What the last drawn frame showed.

/// What the painter showed last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Viewport {
    /// Cells across.
    pub width: u16,
    /// Cells down.
    pub height: u16,
    /// Rows of the table.
    pub rows: u16,
    /// Lines of the page or list on top, if there is one.
    pub page: u16,
    /// Lines that this page has in all.
    pub page_lines: u16,
    /// How many columns of the table were left out on the left.
    pub columns_left: u16,
    /// How many panels there were under it.
    pub panels: u16,
    /// A dialog stood there, with all that it asks: only then can it be confirmed.
    pub dialog: bool,
}
