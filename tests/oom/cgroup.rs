//! A memory cgroup of the test, below its own one, removed at the end.

use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::thread;
use std::time::{Duration, Instant};

/// Prefix of its name; the pid of the test follows.
const NAME: &str = "doomtop-oom-";

/// A memory cgroup with a limit.
pub struct Cgroup {
    dir: PathBuf,
    /// Its path, as `/proc/PID/cgroup` prints it.
    pub path: String,
    /// Version of the hierarchy: 1 or 2.
    pub version: u8,
}

/// The mounted hierarchy with the memory controller, and the cgroup of this process in it.
struct Place {
    version: u8,
    mount: PathBuf,
    root: String,
    own: String,
}

impl Place {
    fn find() -> Result<Self, String> {
        let read =
            |path: &str| fs::read_to_string(path).map_err(|error| format!("{path}: {error}"));
        let (mounts, own) = (read("/proc/self/mountinfo")?, read("/proc/self/cgroup")?);
        let path = |wanted: &dyn Fn(&str) -> bool| {
            own.lines().find_map(|line| {
                let mut fields = line.splitn(3, ':').skip(1);
                let controllers = fields.next()?;
                fields.next().filter(|_| wanted(controllers)).map(str::to_owned)
            })
        };
        // A controller is in one hierarchy only: in one of version 1, or in that of version 2.
        let first = path(&|names| names.split(',').any(|name| name == "memory"));
        let version = if first.is_some() { 1 } else { 2 };
        let own = first.or_else(|| path(&str::is_empty)).ok_or("no cgroups here")?;
        for line in mounts.lines() {
            let Some((front, back)) = line.split_once(" - ") else { continue };
            let front: Vec<&str> = front.split(' ').collect();
            let back: Vec<&str> = back.split(' ').collect();
            let ([_, _, _, root, mount, ..], [kind, _, options]) = (&front[..], &back[..]) else {
                continue;
            };
            let fits = match version {
                1 => *kind == "cgroup" && options.split(',').any(|option| option == "memory"),
                _ => *kind == "cgroup2",
            };
            if fits {
                return Ok(Self {
                    version,
                    mount: PathBuf::from(mount),
                    root: (*root).to_owned(),
                    own,
                });
            }
        }
        Err("the memory controller is mounted nowhere".to_owned())
    }

    fn dir(&self, path: &str) -> PathBuf {
        let below =
            if self.root == "/" { path } else { path.strip_prefix(&self.root).unwrap_or(path) };
        self.mount.join(below.trim_start_matches('/'))
    }

    /// The cgroup below which a child can have a limit. In version 2 a cgroup with processes cannot enable
    /// the controller for its children, so it may be a higher one.
    fn parent(&self) -> Result<String, String> {
        if self.version == 1 {
            return Ok(self.own.clone());
        }
        let mut path = self.own.clone();
        loop {
            let file = self.dir(&path).join("cgroup.subtree_control");
            let enabled = fs::read_to_string(&file).unwrap_or_default();
            if enabled.split_whitespace().any(|name| name == "memory")
                || fs::write(&file, "+memory").is_ok()
            {
                return Ok(path);
            }
            let Some((up, name)) = path.rsplit_once('/') else { break };
            if name.is_empty() {
                break;
            }
            path = if up.is_empty() { "/".to_owned() } else { up.to_owned() };
        }
        Err("no parent cgroup can enable the memory controller for its children".to_owned())
    }
}

impl Cgroup {
    /// Creates one with this limit, in bytes.
    pub fn make(limit: u64) -> Result<Self, String> {
        let place = Place::find()?;
        let parent = place.parent()?;
        remove_leftovers(&place.dir(&parent));
        let path = format!("{}/{NAME}{}", parent.trim_end_matches('/'), process::id());
        let dir = place.dir(&path);
        let failed = |error| format!("{}: {error}", dir.display());
        fs::create_dir(&dir).map_err(failed)?;
        let cgroup = Self { dir: dir.clone(), path, version: place.version };
        if cgroup.version == 1 {
            cgroup.set("memory.limit_in_bytes", &limit.to_string()).map_err(failed)?;
            // With swap accounting the limit holds for memory and swap together.
            let _ = cgroup.set("memory.memsw.limit_in_bytes", &limit.to_string());
        } else {
            cgroup.set("memory.max", &limit.to_string()).map_err(failed)?;
        }
        Ok(cgroup)
    }

    /// One in it, without a limit of its own.
    pub fn below(&self, name: &str) -> Result<Self, String> {
        let dir = self.dir.join(name);
        fs::create_dir(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
        Ok(Self { dir, path: format!("{}/{name}", self.path), version: self.version })
    }

    /// Its directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Writes one of its files.
    pub fn set(&self, file: &str, value: &str) -> std::io::Result<()> {
        // Not fs::write, which would create the file if it is missing.
        fs::File::options()
            .write(true)
            .open(self.dir.join(file))
            .and_then(|mut file| std::io::Write::write_all(&mut file, value.as_bytes()))
    }
}

impl Drop for Cgroup {
    fn drop(&mut self) {
        // The last of those killed may still be on its way out.
        let deadline = Instant::now() + Duration::from_secs(60);
        while let Err(error) = fs::remove_dir(&self.dir) {
            if Instant::now() > deadline {
                eprintln!("{} is left behind: {error}", self.dir.display());
                return;
            }
            thread::yield_now();
        }
    }
}

/// Removes the cgroups of earlier runs that were killed before they could clean up.
fn remove_leftovers(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let pid = name.to_str().and_then(|name| name.strip_prefix(NAME));
        if pid.is_some_and(|pid| !Path::new("/proc").join(pid).exists()) {
            let _ = fs::remove_dir(entry.path());
        }
    }
}
