//! The dialog before a signal: it names everything, and only its own confirmation releases it.

use crate::app::dialog::mode::ShownSince;
use crate::intent::{ConfirmedBy, Expedite, Intent};
use crate::model::{Capability, ProcId, Process, ProcessDetail, Reading, Scene, Signal};
use crate::plan::protection::{Protection, protection};
use crate::policy::sacrifice;
use crate::policy::{Policy, likely_sharers};
use crate::rank::also_killed::group_mates;

/// What it takes to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmStep {
    /// The key `y`.
    Yes,
    /// The pid, typed so far, then Enter; and why.
    TypePid {
        /// So far.
        typed: String,
        /// Why.
        why: &'static str,
    },
}

/// The dialog.
#[derive(Clone, Debug)]
pub struct SignalDialog {
    /// To whom.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// Which signal.
    pub signal: Signal,
    /// Why this one.
    pub why: String,
    /// Whether it is the sacrifice, by its rule.
    pub sacrifice: bool,
    /// What it takes.
    pub ladder: ConfirmStep,
    /// What will refuse it, known before it is tried.
    pub warning: Option<&'static str>,
    /// What falls with it, a line each.
    pub also_killed: Vec<String>,
    /// Who stays, although an OOM kill or the policy would take them along, a line each.
    pub survivors: Vec<String>,
    /// What was found out about it since the dialog opened; the question is valid without.
    pub detail: Option<ProcessDetail>,
    /// Whether somebody was asked to find it out.
    pub asked: bool,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl SignalDialog {
    /// Opens the sacrifice dialog.
    ///
    /// # Errors
    /// Why doomtop never acts on this process.
    pub fn sacrifice(process: &Process, own: ProcId, scene: &Scene) -> Result<Self, &'static str> {
        let rule = sacrifice(process);
        Self::open(process, own, scene, rule.signal, rule.why.to_owned(), true)
    }

    /// Opens the dialog of another signal.
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
        Self::open(process, own, scene, signal, why, false)
    }

    fn open(
        process: &Process,
        own: ProcId,
        scene: &Scene,
        signal: Signal,
        why: String,
        sacrifice: bool,
    ) -> Result<Self, &'static str> {
        let ladder = match protection(process, own, scene) {
            Protection::Never(why) => return Err(why),
            Protection::TypePid(why) => ConfirmStep::TypePid { typed: String::new(), why },
            Protection::None => ConfirmStep::Yes,
        };
        Ok(Self {
            who: process.id,
            name: process.comm.to_string(),
            signal,
            why,
            sacrifice,
            ladder,
            warning: warning(process, scene),
            also_killed: if signal.ends() { falls(process, scene, None) } else { Vec::new() },
            survivors: if signal.ends() {
                stay(process, scene).into_iter().collect()
            } else {
                Vec::new()
            },
            detail: None,
            asked: !signal.ends(),
            shown: ShownSince::default(),
        })
    }

    /// Adds whom the policy would kill along or in its place.
    #[must_use]
    pub fn under(mut self, policy: &dyn Policy, process: &Process, scene: &Scene) -> Self {
        if self.signal.ends() {
            self.survivors.extend(by_policy(policy, process, scene));
        }
        self
    }

    /// Takes what was found out. The question is another one by it: it has to be seen anew.
    pub fn learn(&mut self, study: ProcessDetail, scene: &Scene) {
        if let Some(process) = scene.find(self.who).filter(|_| self.signal.ends()) {
            self.also_killed = falls(process, scene, Some(&study));
        }
        self.detail = Some(study);
        self.shown = ShownSince::default();
    }

    /// The gentle signal instead of the hard one, or back.
    pub fn swap(&mut self) {
        self.signal = if self.signal == Signal::TERM { Signal::KILL } else { Signal::TERM };
        self.why = "your choice, not the rule's".to_owned();
    }

    /// What is done beside the signal, as far as it is known to make sense.
    #[must_use]
    pub fn expedite(&self) -> Vec<Expedite> {
        let mut steps = Expedite::usual(self.signal);
        let frozen = self.detail.as_ref().and_then(|study| study.frozen.as_ref());
        if let Some(frozen) = frozen
            && frozen.own
            && self.signal.ends()
            && frozen.delays(self.signal)
        {
            steps.push(Expedite::Thaw { cgroup: frozen.path.as_str().to_owned() });
        }
        steps
    }

    /// What a freezer means for it.
    #[must_use]
    pub fn frozen(&self) -> Option<String> {
        let frozen = self.detail.as_ref()?.frozen.as_ref().filter(|_| self.signal.ends())?;
        let (path, signal) = (frozen.path.as_str(), self.signal);
        Some(if !frozen.delays(signal) {
            format!("its cgroup {path} is frozen; {signal} reaches it all the same")
        } else if !frozen.own {
            format!("frozen by a cgroup above {path}: it cannot act on {signal} before the thaw")
        } else {
            let others = match frozen.others {
                0 => "nobody else is in it".to_owned(),
                1 => "1 other runs on by it".to_owned(),
                count => format!("{count} others run on by it"),
            };
            format!("its cgroup {path} is frozen and will be thawed: {others}")
        })
    }

    /// Whether the service manager starts it again.
    #[must_use]
    pub fn restart(&self) -> Option<String> {
        let unit = self.detail.as_ref()?.unit.as_ref().filter(|_| self.signal.ends())?;
        let (name, how) = (unit.name.as_str(), unit.restart.name());
        Some(if unit.from.is_empty() {
            format!("of {name}: its unit file cannot be seen")
        } else if !unit.restart.restarts_after(self.signal) {
            format!("of {name}: stays down after {} (Restart={how})", self.signal)
        } else if unit.main {
            format!(
                "if it is the main process of {name}, systemd restarts it (Restart={how}), and the \
                 memory comes back"
            )
        } else {
            format!("of {name}: if it is its main process, systemd restarts it (Restart={how})")
        })
    }

    /// The wish, once it was confirmed this firmly.
    #[must_use]
    pub fn intent(&self, consent: ConfirmedBy) -> Intent {
        let (who, name, signal) = (self.who, self.name.clone(), self.signal);
        Intent::Signal { who, name, signal, consent, haste: self.expedite() }
    }
}

/// What stands in the way, said before the user tries (`kernel/signal.c` `check_kill_permission`).
pub(crate) fn warning(process: &Process, scene: &Scene) -> Option<&'static str> {
    let privileges = scene.now().privileges;
    let foreign = process.ids.value().is_some_and(|ids| ids.uid != privileges.euid);
    if foreign && !privileges.kills_others() {
        Some("another user's process: needs root (CAP_KILL), which you lack")
    } else if process.state.is_zombie() && !process.has_mm {
        Some("it is dead already: its parent has to collect it")
    } else {
        None
    }
}

/// Whether this user may raise priorities.
#[must_use]
pub fn may_raise(scene: &Scene) -> bool {
    scene.now().privileges.caps.has(Capability::SysNice)
}

/// Whom the OOM killer would take along, and a signal does not.
fn stay(process: &Process, scene: &Scene) -> Option<String> {
    let (group, mates) = group_mates(process, scene)?;
    let count = mates.len();
    let text = format!(
        "{count} more of {} stay: only an OOM kill takes them along (memory.oom.group)",
        group.path
    );
    (count > 0).then_some(text)
}

/// Whom the policy would kill along with it, or in its place; those of `memory.oom.group` and those who
/// share its memory are spoken of already.
fn by_policy(policy: &dyn Policy, process: &Process, scene: &Scene) -> Option<String> {
    if let Some((child, why)) = policy.killed_instead(process, scene) {
        let (pid, name) = (child.id.pid, &child.comm);
        return Some(format!("by {} {pid} {name} would die in its place: {why}", policy.id()));
    }
    let mates = group_mates(process, scene).map_or_else(Vec::new, |(_, mates)| mates);
    let sharers = likely_sharers(process, scene);
    let named = |other: &Process| mates.iter().chain(&sharers).any(|it| it.id == other.id);
    let company = policy.also_killed(process, scene);
    let more: Vec<&Process> =
        company.into_iter().filter(|other| other.id != process.id && !named(other)).collect();
    let first = more.first()?;
    let (pid, name) = (first.id.pid, &first.comm);
    let rest = if more.len() > 1 { format!(" and {} more", more.len() - 1) } else { String::new() };
    Some(format!("by {} {pid} {name}{rest} would die with it; here they stay", policy.id()))
}

/// What falls with a process, as far as `/proc` tells.
fn falls(process: &Process, scene: &Scene, study: Option<&ProcessDetail>) -> Vec<String> {
    let mut lines = Vec::new();
    if process.threads > 1 {
        lines.push(format!("its {} threads", process.threads));
    }
    let told = study.map_or(Reading::NotAsked, |study| study.sharers.as_ref());
    if let Reading::Value(sharers) = told {
        for (id, name) in sharers.found.iter().take(3) {
            lines.push(format!(
                "{id} {name} lives in its memory (kcmp): it stays, and keeps that memory"
            ));
        }
        if sharers.found.len() > 3 {
            lines.push(format!("{} more live in its memory", sharers.found.len() - 3));
        }
    } else {
        let how = match told {
            Reading::Denied => "by its sizes; to be sure needs CAP_SYS_PTRACE",
            _ => "by its sizes",
        };
        for other in likely_sharers(process, scene).iter().take(3) {
            lines.push(format!(
                "{} {} seems to share its memory ({how}): it stays, and keeps that memory",
                other.id.pid, other.comm
            ));
        }
    }
    if let Some(unit) = study.and_then(|study| study.unit.as_ref())
        && unit.main
        && unit.ends_all
        && let Reading::Value(path) = &process.cgroup
    {
        let same = |other: &&Process| matches!(&other.cgroup, Reading::Value(it) if it == path);
        let others = scene.now().processes.iter().filter(same).count().saturating_sub(1);
        if others > 0 {
            let name = unit.name.as_str();
            lines.push(format!(
                "if it is the main process of {name}, systemd ends the other {others} with it (KillMode)"
            ));
        }
    }
    let children = scene.children(process.id.pid).count();
    if children > 0 {
        let word = if children == 1 { "child stays" } else { "children stay" };
        lines.push(format!("its {children} {word}, under another parent"));
    }
    if process.session == process.id.pid {
        let members = scene
            .now()
            .processes
            .iter()
            .filter(|other| other.session == process.session && other.id != process.id);
        let members = members.count();
        if members > 0 {
            lines.push(format!("it leads a session: {members} more may be hung up"));
        }
    }
    lines
}
