//! The programs: two that write down all processes, and two that find out what these need.
//!
//! Licence of this file: MIT OR Apache-2.0 OR GPL-2.0, for the reason in `record_writer.rs`.

use super::assembler::{
    Assembler, Helper, JumpLabel, R0, R1, R2, R3, R4, R6, R7, R8, R9, Register, STACK,
};
use super::btf::{Btf, NameKind};
use super::record::at;
use super::record_writer::{FieldReads, ProgramFacts, RecordWriter, ThreadVisits, slot};
use super::unavailable::BpfUnavailable;

/// All names that the programs ask the kernel's BTF for.
pub(super) const NAMES: &[(NameKind, &str)] = &[
    (NameKind::Struct, "bpf_array"),
    (NameKind::Struct, "cgroup"),
    (NameKind::Struct, "cgroup_subsys_state"),
    (NameKind::Struct, "cred"),
    (NameKind::Struct, "css_set"),
    (NameKind::Struct, "kernfs_node"),
    (NameKind::Struct, "mempolicy"),
    (NameKind::Struct, "mm_struct"),
    (NameKind::Struct, "pid"),
    (NameKind::Struct, "signal_struct"),
    (NameKind::Struct, "task_struct"),
    (NameKind::Struct, "tty_driver"),
    (NameKind::Struct, "tty_struct"),
    (NameKind::Struct, "upid"),
    (NameKind::Enum, "cgroup_subsys_id"),
    (NameKind::Typedef, "btf_trace_mark_victim"),
    (NameKind::Function, "bpf_iter_task_destroy"),
    (NameKind::Function, "bpf_iter_task_new"),
    (NameKind::Function, "bpf_iter_task_next"),
    (NameKind::Function, "bpf_loop"),
    (NameKind::Function, "bpf_rcu_read_lock"),
    (NameKind::Function, "bpf_rcu_read_unlock"),
    (NameKind::Function, "bpf_rdonly_cast"),
    (NameKind::Function, "bpf_task_acquire"),
    (NameKind::Function, "bpf_task_release"),
];

/// Maximum number of processes that are followed in one walk.
const PROCESSES_MAX: i32 = 1 << 22;

/// A finished program.
pub(super) struct Assembled {
    pub(super) instructions: Vec<u64>,
    /// Where its other functions start; empty if it has only one.
    pub(super) functions: Vec<u32>,
}

pub(super) fn finished(code: Assembler) -> Result<Vec<u64>, BpfUnavailable> {
    code.finish().ok_or(BpfUnavailable::Assembly)
}

/// Sets R0 to the element of a map whose number is in the slot KEY, or jumps.
fn look_up(code: &mut Assembler, map: i32, none: JumpLabel) {
    code.set_map(R1, map);
    code.copy(R2, STACK);
    code.add(R2, slot::KEY.into());
    code.call(Helper::MapLookupElement);
    code.jump_if_equal(R0, 0, none);
}

/// Sets `to` to element `nth` of a map, or jumps.
fn element(code: &mut Assembler, to: Register, map: i32, nth: i32, none: JumpLabel) {
    code.store_number(STACK, slot::KEY, nth, 4);
    look_up(code, map, none);
    code.copy(to, R0);
}

/// Sets R7 to the next record, or jumps if the array is full. R9 is the head.
fn next_record(code: &mut Assembler, array: i32, full: JumpLabel) {
    code.load(R1, R9, 0, 4);
    code.add(R1, 1);
    code.store(STACK, slot::KEY, R1, 4);
    look_up(code, array, full);
    code.copy(R7, R0);
}

/// Counts the record that was written.
fn count_record(code: &mut Assembler) {
    code.load(R1, R9, 0, 4);
    code.add(R1, 1);
    code.store(R9, 0, R1, 4);
}

/// Writes all processes into `array` with the kernel's task iterator (6.7 and later). Returns their
/// number; if there are more than records, it stops.
pub(super) fn iterator(facts: ProgramFacts<'_>, array: i32) -> Result<Assembled, BpfUnavailable> {
    let lock = facts.function("bpf_rcu_read_lock")?;
    let unlock = facts.function("bpf_rcu_read_unlock")?;
    let new = facts.function("bpf_iter_task_new")?;
    let next = facts.function("bpf_iter_task_next")?;
    let destroy = facts.function("bpf_iter_task_destroy")?;
    let mut writer =
        RecordWriter { code: Assembler::default(), facts, threads: ThreadVisits::Iterator };
    let [none, each, end] = std::array::from_fn(|_| writer.code.label());
    let iterator = |code: &mut Assembler| {
        code.copy(R1, STACK);
        code.add(R1, slot::PROCESS_ITERATOR.into());
    };
    element(&mut writer.code, R9, array, 0, none);
    writer.code.store_number(R9, 0, 0, 4);
    writer.code.call_kernel(lock);
    iterator(&mut writer.code);
    writer.code.set(R2, 0);
    writer.code.set(R3, 0); // BPF_TASK_ITER_ALL_PROCS
    writer.code.call_kernel(new);
    writer.code.place(each);
    iterator(&mut writer.code);
    writer.code.call_kernel(next);
    writer.code.jump_if_equal(R0, 0, end);
    writer.code.copy(R6, R0);
    writer.code.store(STACK, slot::TASK, R6, 8);
    writer.cast(R6, "task_struct")?;
    next_record(&mut writer.code, array, end);
    writer.write(each)?;
    count_record(&mut writer.code);
    writer.code.jump(each);
    writer.code.place(end);
    iterator(&mut writer.code);
    writer.code.call_kernel(destroy);
    writer.code.call_kernel(unlock);
    writer.code.load(R0, R9, 0, 4);
    writer.code.exit();
    writer.code.place(none);
    writer.code.set(R0, 0);
    writer.code.exit();
    Ok(Assembled { instructions: finished(writer.code)?, functions: Vec::new() })
}

/// Writes all processes into `array` by following the list of tasks (5.17 and later). Returns as
/// [`iterator`] does.
pub(super) fn list_walk(facts: ProgramFacts<'_>, array: i32) -> Result<Assembled, BpfUnavailable> {
    facts.function("bpf_loop")?;
    let leader = facts.field("task_struct", &["group_leader"])?.offset;
    let next = facts.field("task_struct", &["tasks.next"])?.offset;
    let mut code = Assembler::default();
    let [none, body, threads] = std::array::from_fn(|_| code.label());
    let mut writer = RecordWriter { code, facts, threads: ThreadVisits::Loop(threads) };
    element(&mut writer.code, R9, array, 0, none);
    writer.code.store_number(R9, 0, 0, 4);
    writer.code.call(Helper::GetCurrentTask);
    writer.code.copy(R6, R0);
    writer.probe(R6, R6, leader.into(), 8);
    // For the body: the next process, and the one that ends the round.
    let argument = slot::THREAD_ITERATOR;
    writer.code.store(STACK, argument, R6, 8);
    writer.code.store(STACK, argument + 8, R6, 8);
    writer.code.set(R1, PROCESSES_MAX);
    writer.code.set_function(R2, body);
    writer.code.copy(R3, STACK);
    writer.code.add(R3, argument.into());
    writer.code.set(R4, 0);
    writer.code.call(Helper::Loop);
    writer.code.load(R0, R9, 0, 4);
    writer.code.exit();
    writer.code.place(none);
    writer.code.set(R0, 0);
    writer.code.exit();
    write_list_body(&mut writer, array, next, body)?;
    writer.write_thread_body(threads)?;
    let functions = [body, threads].map(|label| writer.code.position(label));
    let functions: Option<Vec<u32>> = functions.into_iter().collect();
    let functions = functions.ok_or(BpfUnavailable::Assembly)?;
    Ok(Assembled { instructions: finished(writer.code)?, functions })
}

/// The function that is called for each process of the list. R2 is its argument.
fn write_list_body(
    writer: &mut RecordWriter<'_>,
    array: i32,
    next: i16,
    body: JumpLabel,
) -> Result<(), BpfUnavailable> {
    let [end, skip] = std::array::from_fn(|_| writer.code.label());
    writer.code.place(body);
    writer.code.store(STACK, slot::LOOP_ARGUMENT, R2, 8);
    writer.code.load(R6, R2, 0, 8);
    writer.code.store(STACK, slot::PROCESS, R6, 8);
    element(&mut writer.code, R9, array, 0, end);
    next_record(&mut writer.code, array, end);
    writer.cast(R6, "task_struct")?;
    writer.write(skip)?;
    // The idle task heads the list.
    writer.code.load(R1, R7, at::TGID, 4);
    writer.code.jump_if_equal(R1, 0, skip);
    count_record(&mut writer.code);
    writer.code.place(skip);
    writer.code.load(R6, STACK, slot::PROCESS, 8);
    writer.probe(R6, R6, next.into(), 8);
    writer.code.add(R6, -i32::from(next));
    writer.code.load(R2, STACK, slot::LOOP_ARGUMENT, 8);
    writer.code.store(R2, 0, R6, 8);
    writer.code.load(R1, R2, 8, 8);
    writer.code.jump_if_same(R1, R6, end);
    writer.code.set(R0, 0);
    writer.code.exit();
    writer.code.place(end);
    writer.code.set(R0, 1);
    writer.code.exit();
    Ok(())
}

/// Writes into `words` where the element of the per-CPU map `each` is on every CPU, and after these where
/// it would be without a CPU's offset: the differences are the offsets of the CPUs, for which no symbol of
/// the kernel is needed (5.19).
pub(super) fn cpu_addresses(
    btf: &Btf,
    words: i32,
    each: i32,
    cpus: i32,
) -> Result<Assembled, BpfUnavailable> {
    let pointers =
        btf.field("bpf_array", "pptrs").ok_or(BpfUnavailable::Lacks("bpf_array", "pptrs"))?;
    let mut code = Assembler::default();
    let none = code.label();
    for cpu in 0..cpus {
        code.store_number(STACK, slot::KEY, 0, 4);
        code.set_map(R1, each);
        code.copy(R2, STACK);
        code.add(R2, slot::KEY.into());
        code.set(R3, cpu);
        code.call(Helper::MapLookupPerCpuElement);
        code.jump_if_equal(R0, 0, none);
        code.copy(R6, R0);
        element(&mut code, R7, words, cpu, none);
        code.store(R7, 0, R6, 8);
    }
    element(&mut code, R6, words, cpus, none);
    code.set_map(R1, each);
    code.store(R6, 0, R1, 8);
    code.load(R3, R6, 0, 8);
    code.add(R3, pointers.offset.into());
    code.copy(R1, R6);
    code.set(R2, 8);
    code.call(Helper::ProbeReadKernel);
    code.place(none);
    code.set(R0, 0);
    code.exit();
    Ok(Assembled { instructions: finished(code)?, functions: Vec::new() })
}

/// Writes into `words` the address and the level of our own pid namespace.
pub(super) fn own_pid_namespace(btf: &Btf, words: i32) -> Result<Assembled, BpfUnavailable> {
    let facts = ProgramFacts {
        btf,
        reads: FieldReads::Helper,
        cpu_offsets: &[],
        memory_hierarchy: false,
        pid_namespace: None,
    };
    let pid = facts.field("task_struct", &["thread_pid"])?;
    let (level, numbers) = (facts.field("pid", &["level"])?, facts.field("pid", &["numbers"])?);
    let namespace = facts.field("upid", &["ns"])?;
    let mut writer =
        RecordWriter { code: Assembler::default(), facts, threads: ThreadVisits::None };
    let none = writer.code.label();
    writer.code.call(Helper::GetCurrentTask);
    writer.code.copy(R6, R0);
    writer.probe(R6, R6, pid.offset.into(), 8);
    writer.probe(R7, R6, level.offset.into(), 4);
    writer.code.copy(R1, R7);
    writer.code.shift_left(R1, 4);
    writer.code.add_register(R6, R1);
    writer.probe(R8, R6, i32::from(numbers.offset) + i32::from(namespace.offset), 8);
    for (nth, value) in [(0, R8), (1, R7)] {
        element(&mut writer.code, R9, words, nth, none);
        writer.code.store(R9, 0, value, 8);
    }
    writer.code.place(none);
    writer.code.set(R0, 0);
    writer.code.exit();
    Ok(Assembled { instructions: finished(writer.code)?, functions: Vec::new() })
}

/// A BTF for a program of several functions: it says nothing about their arguments.
pub(super) fn function_types() -> Vec<u8> {
    const STRINGS: &[u8] = b"\0main\0each\0";
    // FUNC_PROTO () -> void; FUNC "main" (global), FUNC "each" (static) of that type.
    let types = [0, 13 << 24, 0, 1, 12 << 24 | 1, 1, 6, 12 << 24, 1];
    let (bytes, strings) = (types.len() as u32 * 4, STRINGS.len() as u32);
    let header = [0x0001_eb9f, 24, 0, bytes, bytes, strings];
    let words = header.into_iter().chain(types);
    words.flat_map(u32::to_ne_bytes).chain(STRINGS.iter().copied()).collect()
}
