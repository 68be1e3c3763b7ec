//! The recent samples, complete. The processes of each are stored as their difference from the sample after it: the
//! newest sample is in memory anyway, so an idle machine needs no second list. Cgroups are stored as their difference
//! from the sample before.

use std::collections::VecDeque;
use std::mem::size_of;
use std::sync::Arc;

use crate::model::history::delta::Rows;
use crate::model::{
    Cgroup, Cgroups, LogLine, ProcId, Process, Snapshot, Text, UsageReading, tree_order,
};
use crate::units::Millis;

/// Sequence number of a sample in this session, from 0. No number is used twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SampleIndex(pub u64);

/// A stored sample.
#[derive(Clone, Debug)]
struct Frame {
    /// The snapshot without its lists.
    rest: Snapshot,
    cgroups: Arc<Cgroups>,
    /// From the sample before.
    groups: Rows<Cgroup, Arc<Text>>,
    /// From the sample after it; `None` for the newest one.
    processes: Option<Rows<Process, ProcId>>,
}

impl Frame {
    fn bytes(&self) -> usize {
        let readings = self.rest.usage_readings.len() * size_of::<UsageReading>();
        let log: usize = self.rest.log.iter().map(LogLine::bytes).sum();
        let processes = self.processes.as_ref().map_or(0, Rows::bytes);
        size_of::<Self>() + readings + self.groups.bytes() + processes + log
    }

    fn has_whole_processes(&self) -> bool {
        self.processes.as_ref().is_some_and(Rows::is_whole)
    }
}

/// At least every this many samples, the cgroups of one are stored whole. Before that they are stored whole where the
/// differences since the last whole ones have become larger than they are; so are the processes. That bounds the cost of
/// restoring a sample.
const WHOLE_EVERY: u64 = 256;

/// Size up to which samples are kept also where memory was short from the start, in bytes: some minutes of a
/// small machine. It fits the reserve that doomtop keeps for that time.
const WHILE_SHORT: usize = 512 << 10;

/// The recent samples, limited by time and by size.
#[derive(Clone, Debug)]
pub struct SampleHistory {
    /// Each on its own, so that the memory of one that was dropped serves the next one: in a row, every new
    /// one would need a new page, also where memory is short.
    frames: VecDeque<Box<Frame>>,
    /// Sequence number of the oldest sample.
    first: u64,
    /// Maximum age.
    span: Millis,
    /// Maximum size, in bytes.
    max_bytes: usize,
    /// A smaller one for as long as memory is short.
    while_short: Option<usize>,
    bytes: usize,
    /// The newest snapshot, whose processes are stored nowhere else.
    last: Option<Arc<Snapshot>>,
    /// What is stored of cgroups since the last whole ones, in bytes.
    groups_since_whole: usize,
    /// The same of processes.
    processes_since_whole: usize,
}

impl SampleHistory {
    /// An empty history with a maximum age, and a maximum size in bytes.
    #[must_use]
    pub const fn new(span: Millis, max_bytes: usize) -> Self {
        Self {
            frames: VecDeque::new(),
            first: 0,
            span,
            max_bytes,
            bytes: 0,
            last: None,
            groups_since_whole: 0,
            processes_since_whole: 0,
            while_short: None,
        }
    }

    /// Adds a snapshot. Returns its sequence number, and the snapshot that was the newest before. A
    /// snapshot that is not newer than the last one starts anew.
    pub fn push(&mut self, sample: Arc<Snapshot>) -> (SampleIndex, Option<Arc<Snapshot>>) {
        let now = sample.clock.monotonic_ms;
        if self.newest().is_some_and(|newest| self.time(newest) >= Some(now)) {
            self.first += self.frames.len() as u64;
            self.frames.clear();
            (self.bytes, self.last) = (0, None);
        }
        let nth = self.first + self.frames.len() as u64;
        let before = self.last.take();
        if let Some(before) = &before {
            self.store_processes(before, &sample);
        }
        let whole = sample.cgroups.list.len() * size_of::<Cgroup>();
        let is_due = nth.is_multiple_of(WHOLE_EVERY) || self.groups_since_whole > whole;
        let old = before.as_deref().filter(|_| !is_due);
        let frame = Frame {
            rest: sample.without_lists(),
            cgroups: Arc::new(Cgroups {
                hierarchy: sample.cgroups.hierarchy,
                read_ms: sample.cgroups.read_ms,
                list: Vec::new(),
            }),
            groups: Rows::between(old.map(|old| &old.cgroups.list[..]), &sample.cgroups.list),
            processes: None,
        };
        let groups = frame.groups.bytes();
        self.groups_since_whole = if old.is_some() { self.groups_since_whole + groups } else { 0 };
        self.bytes += frame.bytes();
        self.frames.push_back(Box::new(frame));
        self.last = Some(sample);
        self.drop_old(now);
        (SampleIndex(nth), before)
    }

    /// Stores the processes of what was the newest sample until now.
    fn store_processes(&mut self, newest: &Snapshot, next: &Snapshot) {
        let Some(frame) = self.frames.back_mut() else { return };
        let whole = newest.processes.len() * size_of::<Process>();
        let is_due = self.processes_since_whole > whole;
        let then = Some(&next.processes[..]).filter(|_| !is_due);
        let rows = Rows::between(then, &newest.processes);
        let bytes = rows.bytes();
        self.processes_since_whole =
            if rows.is_whole() { 0 } else { self.processes_since_whole + bytes };
        self.bytes += bytes;
        frame.processes = Some(rows);
    }

    /// Drops samples that are too old or do not fit; the newest always stays.
    fn drop_old(&mut self, now: Millis) {
        while self.frames.len() > 1 {
            let Some(oldest) = self.frames.front() else { return };
            let old = now.saturating_sub(oldest.rest.clock.monotonic_ms) > self.span;
            if !old && self.bytes <= self.while_short.unwrap_or(self.max_bytes) {
                return;
            }
            let Some(oldest) = self.frames.pop_front() else { return };
            self.bytes = self.bytes.saturating_sub(oldest.bytes());
            self.first += 1;
            let Some(next) = self.frames.front_mut() else { return };
            // Of cgroups the next frame holds only a difference: complete it.
            let before = next.bytes();
            if !next.groups.is_whole()
                && let Rows::Whole(mut rows) = oldest.groups
            {
                next.groups.apply(&mut rows);
                next.groups = Rows::Whole(rows);
            }
            self.bytes = self.bytes.saturating_sub(before) + next.bytes();
        }
    }

    /// While memory is short, no more is kept than at its beginning: an old sample is dropped for each new one,
    /// so that the memory of the old one is used again and no new page is needed.
    pub fn set_memory_short(&mut self, short: bool) {
        let most = self.while_short.unwrap_or_else(|| self.bytes.max(WHILE_SHORT));
        self.while_short = short.then(|| most.min(self.max_bytes));
    }

    /// Changes the maximum age.
    pub const fn set_span(&mut self, span: Millis) {
        self.span = span;
    }

    /// Maximum age.
    #[must_use]
    pub const fn span(&self) -> Millis {
        self.span
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.frames.len()
    }

    /// Whether there are no samples.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Approximate size in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// The oldest sample.
    #[must_use]
    pub fn oldest(&self) -> Option<SampleIndex> {
        (!self.frames.is_empty()).then_some(SampleIndex(self.first))
    }

    /// The newest sample.
    #[must_use]
    pub fn newest(&self) -> Option<SampleIndex> {
        let count = self.frames.len() as u64;
        (count > 0).then(|| SampleIndex(self.first + count - 1))
    }

    fn frame(&self, nth: SampleIndex) -> Option<&Frame> {
        let frame = self.frames.get(usize::try_from(nth.0.checked_sub(self.first)?).ok()?)?;
        Some(frame)
    }

    /// When a sample was taken, on the monotonic clock.
    #[must_use]
    pub fn time(&self, nth: SampleIndex) -> Option<Millis> {
        Some(self.frame(nth)?.rest.clock.monotonic_ms)
    }

    /// A snapshot without its processes and cgroups.
    #[must_use]
    pub fn facts(&self, nth: SampleIndex) -> Option<&Snapshot> {
        Some(&self.frame(nth)?.rest)
    }

    /// The last sample that is not newer than this time.
    #[must_use]
    pub fn at(&self, time: Millis) -> Option<SampleIndex> {
        let count = self.frames.partition_point(|frame| frame.rest.clock.monotonic_ms <= time);
        Some(SampleIndex(self.first + count.checked_sub(1)? as u64))
    }

    /// Restores a snapshot; `None` if it was dropped.
    #[must_use]
    pub fn sample(&self, nth: SampleIndex) -> Option<Arc<Snapshot>> {
        let frame = self.frame(nth)?;
        let end = usize::try_from(nth.0 - self.first).ok()?;
        let mut processes = Vec::new();
        let later = self.frames.range(end..);
        let steps = later.clone().position(|it| it.processes.is_none() || it.has_whole_processes());
        let first = end + steps?;
        match self.frames.get(first).and_then(|it| it.processes.as_ref()) {
            Some(rows) => rows.apply(&mut processes),
            None => processes.clone_from(&self.last.as_ref()?.processes),
        }
        for frame in self.frames.range(end..first).rev() {
            frame.processes.as_ref()?.apply(&mut processes);
        }
        let whole = (0..=end)
            .rev()
            .find(|&at| self.frames.get(at).is_some_and(|it| it.groups.is_whole()))
            .unwrap_or(0);
        let mut list = Vec::new();
        for at in whole..=end {
            self.frames.get(at)?.groups.apply(&mut list);
        }
        let cgroups = Arc::new(Cgroups { list, ..Cgroups::clone(&frame.cgroups) });
        Some(Arc::new(Snapshot { processes, cgroups, ..frame.rest.clone() }))
    }

    /// Calls `with` for each sample from one to another, both included: with its number, its
    /// snapshot without lists, when its cgroups were read, and the list of cgroups.
    pub fn walk_groups(
        &self,
        (from, to): (SampleIndex, SampleIndex),
        mut with: impl FnMut(SampleIndex, &Snapshot, Millis, &[Cgroup]),
    ) {
        let place = |nth: SampleIndex| {
            usize::try_from(nth.0.saturating_sub(self.first)).unwrap_or(usize::MAX)
        };
        let whole = |at: &usize| self.frames.get(*at).is_some_and(|frame| frame.groups.is_whole());
        let begin = (0..=place(from).min(self.frames.len())).rev().find(whole).unwrap_or(0);
        let mut list = Vec::new();
        for (nth, frame) in (self.first..=to.0).zip(&self.frames).skip(begin) {
            frame.groups.apply(&mut list);
            if nth >= from.0 {
                with(SampleIndex(nth), &frame.rest, frame.cgroups.read_ms, &list);
            }
        }
    }

    /// A cgroup in all samples, oldest first: when the sample was taken, when its cgroups were
    /// read, and the cgroup if it existed.
    #[must_use]
    pub fn cgroup_history(&self, path: &str) -> Vec<(Millis, Millis, Option<&Cgroup>)> {
        let order = |group: &Cgroup| tree_order(group.path.as_str(), path);
        let found = |list: &'_ [Cgroup]| list.binary_search_by(order).ok();
        let mut last: Option<&Cgroup> = None;
        let trail = self.frames.iter().map(|frame| {
            match &frame.groups {
                Rows::Whole(rows) => last = found(rows).and_then(|at| rows.get(at)),
                Rows::Since { changed, gone } => {
                    if let Some(group) = found(changed).and_then(|at| changed.get(at)) {
                        last = Some(group);
                    } else if gone.binary_search_by(|gone| tree_order(gone.as_str(), path)).is_ok()
                    {
                        last = None;
                    }
                }
            }
            (frame.rest.clock.monotonic_ms, frame.cgroups.read_ms, last)
        });
        trail.collect()
    }

    /// A process in the samples from one time to another, oldest first, as long as it existed. Only the
    /// rows of this process are looked at, so this is cheap however many others there are.
    #[must_use]
    pub fn process_history(
        &self,
        id: ProcId,
        (from, to): (Millis, Millis),
    ) -> Vec<(Millis, &Process)> {
        let end = self.frames.partition_point(|frame| frame.rest.clock.monotonic_ms <= to);
        let begin = self.frames.partition_point(|frame| frame.rest.clock.monotonic_ms < from);
        let mut now: Option<&Process> = None;
        let mut history = Vec::new();
        for (nth, frame) in self.frames.iter().enumerate().skip(begin).rev() {
            let found = |rows: &'_ [Process]| rows.binary_search_by(|it| it.id.cmp(&id)).ok();
            match &frame.processes {
                None => now = self.last.as_ref().and_then(|last| last.find(id)),
                Some(Rows::Whole(rows)) => now = found(rows).and_then(|at| rows.get(at)),
                Some(Rows::Since { changed, gone }) => {
                    if let Some(row) = found(changed).and_then(|at| changed.get(at)) {
                        now = Some(row);
                    } else if gone.binary_search(&id).is_ok() {
                        now = None;
                    }
                }
            }
            if nth < end {
                history.extend(now.map(|row| (frame.rest.clock.monotonic_ms, row)));
            }
        }
        history.reverse();
        history
    }

    /// Whether the kernel counted a kill between the sample before and this one.
    #[must_use]
    pub fn has_kill(&self, nth: SampleIndex) -> bool {
        let before = nth.0.checked_sub(1).and_then(|nth| self.facts(SampleIndex(nth)));
        let Some((before, now)) = before.zip(self.facts(nth)) else { return false };
        let kills = |sample: &Snapshot| sample.traffic.oom_kills.value();
        let more = kills(before).zip(kills(now)).is_some_and(|(before, now)| now > before);
        more && now.continues(before)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::model::{Reading, Text};
    use crate::units::{Bytes, Pages, Ticks};

    fn sample(ms: u64, sizes: &[(i32, u64)], kills: u64) -> Snapshot {
        let mut sample = Snapshot::default();
        sample.clock.monotonic_ms = Millis(ms);
        sample.traffic.oom_kills = Reading::Value(kills);
        sample.processes = sizes
            .iter()
            .map(|&(pid, size)| Process {
                id: ProcId { pid, born: Ticks(1) },
                rss_stat: Pages(size),
                ..Process::default()
            })
            .collect();
        let groups = sizes.iter().map(|&(pid, size)| Cgroup {
            path: Arc::new(Text::new(format!("/g{pid}").as_bytes())),
            usage: Reading::Value(Bytes(size)),
            ..Cgroup::default()
        });
        let mut list: Vec<Cgroup> = groups.collect();
        list.sort_by(|a, b| tree_order(a.path.as_str(), b.path.as_str()));
        sample.cgroups = Arc::new(Cgroups { list, ..Cgroups::default() });
        sample
    }

    proptest! {
        #[test]
        fn every_sample_is_restored_unchanged(
            film in proptest::collection::vec(
                proptest::collection::btree_map(1..30_i32, 0..4_u64, 0..12), 1..90),
            span in 5..200_u64,
        ) {
            let mut past = SampleHistory::new(Millis(span), usize::MAX);
            let mut samples = Vec::new();
            for (nth, sizes) in film.iter().enumerate() {
                let sizes: Vec<(i32, u64)> = sizes.iter().map(|(&pid, &size)| (pid, size)).collect();
                let sample = sample(nth as u64 + 1, &sizes, 0);
                prop_assert_eq!(past.push(Arc::new(sample.clone())).0, SampleIndex(nth as u64));
                samples.push(sample);
            }
            let oldest = past.oldest().unwrap();
            prop_assert!(past.len() as u64 <= span + 1);
            for nth in oldest.0..samples.len() as u64 {
                let back = past.sample(SampleIndex(nth)).unwrap();
                prop_assert_eq!(&back.processes, &samples[nth as usize].processes);
                prop_assert_eq!(&back.cgroups, &samples[nth as usize].cgroups);
                prop_assert_eq!(back.clock, samples[nth as usize].clock);
            }
            let newest = Millis(samples.len() as u64);
            for pid in [1, 7, 29] {
                let id = ProcId { pid, born: Ticks(1) };
                let history = past.process_history(id, (Millis(3), newest));
                let wanted: Vec<(Millis, &Process)> = (oldest.0..newest.0)
                    .map(|nth| &samples[nth as usize])
                    .filter(|sample| sample.clock.monotonic_ms >= Millis(3))
                    .filter_map(|sample| Some((sample.clock.monotonic_ms, sample.find(id)?)))
                    .collect();
                prop_assert_eq!(history, wanted);
            }
            prop_assert!(past.sample(SampleIndex(samples.len() as u64)).is_none());
        }
    }

    #[test]
    fn the_history_stays_below_its_maximum_size_and_age() {
        let sizes: Vec<(i32, u64)> = (1..=100).map(|pid| (pid, 7)).collect();
        let max_bytes = 400 * size_of::<Process>() + 400 * size_of::<Cgroup>();
        let mut past = SampleHistory::new(Millis(1_000_000), max_bytes);
        for second in 1..=1000_u64 {
            let mut sizes = sizes.clone();
            sizes[3].1 = second;
            past.push(Arc::new(sample(second, &sizes, 0)));
        }
        assert!(past.bytes() <= max_bytes, "{} of {max_bytes}", past.bytes());
        assert!(past.len() > 30, "differences are smaller than whole samples: {}", past.len());
        let counted: usize = past.frames.iter().map(|frame| frame.bytes()).sum();
        assert_eq!(past.bytes(), counted);
        let mut past = SampleHistory::new(Millis(20), usize::MAX);
        (1..=100).for_each(|ms| _ = past.push(Arc::new(sample(ms, &sizes, 0))));
        assert_eq!((past.oldest(), past.newest()), (Some(SampleIndex(79)), Some(SampleIndex(99))));
    }

    #[test]
    fn samples_that_count_a_kill_are_found() {
        let mut past = SampleHistory::new(Millis(1000), usize::MAX);
        for (ms, kills) in [(1, 4), (2, 4), (3, 5), (4, 5), (5, 7)] {
            past.push(Arc::new(sample(ms, &[(1, 1)], kills)));
        }
        let seen: Vec<u64> = (0..5).filter(|&nth| past.has_kill(SampleIndex(nth))).collect();
        assert_eq!(seen, [2, 4]);
        assert_eq!(past.at(Millis(3)), Some(SampleIndex(2)));
        past.push(Arc::new(sample(1, &[], 0)));
        assert_eq!(
            (past.len(), past.oldest()),
            (1, Some(SampleIndex(5))),
            "a clock that went back"
        );
    }
}
