//! The OOM events of one kernel report.

use crate::events::{OomReport, page_size};
use crate::model::{Comm, EventTime, Killer, OomEvent, PredictionResult, Text, Victim, unescape};
use crate::units::Kib;

/// The happenings of a report: one for each that was killed, and one where nobody was.
pub(crate) fn tell(
    number: u64,
    unix_ms: i64,
    told: EventTime,
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
    let page = page_size(report);
    let first = OomEvent {
        nth: 0,
        unix_ms,
        time: told,
        by,
        victim: None,
        guessed: false,
        domain: path(&report.domain),
        cgroup: path(&report.cgroup),
        prediction: PredictionResult::NoSample,
        report: Some(number),
        said: None,
    };
    if report.killed.is_empty() {
        let said = if let Some(why) = &report.panic {
            format!("the machine stopped: {why}")
        } else if let Some(pid) = report.exiting {
            format!("nobody was killed: {pid} was on its way out already")
        } else if report.no_victim {
            "nobody could be killed".to_owned()
        } else {
            "the log does not tell who was killed".to_owned()
        };
        // Its words were made harmless where the line was read.
        return vec![OomEvent { said: Some(Text::new(&unescape(&said))), ..first }];
    }
    let killed = report.killed.iter().zip(0_usize..);
    killed
        .map(|(killed, nth)| {
            let row = report.tasks.iter().find(|task| task.pid == killed.pid);
            let parts = [killed.anon, killed.file, killed.shmem];
            let swap = row.and_then(|row| row.swap);
            let victim = Victim {
                pid: Some(killed.pid),
                id: None,
                comm: Comm::new(&unescape(&killed.name)),
                uid: killed.uid.or(row.map(|row| row.uid)),
                rss: killed.anon.map(|_| parts.into_iter().flatten().fold(Kib(0), |a, b| a + b)),
                swap: swap.map(|pages| Kib(pages.bytes(page).0 / 1024)),
                adj: killed.adj.or(row.and_then(|row| row.adj)),
            };
            let along = nth > 0 && report.group.is_some();
            OomEvent {
                by: if along { Killer::Group } else { by },
                victim: Some(victim),
                cgroup: if along { path(&report.group) } else { first.cgroup.clone() },
                prediction: if along {
                    PredictionResult::AlsoKilled
                } else {
                    PredictionResult::NoSample
                },
                ..first.clone()
            }
        })
        .collect()
}
