//! The domain of an OOM: a set of processes, and the total by which adj is scaled.

use std::fmt;
use std::sync::Arc;

use crate::model::{
    Cgroups, Hierarchy, Machine, NodeSet, Process, Reading, Snapshot, Text, is_within,
};
use crate::units::Pages;

/// The domain that the user asked for.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Inside a container with a limit of its own, that limit; otherwise the whole machine.
    #[default]
    Auto,
    /// The whole machine.
    Global,
    /// A memory cgroup and everything below it.
    Memcg(Arc<Text>),
    /// NUMA nodes: an OOM of allocations that a cpuset confines to them.
    Nodes(NodeSet),
}

impl Scope {
    /// The name of the whole machine.
    pub const GLOBAL: &'static str = "global";

    /// A scope by the name that `--scope` takes: `auto`, `global`, `nodes:0-1`, or the path of a
    /// memory cgroup as `/proc/PID/cgroup` prints it. `None` for any other name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "auto" => Some(Self::Auto),
            Self::GLOBAL => Some(Self::Global),
            path if path.starts_with('/') => {
                let path = path.trim_end_matches('/');
                let path = if path.is_empty() { "/" } else { path };
                // A path that was copied from the screen may contain escapes.
                Some(Self::Memcg(Arc::new(Text::new(&crate::model::unescape(path)))))
            }
            name => NodeSet::parse(name.strip_prefix("nodes:")?).map(Self::Nodes),
        }
    }
}

/// The kind of a domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DomainKind {
    /// The whole machine.
    Global,
    /// A memory cgroup with a limit of its own.
    Memcg(Hierarchy),
    /// A set of NUMA nodes.
    Nodes(NodeSet),
    /// A memory cgroup without a limit of its own. Its processes are judged by the total of the
    /// domain in [`Domain::weighed_by`].
    Part,
    /// A memory cgroup or nodes that do not exist (any more).
    Gone,
}

/// A set of processes among which an OOM chooses, and the total by which it scales adj.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Domain {
    /// `global`, `nodes:0-1`, or the path of a cgroup.
    pub name: Arc<Text>,
    /// The kind of the domain.
    pub kind: DomainKind,
    /// The total by which adj is scaled.
    pub pages: Pages,
    /// The domain whose total that is, if it is not this one.
    pub weighed_by: Option<Arc<Text>>,
}

impl Domain {
    /// The domain of the whole machine.
    #[must_use]
    pub fn global(now: &Snapshot) -> Self {
        Self {
            name: Arc::new(Text::new(Scope::GLOBAL.as_bytes())),
            kind: DomainKind::Global,
            pages: now.total(),
            weighed_by: None,
        }
    }

    /// The domain of a scope in a snapshot.
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

    /// The total is all swap and the present pages of the nodes (`mm/oom_kill.c`
    /// `constrained_alloc`).
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

    /// Whether this is the whole machine.
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.kind == DomainKind::Global
    }

    /// The domain in which the OOM happens: this one, or the one that limits it.
    #[must_use]
    pub fn limiting_cgroup(&self) -> &Arc<Text> {
        self.weighed_by.as_ref().unwrap_or(&self.name)
    }

    /// Whether the OOM is one of the whole machine.
    #[must_use]
    pub fn is_machine(&self) -> bool {
        match self.kind {
            DomainKind::Global => true,
            DomainKind::Part => self.limiting_cgroup().as_str() == Scope::GLOBAL,
            DomainKind::Memcg(_) | DomainKind::Nodes(_) | DomainKind::Gone => false,
        }
    }

    /// Whether the OOM is one of a memory cgroup. The order of equal processes inside a cgroup is
    /// not visible, and neither NUMA nodes nor `vm.oom_kill_allocating_task` count there.
    #[must_use]
    pub fn is_memcg(&self) -> bool {
        match self.kind {
            DomainKind::Memcg(_) => true,
            DomainKind::Part => !self.is_machine(),
            DomainKind::Global | DomainKind::Nodes(_) | DomainKind::Gone => false,
        }
    }

    /// Whether a process belongs to the domain. A process whose cgroup is not known (gone, or
    /// hidden) does not.
    #[must_use]
    pub fn contains(&self, process: &Process) -> bool {
        match self.kind {
            DomainKind::Global => return true,
            // A process whose nodes could not be read may belong to it.
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

/// The cgroup of the container in which doomtop runs, if it has a limit: in a pid namespace of its
/// own, the topmost cgroup that is visible. On the machine itself, that is the root, which has no
/// limit.
fn own_container<'a>(machine: &Machine, cgroups: &'a Cgroups) -> Option<&'a Arc<Text>> {
    let top = cgroups.top().filter(|_| !machine.initial_pid_namespace)?;
    top.is_limited().then_some(&top.path)
}
