//! What overrides a ranking, in words: who dies instead, or why nobody does.

use crate::forecast::at_limit::RankingAtLimit;
use crate::model::{Comm, ProcId, Scene, Scope};
use crate::policy::{Override, Policy, bpf_policy};

/// Who dies at the limit above a domain without one of its own, or when the machine runs out: the first first. More than
/// one: too close to call.
#[must_use]
pub fn die_above(policy: &dyn Policy, scene: &Scene) -> Vec<ProcId> {
    let above = Scope::parse(scene.domain().limiting_cgroup().as_str()).unwrap_or(Scope::Global);
    RankingAtLimit::of(policy, &scene.within(above)).candidates
}

/// What happens instead, as a sentence.
#[must_use]
pub fn sentence(off: Override, policy: &dyn Policy, scene: &Scene) -> String {
    match off {
        Override::Panic => {
            "panic_on_oom is set: an OOM panics the kernel and kills no process".to_owned()
        }
        Override::NoKiller => {
            "there is no OOM killer: the process whose allocation fails dies".to_owned()
        }
        Override::Waits => {
            "oom_kill_disable is set here: at the limit tasks wait and none is killed".to_owned()
        }
        Override::AllocatingTask => {
            "oom_kill_allocating_task is set: the process that asks for memory dies".to_owned()
        }
        Override::Confined => {
            "in an OOM confined to memory nodes, the process that asks for memory dies".to_owned()
        }
        Override::Dying(id) => format!(
            "{id} {} was killed and is still exiting: if the OOM killer chose it, no other process dies until it is gone",
            comm(id, scene)
        ),
        Override::Swapoff(Some(id)) => {
            format!("swap is being switched off by {id} {}, which dies first", comm(id, scene))
        }
        Override::Swapoff(None) => {
            "swap is being switched off: the process that does this dies first".to_owned()
        }
        Override::BpfPolicy => format!(
            "a BPF program{} chooses the victim before the kernel does: no prediction is possible",
            policy_name(scene)
        ),
        Override::NoLimit => {
            let domain = scene.domain();
            let name = |id: ProcId| format!("{id} {}", comm(id, scene));
            let who = one_of(&die_above(policy, scene), name)
                .map_or_else(|| "no process can be chosen".to_owned(), |who| format!("{who} dies"));
            if domain.is_machine() {
                format!(
                    "{domain} has no limit of its own: when the machine runs out of memory, {who}"
                )
            } else {
                format!(
                    "{domain} has no limit of its own: at the limit of {}, {who}",
                    domain.limiting_cgroup()
                )
            }
        }
    }
}

/// What happens instead, in a few words.
#[must_use]
pub fn brief(off: Override, policy: &dyn Policy, scene: &Scene) -> String {
    match off {
        Override::Panic => "panic_on_oom: the kernel would panic".to_owned(),
        Override::Waits => "oom_kill_disable: tasks would wait".to_owned(),
        Override::NoKiller => "no OOM killer: the allocating process dies".to_owned(),
        Override::AllocatingTask => {
            "oom_kill_allocating_task: the allocating process dies".to_owned()
        }
        Override::Confined => "confined to nodes: the allocating process dies".to_owned(),
        Override::Dying(id) => format!("{id} {} is still exiting", comm(id, scene)),
        Override::Swapoff(Some(id)) => format!("swapoff ({id}) dies first"),
        Override::Swapoff(None) => "swapoff dies first".to_owned(),
        Override::BpfPolicy => format!("a BPF program decides{}", policy_name(scene)),
        Override::NoLimit => {
            let above = match scene.domain().is_machine() {
                true => "when memory ends",
                false => "at the limit above",
            };
            let name = |id: ProcId| format!("{id} {}", comm(id, scene));
            let who = one_of(&die_above(policy, scene), name);
            let who = who.map(|who| format!(": {who} dies {above}"));
            format!("no limit of its own{}", who.unwrap_or_default())
        }
    }
}

/// `A`, `A or B`, `A, B or one of 3 more`; `None` without candidates.
fn one_of(candidates: &[ProcId], name: impl Fn(ProcId) -> String) -> Option<String> {
    Some(match *candidates {
        [] => return None,
        [only] => name(only),
        [first, second] => format!("{} or {}", name(first), name(second)),
        [first, second, third] => format!("{}, {} or {}", name(first), name(second), name(third)),
        [first, second, ref more @ ..] => {
            format!("{}, {} or one of {} more", name(first), name(second), more.len())
        }
    })
}

fn comm(id: ProcId, scene: &Scene) -> Comm {
    scene.find(id).map(|process| process.comm).unwrap_or_default()
}

/// ` (NAME)`, the BPF policy of the scene's domain; empty where it has no name.
fn policy_name(scene: &Scene) -> String {
    let name = bpf_policy(scene).map_or("", |policy| policy.name.as_str());
    if name.is_empty() { String::new() } else { format!(" ({name})") }
}
