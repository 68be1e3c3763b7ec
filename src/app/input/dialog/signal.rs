//! Keys in the signal dialog, and what opens it.

use crate::app::dialog::signal::{ConfirmStep, SignalDialog};
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext, key_of};
use crate::app::keymap::press::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::session::pending::PendingSignal;
use crate::app::{App, Request};
use crate::columns::span_of;
use crate::intent::{ConfirmedBy, FROZEN};
use crate::model::{ProcId, Process, Signal};

impl App {
    /// Opens the sacrifice dialog for the tagged processes, or for the one under the cursor.
    pub(crate) fn open_sacrifice(&mut self) {
        if !self.tags.is_empty() {
            if self.may_act() {
                self.open_sacrifices();
            }
        } else {
            self.open_sacrifice_of_one();
        }
    }

    /// Opens the sacrifice dialog for the process under the cursor, whatever is tagged.
    pub(crate) fn open_sacrifice_of_one(&mut self) {
        if let Some(process) = self.acting_target() {
            self.open_signal_dialog(&process, None);
        }
    }

    /// Opens the dialog of a signal; of the sacrifice, where none is named.
    pub(crate) fn open_signal_dialog(&mut self, process: &Process, signal: Option<Signal>) {
        let Some(scene) = &self.scene else { return };
        let own = self.setup.own;
        let opened = match signal {
            Some(signal) => SignalDialog::signal(process, own, scene, signal),
            None => SignalDialog::sacrifice(process, own, scene),
        };
        let opened = opened.map(|confirm| confirm.under(self.setup.policy, process, scene));
        match opened.map_err(str::to_owned).and_then(|it| self.once(process, it)) {
            Ok(confirm) => self.mode = Mode::Signal(confirm),
            Err(why) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Warn, format!("{} {}: {why}", process.id, process.comm));
            }
        }
    }

    /// Opens the signal dialog for a process chosen in the menu.
    pub(crate) fn open_signal(&mut self, who: ProcId, signal: Signal) {
        let found = self.scene.as_ref().and_then(|scene| scene.find(who)).cloned();
        match found {
            Some(process) => self.open_signal_dialog(&process, Some(signal)),
            None => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Warn, format!("{who} is gone"));
            }
        }
    }

    /// The same dialog for the predicted victim instead.
    pub(crate) fn retarget(&mut self) {
        let victim = self.ranking.victim().map(|row| row.id);
        let found = victim.and_then(|id| self.scene.as_ref()?.find(id)).cloned();
        match found {
            Some(process) => self.open_signal_dialog(&process, None),
            None => self.say(NoticeLevel::Warn, "there is no predicted victim"),
        }
    }

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

    pub(crate) fn too_soon_after(&self, pursuit: &PendingSignal) -> Option<String> {
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

    pub(crate) fn signal_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::Signal(confirm) = &mut self.mode else { return Vec::new() };
        let meaning = bindings::meaning(KeyContext::Confirm, key);
        // Leaving is always allowed; anything else only with the dialog in view.
        match meaning {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was signalled");
                return Vec::new();
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was signalled"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            _ if !confirm.shown.was_seen_at(press.at) => return Vec::new(),
            // A typed pid may come as fast as it likes; what confirms comes alone.
            Some(_) if !press.alone => return Vec::new(),
            _ => {}
        }
        let pid = confirm.who.pid;
        match (meaning, &mut confirm.ladder) {
            (Some(Action::SwapSignal), _) if confirm.sacrifice => confirm.swap(),
            (Some(Action::WithSharers), _) => self.open_with_sharers(),
            (Some(Action::Retarget), _) if confirm.sacrifice => self.retarget(),
            (Some(Action::Yes), ConfirmStep::Yes) => {
                let intent = confirm.intent(ConfirmedBy::Plain);
                self.mode = Mode::Browse;
                return vec![Request::Act(intent)];
            }
            (Some(Action::Apply), ConfirmStep::TypePid { typed, .. })
                if typed.parse() == Ok(pid) =>
            {
                let intent = confirm.intent(ConfirmedBy::TypedPid);
                self.mode = Mode::Browse;
                return vec![Request::Act(intent)];
            }
            (Some(Action::Apply), ConfirmStep::TypePid { typed, .. }) => {
                let text = format!("{typed} is not its pid: type {pid}");
                typed.clear();
                self.say(NoticeLevel::Warn, text);
            }
            (None, ConfirmStep::TypePid { typed, .. }) => match key {
                _ if key.digit().is_some() && typed.len() < 10 => typed.extend(key.digit()),
                Key { code: KeyCode::Backspace, .. } => {
                    typed.pop();
                }
                _ => {}
            },
            _ => {}
        }
        Vec::new()
    }
}
