//! The hands that only rehearse (`--dry-run`): everything is looked up, pinned and asked for as in
//! earnest, and nothing is done.

use crate::effects::cgroup_kill::CgroupKill;
use crate::effects::signal::SignalTarget;
use crate::effects::sysctl;
use crate::effects::{Effects, adj};
use crate::intent::{Intent, Outcome, Refusal};
use crate::model::Signal;
use crate::sample::proc_root::LiveRoot;

/// Says what would be done.
pub struct DryRun {
    root: LiveRoot,
}

impl DryRun {
    /// For this machine.
    #[must_use]
    pub const fn new(root: LiveRoot) -> Self {
        Self { root }
    }

    /// What was checked.
    fn check(&self, intent: &Intent) -> Result<&'static str, Refusal> {
        match intent {
            Intent::SetAdj { who, from, .. } | Intent::KeepAdj { who, from, .. } => {
                adj::rehearse(&self.root, *who, *from)?;
                Ok(
                    "it is the process you saw, and its file can be opened; the kernel may still refuse \
                    a low value",
                )
            }
            Intent::SetKnob { knob, from, .. } => {
                sysctl::rehearse(&self.root, *knob, *from)?;
                Ok("it stands as you saw it, and its file can be opened")
            }
            Intent::Signal { who, consent, .. } => {
                let target = SignalTarget::take(&self.root, *who, *consent, true)?;
                target.send(Signal(0))?;
                Ok("it is the process you saw, and the kernel would let you")
            }
            Intent::KillCgroup { path, members } => {
                let doomed = CgroupKill::take(&self.root, path, members, true)?;
                for (target, _) in &doomed.targets {
                    target.send(Signal(0))?;
                }
                Ok("all in it were seen, and its cgroup.kill can be written")
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
