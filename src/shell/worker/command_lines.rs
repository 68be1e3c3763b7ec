//! The threads that read command lines and the names of users. Both may block, so the main loop never
//! waits for them.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};

use crate::app::Msg;
use crate::model::{ProcId, Text};
use crate::sample::process::stall_proof_reader::{LookupAnswer, StallProofReader};
use crate::shell::event::Inbox;
use crate::shell::thread;
use crate::shell::worker::lookup_root::LookupRoot;

/// Starts the threads. They send the names of users, and command lines as they are requested through the
/// returned sender.
pub(crate) fn start(root: LookupRoot, inbox: Inbox) -> Option<Sender<Vec<ProcId>>> {
    let (requests, requested) = channel::<Vec<ProcId>>();
    let root = Arc::new(root);
    let to = inbox.clone();
    let users = move |names| {
        let _ = to.send(Msg::Users(Arc::new(names)));
    };
    read_users(Arc::clone(&root), users)?;
    let reader = reader(root)?;
    let work = move || {
        reader.serve(&requested, |answers| {
            let (mut lines, mut passed) = (Vec::new(), Vec::new());
            for (who, answer) in answers {
                match answer {
                    LookupAnswer::Read(line) | LookupAnswer::Late(line) => {
                        lines.extend(line.map(|line| (who, line)));
                    }
                    LookupAnswer::PassedOver => passed.push(who),
                }
            }
            inbox.send(Msg::Commands(lines, passed)).is_ok()
        });
    };
    thread::spawn("command lines", work).ok()?;
    Some(requests)
}

/// Starts the thread that reads the names of users, which a directory server may block, and hands them to
/// `take`.
pub(crate) fn read_users(
    root: Arc<LookupRoot>,
    take: impl FnOnce(BTreeMap<u32, Text>) + Send + 'static,
) -> Option<()> {
    thread::spawn("users", move || take(root.user_names())).ok().map(drop)
}

/// The threads that read command lines.
pub(crate) fn reader(root: Arc<LookupRoot>) -> Option<StallProofReader<Option<Arc<Text>>>> {
    StallProofReader::start("cmdline", move |who| root.command_line(who).map(Arc::new))
}
