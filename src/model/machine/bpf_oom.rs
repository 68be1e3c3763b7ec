//! BPF programs that decide in the place of the kernel's OOM killer.

use serde::{Deserialize, Serialize};

use crate::model::{Reading, Text};

/// An attached implementation of `struct bpf_oom_ops` (`include/linux/bpf_oom.h` of the patches that are not merged
/// in 7.3). It is asked from the cgroup of the OOM upwards, before the kernel chooses.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpfOomPolicy {
    /// Its name.
    pub name: Text,
    /// The cgroup that it is attached to, with all below; missing where that is not told: then it may be any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cgroup: Option<Text>,
}

/// Whether BPF programs may decide in the place of the kernel's OOM killer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BpfOom {
    /// Whether the kernel can be told what to do by BPF (its BTF has `bpf_oom_ops`).
    pub supported: bool,
    /// The attached ones; denied without CAP_SYS_ADMIN.
    #[serde(default, skip_serializing_if = "Reading::is_not_asked")]
    pub policies: Reading<Vec<BpfOomPolicy>>,
}

impl BpfOom {
    /// Whether it is the one of a kernel that cannot.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// The policy that decides for a cgroup (`/` for the machine), if one is attached to it or above.
    #[must_use]
    pub fn decides(
        &self,
        path: &str,
        is_within: impl Fn(&str, &str) -> bool,
    ) -> Option<&BpfOomPolicy> {
        let Reading::Value(policies) = &self.policies else { return None };
        let applies = |it: &&BpfOomPolicy| {
            it.cgroup.as_ref().is_none_or(|above| is_within(path, above.as_str()))
        };
        policies.iter().find(applies)
    }
}
