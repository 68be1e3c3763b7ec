//! Reads the facts of the machine that do not change while it runs.

use nix::unistd::{SysconfVar, sysconf};

use crate::model::{Machine, NumaNode, Process, RssSource, ScoreScale, Text};
use crate::sample::file_buffer::FileBuffer;
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::row::{OpenByPath, RowBuffers};
use crate::units::{PageSize, TickRate};

/// Link of the initial pid namespace (`PROC_PID_INIT_INO`, `include/linux/proc_ns.h`).
const INITIAL_PID_NAMESPACE: &str = "pid:[4026531836]";

fn constant(which: SysconfVar) -> Option<u64> {
    sysconf(which).ok().flatten().and_then(|value| u64::try_from(value).ok())
}

/// The content of a file with one line; `None` if it is empty.
fn line(root: &ProcRoot, path: &std::ffi::CStr, buffer: &mut FileBuffer) -> Option<Text> {
    let bytes = buffer.read(root, path).ok()?.trim_ascii();
    (!bytes.is_empty()).then(|| Text::new(bytes))
}

/// Reads the facts. The scale of `oom_score` is that of the kernel version, until
/// [`calibration`](crate::sample::machine::oom_score_scale) finds the real one.
#[must_use]
pub fn machine(root: &ProcRoot) -> Machine {
    let mut buffer = FileBuffer::new();
    let buffer = &mut buffer;
    let uname = nix::sys::utsname::uname().ok();
    let text =
        |words: Option<&std::ffi::OsStr>| Text::new(words.unwrap_or_default().as_encoded_bytes());
    let own_name = || {
        sysinfo::System::host_name()
            .map_or_else(|_| Text::default(), |name| Text::new(name.as_bytes()))
    };
    let mut machine = Machine {
        name: line(root, c"sys/kernel/hostname", buffer).unwrap_or_else(own_name),
        kernel: line(root, c"sys/kernel/osrelease", buffer)
            .unwrap_or_else(|| text(uname.as_ref().map(|uname| uname.release()))),
        arch: text(uname.as_ref().map(|uname| uname.machine())),
        boot_id: line(root, c"sys/kernel/random/boot_id", buffer).unwrap_or_default(),
        page_size: constant(SysconfVar::PAGE_SIZE).map_or_else(PageSize::default, PageSize),
        tick_rate: constant(SysconfVar::CLK_TCK).map_or_else(TickRate::default, TickRate),
        cpus: constant(SysconfVar::_NPROCESSORS_ONLN)
            .and_then(|count| u32::try_from(count).ok())
            .unwrap_or(0),
        initial_pid_namespace: initial_pid_namespace(root),
        nodes: nodes(root, buffer),
        ..Machine::default()
    };
    let version = machine.kernel_version();
    machine.rss_source = rss_source(version);
    machine.score_scale = scale_by_version(version);
    machine
}

/// The NUMA nodes; none if there is only one.
fn nodes(root: &ProcRoot, buffer: &mut FileBuffer) -> Vec<NumaNode> {
    // The file arrives in several pieces and grows with the number of nodes times the number of
    // CPUs.
    let read = buffer.read_start(root, c"zoneinfo", 1 << 20);
    let found = read.map_or_else(|_| Vec::new(), |(bytes, _)| parse::zoneinfo(bytes));
    if found.len() > 1 { found } else { Vec::new() }
}

/// Whether pid 1 of this tree is the init of the machine. Only the initial pid namespace has kernel
/// threads, and pid 2 is the first of them. If pid 2 is hidden, the namespace of doomtop tells,
/// provided that the tree belongs to it: in the host's tree, seen from a container, `self` links to
/// the namespace of the container.
fn initial_pid_namespace(root: &ProcRoot) -> bool {
    if let Ok(stat) = RowBuffers::new(PageSize::default()).stat(&OpenByPath { root, pid: 2 }) {
        return stat.flags & Process::PF_KTHREAD != 0;
    }
    let mut room = [0; 64];
    let link = rustix::fs::readlinkat_raw(root, c"self/ns/pid", &mut room[..]);
    root.is_live() && link.is_ok_and(|length| room[..length] == *INITIAL_PID_NAMESPACE.as_bytes())
}

/// The file with the counter that the OOM killer of a kernel version reads. Near ties between
/// victims showed:
///
/// | kernel | the OOM killer reads | `stat` field 24 | `status` |
/// |---|---|---|---|
/// | to 6.1 | one counter | the same | the same |
/// | 6.2 to 6.15 | the approximate per-CPU counter | the same | the same |
/// | 6.16 to 6.19 (and 6.12 with backports) | the approximate counter | the same | the exact sum |
/// | 7.0 and later | the exact sum | the approximate counter | the same |
#[must_use]
pub fn rss_source(version: (u32, u32)) -> RssSource {
    if version >= (7, 0) { RssSource::Status } else { RssSource::Stat }
}

/// The scale of `oom_score` of a kernel version, for when no scores could be compared. Late 5.4
/// kernels also have the signed scale; for them it may be wrong.
#[must_use]
pub fn scale_by_version(version: (u32, u32)) -> ScoreScale {
    if version >= (5, 9) { ScoreScale::Signed } else { ScoreScale::Floored }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernel_version_selects_the_file_and_the_scale() {
        for (version, source) in [
            ((5, 15), RssSource::Stat),
            ((6, 1), RssSource::Stat),
            ((6, 19), RssSource::Stat),
            ((7, 0), RssSource::Status),
            ((7, 2), RssSource::Status),
        ] {
            assert_eq!(rss_source(version), source);
        }
        assert_eq!(scale_by_version((5, 8)), ScoreScale::Floored);
        assert_eq!(scale_by_version((5, 9)), ScoreScale::Signed);
    }
}
