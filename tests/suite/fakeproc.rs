//! A folder that looks like `/proc`: files in the kernel's own formats, to be changed at will.

#![allow(dead_code, reason = "each test binary uses a part")]

use std::fs;
use std::path::{Path, PathBuf};

use doomtop::sample::proc_root::ProcRoot;
use nix::unistd::{SysconfVar, sysconf};
use tempfile::TempDir;

/// KiB in a page of the machine that runs the test.
pub fn page_kib() -> u64 {
    let bytes = sysconf(SysconfVar::PAGE_SIZE).expect("a page size").expect("a page size");
    u64::try_from(bytes).expect("a positive size") / 1024
}

/// One process to be written.
#[derive(Clone, Debug)]
pub struct Fake {
    pub pid: i32,
    pub comm: Vec<u8>,
    pub state: char,
    pub ppid: i32,
    pub session: i32,
    pub flags: u32,
    pub minor_faults: u64,
    pub major_faults: u64,
    /// User time; system time is 0.
    pub ticks: u64,
    pub nice: i8,
    pub threads: u32,
    pub born: u64,
    /// Pages.
    pub vsize: u64,
    /// Pages, in `stat` and in `status`.
    pub rss: u64,
    /// Pages more in `status` than in `stat`.
    pub uncounted: u64,
    /// Pages, of `rss`.
    pub shmem: u64,
    pub swap_kib: u64,
    pub pgt_kib: u64,
    pub adj: i32,
    pub score: u32,
    pub uid: u32,
    pub euid: u32,
    pub caps: u64,
    /// The whole file.
    pub cgroup: String,
    /// With its NULs.
    pub cmdline: Vec<u8>,
}

impl Default for Fake {
    fn default() -> Self {
        Self {
            pid: 100,
            comm: b"sleep".to_vec(),
            state: 'S',
            ppid: 1,
            session: 1,
            flags: 0x0040_0000,
            minor_faults: 50,
            major_faults: 0,
            ticks: 3,
            nice: 0,
            threads: 1,
            born: 5000,
            vsize: 1000,
            rss: 400,
            uncounted: 0,
            shmem: 0,
            swap_kib: 0,
            pgt_kib: 44,
            adj: 0,
            score: 666,
            uid: 1000,
            euid: 1000,
            caps: 0,
            cgroup: "0::/user.slice\n".to_owned(),
            cmdline: b"sleep\x0060\0".to_vec(),
        }
    }
}

impl Fake {
    fn has_mm(&self) -> bool {
        self.vsize > 0
    }

    pub fn stat(&self) -> Vec<u8> {
        let mut line = format!("{} (", self.pid).into_bytes();
        line.extend_from_slice(&self.comm);
        line.extend_from_slice(
            format!(
                ") {} {} {} {} 0 -1 {} {} 0 {} 0 {} 0 0 0 20 {} {} 0 {} {} {} 18446744073709551615 \
                 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
                self.state,
                self.ppid,
                self.pid,
                self.session,
                self.flags,
                self.minor_faults,
                self.major_faults,
                self.ticks,
                self.nice,
                self.threads,
                self.born,
                self.vsize * page_kib() * 1024,
                self.rss,
            )
            .as_bytes(),
        );
        line
    }

    pub fn status(&self) -> String {
        let kib = |pages: u64| pages * page_kib();
        let sizes = if self.has_mm() {
            format!(
                "VmPeak:\t{:8} kB\nVmSize:\t{:8} kB\nVmRSS:\t{:8} kB\nRssAnon:\t{:8} kB\n\
                 RssFile:\t{:8} kB\nRssShmem:\t{:8} kB\nVmPTE:\t{:8} kB\nVmSwap:\t{:8} kB\n",
                kib(self.vsize),
                kib(self.vsize),
                kib(self.rss + self.uncounted),
                kib(self.rss + self.uncounted - self.shmem),
                0,
                kib(self.shmem),
                self.pgt_kib,
                self.swap_kib,
            )
        } else {
            String::new()
        };
        format!(
            "Name:\t{}\nUmask:\t0022\nState:\t{} (x)\nTgid:\t{}\nPid:\t{}\nPPid:\t{}\n\
             Uid:\t{}\t{}\t{}\t{}\nGid:\t0\t0\t0\t0\nFDSize:\t64\nGroups:\t \n{sizes}\
             Threads:\t{}\nCapInh:\t0000000000000000\nCapPrm:\t{:016x}\nCapEff:\t{:016x}\n\
             Seccomp:\t0\n",
            String::from_utf8_lossy(&self.comm).escape_debug(),
            self.state,
            self.pid,
            self.pid,
            self.ppid,
            self.uid,
            self.euid,
            self.euid,
            self.euid,
            self.threads,
            self.caps,
            self.caps,
        )
    }
}

/// `PF_KTHREAD`.
pub const KERNEL_THREAD: u32 = 0x0020_0000;

/// A kernel thread.
pub fn kernel_thread(pid: i32, comm: &str) -> Fake {
    Fake {
        pid,
        comm: comm.as_bytes().to_vec(),
        flags: KERNEL_THREAD,
        ppid: if pid == 2 { 0 } else { 2 },
        vsize: 0,
        rss: 0,
        score: 0,
        uid: 0,
        euid: 0,
        cgroup: "0::/\n".to_owned(),
        cmdline: Vec::new(),
        ..Fake::default()
    }
}

/// The folder. It goes away with this value.
pub struct FakeProc {
    folder: TempDir,
    proc: PathBuf,
}

impl FakeProc {
    /// A machine of 8 GiB with 1 GiB of swap, up for 1000 seconds, without processes.
    pub fn new() -> Self {
        let folder = TempDir::new().expect("a folder");
        let proc = folder.path().to_owned();
        Self::filled(Self { folder, proc })
    }

    /// The same as the folder `proc` of a whole filesystem.
    pub fn of_machine() -> Self {
        let folder = TempDir::new().expect("a folder");
        let proc = folder.path().join("proc");
        fs::create_dir(&proc).expect("a folder");
        Self::filled(Self { folder, proc })
    }

    /// Writes a file of the filesystem around it.
    pub fn beside(&self, file: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a writable file");
        self
    }

    /// Makes a link below `/proc`.
    pub fn link(&self, file: &str, target: &str) -> &Self {
        let path = self.at(file);
        let _ = fs::remove_file(&path);
        std::os::unix::fs::symlink(target, path).expect("a link");
        self
    }

    fn filled(fake: Self) -> Self {
        fake.meminfo(8 << 20, 1 << 20)
            .swap_traffic(0)
            .file("uptime", "1000.25 3000.00\n")
            .file("loadavg", "0.50 0.25 0.12 1/100 4242\n")
            .file(
                "pressure/memory",
                "some avg10=1.50 avg60=0.20 avg300=0.00 total=1234\n\
                 full avg10=0.50 avg60=0.10 avg300=0.00 total=567\n",
            )
            .file("sys/vm/overcommit_memory", "0\n")
            .file("sys/vm/overcommit_ratio", "50\n")
            .file("sys/vm/overcommit_kbytes", "0\n")
            .file("sys/kernel/osrelease", "6.18.0-test\n")
            .file("sys/kernel/hostname", "fake\n")
            .file("sys/kernel/random/boot_id", "00000000-0000-0000-0000-000000000001\n");
        fake
    }

    pub fn path(&self) -> &Path {
        &self.proc
    }

    pub fn at(&self, file: &str) -> PathBuf {
        self.path().join(file)
    }

    pub fn root(&self) -> ProcRoot {
        ProcRoot::open(self.path()).expect("the folder")
    }

    /// Writes a file in place: whoever has it open reads the new content.
    pub fn file(&self, file: &str, content: impl AsRef<[u8]>) -> &Self {
        let path = self.at(file);
        fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        fs::write(path, content).expect("a writable file");
        self
    }

    pub fn remove(&self, pid: i32) -> &Self {
        fs::remove_dir_all(self.at(&pid.to_string())).expect("a process");
        self
    }

    pub fn meminfo(&self, total_kib: u64, swap_kib: u64) -> &Self {
        let free = total_kib / 2;
        self.file(
            "meminfo",
            format!(
                "MemTotal:       {total_kib} kB\nMemFree:        {free} kB\n\
                 MemAvailable:   {free} kB\nBuffers:            1000 kB\nCached:            20000 kB\n\
                 SwapCached:            0 kB\nActive:            12208 kB\nInactive:          8276 kB\n\
                 Dirty:                 0 kB\nWriteback:             0 kB\nMapped:           1028 kB\n\
                 SwapTotal:      {swap_kib} kB\nSwapFree:       {swap_kib} kB\nShmem:              4000 kB\n\
                 Slab:              68048 kB\nSReclaimable:      3000 kB\nSUnreclaim:        2246 kB\n\
                 CommitLimit:    {free} kB\nCommitted_AS:      55508 kB\nVmallocTotal:   34359738367 kB\n\
                 VmallocUsed:       14284 kB\nVmallocChunk:          0 kB\nHugetlb:            2048 kB\n"
            ),
        )
    }

    pub fn swap_traffic(&self, pages: u64) -> &Self {
        self.file(
            "vmstat",
            format!("nr_free_pages 6111235\npswpin 0\npswpout {pages}\noom_kill 2\n"),
        )
    }

    /// Writes all files of a process.
    pub fn process(&self, fake: Fake) -> &Self {
        let pid = fake.pid;
        self.file(&format!("{pid}/stat"), fake.stat())
            .file(&format!("{pid}/status"), fake.status())
            .file(&format!("{pid}/oom_score_adj"), format!("{}\n", fake.adj))
            .file(&format!("{pid}/oom_score"), format!("{}\n", fake.score))
            .file(&format!("{pid}/cgroup"), &fake.cgroup)
            .file(&format!("{pid}/cmdline"), &fake.cmdline)
    }

    /// Writes `stat` and `status` of a thread; `fake.pid` is its own number.
    pub fn thread(&self, pid: i32, fake: &Fake) -> &Self {
        let tid = fake.pid;
        self.file(&format!("{pid}/task/{tid}/stat"), fake.stat())
            .file(&format!("{pid}/task/{tid}/status"), fake.status())
    }
}
