//! Where a test runs: a folder that ends with it, and the real binary.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Nothing takes longer than this.
pub const GIVE_UP: Duration = Duration::from_secs(60);

/// A folder and the binary.
pub struct Bed {
    folder: TempDir,
}

/// What a run of doomtop came to.
pub struct Ran {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// The verdict, where one was written.
    pub verdict: Value,
    /// The same as JUnit XML.
    pub junit: String,
}

impl Bed {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// doomtop in the folder, with the settings of nobody.
    pub fn doomtop(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_doomtop"));
        command.args(arguments).current_dir(self.folder.path());
        command.env("DOOMTOP_CONFIG", "/dev/null").env_remove("DOOMTOP_LOG");
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// `doomtop run` with these flags and this command, to its end.
    pub fn run(&self, flags: &[&str], command: &[&str]) -> Ran {
        let mut arguments = vec!["run", "--no-record", "--verdict", "v.json", "--junit", "v.xml"];
        arguments.extend(flags);
        arguments.push("--");
        arguments.extend(command);
        self.finish(self.doomtop(&arguments).spawn().expect("doomtop"))
    }

    /// The same without the rights to make a cgroup.
    ///
    /// # Errors
    /// Why that cannot be done here.
    pub fn run_as_nobody(&self, flags: &[&str], command: &[&str]) -> Result<Ran, String> {
        if !nix::unistd::geteuid().is_root() {
            return Ok(self.run(flags, command));
        }
        fs::set_permissions(self.folder.path(), fs::Permissions::from_mode(0o777))
            .expect("our own folder");
        let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups", "--"];
        let mut setpriv = Command::new("setpriv");
        setpriv.args(nobody).arg(env!("CARGO_BIN_EXE_doomtop"));
        let mut version = Command::new("setpriv");
        version.args(nobody).args([env!("CARGO_BIN_EXE_doomtop"), "--version"]);
        let reached = version.output().map_err(|error| format!("setpriv: {error}"))?;
        if !reached.status.success() {
            return Err(String::from_utf8_lossy(&reached.stderr).trim().to_owned());
        }
        setpriv.args(["run", "--no-record", "--verdict", "v.json", "--junit", "v.xml"]);
        setpriv.args(flags).arg("--").args(command).current_dir(self.folder.path());
        setpriv.env("DOOMTOP_CONFIG", "/dev/null").env_remove("DOOMTOP_LOG");
        setpriv.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Ok(self.finish(setpriv.spawn().expect("setpriv")))
    }

    /// Waits for a run.
    pub fn finish(&self, child: Child) -> Ran {
        let Output { status, stdout, stderr } = child.wait_with_output().expect("an output");
        let verdict = fs::read_to_string(self.path("v.json")).unwrap_or_default();
        let junit = fs::read_to_string(self.path("v.xml")).unwrap_or_default();
        for name in ["v.json", "v.xml"] {
            let _ = fs::remove_file(self.path(name));
        }
        Ran {
            status: status.code(),
            stdout: String::from_utf8_lossy(&stdout).into_owned(),
            stderr: String::from_utf8_lossy(&stderr).into_owned(),
            verdict: serde_json::from_str(&verdict).unwrap_or_default(),
            junit,
        }
    }

    /// Why nothing can be run below a limit here.
    pub fn missing(&self) -> Option<String> {
        let ran = self.run(&["--limit", "64M"], &["true"]);
        match ran.status {
            Some(0) => None,
            Some(125) => Some(ran.stderr.trim().to_owned()),
            other => panic!("status {other:?}: {}", ran.stderr),
        }
    }

    /// The cgroups of doomtop that are left: none, after a test.
    pub fn cgroups_left() -> Vec<PathBuf> {
        let mut found = Vec::new();
        let mut folders = vec![PathBuf::from("/sys/fs/cgroup")];
        while let Some(folder) = folders.pop() {
            let Ok(entries) = fs::read_dir(&folder) else { continue };
            for entry in entries.flatten().filter(|it| it.file_type().is_ok_and(|it| it.is_dir())) {
                let name = entry.file_name().to_string_lossy().into_owned();
                if name.starts_with("doomtop-run-") && !is_of_another(&name) {
                    found.push(entry.path());
                }
                folders.push(entry.path());
            }
        }
        found
    }
}

/// Whether the doomtop that a cgroup is named after still runs: that of another test.
fn is_of_another(name: &str) -> bool {
    let pid = name.trim_start_matches("doomtop-run-").split(['-', '.']).next().unwrap_or_default();
    Path::new("/proc").join(pid).exists()
}

impl Ran {
    /// The status, or everything that was said.
    pub fn expect_status(&self, status: i32) -> &Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.stdout, self.stderr);
        self
    }

    pub fn number(&self, key: &str) -> f64 {
        self.verdict[key].as_f64().unwrap_or_else(|| panic!("{key}: {:#}", self.verdict))
    }

    /// A size of the verdict, in MiB.
    pub fn mib(&self, key: &str) -> f64 {
        self.number(key) / 1_048_576.0
    }

    pub fn kills(&self) -> &[Value] {
        self.verdict["kills"].as_array().expect("kills")
    }
}

/// The load as a command.
pub fn hog(arguments: &str) -> Vec<String> {
    let own = std::env::current_exe().expect("this program").display().to_string();
    let mut command = vec![own, crate::hog::ARGUMENT.to_owned()];
    command.extend(arguments.split_whitespace().map(str::to_owned));
    command
}

/// The same as a slice of texts.
pub fn texts(command: &[String]) -> Vec<&str> {
    command.iter().map(String::as_str).collect()
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < GIVE_UP, "{what}");
        std::thread::yield_now();
    }
}

/// Whether programs are installed; says so where they are not.
pub fn installed(programs: &[&str]) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&str| std::env::split_paths(&path).any(|dir| dir.join(name).is_file());
    let missing: Vec<&str> = programs.iter().filter(|it| !is_there(it)).copied().collect();
    if !missing.is_empty() {
        println!("load: SKIPPED, not installed: {}", missing.join(", "));
    }
    missing.is_empty()
}
