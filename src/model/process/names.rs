//! Names that are learned lazily, off the sampling path: users and command lines may block on a
//! directory server or on a process stuck in the kernel, and no ranking may wait for either.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::model::{Comm, ProcId, Process, Reading, Text};

/// What is known so far.
#[derive(Clone, Debug, Default)]
pub struct Names {
    users: Arc<BTreeMap<u32, Text>>,
    /// With the name at that time: after an exec the line is another one.
    commands: HashMap<ProcId, (Comm, Arc<Text>)>,
}

impl Names {
    /// Takes the user names.
    pub fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.users = users;
    }

    /// Takes a command line.
    pub fn learn_command(&mut self, process: &Process, line: Arc<Text>) {
        self.commands.insert(process.id, (process.comm, line));
    }

    /// Forgets the command lines of processes that are gone, once there are more than so many.
    pub fn forget(&mut self, most: usize, alive: impl Fn(ProcId) -> bool) {
        if self.commands.len() > most {
            self.commands.retain(|&id, _| alive(id));
        }
    }

    /// Whether the command line was read already.
    #[must_use]
    pub fn knows_command(&self, process: &Process) -> bool {
        matches!(process.cmdline, Reading::Value(_)) || self.learned(process).is_some()
    }

    /// The names of users, to share.
    #[must_use]
    pub fn users(&self) -> Arc<BTreeMap<u32, Text>> {
        Arc::clone(&self.users)
    }

    /// The command line that was learned, to share.
    #[must_use]
    pub fn line(&self, process: &Process) -> Option<Arc<Text>> {
        self.learned(process).cloned()
    }

    /// The user's name, if it is known.
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
