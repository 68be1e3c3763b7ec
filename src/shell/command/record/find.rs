//! Finds the recording of a time in a directory.

use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::archive::{RecordingFile, recordings};
use crate::model::Needs;
use crate::shell::command_error::CommandError;
use crate::source::{Recording, Source};

/// Where doomtop-recorder.service keeps its recordings.
pub(crate) const ARCHIVE: &str = "/var/lib/doomtop";
/// How much before and after a time is read from a long recording, in milliseconds.
const AROUND: i64 = 30 * 60_000;

/// A recording, and the part of it that is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FoundRecording {
    /// The file.
    pub(crate) path: PathBuf,
    /// From when to when, in milliseconds since 1970.
    pub(crate) part: (i64, i64),
}

/// The shortest recording in a directory that holds this time.
///
/// # Errors
/// There is none; the message names the nearest.
pub(crate) fn find(folder: &Path, at: i64) -> Result<FoundRecording, CommandError> {
    let files = recordings(folder);
    let mut spans: Vec<(PathBuf, i64, i64)> = files.into_iter().filter_map(span).collect();
    let shown = |ms: i64| {
        let time = Timestamp::from_millisecond(ms).unwrap_or_default();
        time.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    };
    spans.sort_by_key(|(_, from, to)| to - from);
    if let Some((path, ..)) = spans.iter().find(|(_, from, to)| (*from..=*to).contains(&at)) {
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

/// The recording that was written last.
///
/// # Errors
/// There is none.
pub(crate) fn newest(folder: &Path) -> Result<PathBuf, CommandError> {
    let files = recordings(folder);
    let newest = files.into_iter().max_by_key(|file| file.written);
    newest.map(|file| file.path).ok_or_else(|| {
        CommandError::failure(format!("{}: no recordings", folder.display()))
            .hint("doomtop replay FILE plays a file")
    })
}

/// From its first sample to the time when it was last written.
fn span(file: RecordingFile) -> Option<(PathBuf, i64, i64)> {
    let reader = Box::new(BufReader::new(File::open(&file.path).ok()?));
    let mut recording = Recording::open(reader, file.path.display().to_string());
    let first = recording.sample(&Needs::default(), None).ok()?.clock.unix_ms;
    let written = file.written.duration_since(UNIX_EPOCH).ok()?.as_millis();
    Some((file.path, first, i64::try_from(written).unwrap_or(first).max(first)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Clock, Snapshot};
    use crate::source::Recorder;
    use crate::units::{Kib, Millis, PageSize, TickRate};
    use std::time::{Duration, SystemTime};

    #[test]
    fn the_shortest_recording_that_holds_the_time_is_found() {
        let folder = tempfile::tempdir().expect("a folder");
        let begin = 1_763_733_802_000_i64;
        let put = |name: &str, from: i64, to: i64| {
            let path = folder.path().join(name);
            let mut recorder = Recorder::new(File::create(&path).expect("a file"));
            let clock = Clock { unix_ms: from, monotonic_ms: Millis(1), ..Clock::default() };
            let mut sample = Snapshot { clock, ..Snapshot::default() };
            let machine = std::sync::Arc::make_mut(&mut sample.machine);
            (machine.page_size, machine.tick_rate) = (PageSize(4096), TickRate(100));
            sample.memory.total_kib = Kib(1 << 20);
            recorder.write(&sample).expect("written");
            let file = recorder.finish().expect("finished");
            let to = u64::try_from(to).expect("a time");
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_millis(to)).expect("a time");
            path
        };
        let day = put("doomtop-h-1-day.tape", begin, begin + 86_400_000);
        let kill = put("doomtop-h-2-kill.tape", begin + 3_600_000, begin + 4_500_000);
        std::fs::write(folder.path().join("doomtop-bad.tape"), "no recording").expect("written");
        let found = |at: i64| find(folder.path(), at).map(|found| found.path);
        assert_eq!(found(begin + 4_000_000), Ok(kill));
        assert_eq!(found(begin + 10_000_000), Ok(day.clone()));
        let error = found(begin - 1).expect_err("nothing is so old").lines();
        assert!(
            error[0].contains("no recording holds") && error[0].contains("1-day.tape"),
            "{error:?}"
        );
        assert_eq!(newest(folder.path()), Ok(folder.path().join("doomtop-bad.tape")));
        let empty = tempfile::tempdir().expect("a folder");
        assert!(find(empty.path(), begin).is_err() && newest(empty.path()).is_err());
    }
}
