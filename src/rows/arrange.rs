//! Which rows the table shows, in which order, and how they form a tree. Computed when something
//! changed, never while drawing.

use std::collections::HashSet;

use crate::columns::{Column, RowContext, SortKey};
use crate::model::{ProcId, Snapshot};
use crate::policy::SparedReason;
use crate::rank::Placement;
use crate::rows::filter::Filter;

/// Whether a line of the tree has children.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TreeBranch {
    /// No children.
    #[default]
    Leaf,
    /// Its children follow.
    Open,
    /// Its children are folded.
    Closed,
}

/// The position of a line in the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TreeLines {
    /// Its depth; 0 in the plain list.
    pub depth: u16,
    /// Bit `d`: the ancestor at depth `d` has further siblings below.
    pub more: u64,
    /// Whether it is the last of its siblings.
    pub last: bool,
    /// Its children.
    pub branch: TreeBranch,
}

/// A line of the table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TableLine {
    /// The process.
    pub id: ProcId,
    /// Its position in the snapshot; nothing where it exited while the order was frozen.
    pub at: Option<u32>,
    /// Its position in the tree.
    pub tree_lines: TreeLines,
}

/// The order of the table.
#[derive(Clone, Copy)]
pub struct Sort {
    /// The column.
    pub column: &'static Column,
    /// Whether large values are on top.
    pub descending: bool,
}

impl Sort {
    /// Whether the order is that of the ranking, and then whether it is inverted; nothing where it is
    /// another order.
    fn of_ranking(self) -> Option<bool> {
        match self.column.id {
            "rank" => Some(self.descending),
            "badness" | "pages" | "permille" => Some(!self.descending),
            _ => None,
        }
    }
}

/// Which rows are shown, and how.
#[derive(Clone)]
pub struct TableSettings {
    /// The order.
    pub sort: Sort,
    /// The filter that the user typed.
    pub filter: Filter,
    /// Only the processes of this user.
    pub user: Option<String>,
    /// Whether kernel threads are shown.
    pub kernel_threads: bool,
    /// Whether processes that cannot be chosen are hidden.
    pub hide_spared: bool,
    /// Whether the rows form a tree.
    pub tree: bool,
    /// Folded branches of the tree.
    pub folded: HashSet<ProcId>,
}

impl TableSettings {
    /// Writes the lines of the table into `lines`.
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

    /// Whether the process at this position of the snapshot is shown.
    #[must_use]
    pub fn shows(&self, context: &RowContext<'_>, at: u32) -> bool {
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
                // Processes that cannot be chosen stay last in both directions.
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

    /// Puts every shown process under its parent. A parent is shown even where the filter hides it.
    fn grow_tree(&self, context: &RowContext<'_>, order: &[u32], lines: &mut Vec<TableLine>) {
        let snapshot = context.scene.now();
        let parent_of = |at: u32| {
            let parent = snapshot.processes[at as usize].parent;
            snapshot.position(parent).map(|at| at as u32).filter(|&up| up != at)
        };
        // The place of each process in the order.
        let mut place = vec![u32::MAX; snapshot.processes.len()];
        let mut members: Vec<u32> = Vec::with_capacity(order.len());
        // A recording may contain a loop of parents. The process that closes it becomes a root.
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
                // Deeper levels are drawn at the same depth.
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

/// Updates the positions of the same lines in a new snapshot, without moving any line.
pub fn hold(lines: &mut [TableLine], snapshot: &Snapshot) {
    for line in lines {
        line.at = snapshot
            .position(line.id.pid)
            .filter(|&at| snapshot.processes[at].id == line.id)
            .map(|at| at as u32);
    }
}
