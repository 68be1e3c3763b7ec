//! What changes the app, and what it asks of the shell.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::alarm::RaisedAlarm;
use crate::app::adj_rules::reload::RulesUpdate;
use crate::app::keymap::bindings::Key;
use crate::app::session::notice::NoticeLevel;
use crate::app::view::click_target::ClickTarget;
use crate::app::view::last_frame::Viewport;
use crate::events::LogUpdate;
use crate::intent::{Intent, Outcome};
use crate::model::{
    MemoryBreakdown, PressureWatch, ProcId, ProcessDetail, Reading, Snapshot, Text, UsageReading,
};
use crate::policy::Policy;
use crate::units::Millis;

/// What changes the app.
#[derive(Debug)]
pub enum Msg {
    /// A key, and when it was read from the terminal.
    Key(Key, Millis),
    /// A click, on what was drawn at its place, and when.
    Click(ClickTarget, Millis),
    /// A turn of the mouse wheel by a number of lines, over what was drawn at its place, and when.
    Wheel(Option<ClickTarget>, isize, Millis),
    /// Something else than a key arrived from the terminal, and when: a paste, a change of focus, the answer to a
    /// query. A key right behind it was not pressed alone.
    TerminalInput(Millis),
    /// Pasted text: it may fill a prompt, never confirm a dialog.
    Paste(String),
    /// A new sample.
    Sampled(Arc<Snapshot>),
    /// A sample of a recording, to be shown when its time has come.
    Played(Arc<Snapshot>),
    /// Samples are written to a recording, or no longer.
    Recording(bool),
    /// What the log sources deliver.
    Log(Vec<LogUpdate>),
    /// The recording was read to its end.
    AllPlayed,
    /// A sample failed; the next one may not.
    SamplingFailed(String),
    /// No further sample will come, and why.
    SourceLost(String),
    /// Time passed.
    Tick(Millis),
    /// A frame was drawn: what it showed, and when.
    Drawn(Viewport, Millis),
    /// The outcome of an intent.
    Outcome(Outcome),
    /// The detail of the process of a dialog.
    Detail(Box<ProcessDetail>),
    /// The process of a dialog does not answer.
    NoDetail(ProcId),
    /// The memory breakdown of processes on the page of commitments.
    Breakdowns(Vec<(ProcId, Reading<MemoryBreakdown>)>),
    /// The names of users.
    Users(Arc<BTreeMap<u32, Text>>),
    /// Command lines that could be read, and processes that do not answer.
    Commands(Vec<(ProcId, Arc<Text>)>, Vec<ProcId>),
    /// A message of the shell: what it did, or could not do.
    Notice(NoticeLevel, String),
    /// A new version of the site's own policy.
    Rule(LoadedPolicy),
    /// A new version of the file of adj rules.
    AdjRules(RulesUpdate),
    /// The usage of domains near their limit, read since the newest sample.
    UsageRead(Vec<UsageReading>),
    /// Tasks began to wait for memory.
    Pressure,
    /// How pressure is watched from now on, and in which cgroup where it is not the machine.
    PressureWatch(PressureWatch, Option<Arc<Text>>),
}

/// A policy that was loaded from a file.
pub struct LoadedPolicy(pub &'static dyn Policy);

impl std::fmt::Debug for LoadedPolicy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.0.id())
    }
}

/// What the app asks of the shell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Carry out a confirmed intent.
    Act(Intent),
    /// Quit.
    Quit {
        /// Whether the last frame stays on the terminal.
        keep: bool,
    },
    /// Suspend, until the job is continued.
    Suspend,
    /// Draw everything again.
    Redraw,
    /// Take a sample now.
    SampleNow,
    /// Take samples at this pace from now on.
    Pace(Millis),
    /// Lower doomtop's own `oom_score_adj`.
    ProtectItself,
    /// Ring the bell of the terminal.
    Bell,
    /// Run the user's command for an alarm that was raised.
    RunAlarm(Box<RaisedAlarm>),
    /// Copy this to the clipboard.
    Copy(String),
    /// Write the sample on the screen to a file.
    Dump,
    /// Begin to write samples to a new recording, or end it.
    Tape(bool),
    /// Write the samples that are kept to a new recording.
    WritePast,
    /// Write the journal to a new file.
    WriteJournal,
    /// Write the settings that were changed to the user's file.
    SaveSettings,
    /// Write this text to a new file.
    Write {
        /// The path, as it was typed. The file must not exist.
        path: String,
        /// The content.
        text: String,
    },
}
