//! Kubernetes' kubelet (`pkg/kubelet/eviction`): evicts whole pods, first those that use more than they
//! requested, then by priority, then by the excess over the request.
//!
//! Requests and priorities are in no file. The request of a container is derived from its
//! `oom_score_adj`, which the kubelet sets to 1000 - 1000 x request / memory of the node. Priorities count
//! as equal.

use crate::model::{
    CgroupNeeds, KillerOptions, KillerPresence, KubeletOptions as Options, Limit, Needs, Process,
    Reading, Scene, Signal, ThresholdAmount,
};
use crate::policy::badness::{Badness, BadnessUnit, SparedReason, TermNote, Verdict};
use crate::policy::daemon::cgroup_candidates;
use crate::policy::daemon::cgroup_candidates::{cgroup_of, path_from_root};
use crate::policy::daemon::shared::{ConditionState, available, worded};
use crate::policy::{
    Cite, Drift, KillScope, Policy, PolicyAction, PolicyInfo, PolicyKind, PolicyTraits,
    TriggerLevel, TriggerRule, TriggerSide, TriggerState,
};
use crate::units::{Adj, Bytes, Millis, Points};

/// The killer.
#[derive(Debug)]
pub struct Kubelet;

/// The policy.
pub static KUBELET: Kubelet = Kubelet;

/// Whether a cgroup is a pod by its name: `pod<uid>`, or `kubepods-burstable-pod<uid>.slice`.
fn is_pod(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    name.starts_with("pod") || (name.starts_with("kubepods") && name.contains("-pod"))
}

/// The cgroup of the pod of a process.
fn pod(process: &Process) -> Option<&str> {
    let cgroup = cgroup_of(process)?;
    let inside = cgroup.contains("/kubepods");
    inside.then(|| path_from_root(cgroup).find(|path| is_pod(path))).flatten()
}

/// The memory request of a container, from the adj of its processes; `None` where adj does not show it.
fn request(adj: Adj, total: Bytes) -> Option<Bytes> {
    // Guaranteed and node-critical pods have a fixed value, best-effort pods 1000, burstable 2 to 999.
    let share = u64::try_from(1000 - i64::from(adj.0)).ok()?;
    (adj.0 >= 2).then(|| Bytes((u128::from(total.0) * u128::from(share) / 1000) as u64))
}

fn configured(scene: &Scene) -> &KillerOptions<Options> {
    &scene.now().killers.kubelet
}

/// The rules of the soft and of the hard eviction, as far as they are set.
fn rules(scene: &Scene) -> Vec<TriggerRule> {
    let options = &configured(scene).options;
    let memory = &scene.now().memory;
    let total = memory.total_kib.0 as f64;
    let rule = |signal, limit, seconds: f64| {
        let (acts_at, whole) = match limit {
            ThresholdAmount::Percent(percent) => (total * percent / 100.0, Some(total)),
            ThresholdAmount::Kib(kib) => (kib.0 as f64, None),
        };
        let level = available(memory, total, acts_at, TriggerSide::Below);
        let lasting = Millis((seconds * 1000.0) as u64);
        TriggerRule {
            signal,
            levels: vec![TriggerLevel { whole, ..level }],
            lasting,
            pause: Millis::ZERO,
        }
    };
    let soft = options.soft.map(|limit| rule(Signal::TERM, limit, options.soft_seconds));
    let hard = options.hard.map(|limit| rule(Signal::KILL, limit, 0.0));
    soft.into_iter().chain(hard).collect()
}

impl Kubelet {
    /// The usage and the request of a pod.
    fn usage_and_request(pod: &str, scene: &Scene) -> (Option<Bytes>, Option<Bytes>) {
        let now = scene.now();
        let group = now.cgroups.find(pod);
        let usage = group.and_then(|it| it.usage.value()).map(|usage| {
            usage.saturating_sub(group.and_then(|it| it.inactive_file.value()).unwrap_or_default())
        });
        let total = now.memory.total_kib.bytes();
        // All processes of a container have the same adj, so each container counts once.
        let adj = cgroup_candidates::adj_by_cgroup("kubelet", scene);
        let containers = cgroup_candidates::subtree(&now.cgroups, pod)
            .filter_map(|group| adj.get(group.path.as_str()))
            // The sandbox of a pod (pause) requests nothing.
            .filter(|adj| adj.0 != -998);
        let mut containers = containers.peekable();
        // Without other containers it is a guaranteed pod of an older kubelet.
        let mut requested = containers.peek().map(|_| Bytes::ZERO);
        for &adj in containers {
            requested = requested.zip(request(adj, total)).map(|(sum, more)| sum + more);
        }
        // The request of a guaranteed pod is its limit.
        let limit = || group?.limit.value().and_then(Limit::bytes);
        (usage, requested.or_else(limit))
    }

    /// The badness of a pod.
    fn pod_badness(pod: &str, scene: &Scene) -> Result<Badness, SparedReason> {
        let (Some(usage), requested) = Self::usage_and_request(pod, scene) else {
            return Err(SparedReason::Unreadable);
        };
        let page = scene.machine().page_size;
        let badness = Badness::default().plus(
            "memory of its pod",
            usage.pages(page).points(),
            TermNote::Fact,
        );
        let (requested, note) = match requested {
            Some(requested) => (requested.pages(page).points(), TermNote::Fact),
            None => (Points(0), TermNote::Unread),
        };
        let badness = badness.plus("requested", -requested, note);
        let exceeds = i8::from(badness.points > Points(0));
        Ok(badness.of_class(exceeds))
    }
}

static INFO: PolicyInfo = PolicyInfo {
    id: "kubelet",
    title: "Kubernetes eviction",
    about: "Evicts whole pods: first those that use more than they requested, then by the \
            excess. The request is derived from oom_score_adj (1000 - 1000 x request / memory \
            of the node), or is the limit of a guaranteed pod. Priorities are in no file and \
            count as equal. Evicts when less than 100 MiB are available.",
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
        let configured = configured(scene);
        let mut state = ConditionState::of(configured);
        let rules = rules(scene);
        match memory.available_kib {
            Reading::Value(_) => {
                if let Some(first) = rules.first() {
                    for level in &first.levels {
                        state.condition(worded("memory.available", level));
                    }
                    if first.lasting > Millis::ZERO {
                        state.note(format!("this must last {} s", configured.options.soft_seconds));
                    }
                }
                state.note("MemAvailable is used for capacity minus working set");
            }
            _ => state.obstacle("MemAvailable cannot be read"),
        }
        if rules.is_empty() {
            state.obstacle("its configuration sets no threshold of memory");
        }
        match cgroup_candidates::leader(self, scene).and_then(pod) {
            Some(path) => state.note(format!("first: {path}")),
            None => state.obstacle("no pod is visible here"),
        }
        state.finish()
    }

    fn acts_here(&self, scene: &Scene) -> bool {
        matches!(configured(scene).found, KillerPresence::Running(_))
    }

    fn trigger_rules(&self, scene: &Scene) -> Vec<TriggerRule> {
        rules(scene)
    }

    fn judge(&self, process: &Process, scene: &Scene) -> Verdict {
        if process.is_kernel_thread() {
            return Verdict::Spared(SparedReason::Kernel);
        }
        let Some(pod) = pod(process) else { return Verdict::Spared(SparedReason::NoCandidate) };
        match cgroup_candidates::badness_once("kubelet", pod, scene, || {
            Self::pod_badness(pod, scene)
        }) {
            Ok(badness) => Verdict::Scored(badness),
            Err(reason) => Verdict::Spared(reason),
        }
    }

    fn drift(&self, _: &Process, _: &Scene) -> Drift {
        Drift::default()
    }

    fn also_killed<'a>(&self, victim: &Process, scene: &'a Scene) -> Vec<&'a Process> {
        pod(victim).map_or_else(Vec::new, |pod| cgroup_candidates::members(pod, victim, scene))
    }

    fn action(&self, _: &Process) -> PolicyAction {
        PolicyAction {
            signal: Signal::KILL,
            why: "a hard eviction: the whole pod, without a grace period",
        }
    }
}
