//! Recordings that the screen writes: from a key on, and the last minutes before and behind a kill. One
//! thread writes them, started before memory is short.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use jiff::Timestamp;

use crate::app::{Msg, NoticeLevel};
use crate::columns::human_size;
use crate::model::{Machine, SampleHistory, Snapshot, Text};
use crate::shell::new_file::new_file;
use crate::shell::tui::Event;
use crate::source::Recorder;
use crate::units::Bytes;

/// So many looks without another kill end a burst.
const QUIET: u32 = 5;
/// And so many at most, however it goes on.
const LONGEST: u32 = 30;
/// So many files of kills are written in a run.
pub(crate) const MOST: u32 = 50;

/// Says when a burst of kills is over.
#[derive(Debug, Default)]
pub(crate) struct KillBurst {
    counted: Option<u64>,
    /// Looks since its first kill, and since its last.
    samples: Option<(u32, u32)>,
    /// Bursts so far.
    pub(crate) count: u32,
}

impl KillBurst {
    /// Takes the kernel's count of kills in a new look. Whether a burst is over with it.
    pub(crate) fn sample(&mut self, kills: Option<u64>) -> bool {
        let more = self.counted.zip(kills).is_some_and(|(before, now)| now > before);
        self.counted = kills.or(self.counted);
        self.samples = match self.samples {
            None if more => Some((0, 0)),
            None => None,
            Some((first, _)) if more => Some((first + 1, 0)),
            Some((first, last)) => Some((first + 1, last + 1)),
        };
        let over = self.samples.is_some_and(|(first, last)| last >= QUIET || first >= LONGEST);
        over && self.end()
    }

    /// No look comes any more. Whether that ends a burst.
    pub(crate) fn end(&mut self) -> bool {
        let begun = self.samples.take().is_some();
        self.count += u32::from(begun);
        begun
    }
}

/// So many looks wait for the disk at most.
const MOST_WAITING: usize = 64;

/// A place among the looks that wait to be written.
pub(crate) struct QueuedSample {
    _held: Arc<()>,
}

/// The looks that wait to be written: a disk that stalls must not fill the memory.
#[derive(Debug, Default)]
pub(crate) struct RecorderQueue {
    all: Arc<()>,
    /// Looks that found no place, since there was one.
    left_out: u64,
}

impl RecorderQueue {
    /// A place for a look, where there is one; and what is to be said of it.
    pub(crate) fn place(&mut self) -> (Option<QueuedSample>, Option<String>) {
        if Arc::strong_count(&self.all) > MOST_WAITING {
            self.left_out += 1;
            let text = "the disk is too slow: looks are left out of the recording";
            return (None, (self.left_out == 1).then(|| text.to_owned()));
        }
        let said = match std::mem::take(&mut self.left_out) {
            0 => None,
            count => Some(format!("the recording goes on; {count} looks are not in it")),
        };
        (Some(QueuedSample { _held: Arc::clone(&self.all) }), said)
    }
}

type Users = Arc<BTreeMap<u32, Text>>;

/// What the thread is to do.
pub(crate) enum RecorderOrder {
    /// Begin a recording under a name that begins so.
    Begin(String),
    /// Add a look to it.
    Look(Box<Snapshot>, Users, QueuedSample),
    /// End it.
    End,
    /// Write all that is kept to a file of its own.
    Past(Box<SampleHistory>, String, Users),
}

/// How the name of a recording begins: machine and time.
pub(crate) fn tree_lines(machine: &Machine, unix_ms: i64) -> String {
    let plain = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
    let host: String = machine.name.as_str().chars().filter(plain).take(40).collect();
    let time = Timestamp::from_millisecond(unix_ms).unwrap_or_default();
    let host = if host.is_empty() { "host" } else { host.trim_start_matches('.') };
    format!("doomtop-{host}-{}", time.strftime("%Y%m%dT%H%M%SZ"))
}

/// Writes every look that is kept. How many there were, and how many bytes that is.
pub(crate) fn write_past(
    past: &SampleHistory,
    users: &Users,
    file: File,
) -> io::Result<(u64, Bytes)> {
    let mut tape = Recorder::new(file);
    let mut samples = 0;
    let ends = past.oldest().zip(past.newest());
    for nth in ends.into_iter().flat_map(|(from, to)| from.0..=to.0) {
        let Some(sample) = past.sample(crate::model::SampleIndex(nth)) else { continue };
        tape.write(&named(Arc::unwrap_or_clone(sample), users))?;
        samples += 1;
    }
    let bytes = tape.bytes();
    tape.finish()?;
    Ok((samples, Bytes(bytes)))
}

/// With the names of users, where the look has none.
fn named(mut sample: Snapshot, users: &Users) -> Snapshot {
    if sample.users.is_empty() {
        sample.users = Arc::clone(users);
    }
    sample
}

/// A new file in a folder.
pub(crate) fn file_in(folder: &Path, tree_lines: &str) -> io::Result<(String, File)> {
    let path = folder.join(tree_lines);
    new_file(&path.to_string_lossy(), "tape")
}

/// Starts the thread.
///
/// # Errors
/// The system has no room for another thread.
pub(crate) fn start(
    inbox: Sender<Event>,
) -> Result<(Sender<RecorderOrder>, JoinHandle<()>), String> {
    let (orders, asked) = channel();
    let started = thread::Builder::new().name("tape".to_owned()).spawn(move || run(&asked, &inbox));
    started
        .map(|thread| (orders, thread))
        .map_err(|error| format!("cannot start a thread: {error}"))
}

struct Running {
    tape: Recorder<File>,
    name: String,
    samples: u64,
}

fn run(asked: &Receiver<RecorderOrder>, inbox: &Sender<Event>) {
    let mut running: Option<Running> = None;
    let tell = |level, text: String| {
        let _ = inbox.send(Event::Told(Msg::Notice(level, text)));
    };
    let stopped = || {
        let _ = inbox.send(Event::Told(Msg::Recording(false)));
    };
    for order in asked {
        match order {
            RecorderOrder::Begin(tree_lines) => match file_in(Path::new(""), &tree_lines) {
                Ok((name, file)) => {
                    tell(NoticeLevel::Good, format!("recording to {name}"));
                    running = Some(Running { tape: Recorder::new(file), name, samples: 0 });
                }
                Err(error) => {
                    stopped();
                    tell(NoticeLevel::Warn, format!("no recording: {tree_lines}.tape: {error}"));
                }
            },
            RecorderOrder::Look(sample, users, _waiting) => {
                let Some(mut on) = running.take() else { continue };
                match on.tape.write(&named(*sample, &users)) {
                    Ok(()) => running = Some(Running { samples: on.samples + 1, ..on }),
                    Err(error) => {
                        stopped();
                        let (name, samples) = (on.name, on.samples);
                        let text = format!("{name}: {error}; recorded up to here: {samples} looks");
                        tell(NoticeLevel::Warn, text);
                    }
                }
            }
            RecorderOrder::End => {
                let Some(on) = running.take() else { continue };
                let (name, samples, bytes) = (on.name, on.samples, on.tape.bytes());
                match on.tape.finish() {
                    Ok(_) => {
                        let size = human_size(Bytes(bytes));
                        tell(
                            NoticeLevel::Good,
                            format!("recorded {samples} looks, {size}, in {name}"),
                        );
                    }
                    Err(error) => {
                        tell(NoticeLevel::Warn, format!("{name}: {error}; its looks stand"))
                    }
                }
            }
            RecorderOrder::Past(past, tree_lines, users) => {
                let written = file_in(Path::new(""), &tree_lines)
                    .and_then(|(name, file)| Ok((name, write_past(&past, &users, file)?)));
                match written {
                    Ok((name, (samples, bytes))) => {
                        let size = human_size(bytes);
                        let text = format!("the last {samples} looks, {size}, are in {name}");
                        tell(NoticeLevel::Good, text);
                    }
                    Err(error) => {
                        tell(
                            NoticeLevel::Warn,
                            format!("{tree_lines}.tape could not be written: {error}"),
                        );
                    }
                }
            }
        }
    }
    // The program ends: what was recorded is whole.
    if let Some(on) = running {
        let _ = on.tape.finish();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_of_kills_is_one_and_ends() {
        let mut burst = KillBurst::default();
        let mut over = Vec::new();
        let counts = [3, 3, 4, 4, 5, 5, 5, 5, 5, 5, 5, 5, 6, 6, 6, 6, 6, 6];
        for (at, kills) in counts.into_iter().enumerate() {
            if burst.sample(Some(kills)) {
                over.push(at);
            }
        }
        assert_eq!(over, [9, 17], "five looks behind its last kill");
        // One that does not end is cut.
        let mut burst = KillBurst::default();
        let over: Vec<u64> = (0..100).filter(|&kills| burst.sample(Some(kills))).collect();
        assert_eq!(over, [31, 62, 93]);
        assert!(!burst.sample(None) && KillBurst::default().counted.is_none());
        // The end comes within five looks.
        let mut burst = KillBurst::default();
        assert!(!burst.end() && !burst.sample(Some(1)) && !burst.end());
        assert!(!burst.sample(Some(2)) && !burst.sample(Some(2)));
        assert!(burst.end() && !burst.end() && burst.count == 1);
    }

    #[test]
    fn a_disk_that_stalls_does_not_fill_the_memory() {
        let mut queue = RecorderQueue::default();
        let mut places: Vec<_> = (0..100).map(|_| queue.place()).collect();
        assert_eq!(places.iter().filter(|(place, _)| place.is_some()).count(), MOST_WAITING);
        assert_eq!(places.iter().filter(|(_, said)| said.is_some()).count(), 1, "said once");
        places.clear();
        let (place, said) = queue.place();
        assert!(place.is_some() && said.is_some_and(|said| said.contains("36 looks")));
    }

    #[test]
    fn a_name_is_harmless_wherever_it_comes_from() {
        let machine = Machine { name: Text::new(b"../../db 03\n\x1b"), ..Machine::default() };
        assert_eq!(tree_lines(&machine, 1_763_733_802_000), "doomtop-db03x0ax1b-20251121T140322Z");
    }
}
