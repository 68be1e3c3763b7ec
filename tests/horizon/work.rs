//! Ordinary work, in which nobody dies: a command in a memory cgroup of its own, watched with the whole machine.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use doomtop::model::{Scope, Snapshot, Text};
use doomtop::sample::machine::domain_usage::DomainUsage;
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::Source;
use doomtop::units::Millis;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::clock::now;
use crate::document;
use crate::judge::Table;
use crate::nest::Nest;
use crate::report;
use crate::world::{Event, World, own_limits, sampled};

/// The first argument of a binary that shall watch work.
pub const WORD: &str = "__work";
/// Between two samples, in microseconds: the default interval.
const SAMPLE: i64 = 2_000_000;
/// Between two readings of the usage.
const READING: Duration = Duration::from_millis(200);
/// How long the command may take to end when it is told to.
const PATIENCE: Duration = Duration::from_secs(15);

/// `NAME MINUTES LIMIT COMMAND...`: runs the command, in a cgroup with a limit of so many MiB, again and again for
/// so many minutes. The last line that it prints is a row of the table.
pub fn run(arguments: &[String]) -> Result<(), String> {
    let [name, minutes, limit, command @ ..] = arguments else {
        return Err("NAME MINUTES LIMIT COMMAND...".to_owned());
    };
    let number = |text: &String| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
    let (minutes, limit) = (number(minutes)?, number(limit)?);
    let nest = Nest::make(limit << 20)?;
    let stop = crate::stopper();
    let mut work: Option<Work> = None;
    let root = || ProcRoot::open(Path::new("/proc")).map_err(|error| error.to_string());
    let mut usage = DomainUsage::new(root()?);
    let own = [nest.path().to_owned()];
    let domains = [Scope::GLOBAL, nest.path()].map(|it| Arc::new(Text::new(it.as_bytes())));
    usage.follow(&domains);
    let origin = now();
    let (mut source, needs) = sampled(root()?)?;
    let mut world = World::default();
    world.take(&Event::Begin { at: origin });
    let mut last: Option<Arc<Snapshot>> = None;
    let mut next_sample = origin;
    let mut runs = 0_usize;
    while now() - origin < minutes as i64 * 60_000_000 {
        if stop.load(std::sync::atomic::Ordering::Relaxed) {
            return Err("interrupted".to_owned());
        }
        if work.as_mut().is_none_or(Work::ended) {
            work = Some(Work::start(command, nest.dir())?);
            runs += 1;
        }
        let at = now();
        if at >= next_sample {
            let sample = source.sample(&needs, last.take()).map_err(|error| error.to_string())?;
            let own_sample = Arc::new(own_limits(&sample, &own));
            world.take(&Event::Sample { at: now(), sample: own_sample });
            last = Some(sample);
            next_sample = (next_sample + SAMPLE).max(at);
        } else {
            let clock = Millis(u64::try_from((at - origin) / 1000).unwrap_or(0));
            for reading in usage.read(clock) {
                let path = reading.domain.as_str().to_owned();
                world.take(&Event::Usage { at: now(), clock, path, bytes: reading.usage.0 });
            }
        }
        thread::sleep(READING);
    }
    drop(work);
    let end = now();
    println!("horizon: {name}: the command ran {runs} times");
    let mut table = Table::new();
    table.watch(name, &world, origin, end);
    print!("{}", report::ordinary(&table));
    println!("{}", document::work_row(&table));
    Ok(())
}

/// A command that runs, and ends with its owner.
struct Work {
    child: Child,
}

impl Work {
    fn start(command: &[String], cgroup: &Path) -> Result<Self, String> {
        let (program, arguments) = command.split_first().ok_or("no command")?;
        let child = Command::new("/bin/sh")
            .args(["-c", r#"echo 0 > "$0" && exec "$@""#])
            .arg(cgroup.join("cgroup.procs"))
            .arg(program)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0)
            .spawn()
            .map_err(|error| format!("{program}: {error}"))?;
        Ok(Self { child })
    }

    fn ended(&mut self) -> bool {
        self.child.try_wait().expect("a child of our own").is_some()
    }
}

impl Drop for Work {
    fn drop(&mut self) {
        let group = Pid::from_raw(self.child.id().cast_signed());
        for signal in [Signal::SIGTERM, Signal::SIGKILL] {
            let _ = killpg(group, signal);
            let deadline = Instant::now() + PATIENCE;
            while !self.ended() && Instant::now() < deadline {
                thread::sleep(READING);
            }
        }
    }
}
