//! The thread that reads command lines and the names of users. Both may block, so the main loop never
//! waits for them.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::{ProcId, Text};
use crate::shell::event::Inbox;
use crate::shell::thread;
use crate::shell::worker::lookup_root::LookupRoot;

/// Command lines per message: the first ones are shown before the last ones are read.
pub(crate) const PORTION: usize = 64;

/// Starts the thread. It sends the names of users at once, and command lines as they are requested
/// through the returned sender: one message for each [`PORTION`].
pub(crate) fn start(root: LookupRoot, inbox: Inbox) -> Option<Sender<Vec<ProcId>>> {
    let (requests, requested) = channel::<Vec<ProcId>>();
    let work = move || {
        if inbox.send(Msg::Users(Arc::new(root.user_names()))).is_err() {
            return;
        }
        for wanted in requested {
            for portion in wanted.chunks(PORTION) {
                let line = |&id: &ProcId| Some((id, Arc::new(root.command_line(id)?)));
                let lines: Vec<(ProcId, Arc<Text>)> = portion.iter().filter_map(line).collect();
                if inbox.send(Msg::Commands(lines)).is_err() {
                    return;
                }
            }
        }
    };
    thread::spawn("command lines", work).ok()?;
    Some(requests)
}
