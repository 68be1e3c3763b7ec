//! Names of users and command lines for the commands without a screen. They wait for the lookup threads, but
//! not for long.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use crate::model::{Comm, Names, ProcId, Process, Reading, Snapshot, Text};
use crate::sample::process::stall_proof_reader::{LookupAnswer, StallProofReader};
use crate::shell::worker::command_lines;
use crate::shell::worker::lookup_root::LookupRoot;

/// Maximum time that a refresh waits for names.
const TIMEOUT: Duration = Duration::from_millis(800);

/// Whether command lines are looked up, beside the names of users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CommandLines {
    /// Nothing shows them or filters or sorts by them.
    NotNeeded,
    /// Of all processes.
    Needed,
}

/// The lookup threads, and what was asked of them.
pub(crate) struct NameLookup {
    reader: StallProofReader<Option<Arc<Text>>>,
    /// The names of users, until they have arrived.
    users: Option<Receiver<BTreeMap<u32, Text>>>,
    requested: HashMap<ProcId, Comm>,
    /// Answers that are still to come.
    outstanding: usize,
}

impl NameLookup {
    /// Starts the threads.
    pub(crate) fn start(root: LookupRoot) -> Option<Self> {
        let root = Arc::new(root);
        let (outbox, users) = channel();
        let take = move |names| drop(outbox.send(names));
        command_lines::read_users(Arc::clone(&root), take)?;
        let reader = command_lines::reader(root)?;
        Some(Self { reader, users: Some(users), requested: HashMap::new(), outstanding: 0 })
    }

    /// Requests what is not known and takes what arrives in time. What is late comes with the next
    /// refresh.
    pub(crate) fn learn(&mut self, names: &mut Names, snapshot: &Snapshot, lines: CommandLines) {
        self.requested.retain(|&id, _| snapshot.find(id).is_some());
        if lines == CommandLines::Needed {
            self.request(snapshot);
        }
        let end = Instant::now() + TIMEOUT;
        // First what a stuck process may delay: a directory server that is stuck must not take its time, too.
        while self.outstanding > 0 {
            let Some((who, answer)) = self.reader.next(end) else { break };
            self.outstanding -= usize::from(!matches!(answer, LookupAnswer::Late(_)));
            let Some(process) = snapshot.find(who) else { continue };
            match answer {
                LookupAnswer::Read(Some(line)) | LookupAnswer::Late(Some(line)) => {
                    names.learn_command(process, line);
                }
                LookupAnswer::PassedOver => names.pass_over(process),
                LookupAnswer::Read(None) | LookupAnswer::Late(None) => {}
            }
        }
        if let Some(users) = &self.users
            && let Ok(users) = users.recv_timeout(end.saturating_duration_since(Instant::now()))
        {
            names.learn_users(Arc::new(users));
            self.users = None;
        }
    }

    /// The same, and puts what is known into the snapshot.
    pub(crate) fn complete(
        &mut self,
        names: &mut Names,
        snapshot: &mut Arc<Snapshot>,
        lines: CommandLines,
    ) {
        self.learn(names, snapshot, lines);
        if let Some(snapshot) = Arc::get_mut(snapshot) {
            snapshot.users = names.users();
            for process in &mut snapshot.processes {
                if let Some(line) = names.line(process) {
                    process.cmdline = Reading::Value(line);
                }
            }
        }
    }

    /// Requests the command lines of new processes, and of those with a new name.
    fn request(&mut self, snapshot: &Snapshot) {
        let mut is_new = |process: &&Process| {
            !process.is_kernel_thread()
                && self.requested.insert(process.id, process.comm) != Some(process.comm)
        };
        let processes = snapshot.processes.iter();
        let wanted: Vec<ProcId> = processes.filter(&mut is_new).map(|process| process.id).collect();
        self.outstanding += wanted.len();
        self.reader.request(wanted);
    }
}
