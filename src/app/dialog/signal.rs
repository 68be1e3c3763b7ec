//! The dialog before a signal. It names everything that the signal entails; only its own confirmation
//! sends the signal.

use crate::app::keymap::press_time::ShownSince;
use crate::model::{ProcessDetail, Scene};
use crate::plan::signal::SignalPlan;

/// What it takes to confirm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfirmStep {
    /// The key `y`.
    Yes,
    /// The pid, then Enter.
    TypePid {
        /// Typed so far.
        typed: String,
        /// Why a key is not enough.
        why: &'static str,
    },
}

/// The dialog.
#[derive(Clone, Debug)]
pub struct SignalDialog {
    /// The signal, and what it entails.
    pub plan: SignalPlan,
    /// What it takes to confirm.
    pub step: ConfirmStep,
    /// Whether the detail of the process was asked for, or is not needed.
    pub asked: bool,
    /// The lines scrolled off, where the screen is too small for all of it.
    pub top: u16,
    /// Since when it is on the screen.
    pub shown: ShownSince,
}

impl SignalDialog {
    /// Opens the dialog.
    #[must_use]
    pub fn new(plan: SignalPlan) -> Self {
        let step = match plan.protected {
            Some(why) => ConfirmStep::TypePid { typed: String::new(), why },
            None => ConfirmStep::Yes,
        };
        let asked = !plan.signal.ends();
        Self { plan, step, asked, top: 0, shown: ShownSince::default() }
    }

    /// Takes what was read about the process.
    pub fn learn(&mut self, detail: ProcessDetail, scene: &Scene) {
        self.plan.learn(detail, scene);
        self.ask_anew();
    }

    /// Asks about the other signal of a sacrifice.
    pub fn swap(&mut self) {
        self.plan.swap();
        self.ask_anew();
    }

    /// The question is another one, so it has to be seen again, from its first line on.
    fn ask_anew(&mut self) {
        self.top = 0;
        self.shown = ShownSince::default();
    }
}
