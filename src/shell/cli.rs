//! The command line: one of the four tables of the house. The man page and the README's list of
//! flags are printed from it.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueHint};

use crate::app::filter::Filter;
use crate::app::lines::Sort;
use crate::app::parse_delay;
use crate::columns::{COLUMNS, Column, column};
use crate::model::Scope;
use crate::policy::site::Site;
use crate::policy::{PATTERNS, POLICIES, Policy, by_id};
use crate::units::Millis;

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
                  128+N ended by signal N.\n\
                  NO_COLOR (set to anything) switches colours off."
)]
pub struct Cli {
    /// Print the ranking as plain text, without a screen
    #[arg(short, long, conflicts_with = "json")]
    pub batch: bool,

    /// Print one JSON object a refresh, one a line (assets/schema.md describes it)
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

    /// Show JSON lines that --json wrote, instead of this machine; - reads standard input
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, global = true)]
    pub from: Option<PathBuf>,

    /// Whose rule ranks; site:FILE is a rule of your own (assets/site-policy.md describes it)
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
}

/// What to do with rules of the site.
#[derive(Clone, Debug, Subcommand)]
pub enum PolicyCommand {
    /// Check a rule's file: everything that is wrong with it, or who would die by it now
    Check {
        /// The file.
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print the table of facts that a rule may ask
    Facts,
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
            Self::Site(file) => write!(f, "{}{}", Site::PREFIX, file.display()),
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
    if let Some(file) = id.strip_prefix(Site::PREFIX).filter(|file| !file.is_empty()) {
        return Ok(PolicyArg::Site(file.into()));
    }
    by_id(id).map(PolicyArg::Known).ok_or_else(|| {
        let mut names: Vec<&str> = POLICIES.iter().map(|policy| policy.id()).collect();
        names.extend(PATTERNS.iter().map(|(pattern, _)| *pattern));
        format!("the policies are {}", names.join(", "))
    })
}

fn delay(text: &str) -> Result<Millis, String> {
    parse_delay(text)
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
