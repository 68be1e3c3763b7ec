//! The part of the programs that writes the record of one process.
//!
//! Licence of this file: MIT OR Apache-2.0 OR GPL-2.0. The programs are handed to the kernel with the
//! licence string "Dual MIT/GPL", which their helper functions need (`gpl_only` in `bpf_trace.c`).

use super::assembler::{Assembler, Helper, JumpLabel, R0, R1, R2, R3, R6, R7, R8, Register, STACK};
use super::btf::{Btf, BtfField, NameKind};
use super::record::{at, mark};
use super::unavailable::BpfUnavailable;

/// SIGKILL in a set of pending signals.
pub(super) const SIGKILL_PENDING: i32 = 1 << 8;

/// Where values are kept on the stack of a program.
pub(super) mod slot {
    /// What a helper function wrote; 8 bytes.
    pub(crate) const SCRATCH: i16 = -8;
    /// The iterator of threads; 24 bytes.
    pub(crate) const THREAD_ITERATOR: i16 = -48;
    /// Number of an element of a map; 4 bytes.
    pub(crate) const KEY: i16 = -56;
    /// Argument of the function that is called for each process.
    pub(crate) const LOOP_ARGUMENT: i16 = -64;
    /// The task that is held while its threads are visited.
    pub(crate) const HELD_TASK: i16 = -72;
    /// Flags of the thread that has the memory; in the loop over threads.
    pub(crate) const OTHER_FLAGS: i16 = -80;
    /// R9, while sums are computed.
    pub(crate) const SAVED_R9: i16 = -80;
    /// Memory of the first thread that has any; in the loop over threads.
    pub(crate) const MEMORY: i16 = -88;
    /// Address of the per-CPU part of a counter.
    pub(crate) const PER_CPU: i16 = -88;
    /// CPU time; in the loop over threads.
    pub(crate) const CPU_TIME: i16 = -96;
    /// R8, for a moment.
    pub(crate) const SAVED_R8: i16 = -96;
    /// The end of the list of threads.
    pub(crate) const LIST_END: i16 = -104;
    /// The task, as the iterator returned it.
    pub(crate) const TASK: i16 = -104;
    /// The next thread; the start of what the loop over threads gets.
    pub(crate) const NEXT_THREAD: i16 = -112;
    /// The process, in the loop over processes.
    pub(crate) const PROCESS: i16 = -120;
    /// The iterator of processes; 24 bytes.
    pub(crate) const PROCESS_ITERATOR: i16 = -136;
}

/// How the programs read memory of the kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FieldReads {
    /// By a pointer that the kernel lets programs read through (`bpf_rdonly_cast`, 6.2).
    Cast,
    /// By a helper function (`bpf_probe_read_kernel`).
    Helper,
}

/// How the threads of a process are visited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ThreadVisits {
    /// With the task iterator.
    Iterator,
    /// With a loop, whose body starts at this label.
    Loop(JumpLabel),
    /// Not at all: the CPU time lacks that of living threads.
    None,
}

/// A pid namespace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PidNamespace {
    /// Number of namespaces around it.
    pub(super) level: u32,
    /// Address of its `struct pid_namespace`.
    pub(super) address: u64,
}

/// What the programs are made for.
#[derive(Clone, Copy, Debug)]
pub(super) struct ProgramFacts<'a> {
    pub(super) btf: &'a Btf,
    pub(super) reads: FieldReads,
    /// Where the variables of each CPU are, relative to their address; empty if counters have no per-CPU
    /// part.
    pub(super) cpu_offsets: &'a [u64],
    /// Whether the memory controller has a hierarchy of its own (version 1).
    pub(super) memory_hierarchy: bool,
    /// The pid namespace, unless it is the initial one.
    pub(super) pid_namespace: Option<PidNamespace>,
}

impl ProgramFacts<'_> {
    /// The first of these fields that the kernel has.
    pub(super) fn field(
        &self,
        structure: &'static str,
        paths: &[&'static str],
    ) -> Result<BtfField, BpfUnavailable> {
        paths
            .iter()
            .find_map(|path| self.btf.field(structure, path))
            .ok_or(BpfUnavailable::Lacks(structure, paths.first().unwrap_or(&"")))
    }

    /// The number of a kernel function that programs may call.
    pub(super) fn function(&self, name: &'static str) -> Result<u32, BpfUnavailable> {
        self.btf.id(NameKind::Function, name).ok_or(BpfUnavailable::Lacks(name, ""))
    }
}

/// Writes instructions that fill a record. R6 is the task, R7 the record, R8 is used, R9 is kept.
pub(super) struct RecordWriter<'a> {
    pub(super) code: Assembler,
    pub(super) facts: ProgramFacts<'a>,
    pub(super) threads: ThreadVisits,
}

/// Written instructions, or what the kernel lacks for them.
pub(super) type Written = Result<(), BpfUnavailable>;

impl RecordWriter<'_> {
    pub(super) fn task(&self, path: &'static str) -> Result<BtfField, BpfUnavailable> {
        self.facts.field("task_struct", &[path])
    }

    pub(super) fn signal(&self, path: &'static str) -> Result<BtfField, BpfUnavailable> {
        self.facts.field("signal_struct", &[path])
    }

    pub(super) fn mm(&self, path: &'static str) -> Result<BtfField, BpfUnavailable> {
        self.facts.field("mm_struct", &[path])
    }

    /// Sets R1 to the address of the scratch slot, and reads `size` bytes at `base + offset` into it with
    /// the helper function. R0 to R5 are lost.
    pub(super) fn probe(&mut self, to: Register, base: Register, offset: i32, size: i32) {
        self.code.copy(R3, base);
        self.code.add(R3, offset);
        self.code.store_number(STACK, slot::SCRATCH, 0, 8);
        self.code.copy(R1, STACK);
        self.code.add(R1, slot::SCRATCH.into());
        self.code.set(R2, size);
        self.code.call(Helper::ProbeReadKernel);
        self.code.load(to, STACK, slot::SCRATCH, 8);
    }

    /// Sets `to` to a field of at most 8 bytes. R0 to R5 may be lost.
    pub(super) fn read(&mut self, to: Register, base: Register, field: BtfField) {
        match self.facts.reads {
            FieldReads::Cast => self.code.load_field(to, base, field),
            FieldReads::Helper => {
                let size = field.size.min(8).cast_signed();
                self.probe(to, base, field.offset.into(), size);
            }
        }
    }

    /// Copies a field into the record. R0 to R5 may be lost.
    pub(super) fn copy(&mut self, to: i16, base: Register, field: BtfField) {
        if self.facts.reads == FieldReads::Helper {
            self.code.copy(R3, base);
            self.code.add(R3, field.offset.into());
            self.code.copy(R1, R7);
            self.code.add(R1, to.into());
            self.code.set(R2, field.size.cast_signed());
            self.code.call(Helper::ProbeReadKernel);
            return;
        }
        let mut done: i16 = 0;
        while u32::from(done.unsigned_abs()) < field.size {
            let size = (field.size - u32::from(done.unsigned_abs())).min(8);
            self.code.load(R1, base, field.offset + done, size);
            self.code.store(R7, to + done, R1, size);
            done += 8;
        }
    }

    /// Turns an address into a pointer that fields may be read through.
    pub(super) fn cast(&mut self, register: Register, structure: &'static str) -> Written {
        if self.facts.reads == FieldReads::Helper {
            return Ok(());
        }
        let id = self.facts.btf.id(NameKind::Struct, structure);
        let id = id.ok_or(BpfUnavailable::Lacks(structure, ""))?;
        let cast = self.facts.function("bpf_rdonly_cast")?;
        self.code.copy(R1, register);
        self.code.set(R2, id.cast_signed());
        self.code.call_kernel(cast);
        self.code.copy(register, R0);
        Ok(())
    }

    /// Sets a mark.
    pub(super) fn mark(&mut self, mark: u32) {
        self.code.load(R1, R7, at::MARKS, 4);
        self.code.or(R1, mark.cast_signed());
        self.code.store(R7, at::MARKS, R1, 4);
    }

    /// Sets a mark if any of these bits of a field is set.
    pub(super) fn mark_if(
        &mut self,
        base: Register,
        field: BtfField,
        bits: Option<i32>,
        mark: u32,
    ) {
        let unset = self.code.label();
        self.read(R1, base, field);
        if let Some(bits) = bits {
            self.code.and(R1, bits);
        }
        self.code.jump_if_equal(R1, 0, unset);
        self.mark(mark);
        self.code.place(unset);
    }

    /// Adds R1 to the CPU time in the record.
    pub(super) fn add_cpu_time(&mut self) {
        self.code.load(R2, R7, at::CPU_TIME, 8);
        self.code.add_register(R2, R1);
        self.code.store(R7, at::CPU_TIME, R2, 8);
    }

    /// Writes the number that the `struct pid` in R8 has in our pid namespace; 0 if it has none.
    fn pid_number(&mut self, to: i16) -> Written {
        let of_upid = |path| self.facts.field("upid", &[path]);
        let of_pid = |path| self.facts.field("pid", &[path]);
        let (number, namespace) = (of_upid("nr")?, of_upid("ns")?);
        let (numbers, level) = (of_pid("numbers")?, of_pid("level")?);
        let none = self.code.label();
        self.code.store_number(R7, to, 0, 4);
        self.code.jump_if_equal(R8, 0, none);
        match self.facts.pid_namespace {
            None => {
                self.copy(to, R8, BtfField { offset: numbers.offset + number.offset, ..number });
            }
            Some(own) => {
                // An element of `numbers` for each level; beyond the array's declared length.
                let level_number = i32::try_from(own.level).unwrap_or(i32::MAX);
                let element = i32::from(numbers.offset) + level_number.saturating_mul(16);
                self.read(R1, R8, level);
                self.code.jump_if_below(R1, level_number, none);
                self.probe(R1, R8, element + i32::from(namespace.offset), 8);
                self.code.set_number(R2, own.address);
                self.code.jump_unless_same(R1, R2, none);
                self.probe(R1, R8, element + i32::from(number.offset), 4);
                self.code.store(R7, to, R1, 4);
            }
        }
        self.code.place(none);
        Ok(())
    }

    /// Writes the record; jumps to `hidden` if the process is not in our pid namespace.
    pub(super) fn write(&mut self, hidden: JumpLabel) -> Written {
        self.code.store_number(R7, at::MARKS, 0, 4);
        self.write_pid(hidden)?;
        self.write_task()?;
        self.write_memory_policy()?;
        self.write_credentials()?;
        self.write_parent()?;
        self.write_signal()?;
        self.write_terminal()?;
        self.write_cgroup()?;
        self.write_memory()
    }

    fn write_pid(&mut self, hidden: JumpLabel) -> Written {
        if self.facts.pid_namespace.is_none() {
            let tgid = self.task("tgid")?;
            self.copy(at::TGID, R6, tgid);
            return Ok(());
        }
        let pid = self.task("thread_pid")?;
        self.read(R8, R6, pid);
        self.pid_number(at::TGID)?;
        self.code.load(R1, R7, at::TGID, 4);
        self.code.jump_if_equal(R1, 0, hidden);
        Ok(())
    }

    /// What is in the task itself.
    fn write_task(&mut self) -> Written {
        for (to, paths) in [
            (at::FLAGS, &["flags"][..]),
            (at::STATIC_PRIORITY, &["static_prio"]),
            (at::EXIT_STATE, &["exit_state"]),
            (at::START_TIME, &["start_boottime", "real_start_time"]),
            (at::COMM, &["comm"]),
            (at::CPU_TIME, &["se.sum_exec_runtime"]),
        ] {
            let field = self.facts.field("task_struct", paths)?;
            self.copy(to, R6, field);
        }
        // A long up to 5.13, of which the low half is enough.
        let state = self.facts.field("task_struct", &["__state", "state"])?;
        self.copy(at::STATE, R6, BtfField { size: 4, ..state });
        if let Ok(mems) = self.task("mems_allowed.bits[0]") {
            self.copy(at::MEMS_ALLOWED, R6, mems);
        }
        let pending = self.task("pending.signal.sig[0]")?;
        self.mark_if(R6, pending, Some(SIGKILL_PENDING), mark::KILLED);
        Ok(())
    }

    fn write_memory_policy(&mut self) -> Written {
        self.code.store_number(R7, at::MEMORY_POLICY, 0, 4);
        let policy = self.task("mempolicy");
        let mode = self.facts.field("mempolicy", &["mode"]);
        let (Ok(policy), Ok(mode)) = (policy, mode) else { return Ok(()) }; // without CONFIG_NUMA
        let none = self.code.label();
        self.read(R8, R6, policy);
        self.code.jump_if_equal(R8, 0, none);
        self.copy(at::MEMORY_POLICY, R8, mode);
        self.code.place(none);
        Ok(())
    }

    fn write_credentials(&mut self) -> Written {
        let none = self.code.label();
        let credentials = self.task("real_cred")?;
        self.read(R8, R6, credentials);
        self.code.jump_if_equal(R8, 0, none);
        for (to, path) in [(at::UID, "uid.val"), (at::EUID, "euid.val")] {
            let field = self.facts.field("cred", &[path])?;
            self.copy(to, R8, field);
        }
        // An array of two halves up to 6.2.
        let caps = self.facts.field("cred", &["cap_effective.val", "cap_effective.cap"])?;
        self.copy(at::CAPS, R8, caps);
        self.code.place(none);
        Ok(())
    }

    fn write_parent(&mut self) -> Written {
        let parent = self.task("real_parent")?;
        self.read(R8, R6, parent);
        if self.facts.pid_namespace.is_none() {
            let tgid = self.task("tgid")?;
            self.copy(at::PARENT, R8, tgid);
            return Ok(());
        }
        let (leader, pid) = (self.task("group_leader")?, self.task("thread_pid")?);
        self.read(R8, R8, leader);
        self.read(R8, R8, pid);
        self.pid_number(at::PARENT)
    }

    /// What the threads share.
    fn write_signal(&mut self) -> Written {
        let signal = self.task("signal")?;
        self.read(R8, R6, signal);
        for (to, path) in [(at::ADJ, "oom_score_adj"), (at::THREADS, "nr_threads")] {
            let field = self.signal(path)?;
            self.copy(to, R8, field);
        }
        let (ended, victim) = (self.signal("sum_sched_runtime")?, self.signal("oom_mm")?);
        let origin = self.signal("oom_flag_origin")?;
        self.read(R1, R8, ended);
        self.add_cpu_time();
        self.mark_if(R8, victim, None, mark::VICTIM);
        self.mark_if(R8, origin, Some(1 << origin.bit), mark::ORIGIN);
        Ok(())
    }

    fn write_terminal(&mut self) -> Written {
        let (signal, tty) = (self.task("signal")?, self.signal("tty")?);
        // PIDTYPE_PGID and PIDTYPE_SID of `include/linux/pid.h`.
        for (to, path) in [(at::GROUP, "pids[2]"), (at::SESSION, "pids[3]")] {
            let pid = self.signal(path)?;
            self.read(R8, R6, signal);
            self.read(R8, R8, pid);
            self.pid_number(to)?;
        }
        let of_tty = |path| self.facts.field("tty_struct", &[path]);
        let of_driver = |path| self.facts.field("tty_driver", &[path]);
        let (driver, index) = (of_tty("driver")?, of_tty("index")?);
        let (major, minor) = (of_driver("major")?, of_driver("minor_start")?);
        let none = self.code.label();
        self.code.store_number(R7, at::TTY_MAJOR, 0, 4);
        self.code.store_number(R7, at::TTY_MINOR, 0, 4);
        self.read(R8, R6, signal);
        self.read(R8, R8, tty);
        self.code.jump_if_equal(R8, 0, none);
        self.copy(at::TTY_MINOR, R8, index);
        self.read(R8, R8, driver);
        self.code.jump_if_equal(R8, 0, none);
        self.copy(at::TTY_MAJOR, R8, major);
        self.read(R1, R8, minor);
        self.code.load(R2, R7, at::TTY_MINOR, 4);
        self.code.add_register(R2, R1);
        self.code.store(R7, at::TTY_MINOR, R2, 4);
        self.code.place(none);
        Ok(())
    }

    fn write_cgroup(&mut self) -> Written {
        let none = self.code.label();
        self.code.store_number(R7, at::CGROUP, 0, 8);
        let sets = self.task("cgroups")?;
        self.read(R8, R6, sets);
        self.code.jump_if_equal(R8, 0, none);
        let own = self.facts.memory_hierarchy.then(|| memory_state(self.facts.btf)).flatten();
        if let Some(state) = own {
            let cgroup = self.facts.field("cgroup_subsys_state", &["cgroup"])?;
            self.read(R8, R8, state);
            self.code.jump_if_equal(R8, 0, none);
            self.read(R8, R8, cgroup);
        } else {
            let unified = self.facts.field("css_set", &["dfl_cgrp"])?;
            self.read(R8, R8, unified);
        }
        self.code.jump_if_equal(R8, 0, none);
        let node = self.facts.field("cgroup", &["kn"])?;
        let id = self.facts.field("kernfs_node", &["id"])?;
        self.read(R8, R8, node);
        self.code.jump_if_equal(R8, 0, none);
        self.copy(at::CGROUP, R8, id);
        self.code.place(none);
        Ok(())
    }
}

/// The field of a process' set of cgroups that has the state of its memory cgroup. `None` in a kernel
/// without that controller.
fn memory_state(btf: &Btf) -> Option<BtfField> {
    let nth = btf.constant("cgroup_subsys_id", "memory_cgrp_id")?;
    btf.field("css_set", &format!("subsys[{nth}]"))
}
