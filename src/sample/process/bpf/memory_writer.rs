//! The part of the programs that writes the memory of one process.
//!
//! Licence of this file: MIT OR Apache-2.0 OR GPL-2.0, for the reason in `record_writer.rs`.

use super::assembler::{R0, R1, R2, R3, R4, R6, R7, R8, R9, STACK};
use super::btf::BtfField;
use super::record::{at, mark};
use super::record_writer::{FieldReads, RecordWriter, ThreadVisits, Written, slot};
use crate::model::Process;

/// `MMF_OOM_SKIP` of `include/linux/sched/coredump.h`; a macro, which BTF does not contain.
const MMF_OOM_SKIP: i32 = 1 << 21;
/// The four counters of resident and swapped pages: file, anonymous, swap, shared memory.
const COUNTERS: i16 = 4;

impl RecordWriter<'_> {
    /// Memory, that of the first thread that has any, as the OOM killer takes it (`find_lock_task_mm`).
    pub(super) fn write_memory(&mut self) -> Written {
        let (none, kernel_thread) = (self.code.label(), Process::PF_KTHREAD.cast_signed());
        for word in 0..(at::CPU_TIME - at::COUNTERS) / 8 {
            self.code.store_number(R7, at::COUNTERS + word * 8, 0, 8);
        }
        self.code.load(R1, R7, at::FLAGS, 4);
        self.code.jump_if_any_bit(R1, kernel_thread, none);
        let memory = self.task("mm")?;
        self.read(R8, R6, memory);
        match self.threads {
            ThreadVisits::Iterator => self.iterate_threads()?,
            ThreadVisits::Loop(body) => self.loop_over_threads(body)?,
            ThreadVisits::None => {}
        }
        self.code.jump_if_equal(R8, 0, none);
        self.cast(R8, "mm_struct")?;
        self.mark(mark::HAS_MM);
        self.write_counters()?;
        for (to, path) in [
            (at::PGTABLES, "pgtables_bytes.counter"),
            (at::TOTAL_VM, "total_vm"),
            (at::DATA_VM, "data_vm"),
            (at::LOCKED_VM, "locked_vm"),
        ] {
            let field = self.mm(path)?;
            self.copy(to, R8, field);
        }
        let flags = self.facts.field("mm_struct", &["flags.__mm_flags[0]", "flags"])?;
        self.mark_if(R8, flags, Some(MMF_OOM_SKIP), mark::OOM_SKIP);
        self.mark_vfork()?;
        self.write_sums()?;
        self.code.place(none);
        Ok(())
    }

    /// The approximate counters; the only ones up to 6.1.
    fn write_counters(&mut self) -> Written {
        const SINCE_6_2: [&str; 4] =
            ["rss_stat[0].count", "rss_stat[1].count", "rss_stat[2].count", "rss_stat[3].count"];
        const BEFORE: [&str; 4] = [
            "rss_stat.count[0].counter",
            "rss_stat.count[1].counter",
            "rss_stat.count[2].counter",
            "rss_stat.count[3].counter",
        ];
        for ((path, before), to) in SINCE_6_2.into_iter().zip(BEFORE).zip((0_i16..).step_by(8)) {
            let field = self.facts.field("mm_struct", &[path, before])?;
            self.copy(at::COUNTERS + to, R8, field);
        }
        Ok(())
    }

    /// Whether it is a vfork child that still uses the memory of its parent (`in_vfork`,
    /// `include/linux/sched/mm.h`); R8 is its memory.
    fn mark_vfork(&mut self) -> Written {
        let (done, parent) = (self.task("vfork_done")?, self.task("real_parent")?);
        let memory = self.task("mm")?;
        let no = self.code.label();
        self.read(R1, R6, done);
        self.code.jump_if_equal(R1, 0, no);
        self.code.store(STACK, slot::SAVED_R8, R8, 8);
        self.read(R8, R6, parent);
        self.read(R1, R8, memory);
        self.code.load(R8, STACK, slot::SAVED_R8, 8);
        self.code.jump_unless_same(R1, R8, no);
        self.mark(mark::VFORK);
        self.code.place(no);
        Ok(())
    }

    /// The sums over the CPUs of the four counters. R8 is the memory. The same as the counters if those
    /// have no per-CPU part.
    fn write_sums(&mut self) -> Written {
        let Ok(first) = self.mm("rss_stat[0].counters") else {
            for word in (0..COUNTERS * 8).step_by(8) {
                self.code.load(R1, R7, at::COUNTERS + word, 8);
                self.code.store(R7, at::SUMS + word, R1, 8);
            }
            return Ok(());
        };
        let step = self.mm("rss_stat[1].counters")?.offset - first.offset;
        // Any structure that starts with an int.
        let int = self.mm("mm_count")?.type_id.cast_signed();
        self.code.store(STACK, slot::SAVED_R9, R9, 8);
        for nth in 0..COUNTERS {
            self.read(R9, R8, BtfField { offset: first.offset + nth * step, ..first });
            self.code.store(STACK, slot::PER_CPU, R9, 8);
            self.code.load(R9, R7, at::COUNTERS + nth * 8, 8);
            for &cpu in self.facts.cpu_offsets {
                self.code.load(R3, STACK, slot::PER_CPU, 8);
                self.code.set_number(R4, cpu);
                self.code.add_register(R3, R4);
                self.read_int(int)?;
                self.code.shift_left(R0, 32);
                self.code.shift_right_signed(R0, 32);
                self.code.add_register(R9, R0);
            }
            self.code.store(R7, at::SUMS + nth * 8, R9, 8);
        }
        self.code.load(R9, STACK, slot::SAVED_R9, 8);
        Ok(())
    }

    /// Sets R0 to the int at the address in R3.
    fn read_int(&mut self, structure: i32) -> Written {
        if self.facts.reads == FieldReads::Cast {
            let cast = self.facts.function("bpf_rdonly_cast")?;
            self.code.copy(R1, R3);
            self.code.set(R2, structure);
            self.code.call_kernel(cast);
            self.code.load(R0, R0, 0, 4);
        } else {
            self.probe(R0, R3, 0, 4);
        }
        Ok(())
    }
}
