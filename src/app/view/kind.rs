//! Which view is on the screen.

/// A view.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// The table of processes.
    #[default]
    Processes,
    /// Memory cgroups and their limits.
    Cgroups,
    /// The verdict of every policy.
    Verdicts,
    /// The machine's memory over time.
    Memory,
    /// OOM events.
    Events,
}

impl ViewKind {
    /// All views, in the order of their keys.
    pub const ALL: [Self; 5] =
        [Self::Processes, Self::Cgroups, Self::Verdicts, Self::Memory, Self::Events];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Processes => "Processes",
            Self::Cgroups => "Cgroups",
            Self::Verdicts => "Verdicts",
            Self::Memory => "Memory",
            Self::Events => "Events",
        }
    }

    /// The view `by` places further; after the last comes the first.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|&it| it == self).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(Self::ALL.len() as isize);
        Self::ALL.get(next as usize).copied().unwrap_or_default()
    }
}
