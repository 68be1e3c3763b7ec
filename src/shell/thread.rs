//! How threads are started.

use std::thread::{Builder, JoinHandle};

use super::command_error::CommandError;

/// Starts a named thread.
///
/// # Errors
/// The system has no resources for another thread.
pub(crate) fn spawn(
    name: &'static str,
    work: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, CommandError> {
    let tested = move || {
        test_panic(name);
        work();
    };
    Builder::new()
        .name(name.to_owned())
        .spawn(tested)
        .map_err(|error| CommandError::failure(format!("cannot start the thread {name}: {error}")))
}

/// How much of a stack is in use at times, in bytes: more than any picture needs.
const STACK: usize = 128 << 10;

/// Brings the stack of this thread into memory, so that it needs no new page while memory is short.
#[inline(never)]
pub(crate) fn touch_stack() {
    std::hint::black_box(&mut [0_u8; STACK]);
}

/// Panics where a test asks for it: `DOOMTOP_TEST_PANIC` holds the name of a thread, or `main`.
pub(crate) fn test_panic(thread: &str) {
    if std::env::var("DOOMTOP_TEST_PANIC").is_ok_and(|wanted| wanted == thread) {
        panic!("asked for by DOOMTOP_TEST_PANIC={thread}");
    }
}
