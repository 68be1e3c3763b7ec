//! The threads that read what the memory of processes consists of (`smaps_rollup`). Apart from the other
//! lookups, because a large process takes long.

use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::{ProcId, Reading};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::detail;
use crate::sample::process::stall_proof_reader::{LookupAnswer, StallProofReader};
use crate::shell::event::Inbox;
use crate::shell::thread;

/// Starts the threads; processes are requested through the returned sender. The app requests a process again
/// for as long as it is on the screen.
pub(crate) fn start(root: ProcRoot, inbox: Inbox) -> Option<Sender<Vec<ProcId>>> {
    let (requests, requested) = channel::<Vec<ProcId>>();
    let read = move |who| detail::breakdown(&root, who);
    let reader = StallProofReader::start("smaps", read)?;
    let work = move || {
        reader.serve(&requested, |answers| {
            let breakdowns = answers.into_iter().filter_map(|(who, answer)| match answer {
                LookupAnswer::Read(found) | LookupAnswer::Late(found) => Some((who, found?)),
                LookupAnswer::PassedOver => Some((who, Reading::Missing)),
            });
            inbox.send(Msg::Breakdowns(breakdowns.collect())).is_ok()
        });
    };
    thread::spawn("breakdowns", work).ok()?;
    Some(requests)
}
