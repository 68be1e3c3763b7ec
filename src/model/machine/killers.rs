//! The userspace killers of this machine: who is there, with which options, and where those were
//! read. What was read nowhere is the documented default, and [`KillerOptions::assumed`] says so.

use serde::{Deserialize, Serialize};

use crate::model::Text;
use crate::units::Kib;

/// Whether a killer is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum KillerPresence {
    /// Neither a process nor its files.
    #[default]
    Absent,
    /// Its files, but no process.
    Installed,
    /// The process with this pid.
    Running(i32),
}

impl KillerPresence {
    /// In a word.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Absent => "not seen here",
            Self::Installed => "installed, not running",
            Self::Running(_) => "running",
        }
    }
}

/// The options of a killer, and how they are known.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct KillerOptions<T> {
    /// Whether it is there.
    pub found: KillerPresence,
    /// The files (or the command line) that told; nothing where all is assumed.
    #[serde(default)]
    pub from: Vec<Text>,
    /// What of them made no sense, in words.
    #[serde(default)]
    pub odd: Vec<Text>,
    /// The options.
    pub options: T,
}

impl<T> KillerOptions<T> {
    /// Whether the options are no more than the documented defaults.
    #[must_use]
    pub fn assumed(&self) -> bool {
        self.from.is_empty()
    }
}

/// What `earlyoom` was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct EarlyoomOptions {
    /// Of the 1.7 line or older: percents are of `MemTotal`. Since 1.8 they are of what users can
    /// have: `MemAvailable` + `AnonPages`.
    pub before_1_8: bool,
    /// `-m`: SIGTERM and SIGKILL at so many percent of memory available, or less.
    pub mem_percent: Option<[f64; 2]>,
    /// `-M`: the same in KiB.
    pub mem_kib: Option<[Kib; 2]>,
    /// `-s`: the same of free swap.
    pub swap_percent: Option<[f64; 2]>,
    /// `-S`: the same in KiB.
    pub swap_kib: Option<[Kib; 2]>,
    /// `--prefer`, a POSIX extended regular expression.
    pub prefer: Option<Text>,
    /// `--avoid`.
    pub avoid: Option<Text>,
    /// `--ignore`.
    pub ignore: Option<Text>,
    /// `--ignore-root-user`.
    pub ignore_root: bool,
    /// `--sort-by-rss`.
    pub sort_by_rss: bool,
    /// `--kernel-oom`: it only calls the kernel's killer.
    pub kernel_oom: bool,
    /// `-g`: the whole process group.
    pub group: bool,
    /// `--dryrun`: it kills nobody.
    pub dry_run: bool,
}

impl EarlyoomOptions {
    /// SIGTERM at 10 %, SIGKILL at half of it.
    pub const PERCENT: [f64; 2] = [10.0, 5.0];

    /// The percents that `-m` and `-M` come to on this much memory: SIGTERM, SIGKILL. The smaller
    /// of the two flags wins.
    #[must_use]
    pub fn mem(&self, total: Kib) -> [f64; 2] {
        Self::smaller(self.mem_percent, self.mem_kib, total)
    }

    /// The same of swap.
    #[must_use]
    pub fn swap(&self, total: Kib) -> [f64; 2] {
        Self::smaller(self.swap_percent, self.swap_kib, total)
    }

    fn smaller(percent: Option<[f64; 2]>, kib: Option<[Kib; 2]>, total: Kib) -> [f64; 2] {
        let of = |kib: Kib| 100.0 * kib.0 as f64 / total.0.max(1) as f64;
        // Of nothing there is no share.
        match (percent, kib.filter(|_| total > Kib::ZERO).map(|pair| pair.map(of))) {
            (Some(mine), Some(theirs)) => [mine[0].min(theirs[0]), mine[1].min(theirs[1])],
            (Some(only), None) | (None, Some(only)) => only,
            (None, None) => Self::PERCENT,
        }
    }
}

/// An amount of memory as `nohang` is told.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ThresholdAmount {
    /// Of the total.
    Percent(f64),
    /// So much.
    Kib(Kib),
}

impl ThresholdAmount {
    /// In KiB.
    #[must_use]
    pub fn of(self, total: Kib) -> Kib {
        match self {
            Self::Percent(percent) => Kib((total.0 as f64 * percent / 100.0) as u64),
            Self::Kib(kib) => kib,
        }
    }
}

/// One of `nohang`'s steps: soft or hard.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct NohangThreshold {
    /// `MemAvailable` at most.
    pub mem: ThresholdAmount,
    /// `SwapFree` at most.
    pub swap: ThresholdAmount,
    /// The pressure at least, in percent.
    pub psi: f64,
}

/// What a rule of `nohang` looks at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NohangRuleField {
    /// The process's name.
    Name,
    /// Its line of cgroup version 1.
    CgroupV1,
    /// Its line of cgroup version 2.
    CgroupV2,
    /// The path of its program.
    Exe,
    /// Its working directory.
    Cwd,
    /// Its command line.
    Cmdline,
    /// Its environment.
    Environ,
    /// Its effective user.
    Uid,
}

impl NohangRuleField {
    /// What it needs, in words.
    #[must_use]
    pub const fn words(self) -> &'static str {
        match self {
            Self::Name => "the name",
            Self::CgroupV1 => "the line of cgroup version 1",
            Self::CgroupV2 => "the line of cgroup version 2",
            Self::Exe => "the program's path (/proc/PID/exe)",
            Self::Cwd => "the working directory",
            Self::Cmdline => "the command line",
            Self::Environ => "the environment",
            Self::Uid => "the user",
        }
    }
}

/// A rule of `nohang`: whom its expression finds gets so many points more or less.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NohangRule {
    /// What is looked at.
    pub on: NohangRuleField,
    /// The points.
    pub adj: i32,
    /// A Python regular expression, searched for.
    pub pattern: Text,
}

/// What rules look at, of what costs a file of each process more than a ranking does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProcessFiles {
    /// Programs.
    pub exe: bool,
    /// Working directories.
    pub cwd: bool,
    /// Environments.
    pub environ: bool,
}

/// What `nohang` was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NohangOptions {
    /// SIGTERM.
    pub soft: NohangThreshold,
    /// SIGKILL.
    pub hard: NohangThreshold,
    /// Whether pressure counts.
    pub psi: bool,
    /// Which pressure: `full_avg10` and the like.
    pub psi_metric: Text,
    /// For so many seconds.
    pub psi_seconds: f64,
    /// Whether zram counts.
    pub zram: bool,
    /// `ignore_positive_oom_score_adj`.
    pub ignore_positive_adj: bool,
    /// Up to 0.2.0 that takes off all of a positive adj; later two thirds, as much as the kernel's
    /// score gained by it.
    pub up_to_0_2: bool,
    /// Below this it does nothing.
    pub min_badness: i64,
    /// The rules, in the order of the file.
    pub rules: Vec<NohangRule>,
    /// Victims for whom a command is run in place of SIGTERM.
    pub soft_actions: u32,
}

impl Default for NohangOptions {
    /// `nohang.conf` as it is shipped.
    fn default() -> Self {
        let step = |mem, swap, psi| NohangThreshold {
            mem: ThresholdAmount::Percent(mem),
            swap: ThresholdAmount::Percent(swap),
            psi,
        };
        Self {
            soft: step(5.0, 10.0, 40.0),
            hard: step(2.0, 4.0, 90.0),
            psi: false,
            psi_metric: Text::new(b"full_avg10"),
            psi_seconds: 30.0,
            zram: false,
            ignore_positive_adj: false,
            up_to_0_2: false,
            min_badness: 1,
            rules: Vec::new(),
            soft_actions: 0,
        }
    }
}

impl NohangOptions {
    /// `nohang-desktop.conf` as it is shipped, as far as its rules can be followed: those on program
    /// paths (display servers, desktops, login and package managers: -200) need files that are not
    /// read.
    #[must_use]
    pub fn desktop() -> Self {
        let rule =
            |on, adj, pattern: &str| NohangRule { on, adj, pattern: Text::new(pattern.as_bytes()) };
        let exe =
            |name: &str| rule(NohangRuleField::Exe, -200, &format!("^/usr/(lib|bin|sbin)/{name}"));
        Self {
            psi: true,
            rules: vec![
                rule(NohangRuleField::Name, 200, "^(Web Content|Privileged Cont|file:// Content)$"),
                rule(NohangRuleField::Name, -200, "^(dnf|yum|packagekitd)$"),
                exe("(xorg/Xorg|Xorg|Xwayland|gnome-shell|kwin_wayland|plasmashell|sway)$"),
                exe("(systemd/systemd|systemd/systemd-logind|dbus-daemon|dbus-broker)$"),
            ],
            ..Self::default()
        }
    }
}

/// A unit that asks `systemd-oomd` to watch it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct NominatedUnit {
    /// The unit: `-.slice`, `user@.service`, `foo.service`.
    pub unit: Text,
    /// `ManagedOOMSwap=kill`.
    pub swap: bool,
    /// `ManagedOOMMemoryPressure=kill`.
    pub pressure: bool,
    /// `ManagedOOMMemoryPressureLimit`, in percent.
    pub limit: Option<f64>,
}

impl NominatedUnit {
    /// Whether a cgroup is that unit's, by its name: an instance is its template's.
    #[must_use]
    pub fn is(&self, path: &str) -> bool {
        let unit = self.unit.as_str();
        if unit == "-.slice" {
            return path == "/";
        }
        let name = path.rsplit('/').next().unwrap_or_default();
        // `user-.slice` stands for all whose names begin so.
        if let Some(start) = unit.strip_suffix("-.slice").filter(|start| !start.is_empty()) {
            return name.strip_prefix(start).is_some_and(|rest| {
                rest.strip_prefix('-')
                    .is_some_and(|rest| rest.ends_with(".slice") && rest.len() > 6)
            });
        }
        match unit.split_once("@.") {
            Some((start, end)) => name
                .strip_prefix(start)
                .and_then(|rest| rest.strip_prefix('@'))
                .is_some_and(|rest| rest.ends_with(end) && rest.len() > end.len() + 1),
            None => name == unit,
        }
    }
}

/// What `systemd-oomd` was told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SystemdOomdOptions {
    /// `SwapUsedLimit`, in percent.
    pub swap_used: f64,
    /// `DefaultMemoryPressureLimit`, in percent.
    pub pressure: f64,
    /// `DefaultMemoryPressureDurationSec`.
    pub seconds: f64,
    /// Who asks to be watched.
    pub nominated: Vec<NominatedUnit>,
}

impl Default for SystemdOomdOptions {
    /// As Debian ships it.
    fn default() -> Self {
        let unit = |unit: &str, swap, limit: Option<f64>| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            swap,
            pressure: limit.is_some(),
            limit,
        };
        Self {
            swap_used: 90.0,
            pressure: 60.0,
            seconds: 20.0,
            nominated: vec![unit("-.slice", true, None), unit("user@.service", false, Some(50.0))],
        }
    }
}

/// A set of cgroups as `oomd` is told: paths below the root with `*` in them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CgroupSet(pub Vec<Text>);

impl CgroupSet {
    /// Separated by commas.
    #[must_use]
    pub fn parse(list: &str) -> Self {
        let named = list.split(',').map(|path| path.trim().trim_matches('/'));
        Self(named.filter(|path| !path.is_empty()).map(|path| Text::new(path.as_bytes())).collect())
    }

    /// Whether a cgroup is meant.
    #[must_use]
    pub fn has(&self, path: &str) -> bool {
        self.0.iter().any(|pattern| glob(pattern.as_str(), path.trim_start_matches('/')))
    }
}

/// Whether a path matches a pattern, component by component; `*` stands for any characters of one.
fn glob(pattern: &str, path: &str) -> bool {
    let mut names = path.split('/');
    pattern.split('/').all(|part| names.next().is_some_and(|name| part_is(part, name)))
        && names.next().is_none()
}

fn part_is(pattern: &str, name: &str) -> bool {
    let Some((start, rest)) = pattern.split_once('*') else { return pattern == name };
    let Some(mut name) = name.strip_prefix(start) else { return false };
    let mut pieces = rest.split('*').peekable();
    while let Some(piece) = pieces.next() {
        if pieces.peek().is_none() {
            return name.ends_with(piece);
        }
        let Some(at) = name.find(piece) else { return false };
        name = &name[at + piece.len()..];
    }
    true
}

/// What `oomd` was told, of what its kill plugins need.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct OomdOptions {
    /// Whose pressure is watched, and the limit in percent (`pressure_above`, `full avg10`).
    pub pressure: Vec<(CgroupSet, f64)>,
    /// For so many seconds.
    pub seconds: f64,
    /// Whom `kill_by_memory_size_or_growth` looks at.
    pub by_size: CgroupSet,
    /// Free swap below so many percent.
    pub swap_free: f64,
    /// Whom `kill_by_swap_usage` looks at.
    pub by_swap: CgroupSet,
    /// Whom `kill_by_pressure` looks at.
    pub by_pressure: CgroupSet,
    /// Whom `kill_by_pg_scan` looks at.
    #[serde(default)]
    pub by_pgscan: CgroupSet,
    /// Whom `kill_by_io_cost` looks at.
    #[serde(default)]
    pub by_io: CgroupSet,
    /// The devices that count for it (`--device`), and how each is weighed.
    #[serde(default)]
    pub devices: Vec<((u32, u32), IoWeights)>,
}

/// What a read, a byte read, a write, a byte written, a discard and a byte discarded cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct IoWeights(pub [f64; 6]);

impl IoWeights {
    /// oomd's own for spinning disks (`src/oomd/Main.cpp` @88c28fd).
    pub const HDD: Self = Self([1.31e-3, 1.13e-7, 2.58e-1, 5.04e-7, 0.0, 0.0]);
    /// oomd's own for the others.
    pub const SSD: Self = Self([1.21e-2, 6.25e-7, 1.07e-3, 2.61e-7, 2.37e-2, 9.10e-10]);

    /// As `--hdd-coeffs` and `--ssd-coeffs` write them: numbers between commas, what is missing is 0.
    /// `None` where one is no number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut weights = Self::default();
        for (weight, word) in weights.0.iter_mut().zip(text.split(',')) {
            *weight = word.trim().parse().ok().filter(|number: &f64| number.is_finite())?;
        }
        Some(weights)
    }
}

impl Default for OomdOptions {
    /// Its sample for a desktop.
    fn default() -> Self {
        let all = CgroupSet::parse(
            "user.slice/user-*.slice/session-*.scope,user.slice/user-*.slice/user@*.service/*,\
             system.slice/*",
        );
        Self {
            pressure: vec![
                (CgroupSet::parse("user.slice"), 60.0),
                (CgroupSet::parse("system.slice"), 80.0),
            ],
            seconds: 30.0,
            by_size: all.clone(),
            swap_free: 10.0,
            by_swap: all.clone(),
            by_pressure: all.clone(),
            by_pgscan: all.clone(),
            by_io: all,
            devices: Vec::new(),
        }
    }
}

/// All of them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct InstalledKillers {
    /// `earlyoom`.
    pub earlyoom: KillerOptions<EarlyoomOptions>,
    /// `nohang` with its own file.
    pub nohang: KillerOptions<NohangOptions>,
    /// `nohang` with the file for desktops.
    pub nohang_desktop: KillerOptions<NohangOptions>,
    /// `systemd-oomd`.
    pub systemd_oomd: KillerOptions<SystemdOomdOptions>,
    /// `oomd`.
    pub oomd: KillerOptions<OomdOptions>,
}

impl Default for InstalledKillers {
    fn default() -> Self {
        Self {
            earlyoom: KillerOptions::default(),
            nohang: KillerOptions::default(),
            nohang_desktop: KillerOptions {
                options: NohangOptions::desktop(),
                ..KillerOptions::default()
            },
            systemd_oomd: KillerOptions::default(),
            oomd: KillerOptions::default(),
        }
    }
}

impl InstalledKillers {
    /// What the rules in files of those that are installed look at: rules that give no points look at
    /// nothing.
    #[must_use]
    pub fn look_at(&self) -> ProcessFiles {
        let installed = [&self.nohang, &self.nohang_desktop];
        let installed = installed
            .into_iter()
            .filter(|told| told.found != KillerPresence::Absent && !told.assumed());
        let mut found = ProcessFiles::default();
        for rule in installed.flat_map(|told| &told.options.rules).filter(|rule| rule.adj != 0) {
            match rule.on {
                NohangRuleField::Exe => found.exe = true,
                NohangRuleField::Cwd => found.cwd = true,
                NohangRuleField::Environ => found.environ = true,
                NohangRuleField::Name
                | NohangRuleField::CgroupV1
                | NohangRuleField::CgroupV2
                | NohangRuleField::Cmdline
                | NohangRuleField::Uid => {}
            }
        }
        found
    }

    /// Whether nothing at all is known.
    #[must_use]
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_go_by_components() {
        let set =
            CgroupSet::parse("user.slice/user-*.slice/session-*.scope, system.slice/*,/a*b*c/");
        for (path, is) in [
            ("/user.slice/user-1000.slice/session-2.scope", true),
            ("/user.slice/user-1000.slice/user@1000.service", false),
            ("/system.slice/foo.service", true),
            ("/system.slice/foo.service/x", false),
            ("/system.slice", false),
            ("/aXbYc", true),
            ("/abbcc", true),
            ("/acb", false),
            ("/", false),
        ] {
            assert_eq!(set.has(path), is, "{path}");
        }
    }

    #[test]
    fn a_template_nominates_its_instances() {
        let unit = |unit: &str| NominatedUnit {
            unit: Text::new(unit.as_bytes()),
            swap: true,
            pressure: false,
            limit: None,
        };
        assert!(unit("-.slice").is("/") && !unit("-.slice").is("/a"));
        let user = unit("user@.service");
        assert!(user.is("/user.slice/user-1000.slice/user@1000.service"));
        assert!(!user.is("/user.slice/user-1000.slice/user@.service"));
        assert!(!user.is("/user.slice/user-1000.slice/user@1000.slice"));
        assert!(unit("a.service").is("/system.slice/a.service"));
        assert!(unit("user-.slice").is("/user.slice/user-7.slice"));
        assert!(!unit("user-.slice").is("/user.slice") && !unit("user-.slice").is("/user-.slice"));
    }

    #[test]
    fn the_smaller_of_percent_and_kib_wins() {
        let told = |mem_percent, mem_kib| EarlyoomOptions {
            mem_percent,
            mem_kib,
            ..EarlyoomOptions::default()
        };
        let total = Kib(1_000_000);
        assert_eq!(told(None, None).mem(total), [10.0, 5.0]);
        let kib = Some([Kib(50_000), Kib(40_000)]);
        assert_eq!(told(None, kib).mem(total), [5.0, 4.0]);
        assert_eq!(told(Some([8.0, 2.0]), kib).mem(total), [5.0, 2.0]);
        assert_eq!(told(Some([3.0, 2.0]), kib).mem(total), [3.0, 2.0]);
    }
}
