//! Reading which userspace OOM killers are installed or running, and their options.
//!
//! One file per killer: its `comm`, the places of its program, and `read`, which finds its options.
//! A new killer is one file here, one row in `reader` and one field of
//! [`InstalledKillers`](crate::model::InstalledKillers).

mod earlyoom;
mod kubelet;
mod nohang;
mod oomd;
pub mod reader;
mod search;
mod systemd_oomd;
