//! Kills that userspace daemons report in their logs: systemd-oomd, earlyoom, nohang, oomd, lmkd. The kernel
//! neither logs nor counts the SIGKILL of a daemon, so that its own log is the only trace.

use regex::Captures;

use crate::events::log::pattern::{Pattern, number};
use crate::model::{Comm, Killer, Text, unescape};
use crate::units::{Adj, Kib};

/// A kill that a daemon reported.
#[derive(Clone, Debug, PartialEq)]
pub struct DaemonKill {
    /// The daemon.
    pub by: Killer,
    /// The signalled process; `None` if the daemon killed a cgroup.
    pub pid: Option<i32>,
    /// Name of the process.
    pub comm: Option<Comm>,
    /// User of the process.
    pub uid: Option<u32>,
    /// Resident memory of the process.
    pub rss: Option<Kib>,
    /// `oom_score_adj` of the process.
    pub adj: Option<Adj>,
    /// The cgroup: a path, or the name of its systemd unit.
    pub cgroup: Option<Text>,
    /// The line of the log.
    pub said: Text,
    /// Number of processes, where a whole cgroup was killed and the log counts them.
    pub processes: Option<u64>,
    /// What the daemon gives as its reason.
    pub why: Option<Text>,
    /// The kill did not happen: a dry run, or the signal failed. It retracts the line just before.
    pub undone: bool,
}

// systemd src/oom/oomd-manager.c, 247 and later.
pattern!(
    OOMD_KILLED,
    "Killed ",
    r"^Killed (/.*) due to (memory (?:pressure|used) .*|swap used .*)$"
);
// systemd 260 and later (257 still writes the line above): the kill may wait for hooks, so that the line says what will
// be done.
pattern!(OOMD_MARKED, "Marked ", r"^Marked (/.*) for killing due to (.+)$");
// systemd 261 and later: a rule file (`ruleset_execute_action()`). Whom it kills, only pid 1 tells. At first "for 2s",
// in 262 "(lasting 2s)".
pattern!(
    OOMD_RULE,
    "conditions met for cgroup",
    r"^Rule '(.+)' conditions met for cgroup (/.*) (?:for |\(lasting )([^()]+)\)?, taking action (kill-[a-z-]+)$"
);
// systemd src/core/cgroup.c: logged by pid 1 for the unit.
pattern!(
    OOMD_UNIT,
    "systemd-oomd killed",
    r"^(\S+): systemd-oomd killed (\d+|some) process\(es\) in this unit\.?$"
);
// earlyoom kill.c: 1.3 to 1.6 print badness, later versions oom_score; 1.8 adds the command line.
pattern!(
    EARLYOOM,
    "sending SIG",
    r#"^sending (SIG[A-Z]+) to process (\d+)(?: uid (\d+))? "(.*?)": (?:badness|oom_score) -?\d+(?:, oom_score_adj (-?\d+))?.*?, VmRSS (\d+) MiB"#
);
// earlyoom 1.2 and earlier.
pattern!(EARLYOOM_OLD, "Killing process ", r"^Killing process (\d+) (.*)$");
pattern!(
    EARLYOOM_UNDONE,
    "",
    r"^(?:dryrun, not actually sending any signal|kill failed: |Could not kill process)"
);
// nohang src/nohang: find_victim_info, implement_corrective_action.
pattern!(NOHANG_VICTIM, "PID: ", r"^ *PID: +(\d+), name: (.*), state: .*?, EUID: (\d+)");
pattern!(NOHANG_ADJ, "oom_score_adj:", r"^ *badness: .*oom_score_adj: +(-?\d+)");
pattern!(NOHANG_SIZE, "RSS: ", r"^ *Vm, MiB: .*RSS: +(\d+)");
pattern!(NOHANG_GROUP, "cgroup_v", r"^ *cgroup_v[12]: (/.+)$");
pattern!(NOHANG_SENT, "Sending SIG", r"^\[ ?(OK|[A-Z]+) ?\] Sending (SIG[A-Z]+) to (.*?)(?:;.*)?$");
// nohang check_mem_swap_ex, check_zram_ex, check_psi_ex: what was reached, twice before each action.
pattern!(
    NOHANG_STATUS,
    "Memory status that requires",
    r"^ *Memory status that requires corrective actions:$"
);
pattern!(
    NOHANG_WHY,
    "_threshold_m",
    r"^ *((?:MemAvailable|SwapFree|MemUsedZram|Current PSI metric value) [\[(][\d., %MiB]*[\])] [<>]= (?:soft|hard)_threshold_(?:min|max)_[a-z]+ [\[(][\d., %MiB]*[\])])$"
);
pattern!(NOHANG_SENT_OLD, "Sending SIG", r"^ *Sending (SIG[A-Z]+) to the victim$");
// earlyoom main.c: the line before says why.
pattern!(EARLYOOM_WHY, "low memory!", r"^low memory! (at or below .*)$");
// Android's lmkd, and the kernel driver before it (drivers/staging/android/lowmemorykiller.c).
pattern!(
    LMKD,
    "ill",
    r"^(?:(?:lowmemorykiller|lmkd) *: )?Kill(?:ing)? '(.*)' \((\d+)\)(?: \(tgid \d+\))?,(?: uid (\d+),)? (?:oom_score_adj|oom_adj|adj) (-?\d+),?(?: +to free (\d+)kB(.*))?$"
);
pattern!(
    LMK_OLD,
    "sigkill",
    r"^lowmemorykiller: send sigkill to (\d+) \((.*)\), (?:oom_adj|adj) (-?\d+), size (\d+)"
);
// oomd src/oomd/plugins/BaseKillPlugin.cpp: three averages of pressure, cgroup, bytes, the rule.
pattern!(OOMD, "oomd kill: ", r"oomd kill: [\d.]+ [\d.]+ [\d.]+ (.+?) +\d+ (?:ruleset:|detector:)");

/// The daemon of a program name in the journal or in a syslog file. pid 1 (`systemd`) logs the kills of
/// systemd-oomd.
#[must_use]
pub fn by_name(program: &str) -> Option<Killer> {
    Some(match program {
        "systemd-oomd" | "systemd" => Killer::SystemdOomd,
        "earlyoom" => Killer::Earlyoom,
        "nohang" | "nohang-desktop" => Killer::Nohang,
        "oomd" => Killer::Oomd,
        _ => return None,
    })
}

/// The same for the programs of a saved log, which may be that of an Android device.
pub(super) fn by_saved_name(program: &str) -> Option<Killer> {
    let is_lmkd = ["lmkd", "lowmemorykiller", "killinfo"].contains(&program);
    by_name(program).or(is_lmkd.then_some(Killer::Lmkd))
}

fn mib(found: &Captures<'_>, group: usize) -> Option<Kib> {
    number::<u64>(found, group)?.checked_mul(1024).map(Kib)
}

fn comm(text: &str) -> Comm {
    Comm::new(&unescape(text))
}

/// A kill of which only the daemon and the line are known.
fn daemon_kill(by: Killer, said: &str) -> DaemonKill {
    DaemonKill {
        by,
        pid: None,
        comm: None,
        uid: None,
        rss: None,
        adj: None,
        cgroup: None,
        said: Text::new(said.trim().as_bytes()),
        processes: None,
        why: None,
        undone: false,
    }
}

/// Maximum length of a line in bytes; the rest is cut off. No line that a pattern matches is so long.
const MAX_LINE: usize = 8192;

/// A reason of nohang has at most three conditions of less than 100 bytes each.
const MAX_REASON: usize = 300;

/// Reads the logs of daemons line by line. nohang describes its victim several lines before it reports
/// the kill, so the description is kept.
#[derive(Debug, Default)]
pub struct DaemonLogReader {
    /// The victim that nohang described last.
    chosen: Option<DaemonKill>,
    /// The reason that earlyoom or nohang gave last.
    reason: Option<Text>,
    /// The rule by which systemd-oomd acted last.
    rule: Option<Text>,
}

impl DaemonLogReader {
    /// Whether a line of this daemon is about a kill: it reports one, takes one back, or describes a
    /// victim. Recordings keep such lines.
    #[must_use]
    pub fn is_about_kill(by: Killer, line: &str) -> bool {
        let patterns: &[&Pattern] = match by {
            Killer::SystemdOomd => &[&OOMD_KILLED, &OOMD_MARKED, &OOMD_RULE, &OOMD_UNIT],
            Killer::Earlyoom => &[&EARLYOOM, &EARLYOOM_OLD, &EARLYOOM_UNDONE],
            Killer::Nohang => &[
                &NOHANG_VICTIM,
                &NOHANG_ADJ,
                &NOHANG_SIZE,
                &NOHANG_GROUP,
                &NOHANG_STATUS,
                &NOHANG_WHY,
                &NOHANG_SENT,
                &NOHANG_SENT_OLD,
            ],
            Killer::Oomd => &[&OOMD],
            Killer::Lmkd => &[&LMKD, &LMK_OLD],
            _ => &[],
        };
        line.len() <= MAX_LINE && patterns.iter().any(|it| it.captures(line.trim_end()).is_some())
    }

    /// The kill that a line of this daemon reports; `None` if it reports none.
    pub fn take(&mut self, by: Killer, line: &str) -> Option<DaemonKill> {
        let mut end = line.len().min(MAX_LINE);
        while !line.is_char_boundary(end) {
            end -= 1;
        }
        let line = line.get(..end)?.trim_end();
        match by {
            Killer::SystemdOomd => {
                if let Some(found) = OOMD_RULE.captures(line) {
                    let [_, name, path, time, action] =
                        [0, 1, 2, 3, 4].map(|nth| found.get(nth).map_or("", |it| it.as_str()));
                    let rule = format!("rule {name} held for {time} in {path}: {action}");
                    self.rule = Some(Text::new(&unescape(&rule)));
                    return None;
                }
                let mut kill = systemd_oomd(line)?;
                let rule = self.rule.take();
                kill.why = kill.why.or(rule);
                Some(kill)
            }
            Killer::Earlyoom => {
                if let Some(found) = EARLYOOM_WHY.captures(line) {
                    self.reason = Some(Text::new(found[1].as_bytes()));
                    return None;
                }
                let kill = earlyoom(line)?;
                Some(DaemonKill { why: self.reason.take(), ..kill })
            }
            Killer::Nohang => self.nohang(line),
            Killer::Oomd => oomd(line),
            Killer::Lmkd => lmkd(line),
            _ => None,
        }
    }

    /// The killer whose line this is by its words alone, and those words. For logs that name no program.
    pub(super) fn by_words(line: &str) -> Option<(Killer, &str)> {
        let from = |words: &str| line.find(words).and_then(|at| line.get(at..));
        let unit = line.find(": systemd-oomd killed ").map(|at| {
            let begin = line[..at].rfind(' ').map_or(0, |it| it + 1);
            &line[begin..]
        });
        let found = [
            from("lowmemorykiller: ").map(|it| (Killer::Lmkd, it)),
            from("Kill '").map(|it| (Killer::Lmkd, it)),
            from("sending SIG").map(|it| (Killer::Earlyoom, it)),
            from("low memory! ").map(|it| (Killer::Earlyoom, it)),
            from("Killed /").map(|it| (Killer::SystemdOomd, it)),
            from("Marked /").map(|it| (Killer::SystemdOomd, it)),
            unit.map(|it| (Killer::SystemdOomd, it)),
            from("oomd kill: ").map(|it| (Killer::Oomd, it)),
        ];
        found.into_iter().flatten().find(|&(by, words)| {
            Self::is_about_kill(by, words) || EARLYOOM_WHY.captures(words).is_some()
        })
    }

    fn nohang(&mut self, line: &str) -> Option<DaemonKill> {
        if let Some(found) = NOHANG_VICTIM.captures(line) {
            self.chosen = Some(DaemonKill {
                pid: number(&found, 1),
                comm: found.get(2).map(|name| comm(name.as_str())),
                uid: number(&found, 3),
                ..daemon_kill(Killer::Nohang, line)
            });
            return None;
        }
        if NOHANG_STATUS.captures(line).is_some() {
            self.reason = None;
            return None;
        }
        if let Some(found) = NOHANG_WHY.captures(line) {
            let before = self.reason.take().filter(|it| it.as_str().len() < MAX_REASON);
            let before = before.map_or_else(String::new, |it| format!("{it} and "));
            self.reason = Some(Text::new(format!("{before}{}", &found[1]).as_bytes()));
            return None;
        }
        if let Some(chosen) = &mut self.chosen {
            if let Some(found) = NOHANG_ADJ.captures(line) {
                chosen.adj = number(&found, 1).map(Adj::clamped);
                return None;
            } else if let Some(found) = NOHANG_SIZE.captures(line) {
                chosen.rss = mib(&found, 1);
                return None;
            } else if let Some(found) = NOHANG_GROUP.captures(line) {
                chosen.cgroup = found.get(1).map(|it| Text::new(&unescape(it.as_str())));
                return None;
            }
        }
        let (sent, name) = match NOHANG_SENT.captures(line) {
            Some(found) => (&found[1] == "OK", found.get(3).map(|name| comm(name.as_str()))),
            // Older versions log the signal before they send it.
            None => (NOHANG_SENT_OLD.captures(line).is_some(), None),
        };
        if !sent {
            return None;
        }
        let chosen = self.chosen.take();
        let fits = |it: &DaemonKill| name.is_none() || it.comm == name;
        let said = Text::new(line.trim().as_bytes());
        let why = self.reason.take();
        match chosen.filter(fits) {
            Some(chosen) => Some(DaemonKill { said, why, ..chosen }),
            None => Some(DaemonKill {
                comm: Some(name?),
                said,
                why,
                ..daemon_kill(Killer::Nohang, line)
            }),
        }
    }
}

/// Other names for those in a line.
pub(super) struct Renamed<'a> {
    pub comm: &'a dyn Fn(&str) -> String,
    pub cgroup: &'a dyn Fn(&str) -> String,
}

impl DaemonLogReader {
    /// A line about a kill with other names, written anew from what was read in it; `None` if it is not
    /// about a kill.
    pub(super) fn renamed(by: Killer, line: &str, names: &Renamed<'_>) -> Option<String> {
        let line = line.trim_end();
        if !Self::is_about_kill(by, line) {
            return None;
        }
        match by {
            Killer::SystemdOomd => renamed_systemd_oomd(line, names),
            Killer::Earlyoom => renamed_earlyoom(line, names),
            Killer::Nohang => renamed_nohang(line, names),
            Killer::Lmkd => {
                let kill = lmkd(line)?;
                let (name, pid) = ((names.comm)(kill.comm?.to_string().as_str()), kill.pid?);
                Some(format!("Kill '{name}' ({pid}), adj {}", kill.adj?.0))
            }
            _ => {
                let path = (names.cgroup)(OOMD.captures(line)?.get(1)?.as_str());
                Some(format!("oomd kill: 0 0 0 {path} 0 ruleset:-"))
            }
        }
    }
}

fn renamed_systemd_oomd(line: &str, names: &Renamed<'_>) -> Option<String> {
    if let Some(found) = OOMD_KILLED.captures(line) {
        let (path, why) = (found.get(1)?.as_str(), found.get(2)?.as_str());
        let pressure =
            why.strip_prefix("memory pressure for ").and_then(|it| it.rsplit_once(" being "));
        let why = match pressure {
            Some((domain, amount)) => {
                format!("memory pressure for {} being {amount}", (names.cgroup)(domain))
            }
            None if why.starts_with("memory pressure") => "memory pressure of its own".to_owned(),
            // Only numbers follow.
            None => why.to_owned(),
        };
        return Some(format!("Killed {} due to {why}", (names.cgroup)(path)));
    }
    if let Some(found) = OOMD_MARKED.captures(line) {
        return Some(format!("Marked {} for killing due to -", (names.cgroup)(&found[1])));
    }
    if let Some(found) = OOMD_RULE.captures(line) {
        let (path, time, action) = ((names.cgroup)(&found[2]), &found[3], &found[4]);
        return Some(format!(
            "Rule 'r' conditions met for cgroup {path} for {time}, taking action {action}"
        ));
    }
    let found = OOMD_UNIT.captures(line)?;
    let unit = (names.cgroup)(found.get(1)?.as_str());
    Some(format!("{unit}: systemd-oomd killed some process(es) in this unit."))
}

fn renamed_earlyoom(line: &str, names: &Renamed<'_>) -> Option<String> {
    if let Some(found) = EARLYOOM.captures(line) {
        let group = |nth: usize| found.get(nth).map(|it| it.as_str());
        let uid = group(3).map_or_else(String::new, |uid| format!(" uid {uid}"));
        let adj = group(5).map_or_else(String::new, |adj| format!(", oom_score_adj {adj}"));
        return Some(format!(
            "sending {} to process {}{uid} \"{}\": oom_score 0{adj}, VmRSS {} MiB",
            group(1)?,
            group(2)?,
            (names.comm)(group(4)?),
            group(6)?
        ));
    }
    if let Some(found) = EARLYOOM_OLD.captures(line) {
        let (pid, name) = (found.get(1)?.as_str(), found.get(2)?.as_str());
        return Some(format!("Killing process {pid} {}", (names.comm)(name)));
    }
    let undone =
        ["dryrun, not actually sending any signal", "kill failed: ", "Could not kill process"];
    undone.into_iter().find(|start| line.starts_with(start)).map(str::to_owned)
}

fn renamed_nohang(line: &str, names: &Renamed<'_>) -> Option<String> {
    if let Some(found) = NOHANG_VICTIM.captures(line) {
        let name = (names.comm)(found.get(2)?.as_str());
        return Some(format!("  PID: {}, name: {name}, state: -, EUID: {}", &found[1], &found[3]));
    }
    if let Some(found) = NOHANG_ADJ.captures(line) {
        return Some(format!("  badness: -, oom_score_adj: {}", &found[1]));
    }
    if let Some(found) = NOHANG_SIZE.captures(line) {
        return Some(format!("  Vm, MiB: RSS: {}", &found[1]));
    }
    if let Some(found) = NOHANG_GROUP.captures(line) {
        return Some(format!("  cgroup_v2: {}", (names.cgroup)(&found[1])));
    }
    if NOHANG_STATUS.captures(line).is_some() {
        return Some("Memory status that requires corrective actions:".to_owned());
    }
    if let Some(found) = NOHANG_WHY.captures(line) {
        // Only names of settings and numbers.
        return Some(format!("  {}", &found[1]));
    }
    if let Some(found) = NOHANG_SENT.captures(line) {
        return Some(format!(
            "[{}] Sending {} to {}",
            &found[1],
            &found[2],
            (names.comm)(&found[3])
        ));
    }
    let found = NOHANG_SENT_OLD.captures(line)?;
    Some(format!("Sending {} to the victim", &found[1]))
}

fn systemd_oomd(line: &str) -> Option<DaemonKill> {
    let path = |found: &Captures<'_>| found.get(1).map(|it| Text::new(&unescape(it.as_str())));
    let kill = OOMD_KILLED.captures(line).or_else(|| OOMD_MARKED.captures(line));
    if let Some(found) = kill {
        let why = found.get(2).map(|it| Text::new(&unescape(it.as_str())));
        return Some(DaemonKill {
            cgroup: path(&found),
            why,
            ..daemon_kill(Killer::SystemdOomd, line)
        });
    }
    let found = OOMD_UNIT.captures(line)?;
    let (cgroup, processes) = (path(&found), number(&found, 2));
    Some(DaemonKill { cgroup, processes, ..daemon_kill(Killer::SystemdOomd, line) })
}

fn lmkd(line: &str) -> Option<DaemonKill> {
    if let Some(found) = LMK_OLD.captures(line) {
        let pages: Option<u64> = number(&found, 4);
        return Some(DaemonKill {
            pid: number(&found, 1),
            comm: found.get(2).map(|name| comm(name.as_str())),
            adj: number(&found, 3).map(Adj::clamped),
            // Android had pages of 4 KiB then.
            rss: pages.and_then(|it| it.checked_mul(4)).map(Kib),
            ..daemon_kill(Killer::Lmkd, line)
        });
    }
    let found = LMKD.captures(line)?;
    let rest = found.get(6).map_or("", |it| it.as_str());
    let why = rest.split_once("reason: ").map(|(_, it)| Text::new(it.trim().as_bytes()));
    Some(DaemonKill {
        comm: found.get(1).map(|name| comm(name.as_str())),
        pid: number(&found, 2),
        uid: number(&found, 3),
        adj: number(&found, 4).map(Adj::clamped),
        rss: number(&found, 5).map(Kib),
        why,
        ..daemon_kill(Killer::Lmkd, line)
    })
}

fn earlyoom(line: &str) -> Option<DaemonKill> {
    if let Some(found) = EARLYOOM.captures(line) {
        return Some(DaemonKill {
            pid: number(&found, 2),
            uid: number(&found, 3),
            comm: found.get(4).map(|name| comm(name.as_str())),
            adj: number(&found, 5).map(Adj::clamped),
            rss: mib(&found, 6),
            ..daemon_kill(Killer::Earlyoom, line)
        });
    }
    if let Some(found) = EARLYOOM_OLD.captures(line) {
        return Some(DaemonKill {
            pid: number(&found, 1),
            comm: found.get(2).map(|name| comm(name.as_str())),
            ..daemon_kill(Killer::Earlyoom, line)
        });
    }
    EARLYOOM_UNDONE.captures(line)?;
    Some(DaemonKill { undone: true, ..daemon_kill(Killer::Earlyoom, line) })
}

fn oomd(line: &str) -> Option<DaemonKill> {
    let found = OOMD.captures(line)?;
    let path = found.get(1)?.as_str();
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Some(DaemonKill {
        cgroup: Some(Text::new(&unescape(&path))),
        ..daemon_kill(Killer::Oomd, line)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kills(by: Killer, lines: &[&str]) -> Vec<DaemonKill> {
        let mut daemons = DaemonLogReader::default();
        lines.iter().filter_map(|line| daemons.take(by, line)).collect()
    }

    fn who(kill: &DaemonKill) -> (Option<i32>, String, String) {
        let name = kill.comm.map_or_else(String::new, |comm| comm.to_string());
        (kill.pid, name, kill.cgroup.as_ref().map_or_else(String::new, Text::to_string))
    }

    #[test]
    fn every_format_of_a_kill_is_read() {
        let path = "/user.slice/user-1000.slice/user@1000.service/app.slice/app-code-9571.scope";
        let pressure = format!(
            "Killed {path} due to memory pressure for /user.slice/user-1000.slice/user@1000.service \
             being 59.83% > 50.00% for > 20s with reclaim activity"
        );
        let swap = format!(
            "Killed {path} due to memory used (7895404544) / total (8201785344) and swap used \
             (3786932224) / total (4101009408) being more than 90.00%"
        );
        for line in [&pressure, &swap] {
            let found = kills(Killer::SystemdOomd, &[line]);
            assert_eq!(
                found.iter().map(who).collect::<Vec<_>>(),
                [(None, String::new(), path.to_owned())]
            );
        }
        let marked = format!("Marked {path} for killing due to memory used (9) / total (10)");
        assert_eq!(who(&kills(Killer::SystemdOomd, &[&marked])[0]).2, path);
        let unit = "app-code-9571.scope: systemd-oomd killed 147 process(es) in this unit.";
        for lasting in ["for 1min 2s", "(lasting 1min 2s)"] {
            let rule = format!(
                "Rule '10-zram' conditions met for cgroup /user.slice/user-1000.slice/\
                 user@1000.service/app.slice {lasting}, taking action kill-by-pgscan"
            );
            let found = kills(Killer::SystemdOomd, &[&rule, unit, unit]);
            let why: Vec<_> = found.iter().map(|it| it.why.as_ref().map(Text::to_string)).collect();
            let told = "rule 10-zram held for 1min 2s in /user.slice/user-1000.slice/\
                        user@1000.service/app.slice: kill-by-pgscan";
            assert_eq!(why, [Some(told.to_owned()), None], "a rule explains one kill");
            assert!(DaemonLogReader::is_about_kill(Killer::SystemdOomd, &rule));
        }
        assert_eq!(who(&kills(Killer::SystemdOomd, &[unit])[0]).2, "app-code-9571.scope");
        for (line, adj, rss) in [
            (
                r#"sending SIGTERM to process 23243 uid 1000 "chrome": badness 1000, VmRSS 1234 MiB"#,
                None,
                1234,
            ),
            (
                r#"sending SIGKILL to process 23243 uid 1000 "chrome": oom_score 1000, VmRSS 7 MiB, cmdline "chrome --x, VmRSS 9 MiB""#,
                None,
                7,
            ),
            (
                r#"sending SIGTERM to process 23243 uid 1000 "chrome": oom_score 1300, oom_score_adj 300, VmRSS 7 MiB, cmdline "c""#,
                Some(Adj(300)),
                7,
            ),
        ] {
            let found = kills(Killer::Earlyoom, &[line]);
            assert_eq!(who(&found[0]), (Some(23243), "chrome".to_owned(), String::new()), "{line}");
            assert_eq!(
                (found[0].uid, found[0].adj, found[0].rss),
                (Some(1000), adj, Some(Kib(rss * 1024)))
            );
        }
        assert_eq!(who(&kills(Killer::Earlyoom, &["Killing process 17 a b"])[0]).1, "a b");
        assert!(kills(Killer::Earlyoom, &["dryrun, not actually sending any signal"])[0].undone);
        let nohang = [
            "Memory status that requires corrective actions:",
            "  MemAvailable [30 MiB, 6.0 %] <= soft_threshold_min_mem [31 MiB, 6.1 %]",
            "Victim status (found in 2ms):",
            "  PID:       3542, name: tail, state: R (running), EUID: 1000, SID: 3 (bash), lifetime: 5s",
            "  badness:   998, oom_score:  998, oom_score_adj:  0",
            "  Vm, MiB:   Size: 900, RSS: 850 (Anon: 849, File: 1, Shmem: 0), Swap: 3",
            "  cgroup_v1: ",
            "  cgroup_v2: /user.slice/x.scope",
            "Recheck memory levels...",
            "Memory status that requires corrective actions:",
            "  MemAvailable [25 MiB, 4.9 %] <= soft_threshold_min_mem [25 MiB, 5.0 %]",
            "  SwapFree [18 MiB, 9.4 %] <= soft_threshold_min_swap [19 MiB, 10.0 %]",
            "Implement a corrective action:",
            "[ OK ] Sending SIGTERM to tail; The victim didn't respond",
        ];
        let found = kills(Killer::Nohang, &nohang);
        assert_eq!(
            found[0].why.as_ref().map(Text::as_str),
            Some(
                "MemAvailable [25 MiB, 4.9 %] <= soft_threshold_min_mem [25 MiB, 5.0 %] and \
                 SwapFree [18 MiB, 9.4 %] <= soft_threshold_min_swap [19 MiB, 10.0 %]"
            ),
            "what was reached when it acted"
        );
        assert_eq!(
            who(&found[0]),
            (Some(3542), "tail".to_owned(), "/user.slice/x.scope".to_owned())
        );
        assert_eq!((found[0].adj, found[0].rss), (Some(Adj(0)), Some(Kib(850 * 1024))));
        let line = "oomd kill: 81.28 80.05 42.78 workload.slice/a b.service 123456 ruleset:[x] \
                    detectorgroup:[y] killer:[z] v2";
        assert_eq!(who(&kills(Killer::Oomd, &[line])[0]).2, "/workload.slice/a b.service");
    }

    #[test]
    fn hostile_and_truncated_lines_do_no_harm() {
        let line = "sending SIGTERM to process 7 uid 1 \"\x1b[2J\": badness 1, VmRSS 1 MiB";
        assert_eq!(who(&kills(Killer::Earlyoom, &[line])[0]).1, "\\x1b[2J");
        let names = [
            r#"sending SIGTERM to process 99999999999 uid 1 "x": badness 1, VmRSS 99999999999999999999 MiB"#,
            "Killed  due to memory pressure",
            "oomd kill: x",
            "[ OK ] Sending SIGTERM to ",
            "  PID: x, name: , state: , EUID: ",
        ];
        for line in names {
            for by in
                [Killer::SystemdOomd, Killer::Earlyoom, Killer::Nohang, Killer::Oomd, Killer::Lmkd]
            {
                for end in 0..=line.len() {
                    let mut daemons = DaemonLogReader::default();
                    if let Some(found) = daemons.take(by, &line[..end]) {
                        assert!(found.pid.is_none_or(|pid| pid >= 0));
                    }
                }
            }
        }
        let long = "é".repeat(MAX_LINE);
        assert_eq!(kills(Killer::Earlyoom, &[&long]), []);
    }
}
