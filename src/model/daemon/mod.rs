//! Userspace OOM killers: which ones this machine has, and their options.

pub(crate) mod earlyoom;
pub(crate) mod installed;
pub(crate) mod nohang;
pub(crate) mod oomd;
pub(crate) mod systemd_oomd;
