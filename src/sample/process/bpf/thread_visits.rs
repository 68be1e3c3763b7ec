//! The part of the programs that visits the threads of one process.
//!
//! Licence of this file: MIT OR Apache-2.0 OR GPL-2.0, for the reason in `record_writer.rs`.

use super::assembler::{Assembler, Helper, JumpLabel, R0, R1, R2, R3, R4, R6, R7, R8, R9, STACK};
use super::record::{at, mark};
use super::record_writer::{RecordWriter, SIGKILL_PENDING, Written, slot};

/// Maximum number of threads of a process that are followed.
const THREADS_MAX: i32 = 1 << 20;
/// The flag of the task iterator for the threads of one process (`BPF_TASK_ITER_PROC_THREADS`).
const PROC_THREADS: i32 = 2;

impl RecordWriter<'_> {
    /// Adds the CPU time of the other threads, and sets R8 to the memory of the first thread that has
    /// any, with the task iterator. R8 is the memory of the main thread.
    pub(super) fn iterate_threads(&mut self) -> Written {
        let new = self.facts.function("bpf_iter_task_new")?;
        let next = self.facts.function("bpf_iter_task_next")?;
        let destroy = self.facts.function("bpf_iter_task_destroy")?;
        let acquire = self.facts.function("bpf_task_acquire")?;
        let release = self.facts.function("bpf_task_release")?;
        let (pid, tgid) = (self.task("pid")?, self.task("tgid")?);
        let (time, memory) = (self.task("se.sum_exec_runtime")?, self.task("mm")?);
        let (alone, each, end) = (self.code.label(), self.code.label(), self.code.label());
        let iterator = |code: &mut Assembler| {
            code.copy(R1, STACK);
            code.add(R1, slot::THREAD_ITERATOR.into());
        };
        self.code.load(R1, R7, at::THREADS, 4);
        self.code.jump_if_at_most(R1, 1, alone);
        // The iterator wants a task that is held, not one that is only protected by RCU.
        self.code.load(R1, STACK, slot::TASK, 8);
        self.code.call_kernel(acquire);
        self.code.jump_if_equal(R0, 0, alone);
        self.code.store(STACK, slot::HELD_TASK, R0, 8);
        iterator(&mut self.code);
        self.code.copy(R2, R0);
        self.code.set(R3, PROC_THREADS);
        self.code.call_kernel(new);
        self.code.place(each);
        iterator(&mut self.code);
        self.code.call_kernel(next);
        self.code.jump_if_equal(R0, 0, end);
        self.code.load_field(R1, R0, pid);
        self.code.load_field(R2, R0, tgid);
        self.code.jump_if_same(R1, R2, each);
        self.code.load_field(R1, R0, time);
        self.add_cpu_time();
        self.code.jump_unless_equal(R8, 0, each);
        self.code.load_field(R8, R0, memory);
        self.code.jump_if_equal(R8, 0, each);
        self.note_other_thread()?;
        self.code.jump(each);
        self.code.place(end);
        iterator(&mut self.code);
        self.code.call_kernel(destroy);
        self.code.load(R1, STACK, slot::HELD_TASK, 8);
        self.code.call_kernel(release);
        self.code.place(alone);
        Ok(())
    }

    /// Notes the state of the thread in R0, which has the memory. R0 is lost.
    fn note_other_thread(&mut self) -> Written {
        let (flags, pending) = (self.task("flags")?, self.task("pending.signal.sig[0]")?);
        let alive = self.code.label();
        self.code.load_field(R1, R0, flags);
        self.code.store(R7, at::OTHER_FLAGS, R1, 4);
        self.code.load_field(R0, R0, pending);
        self.mark(mark::OTHER_THREAD);
        self.code.and(R0, SIGKILL_PENDING);
        self.code.jump_if_equal(R0, 0, alive);
        self.mark(mark::OTHER_KILLED);
        self.code.place(alive);
        Ok(())
    }

    /// The same as [`Self::iterate_threads`] with a loop, whose body is written by
    /// [`Self::write_thread_body`].
    pub(super) fn loop_over_threads(&mut self, body: JumpLabel) -> Written {
        let (signal, head) = (self.task("signal")?, self.signal("thread_head.next")?);
        let (alone, same) = (self.code.label(), self.code.label());
        self.code.load(R1, R7, at::THREADS, 4);
        self.code.jump_if_at_most(R1, 1, alone);
        self.code.store_number(STACK, slot::CPU_TIME, 0, 8);
        self.code.store_number(STACK, slot::OTHER_FLAGS, 0, 8);
        self.code.store(STACK, slot::MEMORY, R8, 8);
        self.read(R8, R6, signal);
        self.read(R1, R8, head);
        self.code.store(STACK, slot::NEXT_THREAD, R1, 8);
        self.code.copy(R1, R8);
        self.code.add(R1, head.offset.into());
        self.code.store(STACK, slot::LIST_END, R1, 8);
        self.code.set(R1, THREADS_MAX);
        self.code.set_function(R2, body);
        self.code.copy(R3, STACK);
        self.code.add(R3, slot::NEXT_THREAD.into());
        self.code.set(R4, 0);
        self.code.call(Helper::Loop);
        self.code.load(R1, STACK, slot::CPU_TIME, 8);
        self.add_cpu_time();
        // Flags in the low half, pending signals in the high one; both 0 if the main thread has memory.
        self.code.load(R8, STACK, slot::OTHER_FLAGS, 8);
        self.code.jump_if_equal(R8, 0, same);
        self.code.store(R7, at::OTHER_FLAGS, R8, 4);
        self.mark(mark::OTHER_THREAD);
        self.code.shift_right(R8, 32);
        self.code.and(R8, SIGKILL_PENDING);
        self.code.jump_if_equal(R8, 0, same);
        self.mark(mark::OTHER_KILLED);
        self.code.place(same);
        self.code.load(R8, STACK, slot::MEMORY, 8);
        self.code.place(alone);
        Ok(())
    }

    /// The function that the loop calls for each thread. R2 is the address of `NEXT_THREAD` in the
    /// caller's stack, after which the other slots follow.
    pub(super) fn write_thread_body(&mut self, body: JumpLabel) -> Written {
        let slot = |which: i16| which - slot::NEXT_THREAD;
        let (node, pid) = (self.task("thread_node.next")?, self.task("pid")?);
        let (time, memory) = (self.task("se.sum_exec_runtime")?, self.task("mm")?);
        let (tgid, flags) = (self.task("tgid")?, self.task("flags")?);
        let pending = self.task("pending.signal.sig[0]")?;
        let (end, done) = (self.code.label(), self.code.label());
        self.code.place(body);
        self.code.copy(R9, R2);
        self.code.load(R6, R9, 0, 8);
        self.code.load(R1, R9, slot(slot::LIST_END), 8);
        self.code.jump_if_same(R1, R6, end);
        self.code.add(R6, -i32::from(node.offset));
        self.probe(R7, R6, node.offset.into(), 8);
        self.code.store(R9, slot(slot::NEXT_THREAD), R7, 8);
        self.probe(R7, R6, pid.offset.into(), 4);
        self.probe(R8, R6, tgid.offset.into(), 4);
        self.code.jump_if_same(R7, R8, done);
        self.probe(R7, R6, time.offset.into(), 8);
        self.code.load(R1, R9, slot(slot::CPU_TIME), 8);
        self.code.add_register(R1, R7);
        self.code.store(R9, slot(slot::CPU_TIME), R1, 8);
        self.code.load(R1, R9, slot(slot::MEMORY), 8);
        self.code.jump_unless_equal(R1, 0, done);
        self.probe(R7, R6, memory.offset.into(), 8);
        self.code.jump_if_equal(R7, 0, done);
        self.code.store(R9, slot(slot::MEMORY), R7, 8);
        self.probe(R7, R6, pending.offset.into(), 4);
        self.code.shift_left(R7, 32);
        self.probe(R8, R6, flags.offset.into(), 4);
        self.code.or_register(R7, R8);
        self.code.store(R9, slot(slot::OTHER_FLAGS), R7, 8);
        self.code.place(done);
        self.code.set(R0, 0);
        self.code.exit();
        self.code.place(end);
        self.code.set(R0, 1);
        self.code.exit();
        Ok(())
    }
}
