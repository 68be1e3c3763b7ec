//! The program that runs when the kernel marks a process as a victim of its OOM killer.
//!
//! Licence of this file: MIT OR Apache-2.0 OR GPL-2.0, for the reason in `record_writer.rs`.

use super::assembler::{Assembler, Helper, R0, R1, R2, R3, R6, R7, R9};
use super::btf::{Btf, NameKind};
use super::programs::{Assembled, finished};
use super::record::{RECORD_BYTES, at};
use super::record_writer::{ProgramFacts, RecordWriter, ThreadVisits};
use super::unavailable::BpfUnavailable;

/// The type of the tracepoint `oom:mark_victim`.
const TRACEPOINT: &str = "btf_trace_mark_victim";

/// What follows the record of the victim: the pid of the process that asked for memory (8 bytes; the thread
/// in the low half), the time (8 bytes, nanoseconds since boot) and the name of the thread that asked (16
/// bytes).
pub(super) mod after {
    use super::RECORD_BYTES;

    pub(crate) const ASKER: usize = RECORD_BYTES;
    pub(crate) const TIME: usize = RECORD_BYTES + 8;
    pub(crate) const ASKER_NAME: usize = RECORD_BYTES + 16;
    /// All bytes of a message.
    pub(crate) const END: usize = RECORD_BYTES + 32;
}

/// What the tracepoint hands over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum VictimArgument {
    /// The task (6.9 and later).
    Task,
    /// Only its pid.
    Pid,
}

/// The number of the tracepoint's type, and what it hands over.
pub(super) fn tracepoint(btf: &Btf) -> Result<(u32, VictimArgument), BpfUnavailable> {
    let lacks = BpfUnavailable::Lacks(TRACEPOINT, "");
    let id = btf.id(NameKind::Typedef, TRACEPOINT).ok_or(lacks)?;
    let is_pointer = btf.traced_pointer(id, 0).ok_or(lacks)?;
    Ok((id, if is_pointer { VictimArgument::Task } else { VictimArgument::Pid }))
}

/// Writes a message about the victim into the ring buffer. If that is full, it does nothing.
pub(super) fn victim_program(
    facts: ProgramFacts<'_>,
    ring: i32,
    argument: VictimArgument,
) -> Result<Assembled, BpfUnavailable> {
    let mut writer =
        RecordWriter { code: Assembler::default(), facts, threads: ThreadVisits::None };
    let [out, hidden] = std::array::from_fn(|_| writer.code.label());
    writer.code.load(R6, R1, 0, 8);
    writer.code.set_map(R1, ring);
    writer.code.set(R2, after::END as i32);
    writer.code.set(R3, 0);
    writer.code.call(Helper::RingBufferReserve);
    writer.code.jump_if_equal(R0, 0, out);
    writer.code.copy(R7, R0);
    match argument {
        VictimArgument::Task => {
            writer.code.set(R9, 0); // which the record writer saves
            writer.write(hidden)?;
        }
        VictimArgument::Pid => writer.code.store(R7, at::TGID, R6, 4),
    }
    writer.code.call(Helper::GetCurrentPidTgid);
    writer.code.store(R7, after::ASKER as i16, R0, 8);
    writer.code.call(Helper::KtimeGetBootNs);
    writer.code.store(R7, after::TIME as i16, R0, 8);
    writer.code.copy(R1, R7);
    writer.code.add(R1, after::ASKER_NAME as i32);
    writer.code.set(R2, 16);
    writer.code.call(Helper::GetCurrentComm);
    writer.code.copy(R1, R7);
    writer.code.set(R2, 0);
    writer.code.call(Helper::RingBufferSubmit);
    // Only a program for a pid namespace jumps there, and the kernel refuses what nothing reaches.
    if facts.pid_namespace.is_some() && argument == VictimArgument::Task {
        writer.code.jump(out);
        writer.code.place(hidden);
        writer.code.copy(R1, R7);
        writer.code.set(R2, 0);
        writer.code.call(Helper::RingBufferDiscard);
    }
    writer.code.place(out);
    writer.code.set(R0, 0);
    writer.code.exit();
    Ok(Assembled { instructions: finished(writer.code)?, functions: Vec::new() })
}
