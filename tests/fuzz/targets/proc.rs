//! Any bytes as a file of the kernel or of a killer; the first byte says which.

#![no_main]

use doomtop::model::{Comm, Hierarchy, Text, neutral, unescape};
use doomtop::sample::cgroup::freezer::freezers;
use doomtop::sample::parse::*;
use doomtop::units::{Kib, PageSize, TickRate};
use doomtop_fuzz::{bounded, harmless};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((&which, bytes)) = data.split_first() else { return };
    bounded(|| parse(which, bytes));
});

fn harmless_all(texts: &[Text]) {
    texts.iter().for_each(|text| harmless(text.as_str()));
}

fn parse(which: u8, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match which % 39 {
        0 => drop(stat(bytes)),
        1 => drop(status(bytes, true)),
        2 => drop(status(bytes, false)),
        3 => drop(meminfo(bytes)),
        4 => drop(vmstat(bytes)),
        5 => drop(pressure(bytes)),
        6 => drop(loadavg(bytes)),
        7 => drop(uptime(bytes, TickRate(100))),
        8 => {
            if let Ok(areas) = swaps(bytes) {
                for area in &areas {
                    let _ = area.free();
                }
                let _ = leaving(&areas, Kib(1 << 20), Kib(4));
            }
        }
        9 => drop(zoneinfo(bytes)),
        10 => drop(oom_score(bytes)),
        11 => drop(oom_score_adj(bytes)),
        12 => drop(smaps_rollup(bytes)),
        13 => assert!(cgroup_mounts(bytes).count() <= bytes.len()),
        14 => drop(memory_cgroup(bytes)),
        15 => drop(has_memory(bytes)),
        16 => drop(memory_events(bytes)),
        17 => drop(limit(bytes)),
        18 => drop(oom_control(bytes)),
        19 => drop(memory_stat(bytes, Hierarchy::V2)),
        20 => drop(memory_stat(bytes, Hierarchy::V1)),
        21 => {
            let _ = device(&text);
            assert!(io_stat(bytes).len() <= bytes.len());
        }
        22 => {
            let arguments: Vec<Vec<u8>> =
                bytes.split(|&byte| byte == 0).map(<[u8]>::to_vec).collect();
            harmless_all(&earlyoom_args(&arguments).1);
        }
        23 => harmless_all(&earlyoom_args(&words(bytes)).1),
        24 => {
            let name = text.lines().next().unwrap_or("EARLYOOM_ARGS");
            let _ = assigned(bytes, name);
            if let Some(value) = assigned(bytes, "EARLYOOM_ARGS") {
                harmless_all(&earlyoom_args(&words(&value)).1);
            }
        }
        25 => harmless_all(&nohang_conf(bytes).1),
        26 => {
            for setting in systemd_conf(bytes) {
                let _ = (percentage(&setting.value), seconds(&setting.value));
            }
        }
        27 => drop((percentage(&text), seconds(&text))),
        28 => {
            if let Some((_, notes)) = oomd_json(bytes) {
                harmless_all(&notes);
            }
        }
        29 => drop(lone_number("any", bytes)),
        30 => drop(freezers(bytes)),
        32 => {
            if let Ok(caches) = slabinfo(bytes, PageSize(4096), 8) {
                assert!(caches.len() <= 8);
                harmless_all(&caches.into_iter().map(|it| it.name).collect::<Vec<_>>());
            }
        }
        33 => drop(sysvipc_shm(bytes)),
        34 => drop(drm_fdinfo(bytes)),
        35 => assert!(tmpfs_points(bytes).len() <= bytes.len()),
        36 => _ = zspages(bytes),
        37 => _ = frozen(bytes),
        38 => harmless_all(&passwd(bytes).into_values().collect::<Vec<_>>()),
        _ => {
            let neutral = neutral(bytes);
            harmless(&neutral);
            assert_eq!(unescape(&neutral), bytes, "escaping is reversible");
            let comm = Comm::new(bytes);
            harmless(&comm.to_string());
            harmless(Text::command_line(bytes).as_str());
        }
    }
}
