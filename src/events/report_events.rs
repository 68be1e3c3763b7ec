//! The OOM events of one kernel report.

use crate::events::{KilledTask, OomReport, page_size};
use crate::model::{Comm, EventTime, Killer, OomEvent, PredictionResult, Text, Victim, unescape};
use crate::units::Kib;

/// The events of a report: one for each process that was killed, or one that says why none was.
pub(crate) fn report_events(
    number: u64,
    unix_ms: i64,
    time: EventTime,
    report: &OomReport,
) -> Vec<OomEvent> {
    let by = if report.is_sysrq() {
        Killer::Sysrq
    } else if report.is_memcg() {
        Killer::Memcg
    } else {
        Killer::Machine
    };
    let path = |path: &Option<String>| path.as_ref().map(|path| Text::new(&unescape(path)));
    let event = OomEvent {
        domain: path(&report.domain),
        cgroup: path(&report.cgroup),
        report: Some(number),
        ..OomEvent::new(by, unix_ms, time)
    };
    if report.killed.is_empty() {
        // The words of the log were neutralised where the line was read.
        let said = Text::new(&unescape(&why_nothing_was_killed(report)));
        return vec![OomEvent { said: Some(said), ..event }];
    }
    let killed = report.killed.iter().zip(0_usize..);
    killed
        .map(|(killed, nth)| {
            let victim = Some(victim(report, killed));
            // After the first, the kernel kills the other members of the group.
            if nth > 0 && report.group.is_some() {
                let cgroup = path(&report.group);
                let prediction = PredictionResult::AlsoKilled;
                return OomEvent { by: Killer::Group, victim, cgroup, prediction, ..event.clone() };
            }
            OomEvent { victim, ..event.clone() }
        })
        .collect()
}

fn why_nothing_was_killed(report: &OomReport) -> String {
    if let Some(why) = &report.panic {
        format!("the machine stopped: {why}")
    } else if let Some(pid) = report.exiting {
        format!("nothing was killed: {pid} was exiting already")
    } else if report.no_victim {
        "no process could be killed".to_owned()
    } else {
        "the log does not say which process was killed".to_owned()
    }
}

/// A victim as the kill line describes it; what the line leaves out comes from the dump of tasks.
fn victim(report: &OomReport, killed: &KilledTask) -> Victim {
    let page = page_size(report);
    let row = report.row(killed.pid);
    let parts = [killed.anon, killed.file, killed.shmem];
    let swap = row.and_then(|row| row.swap);
    Victim {
        pid: Some(killed.pid),
        id: None,
        comm: Comm::new(&unescape(&killed.name)),
        uid: killed.uid.or(row.map(|row| row.uid)),
        rss: killed.anon.map(|_| parts.into_iter().flatten().fold(Kib(0), |a, b| a + b)),
        file: killed.file,
        swap: swap.map(|pages| Kib(pages.bytes(page).0 / 1024)),
        adj: killed.adj.or(row.and_then(|row| row.adj)),
    }
}
