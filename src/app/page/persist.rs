//! The page that shows how a value is made persistent.

use tui_input::Input;

use crate::app::dialog::adjust::AdjustDialog;
use crate::model::{ProcId, Process, Snapshot};
use crate::plan::persist::{PersistMethod, methods};
use crate::units::Adj;

/// The page.
#[derive(Clone, Debug)]
pub struct PersistPage {
    /// The process.
    pub who: ProcId,
    /// The name the user saw.
    pub name: String,
    /// The value to make persistent.
    pub value: Adj,
    /// The methods.
    pub methods: Vec<PersistMethod>,
    /// The cursor.
    pub at: usize,
    /// The path that is being typed.
    pub path: Option<Input>,
    /// The adj editor from which it was opened.
    pub edit: Option<Box<AdjustDialog>>,
}

impl PersistPage {
    /// Opens the page; `command` is the command line, where it is known.
    #[must_use]
    pub fn new(process: &Process, value: Adj, command: Option<&str>, now: &Snapshot) -> Self {
        Self {
            who: process.id,
            name: process.comm.to_string(),
            value,
            methods: methods(process, value, command, now),
            at: 0,
            path: None,
            edit: None,
        }
    }

    /// Takes a new sample: the cgroup may be known now.
    pub fn renew(&mut self, process: &Process, command: Option<&str>, now: &Snapshot) {
        // A path that is being typed belongs to the chosen method.
        if self.path.is_none() {
            self.methods = methods(process, self.value, command, now);
            self.at = self.at.min(self.methods.len().saturating_sub(1));
        }
    }

    /// The chosen method.
    #[must_use]
    pub fn chosen(&self) -> Option<&PersistMethod> {
        self.methods.get(self.at)
    }
}
