//! The table of the facts that expressions can use. Type checks, needs, evaluation and documentation
//! all come from it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use crate::model::{Process, PsiLine, Reading, Scene, Text};
use crate::policy::site::value::{EvalBudget, Value, ValueType};
use crate::policy::{LINUX, Policy, Verdict};
use crate::units::{Kib, Pages};

/// The file that a sample must read for a fact, beyond `stat` and `status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactCost {
    /// None.
    Free,
    /// `/proc/PID/cgroup`.
    Cgroup,
    /// `/proc/PID/cmdline`.
    Cmdline,
    /// `/proc/PID/oom_score` of all processes.
    Scores,
}

/// The sources of the facts in one evaluation.
#[derive(Clone, Copy)]
pub struct FactView<'a> {
    /// The judged process.
    pub process: &'a Process,
    /// The victim, while `company` is evaluated.
    pub victim: Option<&'a Process>,
    /// The scene. Without one, only [`FactSource::Own`] facts are known.
    pub scene: Option<&'a Scene>,
    /// Names of users that the sample does not contain.
    pub users: &'a BTreeMap<u32, Text>,
    /// The remaining budget.
    pub budget: &'a EvalBudget,
}

impl<'a> FactView<'a> {
    /// The name of the effective user of a process.
    #[must_use]
    pub fn user(&self, process: &Process) -> Option<&'a str> {
        let uid = process.ids.value()?.euid;
        let seen = self.scene.and_then(|scene| scene.now().users.get(&uid));
        seen.or_else(|| self.users.get(&uid)).map(Text::as_str)
    }
}

type OfProcess = for<'a> fn(&'a Process, &FactView<'a>) -> Option<Value<'a>>;
type OfScene = for<'a> fn(&'a Scene) -> Option<Value<'a>>;

/// What a fact is computed from.
#[derive(Clone, Copy)]
pub enum FactSource {
    /// The process alone.
    Own(OfProcess),
    /// The process and the scene.
    Scene(OfProcess),
    /// The scene alone: it is the same for all processes.
    Machine(OfScene),
}

/// One fact.
pub struct Fact {
    /// The word before the dot: `p`, `machine` or `psi`.
    pub family: &'static str,
    /// The word after the dot.
    pub name: &'static str,
    /// Both words with the dot.
    pub path: &'static str,
    /// Its type.
    pub kind: ValueType,
    /// Its unit; empty if it has none.
    pub unit: &'static str,
    /// A short description.
    pub about: &'static str,
    /// When it is absent; empty if never.
    pub absent: &'static str,
    /// The file that it needs.
    pub cost: FactCost,
    /// Whether it changes with `oom_score_adj`.
    pub depends_on_adj: bool,
    /// What it is computed from.
    pub source: FactSource,
}

fn pages<'a>(pages: Pages) -> Option<Value<'a>> {
    Some(Value::count(pages.0))
}

fn read<'a>(reading: Reading<Pages>) -> Option<Value<'a>> {
    reading.value().and_then(pages)
}

fn kib<'a>(kib: Kib, scene: &Scene) -> Option<Value<'a>> {
    pages(kib.pages(scene.machine().page_size))
}

fn shared(text: &Reading<std::sync::Arc<Text>>) -> Option<&str> {
    match text {
        Reading::Value(text) => Some(text.as_str()),
        _ => None,
    }
}

fn share<'a>(stall: Reading<PsiLine>, part: fn(PsiLine) -> f32) -> Option<Value<'a>> {
    stall.value().map(|stall| Value::Double(f64::from(part(stall))))
}

/// The name (comm) as the screen shows it; borrowed if it needs no escapes.
#[must_use]
pub fn name_of(process: &Process) -> Cow<'_, str> {
    match std::str::from_utf8(process.comm.bytes()) {
        Ok(plain) if plain.bytes().all(|b| (b' '..=b'~').contains(&b) && b != b'\\') => {
            Cow::Borrowed(plain)
        }
        _ => Cow::Owned(process.comm.to_string()),
    }
}

/// The systemd unit in a cgroup path: the last component that ends like a unit.
#[must_use]
pub fn unit_of(cgroup: &str) -> Option<&str> {
    const ENDINGS: [&str; 4] = [".service", ".scope", ".slice", ".socket"];
    cgroup.rsplit('/').find(|part| ENDINGS.iter().any(|end| part.ends_with(end)))
}

const fn fact(
    family: &'static str,
    path: &'static str,
    kind: ValueType,
    unit: &'static str,
    about: &'static str,
    source: FactSource,
) -> Fact {
    let (_, name) = path.split_at(family.len() + 1);
    let (absent, cost, depends_on_adj) = ("", FactCost::Free, false);
    Fact { family, name, path, kind, unit, about, absent, cost, depends_on_adj, source }
}

impl Fact {
    const fn absent(self, absent: &'static str) -> Self {
        Self { absent, ..self }
    }

    const fn depends_on_adj(self) -> Self {
        Self { depends_on_adj: true, ..self }
    }

    const fn costs(self, cost: FactCost) -> Self {
        Self { cost, ..self }
    }
}

const fn p(
    path: &'static str,
    kind: ValueType,
    unit: &'static str,
    about: &'static str,
    of: OfProcess,
) -> Fact {
    fact("p", path, kind, unit, about, FactSource::Own(of))
}

const fn seen(
    path: &'static str,
    kind: ValueType,
    unit: &'static str,
    about: &'static str,
    of: OfProcess,
) -> Fact {
    fact("p", path, kind, unit, about, FactSource::Scene(of))
}

const fn machine(
    path: &'static str,
    kind: ValueType,
    unit: &'static str,
    about: &'static str,
    of: OfScene,
) -> Fact {
    fact("machine", path, kind, unit, about, FactSource::Machine(of))
}

const fn psi(path: &'static str, about: &'static str, of: OfScene) -> Fact {
    fact("psi", path, ValueType::Double, "%", about, FactSource::Machine(of)).absent(NO_PSI)
}

const STATUS: &str = "where /proc/PID/status could not be read";
const NO_PSI: &str = "before Linux 4.20, or with psi=0";

/// All facts. In `company`, each `p.` fact is also available as `victim.`.
pub static FACTS: &[Fact] = &[
    p("p.pid", ValueType::Int, "", "process id", |p, _| Some(Value::Int(p.id.pid.into()))),
    p("p.ppid", ValueType::Int, "", "process id of its parent", |p, _| {
        Some(Value::Int(p.parent.into()))
    }),
    p("p.session", ValueType::Int, "", "session id", |p, _| Some(Value::Int(p.session.into()))),
    p("p.name", ValueType::Text, "", "name (comm)", |p, _| Some(Value::Text(name_of(p)))),
    p("p.cmdline", ValueType::Text, "", "command line", |p, _| shared(&p.cmdline).map(Value::text))
        .absent("where it could not be read, or not yet")
        .costs(FactCost::Cmdline),
    p("p.state", ValueType::Text, "", "state letter of its main thread (R, S, D …)", |p, _| {
        let mut letter = String::new();
        letter.push(p.state.0);
        Some(Value::Text(Cow::Owned(letter)))
    }),
    p("p.uid", ValueType::Int, "", "effective user id", |p, _| {
        p.ids.value().map(|ids| Value::Int(ids.euid.into()))
    })
    .absent(STATUS),
    p("p.user", ValueType::Text, "", "name of the effective user", |p, view| {
        view.user(p).map(Value::text)
    })
    .absent("for users that /etc/passwd does not list"),
    seen(
        "p.rss",
        ValueType::Int,
        "pages",
        "resident memory, by the kernel's own counter",
        |p, view| view.scene.and_then(|scene| pages(scene.rss(p))),
    ),
    p("p.swap", ValueType::Int, "pages", "swapped out", |p, _| read(p.swap)).absent(STATUS),
    p("p.pgtables", ValueType::Int, "pages", "page tables", |p, _| read(p.pgtables)).absent(STATUS),
    p(
        "p.anon",
        ValueType::Int,
        "pages",
        "anonymous resident memory: roughly what its death frees",
        |p, _| read(p.anon),
    )
    .absent("where status could not be read, and before Linux 4.5"),
    p("p.file", ValueType::Int, "pages", "resident file pages", |p, _| read(p.file))
        .absent("where status could not be read, and before Linux 4.5"),
    p("p.shmem", ValueType::Int, "pages", "resident shared memory", |p, _| read(p.shmem))
        .absent("where status could not be read, and before Linux 4.5"),
    seen("p.vsize", ValueType::Int, "pages", "virtual size", |p, view| {
        view.scene.and_then(|scene| pages(p.total_vm(scene.machine().page_size)))
    }),
    seen(
        "p.growth",
        ValueType::Int,
        "pages a minute",
        "growth of rss + swap + pgtables",
        |p, view| {
            let growth = view.scene?.growth(p)?;
            Some(Value::Int(growth.per_minute().0))
        },
    )
    .absent("in the first sample"),
    p("p.adj", ValueType::Int, "", "oom_score_adj, -1000 to 1000", |p, _| {
        p.adj.value().map(|adj| Value::Int(adj.0.into()))
    })
    .absent("where it could not be read")
    .depends_on_adj(),
    p("p.oom_score", ValueType::Int, "", "the kernel's own oom_score", |p, _| {
        p.score.value().map(|score| Value::Int(score.into()))
    })
    .absent("where it could not be read")
    .costs(FactCost::Scores)
    .depends_on_adj(),
    seen("p.badness", ValueType::Int, "pages", "points by the running kernel's rule", |p, view| {
        match LINUX.judge(p, view.scene?) {
            Verdict::Scored(badness) => Some(Value::Int(badness.points.0)),
            Verdict::Spared(_) => None,
        }
    })
    .absent("for processes that the kernel never chooses")
    .depends_on_adj(),
    p("p.cgroup", ValueType::Text, "", "path of its memory cgroup", |p, _| {
        shared(&p.cgroup).map(Value::text)
    })
    .absent("where it could not be read")
    .costs(FactCost::Cgroup),
    p("p.unit", ValueType::Text, "", "systemd unit in that path: nginx.service", |p, _| {
        shared(&p.cgroup).and_then(unit_of).map(Value::text)
    })
    .absent("outside any unit")
    .costs(FactCost::Cgroup),
    p("p.nice", ValueType::Int, "", "nice value, -20 to 19", |p, _| {
        Some(Value::Int(p.nice.into()))
    }),
    p("p.threads", ValueType::Int, "", "threads", |p, _| Some(Value::Int(p.threads.into()))),
    p("p.terminal", ValueType::Bool, "", "whether it has a controlling terminal", |p, _| {
        Some(Value::Bool(p.tty != 0))
    }),
    p("p.dying", ValueType::Bool, "", "was killed and still exists", |p, _| {
        Some(Value::Bool(p.dying))
    }),
    seen("p.children", ValueType::Int, "", "number of children", |p, view| {
        let count = view.scene?.children(p.id.pid).count() as u64;
        view.budget.spend(count / 4);
        Some(Value::count(count))
    }),
    seen("p.age", ValueType::Int, "s", "time since it started", |p, view| {
        let scene = view.scene?;
        let age = scene.now().clock.uptime_ticks.saturating_sub(p.id.born);
        Some(Value::count(age.seconds(scene.machine().tick_rate)))
    }),
    seen("p.cpu", ValueType::Int, "s", "CPU time of all its threads", |p, view| {
        Some(Value::count(p.cpu.seconds(view.scene?.machine().tick_rate)))
    }),
    machine("machine.total", ValueType::Int, "pages", "RAM", |s| kib(s.now().memory.total_kib, s)),
    machine("machine.free", ValueType::Int, "pages", "free RAM", |s| {
        kib(s.now().memory.free_kib, s)
    }),
    machine("machine.available", ValueType::Int, "pages", "MemAvailable", |s| {
        s.now().memory.available_kib.value().and_then(|available| kib(available, s))
    })
    .absent("before Linux 3.14"),
    machine("machine.swap_total", ValueType::Int, "pages", "swap", |s| {
        kib(s.now().swap.total_kib, s)
    }),
    machine("machine.swap_free", ValueType::Int, "pages", "free swap", |s| {
        kib(s.now().swap.free_kib, s)
    }),
    machine(
        "machine.domain",
        ValueType::Int,
        "pages",
        "memory of the chosen domain, which scales adj",
        |s| pages(s.domain().pages),
    ),
    machine("machine.page_size", ValueType::Int, "bytes", "size of a page", |s| {
        Some(Value::count(s.machine().page_size.0))
    }),
    machine("machine.cpus", ValueType::Int, "", "CPUs", |s| {
        Some(Value::count(s.machine().cpus.into()))
    }),
    psi("psi.some_avg10", "time in which some task waited for memory, over 10 s", |s| {
        share(s.now().pressure.some, |stall| stall.avg10)
    }),
    psi("psi.some_avg60", "the same over 60 s", |s| {
        share(s.now().pressure.some, |stall| stall.avg60)
    }),
    psi("psi.some_avg300", "the same over 300 s", |s| {
        share(s.now().pressure.some, |stall| stall.avg300)
    }),
    psi("psi.full_avg10", "time in which all tasks waited for memory, over 10 s", |s| {
        share(s.now().pressure.full, |stall| stall.avg10)
    }),
    psi("psi.full_avg60", "the same over 60 s", |s| {
        share(s.now().pressure.full, |stall| stall.avg60)
    }),
    psi("psi.full_avg300", "the same over 300 s", |s| {
        share(s.now().pressure.full, |stall| stall.avg300)
    }),
];

/// The families, in the order of the table.
pub const FAMILIES: [&str; 3] = ["p", "machine", "psi"];

/// The facts as a table of Markdown.
#[must_use]
pub fn table() -> String {
    let mut table =
        String::from("| fact | type | unit | meaning | absent |\n|---|---|---|---|---|\n");
    for fact in FACTS {
        let cells = [fact.kind.word(), fact.unit, fact.about, fact.absent];
        table.push_str(&format!("| `{}` | {} |\n", fact.path, cells.join(" | ")));
    }
    table
}
