//! `doomtop record`: samples into a file, or the last minutes in memory and into a file at each burst of
//! kills.

pub(crate) mod archive;
pub(crate) mod find;
mod notes;
mod progress;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::archive::{Archive, KILL, Retention};
use self::notes::Notes;
use self::progress::RecordingProgress;
use super::cli::RecordArgs;
use super::headless::{self, AfterSample, EndFlag, SampleConsumer, SamplePace};
use super::invocation::Invocation;
use super::sampling::confirm_scores;
use crate::columns::human_size;
use crate::model::{Needs, ProcId, Process, SampleHistory, Scores, Snapshot};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::new_file;
use crate::shell::oom_burst_end::{KillBurst, MAX_FILES};
use crate::shell::stdio::{self, complain};
use crate::shell::worker::log_sources::FollowedLog;
use crate::shell::worker::recorder::{Users, create, file_stem, write_history};
use crate::source::{Recorder, Source};
use crate::units::{Bytes, Millis, Pages};

/// So many of the largest processes are read more closely.
const LARGEST: usize = 4;

/// Maximum memory for the samples kept with `--ring`, in bytes, however long a time is asked for.
const MAX_RING_BYTES: usize = 256 << 20;

/// Records until the count is reached, the source ends, or a signal arrives.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(args: &RecordArgs, invocation: Invocation) -> Result<ExitStatus, CommandError> {
    // A recording is copied as fast as it can be read.
    let delay = if invocation.setup.live {
        args.delay.unwrap_or_else(|| invocation.headless_delay())
    } else {
        Millis(0)
    };
    let users: Users = Arc::new(invocation.input.user_names());
    let live = invocation.setup.live;
    let notes = args.notes.as_deref().map(Notes::read).transpose()?;
    // The logs of this machine belong to no other tree.
    let root = invocation.input.root()?;
    let log = root.and_then(|root| LiveRoot::prove(root).ok()).map(|_| FollowedLog::start());
    let mut source = invocation.input.source;
    match args.ring {
        Some(span) => {
            let folder = &args.file;
            if !folder.is_dir() {
                let what = format!("{}: not a directory", folder.display());
                return Err(CommandError::failure(what)
                    .hint("with --ring the files are created in a directory"));
            }
            let end = EndFlag::on_signals()?;
            let pace = SamplePace { delay, count: args.iterations, end };
            source.learn_users(Arc::clone(&users));
            let history = SampleHistory::new(span, MAX_RING_BYTES);
            let retention = Retention {
                age: args.max_age.map(|age| Duration::from_millis(age.0)),
                size: args.max_size,
            };
            let archive = Archive::new(folder, args.daily, retention);
            let burst = KillBurst::default();
            let may_die = Vec::new();
            let mut ring = Ring { folder, history, burst, users, log, archive, may_die };
            let ended = headless::run(source.as_mut(), &mut ring, &pace);
            // The end may come before a burst is over.
            if ring.burst.end() {
                ring.write();
            }
            if let Err(error) = ring.archive.finish() {
                complain(&format!("{}: the file of the day: {error}", folder.display()));
            }
            ended?;
        }
        None => {
            let failed = |error: io::Error| {
                CommandError::failure(format!("{}: {error}", args.file.display()))
            };
            // An existing file is never overwritten.
            let file = new_file::create(&args.file).map_err(failed)?;
            let pace = SamplePace { delay, count: args.iterations, end: EndFlag::on_signals()? };
            source.learn_users(users);
            let progress = RecordingProgress::new(&args.file, args.quiet, &pace);
            let parts = FileParts { file, log, notes, progress, live };
            write_file(&args.file, parts, source.as_mut(), &pace)?;
        }
    }
    Ok(ExitStatus::Success)
}

fn needs(may_die: &[ProcId]) -> Needs {
    let may_die = may_die.to_vec();
    Needs { cmdline: false, scores: Scores::Changed, may_die, ..Needs::everything() }
}

/// The largest processes: what they gave back may decide who dies.
fn largest(sample: &Snapshot) -> Vec<ProcId> {
    let size = |it: &Process| it.rss_stat + it.swap.value().unwrap_or_default();
    let mut all: Vec<(Pages, ProcId)> =
        sample.processes.iter().map(|it| (size(it), it.id)).collect();
    all.sort_unstable_by(|a, b| b.cmp(a));
    all.into_iter().take(LARGEST).map(|it| it.1).collect()
}

/// What a recording in a file is made of, beside the samples.
struct FileParts {
    file: File,
    log: Option<FollowedLog>,
    notes: Option<Notes>,
    progress: RecordingProgress,
    /// Whether the samples are those of this machine.
    live: bool,
}

/// Writes every sample to a file.
fn write_file(
    path: &Path,
    parts: FileParts,
    source: &mut dyn Source,
    pace: &SamplePace,
) -> Result<(), CommandError> {
    let FileParts { file, log, notes, progress, live } = parts;
    let recorder = Recorder::new(file);
    let mut writer = FileWriter { path, recorder, log, notes, progress, live, may_die: Vec::new() };
    let ended = headless::run(source, &mut writer, pace);
    let FileWriter { recorder, log, progress, .. } = writer;
    let bytes = Bytes(recorder.bytes());
    let finished = recorder.finish();
    stdio::progress("");
    ended?;
    let name = path.display();
    finished.map_err(|error| CommandError::failure(format!("{name}: {error}")))?;
    progress.summary(bytes, log.and_then(|log| log.unreadable).as_deref());
    Ok(())
}

struct FileWriter<'a> {
    path: &'a Path,
    recorder: Recorder<File>,
    log: Option<FollowedLog>,
    notes: Option<Notes>,
    progress: RecordingProgress,
    live: bool,
    may_die: Vec<ProcId>,
}

impl SampleConsumer for FileWriter<'_> {
    fn needs(&mut self) -> Needs {
        needs(&self.may_die)
    }

    fn prepare(&mut self, source: &mut dyn Source) {
        if let Some(log) = &mut self.log {
            source.add_log(log.take());
        }
    }

    fn consume(
        &mut self,
        mut sample: Arc<Snapshot>,
        source: &mut dyn Source,
        _: Instant,
    ) -> Result<AfterSample, CommandError> {
        if let Some(log) = &mut self.log {
            log.follow(&sample);
        }
        if self.live {
            sample = confirm_scores(source, sample, None);
        }
        if let Some(notes) = &mut self.notes {
            notes.add_to(Arc::make_mut(&mut sample));
        }
        self.may_die = largest(&sample);
        self.recorder.write(&sample).map_err(|error| {
            let (name, samples) = (self.path.display(), self.progress.samples());
            CommandError::failure(format!("{name}: {error}; {samples} samples were written before"))
        })?;
        self.progress.sample(&sample, Bytes(self.recorder.bytes()));
        Ok(AfterSample::Continue(Some(sample)))
    }
}

/// Keeps the last samples, and writes them to a file of their own after each burst of kills.
struct Ring<'a> {
    folder: &'a Path,
    history: SampleHistory,
    burst: KillBurst,
    users: Users,
    log: Option<FollowedLog>,
    archive: Archive<'a>,
    may_die: Vec<ProcId>,
}

impl SampleConsumer for Ring<'_> {
    fn needs(&mut self) -> Needs {
        needs(&self.may_die)
    }

    fn prepare(&mut self, source: &mut dyn Source) {
        if let Some(log) = &mut self.log {
            source.add_log(log.take());
        }
    }

    fn consume(
        &mut self,
        sample: Arc<Snapshot>,
        _: &mut dyn Source,
        _: Instant,
    ) -> Result<AfterSample, CommandError> {
        if let Some(log) = &mut self.log {
            log.follow(&sample);
        }
        self.may_die = largest(&sample);
        self.archive.take(&sample);
        let is_over = self.burst.take(&sample);
        let spent = self.history.push(sample).1;
        if is_over {
            self.write();
        }
        Ok(AfterSample::Continue(spent))
    }
}

impl Ring<'_> {
    /// Writes the history after a burst. A failure does not end the command: a full disk may have space
    /// again when the next process is killed.
    fn write(&self) {
        let newest = self.history.newest().and_then(|index| self.history.facts(index));
        let is_allowed = self.archive.has_retention() || self.burst.count <= MAX_FILES;
        let Some(sample) = newest.filter(|_| is_allowed) else { return };
        let stem = file_stem(&sample.machine, sample.clock.unix_ms) + KILL;
        let written = create(self.folder, &stem)
            .and_then(|(name, file)| Ok((name, write_history(&self.history, &self.users, file)?)));
        complain(&match written {
            Ok((name, (samples, bytes))) => {
                format!("{samples} samples, {}, in {name}", human_size(bytes))
            }
            Err(error) => format!("{stem}.tape: {error}"),
        });
    }
}
