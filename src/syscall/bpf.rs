//! `bpf(2)`: loads programs, runs them, and maps their memory. The layout of the argument is that of
//! `union bpf_attr` in `include/uapi/linux/bpf.h`; each function names the command that it uses.

use std::ffi::{CStr, c_int, c_long, c_void};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::ptr;

use rustix::io::Errno;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::last;

const BPF_MAP_CREATE: c_int = 0;
const BPF_MAP_LOOKUP_ELEM: c_int = 1;
const BPF_PROG_LOAD: c_int = 5;
const BPF_PROG_TEST_RUN: c_int = 10;
const BPF_MAP_GET_NEXT_ID: c_int = 12;
const BPF_MAP_GET_FD_BY_ID: c_int = 14;
const BPF_OBJ_GET_INFO_BY_FD: c_int = 15;
const BPF_RAW_TRACEPOINT_OPEN: c_int = 17;
const BPF_BTF_LOAD: c_int = 18;
const BPF_LINK_GET_FD_BY_ID: c_int = 30;
const BPF_LINK_GET_NEXT_ID: c_int = 31;

const BPF_MAP_TYPE_ARRAY: u32 = 2;
const BPF_MAP_TYPE_PERCPU_ARRAY: u32 = 6;
/// The type of maps that hold an implementation of kernel functions by BPF programs.
pub const BPF_MAP_TYPE_STRUCT_OPS: u32 = 26;
const BPF_MAP_TYPE_RINGBUF: u32 = 27;
const BPF_F_MMAPABLE: u32 = 1 << 10;

const BPF_PROG_TYPE_RAW_TRACEPOINT: u32 = 17;
const BPF_PROG_TYPE_TRACING: u32 = 26;
const BPF_PROG_TYPE_SYSCALL: u32 = 31;
const BPF_TRACE_RAW_TP: u32 = 23;
const BPF_F_SLEEPABLE: u32 = 1 << 4;

/// The argument of a command, in words of 4 bytes. The kernel accepts one that is longer than it
/// knows if the rest is zero.
struct Attributes<const WORDS: usize>([u32; WORDS]);

impl<const WORDS: usize> Attributes<WORDS> {
    const fn new() -> Self {
        Self([0; WORDS])
    }

    /// Sets the 8 bytes at a byte offset that is a multiple of 4.
    fn set_wide(&mut self, offset: usize, value: u64) {
        self.0[offset / 4] = value as u32;
        self.0[offset / 4 + 1] = (value >> 32) as u32;
    }

    fn set_address<T>(&mut self, offset: usize, value: *const T) {
        self.set_wide(offset, value as usize as u64);
    }

    /// Calls `bpf(2)`. Every address in the argument must be valid during the call, and what the
    /// command writes to must be writable: the functions of this file, which borrow what they
    /// point to, see to both.
    fn call(&mut self, command: c_int) -> Result<c_long, Errno> {
        let size = size_of_val(&self.0);
        // SAFETY: the argument has the length that is given. The addresses in it belong to
        // references that the calling function holds during the call, with their lengths.
        let result =
            unsafe { nix::libc::syscall(nix::libc::SYS_bpf, command, self.0.as_mut_ptr(), size) };
        if result < 0 { Err(last()) } else { Ok(result) }
    }

    /// Calls `bpf(2)` with a command that returns a new descriptor.
    fn open(&mut self, command: c_int) -> Result<OwnedFd, Errno> {
        let fd = RawFd::try_from(self.call(command)?).map_err(|_| Errno::BADF)?;
        // SAFETY: the kernel has just opened this descriptor for us (close-on-exec), and nothing
        // else knows it.
        Ok(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

/// The kind of a map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MapKind {
    /// An array with values of this many bytes, which can be mapped into memory.
    Array {
        /// Bytes of each value; a multiple of 8.
        value_bytes: u32,
        /// Number of values.
        entries: u32,
    },
    /// One word of 8 bytes for each CPU.
    PerCpuWord,
    /// A ring buffer of this many bytes: a power of two, and a multiple of the page size.
    RingBuffer {
        /// Bytes of the data.
        bytes: u32,
    },
}

/// Creates a map (`BPF_MAP_CREATE`).
///
/// # Errors
///
/// EPERM without CAP_BPF, ENOMEM, ENOSYS on a kernel without `bpf(2)`.
pub fn create_map(kind: MapKind) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes::<18>::new();
    // map_type, key_size, value_size, max_entries, map_flags
    attributes.0[..5].copy_from_slice(&match kind {
        MapKind::Array { value_bytes, entries } => {
            [BPF_MAP_TYPE_ARRAY, 4, value_bytes, entries, BPF_F_MMAPABLE]
        }
        MapKind::PerCpuWord => [BPF_MAP_TYPE_PERCPU_ARRAY, 4, 8, 1, 0],
        MapKind::RingBuffer { bytes } => [BPF_MAP_TYPE_RINGBUF, 0, 0, bytes, 0],
    });
    attributes.open(BPF_MAP_CREATE)
}

/// The type of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProgramType {
    /// Runs when [`run`] is called, and may be preempted (5.14).
    Syscall,
    /// Runs when [`run`] is called (5.10), without being preempted.
    RawTracepoint,
    /// Runs at a tracepoint that the kernel's BTF describes: the number of its
    /// `btf_trace_NAME` type.
    TypedTracepoint(u32),
}

/// A program to load.
#[derive(Clone, Copy, Debug)]
pub struct Program<'a> {
    /// The type.
    pub kind: ProgramType,
    /// The instructions.
    pub instructions: &'a [u64],
    /// The licence. The kernel compares it with a list (`include/linux/license.h`) to decide which
    /// helper functions the program may call.
    pub licence: &'a CStr,
    /// For a program of several functions: a BTF from [`load_btf`], and the first instruction and
    /// the type of each function.
    pub functions: Option<(BorrowedFd<'a>, &'a [[u32; 2]])>,
}

/// Loads a program (`BPF_PROG_LOAD`). The kernel checks every path through it before it accepts it
/// (`kernel/bpf/verifier.c`).
///
/// # Errors
///
/// EPERM without CAP_BPF and CAP_PERFMON, EACCES or EINVAL if the kernel refuses the program.
pub fn load_program(program: &Program<'_>) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes::<36>::new();
    let count = u32::try_from(program.instructions.len()).map_err(|_| Errno::TOOBIG)?;
    let (kind, flags, attach, target) = match program.kind {
        ProgramType::Syscall => (BPF_PROG_TYPE_SYSCALL, BPF_F_SLEEPABLE, 0, 0),
        ProgramType::RawTracepoint => (BPF_PROG_TYPE_RAW_TRACEPOINT, 0, 0, 0),
        ProgramType::TypedTracepoint(target) => {
            (BPF_PROG_TYPE_TRACING, 0, BPF_TRACE_RAW_TP, target)
        }
    };
    attributes.0[0] = kind; // prog_type
    attributes.0[1] = count; // insn_cnt
    attributes.set_address(8, program.instructions.as_ptr()); // insns
    attributes.set_address(16, program.licence.as_ptr()); // license
    attributes.0[11] = flags; // prog_flags
    // prog_name
    attributes.0[12..14]
        .copy_from_slice(&[u32::from_ne_bytes(*b"doom"), u32::from_ne_bytes(*b"top\0")]);
    attributes.0[17] = attach; // expected_attach_type
    if let Some((btf, functions)) = program.functions {
        attributes.0[18] = btf.as_raw_fd().cast_unsigned(); // prog_btf_fd
        attributes.0[19] = 8; // func_info_rec_size
        attributes.set_address(80, functions.as_ptr()); // func_info
        attributes.0[22] = u32::try_from(functions.len()).map_err(|_| Errno::TOOBIG)?;
    }
    attributes.0[27] = target; // attach_btf_id
    attributes.open(BPF_PROG_LOAD)
}

/// Loads descriptions of functions (`BPF_BTF_LOAD`).
///
/// # Errors
///
/// EPERM without CAP_BPF, EINVAL if they are not valid.
pub fn load_btf(btf: &[u8]) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes::<8>::new();
    attributes.set_address(0, btf.as_ptr()); // btf
    attributes.0[4] = u32::try_from(btf.len()).map_err(|_| Errno::TOOBIG)?; // btf_size
    attributes.open(BPF_BTF_LOAD)
}

/// Runs a program once and returns what it returned (`BPF_PROG_TEST_RUN`).
///
/// # Errors
///
/// EINVAL if this kernel cannot run programs of this type.
pub fn run(program: impl AsFd) -> Result<u32, Errno> {
    let mut attributes = Attributes::<20>::new();
    attributes.0[0] = program.as_fd().as_raw_fd().cast_unsigned(); // prog_fd
    attributes.call(BPF_PROG_TEST_RUN)?;
    Ok(attributes.0[1]) // retval
}

/// Attaches a program to its tracepoint (`BPF_RAW_TRACEPOINT_OPEN`). It is detached when the
/// descriptor is closed.
///
/// # Errors
///
/// EPERM, EINVAL.
pub fn attach(program: impl AsFd) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes::<6>::new();
    attributes.0[2] = program.as_fd().as_raw_fd().cast_unsigned(); // prog_fd
    attributes.open(BPF_RAW_TRACEPOINT_OPEN)
}

/// What the kernel numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BpfObject {
    /// Maps.
    Map,
    /// Links (5.7 and later).
    Link,
}

/// The lowest number of an object above this one (`BPF_MAP_GET_NEXT_ID`, `BPF_LINK_GET_NEXT_ID`); `None` after the
/// last.
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN.
pub fn next_id(of: BpfObject, after: u32) -> Result<Option<u32>, Errno> {
    let mut attributes = Attributes::<4>::new();
    attributes.0[0] = after; // start_id
    let command = match of {
        BpfObject::Map => BPF_MAP_GET_NEXT_ID,
        BpfObject::Link => BPF_LINK_GET_NEXT_ID,
    };
    match attributes.call(command) {
        Ok(_) => Ok(Some(attributes.0[1])), // next_id
        Err(Errno::NOENT) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Opens an object by its number (`BPF_MAP_GET_FD_BY_ID`, `BPF_LINK_GET_FD_BY_ID`).
///
/// # Errors
///
/// EPERM without CAP_SYS_ADMIN, ENOENT if it is gone.
pub fn open_by_id(of: BpfObject, id: u32) -> Result<OwnedFd, Errno> {
    let mut attributes = Attributes::<4>::new();
    attributes.0[0] = id;
    attributes.open(match of {
        BpfObject::Map => BPF_MAP_GET_FD_BY_ID,
        BpfObject::Link => BPF_LINK_GET_FD_BY_ID,
    })
}

/// The first 128 bytes of what the kernel tells of an object (`BPF_OBJ_GET_INFO_BY_FD`), in words; 0 where it tells
/// less.
///
/// # Errors
///
/// EINVAL for another kind of descriptor.
pub fn object_info(object: impl AsFd) -> Result<[u32; 32], Errno> {
    let mut info = [0_u32; 32];
    let mut attributes = Attributes::<4>::new();
    attributes.0[0] = object.as_fd().as_raw_fd().cast_unsigned(); // bpf_fd
    attributes.0[1] = size_of_val(&info) as u32; // info_len
    attributes.set_address(8, info.as_mut_ptr()); // info
    attributes.call(BPF_OBJ_GET_INFO_BY_FD)?;
    Ok(info)
}

/// The value of the key 0 of a map (`BPF_MAP_LOOKUP_ELEM`). `bytes` is the size of its values, as the kernel tells
/// it ([`object_info`]).
///
/// # Errors
///
/// EPERM without the right to read maps, EINVAL if the size is not that of the map.
pub fn first_value(map: impl AsFd, bytes: u32) -> Result<Vec<u8>, Errno> {
    // The kernel writes values of the size that the map has, whatever is asked for.
    let told = object_info(&map)?;
    if told[3] != bytes || bytes > 1 << 16 {
        return Err(Errno::INVAL);
    }
    // Per-CPU maps have a value for each CPU, so only kinds of one value are read.
    if told[0] != BPF_MAP_TYPE_STRUCT_OPS || told[2] != 4 {
        return Err(Errno::INVAL);
    }
    let (key, mut value) = ([0_u8; 4], vec![0_u8; bytes as usize]);
    let mut attributes = Attributes::<8>::new();
    attributes.0[0] = map.as_fd().as_raw_fd().cast_unsigned(); // map_fd
    attributes.set_address(8, key.as_ptr()); // key
    attributes.set_address(16, value.as_mut_ptr()); // value
    attributes.call(BPF_MAP_LOOKUP_ELEM)?;
    Ok(value)
}

/// A part of a map as memory of this process.
#[derive(Debug)]
pub struct MapMemory {
    start: *mut c_void,
    length: usize,
    writable: bool,
}

// SAFETY: the mapping belongs to this value alone, and no thread has a part of its own in it.
unsafe impl Send for MapMemory {}

impl MapMemory {
    /// Maps `length` bytes of a map, from `offset` on, which is a multiple of the page size.
    ///
    /// # Errors
    ///
    /// As `mmap(2)`: EINVAL beyond the end of the map, EPERM for a map that cannot be mapped.
    pub fn new(map: impl AsFd, offset: u64, length: usize, writable: bool) -> Result<Self, Errno> {
        let access = if writable { ProtFlags::READ | ProtFlags::WRITE } else { ProtFlags::READ };
        // SAFETY: the kernel chooses a free address, so the new mapping replaces nothing.
        let start =
            unsafe { mmap(ptr::null_mut(), length, access, MapFlags::SHARED, map, offset) }?;
        Ok(Self { start, length, writable })
    }

    /// Copies the bytes at `offset`. `None` if they are not all inside the mapping. The kernel may
    /// write to them meanwhile: whoever cares sees to it that no program runs.
    #[must_use]
    pub fn bytes<const COUNT: usize>(&self, offset: usize) -> Option<[u8; COUNT]> {
        let mut copy = [0; COUNT];
        self.copy(offset, &mut copy).then_some(copy)
    }

    /// Copies the bytes at `offset` into `target`. Whether they are all inside the mapping; if not,
    /// nothing is copied.
    pub fn copy(&self, offset: usize, target: &mut [u8]) -> bool {
        let inside = offset.checked_add(target.len()).is_some_and(|end| end <= self.length);
        if inside {
            // SAFETY: the source lies inside the mapping, and the target is not part of it: nobody
            // has a reference into the mapping.
            unsafe {
                ptr::copy_nonoverlapping(
                    self.start.cast::<u8>().add(offset),
                    target.as_mut_ptr(),
                    target.len(),
                );
            }
        }
        inside
    }

    /// The word of 8 bytes at `offset` as it is now, in one load. `None` if it is outside the
    /// mapping or not aligned.
    #[must_use]
    pub fn word(&self, offset: usize) -> Option<u64> {
        let at = self.aligned(offset)?;
        // SAFETY: inside the mapping and aligned. Volatile, because the kernel may write to it.
        Some(unsafe { at.read_volatile() })
    }

    /// Sets the word of 8 bytes at `offset`. Whether it is inside the mapping, aligned, and
    /// writable.
    pub fn set_word(&mut self, offset: usize, value: u64) -> bool {
        let Some(at) = self.aligned(offset).filter(|_| self.writable) else { return false };
        // SAFETY: inside the mapping, aligned, and mapped for writing.
        unsafe { at.write_volatile(value) };
        true
    }

    fn aligned(&self, offset: usize) -> Option<*mut u64> {
        let inside = offset.checked_add(8).is_some_and(|end| end <= self.length);
        if !inside || !offset.is_multiple_of(8) {
            return None;
        }
        // SAFETY: the offset is inside the mapping.
        Some(unsafe { self.start.cast::<u8>().add(offset).cast::<u64>() })
    }
}

impl Drop for MapMemory {
    fn drop(&mut self) {
        // SAFETY: this is the mapping of `new`, and nothing refers to it any more.
        let _ = unsafe { munmap(self.start, self.length) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_and_written_only_inside_of_it() {
        let map = match create_map(MapKind::Array { value_bytes: 8, entries: 2 }) {
            Ok(map) => map,
            Err(errno) => {
                eprintln!("skipped: no BPF map can be created here ({errno})");
                return;
            }
        };
        let mut memory = MapMemory::new(&map, 0, 16, true).expect("a mapping");
        assert!(memory.set_word(8, 0x0102_0304_0506_0708));
        assert_eq!(memory.word(8), Some(0x0102_0304_0506_0708));
        assert_eq!(memory.bytes(8), Some(0x0102_0304_0506_0708_u64.to_ne_bytes()));
        assert_eq!(memory.word(0), Some(0));
        for outside in [4, 12, 16, usize::MAX] {
            assert_eq!(memory.word(outside), None);
            assert!(!memory.set_word(outside, 1));
        }
        assert_eq!(memory.bytes::<8>(9), None);
        assert_eq!(memory.bytes::<8>(usize::MAX), None);
        let mut read_only = MapMemory::new(&map, 0, 16, false).expect("a mapping");
        assert!(!read_only.set_word(0, 1));
    }

    #[test]
    fn an_own_map_is_found_among_all_and_told_of() {
        let Ok(map) = create_map(MapKind::Array { value_bytes: 16, entries: 3 }) else {
            eprintln!("skipped: no BPF map can be created here");
            return;
        };
        let info = object_info(&map).expect("what the kernel tells");
        assert_eq!((info[0], info[2], info[3], info[4]), (BPF_MAP_TYPE_ARRAY, 4, 16, 3));
        assert_eq!(first_value(&map, 16), Err(Errno::INVAL), "it is of another type");
        let (mut at, mut found) = (0, false);
        loop {
            match next_id(BpfObject::Map, at) {
                Ok(Some(id)) => {
                    assert!(id > at);
                    (at, found) = (id, found || id == info[1]);
                }
                Ok(None) => break,
                Err(errno) => {
                    eprintln!("skipped: maps cannot be listed here ({errno})");
                    return;
                }
            }
        }
        assert!(found, "{} is listed", info[1]);
        let again = open_by_id(BpfObject::Map, info[1]).expect("the map");
        assert_eq!(object_info(&again).map(|it| it[1]), Ok(info[1]));
    }

    #[test]
    fn what_is_no_program_is_refused() {
        let none = Program {
            kind: ProgramType::Syscall,
            instructions: &[],
            licence: c"GPL",
            functions: None,
        };
        assert!(load_program(&none).is_err());
        assert!(load_btf(b"no BTF").is_err());
        let file = std::fs::File::open("/dev/null").expect("/dev/null");
        assert!(run(&file).is_err());
        assert!(attach(&file).is_err());
        assert!(object_info(&file).is_err());
        assert!(first_value(&file, 8).is_err());
    }
}
