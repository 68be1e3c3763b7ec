//! What signals do to this process (`sigaction(2)`): which are ignored, and an action before those that would end
//! it. The handlers that can wait for a thread are those of `signal-hook`.

use std::ffi::c_int;
use std::sync::OnceLock;
use std::{mem, ptr};

use nix::libc::{
    SA_ONSTACK, SA_RESETHAND, SIG_DFL, SIG_IGN, SIGCHLD, SIGCONT, SIGKILL, SIGSTOP, SIGTSTP,
    SIGTTIN, SIGTTOU, SIGURG, SIGWINCH, sighandler_t,
};

/// The last signal number of Linux (`_NSIG` of `include/uapi/asm-generic/signal.h`).
const LAST: c_int = 64;

/// Signals that do not end a process by default (`signal(7)`), and those that no process can handle.
const SPARED: [c_int; 9] =
    [SIGKILL, SIGSTOP, SIGCHLD, SIGCONT, SIGURG, SIGWINCH, SIGTSTP, SIGTTIN, SIGTTOU];

static LAST_ACT: OnceLock<fn(c_int)> = OnceLock::new();

/// What a signal does now; `None` for a number that is none, or that the C library keeps for itself.
fn current(signal: c_int) -> Option<nix::libc::sigaction> {
    // SAFETY: zero is a valid value of this struct of integers and an optional function.
    let mut found: nix::libc::sigaction = unsafe { mem::zeroed() };
    // SAFETY: without a new action, the call only writes to `found`, which outlives it.
    let result = unsafe { nix::libc::sigaction(signal, ptr::null(), &raw mut found) };
    (result == 0).then_some(found)
}

/// Whether this process ignores a signal, as `nohup(1)` and shells ask for.
#[must_use]
pub fn is_ignored(signal: c_int) -> bool {
    current(signal).is_some_and(|it| it.sa_sigaction == SIG_IGN)
}

extern "C" fn act_and_die(signal: c_int) {
    if let Some(act) = LAST_ACT.get() {
        act(signal);
    }
    // SAFETY: raise(3) takes a number and may be called in a signal handler. The default action holds again
    // (SA_RESETHAND), and takes effect when this handler returns.
    unsafe {
        nix::libc::raise(signal);
    }
}

/// Calls `act` with its number before a signal ends this process, for every signal that nothing else handles
/// or ignores. The process then ends by that signal.
///
/// `act` runs in a signal handler, between any two instructions: it may do nothing but what
/// `signal-safety(7)` lists, so neither allocate nor lock.
pub fn act_before_death(act: fn(c_int)) {
    let _ = LAST_ACT.set(act);
    for signal in (1..=LAST).filter(|signal| !SPARED.contains(signal)) {
        let Some(mut action) = current(signal) else { continue };
        if action.sa_sigaction != SIG_DFL {
            continue;
        }
        action.sa_sigaction = act_and_die as *const () as sighandler_t;
        action.sa_flags = SA_RESETHAND | SA_ONSTACK;
        // SAFETY: the handler has the type that a handler without SA_SIGINFO must have, and does only what a
        // handler may do. `action` outlives the call.
        unsafe {
            nix::libc::sigaction(signal, &raw const action, ptr::null_mut());
        }
    }
}
