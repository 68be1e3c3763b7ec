//! Which processes need not be read in every walk: those that did nothing lately, as long as none of them can
//! have become the one that dies.
//!
//! What a process gains is allocated or mapped by a page fault, and the kernel counts both for the whole
//! machine. While everybody together gained less than a process lacks to be one of the first two, it is none of
//! them, whatever it did. While they gained more, a process is skipped as long as it has not run: what others do to
//! its memory is seen in its turn. Nobody is skipped where a death is near. Its `oom_score_adj` leaves no trace
//! anywhere and is read in every walk. A pid that may belong to another process by now is read, too: the kernel
//! tells the last pid that it gave away.

use super::walk_request::WalkRequest;

/// An idle process is read in every walk with a number that is a multiple of this, shifted by its pid. It
/// divides [`super::walk::ROTATION`].
const TURN: u32 = 4;

/// Number of readings without a change after which a process is idle.
const CALM: u8 = 2;

/// What is remembered of a process.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct IdleState {
    /// Number of readings in a row in which nothing had changed.
    calm: u8,
    /// Pages that processes had gained when it was last read.
    gained: u64,
    /// Its CPU time before it was last read, in nanoseconds; `None` where that does not matter or is not known.
    ran: Option<i128>,
}

impl IdleState {
    /// Its `stat` was read, when its CPU time had been `ran`.
    pub(super) fn read(&mut self, changed: bool, ran: Option<i128>, rules: IdleRules) {
        self.calm = if changed { 0 } else { self.calm.saturating_add(1) };
        self.gained = rules.gained;
        self.ran = ran;
    }
}

/// The pids that were given away between two walks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct NewPids {
    after: i32,
    until: i32,
}

impl NewPids {
    /// Between two pids that were the last ones given away.
    pub(super) fn between(before: Option<i32>, now: Option<i32>) -> Option<Self> {
        Some(Self { after: before?, until: now? })
    }

    /// Whether this pid may be among them. They are given away in ascending order, and from the lowest one
    /// again after the highest.
    fn may_contain(self, pid: i32) -> bool {
        if self.until >= self.after {
            pid > self.after && pid <= self.until
        } else {
            pid > self.after || pid <= self.until
        }
    }
}

/// What decides in one walk.
#[derive(Clone, Copy, Debug)]
pub(super) struct IdleRules {
    /// [`crate::model::Needs::lead`] in pages; `None`: no process may be skipped.
    lead: Option<u64>,
    /// Pages that processes have gained since boot.
    gained: u64,
    new_pids: NewPids,
}

impl IdleRules {
    /// The rules of a walk. Without knowing which pids are new, no process may be skipped.
    pub(super) fn of(request: &WalkRequest, new_pids: Option<NewPids>) -> Self {
        let nobody = NewPids { after: 0, until: 0 };
        match (request.lead, new_pids) {
            (Some((lead, gained)), Some(new_pids)) => Self { lead: Some(lead), gained, new_pids },
            (lead, _) => {
                Self { lead: None, gained: lead.map_or(0, |(_, gained)| gained), new_pids: nobody }
            }
        }
    }

    /// Whether the CPU times of processes may matter.
    pub(super) const fn follows_activity(self) -> bool {
        self.lead.is_some()
    }

    /// Whether this walk may skip reading a process, whose CPU time is `ran` now.
    pub(super) fn may_skip(
        self,
        pid: i32,
        walk: u32,
        state: IdleState,
        ran: impl FnOnce() -> Option<i128>,
    ) -> bool {
        let turn = pid.unsigned_abs() % TURN == walk % TURN;
        let Some(lead) = self.lead else { return false };
        state.calm >= CALM
            && !turn
            && !self.new_pids.may_contain(pid)
            && (self.gained.saturating_sub(state.gained) < lead
                || state.ran.is_some() && state.ran == ran())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rules(lead: u64, gained: u64, pids: (i32, i32)) -> IdleRules {
        let request = WalkRequest { lead: Some((lead, gained)), ..WalkRequest::default() };
        IdleRules::of(&request, NewPids::between(Some(pids.0), Some(pids.1)))
    }

    fn calm(at: u64) -> IdleState {
        let mut state = IdleState::default();
        (0..3).for_each(|_| state.read(false, Some(5), rules(1, at, (1, 1))));
        state
    }

    #[test]
    fn who_did_nothing_may_be_skipped_except_in_its_turn() {
        let may_skip = |walk| rules(100, 50, (900, 900)).may_skip(7, walk, calm(0), || Some(6));
        assert_eq!([0, 1, 2, 3, 4].map(may_skip), [true, true, true, false, true]);
        let mut busy = calm(0);
        busy.read(true, Some(5), rules(100, 50, (900, 900)));
        assert!(!rules(100, 50, (900, 900)).may_skip(7, 0, busy, || Some(5)));
    }

    #[test]
    fn nobody_is_skipped_who_can_have_become_the_first() {
        let ran = || Some(6);
        assert!(rules(100, 199, (900, 900)).may_skip(7, 0, calm(100), ran));
        assert!(!rules(100, 200, (900, 900)).may_skip(7, 0, calm(100), ran));
        assert!(!rules(0, 100, (900, 900)).may_skip(7, 0, calm(100), ran), "no lead");
        let unknown = WalkRequest { lead: Some((100, 100)), ..WalkRequest::default() };
        assert!(
            !IdleRules::of(&unknown, None).may_skip(7, 0, calm(100), || Some(5)),
            "pids are not known"
        );
    }

    #[test]
    fn who_has_not_run_is_skipped_whatever_others_gained() {
        let much = rules(100, 200, (900, 900));
        assert!(much.may_skip(7, 0, calm(100), || Some(5)));
        assert!(!much.may_skip(7, 0, calm(100), || None), "it is gone");
        let unknown = IdleState { ran: None, ..calm(100) };
        assert!(!much.may_skip(7, 0, unknown, || None), "its CPU time is not known");
        let near = IdleRules { lead: None, ..much };
        assert!(!near.may_skip(7, 0, calm(100), || Some(5)), "a death is near");
        assert!(!near.follows_activity());
    }

    #[test]
    fn a_pid_that_may_be_of_another_process_is_not_skipped() {
        for (pids, pid, may_skip) in [
            ((6, 9), 6, true),
            ((6, 9), 7, false),
            ((6, 9), 9, false),
            ((6, 9), 10, true),
            ((900, 9), 7, false),
            ((900, 9), 901, false),
            ((900, 9), 10, true),
        ] {
            let walk = (pid as u32 + 1) % TURN;
            assert_eq!(
                rules(100, 0, pids).may_skip(pid, walk, calm(0), || Some(6)),
                may_skip,
                "{pids:?} {pid}"
            );
        }
    }
}
