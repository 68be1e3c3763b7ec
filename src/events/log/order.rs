//! Whether a log has its newest line first, as some exports have.

use crate::events::log::framing::Framer;
use crate::events::log::kernel_line::{self, KernelLine};
use crate::events::log::kernel_log::LogEntry;
use crate::events::log::line_context::LineContext;
use crate::events::log::marker;

/// Lines that are looked at.
const MAX_LINES: usize = 50_000;

/// What the last line about an OOM was.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Last {
    Nothing,
    Invoked,
    Columns,
    Selected,
    Summary(Option<i32>),
    Killed(i32),
}

/// Whether the newest line comes first: a kill stands before what leads to it. `None`: these lines do not
/// show it.
#[must_use]
pub fn is_reversed<'a>(entries: impl IntoIterator<Item = &'a LogEntry>) -> Option<bool> {
    let (mut last, context) = (Last::Nothing, LineContext::default());
    let mut times: Vec<u64> = Vec::new();
    for entry in entries.into_iter().take(MAX_LINES) {
        let line = entry.text.as_str();
        let is_row = marker::rows(line).next().is_some() && line.split_whitespace().count() >= 8;
        if marker::begin(line).is_none() {
            // A row behind its header: the order is that of the kernel.
            if is_row && last == Last::Columns {
                return Some(false);
            }
            continue;
        }
        let Some(record) = Framer::default().separate(line) else { continue };
        times.extend(record.stamp.uptime_us);
        let Some(found) = kernel_line::read(&record.text, record.exact, &context) else { continue };
        let next = match found {
            KernelLine::Invoked(_) => Last::Invoked,
            KernelLine::Columns(_) => Last::Columns,
            KernelLine::Selected { .. } => Last::Selected,
            KernelLine::Summary(it) => Last::Summary(it.pid),
            KernelLine::Killed(it) => Last::Killed(it.pid),
            _ => continue,
        };
        match (last, next) {
            (Last::Summary(Some(chosen)), Last::Killed(pid)) if chosen == pid => {
                return Some(false);
            }
            (Last::Killed(pid), Last::Summary(Some(chosen))) if chosen == pid => return Some(true),
            (Last::Selected, Last::Killed(_)) | (Last::Invoked, Last::Columns) => {
                return Some(false);
            }
            (Last::Columns, Last::Invoked) => return Some(true),
            _ => {}
        }
        last = next;
    }
    let falls = times.windows(2).filter(|pair| pair[1] < pair[0]).count();
    let rises = times.windows(2).filter(|pair| pair[1] > pair[0]).count();
    (falls >= 2 && rises == 0).then_some(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_with_the_newest_line_first_is_recognised() {
        let lines = [
            "h kernel: a invoked oom-killer: gfp_mask=0xcc0(GFP_KERNEL), order=0, oom_score_adj=0",
            "h kernel: [  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name",
            "h kernel: [      7]     0     7      100       50     4096        0             0 a",
            "h kernel: oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,task_memcg=/,task=a,pid=7,uid=0",
            "h kernel: Out of memory: Killed process 7 (a) total-vm:4kB, anon-rss:2kB, file-rss:0kB",
        ];
        let entries = |lines: &[&str]| -> Vec<LogEntry> {
            let entry = |text: &&str| LogEntry { text: (*text).to_owned(), ..LogEntry::default() };
            lines.iter().map(entry).collect()
        };
        let mut all = entries(&lines);
        assert_eq!(is_reversed(&all), Some(false));
        all.reverse();
        assert_eq!(is_reversed(&all), Some(true));
        assert_eq!(is_reversed(&entries(&lines[..1])), None);
    }
}
