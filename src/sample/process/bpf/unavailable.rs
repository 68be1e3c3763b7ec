//! Why the processes cannot be read by BPF here.

use std::fmt;

use rustix::io::Errno;

/// Why the processes cannot be read by BPF here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BpfUnavailable {
    /// The tree is not the live `/proc` of this pid namespace.
    OtherTree,
    /// The instructions are those of a 64-bit little-endian machine.
    Architecture,
    /// `/sys/kernel/btf/vmlinux` could not be read.
    NoBtf(Errno),
    /// It could be read but not understood.
    DamagedBtf,
    /// The kernel does not describe this structure, field or function.
    Lacks(&'static str, &'static str),
    /// The machine has more CPUs than a program can add up.
    TooManyCpus,
    /// The program could not be assembled.
    Assembly,
    /// The kernel refused a step.
    Refused(&'static str, Errno),
    /// There are more processes than the table has records for.
    Full,
    /// What was read of doomtop itself is not what `/proc` shows.
    Differs(&'static str),
    /// `/proc` lists this many processes that the kernel's iterator leaves out.
    Incomplete(usize),
}

impl fmt::Display for BpfUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherTree => f.write_str("the tree is not the live /proc of this pid namespace"),
            Self::Architecture => f.write_str("only for 64-bit little-endian machines"),
            Self::NoBtf(errno) => write!(f, "/sys/kernel/btf/vmlinux: {errno}"),
            Self::DamagedBtf => f.write_str("/sys/kernel/btf/vmlinux is in an unknown form"),
            Self::Lacks(structure, "") => write!(f, "this kernel has no {structure}"),
            Self::Lacks(structure, path) => write!(f, "this kernel has no {structure}.{path}"),
            Self::TooManyCpus => f.write_str("the machine has too many CPUs"),
            Self::Assembly => f.write_str("the program is too long"),
            Self::Refused(_, Errno::PERM) => {
                f.write_str("it needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN")
            }
            Self::Refused(step, errno) => write!(f, "the kernel refused {step}: {errno}"),
            Self::Full => f.write_str("there are more processes than its table holds"),
            Self::Differs(field) => {
                write!(f, "what it read of doomtop differs from /proc in {field}")
            }
            Self::Incomplete(count) => {
                write!(f, "the kernel's iterator leaves out {count} processes that /proc shows")
            }
        }
    }
}

impl std::error::Error for BpfUnavailable {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_says_what_would_help() {
        let text = BpfUnavailable::Refused("a map", Errno::PERM).to_string();
        assert_eq!(text, "it needs CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN");
        let text = BpfUnavailable::Lacks("mm_struct", "rss_stat").to_string();
        assert_eq!(text, "this kernel has no mm_struct.rss_stat");
        let text = BpfUnavailable::Lacks("bpf_loop", "").to_string();
        assert_eq!(text, "this kernel has no bpf_loop");
    }
}
