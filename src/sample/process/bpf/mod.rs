//! Reads all processes at once from the kernel's own task list, with a BPF program.
//!
//! The program is assembled when doomtop starts (`assembler`, `programs`, `record_writer` with
//! `memory_writer` and `thread_visits`), with the offsets of the fields from the kernel's description of
//! its types (`btf`). One call of it writes a `record` of every process into an array that is mapped here
//! (`task_table`). It opens no file and allocates nothing, so it does not stall when memory is short, and
//! it costs less than a microsecond per process. It only reads: the kernel refuses programs of these types that write anywhere but into maps.
//!
//! What the kernel offers is detected, not concluded from its version: the task iterator (6.7), or
//! `bpf_loop` over the task list (5.17). The iterators of 5.8 that are read as files are not used: they
//! allocate. Where nothing works, [`BpfUnavailable`] says why, and the processes are read from `/proc`.

mod assembler;
mod btf;
mod memory_writer;
pub mod oom_policies;
mod programs;
mod record;
mod record_writer;
pub mod task_rows;
pub mod task_table;
#[cfg(test)]
mod tests;
mod thread_visits;
mod unavailable;
mod victim_program;
pub mod victim_watch;

pub use unavailable::BpfUnavailable;
