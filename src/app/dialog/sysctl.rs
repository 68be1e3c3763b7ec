//! The sysctl editor: overcommit, and what the kernel does on OOM. It shows a forecast before anything
//! is written; a value that could stop the machine has to be confirmed again.

use crate::app::keymap::press_time::ShownSince;
use crate::model::{Reading, Snapshot, Sysctl, global_total};
use crate::plan::overcommit::{OvercommitForecast, OvercommitRoom, SysctlDanger};

/// The editor.
#[derive(Clone, Debug)]
pub struct SysctlDialog {
    /// The sysctl under the cursor.
    pub sysctl: Sysctl,
    /// Its value when the cursor came to it.
    pub from: Reading<u64>,
    /// The typed text; at most a few digits.
    pub typed: String,
    /// Whether the next digit replaces the text.
    pub fresh: bool,
    /// The forecast for the value.
    pub forecast: Option<OvercommitForecast>,
    /// Why a write would be refused, known before it is tried.
    pub hindrance: Option<&'static str>,
    /// Whether it proposes the value before the last write.
    pub reverting: bool,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

/// The dialog that confirms a dangerous value.
#[derive(Clone, Debug)]
pub struct ConfirmSysctl {
    /// The sysctl.
    pub sysctl: Sysctl,
    /// The value the user saw.
    pub from: u64,
    /// The value to write.
    pub to: u64,
    /// The danger.
    pub danger: SysctlDanger,
    /// The forecast for the value.
    pub forecast: Option<OvercommitForecast>,
    /// Whether it restores the value before the last write.
    pub reverting: bool,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl SysctlDialog {
    /// Opens the editor at a sysctl.
    #[must_use]
    pub fn new(sysctl: Sysctl, sample: &Snapshot) -> Self {
        let mut edit = Self {
            sysctl,
            from: Reading::NotAsked,
            typed: String::new(),
            fresh: true,
            forecast: None,
            hindrance: sample.privileges.sysctls_writable.hindrance(),
            reverting: false,
            shown: ShownSince::default(),
        };
        edit.go_to(sysctl, sample);
        edit
    }

    pub(crate) fn go_to(&mut self, sysctl: Sysctl, sample: &Snapshot) {
        self.sysctl = sysctl;
        self.from = sample.sysctl(sysctl);
        self.typed = self.from.value().map_or_else(String::new, |value| value.to_string());
        self.fresh = true;
        self.reverting = false;
    }

    pub(crate) fn step(&mut self, by: isize, sample: &Snapshot) {
        let at = Sysctl::ALL.iter().position(|&sysctl| sysctl == self.sysctl).unwrap_or(0);
        let next = at.saturating_add_signed(by).min(Sysctl::ALL.len() - 1);
        self.go_to(Sysctl::ALL[next], sample);
    }

    /// The value that Enter would write; nothing where the text is not a valid value.
    #[must_use]
    pub fn value(&self) -> Option<u64> {
        let value: u64 = self.typed.parse().ok()?;
        (value <= self.sysctl.highest()).then_some(value)
    }

    /// What should be typed.
    #[must_use]
    pub fn complaint(&self) -> String {
        format!("a number from 0 to {}", self.sysctl.highest())
    }

    pub(crate) fn set(&mut self, value: u64) {
        self.typed = value.min(self.sysctl.highest()).to_string();
        self.fresh = true;
        self.reverting = false;
    }

    /// Changes the value by a step that makes a difference for this sysctl.
    pub(crate) fn nudge(&mut self, up: bool, fine: bool) {
        let step = match self.sysctl {
            Sysctl::OvercommitRatio | Sysctl::Swappiness if !fine => 5,
            Sysctl::OvercommitKbytes if fine => 64 << 10,
            Sysctl::OvercommitKbytes => 1 << 20,
            _ => 1,
        };
        let now: u64 = self.typed.parse().unwrap_or(0);
        self.set(if up { now.saturating_add(step) } else { now.saturating_sub(step) });
    }

    pub(crate) fn push(&mut self, digit: char) {
        if std::mem::take(&mut self.fresh) {
            self.typed.clear();
        }
        self.reverting = false;
        if self.typed.len() < 13 {
            self.typed.push(digit);
        }
    }

    /// The presets of this sysctl on this machine.
    pub(crate) fn presets(&self, sample: &Snapshot) -> Vec<u64> {
        match self.sysctl {
            Sysctl::OvercommitMemory | Sysctl::PanicOnOom => vec![0, 1, 2],
            Sysctl::KillAllocatingTask => vec![0, 1],
            Sysctl::Swappiness => vec![0, 1, 10, 60, 100],
            Sysctl::OvercommitRatio => vec![50, 80, 90, 100],
            Sysctl::OvercommitKbytes => {
                // All RAM, and what leaves a tenth of room above the present commitments.
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

    /// Goes to the next higher preset; after the last to the first.
    pub(crate) fn next_preset(&mut self, sample: &Snapshot) {
        let presets = self.presets(sample);
        let now = self.typed.parse().ok();
        let next = presets.iter().find(|&&preset| now.is_some_and(|now| preset > now));
        if let Some(&preset) = next.or_else(|| presets.first()) {
            self.set(preset);
        }
    }

    pub(crate) fn renew_forecast(&mut self, sample: &Snapshot) {
        let value = self.value();
        self.forecast = value.and_then(|value| OvercommitForecast::of(self.sysctl, value, sample));
    }

    /// The danger of the value, at once or at the next OOM.
    #[must_use]
    pub fn danger(&self) -> Option<SysctlDanger> {
        let (value, from) = (self.value()?, self.from.value()?);
        if self.sysctl == Sysctl::PanicOnOom {
            return (value > from).then_some(SysctlDanger::Panics);
        }
        let forecast = self.forecast?;
        // A value that gives more room than now does no harm, even where it is not enough.
        let worse =
            self.sysctl == Sysctl::OvercommitMemory || forecast.limit < forecast.limit_before;
        match forecast.room() {
            OvercommitRoom::Nobody if worse && value != from => Some(SysctlDanger::NoMemory),
            OvercommitRoom::RootOnly if worse && value != from => {
                Some(SysctlDanger::NoMemoryButRoot)
            }
            _ => None,
        }
    }

    /// The command that writes the same value.
    #[must_use]
    pub fn command(&self) -> Option<String> {
        self.value().map(|value| format!("sysctl -w {}={value}", self.sysctl))
    }

    /// The line of a file in `/etc/sysctl.d` that writes it at every boot.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        self.value().map(|value| format!("{} = {value}", self.sysctl))
    }
}
