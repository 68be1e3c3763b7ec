//! The CPU time of another process to the nanosecond, by one system call that opens nothing and allocates nothing.

use nix::time::ClockId;

/// The CPU time of all threads of a process of doomtop's own pid namespace, in nanoseconds. It changes whenever one of
/// them has run (`kernel/time/posix-cpu-timers.c` `posix_cpu_clock_get`, which asks for no right). `None` if there is no
/// such process.
pub(super) fn cpu_time(pid: i32) -> Option<i128> {
    // As `clock_getcpuclockid(3)`: the clock of a process, by the time that the scheduler counts.
    const SCHEDULER: i32 = 2;
    let clock = (pid > 0).then(|| ClockId::from_raw(!pid << 3 | SCHEDULER))?;
    let time = clock.now().ok()?;
    Some(i128::from(time.tv_sec()) * 1_000_000_000 + i128::from(time.tv_nsec()))
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::process::{Command, Stdio};

    use super::*;

    #[test]
    fn the_clock_of_a_process_stands_still_until_it_runs() {
        let mut cat = Command::new("cat");
        let mut cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("cat runs");
        let pid = i32::try_from(cat.id()).expect("a pid");
        let (mut input, mut output) =
            (cat.stdin.take().expect("its input"), cat.stdout.take().expect("its output"));
        let mut echo = || {
            input.write_all(b"x").expect("it reads");
            output.read_exact(&mut [0]).expect("it answers");
        };
        // After its answer it may still run until it waits for the next byte.
        let rest = || {
            let mut before = cpu_time(pid);
            (0..1000).any(|_| {
                std::thread::yield_now();
                std::mem::replace(&mut before, cpu_time(pid)) == before
            })
        };
        echo();
        assert!(rest(), "it stands still");
        let before = cpu_time(pid).expect("a time");
        echo();
        assert!(cpu_time(pid).is_some_and(|now| now > before));
        drop((input, output));
        cat.wait().expect("it ends");
        assert_eq!(cpu_time(pid), None);
        assert_eq!([0, -1].map(cpu_time), [None, None]);
    }
}
