//! User names and command lines, which are looked up outside of sampling: both may block, on a
//! directory server or on a process that is stuck in the kernel, and no ranking waits for them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use crate::model::{Comm, ProcId, Process, Reading, Text};

/// The names that are known so far.
#[derive(Clone, Debug, Default)]
pub struct Names {
    users: Arc<BTreeMap<u32, Text>>,
    /// With the `comm` at that time: an exec changes the command line.
    commands: HashMap<ProcId, (Comm, Arc<Text>)>,
    /// Processes that did not answer when their command line was read.
    passed_over: BTreeSet<ProcId>,
}

impl Names {
    /// Replaces the user names.
    pub fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.users = users;
    }

    /// Stores the command line of a process.
    pub fn learn_command(&mut self, process: &Process, line: Arc<Text>) {
        self.passed_over.remove(&process.id);
        self.commands.insert(process.id, (process.comm, line));
    }

    /// Notes that a process does not answer: its command line may come later, or never.
    pub fn pass_over(&mut self, process: &Process) {
        self.passed_over.insert(process.id);
    }

    /// Whether a process did not answer when its command line was read.
    #[must_use]
    pub fn was_passed_over(&self, process: &Process) -> bool {
        self.passed_over.contains(&process.id)
    }

    /// If there are more than `most` command lines, drops those of processes for which `alive` is
    /// false; of those that did not answer always.
    pub fn forget(&mut self, most: usize, alive: impl Fn(ProcId) -> bool) {
        if self.commands.len() > most {
            self.commands.retain(|&id, _| alive(id));
        }
        self.passed_over.retain(|&id| alive(id));
    }

    /// Whether the command line of a process is known.
    #[must_use]
    pub fn knows_command(&self, process: &Process) -> bool {
        matches!(process.cmdline, Reading::Value(_)) || self.learned(process).is_some()
    }

    /// The user names by uid, shared.
    #[must_use]
    pub fn users(&self) -> Arc<BTreeMap<u32, Text>> {
        Arc::clone(&self.users)
    }

    /// The stored command line, shared.
    #[must_use]
    pub fn line(&self, process: &Process) -> Option<Arc<Text>> {
        self.learned(process).cloned()
    }

    /// The name of a user, if it is known.
    #[must_use]
    pub fn user(&self, uid: u32) -> Option<&str> {
        self.users.get(&uid).map(Text::as_str)
    }

    fn learned(&self, process: &Process) -> Option<&Arc<Text>> {
        let (comm, line) = self.commands.get(&process.id)?;
        (*comm == process.comm).then_some(line)
    }

    /// The command line, if it is known and not empty.
    #[must_use]
    pub fn command<'a>(&'a self, process: &'a Process) -> Option<&'a str> {
        let line = match &process.cmdline {
            Reading::Value(line) => line,
            _ => self.learned(process)?,
        };
        Some(line.as_str()).filter(|line| !line.is_empty())
    }
}
