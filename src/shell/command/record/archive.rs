//! A directory of recordings that is kept for good: one file a day, one for each burst of kills, and a limit to
//! their age and size.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use crate::model::{Machine, Snapshot};
use crate::shell::stdio::RepeatedComplaint;
use crate::shell::worker::recorder::{create, file_prefix, file_stem};
use crate::source::Recorder;
use crate::units::{Bytes, Millis};

/// How a name of a recording begins and ends.
const NAME: (&str, &str) = ("doomtop-", ".tape");
/// How the name of the file of a day ends, before `.tape`.
pub(crate) const DAY: &str = "-day";
/// The same for the file of a burst of kills.
pub(crate) const KILL: &str = "-kill";
/// The form of the time in a name; a 0 is a digit.
const TIME: &str = "00000000T000000Z";
/// Interval between two looks at the size of the directory.
const LOOK: Millis = Millis(60_000);
/// Time after which a file that could not be written is tried again.
const RETRY: Millis = Millis(60_000);

/// What is kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Retention {
    /// Files that were last written before this time are deleted.
    pub(crate) age: Option<Duration>,
    /// While all files together are larger, the oldest is deleted.
    pub(crate) size: Option<Bytes>,
}

/// The directory.
pub(super) struct Archive<'a> {
    folder: &'a Path,
    retention: Retention,
    /// Whether each day has a file.
    daily: bool,
    day: Option<DayFile>,
    /// Times of the clock of the samples.
    looked: Option<Millis>,
    failed: Option<Millis>,
    complaint: RepeatedComplaint,
}

/// The file of a day.
struct DayFile {
    recorder: Recorder<File>,
    path: PathBuf,
    date: Date,
}

impl<'a> Archive<'a> {
    /// Nothing is written yet.
    pub(super) fn new(folder: &'a Path, daily: bool, retention: Retention) -> Self {
        let complaint = RepeatedComplaint::default();
        Self { folder, retention, daily, day: None, looked: None, failed: None, complaint }
    }

    /// Whether files are deleted, so that their number needs no limit.
    pub(super) const fn has_retention(&self) -> bool {
        self.retention.age.is_some() || self.retention.size.is_some()
    }

    /// Takes a sample: writes it to the file of its day, and deletes what is too old or too much. A failure does
    /// not end the command: a full disk may have space again.
    pub(super) fn take(&mut self, sample: &Snapshot) {
        let now = sample.clock.monotonic_ms;
        if self.looked.is_none_or(|at| now.0 >= at.0.saturating_add(LOOK.0)) {
            self.looked = Some(now);
            self.prune(&sample.machine);
        }
        let waits = self.failed.is_some_and(|at| now.0 < at.0.saturating_add(RETRY.0));
        if !self.daily || waits {
            return;
        }
        match self.write(sample, &TimeZone::system()) {
            Ok(()) => self.complaint.set(None),
            Err(error) => {
                self.day = None;
                self.failed = Some(now);
                let folder = self.folder.display();
                self.complaint.set(Some(format!("{folder}: the file of the day: {error}")));
            }
        }
    }

    fn write(&mut self, sample: &Snapshot, zone: &TimeZone) -> io::Result<()> {
        let unix_ms = sample.clock.unix_ms;
        let time = Timestamp::from_millisecond(unix_ms).unwrap_or_default();
        let date = time.to_zoned(zone.clone()).date();
        if self.day.as_ref().is_none_or(|day| day.date != date) {
            self.finish()?;
            let stem = file_stem(&sample.machine, unix_ms) + DAY;
            let (name, file) = create(self.folder, &stem)?;
            let recorder = Recorder::new(file);
            self.day = Some(DayFile { recorder, path: PathBuf::from(name), date });
        }
        match &mut self.day {
            Some(day) => day.recorder.write(sample),
            None => Ok(()),
        }
    }

    /// Ends the file of the day.
    ///
    /// # Errors
    /// Its end could not be written. Its samples remain readable.
    pub(super) fn finish(&mut self) -> io::Result<()> {
        match self.day.take() {
            Some(day) => day.recorder.finish().map(drop),
            None => Ok(()),
        }
    }

    /// Deletes what is too old, and the oldest while all are too large, of the files that this user's recorder made
    /// on this machine. The file of the day stays.
    pub(super) fn prune(&mut self, machine: &Machine) {
        let (prefix, user) = (file_prefix(machine), nix::unistd::geteuid().as_raw());
        let mut files = recordings(self.folder);
        files.retain(|file| file.owner == user && is_made_by_recorder(&file.path, &prefix));
        files.retain(|file| self.day.as_ref().is_none_or(|day| day.path != file.path));
        files.sort_by_key(|file| file.written);
        let open = self.day.as_ref().map_or(0, |day| day.recorder.bytes());
        let mut total = files.iter().map(|file| file.size).sum::<u64>().saturating_add(open);
        let now = SystemTime::now();
        for file in files {
            let age = now.duration_since(file.written).unwrap_or_default();
            let is_old = self.retention.age.is_some_and(|limit| age > limit);
            let is_much = self.retention.size.is_some_and(|limit| total > limit.0);
            if (is_old || is_much) && fs::remove_file(&file.path).is_ok() {
                total = total.saturating_sub(file.size);
            }
        }
    }
}

/// A recording in a directory.
pub(crate) struct RecordingFile {
    /// Its path.
    pub(crate) path: PathBuf,
    /// When it was last written.
    pub(crate) written: SystemTime,
    /// Its size on the disk, in bytes.
    pub(crate) size: u64,
    /// The number of the user whom it belongs to.
    pub(crate) owner: u32,
}

/// Whether the file has a name as the recorder of a machine gives it, where the names of its recordings begin with
/// `prefix`: then the time, `-day` or `-kill`, and perhaps a number.
fn is_made_by_recorder(path: &Path, prefix: &str) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let rest = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(NAME.1));
    let Some((time, kind)) = rest.and_then(|rest| rest.split_at_checked(TIME.len())) else {
        return false;
    };
    let is_time = time.bytes().zip(TIME.bytes()).all(|(byte, form)| match form {
        b'0' => byte.is_ascii_digit(),
        form => byte == form,
    });
    let number = kind.strip_prefix(DAY).or_else(|| kind.strip_prefix(KILL));
    is_time
        && number.is_some_and(|number| {
            let nth = number.strip_prefix('-').map(str::parse::<u8>);
            number.is_empty() || nth.is_some_and(|nth| nth.is_ok())
        })
}

/// The recordings in a directory: regular files with the names that doomtop gives them.
pub(crate) fn recordings(folder: &Path) -> Vec<RecordingFile> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let file = |entry: fs::DirEntry| {
        let name = entry.file_name();
        let name = name.to_str()?;
        // A symbolic link is not followed.
        let metadata = entry.metadata().ok()?;
        let fits = name.starts_with(NAME.0) && name.ends_with(NAME.1) && metadata.is_file();
        let written = metadata.modified().ok()?;
        let (size, owner) = (metadata.blocks() * 512, metadata.uid());
        fits.then(|| RecordingFile { path: entry.path(), written, size, owner })
    };
    entries.flatten().filter_map(file).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Clock;

    fn sample(unix_ms: i64, monotonic_ms: u64) -> Snapshot {
        let monotonic_ms = Millis(monotonic_ms);
        Snapshot {
            clock: Clock { unix_ms, monotonic_ms, ..Clock::default() },
            ..Snapshot::default()
        }
    }

    fn names(folder: &Path) -> Vec<String> {
        let files = recordings(folder).into_iter();
        let name =
            |file: RecordingFile| file.path.file_name().map(|it| it.to_string_lossy().into_owned());
        let mut names: Vec<String> = files.filter_map(name).collect();
        names.sort();
        names
    }

    #[test]
    fn each_day_has_a_file_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut archive = Archive::new(folder.path(), true, Retention::default());
        // 2025-11-21 23:59:50 UTC, ten seconds apart.
        for nth in 0..3_u64 {
            let unix_ms = 1_763_769_590_000 + 10_000 * nth as i64;
            archive.write(&sample(unix_ms, 10_000 * nth), &TimeZone::UTC).expect("written");
        }
        archive.finish().expect("finished");
        let names = names(folder.path());
        assert_eq!(
            names,
            ["doomtop-host-20251121T235950Z-day.tape", "doomtop-host-20251122T000000Z-day.tape"]
        );
    }

    #[test]
    fn the_oldest_recordings_go_first_and_nothing_else_does() {
        let folder = tempfile::tempdir().expect("a folder");
        let now = SystemTime::now();
        let put = |name: &str, hours: u64| {
            let path = folder.path().join(name);
            fs::write(&path, vec![0_u8; 100_000]).expect("written");
            let file = File::options().write(true).open(&path).expect("a file");
            file.set_modified(now - Duration::from_secs(3600 * hours)).expect("a time");
        };
        let kept = [
            "other.tape",
            "doomtop-mine.tape",
            "doomtop-host-mine-day.tape",
            "doomtop-host-20251120T000000Z.tape",
            "doomtop-host-20251120T000000Z-day.txt",
            "doomtop-host-20251120T000000Z-day-old.tape",
            "doomtop-other-20251120T000000Z-day.tape",
            "doomtop-host-2-20251120T000000Z-day.tape",
        ];
        let (a, b, c) = (
            "doomtop-host-20251119T000000Z-day.tape",
            "doomtop-host-20251120T000000Z-kill-2.tape",
            "doomtop-host-20251121T000000Z-day.tape",
        );
        for (name, hours) in [(a, 50), (b, 30), (c, 10)].into_iter().chain(kept.map(|it| (it, 99)))
        {
            put(name, hours);
        }
        let here = Machine::default();
        let left = || {
            let mut names = names(folder.path());
            names.retain(|name| !kept.contains(&name.as_str()));
            names
        };
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("doomtop-link.tape"))
            .expect("a link");
        let age = Retention { age: Some(Duration::from_secs(3600 * 40)), size: None };
        Archive::new(folder.path(), false, age).prune(&here);
        assert_eq!(left(), [b, c]);
        let size = Retention { age: None, size: Some(Bytes(150_000)) };
        Archive::new(folder.path(), false, size).prune(&here);
        assert_eq!(left(), [c]);
        let count = || fs::read_dir(folder.path()).expect("a folder").count();
        assert_eq!(count(), kept.len() + 2, "the rest and the link are not ours");
        // The file that is being written is never deleted.
        let none = Retention { age: Some(Duration::ZERO), size: Some(Bytes(0)) };
        let mut archive = Archive::new(folder.path(), true, none);
        archive.write(&sample(1_763_769_590_000, 0), &TimeZone::UTC).expect("written");
        archive.prune(&here);
        assert_eq!(left().len(), 1);
        assert_eq!(count(), kept.len() + 2);
        archive.write(&sample(1_763_769_591_000, 1000), &TimeZone::UTC).expect("written");
    }

    #[test]
    fn a_directory_that_cannot_be_written_ends_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let gone = folder.path().join("gone");
        let mut archive = Archive::new(&gone, true, Retention::default());
        for nth in 0..3_u64 {
            archive.take(&sample(1_763_769_590_000, 1000 * nth));
        }
        assert!(archive.failed.is_some());
        fs::create_dir(&gone).expect("a folder");
        archive.take(&sample(1_763_769_690_000, 100_000));
        assert_eq!(names(&gone).len(), 1, "it is tried again after a minute");
    }
}
