//! A command and its descendants in the place of a cgroup, where none can be made.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::forecast::next_death::lasting;
use crate::model::{Cgroup, Cgroups, Limit, ProcId, Reading, Scene, Snapshot, Text, tree_order};
use crate::units::{Bytes, Pages};

/// Shows a process and its descendants as if they were in a cgroup of their own without a limit. One that lost its
/// parent before a sample saw it is missing.
pub struct ProcessTree {
    root: i32,
    path: Arc<Text>,
    members: BTreeSet<ProcId>,
}

impl ProcessTree {
    /// A process and its descendants, under this path.
    #[must_use]
    pub fn new(root: i32, path: &str) -> Self {
        Self { root, path: Arc::new(Text::new(path.as_bytes())), members: BTreeSet::new() }
    }

    /// The sample with the processes in their cgroup.
    #[must_use]
    pub fn gather(&mut self, sample: &Snapshot) -> Snapshot {
        let mut now = sample.clone();
        let (mut members, mut pids) = (BTreeSet::new(), BTreeSet::new());
        let is_first = self.members.is_empty();
        // A child may have a smaller pid than its parent.
        loop {
            let known = members.len();
            for process in &now.processes {
                let is_root = is_first && process.id.pid == self.root;
                let is_below = pids.contains(&process.parent);
                if is_root || is_below || self.members.contains(&process.id) {
                    members.insert(process.id);
                    pids.insert(process.id.pid);
                }
            }
            if members.len() == known {
                break;
            }
        }
        self.members = members;
        let page = now.machine.page_size;
        let scene = Scene::new(Arc::new(sample.clone()), None);
        let (mut usage, mut held) = (Pages::ZERO, Pages::ZERO);
        for process in &mut now.processes {
            if self.members.contains(&process.id) {
                usage += scene.rss(process);
                held += Pages(lasting(process, &scene));
                process.cgroup = Reading::Value(Arc::clone(&self.path));
            }
        }
        let swap = now.processes.iter().filter(|it| self.members.contains(&it.id));
        let swap = swap.fold(Pages::ZERO, |sum, it| sum + it.swap.value().unwrap_or_default());
        let held = held.saturating_sub(swap).bytes(page);
        let usage = usage.bytes(page).max(held);
        self.add(&mut now, usage, usage.saturating_sub(held), swap.bytes(page));
        now
    }

    fn add(&self, now: &mut Snapshot, usage: Bytes, reclaimable: Bytes, swap: Bytes) {
        let group = Cgroup {
            path: Arc::clone(&self.path),
            usage: Reading::Value(usage),
            limit: Reading::Value(Limit::Max),
            reclaimable: Reading::Value(reclaimable),
            swap_usage: Reading::Value(swap),
            memsw_usage: Reading::Value(usage + swap),
            ..Cgroup::default()
        };
        let read_ms = now.clock.monotonic_ms;
        let mut list = now.cgroups.list.clone();
        let order = |it: &Cgroup| tree_order(it.path.as_str(), self.path.as_str());
        let at = list.binary_search_by(order).unwrap_or_else(|at| at);
        list.insert(at, group);
        now.cgroups = Arc::new(Cgroups { hierarchy: now.cgroups.hierarchy, read_ms, list });
    }
}
