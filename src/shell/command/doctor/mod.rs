//! `doomtop doctor`: what doomtop can do here, and what is wrong; for reports of bugs.

mod finding;
mod oomctl;
mod sources;

use std::io::{self, IsTerminal};
use std::path::Path;

use self::finding::Findings;
use super::cli::Cli;
use super::config::apply::{load, own_file};
use super::config::named;
use super::config::values::ConfigValues;
use super::invocation::{Invocation, OutputKind};
use super::{sampling, version};
use crate::events::{TriggerFile, trigger_refusal};
use crate::model::{InstalledKillers, KillerPresence, Needs, PressureWatch, Scene, Snapshot};
use crate::policy::{self, comparisons};
use crate::sample::proc_root::LiveRoot;
use crate::shell::command_error::CommandError;
use crate::shell::exit_status::ExitStatus;
use crate::shell::{config_file, stdio};

/// A capability of `include/uapi/linux/capability.h` (Linux 7.1): its bit, and what doomtop needs it for.
const CAPABILITIES: &[(&str, u32, &str)] = &[
    ("CAP_KILL", 5, "needed to signal processes of other users"),
    ("CAP_SYS_RESOURCE", 24, "needed to lower oom_score_adj below the value that root set last"),
    ("CAP_DAC_OVERRIDE", 1, "needed to write oom_score_adj of other users' processes"),
    (
        "CAP_SYS_PTRACE",
        19,
        "needed to see which processes share the memory of another user's process",
    ),
    ("CAP_SYS_NICE", 23, "needed to raise the priority of a killed process"),
    (
        "CAP_IPC_LOCK",
        14,
        "needed to lock doomtop in memory, so that it answers when memory is short",
    ),
    ("CAP_SYSLOG", 34, "needed to read the kernel log where dmesg_restrict is 1"),
    ("CAP_BPF", 39, "needed with CAP_PERFMON to read all processes at once"),
    ("CAP_PERFMON", 38, "needed with CAP_BPF to read all processes at once"),
    (
        "CAP_SYS_ADMIN",
        21,
        "replaces CAP_BPF and CAP_PERFMON; needed to see whether a BPF program decides who is killed",
    ),
];

/// Looks, and prints.
///
/// # Errors
/// Standard output cannot be written.
pub(crate) fn run(cli: &Cli, json: bool) -> Result<ExitStatus, CommandError> {
    let mut found = Findings::default();
    program(&mut found);
    let config = settings(cli, &mut found);
    let sample = look(cli, &config);
    match &sample {
        Ok((snapshot, before)) => {
            machine(snapshot, before, &mut found);
            // It tells of this machine, which is not that of another tree.
            if cli.proc == Path::new("/proc") {
                oomctl::compare(snapshot, &mut found);
            }
            rights(snapshot, &mut found);
        }
        Err(error) => found.problem("machine", "processes", error.lines().join("; ")),
    }
    cgroups(&mut found);
    sources::sources(&mut found);
    found.source(
        "sources",
        "PSI trigger",
        psi_trigger(),
        "needed to sample at once when tasks begin to wait for memory",
    );
    if let Ok((snapshot, _)) = &sample {
        bpf_oom(snapshot, &mut found);
    }
    terminal(&mut found);
    stdio::print(&if json { found.json() } else { found.text() })?;
    Ok(if found.has_problem() { ExitStatus::Failure } else { ExitStatus::Success })
}

/// Two samples, as the screen takes them.
fn look(
    cli: &Cli,
    config: &ConfigValues,
) -> Result<(std::sync::Arc<Snapshot>, Option<std::sync::Arc<Snapshot>>), CommandError> {
    let mut cli = cli.clone();
    cli.sampler = cli.sampler.or(config.sampler);
    let invocation = Invocation::new(&cli, OutputKind::Headless, (&policy::LINUX, None))?;
    let mut source = invocation.input.source;
    let needs = Needs { cmdline: false, ..Needs::everything() };
    sampling::pair(source.as_mut(), &needs, &invocation.setup, None)
}

fn program(found: &mut Findings) {
    let section = "doomtop";
    found.fact(section, "version", version::PACKAGE);
    found.fact(section, "commit", version::COMMIT);
    found.fact(section, "target", version::TARGET);
    let build = if cfg!(debug_assertions) { "debug" } else { "release" };
    found.fact(section, "build", build);
}

fn settings(cli: &Cli, found: &mut Findings) -> ConfigValues {
    let section = "settings";
    match load(cli) {
        Ok(config) => {
            for file in &config.files {
                found.fact(section, "file", file.display());
            }
            if config.files.is_empty() {
                let why = own_file(cli).map_or_else(
                    || "neither XDG_CONFIG_HOME nor HOME is set".to_owned(),
                    |it| format!("{} does not exist", it.path.display()),
                );
                found.fact(section, "file", format!("none ({why})"));
            }
            for warning in &config.warnings {
                found.problem(section, "ignored", warning);
            }
            for fault in named::faults(&config) {
                found.problem(section, "fault", fault);
            }
            if let Some(text) = named::absent_scope(&config) {
                found.problem(section, "scope", text);
            }
            if config.forbids_writing {
                let text = format!("forbidden by {}", config_file::SYSTEM);
                found.fact(section, "acting and files", text);
            } else if config.read_only {
                found.fact(section, "acting", "forbidden by read_only");
            }
            config
        }
        Err(error) => {
            for line in error.lines() {
                found.problem(section, "fault", line);
            }
            ConfigValues::default()
        }
    }
}

fn machine(
    sample: &std::sync::Arc<Snapshot>,
    before: &Option<std::sync::Arc<Snapshot>>,
    found: &mut Findings,
) {
    let section = "machine";
    let machine = &sample.machine;
    found.fact(section, "kernel", format!("Linux {} {}", machine.kernel, machine.arch));
    found.fact(section, "page size", format!("{} bytes", machine.page_size.0));
    found.fact(section, "ticks", format!("{} a second", machine.tick_rate.0));
    found.fact(section, "processors", machine.cpus);
    let namespace = if machine.initial_pid_namespace { "the initial one" } else { "a container's" };
    found.fact(section, "pid namespace", namespace);
    found.fact(section, "processes", sample.processes.len());
    if !sample.privileges.sees_others {
        let gives = "hides the processes of other users";
        found.source(section, "hidepid", Err("on".to_owned()), gives);
    }
    let scene = Scene::new(std::sync::Arc::clone(sample), before.clone());
    let (mut compared, mut equal, mut wrong) = (0_u32, 0_u32, 0_u32);
    for row in comparisons(&scene) {
        compared += 1;
        equal += u32::from(row.computed == row.kernel);
        wrong += u32::from(!row.agrees());
    }
    let text = format!("{equal} of {compared} scores equal the kernel's, {wrong} are wrong");
    match (compared, wrong) {
        (0, _) => found.problem(section, "scores", "no oom_score could be read"),
        (_, 0) => found.fact(section, "scores", text),
        // A process that grows between two readings differs for a moment; --self-check reads again.
        _ => found.fact(section, "scores", text + " (--self-check compares again)"),
    }
    let sampler = machine.sampler.to_string();
    let sampler = if machine.sampler.is_bpf() { Ok(sampler) } else { Err(sampler) };
    found.source(
        section,
        "sampler",
        sampler,
        "BPF reads all processes at once, without a stall when memory is short",
    );
    let killers = killers(&sample.killers);
    found.fact(
        section,
        "userspace killers",
        if killers.is_empty() { "none".to_owned() } else { killers },
    );
}

/// The userspace killers that are here.
fn killers(killers: &InstalledKillers) -> String {
    let InstalledKillers { earlyoom, nohang, nohang_desktop, systemd_oomd, oomd, kubelet } =
        killers;
    let all: [(&str, KillerPresence); 6] = [
        ("earlyoom", earlyoom.found),
        ("nohang", nohang.found),
        ("nohang-desktop", nohang_desktop.found),
        ("systemd-oomd", systemd_oomd.found),
        ("oomd", oomd.found),
        ("kubelet", kubelet.found),
    ];
    let here = all.iter().filter(|(_, presence)| *presence != KillerPresence::Absent);
    let words = here.map(|(name, presence)| {
        let word = presence.word();
        format!("{name} ({word})")
    });
    words.collect::<Vec<_>>().join(", ")
}

fn rights(sample: &Snapshot, found: &mut Findings) {
    let section = "rights";
    let own = &sample.privileges;
    found.fact(section, "user", format!("uid {}", own.euid));
    for (name, bit, gives) in CAPABILITIES {
        let has = own.caps.0 >> bit & 1 == 1;
        let value = if has { Ok("yes".to_owned()) } else { Err("no".to_owned()) };
        found.source(section, name, value, *gives);
    }
    let yes = |is: bool| if is { Ok("yes".to_owned()) } else { Err("no".to_owned()) };
    found.source(
        section,
        "pidfd",
        yes(own.pidfd),
        "needed so that no signal reaches a later process with the same pid",
    );
    found.source(
        section,
        "memory locked",
        yes(own.memory_locked),
        "needed so that doomtop answers when memory is short",
    );
}

/// The mounts of cgroups, as `/proc/self/mountinfo` lists them.
fn cgroups(found: &mut Findings) {
    let section = "cgroups";
    let mounts = procfs::process::Process::myself().and_then(|own| own.mountinfo());
    let mounts = match mounts {
        Ok(mounts) => mounts.0,
        Err(error) => return found.problem(section, "mounts", error),
    };
    let of =
        |kind: &str| mounts.iter().filter(|it| it.fs_type == kind).cloned().collect::<Vec<_>>();
    let (v2, v1) = (of("cgroup2"), of("cgroup"));
    let memory = |it: &&procfs::process::MountInfo| it.super_options.contains_key("memory");
    let memory_v1 = v1.iter().find(memory);
    let version = match (v2.is_empty(), v1.is_empty()) {
        (false, true) => "2",
        (false, false) if memory_v1.is_none() => "2 (hybrid, without memory in version 1)",
        (false, false) => "hybrid: memory is in version 1",
        (true, false) => "1",
        (true, true) => "none is mounted",
    };
    found.fact(section, "version", version);
    for mount in v2.iter().chain(memory_v1) {
        let controllers = std::fs::read_to_string(mount.mount_point.join("cgroup.controllers"));
        let controllers = controllers.map(|text| format!(" ({})", text.trim())).unwrap_or_default();
        found.fact(section, "mount", format!("{}{controllers}", mount.mount_point.display()));
    }
    if v2.is_empty() && memory_v1.is_none() {
        let why = Err("no memory controller is mounted".to_owned());
        found.source(
            section,
            "memory",
            why,
            "needed to see the limits of cgroups, and who dies there",
        );
    }
}

/// Whether a BPF program may choose in the place of the kernel's rule, as every sample says it.
fn bpf_oom(sample: &Snapshot, found: &mut Findings) {
    let (value, gives) = if sample.bpf_oom.supported {
        let decides = "where one is loaded, it decides before the kernel's rule does";
        (Ok("this kernel lets a BPF program choose the victim".to_owned()), Some(decides))
    } else {
        (Err("not supported by this kernel".to_owned()), None)
    };
    found.source("sources", "BPF OOM", value, gives);
}

fn psi_trigger() -> Result<String, String> {
    let root =
        crate::sample::proc_root::ProcRoot::open("/proc").map_err(|error| error.to_string())?;
    let root = LiveRoot::prove(root).map_err(|_| "this is not the live /proc".to_owned())?;
    match TriggerFile::open(&root, c"pressure/memory") {
        Ok(trigger) => match trigger.watch() {
            PressureWatch::Trigger(psi) => Ok(psi.to_string()),
            PressureWatch::Reading(psi, why) => Err(format!("read every {psi} instead: {why}")),
            PressureWatch::Unavailable(why) => Err(why),
            PressureWatch::Off => Err("off".to_owned()),
        },
        Err(errno) => Err(trigger_refusal(errno)),
    }
}

fn terminal(found: &mut Findings) {
    let section = "terminal";
    for name in ["LC_ALL", "LC_CTYPE", "LANG", "TERM", "COLORTERM", "NO_COLOR", "TMUX", "STY"] {
        if let Some(value) = std::env::var_os(name) {
            // A path of a socket tells nothing.
            let value = if name == "TMUX" || name == "STY" { "set".into() } else { value };
            found.fact(section, name, value.to_string_lossy());
        }
    }
    let glyphs = if stdio::utf8() { "UTF-8" } else { "ASCII only" };
    found.fact(section, "glyphs", glyphs);
    found.fact(section, "colours", format!("{:?}", stdio::colour_depth()).to_lowercase());
    let streams =
        [io::stdin().is_terminal(), io::stdout().is_terminal(), io::stderr().is_terminal()];
    let streams = streams.map(|is| if is { "a terminal" } else { "no terminal" }).join(", ");
    found.fact(section, "in, out, err", streams);
    if let Ok((columns, lines)) = crossterm::terminal::size() {
        found.fact(section, "size", format!("{columns}x{lines}"));
    }
    if Path::new("/.dockerenv").exists() || Path::new("/run/.containerenv").exists() {
        found.fact(section, "container", "yes");
    }
}
