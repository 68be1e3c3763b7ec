//! The journal, followed through `journalctl`: the kills of userspace killers.

use std::io::{BufRead, BufReader, Read};
use std::ops::RangeInclusive;
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};

use serde_json::Value;

use super::{MAX_LINE, daemon_line, now_ms, send, send_lines, send_state};
use crate::effects::own_adj::adj_for_children;
use crate::events::LogUpdate;
use crate::events::{DaemonLogReader, by_name};
use crate::model::{EventTime, Killer, LogLine, LogSource, SourceState};
use crate::shell::child;
use crate::shell::event::{Inbox, LoopEnded};
use crate::shell::thread;

/// Where `journalctl` is looked for. Not in `PATH`: doomtop may run as root.
const JOURNALCTL: [&str; 4] = [
    "/usr/bin/journalctl",
    "/bin/journalctl",
    "/usr/local/bin/journalctl",
    "/run/current-system/sw/bin/journalctl",
];

/// The program that reads the journal, where it is installed.
pub(crate) fn program() -> Option<&'static str> {
    JOURNALCTL.into_iter().find(|path| Path::new(path).exists())
}

/// Follows the entries of the userspace killers.
const ARGS: [&str; 10] = [
    "--follow",
    "--lines=200",
    "--output=json",
    "--no-pager",
    "--quiet",
    "--identifier=systemd-oomd",
    "--identifier=earlyoom",
    "--identifier=nohang",
    "--identifier=nohang-desktop",
    "--identifier=oomd",
];

/// Starts `journalctl` with fixed arguments and an empty environment, and the thread that reads it.
pub(super) fn start(inbox: &Inbox) -> Option<Child> {
    let closed = |why: String| {
        let _ = send_state(inbox, LogSource::Journal, SourceState::Closed(why));
    };
    let Some(program) = program() else {
        closed("there is no journalctl".to_owned());
        return None;
    };
    let mut journalctl = child::command(program, &ARGS, adj_for_children());
    journalctl.env_clear().env("LC_ALL", "C");
    journalctl.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
    let mut child = match child::spawn_tied(&mut journalctl) {
        Ok(child) => child,
        Err(error) => {
            closed(format!("{program}: {error}"));
            return None;
        }
    };
    let out = child.stdout.take()?;
    let inbox = inbox.clone();
    let _ = thread::spawn("journal", move || {
        let _ = follow(out, &inbox);
    });
    Some(child)
}

/// Reads entries until `journalctl` ends.
///
/// # Errors
/// The main loop has ended.
fn follow(out: ChildStdout, inbox: &Inbox) -> Result<(), LoopEnded> {
    send_state(inbox, LogSource::Journal, SourceState::Open("followed".to_owned()))?;
    let (mut out, mut line) = (BufReader::new(out), Vec::new());
    let (mut daemons, begun) = (DaemonLogReader::default(), now_ms());
    loop {
        line.clear();
        match out.by_ref().take(MAX_LINE).read_until(b'\n', &mut line) {
            Ok(0) | Err(_) => break,
            Ok(_) => {
                let (updates, lines) = entry(&line, begun, &mut daemons);
                send(inbox, updates)?;
                send_lines(inbox, lines)?;
            }
        }
    }
    let closed = SourceState::Closed("not readable, or journalctl ended".to_owned());
    send_state(inbox, LogSource::Journal, closed)
}

/// Numbers of users below this one belong to the system.
const FIRST_HUMAN_UID: u32 = 1000;
/// Numbers of users that systemd allocates to a unit (`DynamicUser=`).
const DYNAMIC_UIDS: RangeInclusive<u32> = 61_184..=65_519;

/// Whether an entry was written by the daemon that it names, by the fields that the journal itself adds
/// (systemd.journal-fields(7)). The name alone proves nothing: `logger -t` takes any.
fn is_by<'a>(killer: Killer, field: impl Fn(&str) -> Option<&'a str>) -> bool {
    let Some(uid) = field("_UID").and_then(|uid| uid.parse::<u32>().ok()) else { return false };
    let fits = |name: &str| by_name(name) == Some(killer);
    let unit = field("_SYSTEMD_UNIT").and_then(|unit| unit.strip_suffix(".service"));
    let program = field("_EXE").and_then(|path| path.rsplit('/').next());
    match uid {
        0 => [unit, program, field("_COMM")].into_iter().flatten().any(fits),
        // A compromised service can run any program under any name, but it cannot leave its unit.
        uid => (uid < FIRST_HUMAN_UID || DYNAMIC_UIDS.contains(&uid)) && unit.is_some_and(fits),
    }
}

/// The kills in an entry of the journal, given as JSON, and its lines about kills, if it was written since
/// the start. An entry that is cut has none.
fn entry(line: &[u8], begun: i64, daemons: &mut DaemonLogReader) -> (Vec<LogUpdate>, Vec<LogLine>) {
    let Ok(Value::Object(entry)) = serde_json::from_slice(line) else { return Default::default() };
    let field = |key: &str| entry.get(key).and_then(Value::as_str);
    let Some(killer) = field("SYSLOG_IDENTIFIER").and_then(by_name) else {
        return Default::default();
    };
    if !is_by(killer, field) {
        return Default::default();
    }
    let stamp_us = field("__REALTIME_TIMESTAMP").and_then(|us| us.parse::<i64>().ok());
    let unix_ms = stamp_us.map_or_else(now_ms, |us| us / 1000);
    let told = if unix_ms >= begun { EventTime::Live } else { EventTime::Clock };
    // A message that is not UTF-8 is a list of its bytes.
    let message = match entry.get("MESSAGE") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(bytes)) => {
            let bytes = bytes.iter().filter_map(|it| u8::try_from(it.as_u64()?).ok());
            String::from_utf8_lossy(&bytes.collect::<Vec<u8>>()).into_owned()
        }
        _ => return Default::default(),
    };
    let kills = message.lines().filter_map(|line| daemons.take(killer, line));
    let kills =
        kills.map(|heard| LogUpdate::Daemon { unix_ms, told, heard, proven: true }).collect();
    let is_new = told == EventTime::Live;
    let lines = message.lines().filter(|_| is_new);
    (kills, lines.filter_map(|line| daemon_line(unix_ms, killer, line, true)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_of_the_journal_is_parsed_or_ignored() {
        let line = br#"{"SYSLOG_IDENTIFIER":"systemd-oomd","_UID":"998",
            "_SYSTEMD_UNIT":"systemd-oomd.service","__REALTIME_TIMESTAMP":"1795255200123456",
            "MESSAGE":"Killed /a/b.scope due to memory pressure for /a being 60% > 50%"}"#;
        let (news, lines) = entry(line, 0, &mut DaemonLogReader::default());
        assert!(
            matches!(&news[..], [LogUpdate::Daemon { unix_ms: 1_795_255_200_123, .. }]),
            "{news:?}"
        );
        assert!(lines[0].text.as_str().starts_with("Killed /a/b.scope due"), "{lines:?}");
        let (news, lines) = entry(line, i64::MAX, &mut DaemonLogReader::default());
        assert_eq!((news.len(), lines.len()), (1, 0), "written before the start");
        for line in [&b"{"[..], b"[]", b"{\"SYSLOG_IDENTIFIER\":1}", b"\xff", &line[..90]] {
            assert!(entry(line, 0, &mut DaemonLogReader::default()).0.is_empty());
        }
    }

    #[test]
    fn an_entry_that_only_claims_to_be_a_daemons_is_ignored() {
        let counts = |writer: &str| {
            let line = format!(
                r#"{{"SYSLOG_IDENTIFIER":"earlyoom","MESSAGE":"Killing process 17 a"{writer}}}"#
            );
            !entry(line.as_bytes(), 0, &mut DaemonLogReader::default()).0.is_empty()
        };
        for daemon in [
            r#","_UID":"0","_COMM":"earlyoom""#,
            r#","_UID":"0","_COMM":"x","_EXE":"/usr/bin/earlyoom""#,
            r#","_UID":"61234","_COMM":"earlyoom","_SYSTEMD_UNIT":"earlyoom.service""#,
            r#","_UID":"997","_SYSTEMD_UNIT":"earlyoom.service""#,
        ] {
            assert!(counts(daemon), "{daemon}");
        }
        for other in [
            "",
            r#","_UID":"1000","_COMM":"logger","_SYSTEMD_UNIT":"session-3.scope""#,
            r#","_UID":"1000","_COMM":"earlyoom","_EXE":"/tmp/earlyoom""#,
            r#","_UID":"1000","_SYSTEMD_UNIT":"user@1000.service","_SYSTEMD_USER_UNIT":"earlyoom.service""#,
            r#","_UID":"0","_COMM":"logger","_SYSTEMD_UNIT":"session-3.scope""#,
            r#","_UID":"33","_COMM":"earlyoom","_SYSTEMD_UNIT":"apache2.service""#,
            r#","_UID":"-1","_COMM":"earlyoom""#,
            r#","_UID":0,"_COMM":"earlyoom""#,
        ] {
            assert!(!counts(other), "{other}");
        }
    }
}
