//! Finds the kernel's own words in a line, wherever they begin: what stands before them is framing.

use std::sync::LazyLock;

use regex::Regex;

use crate::events::log::pattern::compile;

/// Words with which a line about an OOM begins, or which it contains.
static BEGIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(concat!(
        r"oom-kill:constraint=|Out of [mM]emory|Memory cgroup out of memory|Killed process \d",
        r"|[Kk]ill process \d|Memory cgroup stats for |Task in /|Tasks in /",
        r"|(?:memory\+swap|memory|swap|kmem): usage \d|oom_reaper: |OOM victim \d",
        r"|Kernel panic - not syncing: |oom-killer: gfp_mask=|\[ *pid *\] +uid",
        r"|oom bpf handler: |oom_policy="
    ))
});

/// Words of the lines that belong to a report which has begun.
static WITHIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(concat!(
        r"Mem-Info:|Node \d+ |active_anon:\d|active_file:\d|unevictable:\d|slab_reclaimable:\d",
        r"|mapped:\d|mapped \d|kernel_misc_reclaimable:\d|free:\d|Free swap|Total swap",
        r"|\d+ pages (?:of )?(?:RAM|reserved|HighMem|cma)|\d+ reserved pages|lowmem_reserve\[\]",
        r"|hugepages_total=|CPU: ?\d|Pid: \d|Unreclaimable slab|Tasks state|Call [Tt]race",
        r"| mems_allowed=|page allocation failure|page allocation stalls|mem_cgroup_out_of_memory|mem_cgroup_oom_synchronize|pagefault_out_of_memory|moom_callback",
        r"|(?:DMA|DMA32|Normal|HighMem|Movable)[ :]"
    ))
});

/// Words of the logs of userspace killers.
static DAEMON: LazyLock<Option<Regex>> = LazyLock::new(|| {
    compile(concat!(
        r"systemd-oomd killed|due to memory |due to swap |sending SIG|Sending SIG|Killing |oomd kill: ",
        r"|low memory!|dryrun, not|kill failed: |Could not kill|lowmemorykiller: |lmkd|PID: +\d",
        r"|oom_score_adj: +-?\d|RSS: +\d|cgroup_v[12]: /|Kill '|due to OOM rule"
    ))
});

/// Where the words of a line about an OOM begin.
pub(super) fn begin(line: &str) -> Option<usize> {
    BEGIN.as_ref()?.find(line).map(|it| it.start())
}

/// Where the words of a line that belongs to a begun report begin.
pub(super) fn within(line: &str) -> Option<usize> {
    WITHIN.as_ref()?.find(line).map(|it| it.start())
}

/// Whether a line may be about the kill of a userspace killer.
pub(super) fn is_daemon(line: &str) -> bool {
    DAEMON.as_ref().is_some_and(|it| it.is_match(line))
}

/// Whether a line has the words of a line about an OOM.
#[must_use]
pub fn is_about_oom(line: &str) -> bool {
    begin(line).is_some()
}

/// Where a row of a dump may begin: a number in brackets, and a number behind it.
pub(super) fn rows(line: &str) -> impl Iterator<Item = usize> {
    line.match_indices('[').map(|(at, _)| at).filter(|&at| {
        let inner = line[at + 1..].trim_start_matches(' ');
        let digits = inner.bytes().take_while(u8::is_ascii_digit).count();
        let behind = inner.get(digits..).and_then(|it| it.strip_prefix("] "));
        digits > 0
            && digits < 11
            && behind.is_some_and(|it| {
                it.trim_start_matches(' ').starts_with(|c: char| c.is_ascii_digit())
            })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_words_of_the_kernel_are_found_anywhere() {
        for (line, wanted) in [
            ("h W : Out of memory: Killed process 1 (a)", "Out of"),
            ("x Memory cgroup out of memory: Killed process 1 (a)", "Memory cgroup"),
            ("> memory+swap: usage 1kB", "memory+swap"),
            ("a oom-kill:constraint=X,task_memcg=/Out of memory: Killed process 1", "oom-kill:"),
        ] {
            let at = begin(line).expect(line);
            assert!(line[at..].starts_with(wanted), "{line}");
        }
        assert_eq!(begin("an ordinary line about memory"), None);
        assert_eq!(rows("[12.000001] [ 7] 0 7 1").collect::<Vec<_>>(), [12]);
        assert_eq!(rows("sshd[12]: no row").count(), 0);
        assert!([&BEGIN, &WITHIN, &DAEMON].iter().all(|it| it.is_some()));
    }
}
