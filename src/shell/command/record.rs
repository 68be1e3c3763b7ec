//! `doomtop record`: samples into a file, or the last minutes in memory and into a file at each burst of
//! kills.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use super::cli::RecordArgs;
use super::headless::{self, AfterSample, EndFlag, SampleConsumer, SamplePace};
use super::invocation::Invocation;
use super::sampling::confirm_scores;
use crate::columns::human_size;
use crate::model::{Needs, SampleHistory, Snapshot};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::oom_burst_end::{KillBurst, MAX_FILES};
use crate::shell::stdio::complain;
use crate::shell::worker::recorder::{Users, create, file_stem, write_history};
use crate::source::{Recorder, Source};
use crate::units::{Bytes, Millis};

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
            keep_ring(folder, span, source.as_mut(), users, &pace)?;
        }
        None => {
            let failed = |error: io::Error| {
                CommandError::failure(format!("{}: {error}", args.file.display()))
            };
            // An existing file is never overwritten.
            let created = File::options().write(true).create_new(true).open(&args.file);
            let file = created.map_err(failed)?;
            let pace = SamplePace { delay, count: args.iterations, end: EndFlag::on_signals()? };
            source.learn_users(users);
            write_file(&args.file, file, source.as_mut(), live, &pace)?;
        }
    }
    Ok(ExitStatus::Success)
}

fn needs() -> Needs {
    Needs { cmdline: false, ..Needs::everything() }
}

/// Writes every sample to a file.
fn write_file(
    path: &Path,
    file: File,
    source: &mut dyn Source,
    live: bool,
    pace: &SamplePace,
) -> Result<(), CommandError> {
    let mut writer = FileWriter { path, recorder: Recorder::new(file), samples: 0, live };
    let ended = headless::run(source, &mut writer, pace);
    let FileWriter { recorder, samples, .. } = writer;
    let size = human_size(Bytes(recorder.bytes()));
    let finished = recorder.finish();
    ended?;
    let name = path.display();
    finished.map_err(|error| CommandError::failure(format!("{name}: {error}")))?;
    complain(&format!("{samples} samples, {size}, in {name}"));
    Ok(())
}

struct FileWriter<'a> {
    path: &'a Path,
    recorder: Recorder<File>,
    samples: u64,
    live: bool,
}

impl SampleConsumer for FileWriter<'_> {
    fn needs(&mut self) -> Needs {
        needs()
    }

    fn consume(
        &mut self,
        mut sample: Arc<Snapshot>,
        source: &mut dyn Source,
        _: Instant,
    ) -> Result<AfterSample, CommandError> {
        if self.live {
            sample = confirm_scores(source, sample, None);
        }
        self.recorder.write(&sample).map_err(|error| {
            let (name, samples) = (self.path.display(), self.samples);
            CommandError::failure(format!("{name}: {error}; {samples} samples were written before"))
        })?;
        self.samples += 1;
        Ok(AfterSample::Continue(Some(sample)))
    }
}

/// Keeps the last samples, and writes them to a file of their own after each burst of kills.
fn keep_ring(
    folder: &Path,
    span: Millis,
    source: &mut dyn Source,
    users: Users,
    pace: &SamplePace,
) -> Result<(), CommandError> {
    let history = SampleHistory::new(span, MAX_RING_BYTES);
    let mut ring = Ring { folder, history, burst: KillBurst::default(), users };
    let ended = headless::run(source, &mut ring, pace);
    // The end may come before a burst is over.
    if ring.burst.end() {
        ring.write();
    }
    ended
}

struct Ring<'a> {
    folder: &'a Path,
    history: SampleHistory,
    burst: KillBurst,
    users: Users,
}

impl SampleConsumer for Ring<'_> {
    fn needs(&mut self) -> Needs {
        needs()
    }

    fn consume(
        &mut self,
        sample: Arc<Snapshot>,
        _: &mut dyn Source,
        _: Instant,
    ) -> Result<AfterSample, CommandError> {
        let kills = sample.traffic.oom_kills.value();
        let spent = self.history.push(sample).1;
        if self.burst.sample(kills) {
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
        let Some(sample) = newest.filter(|_| self.burst.count <= MAX_FILES) else { return };
        let stem = file_stem(&sample.machine, sample.clock.unix_ms) + "-kill";
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
