//! The five views.

/// A view: what stands where the table is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ViewKind {
    /// Every process.
    #[default]
    Processes,
    /// Every memory cgroup.
    Cgroups,
    /// Every policy's opinion.
    Verdicts,
    /// The machine's memory through time.
    Memory,
    /// What happened.
    Events,
}

impl ViewKind {
    /// All, in the order of their keys.
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

    /// So many views further, round the end.
    #[must_use]
    pub fn step(self, by: isize) -> Self {
        let at = Self::ALL.iter().position(|&it| it == self).unwrap_or(0) as isize;
        let next = (at + by).rem_euclid(Self::ALL.len() as isize);
        Self::ALL.get(next as usize).copied().unwrap_or_default()
    }
}
