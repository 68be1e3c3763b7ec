//! Facts that the header and the panels both state: swap traffic, OOM kills, and what the user may do.

use crate::app::incident::shown_timeline::KillCount;
use crate::app::{ActingMode, App};
use crate::columns::RowContext;
use crate::model::Capability;
use crate::ui::paint::text;
use crate::units::Pages;

/// `in 1.2M/s out 0/s`: what moves between memory and swap; nothing without an earlier sample.
#[must_use]
pub fn swap_traffic(context: &RowContext<'_>) -> Option<String> {
    let (now, before) = (context.scene.now(), context.scene.before()?);
    let over = now.clock.monotonic_ms.saturating_sub(before.clock.monotonic_ms).0.max(1);
    let rate = |now: Pages, before: Pages| {
        text::size(context, Pages(now.saturating_sub(before).0.saturating_mul(1000) / over))
    };
    let (now, before) = (now.traffic, before.traffic);
    let into = rate(now.swap_in_pages, before.swap_in_pages);
    let out = rate(now.swap_out_pages, before.swap_out_pages);
    Some(format!("in {into}/s out {out}/s"))
}

/// How often a process was killed: the same number as in the view Events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OomKills(KillCount);

impl OomKills {
    /// The counts at the sample on the screen; nothing where the kernel does not count and no kill is known.
    #[must_use]
    pub fn of(app: &App, context: &RowContext<'_>) -> Option<Self> {
        let now = context.scene.now();
        let counted = now.traffic.oom_kills.value();
        let count = app.timeline().count(counted, app.refresh.kills_at_start);
        (counted.is_some() || count.known > 0).then_some(Self(count))
    }

    /// Whether there was one while doomtop ran.
    #[must_use]
    pub const fn are_new(self) -> bool {
        self.0.new > 0
    }

    /// `OOM kills 3 (+1)`.
    #[must_use]
    pub fn words(self) -> String {
        format!("OOM {}", self.brief())
    }

    /// `kills 3 (+1)`.
    #[must_use]
    pub fn brief(self) -> String {
        let KillCount { all, new, .. } = self.0;
        if new > 0 { format!("kills {all} (+{new})") } else { format!("kills {all}") }
    }

    /// `3 kills`, or where the logs do not tell of all of them `3 of 12 kills`.
    #[must_use]
    pub fn known(self) -> String {
        let KillCount { known, all, .. } = self.0;
        let word = if all == 1 { "kill" } else { "kills" };
        if known < all { format!("{known} of {all} {word}") } else { format!("{known} {word}") }
    }
}

/// What the user may do to processes here, and why not more.
#[must_use]
pub fn privileges(app: &App) -> String {
    let Some(scene) = &app.scene else { return String::new() };
    let privileges = scene.now().privileges;
    if app.incidents.report.is_some() {
        return "a report: nothing to act on".to_owned();
    }
    if app.is_over() {
        return "the past: nothing to act on".to_owned();
    }
    match app.start.acting {
        ActingMode::ReadOnly => return "read-only".to_owned(),
        ActingMode::NotReal => return "a recording: nothing to act on".to_owned(),
        ActingMode::Demo => return "the demo: nothing can be acted on".to_owned(),
        ActingMode::Elsewhere => return "another proc tree: nothing to act on".to_owned(),
        ActingMode::Rehearsal => return "dry run: nothing is done".to_owned(),
        ActingMode::Free => {}
    }
    let held: Vec<&str> = [Capability::Kill, Capability::SysResource]
        .into_iter()
        .filter(|&capability| privileges.caps.has(capability))
        .map(Capability::name)
        .collect();
    if held.is_empty() {
        "you may act on your own processes".to_owned()
    } else {
        format!("you have {}", held.join(" "))
    }
}
