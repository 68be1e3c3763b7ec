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
pub use crate::model::history::axis::{Aggregate, Point, TimeAxis, joined, resample};
pub use crate::model::history::moment::{MachineHistory, MachineSample};
pub use crate::model::history::samples::{SampleHistory, SampleIndex};
pub use crate::model::machine::killers::{
    CgroupSet, EarlyoomOptions, InstalledKillers, IoWeights, KillerOptions, KillerPresence,
    NohangOptions, NohangRule, NohangRuleField, NohangThreshold, NominatedUnit, OomdOptions,
    ProcessFiles, SystemdOomdOptions, ThresholdAmount,
};
pub use crate::model::machine::memory::{
    CommitCharge, Memory, Overcommit, OvercommitMode, Pressure, PsiLine, Swap, VmCounters,
    commit_limit, global_total,
};
pub use crate::model::machine::numa::{NodeSet, NumaNode};
pub use crate::model::machine::privileges::{Capabilities, Capability, Privileges};
pub use crate::model::machine::psi_trigger::{PressureWatch, PsiTrigger};
pub use crate::model::machine::sysctl::{PanicOnOom, Sysctl, SysctlWritable, Sysctls};
pub use crate::model::oom_event::{
    EventTime, Killer, LogSource, OomEvent, PredictionResult, SourceState, Victim,
};
pub use crate::model::process::detail::{
    FrozenBy, MemoryBreakdown, MemorySharers, ProcessDetail, RestartPolicy, ServiceUnit,
};
pub use crate::model::process::names::Names;
pub use crate::model::process::signal::Signal;
pub use cgroup::{
    Cgroup, CgroupEvents, Cgroups, Hierarchy, IoStat, Limit, OomdXattrs, is_within, tree_order,
};
pub use forecast::{Forecast, TimeToFull, Trend};
pub use machine::{Machine, RssSource, ScoreScale};
pub use process::{CgroupNeeds, ExeCwdEnviron, Needs, ProcId, Process, RunState, Scores, UserIds};
pub use reading::Reading;
pub use scene::{Growth, GrowthBound, KillSeen, Scene};
pub use snapshot::{Clock, SCHEMA, ScanAge, Snapshot, Unavailable};
pub use text::{Comm, Text, escape_bytes, neutral, unescape};
