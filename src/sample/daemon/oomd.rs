//! oomd: its configuration file, and the devices that its command line names.

use crate::model::{IoWeights, KillerOptions, KillerPresence, OomdOptions};
use crate::sample::daemon::search::{Running, Search, text};
use crate::sample::parse;

pub(crate) const COMM: &str = "oomd";

const PROGRAMS: &[&str] = &["usr/bin/oomd", "usr/local/bin/oomd"];

/// Configuration files, the first that exists counts.
const FILES: [&str; 2] = ["etc/oomd/oomd.json", "etc/oomd.json"];

pub(crate) fn read(search: &Search<'_>) -> KillerOptions<OomdOptions> {
    let mut killer = search.defaults::<OomdOptions>(COMM, PROGRAMS);
    if killer.found == KillerPresence::Absent {
        return killer;
    }
    let named = search.running(COMM).and_then(|it| it.value_after(["--config", "-C"]));
    let places = match &named {
        Some(path) => vec![path.trim_start_matches('/')],
        None => FILES.to_vec(),
    };
    let read = places.iter().find_map(|place| Some((*place, search.file(place)?)));
    let Some((place, bytes)) = read else { return killer };
    match parse::oomd_json(&bytes) {
        Some((options, odd)) => {
            killer.from.push(text(&format!("/{place}")));
            (killer.options, killer.remarks) = (options, odd);
        }
        None => killer.remarks.push(text(&format!("oomd: cannot read the configuration /{place}"))),
    }
    if let Some(running) = search.running(COMM) {
        killer.options.devices = devices(search, running);
    }
    killer
}

/// The devices whose I/O a running oomd weighs (`--device`), with the weights of rotating disks or of
/// the others.
fn devices(search: &Search<'_>, running: &Running) -> Vec<((u32, u32), IoWeights)> {
    let weights = |name, default| {
        running.value_of(name).and_then(|text| IoWeights::parse(&text)).unwrap_or(default)
    };
    let hdd = weights("--hdd-coeffs", IoWeights::HDD);
    let ssd = weights("--ssd-coeffs", IoWeights::SSD);
    let listed = running.value_of("--device").unwrap_or_default();
    let devices = listed.split(',').filter_map(|id| parse::device(id.trim()));
    devices
        .map(|(major, minor)| {
            let file = search.file(&format!("sys/dev/block/{major}:{minor}/queue/rotational"));
            let rotates = file.is_some_and(|bytes| bytes.trim_ascii() == b"1");
            ((major, minor), if rotates { hdd } else { ssd })
        })
        .collect()
}
