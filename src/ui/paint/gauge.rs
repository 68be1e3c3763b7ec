//! A bar that shows a share. The number stands beside it.

use ratatui::style::Style;
use ratatui::text::Span;

use crate::ui::paint::theme::Theme;

/// A bar of `width` cells: `used` and behind it `more`, both as shares of 1.
#[must_use]
pub fn bar(theme: Theme, width: u16, used: f64, more: f64, style: Style) -> Vec<Span<'static>> {
    let [full, soft, empty] = theme.gauge();
    let [open, close] = theme.gauge_ends();
    let inner = usize::from(width).saturating_sub(open.len() + close.len());
    let cells = |share: f64| (share.clamp(0.0, 1.0) * inner as f64).round() as usize;
    let used = cells(used);
    let more = cells(more).min(inner - used);
    vec![
        Span::styled(open, theme.strong()),
        Span::styled(full.repeat(used), style),
        Span::styled(soft.repeat(more), theme.label()),
        Span::styled(empty.repeat(inner - used - more), theme.dim()),
        Span::styled(close, theme.strong()),
    ]
}
