//! The dialog before a signal: it names everything, and only its own confirmation releases it.

use super::mode::Shown;
use super::protect::{Protection, protection};
use crate::intent::{Consent, Intent};
use crate::model::{ProcId, Process, Scene, Signal};
use crate::policy::{likely_sharers, sacrifice};
use crate::rank::company::group_mates;

/// What it takes to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ladder {
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
pub struct Confirm {
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
    pub ladder: Ladder,
    /// What will refuse it, known before it is tried.
    pub warning: Option<&'static str>,
    /// What falls with it, a line each.
    pub falls: Vec<String>,
    /// Who stays, although an OOM kill would take them along.
    pub stay: Option<String>,
    /// Since when it is on the screen.
    pub shown: Shown,
}

impl Confirm {
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
            Protection::TypePid(why) => Ladder::TypePid { typed: String::new(), why },
            Protection::None => Ladder::Yes,
        };
        Ok(Self {
            who: process.id,
            name: process.comm.to_string(),
            signal,
            why,
            sacrifice,
            ladder,
            warning: warning(process, scene),
            falls: if signal.ends() { falls(process, scene) } else { Vec::new() },
            stay: if signal.ends() { stay(process, scene) } else { None },
            shown: Shown::default(),
        })
    }

    /// The gentle signal instead of the hard one, or back.
    pub fn swap(&mut self) {
        self.signal = if self.signal == Signal::TERM { Signal::KILL } else { Signal::TERM };
        self.why = "your choice, not the rule's".to_owned();
    }

    /// The wish, once it was confirmed this firmly.
    #[must_use]
    pub fn intent(&self, consent: Consent) -> Intent {
        Intent::Signal { who: self.who, name: self.name.clone(), signal: self.signal, consent }
    }
}

/// What stands in the way, said before the user tries (`kernel/signal.c` `check_kill_permission`).
fn warning(process: &Process, scene: &Scene) -> Option<&'static str> {
    let powers = scene.now().powers;
    let foreign = process.ids.value().is_some_and(|ids| ids.uid != powers.euid);
    if foreign && !powers.kills_others() {
        Some("another user's process: needs root (CAP_KILL), which you lack")
    } else if process.state.is_zombie() && !process.has_mm {
        Some("it is dead already: its parent has to collect it")
    } else {
        None
    }
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

/// What falls with a process, as far as `/proc` tells.
fn falls(process: &Process, scene: &Scene) -> Vec<String> {
    let mut lines = Vec::new();
    if process.threads > 1 {
        lines.push(format!("its {} threads", process.threads));
    }
    let sharers = likely_sharers(process, scene);
    for other in sharers.iter().take(3) {
        lines.push(format!(
            "{} {} seems to share its memory: it stays, and keeps that memory",
            other.id.pid, other.comm
        ));
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
