//! Finds the recording of a time in a directory.

use std::fs::File;
use std::io::{BufReader, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::archive::{RecordingFile, recordings};
use crate::model::Needs;
use crate::shell::command_error::CommandError;
use crate::source::{Recording, Source};
use crate::units::Millis;

/// Where doomtop-recorder.service keeps its recordings.
pub(crate) const ARCHIVE: &str = "/var/lib/doomtop";
/// How much before and after a time is read from a long recording, in milliseconds.
const AROUND: i64 = 30 * 60_000;

/// How a gzip member begins (RFC 1952) that has no name and no comment.
const MEMBER: [u8; 4] = [0x1f, 0x8b, 8, 0];
/// Lengths of the end of a file in which its last member is looked for, in bytes.
const ENDS: [u64; 3] = [1 << 18, 4 << 20, 64 << 20];
/// Maximum number of places that are tried.
const MAX_STARTS: usize = 64;

/// A recording, and the part of it that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundRecording {
    /// The file.
    pub(crate) path: PathBuf,
    /// From when to when, in milliseconds since 1970.
    pub(crate) part: (i64, i64),
}

/// The shortest recording in a directory that holds a time: `at`, or any in the span that begins there.
///
/// # Errors
/// There is none; the message names the nearest.
pub(crate) fn find(folder: &Path, at: i64, span: Millis) -> Result<FoundRecording, CommandError> {
    let files = recordings(folder);
    let mut spans: Vec<(PathBuf, i64, i64)> = files.into_iter().filter_map(times).collect();
    // 14:03 is all of that minute.
    let last = at.saturating_add_unsigned(span.0.saturating_sub(1));
    let shown = |ms: i64| {
        let time = Timestamp::from_millisecond(ms).unwrap_or_default();
        time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    spans.sort_by_key(|(_, from, to)| to - from);
    if let Some((path, from, _)) = spans.iter().find(|(_, from, to)| *from <= last && at <= *to) {
        let at = at.max(*from);
        let part = (at.saturating_sub(AROUND), at.saturating_add(AROUND));
        return Ok(FoundRecording { path: path.clone(), part });
    }
    let far = |(_, from, to): &&(PathBuf, i64, i64)| (from - at).max(at - to);
    let what = format!("{}: no recording holds {}", folder.display(), shown(at));
    let error = CommandError::failure(what);
    Err(match spans.iter().min_by_key(far) {
        Some((path, from, to)) => error.hint(format!(
            "the nearest is {}, from {} to {}",
            path.display(),
            shown(*from),
            shown(*to)
        )),
        None => error.hint("there are no files doomtop-*.tape; doomtop record --ring TIME --daily DIRECTORY makes them"),
    })
}

/// The recording with the newest sample.
///
/// # Errors
/// There is none.
pub(crate) fn newest(folder: &Path) -> Result<PathBuf, CommandError> {
    let files = recordings(folder).into_iter().filter_map(times);
    let newest = files.max_by_key(|(.., last)| *last);
    newest.map(|(path, ..)| path).ok_or_else(|| {
        CommandError::failure(format!("{}: no recordings", folder.display()))
            .hint("doomtop replay FILE plays a file")
    })
}

/// The times of its first and of its last sample. That of the last one where the file does not say it is when the file
/// was written last.
fn times(file: RecordingFile) -> Option<(PathBuf, i64, i64)> {
    let reader = Box::new(BufReader::new(File::open(&file.path).ok()?));
    let mut recording = Recording::open(reader, file.path.display().to_string());
    let first = recording.sample(&Needs::default(), None).ok()?.clock.unix_ms;
    let written = || {
        let written = file.written.duration_since(UNIX_EPOCH).ok()?.as_millis();
        i64::try_from(written).ok()
    };
    let last = last_sample(&file.path).or_else(written).unwrap_or(first);
    Some((file.path, first, last.max(first)))
}

/// The time of the last sample of a compressed recording: what is compressed together is short, and begins with a
/// whole sample, so that only the end of the file is read.
fn last_sample(path: &Path) -> Option<i64> {
    let mut file = File::open(path).ok()?;
    let size = file.metadata().ok()?.len();
    for length in ENDS {
        let from = size.saturating_sub(length);
        file.seek(SeekFrom::Start(from)).ok()?;
        let mut end = Vec::new();
        (&file).take(length).read_to_end(&mut end).ok()?;
        let starts = end.windows(MEMBER.len()).enumerate().filter(|(_, it)| *it == MEMBER);
        let mut starts: Vec<usize> = starts.map(|(at, _)| at).collect();
        starts.reverse();
        // The bytes may also stand in what is compressed.
        let found = starts.into_iter().take(MAX_STARTS).find_map(|at| last_of(end.get(at..)?));
        if found.is_some() || from == 0 {
            return found;
        }
    }
    None
}

/// The time of the last sample of these bytes.
fn last_of(bytes: &[u8]) -> Option<i64> {
    let mut recording = Recording::open(Box::new(Cursor::new(bytes.to_vec())), "");
    let mut last = None;
    while let Ok(sample) = recording.sample(&Needs::default(), None) {
        last = Some(sample.clock.unix_ms);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Clock, Snapshot};
    use crate::source::Recorder;
    use crate::units::{Kib, PageSize, TickRate};
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_shortest_recording_that_holds_the_time_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let begin = 1_763_733_802_000_i64;
        let put = |name: &str, from: i64, to: i64| {
            let path = folder.path().join(name);
            let mut recorder = Recorder::new(File::create(&path).expect("a file"));
            let mut sample = Snapshot::default();
            let machine = std::sync::Arc::make_mut(&mut sample.machine);
            (machine.page_size, machine.tick_rate) = (PageSize(4096), TickRate(100));
            sample.memory.total_kib = Kib(1 << 20);
            for unix_ms in [from, to - 2000, to] {
                let monotonic_ms = Millis(u64::try_from(unix_ms - begin).expect("later"));
                sample.clock = Clock { unix_ms, monotonic_ms, ..Clock::default() };
                recorder.write(&sample).expect("written");
            }
            let file = recorder.finish().expect("finished");
            // As a copy of it has it.
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000))
                .expect("a time");
            path
        };
        let day = put("doomtop-h-1-day.tape", begin, begin + 86_400_000);
        let kill = put("doomtop-h-2-kill.tape", begin + 3_600_000, begin + 4_500_000);
        std::fs::write(folder.path().join("doomtop-bad.tape"), "no recording").expect("written");
        let find = |at: i64, span: u64| find(folder.path(), at, Millis(span));
        let found = |at: i64| find(at, 0).map(|found| found.path);
        assert_eq!(found(begin + 4_000_000), Ok(kill));
        assert_eq!(found(begin + 10_000_000), Ok(day.clone()));
        // A minute in which a recording begins is in it, and one after its end is not.
        assert_eq!(find(begin - 22_000, 60_000).map(|found| found.path), Ok(day.clone()));
        let early = find(begin - 22_000, 60_000).expect("found");
        assert_eq!(early.part, (begin - AROUND, begin + AROUND));
        assert!(find(begin - 22_000, 22_000).is_err() && find(begin - 22_000, 1000).is_err());
        let late = found(begin + 86_400_001).expect_err("it was copied later").lines();
        assert!(late[0].contains("no recording holds"), "{late:?}");
        let error = found(begin - 1).expect_err("nothing is so old").lines();
        assert!(
            error[0].contains("no recording holds") && error[0].contains("1-day.tape"),
            "{error:?}"
        );
        assert_eq!(newest(folder.path()), Ok(day), "whatever was copied last");
        let empty = tempfile::tempdir().expect("a folder");
        let none = super::find(empty.path(), begin, Millis::ZERO);
        assert!(none.is_err() && newest(empty.path()).is_err());
    }
}
