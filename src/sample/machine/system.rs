//! Reads the system-wide facts of a sample through files that stay open. What the headline needs is read
//! without an allocation in the kernel, as far as the files allow that.

use std::sync::Arc;

use crate::model::{
    Machine, MemoryUses, Overcommit, OvercommitMode, PanicOnOom, Pressure, Reading, Swap, Sysctls,
    VmCounters,
};
use crate::sample::Unreadable;
use crate::sample::absence::perhaps;
use crate::sample::file_buffer::FileBuffer;
use crate::sample::machine::vmstat_reader::VmstatReader;
use crate::sample::machine::zram::ZramFiles;
use crate::sample::open_file::{NUMBER_MAX, OpenFile};
use crate::sample::parse;
use crate::sample::parse::{MemInfo, ParseError};
use crate::sample::proc_root::ProcRoot;
use crate::units::{Kib, Ticks};

/// The system-wide facts of a sample.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct SystemSample {
    /// RAM, swap and committed memory.
    pub meminfo: MemInfo,
    /// What RAM is used for beside processes.
    pub uses: MemoryUses,
    /// Swap, including an area that is being switched off.
    pub swap: Swap,
    /// The overcommit sysctls, the commit limit and the committed memory.
    pub overcommit: Overcommit,
    /// The sysctls that decide what an OOM does.
    pub sysctls: Sysctls,
    /// Pressure stall information; missing if the kernel does not account it.
    pub pressure: Pressure,
    /// Counters since boot (`/proc/vmstat`).
    pub traffic: VmCounters,
    /// Load averages over 1, 5 and 15 minutes.
    pub load: [f32; 3],
    /// Clock ticks since boot.
    pub uptime: Ticks,
    /// Pages that processes can have gained since boot, all together, at most.
    pub gained_pages: Option<u64>,
    /// Pages that processes gave back with `MADV_FREE` since boot.
    pub lazy_freed: Option<u64>,
    /// The pid that was given away last.
    pub last_pid: Option<i32>,
}

impl SystemSample {
    /// Pages swapped in and out since boot.
    #[must_use]
    pub fn swap_traffic(&self) -> u64 {
        (self.traffic.swap_in_pages + self.traffic.swap_out_pages).0
    }
}

/// The system-wide files, kept open.
pub struct SystemFiles {
    meminfo: OpenFile,
    vmstat: VmstatReader,
    pressure: OpenFile,
    io_pressure: OpenFile,
    loadavg: OpenFile,
    uptime: OpenFile,
    mode: OpenFile,
    ratio: OpenFile,
    kbytes: OpenFile,
    admin_reserve: OpenFile,
    user_reserve: OpenFile,
    panic: OpenFile,
    allocating: OpenFile,
    swappiness: OpenFile,
    swaps: OpenFile,
    zram: ZramFiles,
    buffer: FileBuffer,
}

/// Reads a file without which there is no sample.
fn vital<T>(
    file: &mut OpenFile,
    root: &ProcRoot,
    buffer: &mut FileBuffer,
    parse: impl FnOnce(&[u8]) -> Result<T, ParseError>,
) -> Result<T, Unreadable> {
    let read = match file.read(root, buffer) {
        Ok(bytes) => parse(bytes).map_err(|error| error.to_string()),
        Err(errno) => Err(errno.to_string()),
    };
    read.map_err(|why| {
        file.close();
        root.unreadable(&file.path().to_string_lossy(), &why)
    })
}

impl SystemFiles {
    /// Opens the files that exist.
    #[must_use]
    pub fn open(root: &Arc<ProcRoot>) -> Self {
        Self {
            meminfo: OpenFile::open(root, c"meminfo"),
            vmstat: VmstatReader::start(root),
            pressure: OpenFile::open(root, c"pressure/memory"),
            io_pressure: OpenFile::open(root, c"pressure/io"),
            loadavg: OpenFile::open(root, c"loadavg"),
            uptime: OpenFile::open(root, c"uptime"),
            mode: OpenFile::open(root, c"sys/vm/overcommit_memory"),
            ratio: OpenFile::open(root, c"sys/vm/overcommit_ratio"),
            kbytes: OpenFile::open(root, c"sys/vm/overcommit_kbytes"),
            admin_reserve: OpenFile::open(root, c"sys/vm/admin_reserve_kbytes"),
            user_reserve: OpenFile::open(root, c"sys/vm/user_reserve_kbytes"),
            panic: OpenFile::open(root, c"sys/vm/panic_on_oom"),
            allocating: OpenFile::open(root, c"sys/vm/oom_kill_allocating_task"),
            swappiness: OpenFile::open(root, c"sys/vm/swappiness"),
            swaps: OpenFile::open(root, c"swaps"),
            zram: ZramFiles::new(root.filesystem()),
            buffer: FileBuffer::new(),
        }
    }

    /// Reads the files. After an error, the next call tries again.
    ///
    /// # Errors
    ///
    /// If `meminfo` or `uptime` cannot be read: without them no process can be judged.
    pub fn read(&mut self, root: &ProcRoot, machine: &Machine) -> Result<SystemSample, Unreadable> {
        let buffer = &mut self.buffer;
        let meminfo = vital(&mut self.meminfo, root, buffer, parse::meminfo)?;
        // In a container both files may be synthetic (lxcfs) and not agree with each other.
        let areas = if machine.initial_pid_namespace && meminfo.swap.total_kib > Kib::ZERO {
            perhaps(self.swaps.read(root, buffer), |bytes| parse::swaps(bytes).ok())
        } else {
            Reading::NotAsked
        };
        let areas = areas.value().unwrap_or_default();
        let page = Kib(machine.page_size.0 / 1024);
        let swap = Swap {
            leaving_kib: parse::leaving(&areas, meminfo.swap.total_kib, page),
            zram: self.zram.read(&areas),
            ..meminfo.swap
        };
        let rate = machine.tick_rate;
        let uptime = vital(&mut self.uptime, root, buffer, |bytes| parse::uptime(bytes, rate))?;
        let sysctl = |file: &mut OpenFile| {
            let mut room = [0; NUMBER_MAX];
            perhaps(file.read_number(root, &mut room), |bytes| {
                parse::lone_number("sys/vm", bytes).ok().and_then(|n| u64::try_from(n).ok())
            })
        };
        let pressure =
            perhaps(self.pressure.read(root, buffer), |bytes| parse::pressure(bytes).ok());
        let io = perhaps(self.io_pressure.read(root, buffer), |bytes| parse::pressure(bytes).ok());
        let counters = self.vmstat.read();
        let zspages = counters.zspages.filter(|_| meminfo.uses != MemoryUses::missing());
        let zspages = zspages.map(|pages| Kib(pages.bytes(machine.page_size).0 / 1024));
        let mut last_pid = None;
        let load = perhaps(self.loadavg.read(root, buffer), |bytes| {
            last_pid = parse::last_pid(bytes);
            parse::loadavg(bytes).ok()
        });
        Ok(SystemSample {
            meminfo,
            uses: MemoryUses {
                zspages_kib: zspages.map_or(Reading::Missing, Reading::Value),
                ..meminfo.uses
            },
            swap,
            sysctls: Sysctls {
                panic_on_oom: sysctl(&mut self.panic)
                    .map(|mode| PanicOnOom::from(u8::try_from(mode).unwrap_or(u8::MAX))),
                oom_kill_allocating_task: sysctl(&mut self.allocating).map(|mode| mode != 0),
                swappiness: sysctl(&mut self.swappiness),
            },
            overcommit: Overcommit {
                mode: sysctl(&mut self.mode)
                    .map(|mode| OvercommitMode::from(u8::try_from(mode).unwrap_or(u8::MAX))),
                ratio: sysctl(&mut self.ratio),
                kbytes: sysctl(&mut self.kbytes).map(Kib),
                limit_kib: meminfo.commit_limit,
                committed_kib: meminfo.committed,
                admin_reserve_kib: sysctl(&mut self.admin_reserve).map(Kib),
                user_reserve_kib: sysctl(&mut self.user_reserve).map(Kib),
            },
            pressure: match pressure {
                Reading::Value(pressure) => pressure,
                Reading::Denied => Pressure::of_memory(Reading::Denied, Reading::Denied),
                _ => Pressure::of_memory(Reading::Missing, Reading::Missing),
            }
            .with_io(io),
            traffic: counters
                .traffic
                .value()
                .unwrap_or(VmCounters { oom_kills: Reading::Missing, ..VmCounters::default() }),
            load: load.value().unwrap_or_default(),
            uptime,
            gained_pages: counters.gained_pages,
            lazy_freed: counters.lazy_freed,
            last_pid,
        })
    }
}
