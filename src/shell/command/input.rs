//! Where samples come from: the machine, a recording, or the demo; redacted or not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use super::arg::SamplerArg;
use super::cli::{Cli, Command};
use crate::effects::own_adj::{OwnAdj, OwnProtection};
use crate::model::{Privileges, ProcId, Text};
use crate::sample::proc_root::{LiveRoot, ProcRoot};
use crate::sample::process::bpf::BpfUnavailable;
use crate::sample::process::lookup;
use crate::shell::command_error::CommandError;
use crate::shell::debug_log;
use crate::shell::guarded_source::{GuardedSource, ProtectionReport};
use crate::shell::own_memory::OwnMemory;
use crate::shell::worker::lookup_root::LookupRoot;
use crate::shell::worker::recording_reader::{CountingReader, ReadProgress};
use crate::source::{
    LiveSource, Recording, RedactedSource, Redactor, SamplerChoice, ScanPatience, Source,
    SourceError, demo_recording,
};
use crate::syscall::file_limit;

/// The source of samples, and what else is known about it.
pub(crate) struct Input {
    /// The samples.
    pub(crate) source: Box<dyn Source>,
    /// The proc tree of a live machine; `None` for a recording.
    tree: Option<PathBuf>,
    /// How much of a recording in a file was read.
    pub(crate) progress: Option<ReadProgress>,
    redactor: Option<Redactor>,
    /// Zero of the clock of live samples.
    started: Option<Instant>,
    /// The protection of doomtop itself.
    pub(crate) protection: SelfProtection,
}

/// The protection of doomtop itself.
#[derive(Default)]
pub(crate) struct SelfProtection {
    /// Its own `oom_score_adj`; `None` where doomtop may change nothing.
    pub(crate) own_adj: Option<Arc<OwnAdj>>,
    /// What came of `--protect`, where that is worth a line.
    pub(crate) notice: Option<String>,
}

impl SelfProtection {
    /// Lowers the value where `--protect` asks for it.
    ///
    /// # Errors
    /// The tree cannot be opened any more.
    fn begin(cli: &Cli) -> Result<Self, CommandError> {
        let root = ProcRoot::open(&cli.proc).map_err(CommandError::failure)?;
        let root = LiveRoot::prove(root).ok();
        let why = match (&root, cli.read_only) {
            (None, _) => "this is not this machine's own /proc",
            (Some(_), true) => "read-only changes no process, not even doomtop itself",
            (Some(_), false) => "a dry run changes no process, not even doomtop itself",
        };
        let root = root.filter(|_| !cli.read_only && !cli.dry_run);
        let own_adj = root.map(|root| Arc::new(OwnAdj::open(&root)));
        let notice = match own_adj.as_ref().filter(|_| cli.protect).map(|own| own.lower()) {
            Some(OwnProtection::Refused(why)) => Some(why),
            None if cli.protect => Some(format!("doomtop is not protected: {why}")),
            _ => None,
        };
        Ok(Self { own_adj, notice })
    }
}

/// The rights of this process in words.
fn rights(own: Privileges) -> String {
    let has = |is: bool, what: &str| format!("{}{what}", if is { "" } else { "no " });
    format!(
        "uid {}, effective capabilities {:#x}, {}, {}, {}",
        own.euid,
        own.caps.0,
        has(own.sees_others, "processes of other users"),
        has(own.pidfd, "pidfd"),
        has(own.memory_locked, "locked memory"),
    )
}

/// The recording that the command line names.
fn recording_of(cli: &Cli) -> Option<&Path> {
    match &cli.command {
        Some(Command::Replay(args)) => args.file.as_deref(),
        _ => cli.from.as_deref(),
    }
}

/// Whether samples are recorded, not taken from a machine.
pub(crate) fn is_recorded(cli: &Cli) -> bool {
    cli.demo || recording_of(cli).is_some() || matches!(cli.command, Some(Command::Replay(_)))
}

/// What replaces names, where that is asked for.
pub(crate) fn redactor(cli: &Cli) -> Option<Redactor> {
    cli.redact.map(|extent| Redactor::new(extent.into()))
}

impl Input {
    /// Opens what the command line names. `patience` is how long a sample waits for a slow walk over the
    /// processes, in milliseconds.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn open(
        cli: &Cli,
        patience: u64,
        report: ProtectionReport,
    ) -> Result<Self, CommandError> {
        Self::open_redacted(cli, patience, report, redactor(cli))
    }

    /// The same with names replaced by this.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn open_redacted(
        cli: &Cli,
        patience: u64,
        report: ProtectionReport,
        redactor: Option<Redactor>,
    ) -> Result<Self, CommandError> {
        let recorded = |source: Box<dyn Source>, progress| Self {
            source,
            tree: None,
            progress,
            redactor: None,
            started: None,
            protection: SelfProtection::default(),
        };
        let mut input = if let Some(path) = recording_of(cli) {
            let (recording, progress) = open_recording(path).map_err(CommandError::failure)?;
            recorded(Box::new(recording), progress)
        } else if cli.demo {
            recorded(Box::new(demo_recording::demo()), Some(ReadProgress::default()))
        } else {
            let root = ProcRoot::open(&cli.proc).map_err(CommandError::failure)?;
            let patience = ScanPatience::Millis(patience);
            // What `run` and `search-limit` start is not doomtop's own, and inherits the limit.
            if !matches!(cli.command, Some(Command::Run(_) | Command::SearchLimit(_))) {
                file_limit::raise();
            }
            let mut live = sampler(cli)
                .and_then(|sampler| LiveSource::start_with(root, patience, sampler))
                .map_err(CommandError::failure)?;
            let own_cgroup = lookup::own_cgroup();
            let (memory, locked) = OwnMemory::prepare(&live.privileges(), own_cgroup);
            live.memory_locked(locked);
            debug_log::info("sampler", &live.machine().sampler.to_string());
            debug_log::info("rights", &rights(live.privileges()));
            let (tree, started) = (Some(cli.proc.clone()), Some(live.started()));
            let protection = SelfProtection::begin(cli)?;
            let own_adj = protection.own_adj.clone();
            let root = ProcRoot::open("/proc").map_err(CommandError::failure)?;
            let source = GuardedSource::new(Box::new(live), &root, memory, own_adj, report);
            let source = Box::new(source);
            Self { source, tree, progress: None, redactor: None, started, protection }
        };
        if let Some(redactor) = redactor {
            input.source = Box::new(RedactedSource::new(input.source, redactor.clone()));
            input.redactor = Some(redactor);
        }
        Ok(input)
    }

    /// The live tree, opened once more; `None` for a recording.
    ///
    /// # Errors
    /// It cannot be opened any more.
    pub(crate) fn root(&self) -> Result<Option<ProcRoot>, CommandError> {
        let root = self.tree.as_ref().map(ProcRoot::open).transpose();
        root.map_err(CommandError::failure)
    }

    /// The same for readings between samples, with zero of their clock; `None` also where names are redacted:
    /// a redacted path opens nothing.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub(crate) fn usage_root(&self) -> Result<Option<(ProcRoot, Instant)>, CommandError> {
        if self.redactor.is_some() {
            return Ok(None);
        }
        Ok(self.root()?.zip(self.started))
    }

    /// The same for a lookup thread.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub(crate) fn lookup_root(&self) -> Result<Option<LookupRoot>, CommandError> {
        let root = self.root()?;
        Ok(root.map(|root| LookupRoot { root, redactor: self.redactor.clone() }))
    }

    /// The names of the users of a live tree; a recording has its own. May block.
    pub(crate) fn user_names(&self) -> BTreeMap<u32, Text> {
        let root = self.root().ok().flatten();
        root.map(|root| lookup::user_names(&root)).unwrap_or_default()
    }

    /// doomtop's own process; pid 0 where it is not in the tree.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub(crate) fn own_id(&self) -> Result<ProcId, CommandError> {
        let root = self.root()?;
        Ok(root.and_then(|root| lookup::own_id(&root)).unwrap_or_default())
    }
}

/// The sampler. Another proc tree is read from its files.
fn sampler(cli: &Cli) -> Result<SamplerChoice, SourceError> {
    match cli.sampler.unwrap_or(SamplerArg::Auto) {
        other if cli.proc == Path::new("/proc") => Ok(other.into()),
        SamplerArg::Bpf => Err(SourceError::NoBpf(BpfUnavailable::OtherTree)),
        SamplerArg::Auto | SamplerArg::Proc => Ok(SamplerChoice::Proc),
    }
}

/// A recording; and of a file how much of it was read.
fn open_recording(from: &Path) -> Result<(Recording, Option<ReadProgress>), String> {
    if from == Path::new("-") {
        let reader = Box::new(BufReader::new(io::stdin()));
        return Ok((Recording::open(reader, "standard input"), None));
    }
    let name = from.display().to_string();
    let file = File::open(from).map_err(|error| format!("{name}: {error}"))?;
    let metadata = file.metadata().map_err(|error| format!("{name}: {error}"))?;
    if metadata.is_dir() {
        return Err(format!("{name}: a directory, not a recording"));
    }
    let progress = ReadProgress::of(metadata.len());
    let counted = CountingReader { file, progress: progress.clone() };
    let recording = Recording::open(Box::new(BufReader::new(counted)), &name);
    Ok((recording, metadata.is_file().then_some(progress)))
}
