//! Memory cgroups of our own, one below the other. All of them are gone when the test is over.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use crate::cgroup::Cgroup;

/// How the cgroup of a run is called, before the pid of the program that made it.
const NAME: &str = "doomtop-oom-";
/// How long a cgroup is waited for whose last processes are on their way out.
const PATIENCE: Duration = Duration::from_secs(10);

/// The cgroup that holds all others of a run. Its limit protects the machine.
pub struct Nest {
    root: Cgroup,
}

/// One cgroup below it.
pub struct Group {
    dir: PathBuf,
    /// Its path as `/proc/PID/cgroup` tells it.
    pub path: String,
    version: u8,
}

impl Nest {
    /// Makes it, or says why that cannot be.
    pub fn make(limit: u64) -> Result<Self, String> {
        let root = Cgroup::make(limit)?;
        remove_forgotten(root.dir());
        if root.version == 2 {
            let hand_down = root.set("cgroup.subtree_control", "+memory");
            hand_down.map_err(|error| format!("cgroup.subtree_control: {error}"))?;
        }
        Ok(Self { root })
    }

    /// Makes a cgroup in it, with this limit in bytes.
    pub fn group(&self, name: &str, limit: Option<u64>) -> Result<Group, String> {
        Group::make(self.root.dir(), &self.root.path, name, limit, self.root.version)
    }

    /// Its path as `/proc/PID/cgroup` tells it.
    pub fn path(&self) -> &str {
        &self.root.path
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        self.root.dir()
    }
}

impl Group {
    fn make(
        parent: &Path,
        path: &str,
        name: &str,
        limit: Option<u64>,
        version: u8,
    ) -> Result<Self, String> {
        let (dir, path) = (parent.join(name), format!("{path}/{name}"));
        fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        let group = Self { dir, path, version };
        if let Some(limit) = limit {
            let failed = |error: io::Error| format!("{}: {error}", group.path);
            if version == 1 {
                group.set("memory.limit_in_bytes", &limit.to_string()).map_err(failed)?;
                // With swap accounting the limit shall hold for both together.
                let _ = group.set("memory.memsw.limit_in_bytes", &limit.to_string());
            } else {
                group.set("memory.max", &limit.to_string()).map_err(failed)?;
            }
        }
        Ok(group)
    }

    /// Makes a cgroup below this one.
    pub fn group(&self, name: &str, limit: Option<u64>) -> Result<Self, String> {
        if self.version == 2 {
            let hand_down = self.set("cgroup.subtree_control", "+memory");
            hand_down.map_err(|error| format!("cgroup.subtree_control: {error}"))?;
        }
        Self::make(&self.dir, &self.path, name, limit, self.version)
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The file that tells how much is charged to it.
    pub fn usage(&self) -> io::Result<File> {
        let name = if self.version == 1 { "memory.usage_in_bytes" } else { "memory.current" };
        File::open(self.dir.join(name))
    }

    fn set(&self, file: &str, value: &str) -> io::Result<()> {
        let mut file = File::options().write(true).open(self.dir.join(file))?;
        io::Write::write_all(&mut file, value.as_bytes())
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while let Err(error) = fs::remove_dir(&self.dir) {
            if Instant::now() > deadline {
                eprintln!("{} is left behind: {error}", self.dir.display());
                return;
            }
            thread::sleep(Duration::from_millis(20));
        }
    }
}

/// Removes what runs left behind that were ended by SIGKILL.
fn remove_forgotten(own: &Path) {
    for entry in own.parent().into_iter().flat_map(fs::read_dir).flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(NAME));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            remove_tree(&entry.path());
        }
    }
}

fn remove_tree(dir: &Path) {
    let below = fs::read_dir(dir).into_iter().flatten().flatten();
    below.map(|entry| entry.path()).filter(|path| path.is_dir()).for_each(|it| remove_tree(&it));
    let _ = fs::remove_dir(dir);
}
