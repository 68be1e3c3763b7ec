//! The thread that reads what a dialog shows about one process. Apart from the thread of command lines, so
//! that a long list of them does not delay a dialog.

use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::ProcId;
use crate::shell::event::Inbox;
use crate::shell::thread;
use crate::shell::worker::lookup_root::LookupRoot;

/// Starts the thread; processes are requested through the returned sender.
pub(crate) fn start(root: LookupRoot, inbox: Inbox) -> Option<Sender<ProcId>> {
    let (requests, requested) = channel::<ProcId>();
    let work = move || {
        while let Ok(mut id) = requested.recv() {
            // Of several dialogs in a row only the last one is still open.
            while let Ok(later) = requested.try_recv() {
                id = later;
            }
            let Some(detail) = root.detail(id) else { continue };
            if inbox.send(Msg::Detail(Box::new(detail))).is_err() {
                return;
            }
        }
    };
    thread::spawn("detail", work).ok()?;
    Some(requests)
}
