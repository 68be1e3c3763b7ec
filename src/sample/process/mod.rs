//! Reading processes: the walk over `/proc`, the row of each, and details on demand.

pub mod bpf;
mod cpu_clock;
pub mod detail;
pub mod exe_cwd_environ;
mod idle_processes;
pub(crate) mod living_thread;
pub mod lookup;
pub mod open_files;
pub(crate) mod row;
pub(crate) mod row_list;
pub mod row_lookup;
pub(crate) mod stall_proof_reader;
pub mod unit;
pub mod walk;
pub mod walk_request;
