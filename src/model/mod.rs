//! NOUNS: what was seen. No I/O and no opinion.
//!
//! A [`Snapshot`] is one look at the machine and never changes afterwards; a [`Scene`] is the
//! snapshot with what follows from it. Not here: how it was read (`sample`), what it means
//! (`policy`), how it looks (`ui`).

mod axis;
mod cgroup;
mod domain;
mod forecast;
mod happening;
mod history;
mod killers;
mod knobs;
mod machine;
mod memory;
mod minute;
mod names;
mod nodes;
mod past;
mod powers;
mod process;
mod reading;
mod scene;
mod signal;
mod snapshot;
mod study;
mod text;
mod tripwire;

pub use axis::{Axis, Fold, Point, joined, resample};
pub use cgroup::{
    Cgroup, CgroupEvents, Cgroups, Hierarchy, IoUse, Limit, Marks, is_within, tree_order,
};
pub use domain::{Domain, DomainKind, Scope};
pub use forecast::{Arrival, Forecast, Outlook};
pub use happening::{Ear, Foreseen, Happening, Hearing, Killer, Timing, Victim};
pub use history::{History, Moment};
pub use killers::{
    Amount, CgroupSet, Earlyoom, Found, IoWeights, Killers, LooksAt, Nohang, Nominated, Oomd, Rule,
    RuleOn, Step, SystemdOomd, Told,
};
pub use knobs::{Knob, Knobs, PanicOnOom, Turns};
pub use machine::{Machine, RssSource, ScoreScale};
pub use memory::{
    CommitCharge, Memory, Overcommit, OvercommitMode, Pressure, Stall, Swap, Traffic, commit_limit,
    global_total,
};
pub use names::Names;
pub use nodes::{Node, NodeSet};
pub use past::{Nth, Past};
pub use powers::{Capabilities, Capability, Powers};
pub use process::{CgroupNeeds, Ids, Needs, ProcId, Process, RunState, Scores, Whereabouts};
pub use reading::Reading;
pub use scene::{Growth, Kill, Scene, Surge};
pub use signal::Signal;
pub use snapshot::{Clock, SCHEMA, ScanAge, Snapshot, Untold};
pub use study::{Frozen, Holding, Restart, Sharers, Study, Unit};
pub use text::{Comm, Text, escape_bytes, neutral, unescape};
pub use tripwire::{PressureWatch, Tripwire};
