//! The editor of the kernel's switches: overcommit, and what an OOM does. What would follow from a
//! value stands there before anything is written; what could stop the machine asks once more.

use crate::app::dialog::mode::{KeyPress, Mode, ShownSince};
use crate::app::keymap::bindings;
use crate::app::keymap::bindings::{Action, Key, KeyCode, KeyContext};
use crate::app::{App, NoticeLevel, Request};
use crate::intent::Intent;
use crate::model::{OvercommitMode, Reading, Snapshot, Sysctl, commit_limit, global_total};
use crate::units::Kib;

/// What would follow for promises of memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OvercommitForecast {
    /// The commit limit now, as the kernel tells it.
    pub limit_before: Kib,
    /// The commit limit then.
    pub limit: Kib,
    /// What is promised now.
    pub committed: Kib,
    /// The mode then.
    pub mode: OvercommitMode,
    /// What is kept for root then.
    pub admin_reserve: Kib,
    /// The most that is kept from one process then.
    pub user_reserve: Kib,
    /// The limit as computed for the present values is not the kernel's: sizes in this place are
    /// not the machine's own.
    pub foreign: bool,
}

/// Who could still be promised memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OvercommitRoom {
    /// Nothing is refused by the limit.
    Unlimited,
    /// There is room for all.
    Enough,
    /// Large processes would be refused: up to 1/32 of its own size is kept from each.
    NotForLarge,
    /// Only those of root (CAP_SYS_ADMIN) could have more.
    RootOnly,
    /// Nobody could have any more.
    Nobody,
}

impl OvercommitForecast {
    /// What would follow from `value` in `knob`. Nothing where the look does not tell enough.
    #[must_use]
    pub fn of(knob: Sysctl, value: u64, sample: &Snapshot) -> Option<Self> {
        let seen = |wanted: Sysctl| {
            if wanted == knob {
                return Some(value);
            }
            // Of ratio and KiB only one counts.
            if knob.zeroes() == Some(wanted) { Some(0) } else { sample.sysctl(wanted).value() }
        };
        let page = sample.machine.page_size;
        let limit = |ratio: u64, kbytes: u64| {
            let pages = commit_limit(&sample.memory, &sample.swap, page, ratio, Kib(kbytes));
            Kib(pages.bytes(page).0 / 1024)
        };
        let charge = sample.overcommit.charge()?;
        // A kernel before 3.14 has no KiB.
        let kbytes = |seen: Option<u64>| seen.unwrap_or(0);
        let present = limit(
            sample.overcommit.ratio.value()?,
            kbytes(sample.overcommit.kbytes.value().map(|kib| kib.0)),
        );
        let computed =
            limit(seen(Sysctl::OvercommitRatio)?, kbytes(seen(Sysctl::OvercommitKbytes)));
        let counts = matches!(knob, Sysctl::OvercommitRatio | Sysctl::OvercommitKbytes);
        let mode = u8::try_from(seen(Sysctl::OvercommitMemory)?).unwrap_or(u8::MAX);
        Some(Self {
            limit_before: charge.limit,
            limit: if counts { computed } else { charge.limit },
            committed: charge.committed,
            mode: OvercommitMode::from(mode),
            admin_reserve: sample.overcommit.admin_reserve_kib.value().unwrap_or_default(),
            user_reserve: sample.overcommit.user_reserve_kib.value().unwrap_or_default(),
            foreign: counts && present != charge.limit,
        })
    }

    /// Who could still be promised memory (`mm/util.c` `__vm_enough_memory`).
    #[must_use]
    pub fn room(&self) -> OvercommitRoom {
        let free = self.limit.saturating_sub(self.committed);
        if !self.mode.enforces() {
            OvercommitRoom::Unlimited
        } else if free == Kib::ZERO {
            OvercommitRoom::Nobody
        } else if free <= self.admin_reserve {
            OvercommitRoom::RootOnly
        } else if free <= self.admin_reserve + self.user_reserve {
            OvercommitRoom::NotForLarge
        } else {
            OvercommitRoom::Enough
        }
    }
}

/// The switches' part of the app: what was turned from here.
#[derive(Clone, Debug, Default)]
pub struct SysctlHistory {
    /// Each switch and what it was before, oldest first: what `r` proposes in the editor.
    pub earlier: Vec<(Sysctl, u64)>,
    /// The write that is under way puts the last of them back.
    pub(crate) reverting: bool,
}

/// So many are remembered.
const REMEMBERED: usize = 100;

impl SysctlHistory {
    /// Takes in that a switch was turned, and what it was before.
    pub(crate) fn take(&mut self, before: (Sysctl, u64)) {
        if std::mem::take(&mut self.reverting) {
            self.earlier.pop();
            return;
        }
        if self.earlier.len() == REMEMBERED {
            self.earlier.remove(0);
        }
        self.earlier.push(before);
    }
}

/// The editor.
#[derive(Clone, Debug)]
pub struct SysctlDialog {
    /// The switch under the cursor.
    pub knob: Sysctl,
    /// Its value as the user saw it when the cursor came there.
    pub from: Reading<u64>,
    /// As typed; always short.
    pub typed: String,
    /// Whether the next character replaces what stands there.
    pub fresh: bool,
    /// What would follow.
    pub forecast: Option<OvercommitForecast>,
    /// What will refuse it, known before it is tried.
    pub hindrance: Option<&'static str>,
    /// Whether it proposes to put the last one back.
    pub reverting: bool,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

/// The question that a grave value asks once more.
#[derive(Clone, Debug)]
pub struct ConfirmSysctl {
    /// Which switch.
    pub knob: Sysctl,
    /// The value the user saw.
    pub from: u64,
    /// The value to write.
    pub to: u64,
    /// What will happen.
    pub grave: SysctlDanger,
    /// What would follow, as it was foreseen.
    pub forecast: Option<OvercommitForecast>,
    /// Whether it puts the last one back.
    pub reverting: bool,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

/// Why a value asks once more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SysctlDanger {
    /// Every allocation fails at once.
    NoMemory,
    /// Every allocation fails at once but those of root.
    NoMemoryButRoot,
    /// The next OOM panics the kernel.
    Panics,
}

impl SysctlDialog {
    /// Opens the editor at a switch.
    #[must_use]
    pub fn new(knob: Sysctl, sample: &Snapshot) -> Self {
        let mut edit = Self {
            knob,
            from: Reading::NotAsked,
            typed: String::new(),
            fresh: true,
            forecast: None,
            hindrance: sample.privileges.sysctls_writable.hindrance(),
            reverting: false,
            shown: ShownSince::default(),
        };
        edit.go_to(knob, sample);
        edit
    }

    fn go_to(&mut self, knob: Sysctl, sample: &Snapshot) {
        self.knob = knob;
        self.from = sample.sysctl(knob);
        self.typed = self.from.value().map_or_else(String::new, |value| value.to_string());
        self.fresh = true;
        self.reverting = false;
    }

    fn step(&mut self, by: isize, sample: &Snapshot) {
        let at = Sysctl::ALL.iter().position(|&knob| knob == self.knob).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(Sysctl::ALL.len() - 1);
        self.go_to(Sysctl::ALL[next], sample);
    }

    /// The value that Enter would write; nothing if what is typed is none.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        let value: u64 = self.typed.parse().ok()?;
        (value <= self.knob.highest()).then_some(value)
    }

    /// What is wrong with what is typed.
    #[must_use]
    pub fn complaint(&self) -> String {
        format!("a number from 0 to {}", self.knob.highest())
    }

    fn set(&mut self, value: u64) {
        self.typed = value.min(self.knob.highest()).to_string();
        self.fresh = true;
        self.reverting = false;
    }

    /// So much more or less, by what makes a difference in this switch.
    fn nudge(&mut self, up: bool, fine: bool) {
        let step = match self.knob {
            Sysctl::OvercommitRatio | Sysctl::Swappiness if !fine => 5,
            Sysctl::OvercommitKbytes if fine => 64 << 10,
            Sysctl::OvercommitKbytes => 1 << 20,
            _ => 1,
        };
        let now: u64 = self.typed.parse().unwrap_or(0);
        self.set(if up { now.saturating_add(step) } else { now.saturating_sub(step) });
    }

    fn push(&mut self, digit: char) {
        if std::mem::take(&mut self.fresh) {
            self.typed.clear();
        }
        self.reverting = false;
        if self.typed.len() < 13 {
            self.typed.push(digit);
        }
    }

    /// The values worth a key of their own, without those that are none here.
    fn presets(&self, sample: &Snapshot) -> Vec<u64> {
        match self.knob {
            Sysctl::OvercommitMemory | Sysctl::PanicOnOom => vec![0, 1, 2],
            Sysctl::KillAllocatingTask => vec![0, 1],
            Sysctl::Swappiness => vec![0, 1, 10, 60, 100],
            Sysctl::OvercommitRatio => vec![50, 80, 90, 100],
            Sysctl::OvercommitKbytes => {
                // All RAM, and what leaves today's promises a tenth of room.
                let page = sample.machine.page_size;
                let all = global_total(&sample.memory, &sample.swap, page).bytes(page).0 / 1024;
                let swap = sample.swap.lasting().0;
                let promised = sample.overcommit.committed_kib.value().unwrap_or_default().0;
                let roomy = (promised + promised / 10).saturating_sub(swap);
                let mut found = vec![0, all.saturating_sub(swap), roomy];
                found.sort_unstable();
                found.dedup();
                found
            }
        }
    }

    /// The next preset above what is typed; the first one behind the last.
    fn next_preset(&mut self, sample: &Snapshot) {
        let presets = self.presets(sample);
        let now = self.typed.parse().ok();
        let next = presets.iter().find(|&&preset| now.is_some_and(|now| preset > now));
        if let Some(&preset) = next.or_else(|| presets.first()) {
            self.set(preset);
        }
    }

    fn foresee(&mut self, sample: &Snapshot) {
        let value = self.value();
        self.forecast = value.and_then(|value| OvercommitForecast::of(self.knob, value, sample));
    }

    /// What would happen at once, or at the next OOM, if this were written.
    #[must_use]
    pub fn grave(&self) -> Option<SysctlDanger> {
        let (value, from) = (self.value()?, self.from.value()?);
        if self.knob == Sysctl::PanicOnOom {
            return (value > from).then_some(SysctlDanger::Panics);
        }
        let forecast = self.forecast?;
        // Who makes more room than there is does no harm, even where it is not enough yet.
        let worse = self.knob == Sysctl::OvercommitMemory || forecast.limit < forecast.limit_before;
        match forecast.room() {
            OvercommitRoom::Nobody if worse && value != from => Some(SysctlDanger::NoMemory),
            OvercommitRoom::RootOnly if worse && value != from => {
                Some(SysctlDanger::NoMemoryButRoot)
            }
            _ => None,
        }
    }

    /// The command that does the same.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        self.value().map(|value| format!("sysctl -w {}={value}", self.knob))
    }

    /// The line of a file in `/etc/sysctl.d` that does it at every boot.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        self.value().map(|value| format!("{} = {value}", self.knob))
    }
}

impl App {
    /// Opens the editor of the switches.
    pub(crate) fn open_sysctls(&mut self) {
        if !self.may_act() {
            return;
        }
        let Some(scene) = &self.scene else { return };
        self.mode = Mode::Sysctl(SysctlDialog::new(Sysctl::OvercommitMemory, scene.now()));
        self.renew_sysctl_forecast();
    }

    /// Computes what would follow again.
    pub(crate) fn renew_sysctl_forecast(&mut self) {
        if let (Mode::Sysctl(edit), Some(scene)) = (&mut self.mode, &self.scene) {
            edit.foresee(scene.now());
        }
    }

    pub(crate) fn sysctl_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let (Mode::Sysctl(edit), Some(scene)) = (&mut self.mode, &self.scene) else {
            return Vec::new();
        };
        let sample = scene.now();
        match bindings::meaning(KeyContext::Sysctl, key) {
            Some(Action::Up) => edit.step(-1, sample),
            Some(Action::Down) => edit.step(1, sample),
            Some(Action::First) => edit.go_to(Sysctl::ALL[0], sample),
            Some(Action::Last) => edit.go_to(Sysctl::ALL[Sysctl::ALL.len() - 1], sample),
            Some(Action::StepDown) => edit.nudge(false, false),
            Some(Action::StepUp) => edit.nudge(true, false),
            Some(Action::FineDown) => edit.nudge(false, true),
            Some(Action::FineUp) => edit.nudge(true, true),
            Some(Action::NextPreset) => edit.next_preset(sample),
            Some(Action::Revert) => match self.sysctl_history.earlier.last() {
                Some(&(knob, before)) => {
                    edit.go_to(knob, sample);
                    edit.set(before);
                    edit.reverting = true;
                }
                None => self.say(NoticeLevel::Plain, "no switch was turned in this session"),
            },
            Some(Action::Copy) => return self.copy_sysctl(SysctlDialog::command),
            Some(Action::CopyLine) => return self.copy_sysctl(SysctlDialog::line),
            Some(Action::Apply) => return self.apply_sysctl(press),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            _ => match key.code {
                KeyCode::Char(c) if !key.ctrl && !key.alt && c.is_ascii_digit() => edit.push(c),
                KeyCode::Backspace | KeyCode::Delete => {
                    edit.fresh = false;
                    edit.reverting = false;
                    edit.typed.pop();
                }
                _ => {}
            },
        }
        self.renew_sysctl_forecast();
        Vec::new()
    }

    fn copy_sysctl(&mut self, text: fn(&SysctlDialog) -> Option<String>) -> Vec<Request> {
        let Mode::Sysctl(edit) = &self.mode else { return Vec::new() };
        let Some(text) = text(edit) else { return Vec::new() };
        self.say(NoticeLevel::Plain, format!("copied: {text}"));
        vec![Request::Copy(text)]
    }

    fn apply_sysctl(&mut self, press: KeyPress) -> Vec<Request> {
        let Mode::Sysctl(edit) = &self.mode else { return Vec::new() };
        if !edit.shown.confirms_at(press) {
            return Vec::new();
        }
        let knob = edit.knob;
        let Some(from) = edit.from.value() else {
            self.say(NoticeLevel::Warn, format!("{knob} cannot be read here"));
            return Vec::new();
        };
        let Some(to) = edit.value() else {
            let text = format!("{:?} is not {}", edit.typed, edit.complaint());
            self.say(NoticeLevel::Warn, text);
            return Vec::new();
        };
        if to == from {
            self.mode = Mode::Browse;
            self.say(NoticeLevel::Plain, format!("{knob} is {from} already: nothing was written"));
            return Vec::new();
        }
        let (forecast, reverting) = (edit.forecast, edit.reverting);
        if let Some(grave) = edit.grave() {
            let shown = ShownSince::default();
            self.mode = Mode::ConfirmSysctl(ConfirmSysctl {
                knob,
                from,
                to,
                grave,
                forecast,
                reverting,
                shown,
            });
            return Vec::new();
        }
        self.turn(knob, from, to, reverting)
    }

    fn turn(&mut self, knob: Sysctl, from: u64, to: u64, reverting: bool) -> Vec<Request> {
        self.mode = Mode::Browse;
        self.sysctl_history.reverting = reverting;
        vec![Request::Act(Intent::SetKnob { knob, from, to })]
    }

    pub(crate) fn confirm_sysctl_key(&mut self, key: Key, press: KeyPress) -> Vec<Request> {
        let Mode::ConfirmSysctl(sure) = &self.mode else { return Vec::new() };
        match bindings::meaning(KeyContext::Confirm, key) {
            Some(Action::Back) => {
                self.mode = Mode::Browse;
                self.say(NoticeLevel::Plain, "nothing was changed");
            }
            Some(Action::Quit) => return self.leave_dialog("nothing was changed"),
            Some(Action::Suspend) => return vec![Request::Suspend],
            Some(Action::Yes) if sure.shown.confirms_at(press) => {
                let (knob, from, to, reverting) = (sure.knob, sure.from, sure.to, sure.reverting);
                return self.turn(knob, from, to, reverting);
            }
            _ => {}
        }
        Vec::new()
    }
}
