//! Why a source has no snapshot, and the sentence for the user.

use std::fmt;

use crate::sample::Unreadable;
use crate::sample::process::bpf::BpfUnavailable;

/// Why there is no snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourceError {
    /// A file that every sample needs was not readable.
    Unreadable(Unreadable),
    /// The thread that walks over all processes has ended.
    WalkThread,
    /// Only a sampler by BPF was asked for, and that does not work here.
    NoBpf(BpfUnavailable),
    /// The end of the recording.
    End,
    /// What was sampled is over; why.
    Over(String),
    /// The last line of the recording is truncated, for example by a full disk. Everything before was read.
    Cut {
        /// Name of the recording.
        name: String,
        /// Number of the line, from 1.
        line: u64,
    },
    /// A part of the recording is damaged and its samples are lost. Not the end: the next sample is the
    /// first one after the damage.
    Damaged {
        /// Name of the recording.
        name: String,
        /// Number of the line at which the damage was noticed, from 1.
        line: u64,
        /// What is wrong.
        what: String,
        /// Time of the last sample before the damage, in milliseconds since 1970; `None` if there is none.
        after: Option<i64>,
        /// Time of the first sample after the damage, in milliseconds since 1970.
        until: i64,
    },
    /// The recording cannot be read here, and no sample follows.
    Bad {
        /// Name of the recording.
        name: String,
        /// Number of the line, from 1.
        line: u64,
        /// Column of the error, from 1; 0 if the whole line is meant.
        column: usize,
        /// What is wrong, and what would help.
        what: String,
    },
}

impl From<Unreadable> for SourceError {
    fn from(unreadable: Unreadable) -> Self {
        Self::Unreadable(unreadable)
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(unreadable) => {
                write!(f, "{unreadable}; is procfs mounted there, and readable for this user?")
            }
            Self::WalkThread => {
                f.write_str("the thread that reads the processes has ended; restart doomtop")
            }
            Self::NoBpf(why) => write!(f, "the processes cannot be read by BPF: {why}"),
            Self::Over(why) => f.write_str(why),
            Self::End => f.write_str("the recording has ended"),
            Self::Cut { name, line } => {
                write!(f, "{name}:{line}: the last line is truncated; it is skipped")
            }
            Self::Damaged { name, line, what, after, until } => {
                write!(f, "{name}:{line}: damaged ({what}); ")?;
                // The checksum stands at the end of a gzip member: its samples were all shown by then.
                if what.contains("checksum") {
                    return write!(f, "what was shown up to {} UTC may be wrong", time(*until));
                }
                match after {
                    Some(after) => write!(f, "the samples from {} ", time(*after))?,
                    None => f.write_str("the samples ")?,
                }
                write!(f, "to {} UTC are lost", time(*until))
            }
            Self::Bad { name, line, column: 0, what } => write!(f, "{name}:{line}: {what}"),
            Self::Bad { name, line, column, what } => write!(f, "{name}:{line}:{column}: {what}"),
        }
    }
}

/// The time of day in UTC.
fn time(unix_ms: i64) -> String {
    let seconds = unix_ms.div_euclid(1000).rem_euclid(86_400);
    format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

impl std::error::Error for SourceError {}
