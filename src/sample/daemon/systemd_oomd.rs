//! systemd-oomd: `oomd.conf`, and the units that ask it to watch them (`man systemd.resource-control`).

use std::collections::BTreeMap;

use crate::model::{KillerOptions, KillerPresence, NominatedUnit, SystemdOomdOptions, Text};
use crate::sample::daemon::search::{Search, text};
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

/// Directories of `oomd.conf`, highest precedence first (`man oomd.conf`).
const CONF_DIRS: &[&str] =
    &["etc/systemd", "run/systemd", "usr/local/lib/systemd", "usr/lib/systemd"];

/// Defaults that are compiled into systemd (`man oomd.conf`): percent, percent, seconds. The defaults
/// of [`SystemdOomdOptions`] are those of Debian's files.
const SWAP_USED: f64 = 90.0;
const PRESSURE: f64 = 60.0;
const SECONDS: f64 = 30.0;

pub(crate) fn read(search: &Search<'_>) -> KillerOptions<SystemdOomdOptions> {
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
            _ => {}
        }
    }
    killer.options.nominated = nominated(search, &mut killer.from);
    if killer.from.is_empty() {
        killer.from.push(text("its built-in defaults (no file sets anything)"));
    }
    killer
}

/// The settings of `oomd.conf` and its drop-ins: the file with the highest precedence, then all
/// drop-ins by name; of drop-ins with equal names, the one with the highest precedence. Adds the files
/// that set anything to `from`.
fn settings(search: &Search<'_>, from: &mut Vec<Text>) -> Vec<UnitSetting> {
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

/// The files of one unit.
#[derive(Default)]
struct UnitFiles {
    /// The unit file with the highest precedence.
    own: Option<String>,
    /// Drop-ins by name; of equal names, the one with the highest precedence.
    drop_ins: BTreeMap<String, String>,
}

/// The files of all units that systemd-oomd can watch, by unit.
fn unit_files(search: &Search<'_>) -> BTreeMap<String, UnitFiles> {
    let mut units: BTreeMap<String, UnitFiles> = BTreeMap::new();
    for dir in UNIT_DIRS {
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
fn nominated(search: &Search<'_>, from: &mut Vec<Text>) -> Vec<NominatedUnit> {
    let mut found = Vec::new();
    for (name, UnitFiles { own, drop_ins }) in unit_files(search) {
        let mut unit =
            NominatedUnit { unit: text(&name), swap: false, pressure: false, limit: None };
        for place in own.iter().chain(drop_ins.values()) {
            if search.file(place).is_some_and(|bytes| take_unit_file(&bytes, &mut unit)) {
                from.push(text(&format!("/{place}")));
            }
        }
        if unit.swap || unit.pressure {
            found.push(unit);
        }
    }
    found
}

/// Takes the `ManagedOOM…` settings of a unit file. Whether there are any.
fn take_unit_file(bytes: &[u8], unit: &mut NominatedUnit) -> bool {
    // Few unit files have such a setting: parsing the others would be wasted.
    if !bytes.windows(10).any(|window| window == b"ManagedOOM") {
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
            _ => continue,
        }
        any = true;
    }
    any
}
