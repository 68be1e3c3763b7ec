//! Keeps the rows of all processes up to date from the task table, and says what must be read from files
//! besides.

use std::collections::HashMap;
use std::sync::Arc;

use super::task_table::TaskTable;
use super::unavailable::BpfUnavailable;
use crate::model::{Comm, Machine, ProcId, Process, ProcessSampler, Reading, Text};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::lookup;
use crate::sample::process::row::{OpenByPath, RowBuffers, RowRead, RowRequest, fresh};
use crate::sample::process::row_list::{SPARE_MAX, make_room};
use crate::sample::process::row_lookup::RowLookup;
use crate::sample::process::walk_request::WalkRequest;
use crate::units::{Adj, Pages};

/// Number of processes whose `oom_score` is read again in each sample, in turn, beside those that are asked
/// for.
const TURN: usize = 8;

/// `/proc` is listed in every sample with a number that is a multiple of this, to find processes that the
/// table lacks.
const LISTING: u32 = 16;

/// Maximum number of processes that the table may lack.
pub const OTHERS_MAX: usize = 64;

/// The rows of all processes by the task table.
#[derive(Debug)]
pub struct TaskRows {
    table: TaskTable,
    /// Paths of memory cgroups by their number.
    paths: HashMap<u64, Arc<Text>>,
    /// Processes that `/proc` lists and the table lacks, sorted. Their rows come from files.
    others: Vec<ProcId>,
    /// Space for processes that are new.
    found: Vec<Process>,
    /// For each record of the scan, in the order of the kernel's list: [`crate::model::TaskFacts::position`].
    positions: Vec<u32>,
    samples: u32,
    /// The first record of the turn.
    turn: usize,
}

/// What is read again of a process because it is its turn.
#[derive(Clone, Copy)]
struct Turns {
    score: bool,
    cgroup: bool,
}

/// A row before it is updated.
struct Before {
    comm: Comm,
    adj: Reading<Adj>,
    cgroup_id: Option<u64>,
    sizes: Sizes,
}

/// What a score is computed from, beside the adj.
type Sizes = (Pages, [Reading<Pages>; 3], bool);

fn sizes(row: &Process) -> Sizes {
    let skipped = row.task.is_some_and(|task| task.is_skipped());
    (row.rss_stat, [row.rss_exact, row.swap, row.pgtables], skipped)
}

impl TaskRows {
    /// Loads the program, and compares what it says of doomtop itself with `/proc`.
    ///
    /// # Errors
    ///
    /// Why the processes cannot be read this way.
    pub fn start(root: &ProcRoot, machine: &Machine) -> Result<Self, BpfUnavailable> {
        let mut table = TaskTable::load(root, machine)?;
        table.scan()?;
        check_own_process(root, machine, &table)?;
        Ok(Self {
            table,
            paths: HashMap::new(),
            others: Vec::new(),
            found: Vec::new(),
            positions: Vec::new(),
            samples: 0,
            turn: 0,
        })
    }

    /// How the program visits the processes.
    #[must_use]
    pub fn sampler(&self) -> ProcessSampler {
        self.table.sampler()
    }

    /// Processes that `/proc` lists and the table lacks, sorted.
    #[must_use]
    pub fn others(&self) -> &[ProcId] {
        &self.others
    }

    /// Whether `/proc` is to be listed with this sample.
    #[must_use]
    pub fn wants_listing(&self) -> bool {
        self.samples % LISTING == 1
    }

    /// Updates `rows`, which stay sorted by pid, and puts into `lookups` what must be read from files.
    ///
    /// # Errors
    ///
    /// The program cannot be run any more, or there are too many processes; `rows` are as before.
    pub fn update(
        &mut self,
        rows: &mut Vec<Process>,
        request: &WalkRequest,
        lookups: &mut Vec<RowLookup>,
    ) -> Result<(), BpfUnavailable> {
        self.table.scan()?;
        let (table, others) = (&self.table, &mut self.others);
        // Most of them had only just been created. Those that have exited have no row any more.
        others.retain(|&id| table.record(id).is_none() && has(rows, id));
        if others.len() > OTHERS_MAX {
            return Err(BpfUnavailable::Incomplete(others.len()));
        }
        self.samples = self.samples.wrapping_add(1);
        lookups.clear();
        let units = self.table.units();
        let records = self.table.records().map(|(record, at)| (record.id(units), at));
        place(&mut self.positions, rows, records);
        let turn = self.turn..self.turn + TURN;
        self.turn = if turn.end < self.table.len() { turn.end } else { 0 };
        let mut listed = request.listed.iter().peekable();
        let mut found = std::mem::take(&mut self.found);
        // In place, as the walk does; pid 0 marks processes that are gone.
        let mut before = rows.iter_mut().peekable();
        for (nth, (record, at)) in self.table.records().enumerate() {
            let id = record.id(units);
            while let Some(other) = before.next_if(|row| row.id.pid < id.pid) {
                self.drop_unless_other(other);
            }
            let mut first_seen = Process::default();
            let old = before.next_if(|row| row.id.pid == id.pid);
            let is_old = old.is_some();
            let row = old.unwrap_or(&mut first_seen);
            if row.id != id {
                *row = Process::default();
            }
            let was = Before {
                comm: row.comm,
                adj: row.adj,
                cgroup_id: row.task.map(|task| task.cgroup_id),
                sizes: sizes(row),
            };
            record.write_to(row, position_at(&self.positions, at), units);
            while listed.next_if(|&&other| other < id).is_some() {}
            let is_listed = listed.next_if(|&&other| other == id).is_some();
            let turns = Turns {
                score: is_listed || turn.contains(&nth),
                // A cgroup can be renamed (version 1), which does not change its number.
                cgroup: turn.start == nth,
            };
            let lookup = self.look_up(row, &was, request, turns);
            if lookup.wants_any() {
                lookups.push(lookup);
            }
            if !is_old {
                found.push(first_seen);
            }
        }
        before.for_each(|row| self.drop_unless_other(row));
        merge(rows, &mut found);
        found.shrink_to(SPARE_MAX);
        self.found = found;
        if self.samples.is_multiple_of(LISTING) {
            self.paths.retain(|_, path| Arc::strong_count(path) > 1);
        }
        Ok(())
    }

    /// Marks a row that has no record as gone, unless it comes from files.
    fn drop_unless_other(&self, row: &mut Process) {
        if self.others.binary_search(&row.id).is_err() {
            row.id.pid = 0;
        }
    }

    /// What must be read from files for a row that was just updated.
    fn look_up(
        &self,
        row: &mut Process,
        was: &Before,
        request: &WalkRequest,
        turns: Turns,
    ) -> RowLookup {
        let mut lookup = RowLookup { id: row.id, ..RowLookup::default() };
        let idle = row.is_kernel_thread();
        row.score_fresh = false;
        if !request.scores || row.adj != was.adj {
            row.score = Reading::NotAsked; // a score belongs to the adj with which it was computed
        }
        if request.scores {
            let moved = row.score.is_not_asked() || sizes(row) != was.sizes;
            let due = turns.score || request.scores_anew || request.all_scores && moved;
            lookup.wants_score = due && (!idle || row.score.is_not_asked());
            if lookup.wants_score && request.all_scores {
                // If it is not read in time, the next sample asks again: an old one is not true any more.
                row.score = Reading::NotAsked;
            }
        }
        let cgroup_id = row.task.map(|task| task.cgroup_id);
        if !request.cgroup {
            row.cgroup = Reading::NotAsked;
        } else if turns.cgroup && !idle {
            lookup.wants_cgroup = true;
        } else if row.cgroup.is_not_asked() || cgroup_id != was.cgroup_id {
            match cgroup_id.and_then(|id| self.paths.get(&id)) {
                Some(path) => row.cgroup = Reading::Value(Arc::clone(path)),
                None => lookup.wants_cgroup = true,
            }
        }
        if !request.cmdline {
            row.cmdline = Reading::NotAsked;
        } else {
            lookup.wants_cmdline = row.cmdline.is_not_asked() || row.comm != was.comm;
        }
        lookup
    }

    /// Puts what was read from files into the rows. `in_time` says whether it was read in this sample.
    pub fn apply(&mut self, rows: &mut [Process], lookups: &mut Vec<RowLookup>, in_time: bool) {
        for lookup in lookups.drain(..) {
            let at = rows.binary_search_by_key(&lookup.id.pid, |row| row.id.pid);
            let row = at.ok().and_then(|at| rows.get_mut(at));
            let Some(row) = row.filter(|row| row.id == lookup.id) else { continue };
            if lookup.wants_score && in_time {
                row.score = lookup.score;
                row.score_fresh = fresh(row, true);
            }
            if lookup.wants_cgroup {
                // In version 1, a process that exits has left its cgroups already.
                let cgroup_id = row.task.map(|task| task.cgroup_id);
                if let (Reading::Value(path), Some(id)) = (&lookup.cgroup, cgroup_id)
                    && in_time
                    && row.has_mm
                    && !row.dying
                {
                    self.paths.insert(id, Arc::clone(path));
                }
                row.cgroup = lookup.cgroup;
            }
            if lookup.wants_cmdline {
                row.cmdline = lookup.cmdline;
            }
        }
    }

    /// Takes the rows of processes that `/proc` lists and the table lacked.
    pub fn take_others(&mut self, rows: &mut Vec<Process>, others: &mut Vec<Process>) {
        self.others.clear();
        for other in others.drain(..) {
            self.others.push(other.id);
            match rows.binary_search_by_key(&other.id.pid, |row| row.id.pid) {
                Ok(at) => rows[at] = other,
                Err(at) => {
                    make_room(rows, 1);
                    rows.insert(at, other);
                }
            }
        }
        self.others.sort_unstable();
    }

    /// Whether the table should grow before long.
    #[must_use]
    pub fn is_crowded(&self) -> bool {
        self.table.is_crowded()
    }

    /// Makes the table larger.
    ///
    /// # Errors
    ///
    /// The kernel refuses it; the table stays as it is.
    pub fn grow(&mut self, root: &ProcRoot, machine: &Machine) -> Result<(), BpfUnavailable> {
        self.table.grow(root, machine)
    }
}

/// Whether rows that are sorted by pid have one of this process.
fn has(rows: &[Process], id: ProcId) -> bool {
    let at = rows.binary_search_by_key(&id.pid, |row| row.id.pid);
    at.is_ok_and(|at| rows[at].id == id)
}

/// Gives each record its position in the list. A process keeps the one that it has: their order is what counts, and
/// if every exit moved all that follow, all rows would differ from those of the sample before. New processes are at
/// the end of the list. `records` are sorted by pid, as `rows` are, each with its place in the scan, from 1: some places
/// are of processes that ended during the scan, and have no record.
fn place(positions: &mut Vec<u32>, rows: &[Process], records: impl Iterator<Item = (ProcId, u32)>) {
    positions.clear();
    let mut before = rows.iter().peekable();
    for (id, at) in records {
        while before.next_if(|row| row.id.pid < id.pid).is_some() {}
        let old = before.next_if(|row| row.id == id).and_then(|row| row.task);
        let nth = (at as usize).saturating_sub(1);
        if nth >= positions.len() {
            positions.resize(nth + 1, 0);
        }
        positions[nth] = old.map_or(0, |task| task.position);
    }
    if positions.iter().any(|&at| at > u32::MAX / 2) {
        positions.fill(0);
    }
    let mut last = 0;
    for place in positions {
        last = (*place).max(last + 1);
        *place = last;
    }
}

/// The position of the record with this place in the scan, from 1.
fn position_at(positions: &[u32], at: u32) -> u32 {
    positions.get((at as usize).saturating_sub(1)).copied().unwrap_or(at)
}

/// Drops the rows that are gone, and adds the new ones.
fn merge(rows: &mut Vec<Process>, found: &mut Vec<Process>) {
    rows.retain(|row| row.id.pid != 0);
    make_room(rows, found.len());
    rows.append(found);
    if !rows.is_sorted_by_key(|row| row.id.pid) {
        rows.sort_unstable_by_key(|row| row.id.pid);
    }
}

/// Compares what the table says of doomtop itself with its files.
fn check_own_process(
    root: &ProcRoot,
    machine: &Machine,
    table: &TaskTable,
) -> Result<(), BpfUnavailable> {
    let id = lookup::own_id(root).ok_or(BpfUnavailable::Differs("its pid"))?;
    let (record, position) = table.record(id).ok_or(BpfUnavailable::Differs("its start time"))?;
    let (mut is, mut files) = (Process::default(), Process { id, ..Process::default() });
    record.write_to(&mut is, position, table.units());
    let request = RowRequest { status: true, score: false };
    let read = RowBuffers::on(machine).read_all(
        &OpenByPath { root, pid: id.pid },
        root,
        request,
        &mut files,
    );
    let same = [
        ("its files", read == RowRead::Row),
        ("its name", is.comm == files.comm),
        ("its parent", is.parent == files.parent),
        ("its session", (is.session, is.group) == (files.session, files.group)),
        ("its user", is.ids == files.ids),
        ("its capabilities", is.caps == files.caps),
        ("its adj", is.adj == files.adj),
        ("its memory", is.has_mm && near(is.rss_exact, files.rss_exact)),
        ("its page tables", near(is.pgtables, files.pgtables)),
    ];
    let differs = same.into_iter().find(|(_, same)| !same);
    differs.map_or(Ok(()), |(what, _)| Err(BpfUnavailable::Differs(what)))
}

/// Whether two sizes of doomtop itself, which were read one after the other, can be the same.
fn near(one: Reading<crate::units::Pages>, other: Reading<crate::units::Pages>) -> bool {
    match (one, other) {
        (Reading::Value(one), Reading::Value(other)) => {
            one.0.abs_diff(other.0) <= one.0.max(other.0) / 4 + 4096
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::TaskFacts;

    fn row(pid: i32, position: u32) -> Process {
        let task = Some(TaskFacts { position, ..TaskFacts::default() });
        Process { id: ProcId { pid, ..ProcId::default() }, task, ..Process::default() }
    }

    /// The positions of a scan with these pids, in the order of the list; a place with pid 0 has no record.
    fn positions(rows: &[Process], list: &[i32]) -> Vec<u32> {
        let mut records: Vec<(ProcId, u32)> = list
            .iter()
            .zip(1..)
            .filter(|(pid, _)| **pid != 0)
            .map(|(&pid, at)| (ProcId { pid, ..ProcId::default() }, at))
            .collect();
        records.sort_unstable();
        let mut positions = vec![7; 3];
        place(&mut positions, rows, records.into_iter());
        positions
    }

    #[test]
    fn a_process_behind_one_that_ended_during_the_scan_is_behind_all_others() {
        let rows = [row(1, 11), row(4, 23), row(9, 24)];
        let found = positions(&rows, &[1, 0, 4, 9, 12]);
        assert_eq!([found[0], found[2], found[3], found[4]], [11, 23, 24, 25]);
    }

    #[test]
    fn a_process_keeps_its_position_and_new_ones_follow() {
        assert_eq!(positions(&[], &[1, 9, 4]), [1, 2, 3]);
        let rows = [row(1, 1), row(4, 3), row(9, 2)];
        assert_eq!(positions(&rows, &[1, 4]), [1, 3], "an exit moves nobody");
        assert_eq!(
            positions(&rows, &[1, 4, 2]),
            [1, 3, 4],
            "a pid that wrapped is new all the same"
        );
        assert_eq!(positions(&rows, &[4, 9, 1]), [3, 4, 5], "the list decides");
        assert_eq!(positions(&rows, &[]), [0; 0]);
    }

    #[test]
    fn positions_begin_anew_before_they_end() {
        let rows = [row(1, u32::MAX), row(4, 3)];
        assert_eq!(positions(&rows, &[4, 1, 5]), [1, 2, 3]);
    }
}
