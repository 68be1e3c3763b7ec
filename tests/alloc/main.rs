//! A sample on a warm source allocates nothing per process, because an allocation may stall when memory is
//! short. It is a binary of its own, because the counting allocator counts for all threads.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test says what it expects")]
#![allow(unsafe_code, reason = "an allocator that counts is an allocator")]

#[path = "../suite/fakeproc.rs"]
mod fakeproc;

use std::alloc::{GlobalAlloc, Layout, System};
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use doomtop::model::{CgroupNeeds, Needs, Scores, Snapshot};
use doomtop::sample::proc_root::ProcRoot;
use doomtop::source::{LiveSource, ScanPatience, Source};
use fakeproc::{Fake, FakeProc, kernel_thread};

struct Counting;

static COUNT: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is passed on unchanged to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        // SAFETY: the caller keeps the contract.
        unsafe { System.dealloc(at, layout) }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        COUNT.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller keeps the contract.
        unsafe { System.realloc(at, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// Numbers of allocations of 32 samples, after 32 to warm up.
fn counts(root: ProcRoot, patience: ScanPatience, cgroups: CgroupNeeds) -> Vec<u64> {
    let mut live = LiveSource::start(root, patience).expect("a readable tree");
    let everything = Needs { cgroups, ..Needs::everything() };
    let first = live.sample(&everything, None).expect("a sample");
    let top: Vec<_> = first.processes.iter().rev().take(10).map(|row| row.id).collect();
    let needs = Needs { scores: Scores::Some(top.clone()), keep: top, ..everything };
    let mut spent: Option<Arc<Snapshot>> = None;
    let mut sample = || {
        let before = COUNT.load(Ordering::Relaxed);
        let snapshot = live.sample(&needs, spent.take()).expect("a sample");
        spent = Some(snapshot);
        COUNT.load(Ordering::Relaxed) - before
    };
    for _ in 0..32 {
        sample();
    }
    let mut counts = Vec::with_capacity(32);
    counts.extend((0..32).map(|_| sample()));
    counts
}

/// Maximum number of allocations of the parsers of system-wide files: for each line the line and its key,
/// and sometimes a larger table.
fn allowed(root: &std::path::Path) -> u64 {
    let lines =
        |file: &str| fs::read_to_string(root.join(file)).unwrap_or_default().lines().count();
    2 * (lines("meminfo") + lines("vmstat")) as u64 + 64
}

#[test]
fn a_warm_sample_allocates_nothing_per_process() {
    let many = |count: i32, cgroups| {
        let fake = FakeProc::new();
        fake.process(kernel_thread(2, "kthreadd"));
        for pid in 1000..1000 + count {
            fake.process(Fake { pid, cgroup: format!("0::/{}\n", pid % 7), ..Fake::default() });
        }
        let counts = counts(fake.root(), ScanPatience::Forever, cgroups);
        let least = *counts.iter().min().expect("samples");
        // A thread that waits for the other one sometimes allocates a place in the queue.
        assert!(counts.iter().all(|&count| count <= least + 8), "the same each time: {counts:?}");
        assert!(least <= allowed(fake.path()), "{counts:?}");
        least
    };
    // With all cgroup needs, the cgroup of every process is read in each sample.
    for cgroups in [CgroupNeeds::Nothing, CgroupNeeds::Everything] {
        let (few, all) = (many(20, cgroups), many(400, cgroups));
        assert_eq!(few, all, "the number of processes does not matter");
    }

    // Processes come and go on a real machine, so the sample with the fewest allocations counts.
    let real = ProcRoot::open("/proc").expect("/proc");
    let real = counts(real, ScanPatience::Forever, CgroupNeeds::Nothing);
    let least = real.iter().min().expect("samples");
    assert!(*least <= allowed("/proc".as_ref()), "{real:?}");
}
