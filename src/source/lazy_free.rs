//! Pages that processes gave back with `MADV_FREE`: they are resident and count in the kernel's scores, but reclaim
//! takes them before the kernel kills. Only `smaps_rollup` tells them, which goes over all page tables of a process and
//! waits for the lock of its memory, so it is read beside the samples, and only of those that may die next.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::model::{MemoryBreakdown, ProcId, Process, Reading};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::detail;
use crate::sample::process::stall_proof_reader::{LookupAnswer, StallProofReader};
use crate::units::{PageSize, Pages};

/// Maximum number of processes that are read at once.
const MAX_READ: usize = 8;
/// Maximum number of processes that are remembered.
const MAX_KNOWN: usize = 64;
/// Minimum time between two readings.
const INTERVAL: Duration = Duration::from_secs(2);
/// The next reading comes after so many times as long as the last one took.
const SHARE: u32 = 20;
/// How long a sample waits for processes that were not read before.
const PATIENCE: Duration = Duration::from_millis(100);

/// What was read of a process, nothing where it is gone; and how long that took.
type Answer = (Option<Reading<MemoryBreakdown>>, Duration);

/// What a process had when it was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct GivenBack {
    /// Pages that it gave back, and that nothing had taken yet.
    pages: Pages,
    /// All its anonymous pages, those among them.
    anon: Pages,
}

impl GivenBack {
    /// What of them is left in a later sample, in which it has so many anonymous pages. Reclaim takes these first, so
    /// as many are gone as there are fewer anonymous pages.
    fn left(self, anon: Reading<Pages>) -> Pages {
        anon.value()
            .map_or(self.pages, |now| self.pages.saturating_sub(self.anon.saturating_sub(now)))
    }
}

/// The reader, and what it read last.
pub(super) struct LazyFree {
    root: Arc<ProcRoot>,
    page: PageSize,
    /// Started when it is needed first.
    reader: Option<StallProofReader<Answer>>,
    /// What each process had that was asked for.
    known: BTreeMap<ProcId, Reading<GivenBack>>,
    /// Whether some of it seems to have been taken since: it is read again as soon as that costs little.
    taken: bool,
    /// Number of answers that are to come.
    outstanding: usize,
    /// When all were read last, and how long the last reading took, without the time until it was fetched.
    began: Option<Instant>,
    took: Duration,
    /// The kernel's count of such pages at the last reading.
    counted: u64,
}

impl LazyFree {
    /// Nothing is read yet.
    pub(super) fn new(root: Arc<ProcRoot>, page: PageSize) -> Self {
        Self {
            root,
            page,
            reader: None,
            known: BTreeMap::new(),
            taken: false,
            outstanding: 0,
            began: None,
            took: Duration::ZERO,
            counted: 0,
        }
    }

    /// Begins to read those that may die, the likeliest first, where any process ever gave pages back: `counted` is
    /// `pglazyfree` of `/proc/vmstat`. Those who hold such pages are read again.
    pub(super) fn begin(&mut self, counted: Option<u64>, may_die: &[ProcId]) {
        self.take();
        let counted = counted.unwrap_or_default();
        if counted == 0 || self.outstanding > 0 {
            return;
        }
        // What is not read again says nothing any more.
        self.known.retain(|who, pages| is_holder(*pages) || may_die.contains(who));
        let interval = if self.taken { Duration::ZERO } else { INTERVAL };
        let is_due = self.began.is_none_or(|at| at.elapsed() >= interval.max(self.took * SHARE));
        let holders = self.known.iter().filter(|it| is_holder(*it.1)).map(|it| *it.0);
        // What gave nothing back until then has given nothing back since, while the kernel counted nothing.
        let again = is_due && (counted != self.counted || holders.clone().next().is_some());
        let candidates = may_die.iter().take(MAX_READ).copied();
        let mut wanted: Vec<ProcId> = if again {
            candidates.chain(holders).collect()
        } else {
            candidates.filter(|who| !self.known.contains_key(who)).collect()
        };
        let mut seen = std::collections::BTreeSet::new();
        wanted.retain(|who| seen.insert(*who));
        let all = wanted.len() <= MAX_READ;
        wanted.truncate(MAX_READ);
        if wanted.is_empty() {
            return;
        }
        if again {
            self.began = Some(Instant::now());
            self.taken = false;
            self.counted = if all { counted } else { self.counted };
        }
        let (root, reader) = (Arc::clone(&self.root), &mut self.reader);
        if reader.is_none() {
            *reader = StallProofReader::start("lazy free", move |who| {
                let began = Instant::now();
                (detail::breakdown(&root, who), began.elapsed())
            });
        }
        let Some(reader) = reader else { return };
        self.outstanding = wanted.len();
        self.took = Duration::ZERO;
        reader.request(wanted);
    }

    /// Takes the answers that are there.
    fn take(&mut self) {
        let Some(reader) = &self.reader else { return };
        let answers: Vec<_> = reader.arrived().collect();
        answers.into_iter().for_each(|(who, answer)| self.note(who, answer));
    }

    fn note(&mut self, who: ProcId, answer: LookupAnswer<Answer>) {
        if !matches!(answer, LookupAnswer::Late(_)) {
            self.outstanding = self.outstanding.saturating_sub(1);
        }
        let found = match answer {
            LookupAnswer::Read((found, took)) => {
                self.took += took;
                found
            }
            // It waited for the lock of one process, and says nothing about the others.
            LookupAnswer::Late((found, _)) => found,
            // It may answer later; until then it counts as it was.
            LookupAnswer::PassedOver => {
                self.known.entry(who).or_default();
                return;
            }
        };
        let Some(found) = found else {
            self.known.remove(&who);
            return;
        };
        let page = self.page;
        let given = found.map(|it| GivenBack {
            pages: it.lazy_free.pages(page),
            anon: it.anonymous.pages(page),
        });
        self.known.insert(who, given);
        while self.known.len() > MAX_KNOWN {
            let none = self.known.iter().find(|it| !is_holder(*it.1)).map(|it| *it.0);
            let Some(oldest) = none.or_else(|| self.known.keys().next().copied()) else { break };
            self.known.remove(&oldest);
        }
    }

    /// Stores what is known in the rows of a sample, which are sorted by pid. Waits a moment for those that were never
    /// read: the first sample would name one whose memory is no longer its own.
    pub(super) fn store(&mut self, rows: &mut [Process], may_die: &[ProcId]) {
        let end = Instant::now() + PATIENCE;
        let is_new = |known: &BTreeMap<ProcId, Reading<GivenBack>>| {
            may_die.iter().take(MAX_READ).any(|who| !known.contains_key(who))
        };
        while self.outstanding > 0 && is_new(&self.known) {
            let Some((who, answer)) = self.reader.as_ref().and_then(|it| it.next(end)) else {
                break;
            };
            self.note(who, answer);
        }
        self.take();
        let taken = &mut self.taken;
        self.known.retain(|who, given| {
            let Ok(at) = rows.binary_search_by_key(&who.pid, |row| row.id.pid) else {
                return false;
            };
            let Some(row) = rows.get_mut(at).filter(|row| row.id == *who) else { return false };
            row.lazy_free = given.map(|it| it.left(row.anon));
            *taken |= given.value().is_some_and(|it| it.left(row.anon) < it.pages);
            true
        });
    }
}

/// Whether a process is known to hold such pages.
fn is_holder(given: Reading<GivenBack>) -> bool {
    given.value().is_some_and(|it| it.pages > Pages::ZERO)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ticks;

    fn reader(folder: &std::path::Path) -> LazyFree {
        let root = Arc::new(ProcRoot::open(folder).expect("a folder"));
        LazyFree::new(root, PageSize(4096))
    }

    /// A process with so much memory that it gave back.
    fn write(folder: &std::path::Path, pid: i32, lazy_kib: u64) -> Process {
        let place = folder.join(pid.to_string());
        std::fs::create_dir_all(&place).expect("a folder");
        let stat = format!("{pid} (x) S 7 8 7 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 3 0 42 8192 2 \n");
        std::fs::write(place.join("stat"), stat).expect("written");
        let rollup = format!(
            "0-1 [rollup]\nPrivate_Dirty: 900 kB\nAnonymous: 168 kB\nLazyFree: {lazy_kib} kB\n"
        );
        std::fs::write(place.join("smaps_rollup"), rollup).expect("written");
        Process { id: ProcId { pid, born: Ticks(42) }, ..Process::default() }
    }

    #[test]
    fn it_is_read_of_those_that_may_die_once_anything_was_given_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut rows = vec![
            write(folder.path(), 10, 80),
            write(folder.path(), 11, 0),
            write(folder.path(), 12, 8),
        ];
        let may_die = [rows[0].id, rows[1].id];
        let mut lazy = reader(folder.path());
        let mut sample = |counted: Option<u64>, rows: &mut Vec<Process>| {
            rows.iter_mut().for_each(|row| row.lazy_free = Reading::NotAsked);
            lazy.begin(counted, &may_die);
            lazy.store(rows, &may_die);
            rows.iter().map(|row| row.lazy_free).collect::<Vec<_>>()
        };
        assert_eq!(sample(None, &mut rows), [Reading::NotAsked; 3], "this kernel does not count");
        assert_eq!(sample(Some(0), &mut rows), [Reading::NotAsked; 3], "nobody ever did");
        let mut found = sample(Some(5), &mut rows);
        let end = Instant::now() + Duration::from_secs(60);
        while found[1] == Reading::NotAsked && Instant::now() < end {
            found = sample(Some(5), &mut rows);
        }
        let pages = |count| Reading::Value(Pages(count));
        assert_eq!(found, [pages(20), pages(0), Reading::NotAsked]);
        // Reclaim took twelve of them since: they must not be left out of what remains a second time.
        rows[0].anon = Reading::Value(Pages(30));
        assert_eq!(sample(Some(5), &mut rows)[0], pages(8));
        rows[0].anon = Reading::Value(Pages(10));
        assert_eq!(sample(Some(5), &mut rows)[0], pages(0));
        rows[0].anon = Reading::Value(Pages(42));
        assert_eq!(sample(Some(5), &mut rows)[0], pages(20));
        // Who is gone is forgotten.
        rows.remove(0);
        assert_eq!(sample(Some(5), &mut rows), [pages(0), Reading::NotAsked]);
        assert_eq!(lazy.known.len(), 1);
    }

    #[test]
    fn what_cannot_be_read_is_no_zero_and_keeps_nobody_from_being_read() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut lazy = reader(folder.path());
        let who = |pid| ProcId { pid, born: Ticks(42) };
        let read = |size| {
            let lazy_free = crate::units::Kib(size);
            Some(Reading::Value(MemoryBreakdown { lazy_free, ..MemoryBreakdown::default() }))
        };
        let short = Duration::from_millis(1);
        lazy.note(who(1), LookupAnswer::Read((Some(Reading::Denied), short)));
        lazy.note(who(2), LookupAnswer::PassedOver);
        lazy.note(who(3), LookupAnswer::Read((read(8), short)));
        lazy.note(who(4), LookupAnswer::Read((read(0), short)));
        lazy.note(who(5), LookupAnswer::Late((read(4), Duration::from_secs(60))));
        let pages = |count| Reading::Value(Pages(count));
        let known: Vec<_> = lazy.known.values().map(|it| it.map(|it| it.pages)).collect();
        assert_eq!(known, [Reading::Denied, Reading::NotAsked, pages(2), pages(0), pages(1)]);
        assert_eq!(lazy.took, 3 * short, "a stuck process delays no other reading");
        lazy.note(who(3), LookupAnswer::PassedOver);
        assert_eq!(lazy.known[&who(3)].map(|it| it.pages), pages(2), "it counts as it was");
        lazy.begin(Some(1), &[who(1)]);
        let known: Vec<_> = lazy.known.keys().map(|who| who.pid).collect();
        assert_eq!(known, [1, 3, 5], "candidates and those who hold such pages");
    }
}
