//! Reads the usage of a few domains again and again between samples: one `pread` each, from files that stay
//! open while the domain is followed.

use std::ffi::CStr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use rustix::io::Errno;

use crate::model::{Scope, Text, UsageReading, machine_usage, unescape};
use crate::sample::cgroup::directory::{CgroupBuffers, push};
use crate::sample::cgroup::mount::Mount;
use crate::sample::cgroup::usage::{level_files, number};
use crate::sample::file_buffer::open;
use crate::sample::parse;
use crate::sample::proc_root::ProcRoot;
use crate::units::{Bytes, Millis};

/// The usage files of the domains that are followed. While none is, no file is open.
pub struct DomainUsage {
    root: ProcRoot,
    mount: Option<Mount>,
    open: Vec<FollowedDomain>,
    buffers: CgroupBuffers,
}

struct FollowedDomain {
    name: Arc<Text>,
    /// `memory.current`, `memory.usage_in_bytes`, or `/proc/meminfo` of the machine.
    file: OwnedFd,
}

impl DomainUsage {
    /// A reader that follows nothing yet.
    #[must_use]
    pub fn new(root: ProcRoot) -> Self {
        Self { root, mount: None, open: Vec::new(), buffers: CgroupBuffers::new() }
    }

    /// Whether no file is open.
    #[must_use]
    pub const fn is_idle(&self) -> bool {
        self.open.is_empty()
    }

    /// Follows these domains from now on, and closes the files of all others. A domain without a usage file
    /// is left out.
    pub fn follow(&mut self, domains: &[Arc<Text>]) {
        self.open.retain(|it| domains.contains(&it.name));
        for name in domains {
            if !self.open.iter().any(|it| it.name == *name)
                && let Some(file) = self.open_file(name)
            {
                self.open.push(FollowedDomain { name: Arc::clone(name), file });
            }
        }
        self.let_go();
    }

    /// Reads all of them at this time. The files of a domain that is gone are closed.
    pub fn read(&mut self, now: Millis) -> Vec<UsageReading> {
        let mut readings = Vec::with_capacity(self.open.len());
        let buffer = &mut self.buffers.buffer;
        self.open.retain(|domain| {
            let is_machine = domain.name.as_str() == Scope::GLOBAL;
            let read = if is_machine {
                buffer.again_to_end(&domain.file)
            } else {
                buffer.again(&domain.file)
            };
            let usage = match read {
                Ok(bytes) if is_machine => machine_usage_in(bytes),
                Ok(bytes) => number(bytes).map(Bytes),
                // The directory of a cgroup was removed.
                Err(Errno::NODEV | Errno::NOENT) => return false,
                Err(_) => None,
            };
            readings.extend(usage.map(|usage| UsageReading {
                domain: Arc::clone(&domain.name),
                read_ms: now,
                usage,
            }));
            true
        });
        self.let_go();
        readings
    }

    /// Closes the mount point as well where nothing is followed.
    fn let_go(&mut self) {
        if self.open.is_empty() {
            self.mount = None;
        }
    }

    fn open_file(&mut self, name: &Text) -> Option<OwnedFd> {
        if name.as_str() == Scope::GLOBAL {
            return open(&self.root, c"meminfo").ok();
        }
        if self.mount.is_none() {
            self.mount = Mount::find(&self.root, &mut self.buffers);
        }
        let mount = self.mount.as_ref()?;
        let mut path = mount.relative(&unescape(name.as_str()))?;
        push(&mut path, level_files(mount.hierarchy)[0]);
        path.push(0);
        open(&mount.dir, CStr::from_bytes_until_nul(&path).ok()?).ok()
    }
}

fn machine_usage_in(meminfo: &[u8]) -> Option<Bytes> {
    let read = parse::meminfo(meminfo).ok()?;
    Some(machine_usage(&read.memory, &read.swap))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;

    const MEMINFO: &str = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 300 kB\nBuffers: 0 kB\n\
        Cached: 0 kB\nSwapCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nDirty: 0 kB\nWriteback: 0 kB\n\
        Mapped: 0 kB\nSwapTotal: 100 kB\nSwapFree: 60 kB\nShmem: 0 kB\nSlab: 0 kB\nCommitted_AS: 0 kB\n\
        VmallocTotal: 0 kB\nVmallocUsed: 0 kB\nVmallocChunk: 0 kB\n";

    /// A proc tree and a version 2 hierarchy in a folder.
    fn tree(root: &Path) -> DomainUsage {
        fs::create_dir(root.join("self")).unwrap();
        let line = format!("1 2 0:3 / {} rw - cgroup2 - rw\n", root.display());
        fs::write(root.join("self/mountinfo"), line).unwrap();
        fs::write(root.join("cgroup.controllers"), "memory\n").unwrap();
        fs::write(root.join("meminfo"), MEMINFO).unwrap();
        for (path, usage) in [("a", "77\n"), ("a/b c", "78\n")] {
            fs::create_dir(root.join(path)).unwrap();
            fs::write(root.join(path).join("memory.current"), usage).unwrap();
        }
        DomainUsage::new(ProcRoot::open(root).unwrap())
    }

    fn text(path: &str) -> Arc<Text> {
        Arc::new(Text::new(path.as_bytes()))
    }

    fn read(usage: &mut DomainUsage) -> Vec<(String, u64)> {
        let readings = usage.read(Millis(5)).into_iter();
        readings.map(|it| (it.domain.as_str().to_owned(), it.usage.0)).collect()
    }

    #[test]
    fn it_reads_those_that_it_follows_and_nothing_else() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut usage = tree(folder.path());
        assert!(usage.is_idle());
        usage.follow(&[text("/a/b c"), text("global"), text("/none"), text("/a/../a")]);
        let machine = ("global".to_owned(), (1000 + 100 - 300 - 60) * 1024);
        assert_eq!(read(&mut usage), [("/a/b c".to_owned(), 78), machine]);
        fs::write(folder.path().join("a/b c/memory.current"), "80\n").unwrap();
        usage.follow(&[text("/a/b c"), text("/a")]);
        assert_eq!(read(&mut usage), [("/a/b c".to_owned(), 80), ("/a".to_owned(), 77)]);
        usage.follow(&[]);
        assert!(usage.is_idle() && usage.mount.is_none());
        assert_eq!(read(&mut usage), []);
    }

    #[test]
    fn content_that_is_no_number_is_no_reading() {
        let folder = tempfile::TempDir::new().unwrap();
        let mut usage = tree(folder.path());
        usage.follow(&[text("/a"), text("global")]);
        fs::write(folder.path().join("a/memory.current"), "x\n").unwrap();
        fs::write(folder.path().join("meminfo"), "MemTotal: 1").unwrap();
        assert_eq!(read(&mut usage), []);
        assert!(!usage.is_idle(), "the next one may be good");
    }
}
