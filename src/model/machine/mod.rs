//! Facts of the machine as a whole: constants, memory, overcommit, pressure, sysctls, privileges.

pub(crate) mod bpf_oom;
pub(crate) mod capability;
pub(crate) mod host;
pub(crate) mod memory;
pub(crate) mod memory_uses;
pub(crate) mod numa;
pub(crate) mod overcommit;
pub(crate) mod pressure;
pub(crate) mod privileges;
pub(crate) mod sampler;
pub(crate) mod stall_detection;
pub(crate) mod sysctl;
pub(crate) mod vm_counters;
