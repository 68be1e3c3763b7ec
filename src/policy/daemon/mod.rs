//! The userspace OOM killers, one file each.

pub(crate) mod bustd;
pub(crate) mod cgroup_candidates;
pub(crate) mod earlyoom;
pub(crate) mod kubelet;
pub(crate) mod lmkd;
pub(crate) mod nohang;
pub(crate) mod oomd;
pub(crate) mod pattern;
pub(crate) mod shared;
pub(crate) mod systemd_oomd;
