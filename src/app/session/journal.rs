//! The journal of the session: every act, the changes of adj that can be reverted or made again, and the
//! signalled processes that have not exited yet.

use std::collections::BTreeMap;

use crate::app::session::bulk_result::BulkResult;
use crate::app::session::notice::NoticeLevel;
use crate::app::session::pending_exit::PendingSignal;
use crate::intent::{Intent, Outcome, Refusal};
use crate::model::ProcId;
use crate::units::Adj;

/// An act in parts, for a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalAct {
    /// The process: `4711 java`.
    pub subject: String,
    /// What was done: `oom_score_adj`, a signal.
    pub what: String,
    /// The values before and after.
    pub values: Option<(Adj, Adj)>,
    /// The outcome.
    pub outcome: String,
}

impl JournalAct {
    /// The parts of an outcome; nothing for acts of another kind, which only have a line.
    #[must_use]
    pub fn of(outcome: &Outcome) -> Option<Self> {
        let adj = || "oom_score_adj".to_owned();
        Some(match outcome {
            Outcome::AdjSet { who, name, before, now, revert } => Self {
                subject: format!("{who} {name}"),
                what: adj(),
                values: Some((*before, *now)),
                outcome: match (before == now, revert) {
                    (true, _) => "had it already",
                    (false, true) => "put back",
                    (false, false) => "set",
                }
                .to_owned(),
            },
            Outcome::Refused { intent, refusal } => {
                let (what, values) = match intent {
                    Intent::SetAdj { from, to, .. } => (adj(), Some((*from, *to))),
                    Intent::Signal { signal, .. } => (signal.to_string(), None),
                    #[allow(
                        unreachable_patterns,
                        reason = "acts of other kinds say it in their line"
                    )]
                    _ => return None,
                };
                let outcome = match refusal {
                    Refusal::NotTaken { .. } | Refusal::NotVerified { .. } => refusal.words(),
                    _ => format!("refused: {}", refusal.words()),
                };
                Self { subject: intent.subject(), what, values, outcome }
            }
            _ => return None,
        })
    }
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// When, milliseconds since 1970, UTC: the time of the sample before it.
    pub unix_ms: i64,
    /// The level of its message.
    pub level: NoticeLevel,
    /// The line.
    pub text: String,
    /// The same in parts, where it was an act.
    pub acted: Option<JournalAct>,
    /// The number of the change that it made, reverted or made again.
    pub change: Option<u64>,
}

/// The state of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeState {
    /// It is in effect.
    Standing,
    /// It was reverted by the act of this number.
    Back(u64),
    /// Its process exited.
    Gone,
}

/// A change of `oom_score_adj`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdjChange {
    /// Its number in this session.
    pub nth: u64,
    /// The number of the act that made it. The changes of one bulk act share it.
    pub act: u64,
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The value before.
    pub before: Adj,
    /// The value after.
    pub now: Adj,
    /// Its state.
    pub state: ChangeState,
}

impl AdjChange {
    /// The values from and to which reverting it leads, or making it again.
    #[must_use]
    pub const fn way(&self, again: bool) -> (Adj, Adj) {
        if again { (self.before, self.now) } else { (self.now, self.before) }
    }
}

/// The journal of the session.
#[derive(Clone, Debug, Default)]
pub struct Journal {
    /// The entries, the oldest first.
    pub entries: Vec<JournalEntry>,
    /// The changes, in the order in which they were made.
    pub changes: Vec<AdjChange>,
    /// The signalled processes that have not exited yet.
    pub pending: Vec<PendingSignal>,
    /// The result of the last bulk act.
    pub bulk: Option<BulkResult>,
    /// The value of each process, as the last outcome told.
    known: BTreeMap<ProcId, Adj>,
    /// The highest value of each process that was refused for lack of rights.
    refused: BTreeMap<ProcId, Adj>,
    /// The last number given to an act or a change.
    count: u64,
    /// The number of the bulk act.
    bulk_act: u64,
}

/// Maximum number of entries.
const MAX_ENTRIES: usize = 10_000;

/// Maximum number of changes: more than a machine has processes to change at once.
const MAX_CHANGES: usize = 200_000;

impl Journal {
    /// Adds an entry.
    pub fn note(&mut self, unix_ms: i64, level: NoticeLevel, text: String) {
        if self.entries.len() == MAX_ENTRIES {
            self.entries.remove(0);
        }
        self.entries.push(JournalEntry { unix_ms, level, text, acted: None, change: None });
    }

    /// Adds the parts and the change to the last entry.
    pub fn tie(&mut self, acted: Option<JournalAct>, change: Option<u64>) {
        if let Some(entry) = self.entries.last_mut() {
            entry.acted = acted;
            entry.change = change;
        }
    }

    /// Begins a bulk act.
    pub fn begin(&mut self, bulk: BulkResult) {
        self.count += 1;
        self.bulk_act = self.count;
        self.bulk = Some(bulk);
    }

    /// The number of the act that an outcome belongs to: the bulk act that waits for it, or a new one.
    fn act_of(&mut self, who: ProcId) -> u64 {
        if self.bulk.as_ref().is_some_and(|bulk| bulk.open.contains(&who)) {
            return self.bulk_act;
        }
        self.count += 1;
        self.count
    }

    /// Takes a value that was written. Returns the number of the change that it made, reverted or made
    /// again.
    pub fn wrote(
        &mut self,
        who: ProcId,
        name: &str,
        (before, now): (Adj, Adj),
        revert: bool,
    ) -> Option<u64> {
        let act = self.act_of(who);
        self.known.insert(who, now);
        if revert {
            // Where the value was there already, only the value now tells which change is reverted.
            let is_it = |change: &&mut AdjChange| {
                let same = change.before == now && (change.now == before || before == now);
                change.who == who && change.state == ChangeState::Standing && same
            };
            let change = self.changes.iter_mut().rev().find(is_it)?;
            change.state = ChangeState::Back(act);
            return Some(change.nth);
        }
        if before == now {
            return None;
        }
        // Among equal changes, the one that was reverted last is made again.
        let back = |(at, change): (usize, &AdjChange)| match change.state {
            ChangeState::Back(act)
                if change.who == who && (change.before, change.now) == (before, now) =>
            {
                Some((act, at))
            }
            _ => None,
        };
        let again = self.changes.iter().enumerate().filter_map(back).max().map(|(_, at)| at);
        let change = match again {
            Some(at) => AdjChange { act, state: ChangeState::Standing, ..self.changes.remove(at) },
            None => {
                self.count += 1;
                let (nth, name) = (self.count, name.to_owned());
                AdjChange { nth, act, who, name, before, now, state: ChangeState::Standing }
            }
        };
        if self.changes.len() == MAX_CHANGES {
            self.changes.remove(0);
        }
        let nth = change.nth;
        self.changes.push(change);
        Some(nth)
    }

    /// Takes a refusal. Returns the number of the change that could not be reverted or made again.
    pub fn learn(&mut self, intent: &Intent, refusal: &Refusal) -> Option<u64> {
        let Intent::SetAdj { who, name, from, to, revert } = intent else { return None };
        match refusal {
            Refusal::Gone | Refusal::PidReused => self.forget(*who),
            Refusal::Changed { found, .. } => {
                self.known.insert(*who, *found);
            }
            // The value was written, or may have been.
            Refusal::NotTaken { found } => return self.wrote(*who, name, (*from, *found), *revert),
            Refusal::NotVerified { .. } => return self.wrote(*who, name, (*from, *to), *revert),
            Refusal::NotPermitted { .. } if to < from => {
                let highest = self.refused.entry(*who).or_insert(*to);
                *highest = (*highest).max(*to);
            }
            _ => {}
        }
        let same = |change: &&AdjChange| change.who == *who && change.way(!revert) == (*from, *to);
        self.changes.iter().rev().find(same).map(|change| change.nth)
    }

    /// The highest value of this process that was refused in this session for lack of rights.
    #[must_use]
    pub fn refused(&self, who: ProcId) -> Option<Adj> {
        self.refused.get(&who).copied()
    }

    /// The value of this process, as the last outcome told.
    #[must_use]
    pub fn known(&self, who: ProcId) -> Option<Adj> {
        self.known.get(&who).copied()
    }

    /// The change with this number.
    #[must_use]
    pub fn change(&self, nth: u64) -> Option<&AdjChange> {
        self.changes.iter().find(|change| change.nth == nth)
    }

    /// Whether its process had the value to begin from, as far as the last outcome told.
    fn is_open(&self, change: &AdjChange, again: bool) -> bool {
        self.known(change.who).is_none_or(|known| known == change.way(again).0)
    }

    /// The changes of the last act that were not reverted yet: one, or those of a bulk act.
    #[must_use]
    pub fn last_made(&self) -> Vec<&AdjChange> {
        let open = |change: &&AdjChange| {
            change.state == ChangeState::Standing && self.is_open(change, false)
        };
        let act = self.changes.iter().rev().find(open).map(|change| change.act);
        self.changes.iter().filter(open).filter(|change| Some(change.act) == act).collect()
    }

    /// The changes that were reverted last and can be made again: one, or those of a bulk act.
    #[must_use]
    pub fn last_put_back(&self) -> Vec<&AdjChange> {
        let back = |change: &AdjChange| match change.state {
            ChangeState::Back(act) if self.is_open(change, true) => Some(act),
            _ => None,
        };
        let act = self.changes.iter().filter_map(back).max();
        self.changes.iter().filter(|change| act.is_some() && back(change) == act).collect()
    }

    /// The signal that this process got, if it was signalled to end and has not exited yet.
    #[must_use]
    pub fn pending_signal(&self, id: ProcId) -> Option<&PendingSignal> {
        self.pending.iter().find(|it| it.who == id)
    }

    /// Whether this process was signalled to end and has not exited yet.
    #[must_use]
    pub fn is_pending(&self, id: ProcId) -> bool {
        self.pending.iter().any(|it| it.who == id)
    }

    /// Marks the changes of all processes that do not live any more.
    pub(crate) fn forget_exited(&mut self, lives: impl Fn(ProcId) -> bool) {
        for change in &mut self.changes {
            if change.state != ChangeState::Gone && !lives(change.who) {
                change.state = ChangeState::Gone;
            }
        }
    }

    /// Marks the changes of a process that exited. They cannot be reverted, and must not hide older
    /// changes.
    pub fn forget(&mut self, who: ProcId) {
        for change in self.changes.iter_mut().filter(|change| change.who == who) {
            change.state = ChangeState::Gone;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ticks;

    fn id(pid: i32, born: u64) -> ProcId {
        ProcId { pid, born: Ticks(born) }
    }

    fn wrote(journal: &mut Journal, pid: i32, from: i16, to: i16, revert: bool) -> Option<u64> {
        journal.wrote(id(pid, 1), "x", (Adj(from), Adj(to)), revert)
    }

    fn made(journal: &Journal) -> Vec<(i32, i16)> {
        journal.last_made().iter().map(|change| (change.who.pid, change.now.0)).collect()
    }

    fn back(journal: &Journal) -> Vec<(i32, i16)> {
        journal.last_put_back().iter().map(|change| (change.who.pid, change.now.0)).collect()
    }

    #[test]
    fn the_changes_of_exited_processes_are_left_out_and_no_others() {
        let mut journal = Journal::default();
        journal.wrote(id(8, 100), "x", (Adj(0), Adj(1)), false);
        journal.wrote(id(8, 200), "x", (Adj(0), Adj(5)), false);
        journal.wrote(id(8, 100), "x", (Adj(1), Adj(9)), false);
        journal.forget(id(8, 100));
        assert_eq!(made(&journal), [(8, 5)]);
        journal.forget(id(8, 200));
        assert_eq!(made(&journal), []);
    }

    #[test]
    fn changes_are_reverted_and_made_again_in_their_order() {
        let mut journal = Journal::default();
        wrote(&mut journal, 7, 0, 5, false);
        wrote(&mut journal, 7, 5, 9, false);
        assert_eq!(made(&journal), [(7, 9)]);
        wrote(&mut journal, 7, 9, 5, true);
        assert_eq!((made(&journal), back(&journal)), (vec![(7, 5)], vec![(7, 9)]));
        wrote(&mut journal, 7, 5, 0, true);
        assert_eq!((made(&journal), back(&journal)), (vec![], vec![(7, 5)]));
        wrote(&mut journal, 7, 0, 5, false);
        assert_eq!((made(&journal), back(&journal)), (vec![(7, 5)], vec![(7, 9)]));
        // The reverted change does not begin from another value.
        wrote(&mut journal, 7, 5, 100, false);
        assert_eq!((made(&journal), back(&journal)), (vec![(7, 100)], vec![]));
        assert_eq!(journal.changes.len(), 3);
    }

    #[test]
    fn the_changes_of_a_bulk_act_are_reverted_together() {
        let mut journal = Journal::default();
        wrote(&mut journal, 1, 0, 3, false);
        journal.begin(BulkResult::new("two".to_owned(), [id(2, 1), id(3, 1)].into()));
        for pid in [2, 3] {
            wrote(&mut journal, pid, 0, 5, false);
            journal.bulk.as_mut().unwrap().take(id(pid, 1), false, NoticeLevel::Good, "");
        }
        assert_eq!(made(&journal), [(2, 5), (3, 5)]);
        journal.begin(BulkResult::new("back".to_owned(), [id(2, 1), id(3, 1)].into()));
        for pid in [2, 3] {
            wrote(&mut journal, pid, 5, 0, true);
            journal.bulk.as_mut().unwrap().take(id(pid, 1), false, NoticeLevel::Good, "");
        }
        assert_eq!((made(&journal), back(&journal)), (vec![(1, 3)], vec![(2, 5), (3, 5)]));
    }

    #[test]
    fn a_change_whose_value_was_changed_meanwhile_hides_no_other() {
        let mut journal = Journal::default();
        wrote(&mut journal, 1, 0, 3, false);
        wrote(&mut journal, 2, 0, 5, false);
        let intent = Intent::SetAdj {
            who: id(2, 1),
            name: String::new(),
            from: Adj(5),
            to: Adj(0),
            revert: true,
        };
        let found = journal.learn(&intent, &Refusal::Changed { from: Adj(5), found: Adj(77) });
        assert_eq!(found, journal.changes.last().map(|change| change.nth));
        assert_eq!(made(&journal), [(1, 3)]);
    }

    #[test]
    fn a_value_that_may_have_been_written_can_be_reverted() {
        for (refusal, now) in [
            (Refusal::NotTaken { found: Adj(4) }, 4),
            (Refusal::NotVerified { error: "EIO".to_owned() }, 5),
        ] {
            let mut journal = Journal::default();
            let (who, name) = (id(1, 1), "x".to_owned());
            let intent = Intent::SetAdj { who, name, from: Adj(0), to: Adj(5), revert: false };
            assert!(journal.learn(&intent, &refusal).is_some());
            assert_eq!(made(&journal), [(1, now)]);
        }
    }

    #[test]
    fn a_refusal_tells_a_bound_of_the_floor() {
        let mut journal = Journal::default();
        for to in [-500, -10, -200] {
            let (who, name, from) = (id(1, 1), String::new(), Adj(0));
            let intent = Intent::SetAdj { who, name, from, to: Adj(to), revert: false };
            journal.learn(&intent, &Refusal::NotPermitted { hint: "" });
        }
        assert_eq!(journal.refused(id(1, 1)), Some(Adj(-10)));
        assert_eq!(journal.refused(id(2, 1)), None);
    }
}
