//! OOM events, from the logs of the kernel and of the userspace killers, and PSI triggers.
//!
//! A capture of `dmesg`, `journalctl -k` or `/dev/kmsg` goes in line by line; reports of the OOM
//! killer come out. A report holds as much as the log does: the kernel rate-limits its dumps, ring
//! buffers overwrite the beginning, and lines of other subsystems stand in between.

mod log;
mod log_update;
mod psi_trigger;
mod recorded_log;
mod report_events;
pub(crate) mod snapshot_from_report;

pub use crate::events::snapshot_from_report::{Reconstruction, page_size, reconstruct, zones_of};
pub use log::daemon::{DaemonKill, DaemonLogReader, by_name};
pub use log::framing::{FramedLine, Framer, LogTimestamp};
pub use log::kernel_log::{HeardKill, KernelLogReader, LogEntry};
pub use log::marker::is_about_oom;
pub use log::order::is_reversed;
pub use log::renamed_line::{LineRenamer, NewNames, renamed_daemon_line};
pub use log::report::{
    Constraint, DumpTask, FreeChunks, KillReason, KilledTask, MemcgUsage, OomCause, OomInvocation,
    OomReport, ReapedTask, ZoneState,
};
pub use log_update::LogUpdate;
pub use psi_trigger::{TriggerEvent, TriggerFile, WaitInterrupt, trigger_refusal};
pub(crate) use recorded_log::RecordedLog;
pub(crate) use report_events::report_events;
