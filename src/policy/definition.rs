//! The trait [`Policy`], and the values by which a policy describes itself.

use crate::model::{Needs, ProcId, Process, Scene, Signal};
use crate::policy::badness::{BadnessKey, BadnessUnit, SparedReason, Verdict};
use crate::policy::overrides::Override;
use crate::policy::tie_break::TieBreak;
use crate::policy::trigger::{TriggerRule, TriggerState};
use crate::units::Pages;

/// The source of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cite {
    /// File and function, or the thread of a mailing list.
    pub place: &'static str,
    /// The version of the source.
    pub at: &'static str,
}

/// Who uses a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PolicyKind {
    /// The running kernel.
    RunningKernel,
    /// Kernels of the versions that the title names.
    Kernel,
    /// A userspace killer, which may run beside the kernel.
    Daemon,
    /// No killer: a simple rule to compare the others with.
    Baseline,
    /// No killer: a rule that was proposed for the kernel and not merged.
    Proposal,
    /// This site: the rule was read from a file.
    Site,
}

impl PolicyKind {
    /// Whether it is the rule of a kernel, running or past. A kernel panics where it finds no victim in
    /// an OOM of the whole machine; a daemon does nothing.
    #[must_use]
    pub const fn is_kernel(self) -> bool {
        matches!(self, Self::RunningKernel | Self::Kernel)
    }
}

/// What never changes about a policy.
#[derive(Clone, Copy, Debug)]
pub struct PolicyInfo {
    /// The name that `--policy` takes.
    pub id: &'static str,
    /// The name as a title, in a few words.
    pub title: &'static str,
    /// What the rule compares, in a few sentences.
    pub about: &'static str,
    /// The sources that the rule was taken from.
    pub cites: &'static [Cite],
    /// The unit of its points.
    pub unit: BadnessUnit,
    /// Who uses the rule.
    pub kind: PolicyKind,
}

/// What one kill takes, beside the threads of the victim and the processes that share its memory.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum KillScope {
    /// Nothing more.
    #[default]
    Process,
    /// The whole cgroup, where `memory.oom.group` is set.
    OomGroup,
    /// The process group of the victim: it gets the signal too.
    ProcessGroup,
    /// The cgroup of the victim: the policy chooses cgroups, not processes.
    Cgroup,
}

/// How `oom_score_adj` counts in a rule, beyond -1000, which nearly all rules spare.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AdjEffect {
    /// Not at all.
    #[default]
    Ignored,
    /// A higher adj never makes a process die later.
    Rising,
    /// A higher adj may make a process die later.
    Irregular,
}

/// How a policy chooses in a scene.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PolicyTraits {
    /// Which of two equals dies.
    pub tie_break: TieBreak,
    /// What one kill takes.
    pub kill_scope: KillScope,
    /// How `oom_score_adj` counts.
    pub adj: AdjEffect,
    /// Its comparison is not transitive, so [`Policy::scan`] finds the victim instead of a sort.
    pub scans: bool,
}

/// How far a verdict may be off by the time of the kill, in pages or in the policy's own points.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    /// The points may rise by this much.
    pub up: Pages,
    /// The points may fall by this much.
    pub down: Pages,
}

/// What a killer does to its victim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PolicyAction {
    /// The signal that it sends.
    pub signal: Signal,
    /// Why this signal, in words.
    pub why: &'static str,
}

/// The rule by which a killer chooses its victim.
pub trait Policy: Send + Sync {
    /// What never changes about it.
    fn info(&self) -> &PolicyInfo;

    /// The facts that it needs.
    fn needs(&self) -> Needs;

    /// How it chooses in this scene.
    fn traits(&self, scene: &Scene) -> PolicyTraits;

    /// Whether it is about to act, and what it waits for.
    fn trigger_state(&self, scene: &Scene) -> TriggerState;

    /// Its verdict on one process.
    fn judge(&self, process: &Process, scene: &Scene) -> Verdict;

    /// The share of its points by which [`Policy::key_when_acting`] may be off: where they follow no growth.
    fn doubt_when_acting(&self) -> f64 {
        0.0
    }

    /// The same as [`Policy::judge`] without the terms, which is all that an order needs. A rule whose terms cost
    /// more than their sum may compute only that.
    ///
    /// # Errors
    ///
    /// Why the process cannot be chosen.
    fn key(&self, process: &Process, scene: &Scene) -> Result<BadnessKey, SparedReason> {
        self.judge(process, scene).key()
    }

    /// The same for the time at which it will act, as far as that can be told: where what it goes by changes on the
    /// way there by more than the growth of the processes.
    ///
    /// # Errors
    ///
    /// Why the process cannot be chosen.
    fn key_when_acting(
        &self,
        process: &Process,
        scene: &Scene,
    ) -> Result<BadnessKey, SparedReason> {
        self.key(process, scene)
    }

    /// How far [`Policy::judge`] may be off by the time of the kill.
    fn drift(&self, process: &Process, scene: &Scene) -> Drift;

    /// The processes that die with the victim, beside its own threads.
    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process>;

    /// What it does to its victim.
    fn action(&self, victim: &Process) -> PolicyAction;

    /// [`PolicyInfo::id`].
    fn id(&self) -> &'static str {
        self.info().id
    }

    /// [`PolicyInfo::title`].
    fn title(&self) -> &'static str {
        self.info().title
    }

    /// Whether it is the rule of the kernel that runs here.
    fn is_running_kernel(&self) -> bool {
        self.info().kind == PolicyKind::RunningKernel
    }

    /// Whether it can kill here: it is the running kernel's, or its program runs, with this rule, and not
    /// as a dry run.
    fn acts_here(&self, _scene: &Scene) -> bool {
        self.is_running_kernel()
    }

    /// How many points a process gains with each page that it grows by; 0 where growth does not count.
    fn points_per_page(&self, _scene: &Scene) -> f64 {
        if self.info().unit == BadnessUnit::Pages { 1.0 } else { 0.0 }
    }

    /// Whether it makes the kernel kill, so that the kernel's rule chooses the victim.
    fn lets_kernel_choose(&self, _scene: &Scene) -> bool {
        false
    }

    /// The rules by which it acts, the one that acts first before the others. Any one of them is enough.
    /// Empty where its conditions are not numbers.
    fn trigger_rules(&self, _scene: &Scene) -> Vec<TriggerRule> {
        Vec::new()
    }

    /// What overrides its ranking at this moment, if anything does.
    fn overridden(&self, _scene: &Scene) -> Option<Override> {
        None
    }

    /// Whether it considers a process at all. By default: whether the process is in the domain.
    fn looks_at(&self, process: &Process, scene: &Scene) -> bool {
        scene.domain().contains(process)
    }

    /// Why it has no verdict on a process although its rule should give one, in words: a fact is
    /// absent, or a number is out of range.
    fn rule_error(&self, _process: &Process, _scene: &Scene) -> Option<String> {
        None
    }

    /// An upper bound of [`Drift::up`] over all processes. It rules out most of them cheaply.
    fn max_drift_up(&self, _scene: &Scene) -> Pages {
        Pages::ZERO
    }

    /// The process that dies in place of the chosen one, and why. Some kernels kill a child instead.
    fn killed_instead<'a>(
        &self,
        _chosen: &Process,
        _scene: &'a Scene,
    ) -> Option<(&'a Process, &'static str)> {
        None
    }

    /// The victim by its own scan over these positions in the snapshot, which are in the order of the
    /// pids. Called only where [`PolicyTraits::scans`] is set.
    fn scan(&self, _scene: &Scene, _among: &[u32]) -> Option<ProcId> {
        None
    }
}
