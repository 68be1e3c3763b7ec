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
    /// The cgroup has no limit of its own, so no OOM is confined to it: at the limit above, or when the
    /// machine runs out, this process is chosen.
    NoLimit(Option<ProcId>),
    /// A BPF program decides before the kernel does (`bpf_oom_ops`), in this domain.
    BpfPolicy,
}

/// ` (NAME)`, the BPF policy of the scene's domain; empty where it has no name.
fn policy_name(scene: &Scene) -> String {
    let name = bpf_policy(scene).map_or("", |policy| policy.name.as_str());
    if name.is_empty() { String::new() } else { format!(" ({name})") }
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
            Self::NoLimit(_) => OverrideKind::NoLimit,
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

    /// What happens instead, as a sentence.
    #[must_use]
    pub fn sentence(self, scene: &Scene) -> String {
        let name = |id: ProcId| {
            let comm = scene.find(id).map(|process| process.comm).unwrap_or_default();
            format!("{id} {comm}")
        };
        match self {
            Self::Panic => {
                "panic_on_oom is set: an OOM panics the kernel and kills no process".to_owned()
            }
            Self::NoKiller => {
                "there is no OOM killer: the process whose allocation fails dies".to_owned()
            }
            Self::Waits => {
                "oom_kill_disable is set here: at the limit tasks wait and none is killed"
                    .to_owned()
            }
            Self::AllocatingTask => {
                "oom_kill_allocating_task is set: the process that asks for memory dies".to_owned()
            }
            Self::Confined => {
                "in an OOM confined to memory nodes, the process that asks for memory dies"
                    .to_owned()
            }
            Self::Dying(id) => format!(
                "{} was killed and is still exiting: if the OOM killer chose it, no other process dies until it is gone",
                name(id)
            ),
            Self::Swapoff(Some(id)) => {
                format!("swap is being switched off by {}, which dies first", name(id))
            }
            Self::Swapoff(None) => {
                "swap is being switched off: the process that does this dies first".to_owned()
            }
            Self::BpfPolicy => format!(
                "a BPF program{} chooses the victim before the kernel does: no prediction is possible",
                policy_name(scene)
            ),
            Self::NoLimit(first) => {
                let domain = scene.domain();
                let first = first.map_or_else(
                    || "no process can be chosen".to_owned(),
                    |id| format!("{} dies", name(id)),
                );
                if domain.is_machine() {
                    format!(
                        "{domain} has no limit of its own: when the machine runs out of memory, {first}"
                    )
                } else {
                    format!(
                        "{domain} has no limit of its own: at the limit of {}, {first}",
                        domain.limiting_cgroup()
                    )
                }
            }
        }
    }

    /// What happens instead, in a few words.
    #[must_use]
    pub fn brief(self, scene: &Scene) -> String {
        match self {
            Self::Panic => "panic_on_oom: the kernel would panic".to_owned(),
            Self::Waits => "oom_kill_disable: tasks would wait".to_owned(),
            Self::NoKiller => "no OOM killer: the allocating process dies".to_owned(),
            Self::AllocatingTask => {
                "oom_kill_allocating_task: the allocating process dies".to_owned()
            }
            Self::Confined => "confined to nodes: the allocating process dies".to_owned(),
            Self::Dying(id) => {
                let comm = scene.find(id).map(|process| process.comm).unwrap_or_default();
                format!("{id} {comm} is still exiting")
            }
            Self::Swapoff(Some(id)) => format!("swapoff ({id}) dies first"),
            Self::Swapoff(None) => "swapoff dies first".to_owned(),
            Self::BpfPolicy => format!("a BPF program decides{}", policy_name(scene)),
            Self::NoLimit(first) => {
                let comm = |id| scene.find(id).map(|process| process.comm).unwrap_or_default();
                let above = if scene.domain().is_machine() {
                    "when memory ends"
                } else {
                    "at the limit above"
                };
                let first = first.map(|id| format!(": {id} {} dies {above}", comm(id)));
                format!("no limit of its own{}", first.unwrap_or_default())
            }
        }
    }
}
