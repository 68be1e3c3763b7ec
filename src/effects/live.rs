//! The hands that act on the live machine, through the kernel.

use std::time::{Duration, Instant};

use crate::effects::cgroup_kill::CgroupKill;
use crate::effects::pending_exit::{PendingExit, held, spare};
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

/// Acts on real processes. There is no way to make one but from a root proven live.
pub struct LiveEffects {
    root: LiveRoot,
    /// The zero of the pursuits' clock.
    start: Instant,
    /// At most one for each process: a second signal takes over the first one's.
    pending: Vec<PendingExit>,
    /// Takes the memory of the killed back; nothing where no thread could be had.
    releaser: Option<Reaper>,
    /// Only a test of the way for old kernels says no.
    with_pidfd: bool,
}

impl LiveEffects {
    /// Hands for this machine.
    #[must_use]
    pub fn new(root: LiveRoot) -> Self {
        let (start, releaser) = (Instant::now(), Reaper::start());
        Self { root, start, pending: Vec::new(), releaser, with_pidfd: true }
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
        // A second deadly signal changes nothing, unless what held back the first one goes with it.
        let thaws = steps.iter().any(|step| matches!(step, Expedite::Thaw { .. }));
        if let Some(why) = self.underway(&target, signal).filter(|_| !thaws) {
            return Err(Refusal::Underway { why });
        }
        // Before the act: what is read afterwards may have the process's memory in it already.
        let before = (spare(&self.root), held(&target.folder));
        let mut haste = Vec::new();
        let mut former = None;
        if steps.contains(&Expedite::Priority) {
            // Only of one who may be signalled at all.
            target.send(Signal(0))?;
            let (came, had) = expedite::raise(&target.folder);
            former = Some(had);
            haste.push(ExpediteStep { step: Expedite::Priority, result: came });
        }
        let since = self.start.elapsed();
        let pinned = match target.send(signal) {
            Ok(pinned) => pinned,
            Err(refusal) => {
                former.into_iter().for_each(|former| expedite::lower(&target.folder, former));
                return Err(refusal);
            }
        };
        for step in steps {
            let came = match step {
                Expedite::Priority => continue,
                Expedite::Thaw { cgroup } => expedite::thaw(&target.folder, cgroup),
                Expedite::Reap => match self.release(&target, name) {
                    Ok(()) => continue,
                    Err(came) => came,
                },
            };
            haste.push(ExpediteStep { step: step.clone(), result: came });
        }
        // Signal 0 only asks whether a signal would be allowed.
        if signal.ends() && signal.0 != 0 {
            self.pursue(target, name.to_owned(), signal, since, before);
        }
        Ok(Outcome::Signalled { who, name: name.to_owned(), signal, pinned, haste })
    }

    /// Why a deadly signal would be the second one.
    fn underway(&self, target: &SignalTarget, signal: Signal) -> Option<String> {
        if !signal.ends() || signal.0 == 0 {
            return None;
        }
        let killed = |it: &PendingExit| it.who == target.who() && it.signal == Signal::KILL;
        if let Some(pursuit) = self.pending.iter().find(|it| killed(it)) {
            let ago = self.start.elapsed().saturating_sub(pursuit.since).as_secs();
            return Some(format!("SIGKILL was sent {ago} s ago, and it is being watched"));
        }
        target.dying.then(|| "it was killed, or is ending, already".to_owned())
    }

    /// Has its memory taken back; why not, where that cannot be had.
    fn release(&mut self, target: &SignalTarget, name: &str) -> Result<(), StepResult> {
        let Some(pidfd) = &target.pidfd else {
            return Err(StepResult::Unavailable("needs pidfds, Linux 5.3".to_owned()));
        };
        let pidfd =
            pidfd.try_clone().map_err(|error| StepResult::Unavailable(error.to_string()))?;
        let releaser = self.releaser.as_mut().ok_or_else(reap::gone)?;
        releaser.reap(target.who(), name.to_owned(), pidfd)
    }

    /// Watches it from now on.
    fn pursue(
        &mut self,
        target: SignalTarget,
        name: String,
        signal: Signal,
        since: Duration,
        (before, held): (FreeMemory, Kib),
    ) {
        let who = target.who();
        self.pending.retain(|pursuit| pursuit.who != who);
        let SignalTarget { pidfd, folder, .. } = target;
        let told = 0;
        self.pending.push(PendingExit {
            who,
            name,
            signal,
            since,
            before,
            held,
            pidfd,
            folder,
            told,
        });
    }

    fn kill_cgroup(
        &mut self,
        path: &str,
        members: &[(ProcId, String)],
    ) -> Result<Outcome, Refusal> {
        let doomed = CgroupKill::take(&self.root, path, members, self.with_pidfd)?;
        let before = spare(&self.root);
        let held: Vec<Kib> =
            doomed.targets.iter().map(|(target, _)| held(&target.folder)).collect();
        let since = self.start.elapsed();
        doomed.kill()?;
        let mut hit = Vec::new();
        for ((target, name), held) in doomed.targets.into_iter().zip(held) {
            hit.push((target.who(), name.clone()));
            // A failure is told nowhere: the kill has happened, and the memory comes back by itself.
            let _ = self.release(&target, &name);
            self.pursue(target, name, Signal::KILL, since, (before, held));
        }
        Ok(Outcome::CgroupKilled { path: path.to_owned(), members: hit })
    }

    fn settle_at(&mut self, now: Duration) -> Vec<Outcome> {
        let mut said = Vec::new();
        let root = &self.root;
        self.pending.retain_mut(|pursuit| {
            let (outcome, over) = pursuit.settle(root, now);
            said.extend(outcome);
            !over
        });
        said
    }

    fn pace_at(&self, now: Duration) -> Option<Duration> {
        if self.releaser.as_ref().is_some_and(Reaper::is_busy) {
            return Some(FRESH_PACE);
        }
        let newest = self.pending.iter().map(|pursuit| pursuit.since).max()?;
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
            Intent::Signal { who, name, signal, consent, haste } => {
                self.signal(*who, name, *signal, *consent, haste)
            }
            Intent::KeepAdj { who, name, from, to, rule, digest } => {
                adj::set(&self.root, *who, *from, *to).map(|(before, now)| Outcome::AdjKept {
                    who: *who,
                    name: name.clone(),
                    before,
                    now,
                    rule: rule.clone(),
                    digest: *digest,
                })
            }
            Intent::SetKnob { knob, from, to } => sysctl::set(&self.root, *knob, *from, *to),
            Intent::KillCgroup { path, members } => self.kill_cgroup(path, members),
        };
        done.unwrap_or_else(|refusal| Outcome::Refused { intent, refusal })
    }

    fn settle(&mut self) -> Vec<Outcome> {
        let mut said: Vec<Outcome> = self.releaser.iter_mut().flat_map(Reaper::answers).collect();
        if !self.pending.is_empty() {
            said.extend(self.settle_at(self.start.elapsed()));
        }
        said
    }

    fn pursuing(&self) -> bool {
        !self.pending.is_empty() || self.releaser.as_ref().is_some_and(Reaper::is_busy)
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

    /// An own child; killed and reaped whatever happens.
    struct Own(Child);

    impl Drop for Own {
        fn drop(&mut self) {
            let _ = self.0.kill();
            let _ = self.0.wait();
        }
    }

    fn hands(with_pidfd: bool) -> LiveEffects {
        let root = ProcRoot::open(Path::new("/proc")).expect("/proc");
        LiveEffects {
            with_pidfd,
            ..LiveEffects::new(LiveRoot::prove(root).expect("the live /proc"))
        }
    }

    fn sleeper(hands: &LiveEffects) -> (Own, ProcId) {
        let child = Own(Command::new("sleep").arg("1000").spawn().expect("sleep runs"));
        let pid = i32::try_from(child.0.id()).expect("a pid");
        let folder = ProcDir::open(&hands.root, pid).expect("its directory");
        let born = folder.stat().expect("its stat").born;
        (child, ProcId { pid, born })
    }

    fn wish(who: ProcId, signal: Signal) -> Intent {
        let (name, consent) = ("sleep".to_owned(), ConfirmedBy::Plain);
        Intent::Signal { who, name, signal, consent, haste: Vec::new() }
    }

    /// A stop is a signal like others: a SIGTERM that came before it took hold would be served first.
    fn until_stopped(who: ProcId) {
        use rustix::process::{Pid, WaitOptions, waitpid};
        waitpid(Pid::from_raw(who.pid), WaitOptions::UNTRACED).expect("an own child stops");
    }

    #[test]
    fn without_a_pidfd_it_still_works_but_says_so() {
        let mut hands = hands(false);
        let (mut child, who) = sleeper(&hands);

        let other = ProcId { born: crate::units::Ticks(who.born.0 + 1), ..who };
        let outcome = hands.perform(wish(other, Signal::KILL));
        assert!(matches!(outcome, Outcome::Refused { refusal: Refusal::Reborn, .. }));
        assert!(child.0.try_wait().expect("own child").is_none(), "untouched");

        let outcome = hands.perform(wish(who, Signal::KILL));
        assert!(matches!(outcome, Outcome::Signalled { pinned: false, .. }), "{outcome:?}");
        assert!(hands.pursuing());
        child.0.wait().expect("own child ends");
        let said = hands.settle();
        assert!(matches!(said[..], [Outcome::Exited { .. }]), "{said:?}");
        assert!(!hands.pursuing());
    }

    #[test]
    fn one_that_stays_is_spoken_of_twice_and_then_watched_in_silence() {
        for with_pidfd in [true, false] {
            let mut hands = hands(with_pidfd);
            let (mut child, who) = sleeper(&hands);
            // A stopped process keeps a SIGTERM for later: it stays for certain.
            let outcome = hands.perform(wish(who, Signal::STOP));
            assert!(matches!(outcome, Outcome::Signalled { .. }));
            assert!(!hands.pursuing(), "a stop ends nothing");
            until_stopped(who);
            hands.perform(wish(who, Signal::TERM));
            let sent = hands.pending[0].since;
            let at = |seconds| sent + Duration::from_secs(seconds);

            assert_eq!(hands.settle_at(at(4)), []);
            for seconds in [5, 31] {
                let said = hands.settle_at(at(seconds));
                let [Outcome::StillThere { after, signal, why, .. }] = &said[..] else {
                    panic!("after {seconds} s: {said:?}");
                };
                assert_eq!((after.0, *signal), (seconds * 1000, Signal::TERM));
                assert!(why.contains("SIGCONT"), "{why}");
                assert_eq!(hands.settle_at(at(seconds + 1)), []);
            }
            assert_eq!(hands.settle_at(at(9999)), []);
            assert!(hands.pursuing(), "watched on");

            // The second signal takes over; there is one end, not two.
            hands.perform(wish(who, Signal::KILL));
            child.0.wait().expect("own child ends");
            let said = hands.settle();
            assert!(matches!(said[..], [Outcome::Exited { .. }]), "{said:?}");
            assert!(!hands.pursuing());
        }
    }

    #[test]
    fn a_pursuit_in_vain_is_asked_for_less_often() {
        let mut hands = hands(true);
        assert_eq!(hands.pace(), None);
        let (mut child, who) = sleeper(&hands);
        hands.perform(wish(who, Signal::STOP));
        assert_eq!(hands.pace(), None, "a stop ends nothing");
        until_stopped(who);
        hands.perform(wish(who, Signal::TERM));
        let first = hands.pending[0].since;
        let at = |millis| first + Duration::from_millis(millis);
        assert_eq!(hands.pace_at(at(0)), Some(FRESH_PACE));
        assert_eq!(hands.pace_at(at(4999)), Some(FRESH_PACE));
        assert_eq!(hands.pace_at(at(5000)), Some(STALE_PACE));

        // A newer one sets the pace for both; with its end the older one is slow again.
        let (mut other, whom) = sleeper(&hands);
        hands.perform(wish(whom, Signal::KILL));
        hands.pending[1].since = at(4000);
        assert_eq!(hands.pace_at(at(8999)), Some(FRESH_PACE));
        other.0.wait().expect("own child ends");
        assert!(matches!(hands.settle()[..], [Outcome::Exited { .. }]));
        assert_eq!(hands.pace_at(at(8999)), Some(STALE_PACE));

        hands.perform(wish(who, Signal::KILL));
        child.0.wait().expect("own child ends");
        hands.settle();
        assert_eq!(hands.pace(), None);
    }

    #[test]
    fn a_long_silence_is_one_note_not_two() {
        let mut hands = hands(true);
        let (_child, who) = sleeper(&hands);
        hands.perform(wish(who, Signal::STOP));
        until_stopped(who);
        hands.perform(wish(who, Signal::TERM));
        let late = hands.pending[0].since + Duration::from_secs(60);
        assert_eq!(hands.settle_at(late).len(), 1);
        assert_eq!(hands.settle_at(late).len(), 0);
    }

    #[test]
    fn a_signal_without_a_name_is_not_sent() {
        let mut hands = hands(true);
        let (mut child, who) = sleeper(&hands);
        for number in [-1, 64, 4096] {
            let outcome = hands.perform(wish(who, Signal(number)));
            assert!(matches!(outcome, Outcome::Refused { refusal: Refusal::Failed { .. }, .. }));
        }
        let outcome = hands.perform(wish(who, Signal(0)));
        assert!(matches!(outcome, Outcome::Signalled { .. }), "{outcome:?}");
        assert!(!hands.pursuing());
        assert!(child.0.try_wait().expect("own child").is_none());
    }
}
