//! What the JSON reports share: the objects that stand in more than one of them.

use serde::Serialize;

use crate::model::{Comm, Process, Scene};
use crate::policy::{BadnessUnit, Override, Policy};
use crate::units::{Kib, Points};
use crate::words::memory_sheet::{MemoryPart, MemorySheet};
use crate::words::overridden;

/// A process by pid and name.
#[derive(Serialize)]
pub(crate) struct ProcessName<'a> {
    pub(crate) pid: i32,
    pub(crate) comm: &'a Comm,
}

impl<'a> ProcessName<'a> {
    pub(crate) const fn of(process: &'a Process) -> Self {
        Self { pid: process.id.pid, comm: &process.comm }
    }
}

/// A use of memory.
#[derive(Serialize)]
struct MemoryUseReport {
    name: &'static str,
    #[serde(rename = "use")]
    of: &'static str,
    kib: Kib,
    freed_by_kill: bool,
}

/// The balance sheet of memory.
#[derive(Serialize)]
pub(crate) struct MemorySheetReport {
    total_kib: Option<Kib>,
    parts: Vec<MemoryUseReport>,
    unaccounted_kib: Option<Kib>,
    not_freed_by_kill_kib: Kib,
    held_by_processes_kib: Option<Kib>,
}

impl MemorySheetReport {
    pub(crate) fn of(sheet: &MemorySheet) -> Self {
        let part = |it: &MemoryPart| MemoryUseReport {
            name: it.of.name(),
            of: it.of.id(),
            kib: it.size,
            freed_by_kill: it.of.is_killable(),
        };
        Self {
            total_kib: sheet.total,
            parts: sheet.parts.iter().map(part).collect(),
            unaccounted_kib: sheet.rest,
            not_freed_by_kill_kib: sheet.stuck(),
            held_by_processes_kib: sheet.held,
        }
    }
}

/// What overrides a ranking.
#[derive(Serialize)]
pub(crate) struct OverrideReport {
    by: &'static str,
    words: String,
    /// Without a limit of its own: who dies at the one above.
    #[serde(skip_serializing_if = "Option::is_none")]
    candidates: Option<Vec<i32>>,
}

impl OverrideReport {
    pub(crate) fn of(by: Override, policy: &dyn Policy, scene: &Scene) -> Self {
        let above = (by == Override::NoLimit).then(|| overridden::die_above(policy, scene));
        Self {
            by: by.word(),
            words: overridden::sentence(by, policy, scene),
            candidates: above.map(|ids| ids.iter().map(|id| id.pid).collect()),
        }
    }
}

/// The unit of the points of a policy, as a word.
pub(crate) fn unit_word(policy: &dyn Policy) -> &'static str {
    bare_unit_word(policy.info().unit)
}

/// A unit of points, as a word.
pub(crate) const fn bare_unit_word(unit: BadnessUnit) -> &'static str {
    match unit {
        BadnessUnit::Pages => "pages",
        BadnessUnit::Bare => "points",
    }
}

/// The verdict of one policy.
#[derive(Serialize)]
pub struct VerdictReport<'a> {
    pub(crate) policy: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) armed: ArmedReport,
    pub(crate) off: Option<OverrideReport>,
    pub(crate) eligible: usize,
    pub(crate) victim: Option<ProcessName<'a>>,
    pub(crate) instead: Option<ProcessName<'a>>,
    pub(crate) candidates: Vec<i32>,
    pub(crate) runner_up: Option<ProcessName<'a>>,
    pub(crate) margin: Option<Points>,
    pub(crate) signal: Option<i32>,
    pub(crate) signal_why: Option<&'static str>,
}

/// Whether a killer is about to act.
#[derive(Serialize)]
pub(crate) struct ArmedReport {
    pub(crate) ready: bool,
    pub(crate) why: String,
    pub(crate) triggers: Vec<TriggerReport>,
}

/// A condition that a killer waits for.
#[derive(Serialize)]
pub(crate) struct TriggerReport {
    pub(crate) what: &'static str,
    pub(crate) now: String,
    pub(crate) wants: String,
    pub(crate) met: Option<bool>,
}
