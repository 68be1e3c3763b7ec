//! The words of the screen, explained: for somebody who sees them for the first time.

/// A word of the screen, and what it means, in the order in which a reader needs them.
pub static TERMS: &[(&str, &str)] = &[
    (
        "badness",
        "the number by which the kernel chooses: resident memory, swap and page tables of the process, plus \
         its adj. The highest dies",
    ),
    (
        "adj",
        "oom_score_adj, -1000 to +1000, set for each process: a step adds a thousandth of the memory to its \
         badness. At -1000 it is never chosen",
    ),
    (
        "oom_score",
        "the kernel's own number for a process (SCORE). doomtop computes badness itself, and compares",
    ),
    (
        "/1000",
        "badness as a share of the memory that counts: RAM and swap, or the limit of the cgroup",
    ),
    ("victim", "the process that would be killed; the runner-up is the one after it"),
    (
        "next death",
        "NEXT: who dies next if memory grows as it does now, where and when. No such line: nothing is near",
    ),
    (
        "cursor",
        "the row that the keys mean (`>`). Until you move it, it is on the process of NEXT, and while nothing is \
         near on rank 1; then it stays on the process that you chose",
    ),
    (
        "limit",
        "an amount of memory that cannot be exceeded: the RAM and swap of the machine, or memory.max of a \
         cgroup. The kernel kills when nothing more can be reclaimed there",
    ),
    (
        "domain",
        "the part of the machine where memory ran out: all of it, or one memory cgroup. s chooses it",
    ),
    (
        "at the limit",
        "what would happen where a limit is reached: who is killed, or that its tasks wait (are stalled) \
         and nobody dies",
    ),
    (
        "margin",
        "how far the victim is ahead of the runner-up. `14M ahead`: 14M less, and the other one dies",
    ),
    (
        "uncertainty",
        "how far a number may be off at the time of the kill. A margin below it is too close to call: one \
         of several dies",
    ),
    (
        "policy",
        "the rule of a killer: this kernel, an older one, or a daemon such as earlyoom. v chooses it",
    ),
    ("Commit", "memory that programs have reserved, used or not (Committed_AS)"),
    (
        "commit limit",
        "how much may be reserved. Only overcommit mode 2 enforces it: then allocations fail there, and no \
         process is killed",
    ),
    (
        "PSI",
        "pressure: the share of the last 10, 60 and 300 seconds in which some task, or every task (full), \
         waited for memory",
    ),
    (
        "sacrifice",
        "kill the process yourself before the kernel has to: SIGTERM if it may do raw I/O, otherwise SIGKILL",
    ),
    (
        "with it",
        "what ends together with the victim: processes that share its memory, or its whole cgroup",
    ),
    ("sample", "one reading of the system. All numbers on the screen are of the same sample"),
    ("self-check", "how many computed scores are equal to the kernel's own oom_score"),
    (
        "order frozen",
        "rows keep their places for a moment after a key, so that none moves under the cursor",
    ),
    (
        "guessed",
        "the kernel counted a kill and no log names its victim: the largest process that ended since",
    ),
];
