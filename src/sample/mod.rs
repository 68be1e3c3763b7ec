//! Reads `/proc` and cgroupfs into the facts of [`crate::model`]. Says what is there, not what it
//! means.
//!
//! The hot path ([`process::walk`], [`process::open_files`]) has its own byte parsers ([`parse`]) and
//! allocates nothing once warm. The few system-wide files go through the parsers of the `procfs`
//! crate. Everything is opened relative to one directory descriptor ([`proc_root`]), so the same code
//! reads a test folder and the real `/proc`. What may block ([`process::lookup`],
//! [`process::detail`]) is separate, for a thread of its own.
//!
//! Lowest first: `parse`; the files of this folder; `cgroup`; `process`; `machine`; `daemon`. A file
//! imports only from those before it.

pub(crate) mod absence;
pub mod cgroup;
pub mod daemon;
pub(crate) mod file_buffer;
pub mod machine;
pub(crate) mod open_file;
pub mod parse;
pub mod proc_root;
pub mod process;
pub(crate) mod regular_file;
mod unreadable;

pub use unreadable::Unreadable;
