//! The limit of open files (`RLIMIT_NOFILE`): raised for doomtop itself, and given back to the programs that it starts.
//!
//! The soft limit is low because `select(2)` fails with descriptors beyond 1023 (`getrlimit(2)`). doomtop uses `poll(2)`;
//! what it starts may not.

use std::process::Child;
use std::sync::OnceLock;

use rustix::process::{Pid, Resource, Rlimit, getrlimit, prlimit, setrlimit};

/// Number of descriptors that doomtop asks for at its start.
const MOST: u64 = 65_536;

/// The limits before they were raised.
static BEFORE: OnceLock<Rlimit> = OnceLock::new();

/// Raises the soft limit to what doomtop asks for at its start, as far as the hard limit allows it.
pub fn raise() {
    raise_to(MOST);
}

/// Raises the soft limit to this number of descriptors, as far as the hard limit allows it. The limits before the
/// first time are those that programs are given back.
pub fn raise_to(needed: u64) {
    let before = getrlimit(Resource::Nofile);
    if let Some(raised) = raised(&before, needed)
        && setrlimit(Resource::Nofile, raised).is_ok()
    {
        let _ = BEFORE.set(before);
    }
}

/// The limits with a soft limit that is raised; `None` if it is high enough.
fn raised(before: &Rlimit, needed: u64) -> Option<Rlimit> {
    let most = before.maximum.map_or(needed, |hard| hard.min(needed));
    let is_low = before.current.is_some_and(|soft| soft < most);
    is_low.then_some(Rlimit { current: Some(most), maximum: before.maximum })
}

/// Gives the limits of doomtop's own start to a program that it started.
pub fn give_back(child: &Child) {
    if let Some(before) = BEFORE.get() {
        set(child, *before);
    }
}

fn set(child: &Child, limits: Rlimit) {
    // It fails only for a program that has ended, or that has other rights than doomtop.
    let _ = prlimit(Some(Pid::from_child(child)), Resource::Nofile, limits);
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_soft_limit_is_raised_within_the_hard_one() {
        let soft = |current, maximum| raised(&Rlimit { current, maximum }, MOST)?.current;
        assert_eq!(soft(Some(1024), Some(524_288)), Some(MOST));
        assert_eq!(soft(Some(1024), Some(4096)), Some(4096));
        assert_eq!(soft(Some(1024), None), Some(MOST));
        for high in [(Some(1024), Some(1024)), (Some(1 << 20), None), (None, None)] {
            assert_eq!(soft(high.0, high.1), None);
        }
        let within = raised(&Rlimit { current: Some(64), maximum: Some(128) }, MOST);
        assert_eq!(within.and_then(|it| it.maximum), Some(128), "the hard limit stays");
        let more = raised(&Rlimit { current: Some(MOST), maximum: None }, MOST * 2);
        assert_eq!(more.and_then(|it| it.current), Some(MOST * 2), "many processes need more");
    }

    #[test]
    fn a_child_is_given_the_limits() {
        let mut shell = Command::new("sh");
        shell.args(["-c", "read -r line; ulimit -n"]);
        shell.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = shell.spawn().expect("a shell");
        set(&child, Rlimit { current: Some(99), ..getrlimit(Resource::Nofile) });
        child.stdin.take().expect("its input").write_all(b"now\n").expect("a reader");
        assert_eq!(child.wait_with_output().expect("its output").stdout, b"99\n");
    }
}
