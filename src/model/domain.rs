//! What an OOM is confined to: a set of processes, and the memory that adj is weighed by.

use std::fmt;
use std::sync::Arc;

use crate::model::{
    Cgroups, Hierarchy, Machine, NodeSet, Process, Reading, Snapshot, Text, is_within,
};
use crate::units::Pages;

/// The domain that the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Whichever matters here: the container's own limit inside a container that has one, else the
    /// whole machine.
    #[default]
    Auto,
    /// The whole machine.
    Global,
    /// A memory cgroup and everything below it.
    Memcg(Arc<Text>),
    /// Memory nodes: an OOM of allocations that a cpuset confines to them.
    Nodes(NodeSet),
}

impl Scope {
    /// The word for the whole machine.
    pub const GLOBAL: &'static str = "global";

    /// A scope by the name that `--scope` takes: `auto`, `global`, the path of a memory cgroup as
    /// `/proc/PID/cgroup` prints it, or `nodes:0-1`.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            Self::GLOBAL => Some(Self::Global),
            path if path.starts_with('/') => {
                let path = path.trim_end_matches('/');
                let path = if path.is_empty() { "/" } else { path };
                // A name that was copied from the screen may hold escapes already.
                Some(Self::Memcg(Arc::new(Text::new(&crate::model::unescape(path)))))
            }
            name => NodeSet::parse(name.strip_prefix("nodes:")?).map(Self::Nodes),
        }
    }
}

/// Of which kind a domain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainKind {
    /// The whole machine.
    Global,
    /// A memory cgroup with a limit of its own.
    Memcg(Hierarchy),
    /// A set of memory nodes.
    Nodes(NodeSet),
    /// A memory cgroup without one: its processes are weighed, as they would be, by the domain named
    /// in [`Domain::weighed_by`].
    Part,
    /// A memory cgroup or nodes that are not there (any more).
    Gone,
}

/// What an OOM is confined to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// `global`, or the cgroup's path.
    pub name: Arc<Text>,
    /// Of which kind.
    pub kind: DomainKind,
    /// What adj is weighed by.
    pub pages: Pages,
    /// Whose total that is, where it is not the domain's own.
    pub weighed_by: Option<Arc<Text>>,
}

impl Domain {
    /// The whole machine.
    #[must_use]
    pub fn global(now: &Snapshot) -> Self {
        Self {
            name: Arc::new(Text::new(Scope::GLOBAL.as_bytes())),
            kind: DomainKind::Global,
            pages: now.total(),
            weighed_by: None,
        }
    }

    /// The domain that a scope means in this look.
    #[must_use]
    pub fn of(scope: &Scope, now: &Snapshot) -> Self {
        match scope {
            Scope::Global => Self::global(now),
            Scope::Memcg(path) => Self::memcg(path, now),
            Scope::Nodes(nodes) => Self::nodes(*nodes, now),
            Scope::Auto => match own_container(&now.machine, &now.cgroups) {
                Some(path) => Self::memcg(path, now),
                None => Self::global(now),
            },
        }
    }

    /// Total: all swap, and what is present on the nodes (`mm/oom_kill.c` `constrained_alloc`).
    fn nodes(nodes: NodeSet, now: &Snapshot) -> Self {
        let meant = now.machine.nodes.iter().filter(|node| nodes.has(node.id));
        let present = meant.fold(Pages::ZERO, |sum, node| sum + node.present);
        let kind = if present == Pages::ZERO { DomainKind::Gone } else { DomainKind::Nodes(nodes) };
        Self {
            name: Arc::new(Text::new(format!("nodes:{nodes}").as_bytes())),
            kind,
            pages: present + now.swap.lasting().pages(now.machine.page_size),
            weighed_by: None,
        }
    }

    fn memcg(path: &Arc<Text>, now: &Snapshot) -> Self {
        let cgroups = &now.cgroups;
        let page = now.machine.page_size;
        let swap = now.swap.lasting().pages(page);
        let total = cgroups.upwards(path.as_str()).find_map(|group| {
            Some((&group.path, group.total(swap, now.sysctls.swappiness, page)?))
        });
        let hierarchy = cgroups.hierarchy.value().unwrap_or(Hierarchy::V2);
        let here = cgroups.find(path.as_str()).is_some();
        let (kind, pages, weighed_by) = match total {
            _ if !here => (DomainKind::Gone, now.total(), None),
            Some((limited, pages)) if limited == path => {
                (DomainKind::Memcg(hierarchy), pages, None)
            }
            Some((limited, pages)) => (DomainKind::Part, pages, Some(Arc::clone(limited))),
            None => {
                let global = Self::global(now);
                (DomainKind::Part, global.pages, Some(global.name))
            }
        };
        Self { name: Arc::clone(path), kind, pages, weighed_by }
    }

    /// Whether the whole machine is meant.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.kind == DomainKind::Global
    }

    /// The domain whose OOM this is: itself, or the one that it is a part of.
    #[must_use]
    pub fn limiting_cgroup(&self) -> &Arc<Text> {
        self.weighed_by.as_ref().unwrap_or(&self.name)
    }

    /// Whether an OOM of it is one of the whole machine.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        match self.kind {
            DomainKind::Global => true,
            DomainKind::Part => self.limiting_cgroup().as_str() == Scope::GLOBAL,
            DomainKind::Memcg(_) | DomainKind::Nodes(_) | DomainKind::Gone => false,
        }
    }

    /// Whether an OOM of it is one of a memory cgroup: the order of equals inside one cannot be seen,
    /// and neither nodes nor the allocating task count.
    #[must_use]
    pub fn is_memcg(&self) -> bool {
        match self.kind {
            DomainKind::Memcg(_) => true,
            DomainKind::Part => !self.is_machine(),
            DomainKind::Global | DomainKind::Nodes(_) | DomainKind::Gone => false,
        }
    }

    /// Whether a process belongs to it. Who is where is not always known (the process is gone, or
    /// hidden): then it does not.
    #[must_use]
    pub fn contains(&self, process: &Process) -> bool {
        match self.kind {
            DomainKind::Global => return true,
            // One that could not be read may well be among them.
            DomainKind::Nodes(nodes) => {
                return process.nodes.value().is_none_or(|allowed| allowed.intersects(nodes));
            }
            DomainKind::Memcg(_) | DomainKind::Part | DomainKind::Gone => {}
        }
        match &process.cgroup {
            Reading::Value(path) => is_within(path.as_str(), self.name.as_str()),
            _ => false,
        }
    }
}

impl fmt::Display for Domain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.name.fmt(f)
    }
}

/// The limit that a container lives under: inside a pid namespace of its own, the cgroup that is seen
/// above all others, if it has a wall. On the machine itself that is the root, which has none.
fn own_container<'a>(machine: &Machine, cgroups: &'a Cgroups) -> Option<&'a Arc<Text>> {
    let top = cgroups.top().filter(|_| !machine.initial_pid_namespace)?;
    top.is_limited().then_some(&top.path)
}
