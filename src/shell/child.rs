//! How programs are started, and which doomtop has started for itself.

use std::collections::BTreeSet;
use std::io;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::syscall::file_limit;
use crate::syscall::spawn::end_with_parent;
use crate::units::Adj;

/// The pids of the programs that doomtop started for itself, also of those that have ended.
static HELPERS: Mutex<BTreeSet<i32>> = Mutex::new(BTreeSet::new());

/// Time between two questions whether a child has ended.
const PACE: Duration = Duration::from_millis(5);

/// Maximum time that a child with SIGKILL is waited for: one that waits for a device ends later.
const KILLED_PATIENCE: Duration = Duration::from_millis(500);

/// Starts a program that doomtop needs for itself, and that must not outlive it: the kernel kills it when the thread
/// that calls this ends.
///
/// # Errors
/// It cannot be started.
pub(crate) fn spawn_tied(command: &mut Command) -> io::Result<Child> {
    end_with_parent(command);
    spawn_helper(command)
}

/// Waits for the end of a child, until then at most. `None`: it still runs.
///
/// # Errors
/// It is not known.
pub(crate) fn wait_until(child: &mut Child, end: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(None);
        }
        std::thread::sleep(PACE.min(left));
    }
}

/// Kills a child, and does not wait for long until it is gone.
pub(crate) fn kill(child: &mut Child) {
    let _ = child.kill();
    let _ = wait_until(child, Instant::now() + KILLED_PATIENCE);
}

/// Starts a program that doomtop needs for itself: it is none of a command that `doomtop run` follows.
///
/// # Errors
/// It cannot be started.
pub(crate) fn spawn_helper(command: &mut Command) -> io::Result<Child> {
    // Nobody asks between the start and the note of it.
    let mut helpers = HELPERS.lock().unwrap_or_else(PoisonError::into_inner);
    let child = command.spawn()?;
    file_limit::give_back(&child);
    helpers.extend(i32::try_from(child.id()));
    Ok(child)
}

/// The pids of these programs.
pub(crate) fn helpers() -> BTreeSet<i32> {
    HELPERS.lock().unwrap_or_else(PoisonError::into_inner).clone()
}

/// Writes its first argument to its own `oom_score_adj`, then runs the rest in its place. The shell does that
/// to itself before the program begins, so that nothing the program starts inherits another value; the
/// value can always be raised. Where `/proc` is not mounted, the program runs all the same.
const WITH_ADJ: &str = r#"echo "$1" 2>/dev/null >/proc/self/oom_score_adj; shift; exec "$@""#;

/// A program with its arguments. `adj` is its `oom_score_adj` where it must not inherit that of doomtop.
pub(crate) fn command(program: &str, args: &[&str], adj: Option<Adj>) -> Command {
    let Some(adj) = adj else {
        let mut command = Command::new(program);
        command.args(args);
        return command;
    };
    let mut shell = Command::new("/bin/sh");
    shell.args(["-c", WITH_ADJ, "sh", &adj.0.to_string(), program]).args(args);
    shell
}

#[cfg(test)]
mod tests {
    use super::*;

    fn output(command: &mut Command) -> String {
        String::from_utf8(command.output().expect("an output").stdout).expect("text")
    }

    #[test]
    fn a_child_that_goes_on_is_not_waited_for() {
        let mut child = Command::new("sleep").arg("1000").spawn().expect("sleep runs");
        let ended = wait_until(&mut child, Instant::now() + PACE).expect("a state");
        assert!(ended.is_none());
        kill(&mut child);
        assert!(child.try_wait().is_ok_and(|it| it.is_some()), "no zombie is left");
    }

    #[test]
    fn a_child_has_the_adj_that_it_is_to_have_and_its_arguments_unchanged() {
        let own = std::fs::read_to_string("/proc/self/oom_score_adj").expect("own adj");
        let read = ["/proc/self/oom_score_adj"];
        assert_eq!(output(&mut command("cat", &read, None)), own, "inherited");
        // Raised: that needs no right.
        assert_eq!(output(&mut command("cat", &read, Some(Adj(997)))), "997\n");
        let args = ["a b", "$1;\"'", "", "-n"];
        let printed = args.map(|it| format!("{it}\n")).concat();
        let mut print = vec!["%s\\n"];
        print.extend(args);
        assert_eq!(output(&mut command("printf", &print, Some(Adj(998)))), printed);
        // Refused by the kernel: it runs all the same, and says nothing.
        let mut odd = command("echo", &["runs"], Some(Adj(4000)));
        let ended = odd.output().expect("an output");
        assert_eq!((ended.stdout, ended.stderr), (b"runs\n".to_vec(), Vec::new()));
    }
}
