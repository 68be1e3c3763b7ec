//! Reads the memory cgroups: all of the tree from time to time, and in between only the usage of
//! the limited groups.
//!
//! Everything is opened relative to the directory of the mount point. Opening may stall when memory
//! is short, so this runs on the walker's thread. The usage files of the first limited groups stay
//! open between samples.

use std::collections::HashMap;
use std::os::fd::AsFd;
use std::sync::Arc;

use crate::model::{Cgroup, CgroupNeeds, Cgroups, Reading, Text, is_within, tree_order};
use crate::sample::cgroup::directory::{CgroupBuffers, GROUPS_MAX};
use crate::sample::cgroup::group_members::GroupMembers;
use crate::sample::cgroup::mount::Mount;
use crate::sample::cgroup::survey::Survey;
use crate::sample::cgroup::usage::{Limited, budget};
use crate::sample::proc_root::ProcRoot;
use crate::units::Millis;

/// Interval between two walks over the tree, in samples, if only limits are needed.
pub const SURVEY_INTERVAL: u32 = 8;

/// Reads as much of the memory cgroups as is needed.
pub struct CgroupReader {
    root: Arc<ProcRoot>,
    /// Maximum number of groups.
    most: usize,
    mount: Option<Mount>,
    /// Number of samples that needed the mount point and did not find it.
    mount_misses: u32,
    last: Arc<Cgroups>,
    /// What the last sample needed.
    needed: CgroupNeeds,
    /// Number of samples since the last walk over the tree.
    samples_since_survey: u32,
    /// The groups whose usage is read in each sample.
    limited: Vec<Limited>,
    paths: HashMap<Box<[u8]>, Arc<Text>>,
    buffers: CgroupBuffers,
    /// Whether a killer uses the I/O of cgroups.
    with_io: bool,
}

impl CgroupReader {
    /// A reader that has not read anything yet.
    #[must_use]
    pub fn new(root: Arc<ProcRoot>) -> Self {
        Self {
            root,
            most: GROUPS_MAX,
            mount: None,
            mount_misses: 0,
            last: Arc::default(),
            needed: CgroupNeeds::Nothing,
            samples_since_survey: 0,
            limited: Vec::new(),
            paths: HashMap::new(),
            buffers: CgroupBuffers::new(),
            with_io: false,
        }
    }

    /// Whether [`CgroupNeeds::Everything`] includes `io.stat`.
    pub fn set_read_io(&mut self, with_io: bool) {
        self.with_io = with_io;
    }

    /// What was read last; the same `Arc` until something is read again.
    #[must_use]
    pub fn last(&self) -> &Arc<Cgroups> {
        &self.last
    }

    /// Reads which processes are in the groups that were read last, if these are at most so many.
    pub fn read_members(&mut self, members: &mut GroupMembers, most: usize) {
        let groups = &self.last.list;
        match self.mount.as_ref().filter(|_| groups.len() <= most) {
            Some(mount) => members.read(mount, groups, &mut self.buffers),
            None => members.clear(),
        }
    }

    /// Reads what is needed. `now` is a time on the snapshot's monotonic clock.
    pub fn read(&mut self, needs: CgroupNeeds, now: Millis) {
        match needs {
            CgroupNeeds::Nothing if self.needed == CgroupNeeds::Nothing => {}
            CgroupNeeds::Nothing => {
                self.limited.clear();
                self.last = Arc::default();
                self.paths.clear();
            }
            CgroupNeeds::Limits
                if self.needed == needs && self.samples_since_survey + 1 < SURVEY_INTERVAL =>
            {
                self.samples_since_survey += 1;
                self.refresh(now);
            }
            CgroupNeeds::Limits | CgroupNeeds::Everything => {
                self.samples_since_survey = 0;
                self.survey(needs, now);
            }
        }
        self.needed = needs;
    }

    /// Walks over the whole tree.
    fn survey(&mut self, needs: CgroupNeeds, now: Millis) {
        self.limited.clear();
        if self.mount.is_none() && self.mount_misses.is_multiple_of(SURVEY_INTERVAL) {
            self.mount = Mount::find(&self.root, &mut self.buffers);
        }
        let Some(mount) = &self.mount else {
            self.mount_misses = self.mount_misses.wrapping_add(1);
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
            files_left: budget(),
            relative: Vec::new(),
            paths: &mut self.paths,
            buffers: &mut self.buffers,
        };
        survey.descend(mount.dir.as_fd(), c".", 0);
        let mut list = survey.list;
        // The walk visits the names in their order; the escaped paths, and paths with `..`, may
        // sort in another order.
        let order = |a: &Cgroup, b: &Cgroup| tree_order(a.path.as_str(), b.path.as_str());
        if !list.is_sorted_by(|a, b| order(a, b).is_lt()) {
            list.sort_by(order);
        }
        self.last =
            Arc::new(Cgroups { hierarchy: Reading::Value(mount.hierarchy), read_ms: now, list });
        self.paths.retain(|_, path| Arc::strong_count(path) > 1);
    }

    /// Reads the usage of the limited groups, and drops those that are gone.
    fn refresh(&mut self, now: Millis) {
        let Some(mount) = self.mount.as_ref().filter(|_| !self.limited.is_empty()) else { return };
        let cgroups = Arc::make_mut(&mut self.last);
        cgroups.read_ms = now;
        let buffers = &mut self.buffers;
        let list = &mut cgroups.list;
        self.limited.retain(|limited| {
            let path = limited.path.as_str();
            let at = list.binary_search_by(|group| tree_order(group.path.as_str(), path));
            let Ok(at) = at else { return false };
            let there = limited.refresh(mount, buffers, &mut list[at]);
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
