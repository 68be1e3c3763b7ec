//! The view Memory: which charts are shown, and over which time.

use std::sync::Arc;

use crate::forecast::limits;
use crate::forecast::next_death::Deaths;
use crate::model::{Cgroup, Scene, Text};
use crate::units::Millis;

/// The time that the charts cover, each with its name. The last one is all that is kept.
pub const ZOOMS: &[(&str, Option<Millis>)] = &[
    ("1m", Some(Millis(60_000))),
    ("5m", Some(Millis(300_000))),
    ("15m", Some(Millis(900_000))),
    ("1h", Some(Millis(3_600_000))),
    ("4h", Some(Millis(4 * 3_600_000))),
    ("all", None),
];

/// The zoom at the start.
const FIRST_ZOOM: usize = 1;

/// Maximum number of cgroups that are shown.
const MAX_GROUPS: usize = 8;

/// A cgroup whose tasks wait at least this share of the time, in percent, is under pressure.
const PRESSURE: f32 = 1.0;

/// What the view shows.
#[derive(Clone, Debug)]
pub struct MemoryView {
    /// The zoom: an index of [`ZOOMS`].
    pub zoom: usize,
    /// The chart under the cursor: an index of [`crate::forecast::series::SERIES`].
    pub chosen: usize,
    /// Whether only that chart is shown, large.
    pub large: bool,
    /// The cgroups that are shown: those nearest their limit, and those under pressure.
    pub groups: Vec<Arc<Text>>,
}

impl Default for MemoryView {
    fn default() -> Self {
        Self { zoom: FIRST_ZOOM, chosen: 0, large: false, groups: Vec::new() }
    }
}

impl MemoryView {
    /// Shows all that is kept, unless the user chose another zoom.
    pub(crate) const fn show_all(&mut self) {
        if self.zoom == FIRST_ZOOM {
            self.zoom = ZOOMS.len() - 1;
        }
    }

    pub(crate) fn zoom_by(&mut self, by: isize) -> bool {
        let old = self.zoom;
        self.zoom = old.saturating_add_signed(by).min(ZOOMS.len() - 1);
        self.zoom != old
    }
}

/// How much the tasks of a cgroup wait for memory or a disk, in percent of the last ten seconds.
pub(crate) fn pressure(group: &Cgroup) -> f32 {
    let share = |stall: crate::model::Reading<crate::model::PsiLine>| {
        stall.value().map_or(0.0, |stall| stall.avg10)
    };
    share(group.pressure.some).max(share(group.pressure.io_some))
}

/// The cgroups to show: alternately the one nearest its limit and the one under most pressure.
pub(crate) fn watched(scene: &Scene, deaths: &Deaths) -> Vec<Arc<Text>> {
    let cgroups = &scene.now().cgroups;
    let mut near: Vec<_> =
        cgroups.limited().filter_map(|group| limits::of_cgroup(group, scene, deaths)).collect();
    near.sort_by_key(limits::ReachableLimit::distance);
    let mut waits: Vec<&Cgroup> =
        cgroups.list.iter().filter(|group| pressure(group) >= PRESSURE).collect();
    waits.sort_by(|a, b| pressure(b).total_cmp(&pressure(a)));
    let mut near = near.into_iter().map(|limit| limit.name);
    let mut waits = waits.into_iter().map(|group| Arc::clone(&group.path));
    let mut found: Vec<Arc<Text>> = Vec::with_capacity(MAX_GROUPS);
    loop {
        let both = [near.next(), waits.next()];
        if both == [None, None] {
            return found;
        }
        for path in both.into_iter().flatten() {
            if !found.contains(&path) {
                found.push(path);
            }
            if found.len() == MAX_GROUPS {
                return found;
            }
        }
    }
}
