//! The files of site rules: reads them, watches them, and hands over what was understood. A version
//! that is no rule is told about and changes nothing.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::{Msg, NoticeLevel};
use crate::model::Text;
use crate::policy::site::{Diagnostic, LARGEST, Location, SitePolicy, SiteRule};

use crate::shell::tui::Event;

/// A file is looked at no more often than this, so that no more rules than one a second are kept.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// So many versions are loaded in one run: each stays in memory for good.
const VERSIONS: u32 = 100;

/// By what a changed file is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    /// Of the file that stands there now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        let about = std::fs::metadata(path)?;
        Ok(Self {
            device: about.dev(),
            inode: about.ino(),
            size: about.size(),
            modified: (about.mtime(), about.mtime_nsec()),
            changed: (about.ctime(), about.ctime_nsec()),
        })
    }
}

/// What came of looking at a file again.
pub(crate) enum FileNews {
    /// A new version, good.
    Good(&'static SitePolicy),
    /// Something that is no rule, in one line; the last good one stays.
    Bad(String),
}

/// A file that a rule came from.
pub(crate) struct FileWatch {
    path: PathBuf,
    text: String,
    stamp: Option<FileStamp>,
    looked: Instant,
    loaded: u32,
}

/// Every fault of a file, one a line, with the file's name before it.
pub(crate) fn lines(path: &Path, faults: &[Diagnostic]) -> Vec<String> {
    faults.iter().map(|fault| format!("{}:{fault}", path.display())).collect()
}

/// Reads and compiles a file.
///
/// # Errors
/// Why it cannot be read, or everything that is wrong with it.
pub(crate) fn compile(path: &Path) -> Result<(SiteRule, String), Vec<String>> {
    let text = read(path).map_err(|what| vec![format!("{}{what}", path.display())])?;
    match SiteRule::compile(&text, Arc::new(users())) {
        Ok(rule) => Ok((rule, text)),
        Err(faults) => Err(lines(path, &faults)),
    }
}

/// The text of a file. Nothing here blocks on a pipe, or reads more than a rule may have.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let fails = |error: io::Error| format!(": {error}");
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(fails)?;
    if !file.metadata().map_err(fails)?.is_file() {
        return Err(": this is no file that a rule could be read from".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(fails)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
        format!(":{}: this is no UTF-8", Location::of(&before, good))
    })
}

/// The users of `/etc/passwd`: a directory server could keep the ranking waiting.
pub(crate) fn users() -> BTreeMap<u32, Text> {
    let mut text = String::new();
    let file = File::open("/etc/passwd").ok();
    let whole = file.and_then(|file| file.take(1 << 22).read_to_string(&mut text).ok());
    let mut users = BTreeMap::new();
    for line in text.lines().filter(|_| whole.is_some()) {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next(), fields.nth(1).and_then(|uid| uid.parse().ok()));
        if let (Some(name), Some(uid)) = (name, uid) {
            users.entry(uid).or_insert_with(|| Text::new(name.as_bytes()));
        }
    }
    users
}

/// The rule of a file, and what watches it from now on.
///
/// # Errors
/// Why it cannot be read, or everything that is wrong with it.
pub(crate) fn load(path: &Path) -> Result<(&'static SitePolicy, FileWatch), Vec<String>> {
    // Before it is read: what changes in between is read again.
    let stamp = FileStamp::of(path).ok();
    let (rule, text) = compile(path)?;
    let looked = Instant::now();
    let watch = FileWatch { path: path.to_owned(), text, stamp, looked, loaded: 1 };
    Ok((rule.leak(&path.display().to_string()), watch))
}

impl FileWatch {
    /// Looks whether the file is another one, and reads it if so.
    pub(crate) fn sample(&mut self) -> Option<FileNews> {
        if self.looked.elapsed() < PAUSE {
            return None;
        }
        self.looked = Instant::now();
        let stamp = FileStamp::of(&self.path).ok();
        if stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        let stays = "the last good version stays";
        let (rule, text) = match compile(&self.path) {
            Ok(read) => read,
            Err(wrong) => {
                let more = match wrong.len() {
                    0 | 1 => String::new(),
                    count => format!(" (and {} more)", count - 1),
                };
                let first = wrong.into_iter().next().unwrap_or_default();
                return Some(FileNews::Bad(format!("{first}{more}; {stays}")));
            }
        };
        if text == self.text {
            return None;
        }
        if self.loaded >= VERSIONS {
            let name = self.path.display();
            let what = format!("{name}: {VERSIONS} versions were loaded; restart doomtop for more");
            return Some(FileNews::Bad(what));
        }
        self.loaded += 1;
        self.text = text;
        Some(FileNews::Good(rule.leak(&self.path.display().to_string())))
    }
}

/// Watches in a thread of its own, since a file may be on a disk that hangs. Each word through what
/// comes back makes it look once.
pub(crate) fn start(mut watch: FileWatch, inbox: Sender<Event>) -> Option<Sender<()>> {
    let (orders, asked) = channel();
    let work = move || {
        while asked.recv().is_ok() {
            while asked.try_recv().is_ok() {}
            let message = match watch.sample() {
                Some(FileNews::Good(rule)) => Msg::Rule(crate::app::LoadedPolicy(rule)),
                Some(FileNews::Bad(what)) => Msg::Notice(NoticeLevel::Warn, what),
                None => continue,
            };
            if inbox.send(Event::Told(message)).is_err() {
                return;
            }
        }
    };
    thread::Builder::new().name("rules".to_owned()).spawn(work).ok()?;
    Some(orders)
}
