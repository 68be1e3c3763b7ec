//! The hands that only rehearse (`--dry-run`): everything is looked up, pinned and asked for as in
//! earnest, and nothing is done.

use super::Effects;
use super::cgroup::Doomed;
use super::folder::{Folder, OTHERS, is_kernel_thread, refusal};
use super::protect;
use super::signal::Target;
use crate::intent::{Intent, Outcome, Refusal};
use crate::model::{ProcId, Signal};
use crate::sample::root::LiveRoot;
use crate::units::Adj;

/// Says what would be done.
pub struct Rehearse {
    root: LiveRoot,
}

impl Rehearse {
    /// For this machine.
    #[must_use]
    pub const fn new(root: LiveRoot) -> Self {
        Self { root }
    }

    /// What was checked.
    fn check(&self, intent: &Intent) -> Result<&'static str, Refusal> {
        match intent {
            Intent::SetAdj { who, from, .. } => self.adj(*who, *from),
            Intent::Signal { who, consent, .. } => {
                let target = Target::take(&self.root, *who, *consent, true)?;
                target.send(Signal(0))?;
                Ok("it is the process you saw, and the kernel would let you")
            }
            Intent::KillCgroup { path, members } => {
                let doomed = Doomed::take(&self.root, path, members, true)?;
                for (target, _) in &doomed.targets {
                    target.send(Signal(0))?;
                }
                Ok("all in it were seen, and its cgroup.kill can be written")
            }
        }
    }

    fn adj(&self, who: ProcId, from: Adj) -> Result<&'static str, Refusal> {
        if let Some(why) = protect::no_process(who.pid) {
            return Err(Refusal::Protected { why });
        }
        let (folder, stat) = Folder::of(&self.root, who)?;
        if is_kernel_thread(&stat) {
            return Err(Refusal::Protected { why: "kernel thread: it can never be chosen" });
        }
        let reading = "reading its oom_score_adj";
        let before = folder.adj().map_err(|errno| refusal(errno, OTHERS, reading))?;
        if before != from {
            return Err(Refusal::Failed {
                doing: "its oom_score_adj changed meanwhile",
                error: format!("was {from}, is {before}; look again"),
            });
        }
        let opening = "opening its oom_score_adj";
        folder.writable("oom_score_adj").map_err(|errno| refusal(errno, OTHERS, opening))?;
        Ok(
            "it is the process you saw, and its file can be opened; the kernel may still refuse a low value",
        )
    }
}

impl Effects for Rehearse {
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
