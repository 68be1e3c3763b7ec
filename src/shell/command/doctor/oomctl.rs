//! What systemd-oomd says itself that it watches (`oomctl dump`), compared with what its files say. Only `doomtop
//! doctor` asks: the answer needs a program and two daemons, which a sample must not wait for.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::finding::Findings;
use crate::effects::own_adj::adj_for_children;
use crate::model::{KillerOptions, KillerPresence, Snapshot, SystemdOomdOptions};
use crate::shell::child;

/// Where `oomctl` is looked for. Not in `PATH`: doomtop may run as root.
const OOMCTL: [&str; 4] = [
    "/usr/bin/oomctl",
    "/bin/oomctl",
    "/usr/local/bin/oomctl",
    "/run/current-system/sw/bin/oomctl",
];
/// Maximum time for its answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// Maximum length of its answer, in bytes.
const MAX_ANSWER: u64 = 1 << 20;
/// Maximum number of differences that are told.
const MAX_TOLD: usize = 5;
/// Two limits are equal up to this, in percent: it prints two decimals.
const ROUNDING: f64 = 0.011;

/// What systemd-oomd watches.
#[derive(Debug, Default, PartialEq)]
struct Watched {
    dry_run: bool,
    /// The paths of the cgroups that it watches for swap.
    swap: Vec<String>,
    /// Those that it watches for pressure, with the limit in percent.
    pressure: BTreeMap<String, Option<f64>>,
}

/// Asks, where systemd-oomd runs, and compares.
pub(super) fn compare(sample: &Snapshot, found: &mut Findings) {
    let killer = &sample.killers.systemd_oomd;
    if !matches!(killer.found, KillerPresence::Running(_)) {
        return;
    }
    let answer = ask().and_then(|text| {
        Watched::parse(&text).ok_or_else(|| "oomctl: its answer is not understood".to_owned())
    });
    let told = answer.and_then(|said| differences(&said, &Watched::by_files(sample, killer)));
    let gives = "needed to know what systemd-oomd watches beyond the files that doomtop reads";
    found.source("machine", "systemd-oomd", told, gives);
}

/// What is watched, in words, or how it differs from what the files say.
fn differences(said: &Watched, files: &Watched) -> Result<String, String> {
    let mut told = Vec::new();
    let limit = |it: &Option<f64>| it.map_or_else(String::new, |it| format!(" above {it}%"));
    for path in said.swap.iter().filter(|it| !files.swap.contains(it)) {
        told.push(format!("watches the swap of {path}, although no file says so"));
    }
    for path in files.swap.iter().filter(|it| !said.swap.contains(it)) {
        told.push(format!("does not watch the swap of {path}, although a file says so"));
    }
    for (path, at) in &said.pressure {
        match files.pressure.get(path) {
            None => told.push(format!(
                "watches {path} for pressure{}, although no file says so",
                limit(at)
            )),
            Some(by_file) => {
                let pair = at.zip(*by_file).filter(|(a, b)| (a - b).abs() > ROUNDING);
                told.extend(pair.map(|(a, b)| {
                    format!("watches {path} for pressure above {a}%, and its files say {b}%")
                }));
            }
        }
    }
    for path in files.pressure.keys().filter(|it| !said.pressure.contains_key(*it)) {
        told.push(format!("does not watch {path} for pressure, although a file says so"));
    }
    let dry = if said.dry_run { "; a dry run: it kills nobody" } else { "" };
    if told.is_empty() {
        let (swap, pressure) = (said.swap.len(), said.pressure.len());
        return Ok(format!(
            "watches cgroups as its files say: {swap} for swap, {pressure} for pressure{dry}"
        ));
    }
    let more = told.len().saturating_sub(MAX_TOLD);
    told.truncate(MAX_TOLD);
    let more = if more > 0 { format!("; {more} more") } else { String::new() };
    Err(format!("{}{more}{dry}", told.join("; ")))
}

impl Watched {
    /// What `oomctl dump` prints (`src/oom/oomd-manager.c` `manager_get_dump_string()`, the same from 247 to 261);
    /// `None` where the lists are missing.
    fn parse(text: &str) -> Option<Self> {
        let mut watched = Self::default();
        let (mut list, mut lists) = ("", 0);
        let mut last = None;
        for line in text.lines() {
            let Some((key, value)) = line.split_once(':') else { continue };
            let value = value.trim();
            if !key.starts_with(['\t', ' ']) {
                list = key;
                lists += usize::from(key.ends_with("Monitored CGroups"));
                watched.dry_run |= key == "Dry Run" && value == "yes";
                continue;
            }
            match (list, key.trim()) {
                ("Swap Monitored CGroups", "Path") => watched.swap.push(value.to_owned()),
                ("Memory Pressure Monitored CGroups", "Path") => {
                    watched.pressure.insert(value.to_owned(), None);
                    last = Some(value.to_owned());
                }
                ("Memory Pressure Monitored CGroups", "Memory Pressure Limit") => {
                    let limit = value.strip_suffix('%').and_then(|it| it.parse().ok());
                    if let Some(of) = last.as_ref().and_then(|path| watched.pressure.get_mut(path))
                    {
                        *of = limit;
                    }
                }
                _ => {}
            }
        }
        (lists >= 2).then_some(watched)
    }

    /// What the files say of the cgroups that exist.
    fn by_files(sample: &Snapshot, killer: &KillerOptions<SystemdOomdOptions>) -> Self {
        let mut watched = Self::default();
        for group in &sample.cgroups.list {
            let path = group.path.as_str();
            let units = killer.options.nominated.iter().filter(|unit| unit.is(path));
            for unit in units {
                if unit.swap && !watched.swap.iter().any(|it| it == path) {
                    watched.swap.push(path.to_owned());
                }
                if unit.pressure {
                    let limit = unit.limit.unwrap_or(killer.options.pressure);
                    watched.pressure.entry(path.to_owned()).or_insert(Some(limit));
                }
            }
        }
        watched
    }
}

/// Runs `oomctl dump` with an empty environment.
///
/// # Errors
/// It is missing, fails, or does not answer in time.
fn ask() -> Result<String, String> {
    let program = OOMCTL.into_iter().find(|path| Path::new(path).exists());
    let program = program.ok_or_else(|| "there is no oomctl".to_owned())?;
    answer_of(program, &["--no-pager", "dump"], PATIENCE)
}

/// What a program writes, if it ends with success in time.
fn answer_of(program: &str, arguments: &[&str], patience: Duration) -> Result<String, String> {
    let mut command = child::command(program, arguments, adj_for_children());
    command.env_clear().env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let failed = |error: std::io::Error| format!("{program}: {error}");
    let mut child = child::spawn_tied(&mut command).map_err(failed)?;
    let end = Instant::now() + patience;
    let answer = read_until(&mut child, end).and_then(|bytes| {
        // One that has answered may still go on.
        let status = if bytes.is_some() { child::wait_until(&mut child, end)? } else { None };
        Ok(bytes.zip(status))
    });
    if !matches!(answer, Ok(Some(_))) {
        child::kill(&mut child);
    }
    match answer.map_err(failed)? {
        None => Err(format!("{program}: no answer in {} s", patience.as_secs_f64())),
        Some((_, status)) if !status.success() => Err(format!("{program}: {status}")),
        Some((bytes, _)) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
    }
}

/// Reads to the end; `None` where that does not come in time.
fn read_until(child: &mut Child, end: Instant) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    let Some(mut out) = child.stdout.take() else { return Ok(Some(bytes)) };
    let mut buffer = [0; 4096];
    while (bytes.len() as u64) < MAX_ANSWER {
        let left = end.saturating_duration_since(Instant::now());
        let wait = Timespec::try_from(left).unwrap_or(Timespec { tv_sec: 0, tv_nsec: 0 });
        match poll(&mut [PollFd::new(&out, PollFlags::IN)], Some(&wait)) {
            Ok(0) => return Ok(None),
            Err(rustix::io::Errno::INTR) => continue,
            Err(errno) => return Err(errno.into()),
            Ok(_) => {}
        }
        match out.read(&mut buffer)? {
            0 => return Ok(Some(bytes)),
            length => bytes.extend_from_slice(buffer.get(..length).unwrap_or_default()),
        }
    }
    Ok(Some(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DUMP: &str = "Dry Run: no\nSwap Used Limit: 90.00%\nDefault Memory Pressure Limit: 60.00%\n\
        Default Memory Pressure Duration: 6s\nSystem Context:\n\tMemory: Used: 111.3M, Total: 333M\n\
        \tSwap: Used: 2.7M, Total: 95.9M\nSwap Monitored CGroups:\n\tPath: /swapped.slice\n\
        \t\tSwap Usage: 0B\nMemory Pressure Monitored CGroups:\n\tPath: /a:b.slice\n\
        \t\tMemory Pressure Limit: 10.00%\n\t\tPressure: Avg10: 1.26, Avg60: 4.89, Avg300: 1.90, Total: 6s\n\
        \t\tPgscan: 311343\n\tPath: /user.slice/user-7.slice/user@7.service\n\
        \t\tMemory Pressure Limit: 50.00%\nRules Monitored CGroups:\n\tPath: /r\n\t\ta rule\n";

    fn watched(swap: &[&str], pressure: &[(&str, f64)]) -> Watched {
        let pressure = pressure.iter().map(|(path, limit)| ((*path).to_owned(), Some(*limit)));
        let swap = swap.iter().map(|it| (*it).to_owned()).collect();
        Watched { dry_run: false, swap, pressure: pressure.collect() }
    }

    #[test]
    fn a_dump_names_what_is_watched_and_anything_else_is_not_understood() {
        let user = "/user.slice/user-7.slice/user@7.service";
        let all = watched(&["/swapped.slice"], &[("/a:b.slice", 10.0), (user, 50.0)]);
        assert_eq!(Watched::parse(DUMP), Some(all));
        let none = "Dry Run: yes\nSwap Monitored CGroups:\nMemory Pressure Monitored CGroups:\n";
        let none = Watched::parse(none).expect("empty lists");
        assert_eq!(none, Watched { dry_run: true, ..Watched::default() });
        for bad in ["", "Failed", "Dry Run: no\n", "\tPath: /x\n", "Swap Monitored CGroups:\n\0"] {
            assert_eq!(Watched::parse(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn what_differs_from_the_files_is_told() {
        let said = watched(&["/a"], &[("/b", 50.0), ("/c", 60.0)]);
        assert_eq!(
            differences(&said, &watched(&["/a"], &[("/b", 50.001), ("/c", 60.0)])).expect("equal"),
            "watches cgroups as its files say: 1 for swap, 2 for pressure"
        );
        let files = watched(&["/d"], &[("/b", 40.0), ("/e", 60.0)]);
        assert_eq!(
            differences(&said, &files).expect_err("different"),
            "watches the swap of /a, although no file says so; does not watch the swap of /d, \
             although a file says so; watches /b for pressure above 50%, and its files say 40%; watches /c for pressure \
             above 60%, although no file says so; does not watch /e for pressure, although a file says so"
        );
        let many: Vec<String> = (0..9).map(|n| format!("/{n}")).collect();
        let many = Watched { dry_run: true, swap: many, ..Watched::default() };
        let told = differences(&many, &Watched::default()).expect_err("nine");
        assert!(told.ends_with("; 4 more; a dry run: it kills nobody"), "{told}");
    }

    #[test]
    fn a_program_that_fails_or_does_not_answer_is_told() {
        let sh = |script: &str, patience| answer_of("/bin/sh", &["-c", script], patience);
        assert_eq!(sh("echo yes", PATIENCE), Ok("yes\n".to_owned()));
        assert_eq!(sh("echo no; exit 3", PATIENCE), Err("/bin/sh: exit status: 3".to_owned()));
        let late = sh("exec sleep 1000", Duration::from_millis(50));
        assert_eq!(late, Err("/bin/sh: no answer in 0.05 s".to_owned()));
        let closed = sh("echo yes; exec >&- sleep 1000", Duration::from_millis(50));
        assert_eq!(closed, Err("/bin/sh: no answer in 0.05 s".to_owned()), "its end does not come");
        assert!(answer_of("/no/such", &[], PATIENCE).is_err_and(|it| it.contains("No such file")));
    }
}
