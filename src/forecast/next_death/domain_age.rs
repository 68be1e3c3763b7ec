//! Since when the domains of a sample are at work, whoever has looked at them so far.

use std::collections::BTreeMap;

use crate::model::{Reading, Snapshot, is_within};
use crate::units::{Millis, Ticks};

/// When the oldest process of each cgroup began. A cgroup itself has no time of birth.
pub struct DomainAges<'a> {
    oldest: BTreeMap<&'a str, Ticks>,
    now: &'a Snapshot,
}

impl<'a> DomainAges<'a> {
    /// Of all cgroups with processes.
    pub fn new(now: &'a Snapshot) -> Self {
        let mut oldest = BTreeMap::new();
        for process in now.processes.iter().filter(|it| it.has_mm) {
            if let Reading::Value(path) = &process.cgroup {
                let born = oldest.entry(path.as_str()).or_insert(process.id.born);
                *born = process.id.born.min(*born);
            }
        }
        Self { oldest, now }
    }

    /// For how long a process has been at work in a cgroup or below it.
    pub fn of(&self, group: &str) -> Millis {
        let inside = self.oldest.iter().filter(|(path, _)| is_within(path, group));
        let born = inside.map(|(_, born)| *born).min();
        born.map_or(Millis::ZERO, |born| {
            let age = self.now.clock.uptime_ticks.saturating_sub(born);
            age.millis(self.now.machine.tick_rate)
        })
    }
}
