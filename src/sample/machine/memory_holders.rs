//! Reads who holds memory that is counted with no process: mounts of tmpfs, segments of System V, slab caches,
//! zram and zswap, graphics devices.
//!
//! Reads at the start and then every half minute, on a thread of its own, because opening files may stall.

use std::collections::HashSet;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FsWord, major, minor};
use rustix::io::Errno;
use rustix::process::getpid;

use crate::model::{
    GpuMemory, MemoryHolders, Reading, SlabCache, SysvShm, Text, TmpfsMount, ZswapSettings,
};
use crate::sample::absence::perhaps;
use crate::sample::file_buffer::FileBuffer;
use crate::sample::parse;
use crate::sample::parse::{DrmClient, TmpfsPoint};
use crate::sample::proc_root::ProcRoot;
use crate::sample::regular_file::plain_file;
use crate::units::{Bytes, Kib, Millis, PageSize};

/// Interval between two readings.
const INTERVAL: Millis = Millis(30_000);
/// Maximum number of bytes that are read of a file of `/proc`.
const FILE_MAX: usize = 1 << 20;
/// Maximum number of bytes that are read of a file of `/sys`, and of a descriptor.
const SMALL_FILE: u64 = 4096;
/// Maximum number of mounts and of processes that are kept.
const LIST_MAX: usize = 32;
/// Maximum number of slab caches that are kept.
const SLABS_MAX: usize = 8;
/// Maximum number of descriptors that are looked at in one reading.
const DESCRIPTORS_MAX: usize = 200_000;

/// The file type of tmpfs and devtmpfs (`include/uapi/linux/magic.h` `TMPFS_MAGIC`).
const TMPFS_MAGIC: FsWord = 0x0102_1994;

/// Reads the holders from time to time.
pub struct MemoryHolderReader {
    /// The root of the filesystem, where there is one.
    files: Option<PathBuf>,
    page: PageSize,
    buffer: FileBuffer,
    read: Option<Millis>,
    last: Arc<MemoryHolders>,
}

impl MemoryHolderReader {
    /// A reader of this filesystem, such as [`ProcRoot::filesystem`] gives it, and of the proc tree in it.
    #[must_use]
    pub fn new(files: Option<PathBuf>, page: PageSize) -> Self {
        Self { files, page, buffer: FileBuffer::new(), read: None, last: Arc::default() }
    }

    /// The result of the last reading; the same `Arc` as long as nothing changes.
    #[must_use]
    pub fn last(&self) -> &Arc<MemoryHolders> {
        &self.last
    }

    /// Reads again if the interval is over. `now` is a time on the snapshot's monotonic clock.
    pub fn read(&mut self, proc: &ProcRoot, now: Millis) {
        if self.read.is_some_and(|read| now.saturating_sub(read) < INTERVAL) {
            return;
        }
        self.read = Some(now);
        let holders = MemoryHolders {
            tmpfs: self.tmpfs(proc),
            sysv_shm: self.sysv_shm(proc),
            slabs: self.slabs(proc),
            zram_disks_kib: self.zram_disks(proc),
            zswap: self.zswap(),
            gpu: self.gpu(proc),
        };
        if holders != *self.last {
            self.last = Arc::new(holders);
        }
    }

    /// The mounts of the live machine: of another tree, the paths lead elsewhere.
    fn tmpfs(&mut self, proc: &ProcRoot) -> Reading<Vec<TmpfsMount>> {
        if !proc.is_live() {
            return Reading::NotAsked;
        }
        let read =
            self.buffer.read_start(proc, c"self/mountinfo", FILE_MAX).map(|(bytes, _)| bytes);
        let points = perhaps(read, |bytes| Some(parse::tmpfs_points(bytes)));
        points.map(|points| {
            let mut mounts: Vec<TmpfsMount> = points.iter().filter_map(mount).collect();
            mounts.sort_by_key(|it| std::cmp::Reverse(it.used_kib));
            mounts.truncate(LIST_MAX);
            mounts
        })
    }

    fn sysv_shm(&mut self, proc: &ProcRoot) -> Reading<SysvShm> {
        let read = self.buffer.read_start(proc, c"sysvipc/shm", FILE_MAX).map(|(bytes, _)| bytes);
        perhaps(read, |bytes| parse::sysvipc_shm(bytes).ok())
    }

    fn slabs(&mut self, proc: &ProcRoot) -> Reading<Vec<SlabCache>> {
        let page = self.page;
        let read = self.buffer.read_start(proc, c"slabinfo", FILE_MAX).map(|(bytes, _)| bytes);
        let mut slabs = perhaps(read, |bytes| parse::slabinfo(bytes, page, SLABS_MAX).ok());
        if let (Reading::Value(slabs), Some(files)) = (&mut slabs, &self.files) {
            let folder = files.join("sys/kernel/slab");
            for slab in slabs {
                slab.reclaimable = is_reclaimable(&folder, slab.name.as_str());
            }
        }
        slabs
    }

    /// RAM of the zram devices that hold no swap; missing where there is none.
    fn zram_disks(&mut self, proc: &ProcRoot) -> Reading<Kib> {
        let Some(files) = &self.files else { return Reading::NotAsked };
        let read = self.buffer.read_start(proc, c"swaps", FILE_MAX).map(|(bytes, _)| bytes);
        let areas = read.ok().and_then(|bytes| parse::swaps(bytes).ok()).unwrap_or_default();
        let Ok(devices) = fs::read_dir(files.join("sys/block")) else { return Reading::Missing };
        let used = devices.take(4096).flatten().filter_map(|device| {
            let number = parse::unsigned(device.file_name().as_bytes().strip_prefix(b"zram")?)?;
            let is_swap = areas.iter().any(|area| area.zram.map(u64::from) == Some(number));
            let stat =
                plain_file(&device.path().join("mm_stat"), SMALL_FILE).filter(|_| !is_swap)?;
            parse::zram_mm_stat(&stat).ok().map(|stat| stat.used)
        });
        used.reduce(|sum, used| sum + used).map_or(Reading::Missing, Reading::Value)
    }

    fn zswap(&self) -> Reading<ZswapSettings> {
        let Some(files) = &self.files else { return Reading::NotAsked };
        let setting = |name: &str| {
            plain_file(&files.join("sys/module/zswap/parameters").join(name), SMALL_FILE)
        };
        let Some(percent) = setting("max_pool_percent") else { return Reading::Missing };
        let percent = parse::unsigned(percent.trim_ascii()).filter(|percent| *percent <= 100);
        let enabled = setting("enabled").is_some_and(|it| it.trim_ascii() == b"Y");
        let settings = percent.and_then(|percent| {
            Some(ZswapSettings { enabled, max_pool_percent: u8::try_from(percent).ok()? })
        });
        settings.map_or(Reading::Missing, Reading::Value)
    }

    /// The processes with graphics memory; missing where there is no graphics device.
    fn gpu(&mut self, proc: &ProcRoot) -> Reading<Vec<GpuMemory>> {
        let Some(files) = &self.files else { return Reading::NotAsked };
        let has_device = fs::read_dir(files.join("dev/dri")).is_ok_and(|mut devices| {
            devices.any(|it| it.is_ok_and(|it| is_device(&it.file_name())))
        });
        if !has_device {
            return Reading::Missing;
        }
        let Ok(pids) = proc.pids() else { return Reading::Missing };
        // doomtop itself draws nothing there, and may have many descriptors.
        let own = proc.is_live().then(|| getpid().as_raw_nonzero().get());
        let (mut clients, mut descriptors, mut denied) = (HashSet::new(), 0, false);
        let mut found: Vec<GpuMemory> = Vec::new();
        for pid in pids.into_iter().filter(|&pid| Some(pid) != own) {
            match gpu_of(proc, pid, &mut clients, &mut descriptors) {
                Ok(gpu) => found.extend(gpu),
                Err(errno) => denied |= matches!(errno, Errno::ACCESS | Errno::PERM),
            }
            if descriptors > DESCRIPTORS_MAX {
                break;
            }
        }
        if found.is_empty() && denied {
            return Reading::Denied;
        }
        found.sort_by_key(|it| std::cmp::Reverse((it.ram_kib + it.device_kib, -it.pid)));
        found.truncate(LIST_MAX);
        Reading::Value(found)
    }
}

/// Whether a slab cache counts as slab that can be reclaimed.
fn is_reclaimable(folder: &Path, name: &str) -> Reading<bool> {
    if name.contains('/') || name.starts_with('.') {
        return Reading::Missing;
    }
    match plain_file(&folder.join(name).join("reclaim_account"), SMALL_FILE).as_deref() {
        Some(b"0\n") => Reading::Value(false),
        Some(b"1\n") => Reading::Value(true),
        _ => Reading::Missing,
    }
}

/// A device through which programs use a graphics card.
fn is_device(name: &std::ffi::OsStr) -> bool {
    [&b"card"[..], b"renderD"].iter().any(|prefix| name.as_bytes().starts_with(prefix))
}

/// The use of a mounted tmpfs; nothing for one that holds nothing, that has no maximum (the kernel tells no use
/// then, `mm/shmem.c` `shmem_statfs`), or that another filesystem was mounted over.
fn mount(at: &TmpfsPoint) -> Option<TmpfsMount> {
    let path = PathBuf::from(std::ffi::OsString::from_vec(at.point.clone()));
    let device = rustix::fs::stat(&path).ok()?.st_dev;
    if format!("{}:{}", major(device), minor(device)).as_bytes() != at.device {
        return None;
    }
    let stat = statfs(&path)?;
    Some(TmpfsMount { path: Text::new(&at.point), ..stat }).filter(|it| it.used_kib > Kib::ZERO)
}

fn statfs(path: &Path) -> Option<TmpfsMount> {
    let stat = rustix::fs::statfs(path).ok()?;
    if stat.f_type != TMPFS_MAGIC || stat.f_blocks == 0 {
        return None;
    }
    let block = u64::try_from(stat.f_bsize).ok()?;
    let kib = |blocks: u64| Kib(Bytes(blocks.saturating_mul(block)).0 / 1024);
    Some(TmpfsMount {
        used_kib: kib(stat.f_blocks.saturating_sub(stat.f_bfree)),
        size_kib: kib(stat.f_blocks),
        ..TmpfsMount::default()
    })
}

/// The graphics memory of a process. A client that another process had already is not counted again.
fn gpu_of(
    proc: &ProcRoot,
    pid: i32,
    clients: &mut HashSet<Vec<u8>>,
    descriptors: &mut usize,
) -> Result<Option<GpuMemory>, Errno> {
    let folder = proc.path().join(pid.to_string());
    let listed = fs::read_dir(folder.join("fd"));
    let listed = listed.map_err(|error| Errno::from_io_error(&error).unwrap_or(Errno::IO))?;
    let mut sum: Option<GpuMemory> = None;
    for descriptor in listed.flatten() {
        *descriptors += 1;
        let Ok(target) = fs::read_link(descriptor.path()) else { continue };
        if !target.starts_with("/dev/dri") {
            continue;
        }
        let file = folder.join("fdinfo").join(descriptor.file_name());
        let client = plain_file(&file, SMALL_FILE).and_then(|bytes| parse::drm_fdinfo(&bytes));
        let Some(DrmClient { id, ram, device }) = client else { continue };
        if !id.is_empty() && !clients.insert(id) {
            continue;
        }
        let sum = sum.get_or_insert(GpuMemory { pid, ..GpuMemory::default() });
        sum.ram_kib += ram;
        sum.device_kib += device;
    }
    Ok(sum.filter(|it| it.ram_kib + it.device_kib > Kib::ZERO))
}
