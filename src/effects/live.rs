//! Effects on the live machine.

use std::time::{Duration, Instant};

use crate::effects::cgroup_kill::CgroupKill;
use crate::effects::pending_exit::{PendingExit, available_memory, own_memory};
use crate::effects::reap;
use crate::effects::reap::Reaper;
use crate::effects::signal::SignalTarget;
use crate::effects::{Effects, FRESH_FOR, FRESH_PACE, STALE_PACE, adj, expedite, sysctl};
use crate::intent::{
    ConfirmedBy, Expedite, ExpediteStep, FreeMemory, Intent, Outcome, Refusal, StepResult,
};
use crate::model::{ProcId, Signal};
use crate::sample::proc_root::LiveRoot;
use crate::units::Kib;

/// Changes the live machine. It can only be built from a root that is proven live.
pub struct LiveEffects {
    root: LiveRoot,
    /// Zero of the clock of the pending exits.
    start: Instant,
    /// Watched processes, at most once each: a second signal replaces the first.
    pending: Vec<PendingExit>,
    /// Frees the memory of killed processes; `None` if its thread could not be started.
    reaper: Option<Reaper>,
    /// Always true but in tests of the path for kernels without pidfds.
    with_pidfd: bool,
}

impl LiveEffects {
    /// Effects on the machine of this root. Starts the thread that frees memory.
    #[must_use]
    pub fn new(root: LiveRoot) -> Self {
        let (start, reaper) = (Instant::now(), Reaper::start());
        Self { root, start, pending: Vec::new(), reaper, with_pidfd: true }
    }

    fn signal(
        &mut self,
        who: ProcId,
        name: &str,
        signal: Signal,
        consent: ConfirmedBy,
        steps: &[Expedite],
    ) -> Result<Outcome, Refusal> {
        let target = SignalTarget::take(&self.root, who, consent, self.with_pidfd)?;
        // A second fatal signal changes nothing, unless the cgroup is thawed with it.
        let thaws = steps.iter().any(|step| matches!(step, Expedite::Thaw { .. }));
        if let Some(why) = self.already_killed(&target, signal).filter(|_| !thaws) {
            return Err(Refusal::AlreadyKilled { why });
        }
        // Before the signal: read later, the available memory may already include that of the process.
        let before = (available_memory(&self.root), own_memory(&target.dir));
        let mut results = Vec::new();
        let mut former = None;
        if steps.contains(&Expedite::Priority) {
            // Only if the user may signal the process at all.
            target.send(Signal(0))?;
            let (result, nice) = expedite::raise(&target.dir);
            former = Some(nice);
            results.push(ExpediteStep { step: Expedite::Priority, result });
        }
        let since = self.start.elapsed();
        let pinned = match target.send(signal) {
            Ok(pinned) => pinned,
            Err(refusal) => {
                former.into_iter().for_each(|former| expedite::restore(&target.dir, former));
                return Err(refusal);
            }
        };
        for step in steps {
            let result = match step {
                Expedite::Priority => continue,
                Expedite::Thaw { cgroup } => expedite::thaw(&target.dir, cgroup),
                Expedite::Reap => match self.reap(&target, name) {
                    Ok(()) => continue,
                    Err(result) => result,
                },
            };
            results.push(ExpediteStep { step: step.clone(), result });
        }
        // Signal 0 only checks whether a signal is permitted.
        if signal.ends() && signal.0 != 0 {
            self.watch(target, name.to_owned(), signal, since, before);
        }
        Ok(Outcome::Signalled { who, name: name.to_owned(), signal, pinned, steps: results })
    }

    /// Why a fatal signal is useless: the process was killed before.
    fn already_killed(&self, target: &SignalTarget, signal: Signal) -> Option<String> {
        if !signal.ends() || signal.0 == 0 {
            return None;
        }
        let killed = |it: &PendingExit| it.who == target.who() && it.signal == Signal::KILL;
        if let Some(exit) = self.pending.iter().find(|it| killed(it)) {
            let ago = self.start.elapsed().saturating_sub(exit.since).as_secs();
            return Some(format!("SIGKILL was sent {ago} s ago, doomtop waits for the exit"));
        }
        target.dying.then(|| "it is exiting already".to_owned())
    }

    /// Orders its memory to be freed. The result comes with [`Effects::settle`]; an error here says why it
    /// cannot be ordered.
    fn reap(&mut self, target: &SignalTarget, name: &str) -> Result<(), StepResult> {
        let Some(pidfd) = &target.pidfd else {
            return Err(StepResult::Unavailable("needs pidfds (Linux 5.3)".to_owned()));
        };
        let pidfd =
            pidfd.try_clone().map_err(|error| StepResult::Unavailable(error.to_string()))?;
        let reaper = self.reaper.as_mut().ok_or_else(reap::no_thread)?;
        reaper.reap(target.who(), name.to_owned(), pidfd)
    }

    /// Watches the process until it has exited.
    fn watch(
        &mut self,
        target: SignalTarget,
        name: String,
        signal: Signal,
        since: Duration,
        (before, held): (FreeMemory, Kib),
    ) {
        let who = target.who();
        self.pending.retain(|exit| exit.who != who);
        let SignalTarget { pidfd, dir, .. } = target;
        let notes = 0;
        self.pending.push(PendingExit {
            who,
            name,
            signal,
            since,
            before,
            held,
            pidfd,
            dir,
            notes,
        });
    }

    fn kill_cgroup(
        &mut self,
        path: &str,
        members: &[(ProcId, String)],
    ) -> Result<Outcome, Refusal> {
        let group = CgroupKill::take(&self.root, path, members, self.with_pidfd)?;
        let before = available_memory(&self.root);
        let held: Vec<Kib> =
            group.targets.iter().map(|(target, _)| own_memory(&target.dir)).collect();
        let since = self.start.elapsed();
        group.kill()?;
        let mut killed = Vec::new();
        for ((target, name), held) in group.targets.into_iter().zip(held) {
            killed.push((target.who(), name.clone()));
            // An error is not reported: the process is killed, and the kernel frees its memory anyway.
            let _ = self.reap(&target, &name);
            self.watch(target, name, Signal::KILL, since, (before, held));
        }
        Ok(Outcome::CgroupKilled { path: path.to_owned(), members: killed })
    }

    fn settle_at(&mut self, now: Duration) -> Vec<Outcome> {
        let mut outcomes = Vec::new();
        let root = &self.root;
        self.pending.retain_mut(|exit| {
            let (outcome, over) = exit.settle(root, now);
            outcomes.extend(outcome);
            !over
        });
        outcomes
    }

    fn pace_at(&self, now: Duration) -> Option<Duration> {
        if self.reaper.as_ref().is_some_and(Reaper::is_busy) {
            return Some(FRESH_PACE);
        }
        let newest = self.pending.iter().map(|exit| exit.since).max()?;
        let fresh = now.saturating_sub(newest) < FRESH_FOR;
        Some(if fresh { FRESH_PACE } else { STALE_PACE })
    }
}

impl Effects for LiveEffects {
    fn perform(&mut self, intent: Intent) -> Outcome {
        let done = match &intent {
            Intent::SetAdj { who, name, from, to, revert } => {
                adj::set(&self.root, *who, *from, *to).map(|(before, now)| Outcome::AdjSet {
                    who: *who,
                    name: name.clone(),
                    before,
                    now,
                    revert: *revert,
                })
            }
            Intent::Signal { who, name, signal, consent, steps } => {
                self.signal(*who, name, *signal, *consent, steps)
            }
            Intent::SetAdjByRule { who, name, from, to, rule, digest } => {
                adj::set(&self.root, *who, *from, *to).map(|(before, now)| Outcome::AdjSetByRule {
                    who: *who,
                    name: name.clone(),
                    before,
                    now,
                    rule: rule.clone(),
                    digest: *digest,
                })
            }
            Intent::SetSysctl { sysctl, from, to } => sysctl::set(&self.root, *sysctl, *from, *to),
            Intent::KillCgroup { path, members } => self.kill_cgroup(path, members),
        };
        done.unwrap_or_else(|refusal| Outcome::Refused { intent, refusal })
    }

    fn settle(&mut self) -> Vec<Outcome> {
        let mut outcomes: Vec<Outcome> = self.reaper.iter_mut().flat_map(Reaper::results).collect();
        if !self.pending.is_empty() {
            outcomes.extend(self.settle_at(self.start.elapsed()));
        }
        outcomes
    }

    fn has_pending(&self) -> bool {
        !self.pending.is_empty() || self.reaper.as_ref().is_some_and(Reaper::is_busy)
    }

    fn pace(&self) -> Option<Duration> {
        self.pace_at(self.start.elapsed())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::process::{Child, Command};

    use super::*;
    use crate::effects::proc_dir::ProcDir;
    use crate::sample::proc_root::ProcRoot;

    /// A child process that is killed and reaped in any case.
    struct OwnChild(Child);

    impl Drop for OwnChild {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn live_effects(with_pidfd: bool) -> LiveEffects {
        let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
        LiveEffects {
            with_pidfd,
            ..LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"))
        }
    }

    fn sleeper(effects: &LiveEffects) -> (OwnChild, ProcId) {
        let child = OwnChild(Command::new("sleep").arg("1000").spawn().expect("sleep runs"));
        let pid = i32::try_from(child.0.id()).expect("a pid");
        let dir = ProcDir::open(&effects.root, pid).expect("its directory");
        let born = dir.stat().expect("its stat").born;
        (child, ProcId { pid, born })
    }

    fn signal_intent(who: ProcId, signal: Signal) -> Intent {
        let (name, consent) = ("sleep".to_owned(), ConfirmedBy::Plain);
        Intent::Signal { who, name, signal, consent, steps: Vec::new() }
    }

    /// Waits until the process is stopped: a SIGTERM that arrives before SIGSTOP takes effect would end it.
    fn until_stopped(who: ProcId) {
        use rustix::process::{WaitOptions, waitpid};
        waitpid(crate::syscall::process_pid(who.pid), WaitOptions::UNTRACED)
            .expect("the child stops");
    }

    #[test]
    fn without_a_pidfd_it_signals_and_reports_that() {
        let mut effects = live_effects(false);
        let (mut child, who) = sleeper(&effects);

        let other = ProcId { born: crate::units::Ticks(who.born.0 + 1), ..who };
        let outcome = effects.perform(signal_intent(other, Signal::KILL));
        assert!(matches!(outcome, Outcome::Refused { refusal: Refusal::PidReused, .. }));
        assert!(child.0.try_wait().expect("a child").is_none(), "untouched");

        let outcome = effects.perform(signal_intent(who, Signal::KILL));
        assert!(matches!(outcome, Outcome::Signalled { pinned: false, .. }), "{outcome:?}");
        assert!(effects.has_pending());
        child.0.wait().expect("the child exits");
        let outcomes = effects.settle();
        assert!(matches!(outcomes[..], [Outcome::Exited { .. }]), "{outcomes:?}");
        assert!(!effects.has_pending());
    }

    #[test]
    fn a_process_that_stays_is_reported_twice_and_watched_on() {
        for with_pidfd in [true, false] {
            let mut effects = live_effects(with_pidfd);
            let (mut child, who) = sleeper(&effects);
            // A stopped process handles SIGTERM only when it continues, so it stays.
            let outcome = effects.perform(signal_intent(who, Signal::STOP));
            assert!(matches!(outcome, Outcome::Signalled { .. }));
            assert!(!effects.has_pending(), "a stop ends nothing");
            until_stopped(who);
            effects.perform(signal_intent(who, Signal::TERM));
            let sent = effects.pending[0].since;
            let at = |seconds| sent + Duration::from_secs(seconds);

            assert_eq!(effects.settle_at(at(4)), []);
            for seconds in [5, 31] {
                let outcomes = effects.settle_at(at(seconds));
                let [Outcome::StillThere { after, signal, why, .. }] = &outcomes[..] else {
                    panic!("after {seconds} s: {outcomes:?}");
                };
                assert_eq!((after.0, *signal), (seconds * 1000, Signal::TERM));
                assert!(why.contains("SIGCONT"), "{why}");
                assert_eq!(effects.settle_at(at(seconds + 1)), []);
            }
            assert_eq!(effects.settle_at(at(9999)), []);
            assert!(effects.has_pending(), "still watched");

            // The second signal replaces the first: one exit is reported, not two.
            effects.perform(signal_intent(who, Signal::KILL));
            child.0.wait().expect("the child exits");
            let outcomes = effects.settle();
            assert!(matches!(outcomes[..], [Outcome::Exited { .. }]), "{outcomes:?}");
            assert!(!effects.has_pending());
        }
    }

    #[test]
    fn an_old_signal_is_polled_less_often() {
        let mut effects = live_effects(true);
        assert_eq!(effects.pace(), None);
        let (mut child, who) = sleeper(&effects);
        effects.perform(signal_intent(who, Signal::STOP));
        assert_eq!(effects.pace(), None, "a stop ends nothing");
        until_stopped(who);
        effects.perform(signal_intent(who, Signal::TERM));
        let first = effects.pending[0].since;
        let at = |millis| first + Duration::from_millis(millis);
        assert_eq!(effects.pace_at(at(0)), Some(FRESH_PACE));
        assert_eq!(effects.pace_at(at(4999)), Some(FRESH_PACE));
        assert_eq!(effects.pace_at(at(5000)), Some(STALE_PACE));

        // A recent signal sets the interval of both; after its exit the old one is polled slowly again.
        let (mut other, second) = sleeper(&effects);
        effects.perform(signal_intent(second, Signal::KILL));
        effects.pending[1].since = at(4000);
        assert_eq!(effects.pace_at(at(8999)), Some(FRESH_PACE));
        other.0.wait().expect("the child exits");
        assert!(matches!(effects.settle()[..], [Outcome::Exited { .. }]));
        assert_eq!(effects.pace_at(at(8999)), Some(STALE_PACE));

        effects.perform(signal_intent(who, Signal::KILL));
        child.0.wait().expect("the child exits");
        effects.settle();
        assert_eq!(effects.pace(), None);
    }

    #[test]
    fn two_notes_that_are_due_together_are_one() {
        let mut effects = live_effects(true);
        let (_child, who) = sleeper(&effects);
        effects.perform(signal_intent(who, Signal::STOP));
        until_stopped(who);
        effects.perform(signal_intent(who, Signal::TERM));
        let late = effects.pending[0].since + Duration::from_secs(60);
        assert_eq!(effects.settle_at(late).len(), 1);
        assert_eq!(effects.settle_at(late).len(), 0);
    }

    #[test]
    fn a_signal_without_a_name_is_not_sent() {
        let mut effects = live_effects(true);
        let (mut child, who) = sleeper(&effects);
        for number in [-1, 64, 4096] {
            let outcome = effects.perform(signal_intent(who, Signal(number)));
            assert!(matches!(outcome, Outcome::Refused { refusal: Refusal::Failed { .. }, .. }));
        }
        let outcome = effects.perform(signal_intent(who, Signal(0)));
        assert!(matches!(outcome, Outcome::Signalled { .. }), "{outcome:?}");
        assert!(!effects.has_pending());
        assert!(child.0.try_wait().expect("a child").is_none());
    }
}
