//! NOUNS: what was seen. No I/O and no opinion.
//!
//! A [`Snapshot`] is one look at the machine and never changes afterwards; a [`Scene`] is the
//! snapshot with what follows from it. Not here: how it was read (`sample`), what it means
//! (`policy`), how it looks (`ui`).

mod cgroup;
mod forecast;
pub mod history;
mod machine;
pub(crate) mod oom_event;
mod process;
mod reading;
mod scene;
mod snapshot;
mod text;

pub use crate::model::cgroup::domain::{Domain, DomainKind, Scope};
pub use crate::model::history::axis::{Axis, Fold, Point, joined, resample};
pub use crate::model::history::moment::{History, Moment};
pub use crate::model::history::samples::{Nth, Past};
pub use crate::model::machine::killers::{
    Amount, CgroupSet, Earlyoom, Found, IoWeights, Killers, LooksAt, Nohang, Nominated, Oomd, Rule,
    RuleOn, Step, SystemdOomd, Told,
};
pub use crate::model::machine::memory::{
    CommitCharge, Memory, Overcommit, OvercommitMode, Pressure, Stall, Swap, Traffic, commit_limit,
    global_total,
};
pub use crate::model::machine::numa::{Node, NodeSet};
pub use crate::model::machine::privileges::{Capabilities, Capability, Powers};
pub use crate::model::machine::psi_trigger::{PressureWatch, Tripwire};
pub use crate::model::machine::sysctl::{Knob, Knobs, PanicOnOom, Turns};
pub use crate::model::oom_event::{Ear, Foreseen, OomEvent, Hearing, Killer, Timing, Victim};
pub use crate::model::process::detail::{Frozen, Holding, Restart, Sharers, Study, Unit};
pub use crate::model::process::names::Names;
pub use crate::model::process::signal::Signal;
pub use cgroup::{
    Cgroup, CgroupEvents, Cgroups, Hierarchy, IoUse, Limit, Marks, is_within, tree_order,
};
pub use forecast::{Arrival, Forecast, Outlook};
pub use machine::{Machine, RssSource, ScoreScale};
pub use process::{CgroupNeeds, Ids, Needs, ProcId, Process, RunState, Scores, Whereabouts};
pub use reading::Reading;
pub use scene::{Growth, Kill, Scene, Surge};
pub use snapshot::{Clock, SCHEMA, ScanAge, Snapshot, Untold};
pub use text::{Comm, Text, escape_bytes, neutral, unescape};
