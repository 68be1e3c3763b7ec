//! `doomtop metrics`: looks, and tells what it saw as metrics: in a file for the node exporter, at an
//! address of the loopback, or on standard output.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::app::Setup;
use crate::columns::{CommandStyle, RowContext, SizeUnit};
use crate::model::{CgroupNeeds, Names, Needs, Reading, Scene, Scores, Snapshot};
use crate::policy::Policy;
use crate::rank::Ranking;
use crate::report::metrics::{MetricsFormat, metrics};
use crate::shell::command::batch::{found, look_twice};
use crate::shell::command::cli::MetricsArgs;
use crate::shell::command::http;
use crate::shell::command::http::HttpRefusal;
use crate::shell::worker::lookup::{DetailWorker, LookupWorker};
use crate::shell::worker::site_rules::{FileNews, FileWatch};
use crate::source::{Source, SourceError};
use crate::units::Millis;

/// A signal to end is heeded this soon.
const HEED: Duration = Duration::from_millis(100);

/// So many of the top candidates keep their files open.
const KEEP: usize = 64;

/// What every file of metrics that doomtop wrote begins with.
const OURS: &[u8] = b"# HELP doomtop_";

/// Tells until the count is reached, the source ends, or a signal says so.
///
/// # Errors
/// What could not be read or written, in one line.
pub(crate) fn run(
    order: &MetricsArgs,
    delay: Millis,
    setup: &Setup,
    source: Box<dyn Source>,
    names: Option<LookupWorker>,
    watch: Option<FileWatch>,
) -> Result<u8, String> {
    let end = Arc::new(AtomicBool::new(false));
    for signal in [SIGHUP, SIGINT, SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&end))
            .map_err(|error| format!("a signal cannot be waited for: {error}"))?;
    }
    let teller = Teller {
        setup,
        policy: setup.policy,
        watch,
        trouble: None,
        source,
        learner: names.and_then(DetailWorker::start),
        names: Names::default(),
        ranking: Ranking::default(),
        scene: None,
        spent: None,
        took: Duration::ZERO,
        samples: 0,
    };
    let pace = Pace { delay: Duration::from_millis(delay.0), end: &end };
    match (&order.listen, &order.file) {
        (Some(address), _) => serve(teller, *address, order.iterations, &pace),
        (None, Some(file)) => {
            let form = order.format.map_or(MetricsFormat::Prometheus, |it| it.0);
            let place = Place::new(file)?;
            keep_on(teller, form, order.iterations, &pace, true, &mut |text| place.write(text))
        }
        (None, None) => {
            let form = order.format.map_or(MetricsFormat::OpenMetrics, |it| it.0);
            // Without a pace the reader wants it once.
            let once = order.delay.is_none().then_some(1);
            let mut gone = false;
            let mut out = io::stdout().lock();
            let mut put =
                |text: &str| match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                    // The reader has seen enough.
                    Err(error) if error.kind() == ErrorKind::BrokenPipe => {
                        gone = true;
                        Err(String::new())
                    }
                    result => result.map_err(|error| format!("standard output: {error}")),
                };
            let told = keep_on(teller, form, order.iterations.or(once), &pace, false, &mut put);
            if gone { Ok(0) } else { told }
        }
    }
}

/// When the next look is due, and when all ends.
struct Pace<'a> {
    delay: Duration,
    end: &'a AtomicBool,
}

impl Pace<'_> {
    fn over(&self) -> bool {
        self.end.load(Ordering::Relaxed)
    }

    /// Waits for the moment, or for the end.
    fn wait(&self, due: Instant) {
        while !self.over() && Instant::now() < due {
            thread::sleep(HEED.min(due.saturating_duration_since(Instant::now())));
        }
    }
}

/// What a look came to.
enum Look {
    /// There is something to tell.
    New,
    /// It failed; it may not fail the next time.
    Failed,
    /// There will be no more.
    Over,
}

/// Who looks, ranks and tells.
struct Teller<'a> {
    setup: &'a Setup,
    /// Whose rule ranks: the setup's, or a newer version of it.
    policy: &'static dyn Policy,
    watch: Option<FileWatch>,
    /// What went wrong last.
    trouble: Option<String>,
    source: Box<dyn Source>,
    learner: Option<DetailWorker>,
    names: Names,
    ranking: Ranking,
    scene: Option<Scene>,
    spent: Option<Arc<Snapshot>>,
    took: Duration,
    samples: u64,
}

impl Teller<'_> {
    fn needs(&self) -> Needs {
        let own = self.policy.needs();
        let top = &self.ranking.rows()[..self.ranking.eligible()];
        Needs {
            status: true,
            cgroup: true,
            cmdline: false,
            exe_cwd_environ: own.exe_cwd_environ,
            cgroups: CgroupNeeds::Everything,
            scores: Scores::All,
            keep: top.iter().take(KEEP).map(|row| row.id).collect(),
        }
    }

    /// Looks and ranks.
    ///
    /// # Errors
    /// There was nothing to see, or no longer.
    fn sample(&mut self) -> Result<Look, String> {
        match self.watch.as_mut().and_then(FileWatch::sample) {
            Some(FileNews::Good(rule)) => self.policy = rule,
            Some(FileNews::Bad(what)) => complain(&what),
            None => {}
        }
        let begun = Instant::now();
        let (needs, spent) = (self.needs(), self.spent.take());
        let snapshot = match crate::shell::sample(self.source.as_mut(), &needs, spent) {
            Ok(snapshot) => snapshot,
            Err(SourceError::End) if self.samples > 0 => return Ok(Look::Over),
            Err(lost @ SourceError::Cut { .. }) if self.samples > 0 => {
                complain(&lost.to_string());
                return Ok(Look::Over);
            }
            Err(lost @ SourceError::Unreadable(_)) if self.samples > 0 => {
                self.tell_trouble(Some(lost.to_string()));
                return Ok(Look::Failed);
            }
            Err(lost) => return Err(lost.to_string()),
        };
        let snapshot = if self.setup.live { self.complete(snapshot) } else { snapshot };
        if !snapshot.users.is_empty() {
            self.names.learn_users(Arc::clone(&snapshot.users));
        }
        if let Some(scene) = &mut self.scene {
            self.spent = scene.advance(snapshot);
        } else {
            let first = Scene::scoped(snapshot, None, self.setup.scope.clone());
            found(first.domain())?;
            self.scene = Some(first);
        }
        let trouble = self.scene.as_ref().and_then(|scene| {
            self.ranking.update(self.policy, scene);
            crate::shell::command::policies::trouble(self.policy, scene, &self.ranking)
        });
        self.took = begun.elapsed();
        self.samples += 1;
        self.tell_trouble(trouble);
        Ok(Look::New)
    }

    /// The second look at doubtful scores, the names of users, and command lines for a rule that asks.
    fn complete(&mut self, snapshot: Arc<Snapshot>) -> Arc<Snapshot> {
        let before = self.scene.as_ref().map(Scene::snapshot);
        let mut snapshot = look_twice(self.source.as_mut(), snapshot, before.as_ref());
        let Some(learner) = &mut self.learner else { return snapshot };
        learner.learn(&mut self.names, &snapshot, self.policy.needs().cmdline);
        if let Some(snapshot) = Arc::get_mut(&mut snapshot) {
            for process in &mut snapshot.processes {
                if let Some(line) = self.names.line(process) {
                    process.cmdline = Reading::Value(line);
                }
            }
        }
        self.names.forget(0, |id| snapshot.find(id).is_some());
        snapshot
    }

    /// Says what is wrong once, not with each look.
    fn tell_trouble(&mut self, what: Option<String>) {
        if let Some(what) = what.as_ref().filter(|what| self.trouble.as_ref() != Some(what)) {
            complain(what);
        }
        self.trouble = what;
    }

    /// The text of the last look.
    fn text(&self, form: MetricsFormat) -> Option<String> {
        let context = RowContext {
            scene: self.scene.as_ref()?,
            policy: self.policy,
            ranking: &self.ranking,
            names: &self.names,
            scale: SizeUnit::Auto,
            command: CommandStyle::Name,
        };
        metrics(&context, self.took, form).ok()
    }
}

fn complain(what: &str) {
    let _ = writeln!(io::stderr(), "doomtop: {}", crate::model::neutral(what.as_bytes()));
}

/// Looks and puts the text somewhere, again and again. What cannot be put is an error; where patience
/// helps only the first time, since a disk that is full may have room again.
fn keep_on(
    mut teller: Teller<'_>,
    form: MetricsFormat,
    count: Option<u64>,
    pace: &Pace<'_>,
    patient: bool,
    put: &mut dyn FnMut(&str) -> Result<(), String>,
) -> Result<u8, String> {
    let mut trouble: Option<String> = None;
    loop {
        let due = Instant::now() + pace.delay;
        match teller.sample()? {
            Look::New => {
                let text = teller.text(form).ok_or("the metrics could not be written")?;
                let result = put(&text);
                match result {
                    Err(what) if teller.samples == 1 || !patient => return Err(what),
                    Err(what) if trouble.as_ref() == Some(&what) => {}
                    Err(what) => {
                        complain(&what);
                        trouble = Some(what);
                    }
                    Ok(()) => trouble = None,
                }
            }
            Look::Failed => {}
            Look::Over => return Ok(0),
        }
        if count.is_some_and(|count| teller.samples >= count) || pace.over() {
            return Ok(0);
        }
        pace.wait(due);
        if pace.over() {
            return Ok(0);
        }
    }
}

/// A file that is replaced as a whole: whoever reads it sees the old text or the new one.
struct Place {
    file: PathBuf,
    beside: PathBuf,
}

impl Place {
    /// A place that may be written: nothing there yet, or metrics of doomtop's.
    fn new(file: &Path) -> Result<Self, String> {
        let shown = file.display();
        let name = file.file_name().ok_or_else(|| format!("{shown}: this names no file"))?;
        // The collector reads what ends in .prom; this one never does.
        let mut beside = std::ffi::OsString::from(".");
        beside.push(name);
        beside.push(format!(".{}", std::process::id()));
        let place = Self { file: file.to_owned(), beside: file.with_file_name(beside) };
        place.check()?;
        Ok(place)
    }

    /// Never over a file of the user's.
    fn check(&self) -> Result<(), String> {
        let shown = self.file.display();
        let about = match fs::symlink_metadata(&self.file) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            about => about.map_err(|error| format!("{shown}: {error}"))?,
        };
        if !about.is_file() {
            return Err(format!(
                "{shown}: this is no regular file, and it would be replaced by one"
            ));
        }
        let mut begins = Vec::new();
        // It may have become a pipe or a link since.
        let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOFOLLOW;
        File::options()
            .read(true)
            .custom_flags(flags)
            .open(&self.file)
            .and_then(|file| file.take(OURS.len() as u64).read_to_end(&mut begins))
            .map_err(|error| format!("{shown}: {error}"))?;
        if begins.is_empty() || begins == OURS {
            return Ok(());
        }
        Err(format!(
            "{shown}: this holds something else than doomtop's metrics; remove it, or name another file"
        ))
    }

    fn write(&self, text: &str) -> Result<(), String> {
        self.check()?;
        let written = self.create().and_then(|mut file| file.write_all(text.as_bytes()));
        let result = written.and_then(|()| fs::rename(&self.beside, &self.file));
        result.map_err(|error| {
            let _ = fs::remove_file(&self.beside);
            format!("{}: {error}; what was there before still stands", self.file.display())
        })
    }

    /// A new file, through no link that somebody laid there.
    fn create(&self) -> io::Result<File> {
        let new = || File::options().write(true).create_new(true).open(&self.beside);
        match new() {
            // Left by one with this pid that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                fs::remove_file(&self.beside)?;
                new()
            }
            file => file,
        }
    }
}

/// Answers those who ask at an address. Each gets a look that is no older than the delay.
fn serve(
    mut teller: Teller<'_>,
    address: SocketAddr,
    count: Option<u64>,
    pace: &Pace<'_>,
) -> Result<u8, String> {
    let failed = |error: io::Error| format!("{address}: {error}");
    let listener = TcpListener::bind(address).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let own = listener.local_addr().map_err(failed)?;
    // The first look is taken before anybody asks: what cannot be seen at all is told at once.
    let mut looked = Instant::now();
    teller.sample()?;
    complain(&format!("http://{own}/metrics"));
    let (mut stale, mut answered) = (false, 0);
    loop {
        let mut fds = [PollFd::new(listener.as_fd(), PollFlags::POLLIN)];
        let heed = PollTimeout::try_from(HEED).unwrap_or(PollTimeout::ZERO);
        let _ = poll(&mut fds, heed);
        if pace.over() {
            return Ok(0);
        }
        let mut stream = match listener.accept() {
            Ok((stream, _)) => stream,
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                continue;
            }
            // Somebody who went away, or no descriptor left: others may come.
            Err(error) => {
                teller.tell_trouble(Some(failed(error)));
                thread::sleep(HEED);
                continue;
            }
        };
        if stream.set_nonblocking(false).is_err() {
            continue;
        }
        let form = match http::read(&mut stream) {
            Ok(form) => form,
            Err(Some(refusal)) => {
                http::answer(stream, Err(refusal));
                continue;
            }
            Err(None) => continue,
        };
        let mut over = false;
        if looked.elapsed() >= pace.delay {
            looked = Instant::now();
            match teller.sample()? {
                Look::New => stale = false,
                Look::Failed => stale = true,
                Look::Over => over = true,
            }
        }
        match teller.text(form).filter(|_| !stale) {
            Some(text) => {
                http::answer(stream, Ok((form, &text)));
                answered += 1;
            }
            None => http::answer(stream, Err(HttpRefusal::Unavailable)),
        }
        if over || count.is_some_and(|count| answered >= count) {
            return Ok(0);
        }
    }
}
