//! Which rows stand in the table, in which order, and what hangs under what. Built when something
//! changed, never while painting.

use std::collections::HashSet;

use crate::columns::{Column, RowContext, SortKey};
use crate::model::{ProcId, Snapshot};
use crate::policy::SparedReason;
use crate::rank::Placement;
use crate::rows::filter::Filter;

/// What hangs under a line of the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreeBranch {
    /// Nothing.
    #[default]
    Leaf,
    /// Its children follow.
    Open,
    /// Its children are folded away.
    Closed,
}

/// Where a line stands in the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeLines {
    /// How deep; 0 in the plain list.
    pub depth: u16,
    /// Bit `d`: the ancestor at depth `d` has further siblings below.
    pub more: u64,
    /// Whether it is the last of its siblings.
    pub last: bool,
    /// What hangs under it.
    pub branch: TreeBranch,
}

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLine {
    /// Who.
    pub id: ProcId,
    /// Position in the snapshot; nothing when it went while the rows were held.
    pub at: Option<u32>,
    /// Place in the tree.
    pub tree_lines: TreeLines,
}

/// By what the table is sorted.
#[derive(Clone, Copy)]
pub struct Sort {
    /// The column.
    pub column: &'static Column,
    /// The large ones on top.
    pub descending: bool,
}

impl Sort {
    /// Whether the ranking's own order serves, and if so, whether turned round.
    fn of_ranking(self) -> Option<bool> {
        match self.column.id {
            "rank" => Some(self.descending),
            "badness" | "pages" | "permille" => Some(!self.descending),
            _ => None,
        }
    }
}

/// What decides which rows are shown, and how.
#[derive(Clone)]
pub struct TableSettings {
    /// The order.
    pub sort: Sort,
    /// Typed filter.
    pub filter: Filter,
    /// Only this user's processes.
    pub user: Option<String>,
    /// Kernel threads too.
    pub kernel_threads: bool,
    /// Only those who can be chosen.
    pub hide_spared: bool,
    /// By parent.
    pub tree: bool,
    /// Folded branches of the tree.
    pub folded: HashSet<ProcId>,
}

impl TableSettings {
    /// The lines of the table, into `lines`.
    pub fn arrange(&self, context: &RowContext<'_>, lines: &mut Vec<TableLine>) {
        let snapshot = context.scene.now();
        let mut order: Vec<u32> = context.ranking.rows().iter().map(|row| row.at).collect();
        order.retain(|&at| self.shows(context, at));
        self.put_in_order(context, &mut order);
        lines.clear();
        if self.tree {
            self.grow_tree(context, &order, lines);
        } else {
            lines.extend(order.iter().map(|&at| TableLine {
                id: snapshot.processes[at as usize].id,
                at: Some(at),
                tree_lines: TreeLines::default(),
            }));
        }
    }

    fn shows(&self, context: &RowContext<'_>, at: u32) -> bool {
        let Some(row) = context.row(at as usize) else { return false };
        if row.process.is_kernel_thread() && !self.kernel_threads {
            return false;
        }
        if row.placement() == Placement::Spared(SparedReason::Outside) {
            return false;
        }
        if self.hide_spared && row.placement().points().is_none() {
            return false;
        }
        let of_user = |user: &String| context.user(row.process).value().as_ref() == Some(user);
        self.user.as_ref().is_none_or(of_user) && self.filter.shows(&row)
    }

    fn put_in_order(&self, context: &RowContext<'_>, order: &mut Vec<u32>) {
        match self.sort.of_ranking() {
            Some(false) => {}
            Some(true) => {
                // Those who cannot be chosen stay last whichever way the rest goes.
                let scored = order
                    .iter()
                    .take_while(|&&at| {
                        let place = context.ranking.place(at as usize);
                        place.is_some_and(|(_, row)| row.placement.points().is_some())
                    })
                    .count();
                order[..scored].reverse();
            }
            None => {
                let mut keyed: Vec<(SortKey, u32)> = order
                    .iter()
                    .filter_map(|&at| {
                        Some(((self.sort.column.key)(&context.row(at as usize)?), at))
                    })
                    .collect();
                keyed.sort_by(|(mine, _), (theirs, _)| mine.order(theirs, self.sort.descending));
                order.clear();
                order.extend(keyed.into_iter().map(|(_, at)| at));
            }
        }
    }

    /// Every shown process under its parent; a parent that the filter hides comes along.
    fn grow_tree(&self, context: &RowContext<'_>, order: &[u32], lines: &mut Vec<TableLine>) {
        let snapshot = context.scene.now();
        let parent_of = |at: u32| {
            let parent = snapshot.processes[at as usize].parent;
            snapshot.position(parent).map(|at| at as u32).filter(|&up| up != at)
        };
        // The place of each in the order; whoever only comes along stands behind.
        let mut place = vec![u32::MAX; snapshot.processes.len()];
        let mut members: Vec<u32> = Vec::with_capacity(order.len());
        // Parents that go round in a circle are impossible on a live machine, not in a recording:
        // whoever closes the circle stands at the root.
        let mut closing: HashSet<u32> = HashSet::new();
        for &at in order {
            let begun = members.len();
            let mut next = Some(at);
            while let Some(at) = next.filter(|&at| place[at as usize] == u32::MAX) {
                place[at as usize] = members.len() as u32;
                members.push(at);
                next = parent_of(at);
            }
            if next.is_some_and(|at| place[at as usize] as usize >= begun)
                && let Some(&last) = members.last()
            {
                closing.insert(last);
            }
        }
        let parent_of = |at: u32| parent_of(at).filter(|_| !closing.contains(&at));
        let mut kin: Vec<(Option<u32>, u32, u32)> =
            members.iter().map(|&at| (parent_of(at), place[at as usize], at)).collect();
        kin.sort_unstable();
        let children = |parent: Option<u32>| {
            let from = kin.partition_point(|&(up, _, _)| up < parent);
            let to = kin.partition_point(|&(up, _, _)| up <= parent);
            &kin[from..to]
        };
        let mut waiting: Vec<(u32, TreeLines)> = Vec::new();
        let push = |parent: Option<u32>, depth: u16, more: u64, waiting: &mut Vec<_>| {
            let brood = children(parent);
            for (nth, &(_, _, at)) in brood.iter().enumerate().rev() {
                let last = nth + 1 == brood.len();
                waiting.push((at, TreeLines { depth, more, last, branch: TreeBranch::Leaf }));
            }
        };
        push(None, 0, 0, &mut waiting);
        while let Some((at, mut tree_lines)) = waiting.pop() {
            let id = snapshot.processes[at as usize].id;
            if !children(Some(at)).is_empty() {
                tree_lines.branch =
                    if self.folded.contains(&id) { TreeBranch::Closed } else { TreeBranch::Open };
            }
            lines.push(TableLine { id, at: Some(at), tree_lines });
            if tree_lines.branch == TreeBranch::Open {
                // Deeper than that the stems stand under each other.
                let more = if tree_lines.last {
                    tree_lines.more
                } else {
                    tree_lines.more | 1 << tree_lines.depth
                };
                push(Some(at), (tree_lines.depth + 1).min(63), more, &mut waiting);
            }
        }
    }
}

/// Finds the same lines in another look, without moving any.
pub fn hold(lines: &mut [TableLine], snapshot: &Snapshot) {
    for line in lines {
        line.at = snapshot
            .position(line.id.pid)
            .filter(|&at| snapshot.processes[at].id == line.id)
            .map(|at| at as u32);
    }
}
