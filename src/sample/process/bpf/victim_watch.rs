//! The kernel's OOM kills as they happen, without a log: who was killed, and who had asked for memory.
//!
//! A program at the tracepoint `oom:mark_victim` writes a message into a ring buffer, which is mapped here.
//! It runs only when the kernel kills, and nothing runs meanwhile. Where the buffer is full, kills are
//! missing; the kernel counts them nevertheless.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{Ordering, fence};

use super::record::{RECORD_BYTES, RecordUnits, TaskRecord};
use super::record_writer::{FieldReads, ProgramFacts};
use super::task_table::{load, pid_namespace, read_btf};
use super::unavailable::BpfUnavailable;
use super::victim_program::{VictimArgument, after, tracepoint, victim_program};
use crate::model::{Comm, Machine, MarkedVictim, Process, Victim};
use crate::sample::proc_root::ProcRoot;
use crate::syscall::bpf::{MapKind, MapMemory, ProgramType, attach, create_map};
use crate::units::{Kib, Millis, PageSize, Pages};

/// Bytes of the ring buffer: a power of two, and a multiple of every page size.
const RING_BYTES: u32 = 1 << 16;

/// The marks of a message's length (`BPF_RINGBUF_BUSY_BIT`, `BPF_RINGBUF_DISCARD_BIT`).
const BUSY: u32 = 1 << 31;
const DISCARDED: u32 = 1 << 30;
/// Bytes of the head of a message: its length and a number that only the kernel uses.
const HEAD_BYTES: u64 = 8;

/// Hears of victims.
#[derive(Debug)]
pub struct VictimWatch {
    /// Reading it becomes possible when there is a message.
    ring: OwnedFd,
    /// Closing it detaches the program.
    _attached: OwnedFd,
    /// How far messages were taken, which is told to the kernel.
    consumer: MapMemory,
    /// How far the kernel has written, one page, and then the messages, twice in a row: a message that
    /// reaches over the end goes on without a break.
    producer: MapMemory,
    taken: u64,
    argument: VictimArgument,
    units: RecordUnits,
    page: PageSize,
    /// Whether pids of other processes than the victim are those of our own namespace.
    initial_pid_namespace: bool,
}

impl VictimWatch {
    /// Attaches the program.
    ///
    /// # Errors
    ///
    /// Why kills cannot be heard of this way.
    pub fn start(root: &ProcRoot, machine: &Machine) -> Result<Self, BpfUnavailable> {
        if !root.is_live() {
            return Err(BpfUnavailable::OtherTree);
        }
        let ring = create_map(MapKind::RingBuffer { bytes: RING_BYTES })
            .map_err(|errno| BpfUnavailable::Refused("a ring buffer", errno))?;
        let btf = read_btf()?;
        let (target, argument) = tracepoint(&btf)?;
        let initial_pid_namespace = machine.initial_pid_namespace;
        let page = machine.page_size;
        let mut facts = ProgramFacts {
            btf: &btf,
            reads: FieldReads::Helper,
            cpu_offsets: &[],
            memory_hierarchy: false,
            pid_namespace: None,
        };
        if !initial_pid_namespace {
            if argument == VictimArgument::Pid {
                return Err(BpfUnavailable::Lacks("mark_victim", "task")); // a pid of another namespace
            }
            facts.pid_namespace = Some(pid_namespace(&btf, page.0)?);
        }
        let assembled = victim_program(facts, ring.as_raw_fd(), argument)?;
        let program = load(&assembled, ProgramType::TypedTracepoint(target))?;
        let attached = attach(&program)
            .map_err(|errno| BpfUnavailable::Refused("to attach its program", errno))?;
        let mapped = |offset, length, writable| {
            MapMemory::new(&ring, offset, length, writable)
                .map_err(|errno| BpfUnavailable::Refused("to map its ring buffer", errno))
        };
        let one_page = page.0 as usize;
        let consumer = mapped(0, one_page, true)?;
        let producer = mapped(page.0, one_page + 2 * RING_BYTES as usize, false)?;
        let units = RecordUnits::of(machine);
        Ok(Self {
            ring,
            _attached: attached,
            consumer,
            producer,
            taken: 0,
            argument,
            units,
            page,
            initial_pid_namespace,
        })
    }

    /// The victims since the last call, the oldest first.
    pub fn take(&mut self) -> Vec<MarkedVictim> {
        let mut found = Vec::new();
        let written = self.producer.word(0).unwrap_or_default();
        fence(Ordering::Acquire);
        while self.taken < written {
            let at = self.page.0 + self.taken % u64::from(RING_BYTES);
            let head = self.producer.word(at as usize).unwrap_or_default() as u32;
            if head & BUSY != 0 {
                break; // still being written
            }
            fence(Ordering::Acquire);
            let mut message = [0; after::END];
            if head & DISCARDED == 0 && self.producer.copy((at + HEAD_BYTES) as usize, &mut message)
            {
                found.push(self.victim(&message));
            }
            let length = u64::from(head & !(BUSY | DISCARDED)) + HEAD_BYTES;
            self.taken += length.next_multiple_of(8);
            fence(Ordering::Release);
            self.consumer.set_word(0, self.taken);
        }
        found
    }

    fn victim(&self, message: &[u8; after::END]) -> MarkedVictim {
        let wide = |at: usize| {
            let bytes = message.get(at..at + 8).and_then(|bytes| bytes.try_into().ok());
            u64::from_ne_bytes(bytes.unwrap_or_default())
        };
        let mut record = [0; RECORD_BYTES];
        record.copy_from_slice(&message[..RECORD_BYTES]);
        let record = TaskRecord(record);
        let victim = match self.argument {
            VictimArgument::Task => {
                let mut row = Process::default();
                record.write_to(&mut row, 0, self.units);
                victim(&row, self.page)
            }
            VictimArgument::Pid => {
                Victim { pid: Some(record.id(self.units).pid), ..Victim::default() }
            }
        };
        let name = message[after::ASKER_NAME..].split(|&byte| byte == 0).next();
        let name = Comm::new(name.unwrap_or_default());
        let pid = i32::try_from(wide(after::ASKER) >> 32).ok().filter(|&pid| pid > 0);
        let asker = pid.filter(|_| self.initial_pid_namespace);
        let ago = boot_ns().saturating_sub(wide(after::TIME)) / 1_000_000;
        MarkedVictim { victim, asker: (asker, name), ago: Millis(ago) }
    }
}

impl AsFd for VictimWatch {
    /// Readable when there is a victim.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.ring.as_fd()
    }
}

/// Who was killed, with the sizes at that time.
fn victim(row: &Process, page: PageSize) -> Victim {
    let kib = |pages: Pages| Kib(pages.bytes(page).0 / 1024);
    let sized = row.has_mm;
    Victim {
        pid: Some(row.id.pid),
        id: Some(row.id),
        comm: row.comm,
        uid: row.ids.value().map(|ids| ids.uid),
        rss: sized.then(|| kib(row.rss_stat)),
        file: row.file.value().filter(|_| sized).map(kib),
        swap: row.swap.value().map(kib),
        adj: row.adj.value(),
    }
}

/// Nanoseconds since boot.
fn boot_ns() -> u64 {
    let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_BOOTTIME);
    now.map_or(0, |now| {
        let second = u64::try_from(now.tv_sec()).unwrap_or(0);
        second * 1_000_000_000 + u64::try_from(now.tv_nsec()).unwrap_or(0)
    })
}
