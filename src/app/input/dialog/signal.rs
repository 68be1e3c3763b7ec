//! Keys in the signal dialog, and what opens it.

use crate::app::dialog::signal::{ConfirmStep, SignalDialog};
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::keymap::press_time::KeyPress;
use crate::app::mode::Mode;
use crate::app::session::notice::NoticeLevel;
use crate::app::session::pending_exit::PendingSignal;
use crate::app::{App, Request};
use crate::columns::span_of;
use crate::intent::{ConfirmedBy, FROZEN};
use crate::model::{ProcId, Process, Signal};
use crate::plan::signal::SignalPlan;

impl App {
    /// Opens the sacrifice dialog for the tagged processes, or for the one under the cursor.
    pub(crate) fn open_sacrifice(&mut self) {
        if !self.table.tags.is_empty() {
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
        let own = self.start.own;
        let plan = match signal {
            Some(signal) => SignalPlan::signal(process, own, scene, signal),
            None => SignalPlan::sacrifice(process, own, scene),
        };
        let plan = plan.map(|plan| plan.under(self.policy(), process, scene));
        match plan.map_err(str::to_owned).and_then(|plan| self.not_twice(process, plan)) {
            Ok(plan) => self.mode = Mode::Signal(SignalDialog::new(plan)),
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

    /// Opens the dialog for the predicted victim instead.
    pub(crate) fn retarget(&mut self) {
        let found = self.predicted_victim().and_then(|id| self.scene.as_ref()?.find(id)).cloned();
        match found {
            Some(process) => self.open_signal_dialog(&process, None),
            None => self.say(NoticeLevel::Warn, "there is no predicted victim"),
        }
    }

    /// Why a process that was signalled already is not killed again.
    pub(crate) fn already_signalled(&self, process: &Process, signal: Signal) -> Option<String> {
        if !signal.ends() {
            return None;
        }
        let Some(pending) = self.session.journal.pending_signal(process.id) else {
            let why = "it is ending already: the kernel or another program killed it";
            return process.dying.then(|| why.to_owned());
        };
        // A frozen process can be killed again, with a thaw.
        if pending.signal != Signal::KILL || pending.why.as_deref() == Some(FROZEN) {
            return None;
        }
        let ago = self.ago(pending);
        let why = pending.why.as_deref().unwrap_or("it is already exiting");
        Some(format!("not killed twice: SIGKILL was sent {ago} ago, {why}"))
    }

    /// Why the sacrifice of `next` has to wait: another process was signalled and still may exit.
    pub(crate) fn too_soon(&self, next: ProcId) -> Option<String> {
        let first = |it: &&PendingSignal| it.who != next && it.patience(self.now).is_some();
        self.too_soon_after(self.session.journal.pending.iter().find(first)?)
    }

    pub(crate) fn too_soon_after(&self, pending: &PendingSignal) -> Option<String> {
        let rest = span_of(pending.patience(self.now)?.0.div_ceil(1000));
        let PendingSignal { who, name, signal, .. } = pending;
        let ago = self.ago(pending);
        Some(format!(
            "wait: {who} {name} got {signal} {ago} ago; try again when it has exited, or in \
             {rest} (k does not wait)"
        ))
    }

    /// The plan, unless the process was signalled already or the last sacrifice has not exited yet. A
    /// sacrifice of a process that did not exit after SIGTERM becomes SIGKILL.
    ///
    /// # Errors
    /// Why the signal has to wait, or is not sent again.
    fn not_twice(&self, process: &Process, mut plan: SignalPlan) -> Result<SignalPlan, String> {
        if plan.sacrifice {
            if let Some(why) = self.too_soon(process.id) {
                return Err(why);
            }
            if let Some(pending) = self.session.journal.pending_signal(process.id)
                && pending.signal != Signal::KILL
            {
                if let Some(rest) = pending.patience(self.now) {
                    let (signal, ago) = (pending.signal, self.ago(pending));
                    let rest = span_of(rest.0.div_ceil(1000));
                    return Err(format!(
                        "{signal} was sent {ago} ago: you can send SIGKILL in {rest} (k does not wait)"
                    ));
                }
                plan.signal = Signal::KILL;
                plan.why = self.not_enough(pending);
            }
        }
        match self.already_signalled(process, plan.signal) {
            Some(why) => Err(why),
            None => Ok(plan),
        }
    }

    /// Why SIGKILL is sent now.
    fn not_enough(&self, pending: &PendingSignal) -> String {
        let why = pending.why.as_deref().unwrap_or("it has not ended yet");
        format!("{} {} ago did not end it: {why}", pending.signal, self.ago(pending))
    }

    fn ago(&self, pending: &PendingSignal) -> String {
        span_of(self.now.saturating_sub(pending.since).0 / 1000)
    }

    /// Names the key that offers SIGKILL for a process that did not exit.
    pub(crate) fn offer(&self) -> String {
        let key = self.keys.key_of(KeyContext::Browse, Action::Escalate);
        key.map_or_else(String::new, |key| format!("; {key} offers SIGKILL"))
    }

    /// Opens the SIGKILL dialog for a process that did not exit after another signal: the one under the
    /// cursor, or the only one.
    pub(crate) fn open_escalation(&mut self) {
        let stuck =
            |it: &&PendingSignal| it.signal != Signal::KILL && it.patience(self.now).is_none();
        let all: Vec<ProcId> =
            self.session.journal.pending.iter().filter(stuck).map(|it| it.who).collect();
        let here = self.selected().map(|process| process.id).filter(|id| all.contains(id));
        if here.is_none() && all.len() > 1 {
            let text = format!(
                "{} signalled processes are still running: put the cursor on one",
                all.len()
            );
            return self.say(NoticeLevel::Warn, text);
        }
        let Some(pending) = here.or_else(|| all.first().copied()) else {
            let waits = self.session.journal.pending.iter().find(|it| it.signal != Signal::KILL);
            let text = match waits.and_then(|it| Some((it, it.patience(self.now)?))) {
                Some((it, rest)) => {
                    let rest = span_of(rest.0.div_ceil(1000));
                    format!(
                        "{} {} may still exit after {}: wait {rest} more",
                        it.who, it.name, it.signal
                    )
                }
                None => "no signalled process is still running".to_owned(),
            };
            return self.say(NoticeLevel::Plain, text);
        };
        if self.may_act() {
            self.escalate(pending);
        }
    }

    /// Opens the SIGKILL dialog for this process.
    pub(crate) fn escalate(&mut self, who: ProcId) {
        let found = self.scene.as_ref().and_then(|scene| scene.find(who)).cloned();
        let Some(process) = found else {
            return self.say(NoticeLevel::Warn, format!("{who} is gone"));
        };
        let why = self.session.journal.pending_signal(who).map(|it| self.not_enough(it));
        self.open_signal_dialog(&process, Some(Signal::KILL));
        if let (Mode::Signal(confirm), Some(why)) = (&mut self.mode, why) {
            confirm.plan.why = why;
        }
    }

    pub(crate) fn signal_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let viewport = self.display.viewport;
        let Mode::Signal(confirm) = &mut self.mode else { return Vec::new() };
        let meaning = self.keys.meaning(KeyContext::Confirm, key);
        // Leaving is always allowed, anything else only once the dialog was seen.
        match meaning {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was signalled");
                return Vec::new();
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was signalled"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(action) if action.step(viewport.page).is_some() => {
                let by = action.step(viewport.page).unwrap_or_default();
                confirm.top = viewport.scroll(confirm.top, by);
                return Vec::new();
            }
            Some(Action::Yes | Action::Apply) if !viewport.dialog => {
                self.say(
                    NoticeLevel::Warn,
                    "nothing was done: read all of it first, Down shows more",
                );
                return Vec::new();
            }
            _ if !confirm.shown.was_seen_at(press.at) => return Vec::new(),
            // Digits may follow each other fast. A confirming key must not.
            Some(action) if !press.alone => {
                if matches!(action, Action::Yes) {
                    let text =
                        "nothing was done: more input came with the confirming key; press it alone";
                    self.say(NoticeLevel::Warn, text);
                }
                return Vec::new();
            }
            _ => {}
        }
        let pid = confirm.plan.who.pid;
        match (meaning, &mut confirm.step) {
            (Some(Action::SwapSignal), _) if confirm.plan.sacrifice => confirm.swap(),
            (Some(Action::WithSharers), _) => self.open_with_sharers(),
            (Some(Action::Retarget), _) if confirm.plan.sacrifice => self.retarget(),
            (Some(Action::Yes), ConfirmStep::Yes) => {
                let intent = confirm.plan.intent(ConfirmedBy::Plain);
                self.mode = Mode::Browse;
                return vec![Request::Act(intent)];
            }
            (Some(Action::Apply), ConfirmStep::TypePid { typed, .. })
                if typed.parse() == Ok(pid) =>
            {
                let intent = confirm.plan.intent(ConfirmedBy::TypedPid);
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
