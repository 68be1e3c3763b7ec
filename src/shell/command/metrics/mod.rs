//! `doomtop metrics`: the ranking as metrics, in a file for the node exporter, at a loopback address, or on
//! standard output.

mod connections;
mod http;
mod server;
mod textfile;

use std::io::{self, Write};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::textfile::TextFile;
use super::cli::MetricsArgs;
use super::headless::names::CommandLines;
use super::headless::ranker::Ranker;
use super::headless::warm_up::{self, WarmUp};
use super::headless::{self, AfterSample, EndFlag, SampleConsumer, SamplePace};
use super::invocation::Invocation;
use crate::columns::CommandStyle;
use crate::forecast::next_death::{DeathForecaster, Deaths};
use crate::model::{Needs, Snapshot};
use crate::report::metrics::{MetricsFormat, metrics};
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::stdio::{self, RepeatedComplaint};
use crate::source::Source;

/// Exports metrics until the count is reached, the source ends, or a signal arrives.
///
/// # Errors
/// What could not be read or written.
pub(crate) fn run(args: &MetricsArgs, invocation: Invocation) -> Result<ExitStatus, CommandError> {
    let delay = args.delay.unwrap_or_else(|| invocation.headless_delay());
    let lookup = invocation.input.lookup_root()?;
    let mut pace = SamplePace { delay, count: args.iterations, end: EndFlag::on_signals()? };
    let ranker = Ranker::new(&invocation.setup, lookup, invocation.site_rules);
    // Without a pace the metrics are written once, and what comes before is only compared with.
    let is_once = args.delay.is_none()
        && match args.iterations {
            Some(count) => count == 1,
            None => args.file.is_none(),
        };
    let is_once = is_once && args.listen.is_none();
    let live = invocation.setup.live;
    if is_once {
        (pace.delay, pace.count) = (if live { warm_up::PACE } else { delay }, None);
    }
    let warm_up = if live { WarmUp::until_prediction() } else { WarmUp::to_the_end() };
    let mut exporter = Exporter {
        ranker,
        forecaster: DeathForecaster::default(),
        deaths: Deaths::default(),
        took: Duration::ZERO,
        warm_up: is_once.then_some(warm_up),
        is_written: false,
    };
    let mut source = invocation.input.source;
    if let Some(address) = args.listen {
        server::run(address, source.as_mut(), &mut exporter, &pace)?;
    } else if let Some(path) = &args.file {
        let format = args.format.map_or(MetricsFormat::Prometheus, |it| it.0);
        let file = TextFile::new(path)?;
        let failed = RepeatedComplaint::default();
        let mut consumer = FileConsumer { exporter, format, file, failed, is_first: true };
        headless::run(source.as_mut(), &mut consumer, &pace)?;
        if consumer.exporter.is_due_at_end() {
            consumer.write()?;
        }
    } else {
        let format = args.format.map_or(MetricsFormat::OpenMetrics, |it| it.0);
        let mut consumer = StdoutConsumer { exporter, format };
        headless::run(source.as_mut(), &mut consumer, &pace)?;
        if consumer.exporter.is_due_at_end() {
            stdio::written(consumer.write()?)?;
        }
    }
    Ok(ExitStatus::Success)
}

/// The newest ranking as metrics.
struct Exporter {
    ranker: Ranker,
    forecaster: DeathForecaster,
    /// What is predicted at the newest sample.
    deaths: Deaths,
    /// How long the newest sample and its ranking took.
    took: Duration,
    /// What is left of the time before the only sample that is written; `None` where all are.
    warm_up: Option<WarmUp>,
    /// Whether anything was written.
    is_written: bool,
}

impl Exporter {
    fn needs(&mut self) -> Needs {
        self.ranker.reload_policy();
        self.ranker.needs()
    }

    fn update(
        &mut self,
        sample: Arc<Snapshot>,
        source: &mut dyn Source,
        begun: Instant,
    ) -> Result<Option<Arc<Snapshot>>, CommandError> {
        let spent = self.ranker.update(sample, source, CommandLines::NotNeeded)?;
        if let Some(context) = self.ranker.context(CommandStyle::Name) {
            self.forecaster.observe(context.scene);
            self.deaths = self.forecaster.predict(context.scene);
        }
        self.took = begun.elapsed();
        Ok(spent)
    }

    /// Whether the newest sample is to be written.
    fn is_due(&mut self) -> bool {
        let Some(warm_up) = &mut self.warm_up else { return true };
        let context = self.ranker.context(CommandStyle::Name);
        context.is_some_and(|it| warm_up.is_over(it.scene.now().clock.monotonic_ms))
    }

    /// Whether the newest sample is to be written because no other follows.
    fn is_due_at_end(&self) -> bool {
        let has_sample = self.ranker.context(CommandStyle::Name).is_some();
        self.warm_up.is_some() && !self.is_written && has_sample
    }

    /// How the loop goes on after a sample was written.
    fn after_writing(&mut self, spent: Option<Arc<Snapshot>>) -> AfterSample {
        self.is_written = true;
        if self.warm_up.is_some() { AfterSample::Stop } else { AfterSample::Continue(spent) }
    }

    /// The metrics of the newest sample; `None` before the first one.
    fn text(&self, format: MetricsFormat) -> Option<String> {
        metrics(&self.ranker.context(CommandStyle::Name)?, &self.deaths, self.took, format).ok()
    }

    /// The same where there is a sample.
    fn require_text(&self, format: MetricsFormat) -> Result<String, CommandError> {
        self.text(format).ok_or_else(|| CommandError::failure("the metrics could not be written"))
    }
}

/// Writes the metrics to standard output.
struct StdoutConsumer {
    exporter: Exporter,
    format: MetricsFormat,
}

impl SampleConsumer for StdoutConsumer {
    fn needs(&mut self) -> Needs {
        self.exporter.needs()
    }

    fn consume(
        &mut self,
        sample: Arc<Snapshot>,
        source: &mut dyn Source,
        begun: Instant,
    ) -> Result<AfterSample, CommandError> {
        let spent = self.exporter.update(sample, source, begun)?;
        if !self.exporter.is_due() {
            return Ok(AfterSample::Continue(spent));
        }
        match self.write()? {
            Ok(()) => Ok(self.exporter.after_writing(spent)),
            Err(error) => stdio::written(Err(error)).map(|()| AfterSample::Stop),
        }
    }
}

impl StdoutConsumer {
    fn write(&self) -> Result<io::Result<()>, CommandError> {
        let text = self.exporter.require_text(self.format)?;
        let mut out = io::stdout().lock();
        Ok(out.write_all(text.as_bytes()).and_then(|()| out.flush()))
    }
}

/// Keeps a file up to date. Only the first failure to write it ends the command: a full disk may have space
/// again later.
struct FileConsumer {
    exporter: Exporter,
    format: MetricsFormat,
    file: TextFile,
    failed: RepeatedComplaint,
    is_first: bool,
}

impl SampleConsumer for FileConsumer {
    fn needs(&mut self) -> Needs {
        self.exporter.needs()
    }

    fn consume(
        &mut self,
        sample: Arc<Snapshot>,
        source: &mut dyn Source,
        begun: Instant,
    ) -> Result<AfterSample, CommandError> {
        let spent = self.exporter.update(sample, source, begun)?;
        if !self.exporter.is_due() {
            return Ok(AfterSample::Continue(spent));
        }
        self.write()?;
        Ok(self.exporter.after_writing(spent))
    }
}

impl FileConsumer {
    fn write(&mut self) -> Result<(), CommandError> {
        let text = self.exporter.require_text(self.format)?;
        match self.file.write(&text) {
            Err(what) if self.is_first => return Err(CommandError::failure(what)),
            result => self.failed.set(result.err()),
        }
        self.is_first = false;
        Ok(())
    }
}
