//! Lines of a label and a value, aligned below each other.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::ui::paint::theme::Theme;

/// The cells of a label in a panel, without the space behind it.
pub const PANEL: usize = 10;

/// The label alone, padded to `width` cells and one space, for a value of several styles.
pub fn label(theme: Theme, label: &str, width: usize) -> Span<'static> {
    Span::styled(format!("{label:<width$} "), theme.label())
}

/// A line of a panel: a label and a plain value.
pub fn line(theme: Theme, label: &str, value: impl Into<String>) -> Line<'static> {
    styled(theme, label, PANEL, value, theme.plain())
}

/// A line whose value has a style; `width` is that of the labels, without the space behind them.
pub fn styled(
    theme: Theme,
    text: &str,
    width: usize,
    value: impl Into<String>,
    style: Style,
) -> Line<'static> {
    Line::from(vec![label(theme, text, width), Span::styled(value.into(), style)])
}
