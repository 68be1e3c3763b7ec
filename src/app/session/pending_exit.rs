//! Whom doomtop has signalled already: nobody is killed twice, the next one waits for the first, and
//! who does not obey is offered the hard way.

use crate::app::dialog::bulk::{BulkConsent, BulkDialog, BulkItem};
use crate::app::dialog::mode::Mode;
use crate::app::dialog::signal::{SignalDialog, warning};
use crate::app::keymap::bindings::{Action, KeyContext, key_of};
use crate::app::session::journal::PendingSignal;
use crate::app::{App, NoticeLevel};
use crate::columns::{human_size, span_of};
use crate::intent::{self, Expedite, FROZEN, Intent};
use crate::model::{Hierarchy, ProcId, Process, ProcessDetail, Reading, Scene, Signal, is_within};
use crate::plan::protection::{Protection, protection};
use crate::policy::sacrifice;
use crate::units::Bytes;

impl App {
    /// Why a deadly signal to this process would be one too many.
    pub(crate) fn already_signalled(&self, process: &Process, signal: Signal) -> Option<String> {
        if !signal.ends() {
            return None;
        }
        let Some(pursuit) = self.journal.pursuit(process.id) else {
            let why = "it was killed already, by the kernel or by somebody else, or is ending";
            return process.dying.then(|| why.to_owned());
        };
        // Frozen, it can be killed again with a thaw.
        if pursuit.signal != Signal::KILL || pursuit.why.as_deref() == Some(FROZEN) {
            return None;
        }
        let ago = self.ago(pursuit);
        let why = pursuit.why.as_deref().unwrap_or("it is on its way out");
        Some(format!("not killed twice: SIGKILL was sent {ago} ago, {why}"))
    }

    /// Why the next sacrifice has to wait.
    pub(crate) fn too_soon(&self, next: ProcId) -> Option<String> {
        let first = |it: &&PendingSignal| it.who != next && it.patience(self.now).is_some();
        self.too_soon_after(self.journal.pending.iter().find(first)?)
    }

    fn too_soon_after(&self, pursuit: &PendingSignal) -> Option<String> {
        let rest = span_of(pursuit.patience(self.now)?.0.div_ceil(1000));
        let PendingSignal { who, name, signal, .. } = pursuit;
        let ago = self.ago(pursuit);
        Some(format!(
            "wait: {who} {name} got {signal} {ago} ago; the next one when it is gone, or in {rest} \
             (k does not wait)"
        ))
    }

    /// The dialog of a process, if it is not one too many; a sacrifice of one that was asked to end, and
    /// did not in time, is the hard one.
    pub(crate) fn once(
        &self,
        process: &Process,
        mut confirm: SignalDialog,
    ) -> Result<SignalDialog, String> {
        if confirm.sacrifice {
            if let Some(why) = self.too_soon(process.id) {
                return Err(why);
            }
            if let Some(pursuit) = self.journal.pursuit(process.id)
                && pursuit.signal != Signal::KILL
            {
                if let Some(rest) = pursuit.patience(self.now) {
                    let (signal, ago) = (pursuit.signal, self.ago(pursuit));
                    let rest = span_of(rest.0.div_ceil(1000));
                    return Err(format!(
                        "{signal} was sent {ago} ago: SIGKILL is offered in {rest} (k does not wait)"
                    ));
                }
                confirm.signal = Signal::KILL;
                confirm.why = self.not_enough(pursuit);
            }
        }
        match self.already_signalled(process, confirm.signal) {
            Some(why) => Err(why),
            None => Ok(confirm),
        }
    }

    /// Why the hard signal comes now.
    fn not_enough(&self, pursuit: &PendingSignal) -> String {
        let why = pursuit.why.as_deref().unwrap_or("it has not ended yet");
        format!("{} {} ago was not enough: {why}", pursuit.signal, self.ago(pursuit))
    }

    fn ago(&self, pursuit: &PendingSignal) -> String {
        span_of(self.now.saturating_sub(pursuit.since).0 / 1000)
    }

    /// The key that offers SIGKILL to who does not obey.
    pub(crate) fn offer(&self) -> String {
        let key = key_of(KeyContext::Browse, Action::Escalate);
        key.map_or_else(String::new, |key| format!("; {key} offers SIGKILL"))
    }

    /// Opens the dialog of SIGKILL for the first who does not obey a gentler signal.
    pub(crate) fn open_escalation(&mut self) {
        let stuck =
            |it: &&PendingSignal| it.signal != Signal::KILL && it.patience(self.now).is_none();
        let all: Vec<ProcId> = self.journal.pending.iter().filter(stuck).map(|it| it.who).collect();
        let here = self.selected().map(|process| process.id).filter(|id| all.contains(id));
        if here.is_none() && all.len() > 1 {
            let text = format!("{} do not obey: put the cursor on the one you mean", all.len());
            return self.say(NoticeLevel::Warn, text);
        }
        let Some(pursuit) = here.or_else(|| all.first().copied()) else {
            let waits = self.journal.pending.iter().find(|it| it.signal != Signal::KILL);
            let text = match waits.and_then(|it| Some((it, it.patience(self.now)?))) {
                Some((it, rest)) => {
                    let rest = span_of(rest.0.div_ceil(1000));
                    format!("{} {} may still obey {}: {rest} more", it.who, it.name, it.signal)
                }
                None => "nobody here disobeys a signal of yours".to_owned(),
            };
            return self.say(NoticeLevel::Plain, text);
        };
        if self.may_act() {
            self.escalate(pursuit);
        }
    }

    /// Opens it for this one.
    pub(crate) fn escalate(&mut self, who: ProcId) {
        let found = self.scene.as_ref().and_then(|scene| scene.find(who)).cloned();
        let Some(process) = found else {
            return self.say(NoticeLevel::Warn, format!("{who} is gone"));
        };
        let why = self.journal.pursuit(who).map(|it| self.not_enough(it));
        self.open_signal_dialog(&process, Some(Signal::KILL));
        if let (Mode::Signal(confirm), Some(why)) = (&mut self.mode, why) {
            confirm.why = why;
        }
    }

    /// Whom to study: the process of the dialog, once.
    pub fn wanted_detail(&mut self) -> Option<ProcId> {
        match &mut self.mode {
            Mode::Signal(confirm) if !confirm.asked => {
                confirm.asked = true;
                Some(confirm.who)
            }
            _ => None,
        }
    }

    /// Takes what was found out about the process of the dialog; what comes late is about nobody.
    pub(crate) fn take_detail(&mut self, study: ProcessDetail) {
        if let (Mode::Signal(confirm), Some(scene)) = (&mut self.mode, &self.scene)
            && confirm.who == study.who
        {
            confirm.learn(study, scene);
        }
    }

    /// Opens the sacrifice of all tagged processes, each by the rule.
    pub(crate) fn open_sacrifices(&mut self) {
        let Some(scene) = &self.scene else { return };
        let waits = self.journal.pending.iter().find(|it| !self.tags.contains(&it.who));
        if let Some(why) = waits.and_then(|it| self.too_soon_after(it)) {
            return self.say(NoticeLevel::Warn, why);
        }
        let tagged = self.tags.iter().filter_map(|&id| scene.find(id));
        let all: Vec<(&Process, Signal)> = tagged.map(|it| (it, sacrifice(it).signal)).collect();
        let title = match all.len() {
            1 => "Sacrifice the tagged process?".to_owned(),
            count => format!("Sacrifice {count} tagged processes?"),
        };
        let several = self.several(title, &all, true);
        self.mode = Mode::Bulk(several);
    }

    /// Opens the dialog's question for all who live in the same memory: it is free only when the last
    /// of them is gone, and the kernel kills them all.
    pub(crate) fn open_with_sharers(&mut self) {
        let (Mode::Signal(confirm), Some(scene)) = (&self.mode, &self.scene) else { return };
        let sharers = match confirm.detail.as_ref().map(|study| &study.sharers) {
            Some(Reading::Value(sharers)) if !sharers.found.is_empty() => &sharers.found,
            _ => {
                return self.say(NoticeLevel::Plain, "nobody else is proven to live in its memory");
            }
        };
        let signal = confirm.signal;
        let ids = std::iter::once(confirm.who).chain(sharers.iter().map(|(id, _)| *id));
        let all: Vec<(&Process, Signal)> =
            ids.filter_map(|id| Some((scene.find(id)?, signal))).collect();
        let title = format!("Send {signal} to all {} who share one memory?", all.len());
        let hidden = sharers.len() + 1 - all.len();
        let mut several = self.several(title, &all, false);
        if hidden > 0 {
            several
                .notes
                .push(format!("{hidden} more came since the last look: Esc, and ask again"));
        }
        self.mode = Mode::Bulk(several);
    }

    /// The question about several processes, each with its signal.
    fn several(&self, title: String, all: &[(&Process, Signal)], apart: bool) -> BulkDialog {
        let mut items = Vec::new();
        let mut freed = 0;
        if let Some(scene) = &self.scene {
            for &(process, signal) in all {
                let left = left_alone(process, self.setup.own, scene);
                let left = left.or_else(|| self.already_signalled(process, signal));
                let bytes = would_free(process, scene);
                let what = match &left {
                    Some(why) => format!("left alone: {why}"),
                    None => format!("{signal}, frees about {}", human_size(bytes)),
                };
                let intent = left.is_none().then(|| signal_intent(process, signal));
                freed += if intent.is_some() { bytes.0 } else { 0 };
                items.push(BulkItem {
                    who: process.id,
                    name: process.comm.to_string(),
                    what,
                    intent,
                });
            }
        }
        let mut several = BulkDialog::new(title, items, BulkConsent::Count(String::new()));
        several.notes.push(if apart {
            format!("together about {}; each by its own signal, at once", human_size(Bytes(freed)))
        } else {
            "the memory is the same: it is free when the last of them is gone".to_owned()
        });
        several
    }

    /// The cgroup of a process that can be ended as a whole: version 2, and not the root.
    pub(crate) fn doomed_cgroup(&self, process: &Process) -> Option<(String, usize)> {
        let scene = self.scene.as_ref()?;
        if scene.now().cgroups.hierarchy != Reading::Value(Hierarchy::V2) {
            return None;
        }
        let path = process.cgroup.as_ref().value()?.as_str();
        let outside = path == "/" || path.split('/').any(|name| name == "..");
        (!outside).then(|| (path.to_owned(), inside(path, scene).count()))
    }

    /// Opens the dialog that ends a whole cgroup.
    pub(crate) fn open_kill_cgroup(&mut self, path: &str) {
        let Some(scene) = &self.scene else { return };
        let own = self.setup.own;
        let all: Vec<&Process> = inside(path, scene).collect();
        // The kernel makes no exceptions, so one who may not die saves all.
        let kept: Vec<Option<String>> =
            all.iter().map(|process| left_alone(process, own, scene)).collect();
        let may = kept.iter().all(Option::is_none);
        let whole = may.then(|| {
            let members = all.iter().map(|process| (process.id, process.comm.to_string()));
            Intent::KillCgroup { path: path.to_owned(), members: members.collect() }
        });
        let items: Vec<BulkItem> = all
            .iter()
            .zip(&kept)
            .map(|(process, kept)| BulkItem {
                who: process.id,
                name: process.comm.to_string(),
                what: match kept {
                    Some(why) => format!("must stay: {why}"),
                    None => format!("frees about {}", human_size(would_free(process, scene))),
                },
                intent: None,
            })
            .collect();
        let title = format!("Kill all {} of cgroup {path}?", items.len());
        let mut several = BulkDialog::new(title, items, BulkConsent::Count(String::new()));
        several.whole = whole;
        several.notes.push(if may {
            "SIGKILL by one write to cgroup.kill; whoever they start meanwhile dies, too".to_owned()
        } else {
            "cgroup.kill makes no exceptions: signal them one by one (k), or tag them (X)"
                .to_owned()
        });
        self.mode = Mode::Bulk(several);
    }
}

/// Everybody in a cgroup and below.
fn inside<'a>(path: &'a str, scene: &'a Scene) -> impl Iterator<Item = &'a Process> {
    let within = move |process: &&Process| match &process.cgroup {
        Reading::Value(other) => is_within(other.as_str(), path),
        _ => false,
    };
    scene.now().processes.iter().filter(|it| !it.is_kernel_thread()).filter(within)
}

/// Why it is not acted on among others.
fn left_alone(process: &Process, own: ProcId, scene: &Scene) -> Option<String> {
    match protection(process, own, scene) {
        Protection::Never(why) => Some(why.to_owned()),
        Protection::TypePid(why) => Some(format!("{why} (alone, with its pid typed)")),
        Protection::None => warning(process, scene).map(str::to_owned),
    }
}

fn signal_intent(process: &Process, signal: Signal) -> Intent {
    Intent::Signal {
        who: process.id,
        name: process.comm.to_string(),
        signal,
        consent: intent::ConfirmedBy::Plain,
        steps: Expedite::usual(signal),
    }
}

/// About what its death sets free.
fn would_free(process: &Process, scene: &Scene) -> Bytes {
    process.private().value().unwrap_or_default().bytes(scene.machine().page_size)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Millis;

    #[test]
    fn patience_ends_with_the_time_or_with_a_reason() {
        let mut pursuit = PendingSignal {
            who: ProcId::default(),
            name: "x".to_owned(),
            signal: Signal::TERM,
            since: Millis(1000),
            why: None,
        };
        assert_eq!(pursuit.patience(Millis(1000)), Some(Millis(5000)));
        assert_eq!(pursuit.patience(Millis(5999)), Some(Millis(1)));
        assert_eq!(pursuit.patience(Millis(6000)), None);
        pursuit.why = Some("it ignores SIGTERM".to_owned());
        assert_eq!(pursuit.patience(Millis(1000)), None);
    }
}
