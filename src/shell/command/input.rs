//! Where samples come from: the machine, a recording, or the demo; redacted or not.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};
use std::time::Instant;

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use rustix::mm::{MlockAllFlags, mlockall};

use super::arg::SamplerArg;
use super::cli::{Cli, Command};
use crate::model::{Capability, Privileges, ProcId, Text};
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::bpf::BpfUnavailable;
use crate::sample::process::lookup;
use crate::shell::command_error::CommandError;
use crate::shell::worker::lookup_root::LookupRoot;
use crate::shell::worker::recording_reader::{CountingReader, ReadProgress};
use crate::source::{
    LiveSource, Recording, RedactedSource, Redactor, SamplerChoice, ScanPatience, Source,
    SourceError, demo_recording,
};

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
}

/// The recording that the command line names.
fn recording_of(cli: &Cli) -> Option<&Path> {
    match &cli.command {
        Some(Command::Replay(args)) => Some(&args.file),
        _ => cli.from.as_deref(),
    }
}

/// Whether samples are recorded, not taken from a machine.
pub(crate) fn is_recorded(cli: &Cli) -> bool {
    cli.demo || recording_of(cli).is_some()
}

impl Input {
    /// Opens what the command line names. `patience` is how long a sample waits for a slow walk over the
    /// processes, in milliseconds.
    ///
    /// # Errors
    /// It cannot be read.
    pub(crate) fn open(cli: &Cli, patience: u64) -> Result<Self, CommandError> {
        let redactor = cli.redact.map(|extent| Redactor::new(extent.into()));
        let mut input = if let Some(path) = recording_of(cli) {
            let (recording, progress) = open_recording(path).map_err(CommandError::failure)?;
            let source = Box::new(recording);
            Self { source, tree: None, progress, redactor: None, started: None }
        } else if cli.demo {
            let progress = Some(ReadProgress::default());
            let source = Box::new(demo_recording::demo());
            Self { source, tree: None, progress, redactor: None, started: None }
        } else {
            let root = ProcRoot::open(&cli.proc).map_err(CommandError::failure)?;
            let patience = ScanPatience::Millis(patience);
            let mut live = sampler(cli)
                .and_then(|sampler| LiveSource::start_with(root, patience, sampler))
                .map_err(CommandError::failure)?;
            live.memory_locked(lock_memory(&live.privileges()));
            let (tree, started) = (Some(cli.proc.clone()), Some(live.started()));
            Self { source: Box::new(live), tree, progress: None, redactor: None, started }
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

    /// The names of the users of a live machine; a recording has its own. May block.
    pub(crate) fn user_names(&self) -> BTreeMap<u32, Text> {
        self.tree.as_ref().map(|_| lookup::user_names()).unwrap_or_default()
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
    match cli.sampler {
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

/// Keeps doomtop's pages in memory once they are touched, so that it runs when memory is exhausted. Only
/// with the right to lock without limit: within a limit every later allocation could fail instead.
fn lock_memory(privileges: &Privileges) -> bool {
    let unlimited =
        getrlimit(Resource::RLIMIT_MEMLOCK).is_ok_and(|(soft, _)| soft == RLIM_INFINITY);
    let permitted = privileges.caps.has(Capability::IpcLock);
    // On fault only: thread stacks and unused heap must not be populated (mlockall(2)).
    let flags = MlockAllFlags::CURRENT | MlockAllFlags::FUTURE | MlockAllFlags::ONFAULT;
    (unlimited || permitted) && mlockall(flags).is_ok()
}
