//! The command line: one of the four tables of the house. The help and the list of flags in
//! `assets/docs/command-line.md` are printed from it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::alarm::Alarm;
use crate::app::parse_delay;
use crate::app::refresh::playback::{PlaySpeed, parse_time};
use crate::columns::{COLUMNS, Column, column};
use crate::model::{Scope, Signal};
use crate::policy::site::SitePolicy;
use crate::policy::{PATTERNS, POLICIES, Policy, by_id};
use crate::report::metrics::MetricsFormat as MetricsForm;
use crate::report::outcomes::ReportFormat;
use crate::rows::arrange::Sort;
use crate::rows::filter::Filter;
use crate::source::RedactExtent;
use crate::units::{Adj, LegacyAdj, Millis, Ticks};

/// Shows which process the kernel's OOM killer would kill next, and why, and lets you change that
/// before it happens.
///
/// Without flags: the full screen (? explains the keys). With -b or --json: the same ranking
/// without a screen.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "doomtop",
    version,
    max_term_width = 100,
    after_help = "Exit status: 0 fine (also when the reader of a pipe went away), 1 the system or a \
                  file could not be read, 2 wrong usage or a rule that is none, 3 --self-check found a difference, \
                  4 an act was refused or failed (the others were done), 5 a signalled process still \
                  stands, 128+N ended by signal N.\n\
                  NO_COLOR (set to anything) switches colours off."
)]
pub struct Cli {
    /// Print the ranking as plain text, without a screen
    #[arg(short, long, conflicts_with = "json")]
    pub batch: bool,

    /// Print one JSON object per refresh, one per line
    ///
    /// Each object has the schema doomtop/1. Its main keys are next (the sentence of the screen), victim,
    /// runner_up, candidates, first_wall, memory, swap, overcommit, pressure, cgroups and processes (the
    /// facts and the rank of each). A key that is missing was not read; null means that there is no such
    /// fact; `{"unreadable": "denied"}` means that the kernel refused it. Most names of sizes and times end in
    /// their unit: _bytes, _kib, _pages, _ticks, _ms.
    #[arg(long)]
    pub json: bool,

    /// Say by which rule and files this machine is judged and compare every computed score with the
    /// kernel's; status 3 if one differs
    #[arg(long, conflicts_with_all = ["batch", "json"])]
    pub self_check: bool,

    /// Add every policy's verdict: whether it is armed, who would die by it and how (with -b or --json)
    #[arg(long)]
    pub verdicts: bool,

    /// End after N refreshes (with -b or --json)
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,

    /// Seconds between refreshes
    #[arg(short, long, value_name = "SECS", value_parser = delay)]
    pub delay: Option<Millis>,

    /// Show what `doomtop record` or --json wrote, instead of this machine; - reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub from: Option<PathBuf>,

    /// On the screen, keep so much of the past (such as 15m) to go back to, and write it to a new file
    /// here a few looks after each burst of kills. By itself 5 minutes are kept, and not written
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with_all = ["batch", "json", "self_check", "from", "demo"])]
    pub ring: Option<Millis>,

    /// Replace names by tokens, the same for the same name, other ones in each run: command lines, users,
    /// cgroups, host and boot id, paths; with =all the names of processes, too. Sizes, adj, pids, uid
    /// numbers and the shape of the cgroup tree stay. Nothing can be acted on
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "names", global = true)]
    pub redact: Option<RedactArg>,
    /// Show a load test that was recorded in a virtual machine, instead of this machine: stand-in
    /// services, a real kernel and two real kills. Nothing can be acted on
    #[arg(long, conflicts_with = "from", global = true)]
    pub demo: bool,

    /// Whose rule ranks (`doomtop policies` lists them); site:FILE is a rule of your own (`doomtop policy
    /// check --help` describes the file)
    #[arg(long, value_name = "NAME", default_value = "linux", value_parser = policy, global = true)]
    pub policy: PolicyArg,

    /// The domain of the OOM: auto, global, a memory cgroup by its path in /proc/PID/cgroup, or
    /// nodes:0-1
    #[arg(long, value_name = "PATH", default_value = "auto", value_parser = scope, global = true)]
    pub scope: Scope,

    /// Only these: words, /regex/, user:NAME cgroup:NAME command:NAME pid:N, !not
    #[arg(long, value_name = "TERMS", value_parser = filter)]
    pub filter: Option<FilterArg>,

    /// Sort by a column; -COLUMN the other way round
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, value_parser = sort)]
    pub sort: Option<SortArg>,

    /// Show these columns (comma-separated)
    #[arg(long, value_name = "LIST", value_parser = columns)]
    pub columns: Option<ColumnsArg>,

    /// Rules that say which oom_score_adj a process is to have (`doomtop rules check --help` describes the
    /// file). They only say what they would do until they are switched on (Alt-a)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["batch", "json", "self_check", "redact"])]
    pub adj_rules: Option<PathBuf>,

    /// Ring when a value is crossed, once a crossing, such as psi-some>20% (--help lists all); may be given
    /// again
    #[arg(long, value_name = "ALARM", value_parser = alarm, conflicts_with_all = ["batch", "json", "self_check", "from"],
        long_help = crate::alarm::help())]
    pub alarm: Vec<Alarm>,

    /// Let an alarm ring the terminal's bell; without it the alarm only shows
    #[arg(long, requires = "alarm")]
    pub bell: bool,

    /// Let an alarm run this command (sh -c), with what is known in its environment (--help lists the
    /// variables)
    #[arg(long, value_name = "COMMAND", requires = "alarm", value_hint = ValueHint::CommandString, conflicts_with = "dry_run",
        long_help = crate::alarm::command_help())]
    pub on_alarm: Option<String>,

    /// Look less often while nothing happens: after half a minute without a key, pressure or a near wall
    /// at half the pace, down to an eighth (but each minute). Only where pressure ends that at once
    #[arg(long, conflicts_with_all = ["batch", "json", "self_check"])]
    pub relax: bool,

    /// Never change or signal anything
    #[arg(long)]
    pub read_only: bool,

    /// Check every act as in earnest, say what would be done, and do nothing
    #[arg(long, conflicts_with = "read_only")]
    pub dry_run: bool,

    /// Draw with ASCII only (by itself where the locale is not UTF-8)
    #[arg(long)]
    pub ascii: bool,

    /// Do not use the terminal's alternate screen
    #[arg(long)]
    pub no_alt_screen: bool,

    /// Leave the last picture on the terminal at the end (as the key Q does)
    #[arg(long)]
    pub keep_screen: bool,

    /// Read another proc tree, such as /host/proc in a container. Nothing can be acted on unless
    /// it is this machine's own
    #[arg(long, value_name = "DIR", default_value = "/proc", value_hint = ValueHint::DirPath, global = true)]
    pub proc: PathBuf,

    /// What to do instead of showing the ranking
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// How much is replaced by tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum RedactArg {
    /// All names but those of processes
    Names,
    /// The names of processes, too
    All,
}

impl From<RedactArg> for RedactExtent {
    fn from(redact: RedactArg) -> Self {
        match redact {
            RedactArg::Names => Self::Names,
            RedactArg::All => Self::All,
        }
    }
}

/// What to do instead of showing the ranking.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// List every policy: what it is, where it can be read, whether it is about to act
    Policies,
    /// Rules of your own
    Policy {
        /// What to do with them.
        #[command(subcommand)]
        what: PolicyCommand,
    },
    /// Rules of adj
    Rules {
        /// What to do with them.
        #[command(subcommand)]
        what: RulesCommand,
    },
    /// Write oom_score_adj of processes; each is read back and reported on a line
    Set(SetArgs),
    /// Record looks into a new file, compressed, until ^C: 2 to 3 MiB an hour for 500 processes of which
    /// 50 change at each look. replay and --from show it
    Record(RecordArgs),
    /// Play a recording on the screen: z stops and goes on, ( and ) step, { and } go from kill to kill,
    /// Alt-. and Alt-, change the speed, b goes to a time, l to the end. Flags of the screen (--ascii,
    /// --filter) stand before it
    Replay(ReplayArgs),
    /// Tell who would be killed next, how near the walls are and which killers are armed as metrics
    /// (OpenMetrics): once to standard output, in a file, or at an address of the loopback
    Metrics(MetricsArgs),
    /// Explain the OOM kills of a saved kernel log (dmesg, journalctl -k, /dev/kmsg): what was asked
    /// for, who was killed and why, whether the rule agrees
    Explain(ExplainArgs),
    /// Signal processes by the rule of the key X (SIGTERM if it holds raw I/O, SIGKILL otherwise) and
    /// follow them to their end; a line for each step
    Sacrifice(SacrificeArgs),
}

/// What `doomtop record` takes.
#[derive(Clone, Debug, Args)]
pub struct RecordArgs {
    /// The file; it must not be there yet. With --ring the folder for the files
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub file: PathBuf,

    /// Keep only the last minutes (such as 15m), and write them to a new file in the folder a few looks
    /// after each burst of kills; at most 50 files
    #[arg(id = "record_ring", long = "ring", value_name = "TIME", value_parser = span)]
    pub ring: Option<Millis>,

    /// Seconds between looks
    #[arg(id = "record_delay", short = 'd', long = "delay", value_name = "SECS", value_parser = delay)]
    pub delay: Option<Millis>,

    /// End after N looks
    #[arg(id = "record_iterations", short = 'n', long = "iterations", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,
}

/// What `doomtop replay` takes.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The recording
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// So many times its own pace, from 0.25 to 64
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: SpeedArg,

    /// Begin there, stopped: 14:03, 14:03:22, or 5m before its end
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<String>,
}

/// A speed that can be played.
#[derive(Clone, Copy, Debug)]
pub struct SpeedArg(pub PlaySpeed);

/// What `doomtop metrics` takes.
#[derive(Clone, Debug, Args)]
pub struct MetricsArgs {
    /// Keep this file up to date, for the node exporter's textfile collector (its name then ends in
    /// .prom): written beside it and renamed
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "listen")]
    pub file: Option<PathBuf>,

    /// Answer GET /metrics at this address and port of the loopback, such as 127.0.0.1:9753; a look is
    /// taken when somebody asks
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub listen: Option<SocketAddr>,

    /// Write openmetrics, or the older text of prometheus. Otherwise --file writes prometheus, which the
    /// collector reads; --listen, what it is asked for; standard output, openmetrics
    #[arg(long, value_name = "NAME", value_parser = text_form, conflicts_with = "listen")]
    pub format: Option<FormatArg>,

    /// Seconds between refreshes; with --listen no look is taken sooner after another. Standard output is
    /// written once unless this or -n is given
    #[arg(id = "metrics_delay", short = 'd', long = "delay", value_name = "SECS", value_parser = delay)]
    pub delay: Option<Millis>,

    /// End after N refreshes (with --listen: answers)
    #[arg(id = "metrics_iterations", short = 'n', long = "iterations", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,
}

/// A form of metrics that exists.
#[derive(Clone, Copy, Debug)]
pub struct FormatArg(pub MetricsForm);

/// What `doomtop explain` takes.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The log; - reads standard input
    #[arg(value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Print one JSON object per kill, one per line
    ///
    /// Each object has the schema doomtop-explain/1. Its main keys are when, what (ran out), domain,
    /// invoked_by, killed (the chosen process first), policy, ranking (of the dump, in the order of death),
    /// agreement (agrees, too_close, differs, unknown) and notes.
    #[arg(id = "explain_json", long = "json")]
    pub json: bool,

    /// Show the kills on the screen: the table of processes as each report has it, under any policy
    #[arg(long, conflicts_with_all = ["explain_json", "rows"])]
    pub screen: bool,

    /// So many rows of each dump, in the order of death
    #[arg(long, value_name = "N", default_value = "10")]
    pub rows: usize,
}

/// What both acts take.
#[derive(Clone, Debug, Args)]
pub struct SourceArgs {
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print one JSON object per step, one per line
    ///
    /// Its main keys are pid, start_ticks, comm, act (set or signal), result (such as set, signalled, gone,
    /// still_there, refused) and why, where it was refused.
    #[arg(id = "acts_json", long = "json")]
    pub json: bool,

    /// The processes: PID, or PID@START with the start time in ticks since boot (start_ticks of
    /// --json), so that a recycled pid is never hit
    #[arg(value_name = "PID", required = true, value_parser = target)]
    pub pids: Vec<TargetArg>,
}

impl SourceArgs {
    /// In which form lines are written.
    #[must_use]
    pub const fn form(&self) -> ReportFormat {
        if self.json { ReportFormat::Json } else { ReportFormat::Text }
    }
}

/// What `doomtop set` takes.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// The value, from -1000 (never) to 1000
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = clap::value_parser!(i16).range(-1000..=1000), required_unless_present = "legacy", conflicts_with = "legacy")]
    pub adj: Option<i16>,

    /// The value on the legacy scale of oom_adj, from -17 (never) to 15
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = clap::value_parser!(i8).range(-17..=15))]
    pub legacy: Option<i8>,

    /// What both acts take.
    #[command(flatten)]
    pub common: SourceArgs,
}

impl SetArgs {
    /// The value to write.
    #[must_use]
    pub fn value(&self) -> Adj {
        match self.legacy {
            Some(legacy) => LegacyAdj::clamped(legacy.into()).modern(),
            None => Adj::clamped(self.adj.unwrap_or_default().into()),
        }
    }
}

/// What `doomtop sacrifice` takes.
#[derive(Clone, Debug, Args)]
pub struct SacrificeArgs {
    /// This signal (term or kill), whatever the rule says
    #[arg(long, value_name = "SIGNAL", value_parser = ending)]
    pub signal: Option<Signal>,

    /// Also those whose pid would have to be typed on the screen: doomtop's own ancestors, leaders of
    /// terminal sessions, the journal, logins, whoever has -1000
    #[arg(long)]
    pub insist: bool,

    /// Wait so many seconds for them to be gone; 0 does not wait
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = patience)]
    pub wait: Millis,

    /// What both acts take.
    #[command(flatten)]
    pub common: SourceArgs,
}

/// A process as the command line names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TargetArg {
    /// Its pid.
    pub pid: i32,
    /// When it was born, where that was said.
    pub born: Option<Ticks>,
}

/// What to do with rules of the site.
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a rule's file: everything that is wrong with it, or who would die by it now
    ///
    /// The file is TOML. It needs `name` (letters, digits, - _ .) and `score`, an expression such as
    /// `p.rss + (has(p.swap) ? p.swap : 0)`: the process with the highest score dies first. Optional:
    /// `title`, `about`, `unit` ("pages" or "points"), `eligible` (an expression: who can be chosen),
    /// `protect`, `prefer` and `blame` (lists of names, or of tables with name, user, cgroup, unit),
    /// `company` (an expression: who dies with the victim) and `signal` ("TERM", "KILL" or an expression).
    /// Expressions are a part of CEL; `doomtop policy facts` prints what they can use. To rank by the file:
    /// --policy site:FILE.
    Check {
        /// The file.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print the table of facts that a rule may ask
    Facts,
}

/// What to do with rules of adj.
#[derive(Clone, Debug, Subcommand)]
pub enum RulesCommand {
    /// Check a file: everything that is wrong with it, or what it would write to whom now
    ///
    /// The file is TOML: a list of `[[rule]]` tables, of which the first that matches a process counts. Each
    /// needs `for` (one entry or a list of them) and `adj` (-1000 to 1000); `about` names it in the journal.
    /// An entry is a process name, or a table with one or more of name, regex, user, cgroup and unit, which
    /// must all match. In name, user, cgroup and unit * stands for any letters and ? for one. An entry of a
    /// rule with an adj below 0 needs a user without * and ?, or a cgroup path such as /batch.slice.
    Check {
        /// The file.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
}

/// A policy that exists, or the file of a site's own.
#[derive(Clone)]
pub enum PolicyArg {
    /// It stands in the table.
    Known(&'static dyn Policy),
    /// It is read from this file.
    Site(PathBuf),
}

impl std::fmt::Debug for PolicyArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Known(policy) => f.write_str(policy.id()),
            Self::Site(file) => write!(f, "{}{}", SitePolicy::PREFIX, file.display()),
        }
    }
}

/// A filter that was understood.
#[derive(Clone, Debug)]
pub struct FilterArg(pub Filter);

/// An order that was understood.
#[derive(Clone, Copy)]
pub struct SortArg(pub Sort);

/// Columns that exist.
#[derive(Clone)]
pub struct ColumnsArg(pub Vec<&'static Column>);

impl std::fmt::Debug for SortArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.column.id)
    }
}

impl std::fmt::Debug for ColumnsArg {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.0.iter().map(|column| column.id)).finish()
    }
}

fn policy(id: &str) -> Result<PolicyArg, String> {
    if let Some(file) = id.strip_prefix(SitePolicy::PREFIX).filter(|file| !file.is_empty()) {
        return Ok(PolicyArg::Site(file.into()));
    }
    by_id(id).map(PolicyArg::Known).ok_or_else(|| {
        let mut names: Vec<&str> = POLICIES.iter().map(|policy| policy.id()).collect();
        names.extend(PATTERNS.iter().map(|(pattern, _)| *pattern));
        format!("the policies are {}", names.join(", "))
    })
}

fn target(text: &str) -> Result<TargetArg, String> {
    let wanted = || "PID, or PID@START with the start time in ticks since boot".to_owned();
    let (pid, born) = match text.split_once('@') {
        Some((pid, born)) => (pid, Some(Ticks(born.parse().map_err(|_| wanted())?))),
        None => (text, None),
    };
    let pid = pid.parse().ok().filter(|pid| *pid > 0).ok_or_else(wanted)?;
    Ok(TargetArg { pid, born })
}

fn loopback(text: &str) -> Result<SocketAddr, String> {
    let address: SocketAddr =
        text.parse().map_err(|_| "an address and a port, such as 127.0.0.1:9753".to_owned())?;
    if address.ip().is_loopback() {
        return Ok(address);
    }
    Err("it must be of the loopback (127.0.0.1:PORT or [::1]:PORT): the names of processes and users are \
         for nobody outside; to be asked from elsewhere, put a server before it that checks who asks"
        .to_owned())
}

fn text_form(text: &str) -> Result<FormatArg, String> {
    match text {
        "openmetrics" => Ok(FormatArg(MetricsForm::OpenMetrics)),
        "prometheus" => Ok(FormatArg(MetricsForm::Prometheus)),
        _ => Err("it is openmetrics or prometheus".to_owned()),
    }
}

fn ending(text: &str) -> Result<Signal, String> {
    match text.to_ascii_lowercase().trim_start_matches("sig") {
        "term" | "15" => Ok(Signal::TERM),
        "kill" | "9" => Ok(Signal::KILL),
        _ => Err("it is term or kill".to_owned()),
    }
}

fn patience(text: &str) -> Result<Millis, String> {
    let seconds: f64 = text.parse().map_err(|_| "seconds, from 0 to 3600".to_owned())?;
    if (0.0..=3600.0).contains(&seconds) {
        Ok(Millis((seconds * 1000.0).round() as u64))
    } else {
        Err("seconds, from 0 to 3600".to_owned())
    }
}

fn alarm(text: &str) -> Result<Alarm, String> {
    Alarm::parse(text)
}

fn delay(text: &str) -> Result<Millis, String> {
    parse_delay(text)
}

fn span(text: &str) -> Result<Millis, String> {
    let wanted = || "a time from 10s to 24h, such as 15m".to_owned();
    let span = parse_time(text, 0, 0).map_err(|_| wanted())?;
    let fits = !text.contains(':') && (10_000..=86_400_000).contains(&span.0);
    fits.then_some(span).ok_or_else(wanted)
}

fn speed(text: &str) -> Result<SpeedArg, String> {
    let times = text.trim_end_matches('x').parse().ok().and_then(PlaySpeed::times);
    times.map(SpeedArg).ok_or_else(|| "a speed from 0.25 to 64".to_owned())
}

fn moment(text: &str) -> Result<String, String> {
    parse_time(text, 0, 0).map(|_| text.to_owned())
}

fn scope(text: &str) -> Result<Scope, String> {
    Scope::parse(text).ok_or_else(|| {
        "it is auto, global, nodes:LIST, or a path that begins with /, as /proc/PID/cgroup prints it"
            .to_owned()
    })
}

fn filter(text: &str) -> Result<FilterArg, String> {
    Filter::parse(text).map(FilterArg).map_err(|bad| bad.what)
}

fn known(id: &str) -> Result<&'static Column, String> {
    column(id.trim()).ok_or_else(|| {
        let names: Vec<&str> = COLUMNS.iter().map(|column| column.id).collect();
        format!("there is no column {id:?}; the columns are {}", names.join(", "))
    })
}

fn sort(text: &str) -> Result<SortArg, String> {
    let (turned, id) = match text.strip_prefix('-') {
        Some(id) => (true, id),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let column = known(id)?;
    Ok(SortArg(Sort { column, descending: column.descending != turned }))
}

fn columns(text: &str) -> Result<ColumnsArg, String> {
    text.split(',')
        .filter(|id| !id.trim().is_empty())
        .map(known)
        .collect::<Result<Vec<_>, _>>()
        .and_then(|chosen| {
            if chosen.is_empty() {
                known("").map(|_| ColumnsArg(chosen))
            } else {
                Ok(ColumnsArg(chosen))
            }
        })
}
