//! The view of the machine's memory through time, and what is common to views without rows to choose.

use std::sync::Arc;

use crate::forecast::limits;
use crate::model::{Cgroup, Scene, Text};
use crate::units::Millis;

/// How far back the charts reach: each with its name; the last goes back to the beginning.
pub const ZOOMS: &[(&str, Option<Millis>)] = &[
    ("1m", Some(Millis(60_000))),
    ("5m", Some(Millis(300_000))),
    ("15m", Some(Millis(900_000))),
    ("1h", Some(Millis(3_600_000))),
    ("4h", Some(Millis(4 * 3_600_000))),
    ("all", None),
];

/// Which of them is shown first.
const USUAL: usize = 1;

/// So many cgroups are watched at most.
const WATCHED: usize = 8;

/// A cgroup whose tasks wait less than this share of the time, in percent, is at ease.
const AT_EASE: f32 = 1.0;

/// What the view shows.
#[derive(Clone, Debug)]
pub struct MemoryView {
    /// Which of [`ZOOMS`].
    pub zoom: usize,
    /// Which of [`SERIES`] has the cursor.
    pub chosen: usize,
    /// Whether that one has all the room.
    pub large: bool,
    /// The cgroups to watch: those nearest their wall, and those under pressure.
    pub groups: Vec<Arc<Text>>,
}

impl Default for MemoryView {
    fn default() -> Self {
        Self { zoom: USUAL, chosen: 0, large: false, groups: Vec::new() }
    }
}

impl MemoryView {
    /// All at once, unless another span was chosen.
    pub(crate) const fn show_all(&mut self) {
        if self.zoom == USUAL {
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
pub(crate) fn pressed(group: &Cgroup) -> f32 {
    let share = |stall: crate::model::Reading<crate::model::PsiLine>| {
        stall.value().map_or(0.0, |stall| stall.avg10)
    };
    share(group.pressure.some).max(share(group.pressure.io_some))
}

/// The cgroups to watch: in turn the one nearest its wall and the one under most pressure.
pub(crate) fn watched(scene: &Scene) -> Vec<Arc<Text>> {
    let cgroups = &scene.now().cgroups;
    let mut near: Vec<_> =
        cgroups.limited().filter_map(|group| limits::of_cgroup(group, scene)).collect();
    near.sort_by_key(limits::ReachableLimit::distance);
    let mut waits: Vec<&Cgroup> =
        cgroups.list.iter().filter(|group| pressed(group) >= AT_EASE).collect();
    waits.sort_by(|a, b| pressed(b).total_cmp(&pressed(a)));
    let mut near = near.into_iter().map(|wall| wall.name);
    let mut waits = waits.into_iter().map(|group| Arc::clone(&group.path));
    let mut found: Vec<Arc<Text>> = Vec::with_capacity(WATCHED);
    loop {
        let both = [near.next(), waits.next()];
        if both == [None, None] {
            return found;
        }
        for path in both.into_iter().flatten() {
            if !found.contains(&path) {
                found.push(path);
            }
            if found.len() == WATCHED {
                return found;
            }
        }
    }
}
