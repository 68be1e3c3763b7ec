//! Waiting for what comes of itself, without a guess how long it takes.

use std::io::Read;
use std::os::fd::AsFd;
use std::process::{Command, Stdio};
use std::thread::yield_now;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

/// Nothing that comes at all takes this long, however busy the machine is: it turns a hang into a
/// failure.
pub const GIVE_UP: Duration = Duration::from_secs(300);

/// Asks until there is an answer.
pub fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + GIVE_UP;
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(Instant::now() < end, "{what}: not within {GIVE_UP:?}");
        yield_now();
    }
}

/// What a command prints, on both ways, until it ends, or until it printed these words: then it is
/// ended. None where it cannot be started, or prints nothing more for so long.
pub fn printed(command: &mut Command, words: Option<&str>, patience: Duration) -> Option<String> {
    let (mut reader, writer) = std::io::pipe().ok()?;
    command.stdin(Stdio::null()).stdout(writer.try_clone().ok()?).stderr(writer);
    let child = command.spawn();
    // The command still has the writer's end, and the reader would never see the end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = child.ok()?;
    let patience = Timespec::try_from(patience).expect("a time");
    let mut text = Vec::new();
    let mut portion = [0; 1 << 16];
    let whole = loop {
        let mut fds = [PollFd::from_borrowed_fd(reader.as_fd(), PollFlags::IN)];
        match poll(&mut fds, Some(&patience)) {
            Err(rustix::io::Errno::INTR) => continue,
            Ok(1) => {}
            _ => break false,
        }
        match reader.read(&mut portion) {
            Ok(0) => break true,
            Ok(count) => text.extend_from_slice(&portion[..count]),
            Err(_) => break false,
        }
        let said = |words: &str| text.windows(words.len()).any(|it| it == words.as_bytes());
        if words.is_some_and(said) {
            break true;
        }
    };
    let _ = if whole && words.is_none() { Ok(()) } else { child.kill() };
    child.wait().ok()?;
    whole.then(|| String::from_utf8_lossy(&text).into_owned())
}
