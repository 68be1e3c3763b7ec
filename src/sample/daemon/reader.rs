//! Finds the userspace OOM killers of this machine and the options that they run with: those of
//! their files, and those of the command line of a running one, which take precedence.
//!
//! Reads at the start, when a killer starts or ends, and every half minute, on the walker's thread, because opening
//! files may stall.

use std::ffi::CStr;
use std::path::PathBuf;
use std::sync::Arc;

use rustix::fs::readlinkat;
use rustix::process::geteuid;

use crate::model::{Comm, InstalledKillers, Process};
use crate::sample::daemon::search::{FileSearch, Running};
use crate::sample::daemon::{earlyoom, kubelet, nohang, oomd, systemd_oomd};
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::unit;
use crate::units::Millis;

/// Maximum interval between two readings.
const INTERVAL: Millis = Millis(30_000);
/// Minimum interval between two readings: any user can start processes with the name of a killer.
const MIN_INTERVAL: Millis = Millis(1000);

/// Maximum number of bytes that are read of a file of a killer's process.
const PROC_FILE_MAX: usize = 1 << 16;

/// The names of the killers, as `comm` has them.
const COMMS: [&str; 5] =
    [earlyoom::COMM, nohang::COMM, systemd_oomd::COMM, oomd::COMM, kubelet::COMM];

/// Whether a process with this name may be a killer.
#[must_use]
pub fn is_name_of_killer(comm: &Comm) -> bool {
    COMMS.into_iter().any(|name| name.as_bytes() == comm.bytes())
}

/// The options of all killers.
fn killers(search: &FileSearch<'_>) -> InstalledKillers {
    InstalledKillers {
        earlyoom: earlyoom::read(search),
        nohang: nohang::read(search, nohang::Config::Server),
        nohang_desktop: nohang::read(search, nohang::Config::Desktop),
        systemd_oomd: systemd_oomd::read(search),
        oomd: oomd::read(search),
        kubelet: kubelet::read(search),
    }
}

/// Reads the killers and their options from time to time.
pub struct KillerReader {
    /// The root of the filesystem, where there is one.
    files: Option<PathBuf>,
    buffer: FileBuffer,
    read: Option<Millis>,
    /// The processes with the name of a killer, at the last reading.
    seen: u64,
    last: Arc<InstalledKillers>,
}

impl KillerReader {
    /// A reader of the filesystem with this root, such as [`ProcRoot::filesystem`] gives it. Without
    /// one, all killers stay absent.
    #[must_use]
    pub fn new(files: Option<PathBuf>) -> Self {
        Self { files, buffer: FileBuffer::new(), read: None, seen: 0, last: Arc::default() }
    }

    /// The result of the last reading; the same `Arc` as long as nothing changes.
    #[must_use]
    pub fn last(&self) -> &Arc<InstalledKillers> {
        &self.last
    }

    /// Reads again if a process with the name of a killer has come or gone, or the interval is over. `rows` are the
    /// processes; `now` is a time on the snapshot's monotonic clock.
    pub fn read<'a>(
        &mut self,
        proc: &ProcRoot,
        rows: impl Iterator<Item = &'a Process> + Clone,
        now: Millis,
    ) {
        let Some(files) = &self.files else { return };
        let seen = fingerprint(rows.clone());
        let interval = if seen == self.seen { INTERVAL } else { MIN_INTERVAL };
        if self.read.is_some_and(|read| now.saturating_sub(read) < interval) {
            return;
        }
        (self.read, self.seen) = (Some(now), seen);
        let running = running(proc, rows, &mut self.buffer);
        let killers = killers(&FileSearch::new(files, running));
        if killers != *self.last {
            self.last = Arc::new(killers);
        }
    }
}

/// A number that changes when a process with the name of a killer comes or goes.
fn fingerprint<'a>(rows: impl Iterator<Item = &'a Process>) -> u64 {
    let killers = rows.filter(|row| is_name_of_killer(&row.comm));
    let mixed = killers.map(|row| {
        let id = row.id.born.0 ^ u64::from(row.id.pid.unsigned_abs()).rotate_left(32);
        // Any odd constant with many bits: the sum of two ids must not be that of two others.
        id.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
    });
    mixed.fold(0, u64::wrapping_add)
}

/// The running killers among these processes.
fn running<'a>(
    proc: &ProcRoot,
    rows: impl Iterator<Item = &'a Process>,
    buffer: &mut FileBuffer,
) -> Vec<Running> {
    let mut found = Vec::new();
    for process in rows {
        let comm = COMMS.into_iter().find(|comm| comm.as_bytes() == process.comm.bytes());
        let Some(comm) = comm.filter(|_| is_trusted(proc, process, buffer)) else { continue };
        let path = ProcPath::of(process.id.pid, "cmdline");
        let line = buffer.read_start(proc, path.as_c_str(), PROC_FILE_MAX);
        let args = line.map_or_else(|_| Vec::new(), |(bytes, _)| arguments(bytes));
        found.push(Running { comm, pid: process.id.pid, args });
    }
    found
}

/// Whether a process with the name of a killer is trusted to be one. Any process can take that name,
/// and doomtop opens the files that its command line names. Trusted are processes of root, of
/// doomtop's own user, and of the service of that name, which may run as a user of its own. Both the
/// real and the effective id count, because the user who starts a set-uid program chooses its command
/// line.
///
/// Root of a container is another root: a killer in a pid namespace below doomtop's kills nobody here, and a
/// path in another mount namespace names another file. Only a service of this machine may have mounts of its
/// own, as systemd gives them to many.
fn is_trusted(proc: &ProcRoot, process: &Process, buffer: &mut FileBuffer) -> bool {
    let mut read = |file| {
        let path = ProcPath::of(process.id.pid, file);
        let read = buffer.read_start(proc, path.as_c_str(), PROC_FILE_MAX);
        read.map(|(bytes, _)| bytes.to_vec()).ok()
    };
    let status = read("status").and_then(|bytes| {
        let ids = parse::status(&bytes, false).ok()?.ids;
        Some((bytes, ids))
    });
    let Some((status, ids)) = status else { return false };
    if is_in_nested_pid_namespace(&status) {
        return false;
    }
    let own = geteuid().as_raw();
    let by_user = [ids.uid, ids.euid].iter().all(|&uid| uid == 0 || uid == own);
    if by_user && !has_own_mounts(proc, process.id.pid) {
        return true;
    }
    let cgroups = read("cgroup").unwrap_or_default();
    let Some(path) = unit::managed(&cgroups).and_then(|it| std::str::from_utf8(it).ok()) else {
        return false;
    };
    // Not only in system.slice: that of nohang is hostcritical.slice. Below user.slice, users have services.
    let is_of_system = !path.starts_with("/user.slice/");
    let service = unit::service_of(path).filter(|(_, of_a_user)| is_of_system && !of_a_user);
    let name = service.and_then(|(name, _)| name.as_bytes().strip_prefix(process.comm.bytes()));
    name == Some(b".service")
}

/// Whether `status` shows a pid in a namespace below that of the proc tree (`NSpid`, 4.1 and later).
fn is_in_nested_pid_namespace(status: &[u8]) -> bool {
    let mut lines = status.split(|&byte| byte == b'\n');
    let pids = lines.find_map(|line| line.strip_prefix(b"NSpid:"));
    pids.is_some_and(|pids| {
        pids.split(u8::is_ascii_whitespace).filter(|it| !it.is_empty()).count() > 1
    })
}

/// Whether a process is known to be in another mount namespace than doomtop. Where that may not be read,
/// doomtop may not read the files of another user either.
fn has_own_mounts(proc: &ProcRoot, pid: i32) -> bool {
    let namespace = |path: &CStr| readlinkat(proc, path, Vec::new()).ok();
    let path = ProcPath::of(pid, "ns/mnt");
    namespace(path.as_c_str()).zip(namespace(c"self/ns/mnt")).is_some_and(|(its, own)| its != own)
}

/// The arguments of a command line, as `/proc/PID/cmdline` separates them.
fn arguments(bytes: &[u8]) -> Vec<Vec<u8>> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}
