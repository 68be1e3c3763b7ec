//! A window with the names painted over: command lines, users, cgroups, host and boot replaced by
//! tokens, so that what is left can be shown to anybody.
//!
//! The same name gives the same token all through a run and nowhere else: tokens are hashes under a key
//! that is drawn at the start and never written, so that nobody finds a name by hashing a list of them.
//! What policies go by stays: sizes, adj, pids, uid numbers, the shape of the cgroup tree, the endings
//! of units, and the names that every machine has (`system.slice`, `user-1000.slice`, `kubepods`).

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use super::{Source, SourceError};
use crate::model::{
    CgroupSet, Cgroups, Comm, ExeCwdEnviron, InstalledKillers, KillerOptions, Needs, NohangOptions,
    NohangRuleField, ProcId, Process, ProcessDetail, Reading, Snapshot, Text, tree_order,
};

/// How much is replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RedactExtent {
    /// Command lines, users, cgroups, host, boot, paths of programs and files.
    Names,
    /// The names of processes, too.
    All,
}

/// Cgroups that tell nothing of whose machine it is.
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

/// What stands before and behind the number of a user or session.
const NUMBERED: &[(&str, &str)] = &[
    ("user-", ".slice"),
    ("user@", ".service"),
    ("user-runtime-dir@", ".service"),
    ("session-", ".scope"),
    ("session-c", ".scope"),
];

/// Endings of units (`man systemd.unit`).
const ENDINGS: &[&str] =
    &[".service", ".scope", ".slice", ".socket", ".mount", ".swap", ".automount", ".device"];

/// What says whose container or pod it is, before its name.
const BEFORE: &[&str] = &[
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

/// What `nohang` calls pressure.
const PRESSURES: &[&str] =
    &["some_avg10", "some_avg60", "some_avg300", "full_avg10", "full_avg60", "full_avg300"];

/// Replaces names by tokens; a clone gives the same ones.
#[derive(Clone, Debug)]
pub struct Redactor {
    key: RandomState,
    extent: RedactExtent,
}

impl Redactor {
    /// With a key of its own.
    #[must_use]
    pub fn new(extent: RedactExtent) -> Self {
        Self { key: RandomState::new(), extent }
    }

    fn token(&self, kind: &str, name: &str) -> String {
        format!("{kind}-{:08x}", self.key.hash_one((kind, name)) >> 32)
    }

    fn text(&self, kind: &str, text: &Text) -> Text {
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

    /// One name of a path in the cgroup tree, or a pattern for one.
    fn component(&self, name: &str) -> String {
        let number = |text: &str| {
            let digits = |c: char| c.is_ascii_digit() || c == '*';
            !text.is_empty() && text.chars().all(digits)
        };
        let numbered = NUMBERED.iter().any(|(before, behind)| {
            name.strip_prefix(before).and_then(|rest| rest.strip_suffix(behind)).is_some_and(number)
        });
        if numbered || KNOWN.contains(&name) {
            return name.to_owned();
        }
        let ending = ENDINGS.iter().find(|ending| name.ends_with(**ending)).copied();
        let ending = ending.unwrap_or_default();
        let tree_lines = name.strip_suffix(ending).unwrap_or(name);
        let before = BEFORE.iter().find(|before| tree_lines.starts_with(**before)).copied();
        if let Some(before) = before {
            let rest = tree_lines.strip_prefix(before).unwrap_or_default();
            return format!("{before}{}{ending}", self.token("cg", rest));
        }
        let part = |part: &str| match part {
            "" | "*" => part.to_owned(),
            part => self.token("cg", part),
        };
        // An instance belongs to its template, and a slice to the one whose name it goes on from.
        let tree_lines = match tree_lines.split_once('@') {
            Some((template, instance)) => format!("{}@{}", part(template), part(instance)),
            None if ending == ".slice" => {
                tree_lines.split('-').map(part).collect::<Vec<_>>().join("-")
            }
            None => part(tree_lines),
        };
        tree_lines + ending
    }

    /// A path in the cgroup tree.
    #[must_use]
    pub fn path(&self, path: &Text) -> Text {
        let names: Vec<String> =
            path.as_str().split('/').map(|name| self.component(name)).collect();
        Text::new(names.join("/").as_bytes())
    }

    /// The names of users: root stays, the others are told by their number.
    #[must_use]
    pub fn users(&self, users: &BTreeMap<u32, Text>) -> BTreeMap<u32, Text> {
        let name = |uid: u32| match uid {
            0 => Text::new(b"root"),
            uid => Text::new(format!("user-{uid}").as_bytes()),
        };
        users.keys().map(|&uid| (uid, name(uid))).collect()
    }

    /// A command line.
    #[must_use]
    pub fn line(&self, line: &Text) -> Text {
        self.text("cmd", line)
    }

    /// The name of a process.
    fn comm(&self, comm: Comm) -> Comm {
        match self.extent {
            RedactExtent::Names => comm,
            RedactExtent::All => Comm::new(self.token("p", &comm.to_string()).as_bytes()),
        }
    }

    /// What was found out about the process of a dialog.
    pub fn study(&self, study: &mut ProcessDetail) {
        if let Reading::Value(sharers) = &mut study.sharers {
            for (_, comm) in &mut sharers.found {
                *comm = self.comm(*comm);
            }
        }
        if let Some(frozen) = &mut study.frozen {
            frozen.path = self.path(&frozen.path);
        }
        if let Some(unit) = &mut study.unit {
            unit.name = Text::new(self.component(unit.name.as_str()).as_bytes());
            self.texts("file", &mut unit.from);
        }
    }

    fn exe_cwd_environ(&self, at: &ExeCwdEnviron) -> ExeCwdEnviron {
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

    fn told<T>(&self, told: &mut KillerOptions<T>) {
        self.texts("file", &mut told.from);
        self.texts("odd", &mut told.remarks);
    }

    fn nohang(&self, told: &mut KillerOptions<NohangOptions>) {
        let known = PRESSURES.contains(&told.options.psi_metric.as_str());
        if !known {
            told.options.psi_metric = self.text("psi", &told.options.psi_metric);
        }
        // Those that are assumed are printed in nohang's own sources.
        for rule in told.options.rules.iter_mut().filter(|_| !told.from.is_empty()) {
            let kept = match rule.on {
                NohangRuleField::Uid => true,
                NohangRuleField::Name => self.extent == RedactExtent::Names,
                _ => false,
            };
            if !kept {
                rule.pattern = self.text("rule", &rule.pattern);
            }
        }
        self.told(told);
    }

    fn killers(&self, killers: &InstalledKillers) -> InstalledKillers {
        let mut killers = killers.clone();
        if self.extent == RedactExtent::All {
            let options = &mut killers.earlyoom.options;
            let patterns = [&mut options.prefer, &mut options.avoid, &mut options.ignore];
            for pattern in patterns.into_iter().flatten() {
                *pattern = self.text("rule", pattern);
            }
        }
        self.told(&mut killers.earlyoom);
        self.nohang(&mut killers.nohang);
        self.nohang(&mut killers.nohang_desktop);
        for unit in &mut killers.systemd_oomd.options.nominated {
            unit.unit = Text::new(self.component(unit.unit.as_str()).as_bytes());
        }
        self.told(&mut killers.systemd_oomd);
        let oomd = &mut killers.oomd.options;
        let sets = [&mut oomd.by_size, &mut oomd.by_swap, &mut oomd.by_pressure];
        let sets = sets.into_iter().chain([&mut oomd.by_pgscan, &mut oomd.by_io]);
        for CgroupSet(paths) in sets.chain(oomd.pressure.iter_mut().map(|(set, _)| set)) {
            for path in paths {
                *path = self.path(path);
            }
        }
        self.told(&mut killers.oomd);
        killers
    }

    fn cgroups(&self, cgroups: &Cgroups) -> Cgroups {
        let mut cgroups = cgroups.clone();
        for group in &mut cgroups.list {
            group.path = Arc::new(self.path(&group.path));
        }
        cgroups.list.sort_by(|a, b| tree_order(a.path.as_str(), b.path.as_str()));
        cgroups
    }
}

/// What of a process was replaced.
struct Plain {
    comm: Comm,
    cgroup: Reading<Arc<Text>>,
    cmdline: Reading<Arc<Text>>,
    exe_cwd_environ: Option<Arc<ExeCwdEnviron>>,
}

/// A source whose names are replaced: nothing that looks through it sees another one.
pub struct RedactedSource {
    source: Box<dyn Source>,
    redactor: Redactor,
    /// The rows of the last look as they were, for a second look at them.
    plain: HashMap<ProcId, Plain>,
    /// Paths that were replaced lately: processes share theirs.
    paths: HashMap<Arc<Text>, Arc<Text>>,
    cgroups: (Arc<Cgroups>, Arc<Cgroups>),
    killers: (Arc<InstalledKillers>, Arc<InstalledKillers>),
}

/// So many paths are remembered.
const PATHS: usize = 10_000;

impl RedactedSource {
    /// Looks through `source`.
    #[must_use]
    pub fn new(source: Box<dyn Source>, redactor: Redactor) -> Self {
        Self {
            source,
            redactor,
            plain: HashMap::new(),
            paths: HashMap::new(),
            cgroups: Default::default(),
            killers: Default::default(),
        }
    }

    fn row(&mut self, process: &mut Process) {
        let plain = Plain {
            comm: process.comm,
            cgroup: process.cgroup.clone(),
            cmdline: process.cmdline.clone(),
            exe_cwd_environ: process.exe_cwd_environ.clone(),
        };
        process.comm = self.redactor.comm(process.comm);
        if let Reading::Value(path) = &mut process.cgroup {
            let known = self.paths.entry(Arc::clone(path));
            *path = Arc::clone(known.or_insert_with_key(|path| Arc::new(self.redactor.path(path))));
        }
        if let Reading::Value(line) = &mut process.cmdline {
            *line = Arc::new(self.redactor.line(line));
        }
        if let Some(at) = &mut process.exe_cwd_environ {
            *at = Arc::new(self.redactor.exe_cwd_environ(at));
        }
        self.plain.insert(process.id, plain);
    }

    fn redact(&mut self, sample: &mut Snapshot) {
        let machine = Arc::make_mut(&mut sample.machine);
        machine.name = self.redactor.text("host", &machine.name);
        machine.boot_id = self.redactor.text("boot", &machine.boot_id);
        sample.users = Arc::new(self.redactor.users(&sample.users));
        if !Arc::ptr_eq(&sample.cgroups, &self.cgroups.0) {
            let redacted = Arc::new(self.redactor.cgroups(&sample.cgroups));
            self.cgroups = (Arc::clone(&sample.cgroups), redacted);
        }
        sample.cgroups = Arc::clone(&self.cgroups.1);
        if !Arc::ptr_eq(&sample.killers, &self.killers.0) {
            let redacted = Arc::new(self.redactor.killers(&sample.killers));
            self.killers = (Arc::clone(&sample.killers), redacted);
        }
        sample.killers = Arc::clone(&self.killers.1);
        self.plain.clear();
        if self.paths.len() > PATHS {
            self.paths.clear();
        }
        for process in &mut sample.processes {
            self.row(process);
        }
    }
}

impl Source for RedactedSource {
    fn sample(
        &mut self,
        needs: &Needs,
        spent: Option<Arc<Snapshot>>,
    ) -> Result<Arc<Snapshot>, SourceError> {
        let mut snapshot = self.source.sample(needs, spent)?;
        self.redact(Arc::make_mut(&mut snapshot));
        Ok(snapshot)
    }

    fn sample_again(&mut self, ids: &[ProcId], snapshot: &mut Snapshot) {
        let at = |id: ProcId, sample: &Snapshot| {
            sample
                .position(id.pid)
                .filter(|&at| sample.processes.get(at).is_some_and(|it| it.id == id))
        };
        for &id in ids {
            let row = at(id, snapshot).and_then(|at| snapshot.processes.get_mut(at));
            if let Some((row, plain)) = row.zip(self.plain.remove(&id)) {
                let Plain { comm, cgroup, cmdline, exe_cwd_environ } = plain;
                (row.comm, row.cgroup) = (comm, cgroup);
                (row.cmdline, row.exe_cwd_environ) = (cmdline, exe_cwd_environ);
            }
        }
        self.source.sample_again(ids, snapshot);
        for &id in ids {
            if let Some(at) = at(id, snapshot)
                && let Some(mut row) = snapshot.processes.get(at).cloned()
            {
                self.row(&mut row);
                if let Some(there) = snapshot.processes.get_mut(at) {
                    *there = row;
                }
            }
        }
    }

    fn learn_users(&mut self, users: Arc<BTreeMap<u32, Text>>) {
        self.source.learn_users(Arc::new(self.redactor.users(&users)));
    }
}
