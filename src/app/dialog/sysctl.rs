//! The editor of the kernel's switches: overcommit, and what an OOM does. What would follow from a
//! value stands there before anything is written; what could stop the machine asks once more.

use crate::app::keymap::press::ShownSince;
use crate::model::{Reading, Snapshot, Sysctl, global_total};
use crate::plan::overcommit::{OvercommitForecast, OvercommitRoom, SysctlDanger};

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

    pub(crate) fn go_to(&mut self, knob: Sysctl, sample: &Snapshot) {
        self.knob = knob;
        self.from = sample.sysctl(knob);
        self.typed = self.from.value().map_or_else(String::new, |value| value.to_string());
        self.fresh = true;
        self.reverting = false;
    }

    pub(crate) fn step(&mut self, by: isize, sample: &Snapshot) {
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

    pub(crate) fn set(&mut self, value: u64) {
        self.typed = value.min(self.knob.highest()).to_string();
        self.fresh = true;
        self.reverting = false;
    }

    /// So much more or less, by what makes a difference in this switch.
    pub(crate) fn nudge(&mut self, up: bool, fine: bool) {
        let step = match self.knob {
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

    /// The values worth a key of their own, without those that are none here.
    pub(crate) fn presets(&self, sample: &Snapshot) -> Vec<u64> {
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
    pub(crate) fn next_preset(&mut self, sample: &Snapshot) {
        let presets = self.presets(sample);
        let now = self.typed.parse().ok();
        let next = presets.iter().find(|&&preset| now.is_some_and(|now| preset > now));
        if let Some(&preset) = next.or_else(|| presets.first()) {
            self.set(preset);
        }
    }

    pub(crate) fn foresee(&mut self, sample: &Snapshot) {
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
