//! The thread that writes recordings: from a key on, and the last minutes before and after a kill. It is
//! started before memory is short.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use jiff::Timestamp;

use crate::app::{Msg, NoticeLevel};
use crate::columns::human_size;
use crate::model::{Machine, SampleHistory, SampleIndex, Snapshot, Text};
use crate::shell::command_error::CommandError;
use crate::shell::event::Inbox;
use crate::shell::new_file::{GROUP_READS, new_file, new_file_of};
use crate::shell::thread;
use crate::source::Recorder;
use crate::units::Bytes;

/// Maximum number of samples that wait for the disk.
const MAX_WAITING: usize = 64;

/// A place among the samples that wait to be written; free again when dropped.
pub(crate) struct QueuedSample {
    _held: Arc<()>,
}

/// The number of samples that wait to be written: a disk that hangs must not fill the memory.
#[derive(Debug, Default)]
pub(crate) struct RecorderQueue {
    places: Arc<()>,
    /// Samples that found no place since the last one that did.
    dropped: u64,
}

impl RecorderQueue {
    /// A place for a sample, if there is one; and what to tell the user.
    pub(crate) fn place(&mut self) -> (Option<QueuedSample>, Option<String>) {
        if Arc::strong_count(&self.places) > MAX_WAITING {
            self.dropped += 1;
            let text = "the disk is too slow: samples are missing in the recording";
            return (None, (self.dropped == 1).then(|| text.to_owned()));
        }
        let notice = match std::mem::take(&mut self.dropped) {
            0 => None,
            count => Some(format!("the recording goes on; {count} samples are missing")),
        };
        (Some(QueuedSample { _held: Arc::clone(&self.places) }), notice)
    }
}

/// The names of users by their numbers.
pub(crate) type Users = Arc<BTreeMap<u32, Text>>;

/// What the thread is asked to do.
pub(crate) enum RecorderOrder {
    /// Begin a recording in a new file; its name begins so.
    Begin(String),
    /// Add a sample to it.
    Sample(Box<Snapshot>, Users, QueuedSample),
    /// End it.
    End,
    /// Write a history to a new file; its name begins so.
    History(Box<SampleHistory>, String, Users),
}

/// How the name of a recording begins: machine and time.
pub(crate) fn file_stem(machine: &Machine, unix_ms: i64) -> String {
    let time = Timestamp::from_millisecond(unix_ms).unwrap_or_default();
    format!("{}{}", file_prefix(machine), time.strftime("%Y%m%dT%H%M%SZ"))
}

/// How the names of all recordings of a machine begin.
pub(crate) fn file_prefix(machine: &Machine) -> String {
    let is_plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let host: String = machine.name.as_str().chars().filter(is_plain).take(40).collect();
    let host = if host.is_empty() { "host" } else { host.trim_start_matches('.') };
    format!("doomtop-{host}-")
}

/// Writes every sample of a history. Returns the number of samples, and the size of the file.
///
/// # Errors
/// The file could not be written.
pub(crate) fn write_history(
    history: &SampleHistory,
    users: &Users,
    file: File,
) -> io::Result<(u64, Bytes)> {
    let mut recorder = Recorder::new(file);
    let mut samples = 0;
    let ends = history.oldest().zip(history.newest());
    for index in ends.into_iter().flat_map(|(from, to)| from.0..=to.0) {
        let Some(sample) = history.sample(SampleIndex(index)) else { continue };
        recorder.write(&with_users(Arc::unwrap_or_clone(sample), users))?;
        samples += 1;
    }
    let bytes = recorder.bytes();
    recorder.finish()?;
    Ok((samples, Bytes(bytes)))
}

/// The sample with the names of users, where it has none.
fn with_users(mut sample: Snapshot, users: &Users) -> Snapshot {
    if sample.users.is_empty() {
        sample.users = Arc::clone(users);
    }
    sample
}

/// A new recording in a folder of recordings, which the group reads, too (`adm`, by the unit of the recorder); its
/// name comes with it.
///
/// # Errors
/// It could not be created.
pub(crate) fn create(folder: &Path, stem: &str) -> io::Result<(String, File)> {
    let path = folder.join(stem);
    new_file_of(&path.to_string_lossy(), "tape", GROUP_READS)
}

/// Starts the thread. It ends, with its recording complete, when the returned sender is dropped.
///
/// # Errors
/// The system has no resources for another thread.
pub(crate) fn start(inbox: Inbox) -> Result<(Sender<RecorderOrder>, JoinHandle<()>), CommandError> {
    let (orders, ordered) = channel();
    let work = move || RecorderThread { inbox, open: None }.run(&ordered);
    Ok((orders, thread::spawn("recorder", work)?))
}

/// A recording that is being written.
struct OpenRecording {
    recorder: Recorder<File>,
    name: String,
    samples: u64,
}

struct RecorderThread {
    inbox: Inbox,
    open: Option<OpenRecording>,
}

impl RecorderThread {
    fn run(mut self, ordered: &Receiver<RecorderOrder>) {
        for order in ordered {
            match order {
                RecorderOrder::Begin(stem) => self.begin(&stem),
                RecorderOrder::Sample(sample, users, _place) => self.write(*sample, &users),
                RecorderOrder::End => self.end(),
                RecorderOrder::History(history, stem, users) => {
                    self.write_history(&history, &stem, &users);
                }
            }
        }
        // The program ends: what was recorded is complete.
        if let Some(open) = self.open {
            let _ = open.recorder.finish();
        }
    }

    fn notify(&self, level: NoticeLevel, text: String) {
        let _ = self.inbox.send(Msg::Notice(level, text));
    }

    fn begin(&mut self, stem: &str) {
        match new_file(stem, "tape") {
            Ok((name, file)) => {
                self.notify(NoticeLevel::Good, format!("recording to {name}"));
                self.open = Some(OpenRecording { recorder: Recorder::new(file), name, samples: 0 });
            }
            Err(error) => {
                let _ = self.inbox.send(Msg::Recording(false));
                self.notify(NoticeLevel::Warn, format!("no recording: {stem}.tape: {error}"));
            }
        }
    }

    fn write(&mut self, sample: Snapshot, users: &Users) {
        let Some(open) = &mut self.open else { return };
        match open.recorder.write(&with_users(sample, users)) {
            Ok(()) => open.samples += 1,
            Err(error) => {
                let text =
                    format!("{}: {error}; {} samples were recorded", open.name, open.samples);
                self.open = None;
                let _ = self.inbox.send(Msg::Recording(false));
                self.notify(NoticeLevel::Warn, text);
            }
        }
    }

    fn end(&mut self) {
        let Some(OpenRecording { recorder, name, samples }) = self.open.take() else { return };
        let size = human_size(Bytes(recorder.bytes()));
        match recorder.finish() {
            Ok(_) => {
                let text = format!("recorded {samples} samples, {size}, in {name}");
                self.notify(NoticeLevel::Good, text);
            }
            Err(error) => {
                let text = format!("{name}: {error}; the samples written before can be read");
                self.notify(NoticeLevel::Warn, text);
            }
        }
    }

    fn write_history(&self, history: &SampleHistory, stem: &str, users: &Users) {
        let written = new_file(stem, "tape")
            .and_then(|(name, file)| Ok((name, write_history(history, users, file)?)));
        match written {
            Ok((name, (samples, bytes))) => {
                let size = human_size(bytes);
                let text = format!("the last {samples} samples, {size}, are in {name}");
                self.notify(NoticeLevel::Good, text);
            }
            Err(error) => {
                self.notify(NoticeLevel::Warn, format!("cannot write {stem}.tape: {error}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_that_hangs_does_not_fill_the_memory() {
        let mut queue = RecorderQueue::default();
        let mut places: Vec<_> = (0..100).map(|_| queue.place()).collect();
        assert_eq!(places.iter().filter(|(place, _)| place.is_some()).count(), MAX_WAITING);
        assert_eq!(places.iter().filter(|(_, notice)| notice.is_some()).count(), 1, "said once");
        places.clear();
        let (place, notice) = queue.place();
        assert!(place.is_some() && notice.is_some_and(|text| text.contains("36 samples")));
    }

    #[test]
    fn the_name_of_a_machine_cannot_leave_the_folder() {
        let machine = Machine { name: Text::new(b"../../db 03\n\x1b"), ..Machine::default() };
        assert_eq!(file_stem(&machine, 1_763_733_802_000), "doomtop-db03x0ax1b-20251121T140322Z");
    }
}
