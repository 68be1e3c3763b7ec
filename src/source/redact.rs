//! Replaces names by tokens: command lines, users, cgroups, host and boot id. The rest can be shown to
//! anyone.
//!
//! The same name gives the same token during one run, and another one in every other run: tokens are
//! hashes with a random key that is never written, so nobody can find a name by hashing a list of
//! names. What policies use stays: sizes, adj, pids, uid numbers, the shape of the cgroup tree, the
//! suffixes of units, and the names that every machine has (`system.slice`, `user-1000.slice`,
//! `kubepods`).

use std::collections::BTreeMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use crate::events::{LineRenamer, NewNames, renamed_daemon_line};
use crate::model::{
    BpfOom, Cgroups, Comm, ExeCwdEnviron, InstalledKillers, LogLine, LogWriter, MemoryHolders,
    OptionText, ProcessDetail, Reading, Text, tree_order, unescape,
};

/// How much is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactExtent {
    /// Command lines, users, cgroups, host, boot, paths of programs and files.
    Names,
    /// Also the names of processes.
    All,
}

/// Names of cgroups that do not identify a machine.
const KNOWN: &[&str] = &[
    "",
    "*",
    ".",
    "..",
    "-.slice",
    "app.slice",
    "background.slice",
    "besteffort",
    "burstable",
    "docker",
    "init",
    "init.scope",
    "kubepods",
    "kubepods.slice",
    "kubepods-besteffort.slice",
    "kubepods-burstable.slice",
    "lxc",
    "machine.slice",
    "session.slice",
    "system.slice",
    "user.slice",
    "user-.slice",
    "user@.service",
];

/// Where every machine has a tmpfs.
const USUAL_MOUNTS: &[&str] = &["/dev", "/dev/shm", "/run", "/run/lock", "/tmp", "/var/tmp"];

/// Prefix and suffix around the number of a user or session, or of a doomtop that runs a load test.
const NUMBERED: &[(&str, &str)] = &[
    ("doomtop-run-", ""),
    ("doomtop-run-", ".scope"),
    ("user-", ".slice"),
    ("user@", ".service"),
    ("user-runtime-dir@", ".service"),
    ("session-", ".scope"),
    ("session-c", ".scope"),
];

/// Suffixes of units (`man systemd.unit`).
const SUFFIXES: &[&str] =
    &[".service", ".scope", ".slice", ".socket", ".mount", ".swap", ".automount", ".device"];

/// Prefixes of the id of a container or pod.
const PREFIXES: &[&str] = &[
    "kubepods-burstable-pod",
    "kubepods-besteffort-pod",
    "kubepods-pod",
    "cri-containerd-",
    "crio-conmon-",
    "crio-",
    "docker-",
    "libpod-conmon-",
    "libpod-",
    "lxc.monitor.",
    "lxc.payload.",
    "pod",
];

/// The pressure metrics that nohang knows.
const PRESSURES: &[&str] =
    &["some_avg10", "some_avg60", "some_avg300", "full_avg10", "full_avg60", "full_avg300"];

/// Replaces names by tokens. A clone gives the same tokens.
#[derive(Clone, Debug)]
pub struct Redactor {
    key: RandomState,
    extent: RedactExtent,
}

impl Redactor {
    /// A redactor with a new random key.
    #[must_use]
    pub fn new(extent: RedactExtent) -> Self {
        Self { key: RandomState::new(), extent }
    }

    fn token(&self, kind: &str, name: &str) -> String {
        format!("{kind}-{:08x}", self.key.hash_one((kind, name)) >> 32)
    }

    pub(super) fn text(&self, kind: &str, text: &Text) -> Text {
        if text.as_str().is_empty() {
            return Text::default();
        }
        Text::new(self.token(kind, text.as_str()).as_bytes())
    }

    fn texts(&self, kind: &str, texts: &mut [Text]) {
        for text in texts {
            *text = self.text(kind, text);
        }
    }

    /// One component of a cgroup path, or a pattern for one.
    fn component(&self, name: &str) -> String {
        let number = |text: &str| {
            let digits = |c: char| c.is_ascii_digit() || c == '*';
            !text.is_empty() && text.chars().all(digits)
        };
        let numbered = NUMBERED.iter().any(|(prefix, suffix)| {
            name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(suffix)).is_some_and(number)
        });
        if numbered || KNOWN.contains(&name) {
            return name.to_owned();
        }
        let suffix = SUFFIXES.iter().find(|suffix| name.ends_with(**suffix)).copied();
        let suffix = suffix.unwrap_or_default();
        let base = name.strip_suffix(suffix).unwrap_or(name);
        let prefix = PREFIXES.iter().find(|prefix| base.starts_with(**prefix)).copied();
        if let Some(prefix) = prefix {
            let rest = base.strip_prefix(prefix).unwrap_or_default();
            return format!("{prefix}{}{suffix}", self.token("cg", rest));
        }
        let part = |part: &str| match part {
            "" | "*" => part.to_owned(),
            part => self.token("cg", part),
        };
        // Parts are replaced one by one, so that an instance still belongs to its template and a slice to
        // its parent slice.
        let base = match base.split_once('@') {
            Some((template, instance)) => format!("{}@{}", part(template), part(instance)),
            None if suffix == ".slice" => base.split('-').map(part).collect::<Vec<_>>().join("-"),
            None => part(base),
        };
        base + suffix
    }

    /// Redacts the cgroups and the names of BPF policies.
    #[must_use]
    pub fn bpf_oom(&self, bpf: &BpfOom) -> BpfOom {
        let mut bpf = bpf.clone();
        if let Reading::Value(policies) = &mut bpf.policies {
            for policy in policies {
                policy.name = self.text("bpf", &policy.name);
                policy.cgroup = policy.cgroup.as_ref().map(|path| self.path(path));
            }
        }
        bpf
    }

    /// Redacts where filesystems are mounted, but for places that every machine has.
    #[must_use]
    pub fn memory_holders(&self, holders: &MemoryHolders) -> MemoryHolders {
        let mut holders = holders.clone();
        if let Reading::Value(mounts) = &mut holders.tmpfs {
            for mount in mounts.iter_mut().filter(|it| !USUAL_MOUNTS.contains(&it.path.as_str())) {
                mount.path = self.text("mount", &mount.path);
            }
        }
        holders
    }

    /// Redacts a cgroup path.
    #[must_use]
    pub fn path(&self, path: &Text) -> Text {
        let names: Vec<String> =
            path.as_str().split('/').map(|name| self.component(name)).collect();
        Text::new(names.join("/").as_bytes())
    }

    /// Redacts user names: root stays, the others become `user-UID`.
    #[must_use]
    pub fn users(&self, users: &BTreeMap<u32, Text>) -> BTreeMap<u32, Text> {
        let name = |uid: u32| match uid {
            0 => Text::new(b"root"),
            uid => Text::new(format!("user-{uid}").as_bytes()),
        };
        users.keys().map(|&uid| (uid, name(uid))).collect()
    }

    /// Redacts a command line.
    #[must_use]
    pub fn line(&self, line: &Text) -> Text {
        self.text("cmd", line)
    }

    /// Redacts the name of a process.
    pub(super) fn comm(&self, comm: Comm) -> Comm {
        match self.extent {
            RedactExtent::Names => comm,
            RedactExtent::All => Comm::new(self.token("p", &comm.to_string()).as_bytes()),
        }
    }

    /// Redacts the details that were read for a dialog.
    pub fn process_detail(&self, detail: &mut ProcessDetail) {
        if let Reading::Value(sharers) = &mut detail.sharers {
            for (_, comm) in &mut sharers.found {
                *comm = self.comm(*comm);
            }
        }
        if let Some(frozen) = &mut detail.frozen {
            frozen.path = self.path(&frozen.path);
        }
        if let Some(unit) = &mut detail.unit {
            unit.name = Text::new(self.component(unit.name.as_str()).as_bytes());
            self.texts("file", &mut unit.from);
        }
    }

    pub(super) fn exe_cwd_environ(&self, at: &ExeCwdEnviron) -> ExeCwdEnviron {
        let text = |kind: &str, reading: &Reading<Text>| match reading {
            Reading::Value(text) => Reading::Value(self.text(kind, text)),
            absent => absent.clone(),
        };
        ExeCwdEnviron {
            exe: text("exe", &at.exe),
            cwd: text("cwd", &at.cwd),
            environ: text("env", &at.environ),
        }
    }

    pub(super) fn killers(&self, killers: &InstalledKillers) -> InstalledKillers {
        let mut killers = killers.clone();
        for (kind, text) in killers.texts() {
            *text = match kind {
                OptionText::Source => self.text("file", text),
                OptionText::Remark => self.text("odd", text),
                OptionText::NamePattern if self.extent == RedactExtent::Names => continue,
                OptionText::NamePattern | OptionText::Pattern => self.text("rule", text),
                OptionText::Unit => Text::new(self.component(text.as_str()).as_bytes()),
                OptionText::Cgroup => self.path(text),
                OptionText::Keyword if PRESSURES.contains(&text.as_str()) => continue,
                OptionText::Keyword => self.text("psi", text),
            };
        }
        killers
    }

    pub(super) fn cgroups(&self, cgroups: &Cgroups) -> Cgroups {
        let mut cgroups = cgroups.clone();
        for group in &mut cgroups.list {
            group.path = Arc::new(self.path(&group.path));
        }
        cgroups.list.sort_by(|a, b| tree_order(a.path.as_str(), b.path.as_str()));
        cgroups
    }

    /// Redacts the lines of logs. Notes are left out: nobody knows which names are in them.
    pub(super) fn log(&self, lines: &[LogLine], renamer: &mut LineRenamer) -> Vec<LogLine> {
        let mut redacted = Vec::with_capacity(lines.len());
        for line in lines {
            let text = unescape(line.text.as_str());
            let text = String::from_utf8_lossy(&text);
            let text = match (line.by, line.by.daemon()) {
                (LogWriter::Kernel, _) => renamer.kernel(&text, self),
                (_, Some(daemon)) => renamed_daemon_line(daemon, &text, self),
                _ => None,
            };
            if let Some(text) = text {
                redacted.push(LogLine { text: Text::new(text.as_bytes()), ..line.clone() });
            }
        }
        redacted
    }
}

impl NewNames for Redactor {
    fn comm(&self, name: &str) -> String {
        let comm = Self::comm(self, Comm::new(name.as_bytes()));
        String::from_utf8_lossy(comm.bytes()).into_owned()
    }

    fn cgroup(&self, path: &str) -> String {
        self.path(&Text::new(path.as_bytes())).as_str().to_owned()
    }
}
