//! systemd-oomd: `oomd.conf`, and the units that ask it to watch them (`man systemd.resource-control`).

use std::collections::BTreeMap;

use crate::model::{
    KillerOptions, KillerPresence, NominatedUnit, OomRule, OomRuleAction, SystemdOomdOptions, Text,
};
use crate::sample::daemon::search::{FileSearch, text};
use crate::sample::parse;
use crate::sample::parse::UnitSetting;

pub(crate) const COMM: &str = "systemd-oomd";

const PROGRAMS: &[&str] = &["usr/lib/systemd/systemd-oomd", "lib/systemd/systemd-oomd"];

/// Directories of unit files, highest precedence first (`man systemd.unit`).
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

/// Directories of the unit files of the managers of users, highest precedence first. Those in the homes of users
/// are not read.
const USER_UNIT_DIRS: &[&str] = &[
    "etc/systemd/user",
    "run/systemd/user",
    "usr/local/lib/systemd/user",
    "usr/lib/systemd/user",
    "lib/systemd/user",
];

/// Directories with the library of systemd, whose name has the version.
const LIBRARY_DIRS: &[&str] = &[
    "usr/lib/systemd",
    "lib/systemd",
    "usr/lib64/systemd",
    "usr/lib/x86_64-linux-gnu/systemd",
    "usr/lib/aarch64-linux-gnu/systemd",
];

/// The first version with rule files (`NEWS`: `OOMRules=`).
const FIRST_WITH_RULES: u32 = 261;
/// The first version with a duration for each unit.
const FIRST_WITH_DURATIONS: u32 = 257;

/// Directories of `oomd.conf`, highest precedence first (`man oomd.conf`).
const CONF_DIRS: &[&str] =
    &["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];

/// Defaults that are compiled into systemd (`man oomd.conf`): percent, percent, seconds. The defaults
/// of [`SystemdOomdOptions`] are those of Debian's files.
const SWAP_USED: f64 = 90.0;
const PRESSURE: f64 = 60.0;
const SECONDS: f64 = 30.0;

pub(crate) fn read(search: &FileSearch<'_>) -> KillerOptions<SystemdOomdOptions> {
    let mut killer = search.defaults::<SystemdOomdOptions>(COMM, PROGRAMS);
    if killer.found == KillerPresence::Absent {
        return killer;
    }
    killer.options.seconds = SECONDS;
    for UnitSetting { key, value, .. } in settings(search, &mut killer.from) {
        let limit = parse::percentage(&value);
        match key.as_str() {
            "SwapUsedLimit" => killer.options.swap_used = limit.unwrap_or(SWAP_USED),
            "DefaultMemoryPressureLimit" => killer.options.pressure = limit.unwrap_or(PRESSURE),
            "DefaultMemoryPressureDurationSec" => {
                let seconds = parse::seconds(&value).filter(|it| *it > 0.0);
                killer.options.seconds = seconds.unwrap_or(SECONDS);
            }
            "PrekillHookTimeoutSec" => killer.options.prekill_seconds = parse::seconds(&value),
            _ => {}
        }
    }
    killer.options.version = version(search);
    let running = search.running(COMM);
    killer.options.dry_run =
        running.is_some_and(|it| it.args.iter().any(|arg| arg == b"--dry-run"));
    killer.options.nominated = nominated(search, UNIT_DIRS, &mut killer.from);
    let of_users = nominated(search, USER_UNIT_DIRS, &mut killer.from).into_iter();
    killer
        .options
        .nominated
        .extend(of_users.map(|unit| NominatedUnit { is_of_user: true, ..unit }));
    (killer.options.rules, killer.remarks) = rules(search, &mut killer.from);
    let remarks = without_what_is_newer(&mut killer.options);
    killer.remarks.extend(remarks.into_iter().map(|it| text(&it)));
    if killer.from.is_empty() {
        killer.from.push(text("its built-in defaults (no file sets anything)"));
    }
    killer
}

/// The settings of `oomd.conf` and its drop-ins: the file with the highest precedence, then all
/// drop-ins by name; of drop-ins with equal names, the one with the highest precedence. Adds the files
/// that set anything to `from`.
fn settings(search: &FileSearch<'_>, from: &mut Vec<Text>) -> Vec<UnitSetting> {
    let mut found = Vec::new();
    let mut take = |place: &str| {
        let Some(bytes) = search.file(place) else { return false };
        let mut settings = parse::systemd_conf(&bytes);
        settings.retain(|it| it.section == "OOM");
        if !settings.is_empty() {
            from.push(text(&format!("/{place}")));
            found.append(&mut settings);
        }
        true
    };
    let _ = CONF_DIRS.iter().any(|dir| take(&format!("{dir}/oomd.conf")));
    let mut drop_ins: BTreeMap<String, String> = BTreeMap::new();
    for dir in CONF_DIRS {
        let dir = format!("{dir}/oomd.conf.d");
        for name in search.listed(&dir, ".conf") {
            let place = format!("{dir}/{name}");
            drop_ins.entry(name).or_insert(place);
        }
    }
    for place in drop_ins.values() {
        take(place);
    }
    found
}

/// The version of systemd, by the name of its library: `libsystemd-shared-252.38-1~deb12u1.so`.
fn version(search: &FileSearch<'_>) -> Option<u32> {
    let names = LIBRARY_DIRS.iter().flat_map(|dir| search.listed(dir, ".so"));
    let number = |name: &str| {
        let rest = name.strip_prefix("libsystemd-shared-")?;
        let end = rest.find(|c: char| !c.is_ascii_digit())?;
        rest.get(..end)?.parse().ok()
    };
    names.filter_map(|name| number(&name)).max()
}

/// Drops the settings that this version of systemd does not know. Returns what is to be said of them.
fn without_what_is_newer(options: &mut SystemdOomdOptions) -> Vec<String> {
    let Some(version) = options.version else { return Vec::new() };
    let mut remarks = Vec::new();
    let names_rules = options.nominated.iter().any(|unit| !unit.rules.is_empty());
    if version < FIRST_WITH_RULES {
        if names_rules || !options.rules.is_empty() {
            remarks.push(format!(
                "systemd-oomd: OOMRules= needs systemd {FIRST_WITH_RULES}, and {version} is installed"
            ));
        }
        options.rules.clear();
        options.nominated.iter_mut().for_each(|unit| unit.rules.clear());
    }
    if version < FIRST_WITH_DURATIONS {
        options.nominated.iter_mut().for_each(|unit| unit.seconds = None);
    }
    options.nominated.retain(|unit| unit.swap || unit.pressure || !unit.rules.is_empty());
    let missing = options.nominated.iter().flat_map(|unit| {
        unit.rules.iter().filter(|name| options.rules.iter().all(|rule| rule.name != **name))
    });
    remarks.extend(missing.map(|name| format!("systemd-oomd: there is no usable rule {name}")));
    remarks.dedup();
    remarks
}

/// The rules (`src/oom/oomd-conf.c` `ruleset_load_one()` at 261), and what in their files made no sense. Of files
/// with equal names, the one with the highest precedence counts; an empty one means that there is none.
fn rules(search: &FileSearch<'_>, from: &mut Vec<Text>) -> (Vec<OomRule>, Vec<Text>) {
    let mut files: BTreeMap<String, String> = BTreeMap::new();
    for dir in CONF_DIRS {
        let dir = format!("{dir}/oomd/rules.d");
        for name in search.listed(&dir, ".oomrule") {
            let place = format!("{dir}/{name}");
            files.entry(name).or_insert(place);
        }
    }
    let (mut found, mut remarks) = (Vec::new(), Vec::new());
    for (name, place) in files {
        let Some(bytes) = search.file(&place).filter(|bytes| !bytes.is_empty()) else { continue };
        let name = name.strip_suffix(".oomrule").unwrap_or(&name);
        match rule(name, &bytes) {
            Ok(rule) => {
                from.push(text(&format!("/{place}")));
                found.push(rule);
            }
            Err(why) => {
                remarks.push(text(&format!("systemd-oomd: /{place}: {why}, so it is ignored")))
            }
        }
    }
    (found, remarks)
}

/// A rule, or why systemd-oomd ignores its file.
fn rule(name: &str, bytes: &[u8]) -> Result<OomRule, &'static str> {
    let (mut pressure, mut swap, mut seconds, mut action) = (None, None, Some(0.0), None);
    for UnitSetting { section, key, value } in parse::systemd_conf(bytes) {
        if section != "Rule" {
            continue;
        }
        match key.as_str() {
            "MemoryPressureAbove" => pressure = parse::percentage(&value).or(pressure),
            "SwapUsageMax" => swap = parse::percentage(&value).or(swap),
            "LastingSec" if value == "infinity" => seconds = None,
            "LastingSec" => seconds = parse::seconds(&value).or(seconds),
            "Action" => {
                let all = [
                    OomRuleAction::KillAll,
                    OomRuleAction::KillByPgscan,
                    OomRuleAction::KillBySwap,
                ];
                action = all.into_iter().find(|it| it.word() == value).or(action);
            }
            _ => {}
        }
    }
    if pressure.is_none() && swap.is_none() {
        return Err("it has no condition");
    }
    let action = action.ok_or("it has no Action=")?;
    let seconds = seconds.ok_or("LastingSec=infinity is never over")?;
    Ok(OomRule { name: text(name), pressure, swap, seconds, action })
}

/// The files of one unit.
#[derive(Default)]
struct UnitFiles {
    /// The unit file with the highest precedence.
    own: Option<String>,
    /// Drop-ins by name; of equal names, the one with the highest precedence.
    drop_ins: BTreeMap<String, String>,
}

/// The files of all units that systemd-oomd can watch, by unit.
fn unit_files(search: &FileSearch<'_>, dirs: &[&str]) -> BTreeMap<String, UnitFiles> {
    let mut units: BTreeMap<String, UnitFiles> = BTreeMap::new();
    for dir in dirs {
        for kind in [".slice", ".service", ".scope"] {
            for name in search.listed(dir, kind) {
                let place = format!("{dir}/{name}");
                units.entry(name).or_default().own.get_or_insert(place);
            }
            for name in search.listed(dir, &format!("{kind}.d")) {
                for part in search.listed(&format!("{dir}/{name}"), ".conf") {
                    let place = format!("{dir}/{name}/{part}");
                    let unit = name.trim_end_matches(".d").to_owned();
                    units.entry(unit).or_default().drop_ins.entry(part).or_insert(place);
                }
            }
        }
    }
    units
}

/// The units that ask to be watched. Adds the files that say so to `from`.
fn nominated(search: &FileSearch<'_>, dirs: &[&str], from: &mut Vec<Text>) -> Vec<NominatedUnit> {
    let mut found = Vec::new();
    for (name, UnitFiles { own, drop_ins }) in unit_files(search, dirs) {
        let mut unit = NominatedUnit { unit: text(&name), ..NominatedUnit::default() };
        for place in own.iter().chain(drop_ins.values()) {
            if search.file(place).is_some_and(|bytes| take_unit_file(&bytes, &mut unit)) {
                from.push(text(&format!("/{place}")));
            }
        }
        if unit.swap || unit.pressure || !unit.rules.is_empty() {
            found.push(unit);
        }
    }
    found
}

/// Takes the `ManagedOOM…` and `OOMRules` settings of a unit file. Whether there are any.
fn take_unit_file(bytes: &[u8], unit: &mut NominatedUnit) -> bool {
    // Few unit files have such a setting: parsing the others would be wasted.
    let has = |word: &[u8]| bytes.windows(word.len()).any(|window| window == word);
    if !has(b"ManagedOOM") && !has(b"OOMRules") {
        return false;
    }
    let mut any = false;
    for setting in parse::systemd_conf(bytes) {
        let kills = setting.value == "kill";
        match setting.key.as_str() {
            "ManagedOOMSwap" => unit.swap = kills,
            "ManagedOOMMemoryPressure" => unit.pressure = kills,
            "ManagedOOMMemoryPressureLimit" => {
                // 0 stands for the default.
                unit.limit = parse::percentage(&setting.value).filter(|it| *it > 0.0);
            }
            "ManagedOOMMemoryPressureDurationSec" => {
                unit.seconds = parse::seconds(&setting.value).filter(|it| *it >= 1.0);
            }
            // An empty value drops what was set before.
            "OOMRules" if setting.value.is_empty() => unit.rules.clear(),
            "OOMRules" => unit.rules.extend(setting.value.split_whitespace().map(text)),
            _ => continue,
        }
        any = true;
    }
    any
}
