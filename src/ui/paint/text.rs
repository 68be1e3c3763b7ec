//! Numbers and names as the screen writes them: those of everywhere, and what only a screen says.

pub use crate::words::values::*;

use crate::app::App;
use crate::columns::RowContext;

/// `14:03:22`, local.
#[must_use]
pub fn clock(app: &App, unix_ms: i64) -> String {
    let local = unix_ms.div_euclid(1000).saturating_add(app.start.utc_offset.into());
    let second = local.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The same sight with sizes in the unit of the header.
#[must_use]
pub fn header_context(app: &App) -> Option<RowContext<'_>> {
    app.context().map(|context| RowContext { scale: app.display.header_scale, ..context })
}
