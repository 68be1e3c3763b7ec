//! Which userspace killers are here, and the options that they run with: from their own files, and
//! from the command line of whoever runs, which wins.
//!
//! Read at the start and every half minute after, by the walker: opening files may stall.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::process::geteuid;

use crate::model::{
    EarlyoomOptions, InstalledKillers, IoWeights, KillerOptions, KillerPresence, NohangOptions,
    NominatedUnit, OomdOptions, Process, SystemdOomdOptions, Text,
};
use crate::sample::file_buffer::{FileBuffer, ProcPath};
use crate::sample::parse;
use crate::sample::parse::UnitSetting;
use crate::sample::proc_root::ProcRoot;
use crate::sample::process::unit;
use crate::sample::regular_file::plain_file;
use crate::units::Millis;

/// They are looked for so often.
const EVERY: Millis = Millis(30_000);

/// So much of an options file is read, in bytes.
const LONGEST: u64 = 1 << 18;

/// So many files of one directory are looked into.
const MOST_FILES: usize = 4000;

/// Where units may be, the strongest first (`man systemd.unit`).
const UNIT_DIRS: &[&str] = &[
    "etc/systemd/system.control",
    "run/systemd/system.control",
    "run/systemd/transient",
    "etc/systemd/system",
    "run/systemd/system",
    "usr/local/lib/systemd/system",
    "usr/lib/systemd/system",
    "lib/systemd/system",
];

/// Where configuration may be, the strongest first.
const CONF_DIRS: &[&str] =
    &["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];

/// The filesystem whose programs a proc tree shows: the live one's, or that which holds a directory
/// called `proc`. Another folder belongs to none.
#[must_use]
pub fn filesystem(proc: &ProcRoot) -> Option<PathBuf> {
    let path = proc.path();
    (path.file_name()? == "proc").then(|| path.parent().map(Path::to_path_buf)).flatten()
}

/// Finds the killers.
pub struct KillerReader {
    /// The root of the filesystem, where there is one.
    files: Option<PathBuf>,
    buffer: FileBuffer,
    read: Option<Millis>,
    last: Arc<InstalledKillers>,
}

impl KillerReader {
    /// A reader of this filesystem, that knows nothing yet.
    #[must_use]
    pub fn new(files: Option<PathBuf>) -> Self {
        Self { files, buffer: FileBuffer::new(), read: None, last: Arc::default() }
    }

    /// What was read last; as long as nothing changes, it is the same.
    #[must_use]
    pub fn last(&self) -> &Arc<InstalledKillers> {
        &self.last
    }

    /// Reads again if it is time; `rows` are the processes, `now` is on the snapshot's clock.
    pub fn read<'a>(
        &mut self,
        proc: &ProcRoot,
        rows: impl Iterator<Item = &'a Process>,
        now: Millis,
    ) {
        let Some(files) = &self.files else { return };
        if self.read.is_some_and(|read| now.saturating_sub(read) < EVERY) {
            return;
        }
        self.read = Some(now);
        let mut search = Search { files, running: Vec::new() };
        for process in rows {
            let comm = process.comm.bytes();
            if [&b"earlyoom"[..], b"nohang", b"systemd-oomd", b"oomd"].contains(&comm)
                && is_believed(proc, process, &mut self.buffer)
            {
                let path = ProcPath::of(process.id.pid, "cmdline");
                let line = self.buffer.read_start(proc, path.as_c_str(), 1 << 16);
                let args = line.map_or_else(|_| Vec::new(), |(bytes, _)| arguments(bytes));
                search.running.push(Running { comm: comm.to_vec(), pid: process.id.pid, args });
            }
        }
        let killers = search.killers();
        if killers != *self.last {
            self.last = Arc::new(killers);
        }
    }
}

/// Whether a process with a killer's name may be one. Anybody can have the name, and what its command
/// line names is opened: root counts, doomtop's own user, and the service of that name, which may run
/// as a user of its own. By both ids, as who runs a program of root's chooses its command line.
fn is_believed(proc: &ProcRoot, process: &Process, buffer: &mut FileBuffer) -> bool {
    let mut read = |file| {
        let path = ProcPath::of(process.id.pid, file);
        buffer.read_start(proc, path.as_c_str(), 1 << 16).map(|(bytes, _)| bytes.to_vec()).ok()
    };
    let status = read("status").and_then(|bytes| parse::status(&bytes, false).ok());
    let Some(ids) = status.map(|status| status.ids) else { return false };
    let own = geteuid().as_raw();
    if [ids.uid, ids.euid].iter().all(|&uid| uid == 0 || uid == own) {
        return true;
    }
    let cgroups = read("cgroup").unwrap_or_default();
    let unit = unit::managed(&cgroups).and_then(|path| path.strip_prefix(b"/system.slice/"));
    let name = unit.and_then(|unit| unit.strip_prefix(process.comm.bytes()));
    name == Some(b".service")
}

/// A killer's process.
struct Running {
    comm: Vec<u8>,
    pid: i32,
    /// Its command line, the program first.
    args: Vec<Vec<u8>>,
}

/// The arguments of a command line.
fn arguments(bytes: &[u8]) -> Vec<Vec<u8>> {
    let bytes = bytes.strip_suffix(b"\0").unwrap_or(bytes);
    if bytes.is_empty() {
        return Vec::new();
    }
    bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect()
}

fn text(words: &str) -> Text {
    Text::new(words.as_bytes())
}

/// One look for all of them.
struct Search<'a> {
    files: &'a Path,
    running: Vec<Running>,
}

impl Search<'_> {
    fn killers(&self) -> InstalledKillers {
        let (nohang, nohang_desktop) = self.nohang();
        InstalledKillers {
            earlyoom: self.earlyoom(),
            nohang,
            nohang_desktop,
            systemd_oomd: self.systemd_oomd(),
            oomd: self.oomd(),
        }
    }

    /// A file's bytes, from its place below the root.
    fn file(&self, place: &str) -> Option<Vec<u8>> {
        plain_file(&self.files.join(place), LONGEST)
    }

    fn is_there(&self, places: &[&str]) -> bool {
        places.iter().any(|place| self.files.join(place).exists())
    }

    fn runs(&self, comm: &str) -> Option<&Running> {
        self.running.iter().find(|it| it.comm == comm.as_bytes())
    }

    /// Whether a killer of this name runs, or else its program is there.
    fn found(&self, comm: &str, programs: &[&str]) -> KillerPresence {
        match self.runs(comm) {
            Some(running) => KillerPresence::Running(running.pid),
            None if self.is_there(programs) => KillerPresence::Installed,
            None => KillerPresence::Absent,
        }
    }

    /// The version of a package, as Debian's and Arch's databases tell it.
    fn version(&self, package: &str) -> Option<(u32, u32)> {
        let numbers = |version: &str| {
            let upstream = version.split_once(':').map_or(version, |(_, rest)| rest);
            let mut numbers = upstream.split(|c: char| !c.is_ascii_digit());
            Some((numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        };
        let status = plain_file(&self.files.join("var/lib/dpkg/status"), LONGEST << 7);
        if let Some(bytes) = status {
            let wanted = format!("Package: {package}\n");
            let lines = String::from_utf8_lossy(&bytes);
            let entry = lines.split("\n\n").find(|entry| entry.starts_with(&wanted))?;
            return numbers(entry.lines().find_map(|line| line.strip_prefix("Version: "))?);
        }
        let entries = std::fs::read_dir(self.files.join("var/lib/pacman/local")).ok()?;
        let mut names = entries.flatten().map(|entry| entry.file_name());
        names.find_map(|name| numbers(name.to_str()?.strip_prefix(package)?.strip_prefix('-')?))
    }

    fn earlyoom(&self) -> KillerOptions<EarlyoomOptions> {
        const FILE: &str = "etc/default/earlyoom";
        let programs = ["usr/bin/earlyoom", "usr/local/bin/earlyoom", "bin/earlyoom"];
        let found = self.found("earlyoom", &programs);
        let mut told = KillerOptions { found, ..KillerOptions::default() };
        if found == KillerPresence::Absent {
            return told;
        }
        let args = match self.runs("earlyoom").filter(|it| !it.args.is_empty()) {
            Some(running) => {
                told.from.push(text(&format!("/proc/{}/cmdline", running.pid)));
                Some(running.args[1..].to_vec())
            }
            None => self.file(FILE).map(|bytes| {
                told.from.push(text(&format!("/{FILE}")));
                parse::words(&parse::assigned(&bytes, "EARLYOOM_ARGS").unwrap_or_default())
            }),
        };
        (told.options, told.odd) = parse::earlyoom_args(&args.unwrap_or_default());
        told.options.before_1_8 = self.version("earlyoom").is_some_and(|it| it < (1, 8));
        told
    }

    /// With its own file, and with that for desktops: which of the two runs, its command line tells.
    fn nohang(&self) -> (KillerOptions<NohangOptions>, KillerOptions<NohangOptions>) {
        let programs = ["usr/sbin/nohang", "usr/bin/nohang", "usr/local/sbin/nohang"];
        let found = self.found("nohang", &programs);
        let argument = |running: &Running| {
            let at = running.args.iter().position(|it| it == b"--config" || it == b"-c")?;
            String::from_utf8(running.args.get(at + 1)?.clone()).ok()
        };
        let config = self.runs("nohang").and_then(argument);
        let up_to_0_2 = found != KillerPresence::Absent
            && self.version("nohang").is_some_and(|version| version <= (0, 2));
        let told = |desktop: bool, place: &str| {
            let this = match &config {
                Some(path) => path.contains("desktop") == desktop,
                None => !desktop,
            };
            let found = match found {
                KillerPresence::Running(_) if !this => KillerPresence::Installed,
                found => found,
            };
            let options = if desktop { NohangOptions::desktop() } else { NohangOptions::default() };
            let mut told = KillerOptions { found, options, ..KillerOptions::default() };
            let place =
                config.as_ref().filter(|_| this).map_or(place, |path| path.trim_start_matches('/'));
            if found != KillerPresence::Absent
                && let Some(bytes) = self.file(place)
            {
                told.from.push(text(&format!("/{place}")));
                (told.options, told.odd) = parse::nohang_conf(&bytes);
            }
            told.options.up_to_0_2 = up_to_0_2;
            told
        };
        (told(false, "etc/nohang/nohang.conf"), told(true, "etc/nohang/nohang-desktop.conf"))
    }

    /// The files in a directory that end so, sorted by name.
    fn listed(&self, dir: &str, end: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.files.join(dir)) else { return Vec::new() };
        let names = entries.flatten().filter_map(|entry| entry.file_name().into_string().ok());
        let mut names: Vec<String> =
            names.filter(|it| it.ends_with(end)).take(MOST_FILES).collect();
        names.sort();
        names
    }

    /// The settings of a file and its drop-ins: `systemd/oomd.conf` below each directory, the
    /// strongest one; then all drop-ins by name, of equal names the strongest.
    fn settings(&self, from: &mut Vec<Text>) -> Vec<UnitSetting> {
        let mut found = Vec::new();
        let mut take = |place: &str, from: &mut Vec<Text>| {
            let Some(bytes) = self.file(place) else { return false };
            let mut settings = parse::systemd_conf(&bytes);
            settings.retain(|it| it.section == "OOM");
            if !settings.is_empty() {
                from.push(text(&format!("/{place}")));
                found.append(&mut settings);
            }
            true
        };
        let _ = CONF_DIRS.iter().any(|dir| take(&format!("{dir}/oomd.conf"), from));
        let mut parts: BTreeMap<String, String> = BTreeMap::new();
        for dir in CONF_DIRS {
            let dir = format!("{dir}/oomd.conf.d");
            for name in self.listed(&dir, ".conf") {
                let place = format!("{dir}/{name}");
                parts.entry(name).or_insert(place);
            }
        }
        for place in parts.values() {
            take(place, from);
        }
        found
    }

    /// Who asks to be watched, as unit files and their drop-ins tell.
    fn nominated(&self, from: &mut Vec<Text>) -> Vec<NominatedUnit> {
        // Of each unit its own file, the strongest, then its drop-ins by name.
        let mut units: BTreeMap<String, (Option<String>, BTreeMap<String, String>)> =
            BTreeMap::new();
        for dir in UNIT_DIRS {
            for kind in [".slice", ".service", ".scope"] {
                for name in self.listed(dir, kind) {
                    let place = format!("{dir}/{name}");
                    units.entry(name).or_default().0.get_or_insert(place);
                }
                for name in self.listed(dir, &format!("{kind}.d")) {
                    for part in self.listed(&format!("{dir}/{name}"), ".conf") {
                        let place = format!("{dir}/{name}/{part}");
                        let unit = name.trim_end_matches(".d").to_owned();
                        units.entry(unit).or_default().1.entry(part).or_insert(place);
                    }
                }
            }
        }
        let mut found = Vec::new();
        for (name, (own, parts)) in units {
            let mut unit =
                NominatedUnit { unit: text(&name), swap: false, pressure: false, limit: None };
            for place in own.iter().chain(parts.values()) {
                let Some(bytes) = self.file(place) else { continue };
                // Few files say anything about it.
                if !bytes.windows(10).any(|window| window == b"ManagedOOM") {
                    continue;
                }
                let mut told = false;
                for setting in parse::systemd_conf(&bytes) {
                    let kills = setting.value == "kill";
                    match setting.key.as_str() {
                        "ManagedOOMSwap" => unit.swap = kills,
                        "ManagedOOMMemoryPressure" => unit.pressure = kills,
                        "ManagedOOMMemoryPressureLimit" => {
                            // 0 stands for the default.
                            unit.limit = parse::percentage(&setting.value).filter(|it| *it > 0.0);
                        }
                        _ => continue,
                    }
                    told = true;
                }
                if told {
                    from.push(text(&format!("/{place}")));
                }
            }
            if unit.swap || unit.pressure {
                found.push(unit);
            }
        }
        found
    }

    fn systemd_oomd(&self) -> KillerOptions<SystemdOomdOptions> {
        let programs = ["usr/lib/systemd/systemd-oomd", "lib/systemd/systemd-oomd"];
        let found = self.found("systemd-oomd", &programs);
        let mut told = KillerOptions { found, ..KillerOptions::<SystemdOomdOptions>::default() };
        if found == KillerPresence::Absent {
            return told;
        }
        // What systemd does unless it is told otherwise; units ask for nothing by themselves.
        told.options.seconds = 30.0;
        for UnitSetting { key, value, .. } in self.settings(&mut told.from) {
            let limit = parse::percentage(&value);
            match key.as_str() {
                "SwapUsedLimit" => told.options.swap_used = limit.unwrap_or(90.0),
                "DefaultMemoryPressureLimit" => told.options.pressure = limit.unwrap_or(60.0),
                "DefaultMemoryPressureDurationSec" => {
                    let seconds = parse::seconds(&value).filter(|it| *it > 0.0);
                    told.options.seconds = seconds.unwrap_or(30.0);
                }
                _ => {}
            }
        }
        told.options.nominated = self.nominated(&mut told.from);
        if told.from.is_empty() {
            told.from.push(text("its built-in defaults (no file sets anything)"));
        }
        told
    }

    fn oomd(&self) -> KillerOptions<OomdOptions> {
        let programs = ["usr/bin/oomd", "usr/local/bin/oomd"];
        let found = self.found("oomd", &programs);
        let mut told = KillerOptions { found, ..KillerOptions::<OomdOptions>::default() };
        if found == KillerPresence::Absent {
            return told;
        }
        let argument = |running: &Running| {
            let at = running.args.iter().position(|it| it == b"--config" || it == b"-C")?;
            String::from_utf8(running.args.get(at + 1)?.clone()).ok()
        };
        let named = self.runs("oomd").and_then(argument);
        let places = match &named {
            Some(path) => vec![path.trim_start_matches('/')],
            None => vec!["etc/oomd/oomd.json", "etc/oomd.json"],
        };
        let read = places.iter().find_map(|place| Some((*place, self.file(place)?)));
        let Some((place, bytes)) = read else { return told };
        match parse::json(&bytes).and_then(|config| parse::oomd_json(&config)) {
            Some((options, odd)) => {
                told.from.push(text(&format!("/{place}")));
                (told.options, told.odd) = (options, odd);
            }
            None => told.odd.push(text(&format!("oomd: cannot make out /{place}"))),
        }
        if let Some(running) = self.runs("oomd") {
            told.options.devices = self.oomd_devices(running);
        }
        told
    }

    /// The devices that a running oomd weighs, by what its command line says of them and how they
    /// turn.
    fn oomd_devices(&self, running: &Running) -> Vec<((u32, u32), IoWeights)> {
        let argument = |name: &str| {
            let mut args = running.args.iter().map(|arg| String::from_utf8_lossy(arg));
            while let Some(arg) = args.next() {
                let rest = arg.strip_prefix(name).map(str::to_owned);
                match rest.as_deref() {
                    Some("") => return args.next().map(|value| value.into_owned()),
                    Some(rest) if rest.starts_with('=') => return Some(rest[1..].to_owned()),
                    _ => {}
                }
            }
            None
        };
        let weights =
            |name, own| argument(name).and_then(|text| IoWeights::parse(&text)).unwrap_or(own);
        let hdd = weights("--hdd-coeffs", IoWeights::HDD);
        let ssd = weights("--ssd-coeffs", IoWeights::SSD);
        let listed = argument("--device").unwrap_or_default();
        let devices = listed.split(',').filter_map(|id| parse::device(id.trim()));
        devices
            .map(|(major, minor)| {
                let turns = self.file(&format!("sys/dev/block/{major}:{minor}/queue/rotational"));
                let turns = turns.is_some_and(|bytes| bytes.trim_ascii() == b"1");
                ((major, minor), if turns { hdd } else { ssd })
            })
            .collect()
    }
}
