//! What a hog holds: anonymous memory, page tables, files, shared memory, memory given back, and that of children.

use std::ffi::c_void;
use std::fs::File;
use std::hint::black_box;
use std::io::Write;
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::ptr::NonNull;
use std::{env, process};

use nix::libc;
use nix::sys::mman::{MapFlags, ProtFlags, mmap};
use rustix::fs::{MemfdFlags, memfd_create, statfs};
use rustix::param::page_size;
use rustix::process::{Signal, getpid, getppid, set_parent_process_death_signal};

use crate::hog::Load;

/// The size of one allocation of sparse pages in bytes: no single request may exceed the memory of a small guest.
const CHUNK: usize = 64 << 20;

/// The distance in bytes at which each touched page needs a page table of its own: one holds as many entries of
/// eight bytes as fit into a page.
fn stride() -> usize {
    page_size() / 8 * page_size()
}

/// A directory on a disk, whose files reclaim can drop: `OOM_DISK`, or that of temporary files if it is no memory.
pub fn disk() -> Option<PathBuf> {
    /// Types of file systems whose files are memory: tmpfs, ramfs.
    const MEMORY: [i64; 2] = [0x0102_1994, 0x8584_58f6];
    let dir = env::var_os("OOM_DISK").map_or_else(env::temp_dir, PathBuf::from);
    let kind = statfs(&dir).ok()?.f_type;
    // Its type differs between processors.
    #[allow(clippy::unnecessary_cast, clippy::useless_conversion, reason = "see above")]
    let kind = kind as i64;
    (!MEMORY.contains(&kind)).then_some(dir)
}

/// The memory of a process.
pub struct Memory {
    blocks: Vec<Vec<u8>>,
    /// Of the content, so that it does not compress to nothing.
    seed: u64,
    /// A memfd that is not mapped.
    _unmapped: Option<File>,
}

impl Memory {
    /// Takes and touches what a load asks for.
    pub fn take(load: &Load) -> Self {
        let mut blocks = Vec::with_capacity(1 << 16);
        let mut seed = u64::from(process::id());
        blocks.push(anonymous(load.anon, &mut seed));
        if load.given_back > 0 {
            blocks.push(given_back(load.given_back, &mut seed));
        }
        let at_once = CHUNK / stride();
        for from in (0..load.sparse).step_by(at_once) {
            let count = at_once.min(load.sparse - from);
            let mut chunk = vec![0_u8; count * stride()];
            for page in (0..count).map(|at| at * stride()) {
                chunk[page] = 1;
            }
            blocks.push(black_box(chunk));
        }
        if load.mapped > 0 {
            let dir = disk().expect("a directory on a disk");
            touch(map(&on_disk(&dir, load.mapped), load.mapped), load.mapped);
        }
        if load.shared > 0 {
            touch(map(&filled(load.shared), load.shared), load.shared);
        }
        let _unmapped = (load.file > 0).then(|| filled(load.file));
        Self { blocks, seed, _unmapped }
    }

    /// Takes more anonymous pages.
    pub fn grow(&mut self, pages: usize) {
        self.blocks.push(anonymous(pages, &mut self.seed));
    }

    /// Forks children. Each writes to this many of the pages that it shares, so that they are its own, and waits to be
    /// killed: by the kernel, or with its parent.
    #[allow(unsafe_code, reason = "fork is unsafe: another thread might hold a lock")]
    pub fn fork(&mut self, children: usize, own: usize) {
        let parent = getpid();
        let mut ready = Vec::new();
        for _ in 0..children {
            let (mut is_ready, done) = std::io::pipe().expect("a pipe");
            // SAFETY: the process has one thread, so no lock is held that the child could wait for.
            match unsafe { nix::unistd::fork() }.expect("a child process") {
                nix::unistd::ForkResult::Parent { .. } => {
                    drop(done);
                    ready.push(move || std::io::Read::read(&mut is_ready, &mut [0]));
                }
                nix::unistd::ForkResult::Child => {
                    set_parent_process_death_signal(Some(Signal::KILL)).expect("PR_SET_PDEATHSIG");
                    if getppid() != Some(parent) {
                        process::exit(0);
                    }
                    let block = &mut self.blocks[0];
                    for page in block.chunks_exact_mut(page_size()).take(own) {
                        page[0] = black_box(page[0].wrapping_add(1));
                    }
                    drop(done);
                    loop {
                        nix::unistd::pause();
                    }
                }
            }
        }
        for mut wait in ready {
            wait().expect("the end of a pipe");
        }
    }
}

/// Allocates this many touched pages. Their content is compressible, but not all the same.
fn anonymous(pages: usize, seed: &mut u64) -> Vec<u8> {
    let mut memory = vec![0_u8; pages * page_size()];
    for page in memory.chunks_exact_mut(page_size()) {
        *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        page[..8].copy_from_slice(&seed.to_ne_bytes());
    }
    black_box(memory)
}

/// The same, given back with `MADV_FREE`: resident until reclaim takes them.
#[allow(unsafe_code, reason = "rustix and nix offer madvise as unsafe functions only")]
fn given_back(pages: usize, seed: &mut u64) -> Vec<u8> {
    let mut memory = anonymous(pages + 1, seed);
    let from = memory.as_mut_ptr();
    let length = pages * page_size();
    let skip = from.align_offset(page_size());
    // SAFETY: the range is within the vector, and nothing reads it any more: its content may become zero.
    let advised = unsafe { libc::madvise(from.add(skip).cast(), length, libc::MADV_FREE) };
    assert_eq!(advised, 0, "madvise(MADV_FREE), Linux 4.5 and later");
    memory
}

/// A memfd with this many pages.
fn filled(pages: usize) -> File {
    let file = memfd_create(c"hog", MemfdFlags::CLOEXEC).expect("a memory file");
    written(file.into(), pages)
}

/// A file on the disk with this many pages, on it and without a name any more.
fn on_disk(dir: &std::path::Path, pages: usize) -> File {
    let path = dir.join(format!("doomtop-hog-{}", process::id()));
    let options = File::options().read(true).write(true).create_new(true).open(&path);
    let file = options.expect("a file on the disk");
    std::fs::remove_file(&path).expect("to remove the own file");
    let file = written(file, pages);
    // Only what is on the disk can be dropped at once.
    file.sync_all().expect("a file on the disk");
    file
}

fn written(mut file: File, pages: usize) -> File {
    let page = vec![1; page_size()];
    for _ in 0..pages {
        file.write_all(&page).expect("a page of it");
    }
    file
}

/// Maps it, shared and to be read.
#[allow(unsafe_code, reason = "nix offers mmap as an unsafe function only")]
fn map(file: &File, pages: usize) -> NonNull<c_void> {
    let length = NonZeroUsize::new(pages * page_size()).expect("some pages");
    // SAFETY: a new mapping, which nothing else knows; nobody makes the file shorter.
    unsafe { mmap(None, length, ProtFlags::PROT_READ, MapFlags::MAP_SHARED, file, 0) }
        .expect("a mapping")
}

/// Reads a byte of each page, so that they are in the RSS.
#[allow(unsafe_code, reason = "the mapping is not Rust's")]
fn touch(start: NonNull<c_void>, pages: usize) {
    let start: *const u8 = start.as_ptr().cast();
    for page in 0..pages {
        // SAFETY: the mapping has this many pages and lasts as long as the process.
        black_box(unsafe { start.add(page * page_size()).read_volatile() });
    }
}
