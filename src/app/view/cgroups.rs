//! The view Cgroups: every limit, how near it is, and the outcome there.

use std::sync::Arc;

use crate::app::view::list_cursor::ListCursor;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::next_death::Deaths;
use crate::forecast::oom_at_limit::OutcomeAtLimit;
use crate::forecast::{limits, oom_at_limit};
use crate::model::{Cgroup, Cgroups, Scene, Text, is_within};
use crate::policy::Policy;
use crate::rank::Ranking;
use crate::rank::also_killed::GroupCensus;

/// A line of the view.
#[derive(Clone, Debug, PartialEq)]
pub struct CgroupLine {
    /// Its position in the list of cgroups; nothing for the machine itself.
    pub at: Option<usize>,
    /// Its depth in the tree of those shown; 0 where they are sorted by nearness.
    pub depth: u16,
    /// Number of bytes of its path that the line of its parent shows already.
    pub said: usize,
    /// Number of processes in it and below.
    pub members: usize,
    /// Its own limit.
    pub limit: Option<ReachableLimit>,
    /// The outcome at that limit.
    pub outcome: Option<OutcomeAtLimit>,
}

/// What the view shows.
#[derive(Clone, Debug, Default)]
pub struct CgroupsView {
    /// The lines, those nearest to their limit first; in the tree the first one is the machine.
    pub lines: Vec<CgroupLine>,
    /// As a tree, and not sorted by distance to the limit.
    pub as_tree: bool,
    /// Without cgroups that have no limit, neither their own nor below.
    pub hide: bool,
    /// The cursor.
    pub cursor: ListCursor,
    /// The cgroup that the cursor follows, once it was moved; the inner nothing is the machine.
    pub(crate) held: Option<Option<Arc<Text>>>,
}

/// Whether this is the root of cgroup v2, which has no files and tells nothing beside the machine.
pub(crate) fn is_bare_root(group: &Cgroup) -> bool {
    group.path.as_str() == "/" && group.limit.value().is_none() && group.usage.value().is_none()
}

/// The positions of the cgroups that are shown.
pub(crate) fn shown(cgroups: &Cgroups, hide: bool) -> Vec<usize> {
    let mut shown: Vec<usize> = Vec::new();
    // Backwards: if any cgroup below was kept, the last one that was kept is.
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
    /// Builds the lines for a sample that `policy` ranks as `ranking`.
    pub(crate) fn arrange(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        ranking: &Ranking,
        deaths: &Deaths,
    ) {
        let cgroups = &scene.now().cgroups;
        let census = GroupCensus::new(scene);
        let machine = limits::of_machine(scene, deaths);
        self.lines.clear();
        self.lines.push(CgroupLine {
            at: None,
            depth: 0,
            said: 0,
            members: scene.now().processes.len(),
            outcome: Some(oom_at_limit::of_domain(policy, scene, ranking, &machine)),
            limit: Some(machine).filter(|_| !scene.now().unavailable.lives),
        });
        self.push_groups(policy, scene, &census, deaths);
        if !self.as_tree {
            for line in &mut self.lines {
                (line.depth, line.said) = (0, 0);
            }
            // A stable sort: cgroups without a limit keep the order of the tree, at the end.
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

    /// Adds a line for each cgroup that is shown, as a tree.
    fn push_groups(
        &mut self,
        policy: &dyn Policy,
        scene: &Scene,
        census: &GroupCensus<'_>,
        deaths: &Deaths,
    ) {
        let mut outcomes = oom_at_limit::outcomes(policy, scene, census).into_iter().peekable();
        let cgroups = &scene.now().cgroups;
        let mut above: Vec<&str> = Vec::new();
        for at in shown(cgroups, self.hide) {
            let group = &cgroups.list[at];
            let path = group.path.as_str();
            while above.last().is_some_and(|&up| !is_within(path, up)) {
                above.pop();
            }
            while outcomes.peek().is_some_and(|&(other, _)| other < at) {
                outcomes.next();
            }
            self.lines.push(CgroupLine {
                at: Some(at),
                depth: u16::try_from(above.len()).unwrap_or(u16::MAX),
                said: above.last().map_or(0, |up| up.trim_end_matches('/').len()),
                members: census.members(path).len(),
                limit: limits::of_cgroup(group, scene, deaths),
                outcome: outcomes.next_if(|&(other, _)| other == at).map(|(_, outcome)| outcome),
            });
            // Paths below the root show it by their slash.
            if path != "/" {
                above.push(path);
            }
        }
    }

    pub(crate) fn keep_visible(&mut self, rows: u16) {
        self.cursor.keep_visible(self.lines.len(), rows);
    }
}
