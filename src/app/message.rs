//! What reaches the mind, what it asks of the shell, and the few values that both speak in.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alarm::RaisedAlarm;
use crate::app::adj_rules::update::RulesUpdate;
use crate::app::incident::log_update::LogUpdate;
use crate::app::keymap::bindings::Key;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::viewport::Viewport;
use crate::intent::{Intent, Outcome};
use crate::model::{
    MemoryBreakdown, PressureWatch, ProcId, ProcessDetail, Reading, Snapshot, Text,
};
use crate::policy::Policy;
use crate::units::Millis;

/// What reaches the mind.
#[derive(Debug)]
pub enum Msg {
    /// A key, and when it was read from the terminal.
    Key(Key, Millis),
    /// Pasted text: it may fill a prompt, never confirm a dialog.
    Paste(String),
    /// A new look.
    Sampled(Arc<Snapshot>),
    /// A look of a recording, to be kept and shown when its time has come.
    Played(Arc<Snapshot>),
    /// Looks are being written to a recording, or no longer.
    Recording(bool),
    /// What the logs told.
    Log(Vec<LogUpdate>),
    /// The recording was read to its end: no more looks of it will come.
    AllPlayed,
    /// A look failed; the next one may not.
    SamplingFailed(String),
    /// No further look will come, and why.
    SourceLost(String),
    /// Time passed.
    Tick(Millis),
    /// A picture was drawn: what it showed, and when.
    Drawn(Viewport, Millis),
    /// Something came of an intent.
    Outcome(Outcome),
    /// What was found out about the process of a dialog.
    Detail(Box<ProcessDetail>),
    /// What the memory of processes on the page of promises is made of.
    Breakdowns(Vec<(ProcId, Reading<MemoryBreakdown>)>),
    /// The names of users.
    Users(Arc<BTreeMap<u32, Text>>),
    /// Command lines, as far as they could be read.
    Commands(Vec<(ProcId, Arc<Text>)>),
    /// The shell did, or could not do, what was asked of it.
    Notice(NoticeLevel, String),
    /// A new version of the site's own rule.
    Rule(LoadedPolicy),
    /// What became of the file of rules of adj.
    AdjRules(RulesUpdate),
    /// Tasks began to wait for memory.
    Pressure,
    /// How that is told from now on, and of which cgroup where it is not the machine.
    PressureWatch(PressureWatch, Option<Arc<Text>>),
}

/// A rule that was loaded from a file.
pub struct LoadedPolicy(pub &'static dyn Policy);

impl std::fmt::Debug for LoadedPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.id())
    }
}

/// What the mind asks of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Carry out a confirmed intent.
    Act(Intent),
    /// End, leaving the last picture or not.
    Quit {
        /// Leave the last picture on the terminal.
        keep: bool,
    },
    /// Stop until the shell's `fg`.
    Suspend,
    /// Draw everything anew.
    Redraw,
    /// Look now.
    SampleNow,
    /// Look at this pace from now on.
    Pace(Millis),
    /// Ring the terminal's bell.
    Bell,
    /// Run the user's own command for an alarm that rang.
    RunAlarm(Box<RaisedAlarm>),
    /// Put this on the clipboard.
    Copy(String),
    /// Write the present look to a file.
    Dump,
    /// Begin to write looks to a new recording, or end that.
    Tape(bool),
    /// Write the looks that are kept to a new recording.
    WritePast,
    /// Write the journal to a new file.
    WriteJournal,
    /// Write this text to a file of this path, which must not be there yet.
    Write {
        /// As it was typed.
        path: String,
        /// All of it.
        text: String,
    },
}
