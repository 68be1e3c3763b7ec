//! The slow reader: a thread for what may block on a directory server or on a process stuck in the
//! kernel. Nobody waits for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::Msg;
use crate::model::{Comm, Names, ProcId, Process, Snapshot, Text};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::{detail, lookup};
use crate::source::Redactor;

use crate::shell::tui::Event;

/// Lines are handed over in portions, so that the first are seen before the last are read.
const PORTION: usize = 64;

/// Where names are read, and what they become on the way out.
pub(crate) struct LookupWorker {
    /// The tree.
    pub(crate) root: ProcRoot,
    /// Replaces them, where that is asked for.
    pub(crate) redactor: Option<Redactor>,
}

/// Starts the thread; command lines are asked for through what comes back.
pub(crate) fn start(reader: LookupWorker, inbox: Sender<Event>) -> Option<Sender<Vec<ProcId>>> {
    let LookupWorker { root, redactor } = reader;
    let names = redactor.clone();
    let line_of = move |id: ProcId| {
        let line = lookup::command_line(&root, id)?;
        Some(redactor.as_ref().map_or_else(|| line.clone(), |it| it.line(&line)))
    };
    let (orders, asked) = channel::<Vec<ProcId>>();
    let work = move || {
        let users = lookup::user_names();
        let users = Arc::new(names.as_ref().map_or_else(|| users.clone(), |it| it.users(&users)));
        if inbox.send(Event::Told(Msg::Users(users))).is_err() {
            return;
        }
        for wanted in asked {
            for portion in wanted.chunks(PORTION) {
                let lines: Vec<(ProcId, Arc<Text>)> =
                    portion.iter().filter_map(|&id| Some((id, Arc::new(line_of(id)?)))).collect();
                if inbox.send(Event::Told(Msg::Commands(lines))).is_err() {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("slow reader".to_owned()).spawn(work).ok()?;
    Some(orders)
}

/// Starts the thread that studies one process at a time: apart from the other one, so that a long list
/// of command lines keeps no dialog waiting.
pub(crate) fn start_detail(reader: LookupWorker, inbox: Sender<Event>) -> Option<Sender<ProcId>> {
    let (orders, asked) = channel::<ProcId>();
    let work = move || {
        while let Ok(mut who) = asked.recv() {
            // Of several dialogs in a row only the last one is still open.
            while let Ok(later) = asked.try_recv() {
                who = later;
            }
            let Some(mut study) = detail::detail(&reader.root, who) else { continue };
            if let Some(redactor) = &reader.redactor {
                redactor.process_detail(&mut study);
            }
            if inbox.send(Event::Told(Msg::Detail(Box::new(study)))).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("student".to_owned()).spawn(work).ok()?;
    Some(orders)
}

/// Starts the thread that reads what the memory of processes is made of, for those on the screen: apart
/// from the others, because a process that holds the lock of its memory keeps it waiting.
pub(crate) fn start_breakdowns(
    root: ProcRoot,
    inbox: Sender<Event>,
) -> Option<Sender<Vec<ProcId>>> {
    let (orders, asked) = channel::<Vec<ProcId>>();
    let work = move || {
        while let Ok(mut wanted) = asked.recv() {
            // What was asked for before is asked for again, where it still stands on the screen.
            wanted.extend(asked.try_iter().flatten());
            for portion in wanted.chunks(WEIGHED) {
                let told =
                    portion.iter().filter_map(|&id| Some((id, detail::breakdown(&root, id)?)));
                if inbox.send(Event::Told(Msg::Breakdowns(told.collect()))).is_err() {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("weigher".to_owned()).spawn(work).ok()?;
    Some(orders)
}

/// So many are told at once: a large one takes a while.
const WEIGHED: usize = 8;

/// So long a refresh without a screen waits for users and command lines.
const LATEST: Duration = Duration::from_millis(500);

/// The slow reader as batch and JSON use it: they wait for answers, but not for long.
pub(crate) struct DetailWorker {
    wanted: Sender<Vec<ProcId>>,
    inbox: Receiver<Event>,
    asked: HashMap<ProcId, Comm>,
    /// Answers that are still to come.
    open: usize,
}

impl DetailWorker {
    /// Starts the thread.
    pub(crate) fn start(reader: LookupWorker) -> Option<Self> {
        let (outbox, inbox) = channel();
        let wanted = start(reader, outbox)?;
        // The first answer is the names of users, unasked.
        Some(Self { wanted, inbox, asked: HashMap::new(), open: 1 })
    }

    /// Asks for what is not known (command lines only where anybody wants them) and takes what
    /// comes in time; what is late comes with the next refresh.
    pub(crate) fn learn(&mut self, names: &mut Names, snapshot: &Snapshot, lines: bool) {
        self.asked.retain(|&id, _| snapshot.find(id).is_some());
        let mut ask = |process: &&Process| {
            !process.is_kernel_thread()
                && self.asked.insert(process.id, process.comm) != Some(process.comm)
        };
        let everybody = snapshot.processes.iter().filter(|_| lines);
        let wanted: Vec<ProcId> = everybody.filter(&mut ask).map(|process| process.id).collect();
        self.open += wanted.len().div_ceil(PORTION);
        if !wanted.is_empty() && self.wanted.send(wanted).is_err() {
            return;
        }
        let end = Instant::now() + LATEST;
        while self.open > 0 {
            let rest = end.saturating_duration_since(Instant::now());
            let Ok(event) = self.inbox.recv_timeout(rest) else { return };
            match event {
                Event::Told(Msg::Users(users)) => names.learn_users(users),
                Event::Told(Msg::Commands(found)) => {
                    for (id, line) in found {
                        if let Some(process) = snapshot.find(id) {
                            names.learn_command(process, line);
                        }
                    }
                }
                _ => {}
            }
            self.open -= 1;
        }
    }
}
