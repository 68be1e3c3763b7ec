//! A watched file: what it holds is loaded again when the file changes. Each watched file has a thread of
//! its own, because the disk that it is on may hang.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use crate::app::Msg;
use crate::shell::event::Inbox;
use crate::shell::thread;

/// Minimum interval between two checks of a file, so that at most one version per second is loaded.
const INTERVAL: Duration = Duration::from_secs(1);

/// What identifies a version of a file without reading it.
#[derive(Clone, Copy, PartialEq, Eq)]
struct FileStamp {
    device: u64,
    inode: u64,
    size: u64,
    modified: (i64, i64),
    changed: (i64, i64),
}

impl FileStamp {
    fn of(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            size: metadata.size(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// What a file compiles to, and the text that it was compiled from; or every fault in it.
type Load<T> = fn(&Path) -> Result<(T, String), Vec<String>>;

/// What a check of a changed file found.
pub(crate) enum FileChange<T> {
    /// Another valid version.
    New(T),
    /// The valid version from before an invalid one is back.
    Restored(T),
    /// An invalid version: the first fault and the number of the others, in one line.
    Invalid(String),
}

/// A file and the version of it that was loaded last.
pub(crate) struct FileWatch<T> {
    path: PathBuf,
    load: Load<T>,
    /// The text of the last valid version.
    text: String,
    stamp: Option<FileStamp>,
    checked: Instant,
    /// The newest version is invalid.
    invalid: bool,
}

impl<T> FileWatch<T> {
    /// Loads a file and watches it from now on.
    ///
    /// # Errors
    /// What `load` finds wrong, one line for each fault.
    pub(crate) fn start(path: &Path, load: Load<T>) -> Result<(T, Self), Vec<String>> {
        // Taken before the file is read: a change in between is noticed at the next check.
        let stamp = FileStamp::of(path).ok();
        let (value, text) = load(path)?;
        let checked = Instant::now();
        let path = path.to_owned();
        Ok((value, Self { path, load, text, stamp, checked, invalid: false }))
    }

    /// The file.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Loads the file again if it has changed. `None` where it has not, and within [`INTERVAL`] of the
    /// last check.
    pub(crate) fn check(&mut self) -> Option<FileChange<T>> {
        if self.checked.elapsed() < INTERVAL {
            return None;
        }
        self.check_now()
    }

    /// The same without the interval.
    pub(crate) fn check_now(&mut self) -> Option<FileChange<T>> {
        self.checked = Instant::now();
        let stamp = FileStamp::of(&self.path).ok();
        if stamp == self.stamp {
            return None;
        }
        self.stamp = stamp;
        match (self.load)(&self.path) {
            Ok((_, text)) if text == self.text && !self.invalid => None,
            Ok((value, text)) => {
                self.invalid = false;
                if text == self.text {
                    return Some(FileChange::Restored(value));
                }
                self.text = text;
                Some(FileChange::New(value))
            }
            Err(faults) => {
                self.invalid = true;
                Some(FileChange::Invalid(summary(faults)))
            }
        }
    }
}

/// The first fault, and how many more there are.
fn summary(faults: Vec<String>) -> String {
    let more = match faults.len() {
        0 | 1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let first = faults.into_iter().next().unwrap_or_default();
    format!("{first}{more}")
}

/// Starts a thread that checks a file each time a word arrives through the returned sender.
pub(crate) fn start(
    name: &'static str,
    mut check: impl FnMut() -> Option<Msg> + Send + 'static,
    inbox: Inbox,
) -> Option<Sender<()>> {
    let (requests, requested) = channel();
    let work = move || {
        while requested.recv().is_ok() {
            while requested.try_recv().is_ok() {}
            if let Some(message) = check()
                && inbox.send(message).is_err()
            {
                return;
            }
        }
    };
    thread::spawn(name, work).ok()?;
    Some(requests)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A number, or what is wrong with it.
    fn number(path: &Path) -> Result<(u32, String), Vec<String>> {
        let text = std::fs::read_to_string(path).map_err(|error| vec![error.to_string()])?;
        match text.trim().parse() {
            Ok(number) => Ok((number, text)),
            Err(_) => Err(vec!["no number".to_owned(), "another fault".to_owned()]),
        }
    }

    #[test]
    fn a_changed_file_is_loaded_and_an_unchanged_text_is_not_reported() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("number");
        // Each version has a size of its own, so that the test does not depend on clocks.
        let write = |text: &str| std::fs::write(&path, text).expect("written");
        write("1");
        let (first, mut watch) = FileWatch::start(&path, number).expect("a number");
        assert_eq!(first, 1);
        assert!(watch.check_now().is_none(), "not changed");
        assert!(watch.check().is_none(), "within the interval");
        write("12");
        assert!(matches!(watch.check_now(), Some(FileChange::New(12))));
        write("one");
        let Some(FileChange::Invalid(what)) = watch.check_now() else { panic!("invalid") };
        assert_eq!(what, "no number (and 1 more)");
        assert!(watch.check_now().is_none(), "reported once");
        write("12");
        assert!(matches!(watch.check_now(), Some(FileChange::Restored(12))));
        std::fs::remove_file(&path).expect("removed");
        assert!(matches!(watch.check_now(), Some(FileChange::Invalid(_))));
        assert!(FileWatch::start(&path, number).is_err());
    }
}
