//! The command line: one of the four tables of the house. The help and the list of flags in
//! `assets/docs/command-line.md` are printed from it.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, Parser, Subcommand, ValueHint};

use super::arg::{
    ColumnsArg, FilterArg, FormatArg, PolicyArg, RedactArg, SamplerArg, ShellArg, SortArg,
    SpeedArg, TargetArg, age, alarm, columns, delay, ending, filter, loopback, moment, patience,
    policy, scope, size, sort, span, speed, target, text_form, theme,
};
use super::config::values::ConfigValues;
use super::run::args::{RunArgs, SearchLimitArgs};
use super::version::VERSION;
use crate::alarm::Alarm;
use crate::app::setup::ThemeName;
use crate::model::{Scope, Signal};
use crate::report::outcomes::ReportFormat;
use crate::shell::debug_log::LogLevel;
use crate::shell::exit_status::{self, MAIN};
use crate::shell::worker::alarm_command::AlarmCommands;
use crate::units::{Adj, Bytes, LegacyAdj, Millis};

/// Shows which process the kernel's OOM killer would kill next, and why, and lets you change that
/// before it happens.
///
/// Without flags: the full screen (? explains the keys). With -b or --json: the same ranking
/// without a screen.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "doomtop",
    version = VERSION,
    max_term_width = 100,
    after_help = after_help()
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

    /// Print a line when the next death changes, an alarm crosses its threshold or a process is killed, and nothing
    /// else: for screen readers and serial consoles
    #[arg(long, conflicts_with_all = ["batch", "json", "self_check", "ring", "adj_rules"])]
    pub plain: bool,

    /// Print the rule and the files that the ranking uses on this machine, and compare every computed score
    /// with the kernel's; status 3 if one differs
    #[arg(long, conflicts_with_all = ["batch", "json"])]
    pub self_check: bool,

    /// Add the verdict of every policy: whether it is armed, which process it would kill and how (with -b or
    /// --json)
    #[arg(long)]
    pub verdicts: bool,

    /// End after N refreshes (with -b, --json or --plain). With -n 1, -b and --json take samples before the one that
    /// they print: a live machine's for 0.3 seconds, those of the first four seconds of a recording
    #[arg(short = 'n', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,

    /// Seconds between refreshes
    #[arg(short, long, value_name = "SECS", value_parser = delay)]
    pub delay: Option<Millis>,

    /// Show a recording, or the lines of --json, instead of this machine; - reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub from: Option<PathBuf>,

    /// On the screen, keep this much of the past (such as 15m; 5m without this flag), and write it to a new
    /// file in the working directory a few samples after each burst of kills
    #[arg(long, value_name = "TIME", value_parser = span, conflicts_with_all = ["batch", "json", "self_check", "from", "demo"])]
    pub ring: Option<Millis>,

    /// Replace names by tokens (one token per name, new tokens in each run): command lines, users,
    /// cgroups, host and boot id, paths; with =all also the names of processes. Sizes, adj, pids, uid
    /// numbers and the shape of the cgroup tree stay. Acts are refused
    #[arg(long, value_name = "WHAT", num_args = 0..=1, require_equals = true, default_missing_value = "names", global = true)]
    pub redact: Option<RedactArg>,

    /// Show a load test that was recorded in a virtual machine, instead of this machine: stand-in
    /// services, a real kernel, earlyoom and four real kills. Acts are refused
    #[arg(long, conflicts_with = "from", global = true)]
    pub demo: bool,

    /// The policy that ranks: linux, or another (`doomtop policies` lists them); site:FILE is a rule of your own
    /// (`doomtop policy check --help` describes the file)
    #[arg(long, value_name = "NAME", value_parser = policy, global = true)]
    pub policy: Option<PolicyArg>,

    /// The domain that runs out of memory: auto, global, a memory cgroup by its path in /proc/PID/cgroup,
    /// or nodes:0-1
    #[arg(long, value_name = "PATH", value_parser = scope, global = true)]
    pub scope: Option<Scope>,

    /// Show only matching processes: words, /regex/, user:NAME cgroup:NAME command:NAME pid:N, !not
    #[arg(long, value_name = "TERMS", value_parser = filter)]
    pub filter: Option<FilterArg>,

    /// Sort by a column; -COLUMN reverses the order
    #[arg(long, value_name = "COLUMN", allow_hyphen_values = true, value_parser = sort)]
    pub sort: Option<SortArg>,

    /// Show these columns (comma-separated)
    #[arg(long, value_name = "LIST", value_parser = columns)]
    pub columns: Option<ColumnsArg>,

    /// Rules that say which oom_score_adj a process is to have (`doomtop rules check --help` describes the
    /// file). They are a dry run until you switch them on (Alt-a)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["batch", "json", "self_check", "redact"])]
    pub adj_rules: Option<PathBuf>,

    /// Raise an alarm when a value crosses a threshold, such as psi-some>20% (--help lists all); can be
    /// repeated
    #[arg(long, value_name = "ALARM", value_parser = alarm, conflicts_with_all = ["batch", "json", "self_check", "from"],
        long_help = crate::alarm::help())]
    pub alarm: Vec<Alarm>,

    /// Ring the terminal's bell for an alarm; without this flag it is only shown
    #[arg(long, requires = "alarm")]
    pub bell: bool,

    /// Let an alarm run this command (sh -c), with what is known in its environment (--help lists the
    /// variables)
    #[arg(long, value_name = "COMMAND", requires = "alarm", value_hint = ValueHint::CommandString, conflicts_with = "dry_run",
        long_help = crate::alarm::command_help())]
    pub on_alarm: Option<String>,

    /// Sample less often while nothing happens: after 30 s without a key, memory pressure or a near limit at half
    /// the rate, then down to an eighth (at least once a minute). Needs a PSI trigger, so that memory pressure still causes a sample at once
    #[arg(long, conflicts_with_all = ["batch", "json", "self_check"])]
    pub relax: bool,

    /// Never change or signal anything. Files that are asked for (a recording, a sample, a journal) are still
    /// written
    #[arg(long)]
    pub read_only: bool,

    /// Protect doomtop itself: set its oom_score_adj to -999 while it runs, so that the kernel kills it last. The
    /// original value is restored when doomtop takes more than 64 MiB, or an eighth of the memory if that is less.
    /// Programs that doomtop starts keep the original value. Needs CAP_SYS_RESOURCE; Alt-p does the same on the
    /// screen
    #[arg(long, global = true)]
    pub protect: bool,

    /// Check every act as if it were carried out, print what would be done, and do nothing
    #[arg(long, conflicts_with = "read_only")]
    pub dry_run: bool,

    /// Draw with ASCII only (the default where the locale is not UTF-8)
    #[arg(long)]
    pub ascii: bool,

    /// The colours of the screen: default, dark, light, colourblind, colourblind-light or mono (Alt-t changes them)
    #[arg(long, value_name = "NAME", value_parser = theme)]
    pub theme: Option<ThemeName>,

    /// Use the mouse, as is the default: the wheel scrolls, a click selects, sorts or changes the view, and
    /// never confirms anything. Text is selected with Shift. Alt-m switches it
    #[arg(long, overrides_with = "no_mouse")]
    pub mouse: bool,

    /// Leave the mouse to the terminal
    #[arg(long, overrides_with = "mouse")]
    pub no_mouse: bool,

    /// Do not use the terminal's alternate screen
    #[arg(long)]
    pub no_alt_screen: bool,

    /// Leave the last screen on the terminal at the end, as the key Q does
    #[arg(long)]
    pub keep_screen: bool,

    /// Read another proc tree, such as /host/proc in a container. Acts are refused unless it is the tree of
    /// this machine
    #[arg(long, value_name = "DIR", default_value = "/proc", value_hint = ValueHint::DirPath, global = true)]
    pub proc: PathBuf,

    /// How the processes are read: bpf asks the kernel for all at once, which costs a tenth and needs CAP_BPF and
    /// CAP_PERFMON or CAP_SYS_ADMIN; proc reads the files of each; auto takes bpf where it works. Another
    /// proc tree is always read from its files
    #[arg(long, value_name = "NAME", global = true)]
    pub sampler: Option<SamplerArg>,

    /// Read this settings file instead of ~/.config/doomtop/config.toml (`doomtop config print` prints one with
    /// every setting). DOOMTOP_CONFIG does the same. /etc/doomtop/config.toml is always read before it
    #[arg(id = "config_file", long = "config", value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub config_file: Option<PathBuf>,

    /// Append what doomtop decides, and why it stopped reading a source, to this file, never to the terminal
    /// (DOOMTOP_LOG does the same)
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub log: Option<PathBuf>,

    /// How much --log writes
    #[arg(long, value_name = "LEVEL", global = true)]
    pub log_level: Option<LogLevel>,

    /// The settings of the files
    #[arg(skip)]
    pub config: Arc<ConfigValues>,

    /// What to do instead of showing the ranking
    #[command(subcommand)]
    pub command: Option<Command>,
}

impl Cli {
    /// The commands that alarms run: of the flag, and those of the settings files.
    pub(crate) fn alarm_commands(&self) -> AlarmCommands {
        if self.config.forbids_writing {
            return AlarmCommands::default();
        }
        let own = if self.dry_run { Vec::new() } else { self.config.alarm_commands.clone() };
        AlarmCommands { usual: self.on_alarm.clone(), own }
    }
}

/// The end of the help of doomtop itself.
fn after_help() -> String {
    exit_status::help(MAIN)
        + "\n\nNO_COLOR (set to anything) means --theme mono, unless --theme is given."
}

/// What to do instead of showing the ranking.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    #[command(after_help = exit_status::help("explain"))]
    /// Explain the OOM kills of a saved kernel log (dmesg, journalctl -k, /dev/kmsg): which allocation failed,
    /// which process was killed and why, whether the computed ranking agrees
    Explain(ExplainArgs),
    #[command(after_help = exit_status::help("fits"))]
    /// Tell whether SIZE more memory fits now, and which processes would be killed for it
    ///
    /// It assumes that a new process takes the memory in the memory cgroup that doomtop runs in, or in that of
    /// --scope (--scope global: in none). Its limits and those of every cgroup above it count, and the room of the
    /// machine. All other processes keep their size.
    Fits(FitsArgs),
    #[command(after_help = exit_status::help("run"))]
    /// Run a load test: a command in a memory cgroup of its own, with limits, a recording and a verdict that CI can
    /// read: peak, what was needed, pressure, growth, kills and what was expected
    Run(Box<RunArgs>),
    #[command(after_help = exit_status::help("search-limit"))]
    /// Find the smallest memory limit with which a command succeeds, and the one with which it is at most 10% slower
    /// (--slowdown): it is run again and again, and may be killed each time
    SearchLimit(SearchLimitArgs),
    #[command(after_help = exit_status::help("compare"))]
    /// Compare two recordings of a load test: what B took more or less than A, of memory, pressure, swap and kills
    ///
    /// Of a recording that doomtop run made, the memory cgroup of its command is compared, of any other one the whole
    /// machine; --scope names another cgroup, in both.
    Compare(CompareArgs),
    #[command(after_help = exit_status::help("record"))]
    /// Record samples into a new compressed file until ^C: 2 to 3 MiB an hour for 500 processes of which 50
    /// change at each sample. replay and --from show it
    Record(RecordArgs),
    #[command(after_help = exit_status::help("replay"))]
    /// Play a recording on the screen: z pauses and resumes, ( and ) step, { and } go to the sample before each kill,
    /// Alt-. and Alt-, change the speed, b goes to a time, l to the end. Flags of the screen (--ascii,
    /// --filter) come before the subcommand
    Replay(ReplayArgs),
    #[command(after_help = exit_status::help("metrics"))]
    /// Export metrics (OpenMetrics): the next victim, how near the limits are, which killers are armed; once
    /// to standard output, in a file, or at a loopback address
    Metrics(MetricsArgs),
    #[command(after_help = exit_status::help("set"))]
    /// Write oom_score_adj of processes; each value is read back and reported on one line
    Set(SetArgs),
    #[command(after_help = exit_status::help("sacrifice"))]
    /// Signal processes as the key X does (SIGTERM with CAP_SYS_RAWIO, SIGKILL otherwise) and
    /// follow them until they have exited; one line per step
    Sacrifice(SacrificeArgs),
    #[command(after_help = exit_status::help("policies"))]
    /// List every policy: what it is, where its code can be read, whether it is about to act
    Policies,
    #[command(after_help = exit_status::help("policy"))]
    /// Check a policy of your own, or list the facts that it can use
    Policy {
        /// What to do.
        #[command(subcommand)]
        what: PolicyCommand,
    },
    #[command(after_help = exit_status::help("rules"))]
    /// Check adj rules
    Rules {
        /// What to do.
        #[command(subcommand)]
        what: RulesCommand,
    },
    #[command(after_help = exit_status::help("doctor"))]
    /// Tell what doomtop can do here and what is wrong: version, kernel, rights, sources, terminal, settings
    Doctor {
        /// Print one JSON object (schema doomtop-doctor/1)
        #[arg(id = "doctor_json", long = "json")]
        json: bool,
    },
    #[command(after_help = exit_status::help("man"))]
    /// Print a manual page; on a terminal man(1) shows it
    Man {
        /// The page: doomtop, config, policy or recording
        #[arg(value_name = "PAGE", default_value = "doomtop")]
        page: String,
    },
    #[command(after_help = exit_status::help("completions"))]
    /// Print the completions for a shell
    Completions {
        /// The shell
        #[arg(value_name = "SHELL")]
        shell: ShellArg,
    },
    #[command(after_help = exit_status::help("config"))]
    /// Print, check or find the settings file
    Config {
        /// What to do.
        #[command(subcommand)]
        what: ConfigCommand,
    },
}

/// The arguments of `doomtop record`.
#[derive(Clone, Debug, Args)]
pub struct RecordArgs {
    /// The file; it must not exist yet. With --ring: the directory for the files
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub file: PathBuf,

    /// Keep only the last minutes (such as 15m), and write them to a new file in the directory a few samples
    /// after each burst of kills; at most 50 files, unless --max-age or --max-size deletes old ones
    #[arg(id = "record_ring", long = "ring", value_name = "TIME", value_parser = span)]
    pub ring: Option<Millis>,

    /// With --ring: also record everything, into one file a day
    #[arg(long, requires = "record_ring")]
    pub daily: bool,

    /// With --ring: delete recordings in the directory that were last written so long ago, such as 14d; only those
    /// that record --ring made for this user on this host
    #[arg(long, value_name = "TIME", value_parser = age, requires = "record_ring")]
    pub max_age: Option<Millis>,

    /// With --ring: delete the oldest of these recordings while all of them together are larger, such as 2G
    #[arg(long, value_name = "SIZE", value_parser = size, requires = "record_ring")]
    pub max_size: Option<Bytes>,

    /// Seconds between samples
    #[arg(id = "record_delay", short = 'd', long = "delay", value_name = "SECS", value_parser = delay)]
    pub delay: Option<Millis>,

    /// End after N samples
    #[arg(id = "record_iterations", short = 'n', long = "iterations", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,

    /// Add the notes in FILE, in place of those in a recording that is copied: in each line a time (+90 or
    /// +1m30s after the first sample, or 14:03:22) and a text, which a replay shows from then on
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "record_ring")]
    pub notes: Option<PathBuf>,

    /// Say nothing on standard error but what went wrong
    #[arg(short, long)]
    pub quiet: bool,
}

/// The arguments of `doomtop replay`.
#[derive(Clone, Debug, Args)]
pub struct ReplayArgs {
    /// The recording, or a directory of recordings: there --at finds the right one, and without it the newest is
    /// played. Without FILE it is /var/lib/doomtop, where doomtop-recorder.service records
    #[arg(value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub file: Option<PathBuf>,

    /// Speed, from 0.25 to 64 times that of the recording
    #[arg(long, value_name = "N", default_value = "1", value_parser = speed)]
    pub speed: SpeedArg,

    /// Start paused at this time: 14:03, 14:03:22, '2026-11-20 14:03', or 5m before the end
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub at: Option<String>,

    /// The part that is read, in milliseconds since 1970
    #[arg(skip)]
    pub part: Option<(i64, i64)>,
}

/// The arguments of `doomtop metrics`.
#[derive(Clone, Debug, Args)]
pub struct MetricsArgs {
    /// Keep this file up to date, for the textfile collector of the node exporter, which reads names that
    /// end in .prom; it is replaced by renaming
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, conflicts_with = "listen")]
    pub file: Option<PathBuf>,

    /// Answer GET /metrics at this loopback address and port, such as 127.0.0.1:9753; a sample is taken at
    /// each request
    #[arg(long, value_name = "ADDR", value_parser = loopback)]
    pub listen: Option<SocketAddr>,

    /// openmetrics, or the older format prometheus. The default is prometheus for --file, because the
    /// collector reads it, what the client accepts for --listen, and openmetrics for standard output
    #[arg(long, value_name = "NAME", value_parser = text_form, conflicts_with = "listen")]
    pub format: Option<FormatArg>,

    /// Seconds between refreshes; with --listen the minimum between two samples. Without this, standard output (with
    /// -n 1 a file, too) is written only once: four seconds after the start, because a death is predicted from several
    /// samples, or at the end of a recording. With this and -n 1, the first sample is written at once
    #[arg(id = "metrics_delay", short = 'd', long = "delay", value_name = "SECS", value_parser = delay)]
    pub delay: Option<Millis>,

    /// End after N refreshes (with --listen: answers)
    #[arg(id = "metrics_iterations", short = 'n', long = "iterations", value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub iterations: Option<u64>,
}

/// The arguments of `doomtop explain`.
#[derive(Clone, Debug, Args)]
pub struct ExplainArgs {
    /// The log; - reads standard input
    #[arg(value_name = "FILE", default_value = "-", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,

    /// Print one JSON object per kill, one per line
    ///
    /// Each object has the schema doomtop-explain/1. Its main keys are when, answer (one sentence), domain,
    /// domain_kind, chosen, killed, why, memory (what it was used for), change, ranking (of the dump, in the
    /// order of death), agreement (agrees, too_close, differs, unknown) and notes.
    #[arg(id = "explain_json", long = "json")]
    pub json: bool,

    /// Show the kills on the screen: the table of processes of each report, under any policy
    #[arg(long, conflicts_with_all = ["explain_json", "rows"])]
    pub screen: bool,

    /// Maximum number of rows of each dump, in the order of the ranking
    #[arg(long, value_name = "N", default_value = "10")]
    pub rows: usize,
}

/// The arguments of `doomtop fits`.
#[derive(Clone, Debug, Args)]
pub struct FitsArgs {
    /// How much more memory, such as 2G or 500M
    #[arg(value_name = "SIZE", value_parser = size)]
    pub size: Bytes,

    /// The oom_score_adj of the process that takes it, from -1000 to 1000
    #[arg(long, value_name = "N", default_value = "0", allow_hyphen_values = true, value_parser = clap::value_parser!(i16).range(-1000..=1000))]
    pub adj: i16,

    /// With --from: at this time, such as 14:03, 14:03:22, '2026-11-20 14:03', or 5m before the end; without it, at
    /// the end
    #[arg(id = "fits_at", long = "at", value_name = "TIME", value_parser = moment)]
    pub at: Option<String>,

    /// Print one JSON object (schema doomtop-fits/1)
    #[arg(id = "fits_json", long = "json")]
    pub json: bool,
}

/// The arguments of `doomtop compare`.
#[derive(Clone, Debug, Args)]
pub struct CompareArgs {
    /// The first recording, the baseline; - reads standard input
    #[arg(value_name = "A", value_hint = ValueHint::FilePath)]
    pub first: PathBuf,

    /// The second recording, compared with A; - reads standard input
    #[arg(value_name = "B", value_hint = ValueHint::FilePath)]
    pub second: PathBuf,

    /// Print one JSON object (schema doomtop-compare/1)
    #[arg(id = "compare_json", long = "json")]
    pub json: bool,

    /// Write a picture, too: the memory of both over time, and the table. The file must not exist yet
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub svg: Option<PathBuf>,
}

/// The arguments that `doomtop set` and `doomtop sacrifice` share.
#[derive(Clone, Debug, Args)]
pub struct ActArgs {
    /// Print what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,

    /// Print one JSON object per step, one per line
    ///
    /// Its main keys are pid, start_ticks, comm, act (set or signal), result (such as set, signalled, gone,
    /// still_there, refused) and why, where it was refused.
    #[arg(id = "acts_json", long = "json")]
    pub json: bool,

    /// The processes: PID, or PID@START with the start time in ticks since boot (start_ticks of
    /// --json), so that a recycled pid is never acted on
    #[arg(value_name = "PID", required = true, value_parser = target)]
    pub pids: Vec<TargetArg>,
}

impl ActArgs {
    /// The format of the lines.
    #[must_use]
    pub const fn form(&self) -> ReportFormat {
        if self.json { ReportFormat::Json } else { ReportFormat::Text }
    }
}

/// The arguments of `doomtop set`.
#[derive(Clone, Debug, Args)]
pub struct SetArgs {
    /// The value, from -1000 (never) to 1000
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = clap::value_parser!(i16).range(-1000..=1000), required_unless_present = "legacy", conflicts_with = "legacy")]
    pub adj: Option<i16>,

    /// The value on the legacy scale of oom_adj, from -17 (never) to 15
    #[arg(long, value_name = "N", allow_hyphen_values = true, value_parser = clap::value_parser!(i8).range(-17..=15))]
    pub legacy: Option<i8>,

    /// The arguments that both acts share.
    #[command(flatten)]
    pub common: ActArgs,
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

/// The arguments of `doomtop sacrifice`.
#[derive(Clone, Debug, Args)]
pub struct SacrificeArgs {
    /// Send this signal (term or kill) instead of that of the rule
    #[arg(long, value_name = "SIGNAL", value_parser = ending)]
    pub signal: Option<Signal>,

    /// Also signal processes whose pid has to be typed on the screen: doomtop's own ancestors, leaders of
    /// terminal sessions, the journal, logins, and those with an oom_score_adj of -1000
    #[arg(long)]
    pub insist: bool,

    /// Seconds to wait for the processes to exit; 0 does not wait
    #[arg(long, value_name = "SECS", default_value = "5", value_parser = patience)]
    pub wait: Millis,

    /// The arguments that both acts share.
    #[command(flatten)]
    pub common: ActArgs,
}

/// The subcommands of `doomtop policy`.
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyCommand {
    #[command(after_help = exit_status::help("policy check"))]
    /// Check the file of a site rule: print every error, or which process it would kill now
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
    #[command(after_help = exit_status::help("policy facts"))]
    /// Print the table of facts that a policy of your own can use
    Facts,
}

/// The subcommands of `doomtop config`.
#[derive(Clone, Debug, Subcommand)]
pub enum ConfigCommand {
    #[command(after_help = exit_status::help("config print"))]
    /// Print a file in which every setting is a comment, with its default or an example
    Print,
    #[command(after_help = exit_status::help("config check"))]
    /// Check a file, or those that would be read: what is wrong, with file and line
    ///
    /// An unknown key is a warning. Alarm commands and adj rules in a file that other users can write are ignored,
    /// and reported as errors here.
    Check {
        /// The file.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
    #[command(after_help = exit_status::help("config path"))]
    /// Print the path of the user's settings file, where Setup (F2) saves
    Path,
    #[command(after_help = exit_status::help("config schema"))]
    /// Print the JSON schema of the file, for editors
    Schema,
}

/// The subcommands of `doomtop rules`.
#[derive(Clone, Debug, Subcommand)]
pub enum RulesCommand {
    #[command(after_help = exit_status::help("rules check"))]
    /// Check a rule file: print every error, or which value it would write to which process now
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
