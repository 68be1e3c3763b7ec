//! A signal before it is sent: which one, what it takes to confirm it, and what it entails.

use crate::intent::{ConfirmedBy, Expedite, Intent};
use crate::model::{ProcId, Process, ProcessDetail, Scene, Signal};
use crate::plan::protection::{Protection, protection};
use crate::plan::signal_consequences;
use crate::plan::signal_consequences::RestartOutcome;
use crate::policy::{Policy, sacrifice};

/// A signal to one process.
#[derive(Clone, Debug)]
pub struct SignalPlan {
    /// The process.
    pub who: ProcId,
    /// Its name when the plan was made.
    pub name: String,
    /// The signal.
    pub signal: Signal,
    /// Why this signal.
    pub why: String,
    /// Whether it is the sacrifice: the signal follows from the process's capabilities.
    pub sacrifice: bool,
    /// Why the pid must be typed to confirm it; nothing where a key is enough.
    pub protected: Option<&'static str>,
    /// Why it cannot work, known before it is tried.
    pub warning: Option<&'static str>,
    /// What ends or changes with the process, a line each.
    pub also_killed: Vec<String>,
    /// The processes that stay, although an OOM kill or the policy would kill them too, a line each.
    pub survivors: Vec<String>,
    /// What was read about the process since. The plan is valid without it.
    pub detail: Option<ProcessDetail>,
}

impl SignalPlan {
    /// The sacrifice: SIGTERM for a process that may be driving hardware, otherwise SIGKILL.
    ///
    /// # Errors
    /// Why doomtop never acts on this process.
    pub fn sacrifice(process: &Process, own: ProcId, scene: &Scene) -> Result<Self, &'static str> {
        let rule = sacrifice(process);
        let plan = Self::new(process, own, scene, rule.signal, rule.why.to_owned())?;
        Ok(Self { sacrifice: true, ..plan })
    }

    /// A signal that the user chose.
    ///
    /// # Errors
    /// Why doomtop never acts on this process.
    pub fn signal(
        process: &Process,
        own: ProcId,
        scene: &Scene,
        signal: Signal,
    ) -> Result<Self, &'static str> {
        let known = Signal::MENU.iter().find(|(listed, _)| *listed == signal);
        let why = known.map_or("", |(_, about)| about).to_owned();
        Self::new(process, own, scene, signal, why)
    }

    fn new(
        process: &Process,
        own: ProcId,
        scene: &Scene,
        signal: Signal,
        why: String,
    ) -> Result<Self, &'static str> {
        let protected = match protection(process, own, scene) {
            Protection::Never(why) => return Err(why),
            Protection::TypePid(why) => Some(why),
            Protection::None => None,
        };
        let (also_killed, survivors) = if signal.ends() {
            let survivors = signal_consequences::survivors(process, scene).into_iter().collect();
            (signal_consequences::also_killed(process, scene, None), survivors)
        } else {
            (Vec::new(), Vec::new())
        };
        Ok(Self {
            who: process.id,
            name: process.comm.to_string(),
            signal,
            why,
            sacrifice: false,
            protected,
            warning: signal_consequences::obstacle(process, scene),
            also_killed,
            survivors,
            detail: None,
        })
    }

    /// Adds the processes that the policy would kill with it or in its place.
    #[must_use]
    pub fn under(mut self, policy: &dyn Policy, process: &Process, scene: &Scene) -> Self {
        if self.signal.ends() {
            self.survivors.extend(signal_consequences::killed_by_policy(policy, process, scene));
        }
        self
    }

    /// Takes what was read about the process.
    pub fn learn(&mut self, detail: ProcessDetail, scene: &Scene) {
        if let Some(process) = scene.find(self.who).filter(|_| self.signal.ends()) {
            self.also_killed = signal_consequences::also_killed(process, scene, Some(&detail));
        }
        self.detail = Some(detail);
    }

    /// The other signal of the sacrifice.
    #[must_use]
    pub fn other_signal(&self) -> Signal {
        if self.signal == Signal::TERM { Signal::KILL } else { Signal::TERM }
    }

    /// SIGTERM instead of SIGKILL, or the reverse.
    pub fn swap(&mut self) {
        self.signal = self.other_signal();
        self.why = "your choice, not the rule's".to_owned();
    }

    /// The steps beside the signal that make sense here.
    #[must_use]
    pub fn expedite(&self) -> Vec<Expedite> {
        let mut steps = Expedite::usual(self.signal);
        let frozen = self.detail.as_ref().and_then(|detail| detail.frozen.as_ref());
        if let Some(frozen) = frozen
            && frozen.own
            && self.signal.ends()
            && frozen.delays(self.signal)
        {
            steps.push(Expedite::Thaw { cgroup: frozen.path.as_str().to_owned() });
        }
        steps
    }

    /// What a freezer means for the signal, in one sentence.
    #[must_use]
    pub fn frozen(&self) -> Option<String> {
        let frozen = self.detail.as_ref()?.frozen.as_ref().filter(|_| self.signal.ends())?;
        Some(signal_consequences::frozen(frozen, self.signal))
    }

    /// Whether the service manager starts the process again, and the sentence that says so.
    #[must_use]
    pub fn restart(&self) -> Option<(RestartOutcome, String)> {
        let unit = self.detail.as_ref()?.unit.as_ref().filter(|_| self.signal.ends())?;
        Some(signal_consequences::restart(unit, self.signal))
    }

    /// The intent, once it was confirmed in this way.
    #[must_use]
    pub fn intent(&self, consent: ConfirmedBy) -> Intent {
        let (who, name, signal) = (self.who, self.name.clone(), self.signal);
        Intent::Signal { who, name, signal, consent, steps: self.expedite() }
    }
}
