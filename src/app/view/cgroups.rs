//! The view of memory cgroups: every wall, how near it is, and who dies there. Nothing here acts on
//! a process.

use std::sync::Arc;

use crate::app::view::list_cursor::ListCursor;
use crate::forecast::at_limit::OutcomeAtLimit;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::{at_limit, limits};
use crate::model::{Cgroup, Cgroups, Scene, Text, is_within};
use crate::policy::Policy;
use crate::rank::Ranking;
use crate::rank::also_killed::GroupCensus;

/// A line of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct CgroupLine {
    /// Its place in the list of cgroups; nothing for the machine itself.
    pub at: Option<usize>,
    /// How deep it stands among those shown; 0 where they are sorted by nearness.
    pub depth: u16,
    /// How many bytes of its path the one that it stands under has said already.
    pub said: usize,
    /// How many processes live in it and below.
    pub members: usize,
    /// Its own wall.
    pub limit: Option<ReachableLimit>,
    /// Who dies at that wall.
    pub outcome: Option<OutcomeAtLimit>,
}

/// The view: its lines, and where the cursor stands.
#[derive(Clone, Debug, Default)]
pub struct CgroupsView {
    /// The lines, the machine among them.
    pub lines: Vec<CgroupLine>,
    /// Sorted by nearness of the wall, not as a tree.
    pub by_limit: bool,
    /// Without those that have no limit, their own or below.
    pub hide: bool,
    /// The cursor.
    pub cursor: ListCursor,
    /// The cgroup that the cursor holds to, once it was moved: nothing for the machine itself.
    pub(crate) held: Option<Option<Arc<Text>>>,
}

/// Whether a group says nothing that the machine does not say: the root of version 2 has no files.
pub(crate) fn is_bare_root(group: &Cgroup) -> bool {
    group.path.as_str() == "/" && group.limit.value().is_none() && group.usage.value().is_none()
}

/// Which groups stand in the view.
pub(crate) fn shown(cgroups: &Cgroups, hide: bool) -> Vec<usize> {
    let mut shown: Vec<usize> = Vec::new();
    // Backwards: the one kept last stands right behind, so it is below whenever any is.
    for (at, group) in cgroups.list.iter().enumerate().rev() {
        let above = shown
            .last()
            .is_some_and(|&last| is_within(cgroups.list[last].path.as_str(), group.path.as_str()));
        let counts = !hide || group.is_limited() || above;
        if counts && !is_bare_root(group) {
            shown.push(at);
        }
    }
    shown.reverse();
    shown
}

impl CgroupsView {
    /// Builds the lines for a look that `ranking` ranks.
    pub(crate) fn arrange(&mut self, policy: &dyn Policy, scene: &Scene, ranking: &Ranking) {
        let cgroups = &scene.now().cgroups;
        let census = GroupCensus::new(scene);
        let machine = limits::of_machine(scene);
        self.lines.clear();
        self.lines.push(CgroupLine {
            at: None,
            depth: 0,
            said: 0,
            members: scene.now().processes.len(),
            outcome: Some(at_limit::of_domain(policy, scene, ranking, &machine)),
            limit: Some(machine).filter(|_| !scene.now().unavailable.lives),
        });
        let mut fates = at_limit::outcomes(policy, scene, &census).into_iter().peekable();
        let mut above: Vec<&str> = Vec::new();
        for at in shown(cgroups, self.hide) {
            let group = &cgroups.list[at];
            let path = group.path.as_str();
            while above.last().is_some_and(|&up| !is_within(path, up)) {
                above.pop();
            }
            while fates.peek().is_some_and(|&(other, _)| other < at) {
                fates.next();
            }
            self.lines.push(CgroupLine {
                at: Some(at),
                depth: u16::try_from(above.len()).unwrap_or(u16::MAX),
                said: above.last().map_or(0, |up| up.trim_end_matches('/').len()),
                members: census.members(path).len(),
                limit: limits::of_cgroup(group, scene),
                outcome: fates.next_if(|&(other, _)| other == at).map(|(_, fate)| fate),
            });
            // What stands under the root says so by its slash.
            if path != "/" {
                above.push(path);
            }
        }
        if self.by_limit {
            for line in &mut self.lines {
                (line.depth, line.said) = (0, 0);
            }
            // A stable sort: whoever has no wall keeps the order of the tree, at the end.
            let far = (u64::MAX, u64::MAX, u64::MAX);
            self.lines
                .sort_by_key(|line| line.limit.as_ref().map_or(far, ReachableLimit::distance));
        }
        let Some(held) = &self.held else {
            self.cursor.at = 0;
            return;
        };
        let path = |line: &CgroupLine| line.at.map(|at| &cgroups.list[at].path);
        let at = self.lines.iter().position(|line| path(line) == held.as_ref());
        self.cursor.at = at.unwrap_or(self.cursor.at).min(self.lines.len() - 1);
    }

    pub(crate) fn keep_visible(&mut self, rows: u16) {
        self.cursor.keep_visible(self.lines.len(), rows);
    }
}
