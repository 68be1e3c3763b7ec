//! The threads that read what a dialog shows about one process. Apart from those of command lines, so that a
//! long list of them does not delay a dialog.

use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::{ProcId, ProcessDetail};
use crate::sample::process::stall_proof_reader::{LookupAnswer, StallProofReader};
use crate::shell::event::Inbox;
use crate::shell::thread;
use crate::shell::worker::lookup_root::LookupRoot;

/// Starts the threads; processes are requested through the returned sender.
pub(crate) fn start(root: LookupRoot, inbox: Inbox) -> Option<Sender<Vec<ProcId>>> {
    let (requests, requested) = channel::<Vec<ProcId>>();
    let reader = reader(root)?;
    let work = move || {
        reader.serve(&requested, |answers| {
            answers.into_iter().all(|(who, answer)| match answer {
                LookupAnswer::Read(Some(detail)) | LookupAnswer::Late(Some(detail)) => {
                    inbox.send(Msg::Detail(Box::new(detail))).is_ok()
                }
                LookupAnswer::PassedOver => inbox.send(Msg::NoDetail(who)).is_ok(),
                LookupAnswer::Read(None) | LookupAnswer::Late(None) => true,
            })
        });
    };
    thread::spawn("detail", work).ok()?;
    Some(requests)
}

/// The threads that read details.
pub(crate) fn reader(root: LookupRoot) -> Option<StallProofReader<Option<ProcessDetail>>> {
    StallProofReader::start("details", move |who| root.detail(who))
}
