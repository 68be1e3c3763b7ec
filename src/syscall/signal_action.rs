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

static ACTION: OnceLock<fn(c_int)> = OnceLock::new();

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

/// Gives a signal its default action again. Children of a process that ignores SIGCHLD vanish without a status, and
/// their pids are free at once (`wait(2)`).
pub fn restore_default(signal: c_int) {
    let Some(mut default) = current(signal) else { return };
    default.sa_sigaction = SIG_DFL;
    default.sa_flags = 0;
    // SAFETY: the default action runs no code of this process. `default` outlives the call.
    unsafe {
        nix::libc::sigaction(signal, &raw const default, ptr::null_mut());
    }
}

extern "C" fn run_action(signal: c_int) {
    if let Some(action) = ACTION.get() {
        action(signal);
    }
    // SAFETY: raise(3) takes a number and may be called in a signal handler. The default action holds again
    // (SA_RESETHAND), and takes effect when this handler returns.
    unsafe {
        nix::libc::raise(signal);
    }
}

/// Calls `action` with the number of the signal before it ends this process, for every signal that nothing else
/// handles or ignores. The process then ends by that signal.
///
/// `action` runs in a signal handler, between any two instructions: it may do nothing but what
/// `signal-safety(7)` lists, so neither allocate nor lock.
pub fn run_before_fatal_signals(action: fn(c_int)) {
    let _ = ACTION.set(action);
    for signal in (1..=LAST).filter(|signal| !SPARED.contains(signal)) {
        let Some(mut handler) = current(signal) else { continue };
        if handler.sa_sigaction != SIG_DFL {
            continue;
        }
        handler.sa_sigaction = run_action as *const () as sighandler_t;
        handler.sa_flags = SA_RESETHAND | SA_ONSTACK;
        // SAFETY: the handler has the type that a handler without SA_SIGINFO must have, and does only what a
        // handler may do. `handler` outlives the call.
        unsafe {
            nix::libc::sigaction(signal, &raw const handler, ptr::null_mut());
        }
    }
}
