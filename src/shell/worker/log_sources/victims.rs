//! The tracepoint `oom:mark_victim`: the kernel's kills within milliseconds, and without its log.

use rustix::event::{PollFd, PollFlags, poll};

use super::{now_ms, send, send_state};
use crate::events::LogUpdate;
use crate::model::{LogSource, Machine, SourceState};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::BpfUnavailable;
use crate::sample::process::bpf::victim_watch::VictimWatch;
use crate::shell::event::{Inbox, LoopEnded};
use crate::shell::thread;

/// Starts the thread that waits for victims.
pub(super) fn start(machine: Machine, inbox: &Inbox) {
    let own = inbox.clone();
    // It ends with the main loop.
    let _ = thread::spawn("victims", move || {
        let _ = follow(&machine, &own);
    });
}

/// Waits for victims until the main loop ends.
///
/// # Errors
/// The main loop has ended.
fn follow(machine: &Machine, inbox: &Inbox) -> Result<(), LoopEnded> {
    let watch = ProcRoot::open("/proc")
        .map_err(|_| BpfUnavailable::OtherTree)
        .and_then(|root| VictimWatch::start(&root, machine));
    let mut watch = match watch {
        Ok(watch) => watch,
        Err(why) => {
            return send_state(inbox, LogSource::Tracepoint, SourceState::Closed(why.to_string()));
        }
    };
    let open = SourceState::Open("followed (oom:mark_victim)".to_owned());
    send_state(inbox, LogSource::Tracepoint, open)?;
    loop {
        // Also after a signal: an empty buffer is no harm.
        let _ = poll(&mut [PollFd::new(&watch, PollFlags::IN)], None);
        let now = now_ms();
        let marked = watch.take().into_iter().map(|marked| LogUpdate::Marked {
            unix_ms: now.saturating_sub_unsigned(marked.ago.0),
            marked: Box::new(marked),
        });
        send(inbox, marked.collect())?;
    }
}
