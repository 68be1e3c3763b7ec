//! A proc tree whose names may be redacted: what the lookup threads read from.

use std::collections::BTreeMap;

use crate::model::{ProcId, ProcessDetail, Text};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::{detail, lookup};
use crate::source::Redactor;

/// The tree and, with `--redact`, what replaces names.
pub(crate) struct LookupRoot {
    /// The tree.
    pub(crate) root: ProcRoot,
    /// `None`: names stay as they are.
    pub(crate) redactor: Option<Redactor>,
}

impl LookupRoot {
    /// The names of all users. A directory server may block this.
    pub(crate) fn user_names(&self) -> BTreeMap<u32, Text> {
        let users = lookup::user_names(&self.root);
        match &self.redactor {
            Some(redactor) => redactor.users(&users),
            None => users,
        }
    }

    /// The command line of a process. A process that is stuck in the kernel may block this.
    pub(crate) fn command_line(&self, id: ProcId) -> Option<Text> {
        let line = lookup::command_line(&self.root, id)?;
        Some(match &self.redactor {
            Some(redactor) => redactor.line(&line),
            None => line,
        })
    }

    /// What a dialog shows about one process.
    pub(crate) fn detail(&self, id: ProcId) -> Option<ProcessDetail> {
        let mut detail = detail::detail(&self.root, id)?;
        if let Some(redactor) = &self.redactor {
            redactor.process_detail(&mut detail);
        }
        Some(detail)
    }
}
