//! Numbers and names as the screen writes them: those of `words`, and those of the screen alone.

pub use crate::words::numbers_and_names::*;

use std::borrow::Cow;

use crate::app::App;
use crate::columns::{RowContext, span_of};
use crate::model::ProcId;
use crate::ui::paint::canvas::{cells, tail};

/// A domain by its longest name that fits; of the shortest one the end, where none does.
#[must_use]
pub fn domain(name: &str, room: u16) -> String {
    let forms = domain_forms(name);
    let fitting = forms.iter().find(|form| cells(form) <= room);
    let shortest = || forms.last().map(|form| tail(form, room).into_owned());
    fitting.cloned().or_else(shortest).unwrap_or_default()
}

/// The path of a cgroup if it fits, else the name of its container or pod, else the end of its path, which names it.
#[must_use]
pub fn path_in(path: &str, room: u16) -> Cow<'_, str> {
    if cells(path) <= room {
        return path.into();
    }
    // The name of a service is the end of its path, and tells no more.
    let is_named = |it: &String| !it.starts_with("cgroup ") && !it.ends_with(".service");
    let named = cgroup_forms(path).into_iter().filter(is_named).find(|it| cells(it) <= room);
    named.map_or_else(|| tail(path, room), Cow::from)
}

/// `14:03:22`, in local time.
#[must_use]
pub fn clock(app: &App, unix_ms: i64) -> String {
    let local = unix_ms.div_euclid(1000).saturating_add(app.start.utc_offset.into());
    let second = local.rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", second / 3600, second / 60 % 60, second % 60)
}

/// The row context of the app with sizes in the unit of the header.
#[must_use]
pub fn header_context(app: &App) -> Option<RowContext<'_>> {
    app.context().map(|context| RowContext { scale: app.display.header_scale, ..context })
}

/// `1h` and not `1h00m`: a duration in seconds, in its largest unit where it is a whole number of them.
#[must_use]
pub fn short_span(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds}s"),
        _ if seconds.is_multiple_of(3600) => format!("{}h", seconds / 3600),
        60..3600 if seconds.is_multiple_of(60) => format!("{}m", seconds / 60),
        _ => span_of(seconds),
    }
}

/// `20731 chrome`; the pid alone where the process is gone.
#[must_use]
pub fn name(context: &RowContext<'_>, id: ProcId) -> String {
    context.scene.find(id).map_or_else(|| id.to_string(), who)
}

/// As many clauses of a sentence as fit, where that is not too little.
#[must_use]
pub fn whole_clauses(text: &str, room: u16) -> &str {
    if cells(text) <= room {
        return text;
    }
    let mut ends = text.rmatch_indices([';', ':']).map(|(at, _)| &text[..at]);
    ends.find(|it| (room / 3..=room).contains(&cells(it))).unwrap_or(text)
}
