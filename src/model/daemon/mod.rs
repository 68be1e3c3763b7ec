//! Userspace OOM killers: which ones this machine has, and their options.
//!
//! A new killer is one file with a type that implements [`options::DaemonOptions`], and one field of
//! [`installed::InstalledKillers`].

pub(crate) mod earlyoom;
pub(crate) mod installed;
pub(crate) mod kubelet;
pub(crate) mod nohang;
pub(crate) mod oomd;
pub(crate) mod options;
pub(crate) mod systemd_oomd;
