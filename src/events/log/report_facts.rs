//! What lines about the machine and about memory add to a report.

use crate::events::log::kernel_line::{KernelLine, TraceSign};
use crate::events::log::memory_line::{MemoryLine, PageCount};
use crate::events::log::report::{FreeChunks, OomReport};
use crate::units::{Kib, Pages};

/// Facts of the machine. Other warnings print them too, so they never begin a report, and what was told
/// first stays.
pub(super) fn add_facts(report: &mut OomReport, line: KernelLine) {
    match line {
        KernelLine::Kernel { release, pid, comm } if report.allocator.is_none() => {
            (report.kernel, report.allocator) = (release, Some(pid));
            // Framing that was not recognised may stand before the name.
            if let (Some(invoked), Some(comm)) = (&mut report.invoked, comm)
                && invoked.name.as_ref().is_none_or(|it| it.ends_with(&comm))
            {
                invoked.name = Some(comm);
            }
        }
        KernelLine::Cpuset { name, mems } => {
            (report.cpuset, report.mems) = (Some(name), Some(mems));
        }
        KernelLine::Trace(TraceSign::Memcg) => report.memcg_sign = true,
        KernelLine::Trace(TraceSign::PageFault) => report.page_fault_sign = true,
        KernelLine::Trace(TraceSign::Sysrq) => report.sysrq_sign = true,
        KernelLine::Memory(line) => add_memory(report, line),
        _ => {}
    }
}

fn add_memory(report: &mut OomReport, line: MemoryLine) {
    match line {
        MemoryLine::Begin => report.has_mem_info = true,
        MemoryLine::Present(PageCount::Ram, pages) => {
            report.ram = Some(pages);
            report.has_mem_info = true;
        }
        MemoryLine::Present(PageCount::Reserved, pages) => report.reserved = Some(pages),
        MemoryLine::SwapTotal(size) => report.swap_total = Some(size),
        MemoryLine::SwapFree(size) => report.swap_free = Some(size),
        MemoryLine::Pages(counts) => {
            report.has_mem_info = true;
            for (key, pages) in counts {
                report.counts.entry(key).or_insert(pages);
            }
            let count = |key| report.counts.get(key).copied().map(Pages);
            (report.free, report.free_cma) = (count("free"), count("free_cma"));
            report.slab_unreclaimable = count("slab_unreclaimable");
        }
        MemoryLine::Node(counts) => {
            for (key, kib) in counts {
                if key == "kernel_stack" {
                    report.kernel_stack = Some(report.kernel_stack.unwrap_or_default() + Kib(kib));
                }
            }
        }
        MemoryLine::Zone(zone) => {
            let known =
                report.zones.iter().any(|it| (it.node, &it.name) == (zone.node, &zone.name));
            if !known && report.zones.len() < 4096 {
                if zone.kernel_stack > Kib(0) {
                    let so_far = report.kernel_stack.unwrap_or_default();
                    report.kernel_stack = Some(so_far + zone.kernel_stack);
                }
                report.zones.push(zone);
            }
        }
        MemoryLine::Reserve(pages) => {
            if let Some(last) = report.zones.last_mut().filter(|it| it.reserve.is_empty()) {
                last.reserve = pages;
            }
        }
        MemoryLine::Chunks(chunks) => {
            let same = |it: &FreeChunks| (it.node, &it.zone) == (chunks.node, &chunks.zone);
            if !report.chunks.iter().any(same) && report.chunks.len() < 4096 {
                report.chunks.push(chunks);
            }
        }
        // One line for each node and size.
        MemoryLine::HugePages(total, free, size) => {
            let add = |sum: Option<Kib>, count: u64| {
                Some(sum.unwrap_or_default() + Kib(count.saturating_mul(size)))
            };
            report.huge_pages = add(report.huge_pages, total);
            report.huge_pages_free = add(report.huge_pages_free, free.min(total));
        }
        MemoryLine::Stat(counts) => {
            for (key, bytes) in counts {
                report.stat.entry(key).or_insert(bytes);
            }
        }
        MemoryLine::Slab(name, size) if report.slabs.len() < 256 => {
            report.slabs.push((name, size));
            report.slabs.sort_by_key(|(_, size)| std::cmp::Reverse(*size));
            report.slabs.truncate(5);
        }
        _ => {}
    }
}
