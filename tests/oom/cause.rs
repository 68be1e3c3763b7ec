//! What makes the kernel kill.

/// What makes the kernel kill.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The machine is out of memory.
    Machine,
    /// The machine is out of memory, and some hold what reclaim takes back before.
    MachineReclaim,
    /// A cgroup reaches its limit.
    Limit,
    /// A cgroup with `memory.oom.group` reaches its limit.
    Group,
    /// A cgroup reaches its limit, and some hold what reclaim takes back before.
    Reclaim,
    /// A cgroup with processes that forked reaches its limit.
    Forks,
    /// A cgroup reaches its limit; doomtop looks at one in it that has none.
    Scope,
    /// A cgroup reaches its limit while one of its processes hangs in a core dump.
    Dump,
    /// sysrq-f, without a lack of memory.
    Asked,
    /// sysrq-f, after the adj of the predicted victim was lowered.
    Lowered,
}

impl Cause {
    /// By its word in the plan of a guest.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "machine" => Self::Machine,
            "machine-reclaim" => Self::MachineReclaim,
            "limit" => Self::Limit,
            "group" => Self::Group,
            "reclaim" => Self::Reclaim,
            "forks" => Self::Forks,
            "scope" => Self::Scope,
            "dump" => Self::Dump,
            "asked" => Self::Asked,
            "lowered" => Self::Lowered,
            _ => return None,
        })
    }

    /// Its name in the tables, with cgroups of this version.
    pub fn title(self, version: u8) -> String {
        let limit = format!("limit of a cgroup v{version}");
        match self {
            Self::Machine => "the machine runs out".to_owned(),
            Self::MachineReclaim => "the machine runs out; some of it reclaimable".to_owned(),
            Self::Limit => limit,
            Self::Group => format!("{limit} with memory.oom.group"),
            Self::Reclaim => format!("{limit}; some of it reclaimable"),
            Self::Forks => format!("{limit}; parents and their forked children"),
            Self::Scope => format!("{limit} above the scope, which has none"),
            Self::Dump => format!("{limit}; one hangs in its core dump"),
            Self::Asked => "sysrq-f".to_owned(),
            Self::Lowered => "sysrq-f after the victim was saved in the editor".to_owned(),
        }
    }

    /// Whether the kill is asked for.
    pub fn asked(self) -> bool {
        matches!(self, Self::Asked | Self::Lowered)
    }

    /// Whether it happens in a cgroup of the test.
    pub fn in_cgroup(self) -> bool {
        !self.asked() && !matches!(self, Self::Machine | Self::MachineReclaim)
    }

    /// Whether its loads are of a kind of their own. The claim is that of the next death then: the sizes of now differ
    /// from those at the limit.
    pub fn has_own_mix(self) -> bool {
        matches!(self, Self::MachineReclaim | Self::Reclaim | Self::Forks)
    }
}
