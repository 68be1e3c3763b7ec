//! How the C library keeps freed memory (`mallopt(3)`), and a reserve of memory that is in use already, so
//! that small allocations need no new page while memory is short.
//!
//! glibc only: musl allocates with `mmap` and gives freed groups back, and has no options for that. There a
//! new page may still be needed while memory is short; the rest (locked memory, resident text and stacks)
//! works there as well.

/// Blocks of this many bytes and more are given back to the kernel as soon as they are freed.
#[cfg(target_env = "gnu")]
const LARGE: usize = 256 << 10;

/// Size of the blocks that the reserve is claimed in, in bytes: the largest that come from the heap, so that
/// whatever comes from the heap fits into one of them.
#[cfg(target_env = "gnu")]
const BLOCK: usize = LARGE - 4096;

/// Makes freed memory go back to the kernel. Without this, the first large block that is freed (the
/// kernel's description of its types has 6 MiB) raises the size from which blocks are given back, and the
/// heap keeps twice that size; and each thread has a heap of its own, which keeps its largest sample. Before
/// the first thread starts. Other C libraries than glibc need no such word.
pub fn return_freed_memory() {
    #[cfg(target_env = "gnu")]
    {
        set(nix::libc::M_ARENA_MAX, 1);
        set(nix::libc::M_MMAP_THRESHOLD, LARGE);
        set(nix::libc::M_TRIM_THRESHOLD, LARGE);
    }
}

#[cfg(target_env = "gnu")]
fn set(option: i32, value: usize) {
    let value = i32::try_from(value).unwrap_or(i32::MAX);
    // SAFETY: mallopt takes two integers and sets an option of the allocator, which is locked meanwhile. An
    // option that it does not know is refused without effect.
    unsafe { nix::libc::mallopt(option, value) };
}

/// A part of the heap that stays with the process after it was freed, and whose pages are in memory.
///
/// Freed memory beyond it still goes back to the kernel: the heap is cut down to the reserve, not to nothing.
#[derive(Debug)]
pub struct HeapReserve {
    #[cfg(target_env = "gnu")]
    bytes: usize,
    /// The heap began before this address.
    #[cfg(target_env = "gnu")]
    begin: usize,
}

impl HeapReserve {
    /// Keeps this many bytes from now on. They are in memory after [`Self::fill`].
    #[must_use]
    pub fn new(bytes: usize) -> Self {
        #[cfg(target_env = "gnu")]
        {
            let mut reserve = Self { bytes: 0, begin: heap_end() };
            reserve.resize(bytes);
            reserve
        }
        #[cfg(not(target_env = "gnu"))]
        {
            let _ = bytes;
            Self {}
        }
    }

    /// Changes the size.
    pub fn resize(&mut self, bytes: usize) {
        #[cfg(target_env = "gnu")]
        if bytes != self.bytes {
            self.bytes = bytes;
            // The heap grows by the reserve in addition to what is needed, and is cut down to it.
            set(nix::libc::M_TOP_PAD, bytes);
            set(nix::libc::M_TRIM_THRESHOLD, bytes + LARGE);
        }
        #[cfg(not(target_env = "gnu"))]
        let _ = bytes;
    }

    /// Claims three quarters of the reserve and frees them, so that the heap has as much in one piece, and
    /// brings the pages at its end into memory. While they are, that costs a microsecond. Not while memory is
    /// short: new pages are what is waited for then.
    pub fn fill(&self) {
        #[cfg(target_env = "gnu")]
        {
            let end = self.populate();
            let claimed: Vec<Vec<u8>> =
                (0..self.bytes * 3 / 4 / BLOCK).map(|_| Vec::with_capacity(BLOCK)).collect();
            if heap_end() != end {
                self.populate();
            }
            drop(std::hint::black_box(claimed));
        }
    }

    /// Brings the last pages of the heap into memory, without a lock of the allocator. Returns where they end.
    #[cfg(target_env = "gnu")]
    fn populate(&self) -> usize {
        let end = heap_end();
        let begin = end.saturating_sub(self.bytes * 2).max(self.begin);
        // Another thread may have cut the heap meanwhile; then there is less to do.
        let _ = super::memory::populate_writable(begin..end);
        end
    }
}

/// The end of the heap.
#[cfg(target_env = "gnu")]
fn heap_end() -> usize {
    // SAFETY: without an increment, sbrk only tells where the heap ends.
    let end = unsafe { nix::libc::sbrk(0) };
    end.addr()
}

#[cfg(all(test, target_env = "gnu"))]
mod tests {
    use super::*;

    /// Pages that this thread had to be given, and that were not there before (`getrusage(2)`).
    fn new_pages() -> std::ffi::c_long {
        let usage = nix::sys::resource::getrusage(nix::sys::resource::UsageWho::RUSAGE_THREAD);
        usage.map_or(-1, |usage| usage.minor_page_faults())
    }

    #[test]
    fn small_allocations_take_no_new_page_from_a_full_reserve() {
        let reserve = HeapReserve::new(2 << 20);
        reserve.fill();
        reserve.fill();
        // As a sample does: much that is small, freed, and again. Other tests allocate meanwhile, and may
        // take the reserve: then it is filled again.
        let taken = (0..20).map(|_| {
            reserve.fill();
            let before = new_pages();
            let boxes: Vec<Box<[u8; 1000]>> = (0..300).map(|_| Box::new([1; 1000])).collect();
            drop(std::hint::black_box(boxes));
            new_pages() - before
        });
        assert_eq!(taken.min(), Some(0));
    }
}
