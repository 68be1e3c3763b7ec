//! Kubernetes' kubelet (`pkg/kubelet/eviction`): ends whole pods; first those that use more than
//! they requested, then by priority, then by how much more.
//!
//! Requests and priorities are in no file. What a container requested is read out of its
//! `oom_score_adj`, which the kubelet sets to 1000 - 1000 x request / memory of the node; priorities
//! are taken as equal.

use crate::model::{CgroupNeeds, Limit, Needs, Process, Reading, Scene, Signal};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::cgroup_candidates;
use crate::policy::daemon::cgroup_candidates::{downwards, home};
use crate::policy::daemon::conditions::ConditionState;
use crate::policy::{
    Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits, Trigger,
    TriggerState,
};
use crate::units::{Adj, Bytes, Kib, Points};

/// The killer.
#[derive(Debug)]
pub struct Kubelet;

/// The one there is.
pub static KUBELET: Kubelet = Kubelet;

/// `memory.available` below this evicts at once.
const HARD: Kib = Kib(100 * 1024);

/// Whether a cgroup's name is that of a pod: `pod<uid>`, or `kubepods-burstable-pod<uid>.slice`.
fn is_pod(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("pod") || (name.starts_with("kubepods") && name.contains("-pod"))
}

/// The cgroup of the pod that a process lives in.
fn pod(process: &Process) -> Option<&str> {
    let home = home(process)?;
    let inside = home.contains("/kubepods");
    inside.then(|| downwards(home).find(|path| is_pod(path))).flatten()
}

/// What a container asked for, by the adj of its processes; nothing where that does not tell.
fn request(adj: Adj, total: Bytes) -> Option<Bytes> {
    // Guaranteed pods and the node's own have a fixed value, best effort 1000, burstable 2 to 999.
    let share = u64::try_from(1000 - i64::from(adj.0)).ok()?;
    (adj.0 >= 2).then(|| Bytes((u128::from(total.0) * u128::from(share) / 1000) as u64))
}

impl Kubelet {
    /// What a pod uses, and what it asked for, in bytes.
    fn level(pod: &str, scene: &Scene) -> (Option<Bytes>, Option<Bytes>) {
        let now = scene.now();
        let group = now.cgroups.find(pod);
        let usage = group.and_then(|it| it.usage.value()).map(|usage| {
            usage.saturating_sub(group.and_then(|it| it.inactive_file.value()).unwrap_or_default())
        });
        let total = now.memory.total_kib.bytes();
        // Each container once: its processes share one adj.
        let adj = cgroup_candidates::adj_by_home("kubelet", scene);
        let containers = cgroup_candidates::subtree(&now.cgroups, pod)
            .filter_map(|group| adj.get(group.path.as_str()))
            // The sandbox of a pod (pause) asks for nothing.
            .filter(|adj| adj.0 != -998);
        let mut containers = containers.peekable();
        // Where nothing else is there, it is a guaranteed pod of an older kubelet.
        let mut asked = containers.peek().map(|_| Bytes::ZERO);
        for &adj in containers {
            asked = asked.zip(request(adj, total)).map(|(sum, more)| sum + more);
        }
        // A guaranteed pod asked for its limit.
        let limit = || group?.limit.value().and_then(Limit::bytes);
        (usage, asked.or_else(limit))
    }

    /// What a pod comes to.
    fn worth(pod: &str, scene: &Scene) -> Result<Badness, SparedReason> {
        let (Some(usage), asked) = Self::level(pod, scene) else {
            return Err(SparedReason::Unreadable);
        };
        let page = scene.machine().page_size;
        let badness = Badness::default().plus(
            "memory of its pod",
            usage.pages(page).points(),
            TermNote::Fact,
        );
        let (asked, note) = match asked {
            Some(asked) => (asked.pages(page).points(), TermNote::Fact),
            None => (Points(0), TermNote::Unread),
        };
        let badness = badness.plus("requested", -asked, note);
        let exceeds = i8::from(badness.points > Points(0));
        Ok(badness.of_class(exceeds))
    }
}

static INFO: PolicyInfo = PolicyInfo {
    id: "kubelet",
    title: "Kubernetes eviction",
    about: "Whole pods: first those that use more than they requested, then by how much more. What was \
         requested is read out of oom_score_adj (1000 - 1000 x request / memory of the node), or is the \
         limit of a guaranteed pod; priorities are in no file and are taken as equal. Evicts when less \
         than 100 MiB are available.",
    cites: &[
        Cite {
            place: "kubernetes pkg/kubelet/eviction/helpers.go rankMemoryPressure()",
            at: "1.36",
        },
        Cite {
            place: "kubernetes pkg/kubelet/qos/policy.go GetContainerOOMScoreAdjust()",
            at: "1.36",
        },
    ],
    unit: BadnessUnit::Pages,
    kind: PolicyKind::Daemon,
};

impl Policy for Kubelet {
    fn info(&self) -> &PolicyInfo {
        &INFO
    }

    fn needs(&self) -> Needs {
        Needs { status: true, cgroup: true, cgroups: CgroupNeeds::Everything, ..Needs::default() }
    }

    fn traits(&self, _: &Scene) -> PolicyTraits {
        PolicyTraits { kill_scope: KillScope::Cgroup, ..PolicyTraits::default() }
    }

    fn trigger_state(&self, scene: &Scene) -> TriggerState {
        let memory = &scene.now().memory;
        let mut stand = ConditionState::assumed();
        match memory.available_kib {
            Reading::Value(available) => {
                stand.waits(Trigger {
                    what: "memory.available",
                    now: format!("{} MiB", available.0 / 1024),
                    wants: "< 100 MiB".to_owned(),
                    met: Some(available < HARD),
                });
                stand.note("MemAvailable stands for capacity less the working set");
            }
            _ => stand.held("MemAvailable cannot be read"),
        }
        match cgroup_candidates::leader(self, scene).and_then(pod) {
            Some(path) => stand.note(format!("first would be {path}")),
            None => stand.held("no pod can be seen here"),
        }
        stand.armed()
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        let Some(pod) = pod(process) else { return Verdict::Spared(SparedReason::NoCandidate) };
        match cgroup_candidates::once("kubelet", pod, scene, || Self::worth(pod, scene)) {
            Ok(badness) => Verdict::Scored(badness),
            Err(reason) => Verdict::Spared(reason),
        }
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        pod(victim).map_or_else(Vec::new, |pod| cgroup_candidates::inhabitants(pod, victim, scene))
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction { signal: Signal::KILL, why: "a hard eviction: the whole pod, without grace" }
    }
}
