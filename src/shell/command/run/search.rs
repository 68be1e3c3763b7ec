//! `doomtop search-limit`: the smallest memory limit with which a command succeeds.

use std::io::{self, BufRead, IsTerminal, Write};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::args::SearchLimitArgs;
use super::confine::{Confinement, StartFailure, StartedCommand, executable, shown};
use super::follow::GRACE;
use super::leftovers::clean_up;
use super::signals::{PassedSignals, reached_command};
use super::{live_root, not_executed};
use crate::columns::human_size;
use crate::effects::run_cgroup::{EndSignal, RunCgroup};
use crate::intent::CgroupLimits;
use crate::model::{Needs, Text};
use crate::report::load_test::limit_search::{LimitRun, LimitSearch, most_runs};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command::cli::Cli;
use crate::shell::command::invocation::Invocation;
use crate::shell::command::sampling;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio;
use crate::units::Bytes;

/// The name and version of the object.
const SCHEMA: &str = "doomtop-search-limit/1";
/// The start of the message about a signal.
const ENDED: &str = "the search was ended";
/// Interval at which a run is looked at.
const PACE: Duration = Duration::from_millis(5);
/// What is above the need of the runs without a limit, as a share.
const MORE: f64 = 1.25;

/// The runs of one search.
struct SearchRuns<'a> {
    args: &'a SearchLimitArgs,
    root: &'a LiveRoot,
    signals: &'a PassedSignals,
    /// Number of runs so far.
    count: u32,
    most: u32,
    /// The highest usage of each run without a limit; `None` where the kernel does not tell.
    peaks: Vec<Option<Bytes>>,
}

/// Searches.
///
/// # Errors
/// The command was not run, or it fails without a limit.
pub(crate) fn run(
    args: &SearchLimitArgs,
    cli: &Cli,
    mut invocation: Invocation,
) -> Result<ExitStatus, CommandError> {
    if args.max.is_some_and(|max| max < args.min) {
        return Err(CommandError::usage("--max is smaller than --min"));
    }
    search(args, cli, &mut invocation).map_err(|error| match error.status {
        ExitStatus::NotExecutable
        | ExitStatus::NotFound
        | ExitStatus::NotExpected
        | ExitStatus::Signal(_) => error,
        _ => CommandError { status: ExitStatus::NotRun, ..error },
    })
}

fn search(
    args: &SearchLimitArgs,
    cli: &Cli,
    invocation: &mut Invocation,
) -> Result<ExitStatus, CommandError> {
    let root = live_root(cli, invocation)?;
    let sample = sampling::only(invocation.input.source.as_mut(), &Needs::default())?;
    let ram = sample.memory.total_kib.bytes();
    let most = most_runs(args.min, args.max.unwrap_or(ram), args.repeat);
    let command: Vec<String> = args.command.iter().map(|it| shown(it)).collect();
    let command = command.join(" ");
    let warning = format!(
        "{command}: it is run at most {most} times, each time in a memory cgroup of its own, where it may be killed"
    );
    if args.dry_run || cli.dry_run {
        stdio::print(&format!("dry run: {warning}\n"))?;
        return Ok(ExitStatus::Success);
    }
    if !args.yes && !confirmed(&warning)? {
        return Err(CommandError::failure("nothing was run"));
    }
    if let Some(Err(error)) = args.command.first().map(|it| executable(it)) {
        return Err(not_executed(&args.command, &error));
    }
    let signals = PassedSignals::handle(false)?;
    let peaks = Vec::new();
    let mut runs = SearchRuns { args, root: &root, signals: &signals, count: 0, most, peaks };
    let mut baseline = Vec::new();
    for _ in 0..args.repeat {
        let run = runs.run(None)?;
        if !run.succeeded {
            stdio::progress("");
            return Err(CommandError::not_run(
                ExitStatus::NotExpected,
                format!("{command}: it does not even succeed without a limit"),
            ));
        }
        baseline.push(run);
    }
    let largest = args.max.unwrap_or_else(|| largest(&runs.peaks, args.min, ram));
    let mut search = LimitSearch::new(args.min, args.repeat, args.slowdown / 100.0, &baseline);
    while let Some(limit) = search.next(largest) {
        let run = runs.run(Some(limit))?;
        search.take(run);
    }
    stdio::progress("");
    stdio::print(&report(args, &search, (&command, largest)))?;
    let found = search.smallest().is_some();
    Ok(if found { ExitStatus::Success } else { ExitStatus::NotExpected })
}

/// The largest limit that is tried: more than the command took without one, or all there is where that is not known.
fn largest(peaks: &[Option<Bytes>], from: Bytes, ram: Bytes) -> Bytes {
    let most = ram.max(from);
    let known: Option<Vec<Bytes>> = peaks.iter().copied().collect();
    let Some(need) = known.and_then(|known| known.into_iter().max()) else { return most };
    let more = (need.0 as f64 * MORE) as u64;
    Bytes((more + (1 << 20)).max(from.0)).min(most)
}

/// Asks on the terminal.
fn confirmed(warning: &str) -> Result<bool, CommandError> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Err(
            CommandError::usage("cannot ask for confirmation without a terminal").hint("use --yes")
        );
    }
    let _ = write!(io::stderr(), "{}. Run it? [y/N] ", crate::model::printable(warning));
    let _ = io::stderr().flush();
    let mut answer = String::new();
    let _ = io::stdin().lock().read_line(&mut answer);
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

impl SearchRuns<'_> {
    /// Runs the command once.
    fn run(&mut self, limit: Option<Bytes>) -> Result<LimitRun, CommandError> {
        self.signals.none_so_far(ENDED)?;
        self.count += 1;
        let with = limit.map_or_else(|| "without a limit".to_owned(), human_size);
        stdio::progress(&format!("run {} of at most {}: {with}", self.count, self.most));
        let swap = limit.map(|_| self.args.swap);
        let limits = CgroupLimits { memory: limit, swap, ..CgroupLimits::default() };
        let name = format!("doomtop-run-{}-{}", std::process::id(), self.count);
        let mut started = self.start(&name, &limits)?;
        let begun = Instant::now();
        let ended = self.wait(&mut started, begun);
        let cgroup = started.cgroup.as_ref();
        // Where the kernel does not count kills, the status tells; a cgroup that vanished was killed as a whole.
        let survived =
            cgroup.is_some_and(|it| it.kills().map_or_else(|| it.exists(), |it| it == 0));
        if limit.is_none() {
            self.peaks.push(cgroup.and_then(RunCgroup::peak));
        }
        clean_up(self.root, started, (false, false));
        let (succeeded, seconds) = ended?;
        Ok(LimitRun { limit, succeeded: succeeded && survived, seconds })
    }

    fn start(&self, name: &str, limits: &CgroupLimits) -> Result<StartedCommand, CommandError> {
        let prepare = |command: &mut Command| {
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        };
        let place = Confinement::find(self.root, name, limits);
        let missing =
            |why: String| CommandError::failure(format!("the limit cannot be enforced: {why}"));
        if let Confinement::None(why) = place {
            return Err(missing(why));
        }
        place.start(self.root, limits, &self.args.command, &prepare).map_err(
            |failure| match failure {
                StartFailure::NotConfined(why) => missing(why),
                StartFailure::NotExecuted(error) => not_executed(&self.args.command, &error),
            },
        )
    }

    /// Waits for the end of a run. Whether it succeeded, and how long it took.
    fn wait(
        &self,
        started: &mut StartedCommand,
        begun: Instant,
    ) -> Result<(bool, f64), CommandError> {
        let most = self.args.kill_after.map(|time| Duration::from_millis(time.0));
        let (mut is_late, mut stopped) = (false, None);
        loop {
            let status = started.child.try_wait();
            let status = status.map_err(|error| CommandError::failure(error.to_string()))?;
            let passed = begun.elapsed();
            // After the status: ^C reaches the command as soon as doomtop, and ends it.
            for number in self.signals.take() {
                stopped = stopped.or(Some((number, Instant::now())));
                if status.is_none() && !reached_command(number) {
                    started.signal(number);
                }
            }
            if let Some(status) = status {
                if let Some((number, _)) = stopped {
                    let status = ExitStatus::Signal(number);
                    stdio::progress("");
                    return Err(CommandError::not_run(status, format!("{ENDED} by a signal")));
                }
                return Ok((status.success() && !is_late, passed.as_secs_f64()));
            }
            if stopped.is_some_and(|(_, at): (i32, Instant)| at.elapsed() >= GRACE) && !is_late {
                // It ignores the signal.
                is_late = true;
                started.end(self.root, EndSignal::Kill);
            }
            if !is_late && most.is_some_and(|most| passed >= most) {
                is_late = true;
                started.end(self.root, EndSignal::Kill);
            }
            std::thread::sleep(PACE);
        }
    }
}

/// What was found, as text or JSON.
fn report(
    args: &SearchLimitArgs,
    search: &LimitSearch,
    (command, largest): (&str, Bytes),
) -> String {
    let usual = search.median(None).unwrap_or_default();
    if args.json {
        let run = |it: &LimitRun| json!({ "limit_bytes": it.limit, "succeeded": it.succeeded, "seconds": it.seconds });
        let runs: Vec<_> = search.runs().iter().map(run).collect();
        let object = json!({
            "schema": SCHEMA,
            "command": args.command.iter().map(|it| shown(it)).collect::<Vec<_>>(),
            "smallest_bytes": search.smallest(),
            "unslowed_bytes": search.unslowed(),
            "slowdown_percent": args.slowdown,
            "unlimited_seconds": usual,
            "swap_bytes": args.swap,
            "runs": runs,
        });
        return format!("{object}\n");
    }
    let command = Text::new(command.as_bytes());
    let repeat = args.repeat;
    let Some(smallest) = search.smallest() else {
        return format!(
            "{command}: fails with {}, the largest limit that was tried\n",
            human_size(largest)
        );
    };
    let time = |limit| search.median(limit).map_or_else(String::new, |it| format!("{it:.2} s"));
    let mut text = format!(
        "{command}\n\
         smallest limit     {} ({} bytes): succeeded {repeat} times, {} (without a limit {usual:.2} s)\n",
        human_size(smallest),
        smallest.0,
        time(Some(smallest)),
    );
    let slower = format!("at most {}% slower", args.slowdown);
    text += &match search.unslowed() {
        Some(limit) => format!(
            "{slower:<18} {} ({} bytes): {}\n",
            human_size(limit),
            limit.0,
            time(Some(limit)),
        ),
        None => format!("{slower:<18} none up to {}\n", human_size(largest),),
    };
    text + &format!("runs               {}\n", search.runs().len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_limit_is_above_the_need_and_at_most_the_machine() {
        let mib = |size: u64| Bytes(size << 20);
        let of = |peaks: &[Option<Bytes>], from| largest(peaks, from, mib(1000));
        assert_eq!(of(&[Some(mib(40)), Some(mib(100))], mib(1)), mib(126));
        assert_eq!(of(&[Some(mib(900))], mib(1)), mib(1000));
        assert_eq!(of(&[Some(mib(0))], mib(16)), mib(16));
        assert_eq!(of(&[Some(mib(40)), None], mib(1)), mib(1000), "not reported by this kernel");
    }
}
