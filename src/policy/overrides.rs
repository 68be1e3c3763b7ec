//! What overrides a ranking: settings and moments in which the kernel does not kill by badness, or
//! kills no process at all.

use crate::model::{BpfOomPolicy, ProcId, Scene, is_within};

macro_rules! kinds {
    ($($(#[$doc:meta])* $name:ident = $word:literal,)*) => {
        /// What overrides a ranking, without the process that it concerns.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum OverrideKind {
            $($(#[$doc])* $name,)*
        }

        impl OverrideKind {
            /// All kinds.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// The identifier in JSON and metrics.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                }
            }
        }
    };
}

kinds! {
    /// [`Override::Panic`].
    Panic = "panic_on_oom",
    /// [`Override::Waits`].
    Waits = "oom_kill_disable",
    /// [`Override::NoKiller`].
    NoKiller = "no_killer",
    /// [`Override::AllocatingTask`].
    AllocatingTask = "oom_kill_allocating_task",
    /// [`Override::Confined`].
    Confined = "confined",
    /// [`Override::Dying`].
    Dying = "dying",
    /// [`Override::Swapoff`].
    Swapoff = "swapoff",
    /// [`Override::NoLimit`].
    NoLimit = "no_limit",
    /// [`Override::BpfPolicy`].
    BpfPolicy = "bpf_policy",
}

/// Why the process with the highest badness need not be the next to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override {
    /// `vm.panic_on_oom`: the kernel panics instead.
    Panic,
    /// `oom_kill_disable` of this cgroup (version 1): its tasks wait.
    Waits,
    /// There is no OOM killer: the process whose allocation fails dies.
    NoKiller,
    /// `vm.oom_kill_allocating_task`: the process that asks for memory dies.
    AllocatingTask,
    /// In an OOM confined to memory nodes this kernel does not choose: the process that asks dies.
    Confined,
    /// This process was killed already and has not exited yet.
    Dying(ProcId),
    /// A swap area is being switched off: the process that does it, if known, dies first.
    Swapoff(Option<ProcId>),
    /// The cgroup has no limit of its own, so no OOM is confined to it: somebody is chosen at the limit above, or when
    /// the machine runs out.
    NoLimit,
    /// A BPF program decides before the kernel does (`bpf_oom_ops`), in this domain.
    BpfPolicy,
}

/// The BPF policy that is asked in an OOM of the scene's domain: that of its cgroup, or of one above. In an OOM of the
/// machine, that of the root.
#[must_use]
pub fn bpf_policy(scene: &Scene) -> Option<&BpfOomPolicy> {
    let domain = scene.domain();
    let path = if domain.is_memcg() { domain.limiting_cgroup().as_str() } else { "/" };
    scene.now().bpf_oom.decides(path, is_within)
}

impl Override {
    /// The kind, without the process.
    #[must_use]
    pub const fn kind(self) -> OverrideKind {
        match self {
            Self::Panic => OverrideKind::Panic,
            Self::Waits => OverrideKind::Waits,
            Self::NoKiller => OverrideKind::NoKiller,
            Self::AllocatingTask => OverrideKind::AllocatingTask,
            Self::Confined => OverrideKind::Confined,
            Self::Dying(_) => OverrideKind::Dying,
            Self::Swapoff(_) => OverrideKind::Swapoff,
            Self::NoLimit => OverrideKind::NoLimit,
            Self::BpfPolicy => OverrideKind::BpfPolicy,
        }
    }

    /// The identifier in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.kind().word()
    }

    /// Whether the process that asks for memory dies, regardless of the ranking.
    #[must_use]
    pub const fn kills_allocating_task(self) -> bool {
        matches!(self, Self::NoKiller | Self::AllocatingTask | Self::Confined)
    }
}
