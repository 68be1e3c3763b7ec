//! Facts of the machine and its processes. No I/O and no opinion.
//!
//! A [`Snapshot`] is one sample of the machine and never changes afterwards. A [`Scene`] is a
//! snapshot with what follows from it and from the samples before. This room does not know how the
//! facts are read (`sample`), what they mean (`policy`) or how they are shown (`ui`).
//!
//! Lowest first: `reading`, `text` and `comm`; then `machine`, `cgroup`, `process` and `daemon`;
//! `oom_event` and `log_line`; `needs`, `usage_reading` and `snapshot`; `domain` and `forecast`; `history`; `scene`. A file imports
//! only from those before it.

mod cgroup;
mod comm;
mod daemon;
mod domain;
mod forecast;
pub mod history;
mod log_line;
mod machine;
mod needs;
pub(crate) mod oom_event;
mod process;
mod reading;
mod scene;
mod snapshot;
mod text;
mod usage_reading;

pub use crate::model::machine::stall_detection::{PressureWatch, PsiTrigger};
pub use crate::model::process::user_and_cmdline::Names;
pub use cgroup::group::{Cgroup, CgroupEvents, IoStat, OomdXattrs};
pub use cgroup::limit::{Hierarchy, Limit};
pub use cgroup::name::CgroupName;
pub use cgroup::tree::{Cgroups, is_within, tree_order};
pub use comm::Comm;
pub use daemon::earlyoom::EarlyoomOptions;
pub use daemon::installed::InstalledKillers;
pub use daemon::kubelet::KubeletOptions;
pub use daemon::nohang::{
    NohangOptions, NohangRule, NohangRuleField, NohangThreshold, ThresholdAmount,
};
pub use daemon::oomd::{CgroupSet, IoWeights, OomdOptions};
pub use daemon::options::{DaemonOptions, KillerOptions, KillerPresence, OptionText, ProcessFiles};
pub use daemon::systemd_oomd::{NominatedUnit, OomRule, OomRuleAction, SystemdOomdOptions};
pub use domain::{Domain, DomainKind, Scope};
pub use forecast::{Forecast, TimeToFull, Trend};
pub use history::axis::{Aggregate, Point, TimeAxis, joined, resample};
pub use history::growth_bounds::GrowthBound;
pub use history::machine_history::{MachineHistory, MachineSample};
pub use history::sample_history::{SampleHistory, SampleIndex};
pub use log_line::{LogLine, LogLines, LogWriter};
pub use machine::bpf_oom::{BpfOom, BpfOomPolicy};
pub use machine::capability::{Capabilities, Capability};
pub use machine::host::{Machine, RssSource, ScoreScale};
pub use machine::memory::{Memory, Swap, ZramSwap, global_total, machine_usage};
pub use machine::memory_uses::{
    GpuMemory, MemoryHolders, MemoryUses, SlabCache, SysvShm, TmpfsMount, ZswapSettings,
};
pub use machine::numa::{NodeSet, NumaNode};
pub use machine::overcommit::{CommitCharge, Overcommit, OvercommitMode, commit_limit};
pub use machine::pressure::{Pressure, PsiLine};
pub use machine::privileges::Privileges;
pub use machine::sampler::ProcessSampler;
pub use machine::sysctl::{PanicOnOom, Sysctl, SysctlWritable, Sysctls};
pub use machine::vm_counters::VmCounters;
pub use needs::{CgroupNeeds, Needs, Scores};
pub use oom_event::{
    EventTime, ForecastResult, Killer, LogSource, MarkedVictim, OomEvent, PredictionResult,
    SourceState, Victim,
};
pub use process::detail::{FrozenBy, MemorySharers, ProcessDetail};
pub use process::id::ProcId;
pub use process::memory_breakdown::MemoryBreakdown;
pub use process::row::{ExeCwdEnviron, Process, RunState, UserIds};
pub use process::service_unit::{RestartPolicy, ServiceUnit};
pub use process::signal::Signal;
pub use process::task_facts::TaskFacts;
pub use reading::Reading;
pub use scene::{Growth, KillSeen, Scene};
pub use snapshot::{Clock, SCHEMA, ScanAge, Snapshot, Unavailable};
pub use text::{Text, escape_bytes, neutral, printable, unescape};
pub use usage_reading::UsageReading;
