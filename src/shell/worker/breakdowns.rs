//! The thread that reads what the memory of processes consists of (`smaps_rollup`). Apart from the other
//! lookups, because a process that holds the lock of its memory blocks it.

use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::ProcId;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::detail;
use crate::shell::event::Inbox;
use crate::shell::thread;

/// Processes per message: a large one takes long to read.
const PORTION: usize = 8;

/// Starts the thread; processes are requested through the returned sender.
pub(crate) fn start(root: ProcRoot, inbox: Inbox) -> Option<Sender<Vec<ProcId>>> {
    let (requests, requested) = channel::<Vec<ProcId>>();
    let work = move || {
        while let Ok(mut wanted) = requested.recv() {
            // The app requests a process again for as long as it is on the screen.
            wanted.extend(requested.try_iter().flatten());
            for portion in wanted.chunks(PORTION) {
                let breakdown = |&id: &ProcId| Some((id, detail::breakdown(&root, id)?));
                let breakdowns = portion.iter().filter_map(breakdown).collect();
                if inbox.send(Msg::Breakdowns(breakdowns)).is_err() {
                    return;
                }
            }
        }
    };
    thread::spawn("breakdowns", work).ok()?;
    Some(requests)
}
