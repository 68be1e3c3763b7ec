//! The memory cgroups: a walk over the whole tree now and then, and in between only the usage of the
//! limited groups.
//!
//! Everything is opened relative to the directory of the mount point. Opening may stall when memory
//! is short, so this runs on the walker's thread. The usage files of the first limited groups stay
//! open between samples.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;

use crate::model::{Cgroup, CgroupNeeds, Cgroups, Reading, Text, is_within, tree_order};
use crate::sample::cgroup::directory::{CgroupBuffers, GROUPS_MAX};
use crate::sample::cgroup::mount::Mount;
use crate::sample::cgroup::survey::Survey;
use crate::sample::cgroup::usage::{Limited, budget};
use crate::sample::proc_root::ProcRoot;
use crate::units::Millis;

/// Where only walls are needed, every so many looks go over the whole tree.
pub const SURVEY: u32 = 8;

/// Reads the memory cgroups as far as they are needed.
pub struct CgroupReader {
    root: Arc<ProcRoot>,
    /// So many groups are read at most.
    most: usize,
    mount: Option<Mount>,
    /// Looks that needed the mount and did not have it.
    missed: u32,
    last: Arc<Cgroups>,
    /// What the last look needed.
    needed: CgroupNeeds,
    /// Looks since the whole tree was gone over.
    since: u32,
    /// Those whose level is read at every look for walls.
    limited: Vec<Limited>,
    paths: HashMap<Box<[u8]>, Arc<Text>>,
    tools: CgroupBuffers,
    /// A killer weighs what cgroups do on devices.
    with_io: bool,
}

impl CgroupReader {
    /// A reader that knows nothing yet.
    #[must_use]
    pub fn new(root: Arc<ProcRoot>) -> Self {
        Self {
            root,
            most: GROUPS_MAX,
            mount: None,
            missed: 0,
            last: Arc::default(),
            needed: CgroupNeeds::Nothing,
            since: 0,
            limited: Vec::new(),
            paths: HashMap::new(),
            tools: CgroupBuffers::new(),
            with_io: false,
        }
    }

    /// Whether what cgroups do on devices is read too, where everything is.
    pub fn set_read_io(&mut self, with_io: bool) {
        self.with_io = with_io;
    }

    /// What was read last. As long as nothing is read again, it is the same.
    #[must_use]
    pub fn last(&self) -> &Arc<Cgroups> {
        &self.last
    }

    /// Brings what is needed up to date; `now` is on the snapshot's monotonic clock.
    pub fn read(&mut self, needs: CgroupNeeds, now: Millis) {
        match needs {
            CgroupNeeds::Nothing if self.needed == CgroupNeeds::Nothing => {}
            CgroupNeeds::Nothing => {
                self.limited.clear();
                self.last = Arc::default();
                self.paths.clear();
            }
            CgroupNeeds::Limits if self.needed == needs && self.since + 1 < SURVEY => {
                self.since += 1;
                self.refresh(now);
            }
            CgroupNeeds::Limits | CgroupNeeds::Everything => {
                self.since = 0;
                self.survey(needs, now);
            }
        }
        self.needed = needs;
    }

    /// Goes over the whole tree.
    fn survey(&mut self, needs: CgroupNeeds, now: Millis) {
        self.limited.clear();
        if self.mount.is_none() && self.missed.is_multiple_of(SURVEY) {
            self.mount = Mount::find(&self.root, &mut self.tools);
        }
        let Some(mount) = &self.mount else {
            self.missed = self.missed.wrapping_add(1);
            if self.last.hierarchy != Reading::Missing {
                let hierarchy = Reading::Missing;
                self.last = Arc::new(Cgroups { hierarchy, read_ms: now, list: Vec::new() });
            }
            return;
        };
        let mut survey = Survey {
            mount,
            most: self.most,
            everything: needs == CgroupNeeds::Everything,
            with_io: self.with_io,
            list: Vec::with_capacity(self.last.list.len()),
            limited: &mut self.limited,
            keep: budget(),
            relative: Vec::new(),
            paths: &mut self.paths,
            tools: &mut self.tools,
        };
        survey.descend(mount.dir.as_fd(), c".", 0);
        let mut list = survey.list;
        // By the paths as they are shown: escapes and `..` may stand elsewhere than the names.
        let order = |a: &Cgroup, b: &Cgroup| tree_order(a.path.as_str(), b.path.as_str());
        if !list.is_sorted_by(|a, b| order(a, b).is_lt()) {
            list.sort_by(order);
        }
        self.last =
            Arc::new(Cgroups { hierarchy: Reading::Value(mount.hierarchy), read_ms: now, list });
        self.paths.retain(|_, path| Arc::strong_count(path) > 1);
    }

    /// Reads how full the limited groups are. Those that are gone disappear.
    fn refresh(&mut self, now: Millis) {
        let Some(mount) = self.mount.as_ref().filter(|_| !self.limited.is_empty()) else { return };
        let cgroups = Arc::make_mut(&mut self.last);
        cgroups.read_ms = now;
        let tools = &mut self.tools;
        let list = &mut cgroups.list;
        self.limited.retain(|limited| {
            let path = limited.path.as_str();
            let at = list.binary_search_by(|group| tree_order(group.path.as_str(), path));
            let Ok(at) = at else { return false };
            let there = limited.refresh(mount, tools, &mut list[at]);
            if !there {
                list.retain(|group| !is_within(group.path.as_str(), path));
            }
            there
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_huge_tree_is_read_in_part() {
        let folder = tempfile::TempDir::new().unwrap();
        let root = folder.path();
        std::fs::create_dir(root.join("self")).unwrap();
        let line = format!("1 2 0:3 / {} rw - cgroup2 - rw\n", root.display());
        std::fs::write(root.join("self/mountinfo"), line).unwrap();
        std::fs::write(root.join("cgroup.controllers"), "memory\n").unwrap();
        for number in 0..40 {
            std::fs::create_dir_all(root.join(format!("a/{number}/x"))).unwrap();
        }
        let mut reader = CgroupReader::new(Arc::new(ProcRoot::open(root).unwrap()));
        for (most, read) in [(1, 1), (2, 2), (20, 20), (GROUPS_MAX, 1 + 1 + 40 + 40 + 1)] {
            reader.most = most;
            reader.read(CgroupNeeds::Everything, Millis(1));
            let list = &reader.last().list;
            assert_eq!(list.len(), read);
            let order = |a: &Cgroup, b: &Cgroup| tree_order(a.path.as_str(), b.path.as_str());
            assert!(list.is_sorted_by(|a, b| order(a, b).is_lt()));
        }
    }
}
