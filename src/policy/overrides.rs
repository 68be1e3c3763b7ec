//! What overrides a ranking: settings and moments in which the kernel does not kill by badness, or
//! kills no process at all.

use crate::model::{ProcId, Scene};

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
}

/// Why the first of the ranking need not be the next to die.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Override {
    /// `vm.panic_on_oom`: the machine stops instead.
    Panic,
    /// `oom_kill_disable` of this version-1 cgroup: its tasks wait.
    Waits,
    /// There is no killer: whoever asks for memory dies.
    NoKiller,
    /// `vm.oom_kill_allocating_task`: whoever asks for memory dies.
    AllocatingTask,
    /// Confined to memory nodes, this kernel chooses nobody: whoever asks for memory dies.
    Confined,
    /// This process was killed already and has not gone.
    Dying(ProcId),
    /// An area of swap is being switched off: the process that does it (if it can be told) dies first.
    Swapoff(Option<ProcId>),
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
        }
    }

    /// The identifier in JSON and metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        self.kind().word()
    }

    /// Whether whoever asks for memory dies, whatever the ranking.
    #[must_use]
    pub const fn kills_allocating_task(self) -> bool {
        matches!(self, Self::NoKiller | Self::AllocatingTask | Self::Confined)
    }

    /// What happens instead, in words.
    #[must_use]
    pub fn sentence(self, scene: &Scene) -> String {
        let name = |id: ProcId| {
            let comm = scene.find(id).map(|process| process.comm).unwrap_or_default();
            format!("{id} {comm}")
        };
        match self {
            Self::Panic => "panic_on_oom: an OOM panics the kernel, nobody is chosen".to_owned(),
            Self::NoKiller => "there is no killer: whoever asks for memory then dies".to_owned(),
            Self::Waits => {
                "oom_kill_disable is set here: at the wall its tasks wait, nobody is killed"
                    .to_owned()
            }
            Self::AllocatingTask => {
                "oom_kill_allocating_task is set: whoever asks for memory then dies".to_owned()
            }
            Self::Confined => {
                "an OOM that is confined to memory nodes: whoever asks for memory then dies"
                    .to_owned()
            }
            Self::Dying(id) => format!(
                "{} was killed and is still dying: if the OOM killer chose it, nobody else dies before it is gone",
                name(id)
            ),
            Self::Swapoff(Some(id)) => {
                format!("swap is being switched off: {}, which does it, dies first", name(id))
            }
            Self::Swapoff(None) => {
                "swap is being switched off: the process that does it dies first".to_owned()
            }
        }
    }

    /// The same in a few words.
    #[must_use]
    pub fn brief(self, scene: &Scene) -> String {
        match self {
            Self::Panic => "panic_on_oom: the kernel would panic".to_owned(),
            Self::Waits => "oom_kill_disable: tasks would wait".to_owned(),
            Self::NoKiller => "no killer: whoever allocates dies".to_owned(),
            Self::AllocatingTask => "oom_kill_allocating_task: whoever allocates dies".to_owned(),
            Self::Confined => "confined to nodes: whoever allocates dies".to_owned(),
            Self::Dying(id) => {
                let comm = scene.find(id).map(|process| process.comm).unwrap_or_default();
                format!("{id} {comm} is still dying")
            }
            Self::Swapoff(Some(id)) => format!("swapoff ({id}) dies first"),
            Self::Swapoff(None) => "swapoff dies first".to_owned(),
        }
    }
}
