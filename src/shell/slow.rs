//! The slow reader: a thread for what may block on a directory server or on a process stuck in the
//! kernel. Nobody waits for it.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;

use crate::app::Msg;
use crate::model::{ProcId, Text};
use crate::sample::detail;
use crate::sample::root::ProcRoot;

use super::tui::Event;

/// Lines are handed over in portions, so that the first are seen before the last are read.
const PORTION: usize = 64;

/// Starts the thread; command lines are asked for through what comes back.
pub(super) fn start(root: ProcRoot, inbox: Sender<Event>) -> Option<Sender<Vec<ProcId>>> {
    let (orders, asked) = channel::<Vec<ProcId>>();
    let work = move || {
        let users = Arc::new(detail::user_names());
        if inbox.send(Event::Told(Msg::Users(users))).is_err() {
            return;
        }
        for wanted in asked {
            for portion in wanted.chunks(PORTION) {
                let lines: Vec<(ProcId, Arc<Text>)> = portion
                    .iter()
                    .filter_map(|&id| Some((id, Arc::new(detail::command_line(&root, id)?))))
                    .collect();
                if inbox.send(Event::Told(Msg::Commands(lines))).is_err() {
                    return;
                }
            }
        }
    };
    thread::Builder::new().name("slow reader".to_owned()).spawn(work).ok()?;
    Some(orders)
}
