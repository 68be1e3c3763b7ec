//! Effects for `--dry-run`: they open, pin and compare like the live ones, and change nothing.

use crate::effects::cgroup_kill::CgroupKill;
use crate::effects::signal::SignalTarget;
use crate::effects::sysctl;
use crate::effects::{Effects, adj};
use crate::intent::{Intent, Outcome, Refusal};
use crate::model::Signal;
use crate::sample::proc_root::LiveRoot;

/// Makes every check and changes nothing.
pub struct DryRun {
    root: LiveRoot,
}

impl DryRun {
    /// Dry-run effects for the live machine.
    #[must_use]
    pub const fn new(root: LiveRoot) -> Self {
        Self { root }
    }

    /// Makes the checks of an intent and says which they were.
    fn check(&self, intent: &Intent) -> Result<&'static str, Refusal> {
        match intent {
            Intent::SetAdj { who, from, .. } | Intent::KeepAdj { who, from, .. } => {
                adj::check(&self.root, *who, *from)?;
                Ok(
                    "the process is the one you saw, and its oom_score_adj can be opened for writing; \
                     the kernel may still refuse a low value",
                )
            }
            Intent::SetKnob { knob, from, .. } => {
                sysctl::check(&self.root, *knob, *from)?;
                Ok("its value is the one you saw, and its file can be opened for writing")
            }
            Intent::Signal { who, consent, .. } => {
                let target = SignalTarget::take(&self.root, *who, *consent, true)?;
                target.send(Signal(0))?;
                Ok("the process is the one you saw, and the kernel would permit the signal")
            }
            Intent::KillCgroup { path, members } => {
                let group = CgroupKill::take(&self.root, path, members, true)?;
                for (target, _) in &group.targets {
                    target.send(Signal(0))?;
                }
                Ok("you saw every process in it, and its cgroup.kill can be opened for writing")
            }
        }
    }
}

impl Effects for DryRun {
    fn perform(&mut self, intent: Intent) -> Outcome {
        match self.check(&intent) {
            Ok(checked) => Outcome::Rehearsed { intent, checked },
            Err(refusal) => Outcome::Refused { intent, refusal },
        }
    }

    fn settle(&mut self) -> Vec<Outcome> {
        Vec::new()
    }

    fn pursuing(&self) -> bool {
        false
    }
}
