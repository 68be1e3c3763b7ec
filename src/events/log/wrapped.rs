//! Lines that a mail program or a terminal has broken in two: put together again where that tells more.

use crate::events::log::framing::{self, Framer};
use crate::events::log::kernel_line::{self, KernelLine};
use crate::events::log::line_context::LineContext;
use crate::events::log::marker;
use crate::events::log::memory_line::MemoryLine;

/// Maximum length of a line that is put together, in bytes.
const MAX_LINE: usize = 4096;

/// Whether the next line of the log may continue this one. A record of `/dev/kmsg` is never broken.
pub(super) fn may_go_on(line: &str) -> bool {
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let is_record = digits > 0 && line[digits..].starts_with(',') && line.contains(';');
    !is_record && line.len() < MAX_LINE
}

/// Both lines as one, if the second continues the first and the whole tells more.
pub(super) fn join(first: &str, second: &str, context: &LineContext) -> Option<String> {
    if second.trim().is_empty() || first.len() + second.len() > MAX_LINE || begins(first, second) {
        return None;
    }
    let second = second.trim_end_matches(['\r', '\n']);
    let second = without_quote(second);
    let direct = format!("{first}{second}");
    let spaced = format!("{first} {second}");
    let (alone, direct_tells) = (tells(first, context), tells(&direct, context));
    let spaced_tells = tells(&spaced, context);
    let best =
        if spaced_tells > direct_tells { (spaced, spaced_tells) } else { (direct, direct_tells) };
    (best.1 > alone).then_some(best.0)
}

/// The marks of quoted mail stand before each piece.
fn without_quote(line: &str) -> &str {
    let trimmed = line.trim_start_matches(['>', '|']);
    if trimmed.len() == line.len() { line } else { trimmed.strip_prefix(' ').unwrap_or(trimmed) }
}

/// Whether the second line is another line of the log.
fn begins(first: &str, second: &str) -> bool {
    if framing::has_time(second) {
        return true;
    }
    let is_open = first.trim_end().ends_with("ut of memory:");
    let words = without_quote(second).trim_start();
    let at_start = |found: Option<usize>| found.is_some_and(|at| at < 2);
    let begins = marker::begin(words);
    let anew =
        begins.is_some() && !(is_open && at_start(begins)) || at_start(marker::within(words));
    anew || marker::rows(words).any(|at| at == 0) || words.contains(" invoked oom-killer")
}

/// How much a line tells.
fn tells(line: &str, context: &LineContext) -> usize {
    let Some(record) = Framer::default().separate(line) else { return 0 };
    let Some(found) = kernel_line::read(&record.text, record.exact, context) else { return 0 };
    let count = |facts: &[bool]| facts.iter().filter(|&&it| it).count();
    match found {
        KernelLine::Killed(it) => {
            let sizes = [it.total_vm, it.anon, it.file, it.shmem, it.pgtables];
            let known = sizes.iter().filter(|it| it.is_some()).count();
            1 + known + count(&[it.uid.is_some(), it.adj.is_some(), !it.name.ends_with('…')])
        }
        KernelLine::Summary(it) => count(&[
            true,
            it.constraint.is_some(),
            it.cpuset.is_some(),
            it.mems.is_some(),
            it.domain.is_some(),
            it.domain.is_some() && !it.domain_cut,
            it.cgroup.is_some(),
            it.pid.is_some(),
            it.name.is_some(),
        ]),
        KernelLine::Invoked(it) => {
            1 + count(&[it.flags.is_some(), it.order.is_some(), it.adj.is_some()])
        }
        KernelLine::Kernel { release, comm, .. } => {
            let is_whole = release
                .as_ref()
                .is_some_and(|it| !line.ends_with(it.as_str()) && !it.contains('#'));
            count(&[true, release.is_some(), is_whole, comm.is_some()])
        }
        KernelLine::Memory(it) => match it {
            MemoryLine::Pages(it) | MemoryLine::Node(it) | MemoryLine::Stat(it) => it.len(),
            MemoryLine::Zone(it) => count(&[
                true,
                it.min.0 > 0,
                it.high.0 > 0,
                it.present.is_some(),
                it.managed.is_some(),
            ]),
            MemoryLine::Chunks(it) => it.list.len(),
            MemoryLine::Reserve(it) => it.len(),
            _ => 1,
        },
        KernelLine::Columns(_) | KernelLine::Task(_) => 50,
        _ => 2,
    }
}
