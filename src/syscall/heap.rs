//! How the C library keeps freed memory (`mallopt(3)`).

/// Blocks of this many bytes and more are given back to the kernel as soon as they are freed.
#[cfg(target_env = "gnu")]
const LARGE: i32 = 256 << 10;

/// Makes freed memory go back to the kernel. Without this, the first large block that is freed (the
/// kernel's description of its types has 6 MiB) raises the size from which blocks are given back, and the
/// heap keeps twice that size; and each thread has a heap of its own, which keeps its largest sample. Before
/// the first thread starts. Other C libraries than glibc need no such word.
pub fn return_freed_memory() {
    #[cfg(target_env = "gnu")]
    {
        use nix::libc::{M_ARENA_MAX, M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, mallopt};
        for (option, value) in
            [(M_ARENA_MAX, 1), (M_MMAP_THRESHOLD, LARGE), (M_TRIM_THRESHOLD, LARGE)]
        {
            // SAFETY: mallopt takes two integers and sets an option of the allocator, which is locked
            // meanwhile. An option that it does not know is refused without effect.
            unsafe { mallopt(option, value) };
        }
    }
}
