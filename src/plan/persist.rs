//! How a value is made persistent: which unit or container the process is in, as its cgroup shows, and
//! what to write for systemd, a container engine or a shell. Nothing is written here.

use crate::model::{Process, Snapshot, unescape};
use crate::units::{Adj, Bytes};

/// A method to make a value persistent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PersistMethod {
    /// Where it applies: `nginx.service`, `this process, now`.
    pub title: String,
    /// Remarks, a line each.
    pub about: Vec<String>,
    /// The command, or the text of the file. Empty where nothing can be set.
    pub text: String,
    /// The path of the file, where it is one.
    pub place: Option<String>,
}

/// The name of a drop-in. It sorts before `override.conf`, which an admin writes and which wins.
const DROP_IN: &str = "50-oom.conf";

/// The container engine that started a process, as its cgroup shows.
#[derive(Clone, Debug, PartialEq, Eq)]
enum ContainerEngine {
    Kubernetes(PodQos),
    Docker(String),
    Podman(String),
    Lxc(String),
    Nspawn(String),
}

/// The QoS class of a pod, which follows from its requests and limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum PodQos {
    Guaranteed,
    Burstable,
    BestEffort,
}

/// What the path of a cgroup tells.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct CgroupOwner {
    engine: Option<ContainerEngine>,
    /// The unit, and whether it belongs to a user's own systemd.
    unit: Option<(String, bool)>,
}

/// The id of a container, as short as its tools show it.
fn short(id: &str) -> Option<String> {
    let is_id = id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_id.then(|| id[..12].to_owned())
}

/// Whether a name is safe in a shell, a path and a unit file: the characters of unit names
/// (`src/basic/unit-name.h` `VALID_CHARS_WITH_AT`).
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte);
    !name.is_empty() && name.len() < 256 && name.bytes().all(plain)
}

/// The container that a component of a path names, seen with the component above it.
fn engine(above: &str, name: &str, path: &str) -> Option<ContainerEngine> {
    let bare = name.strip_suffix(".scope").unwrap_or(name);
    if name.starts_with("kubepods") {
        return Some(ContainerEngine::Kubernetes(quality(path)));
    }
    if let Some(id) = bare.strip_prefix("docker-").or((above == "docker").then_some(bare)) {
        return short(id).map(ContainerEngine::Docker);
    }
    if let Some(id) = bare.strip_prefix("libpod-").and_then(short) {
        return Some(ContainerEngine::Podman(id));
    }
    if let Some(name) = name.strip_prefix("lxc.payload.").or((above == "lxc").then_some(name)) {
        return is_plain(name).then(|| ContainerEngine::Lxc(name.to_owned()));
    }
    let inside = name.strip_prefix("systemd-nspawn@")?.strip_suffix(".service")?;
    is_plain(inside).then(|| ContainerEngine::Nspawn(inside.to_owned()))
}

/// The QoS class, as the path of a pod shows it.
fn quality(path: &str) -> PodQos {
    if path.contains("besteffort") {
        PodQos::BestEffort
    } else if path.contains("burstable") {
        PodQos::Burstable
    } else {
        PodQos::Guaranteed
    }
}

/// Whether a component names a unit with processes, and not one that a container engine made.
fn is_unit(name: &str) -> bool {
    let of_engine = name.starts_with("cri-containerd-") || name.starts_with("crio-");
    !of_engine && is_plain(name) && (name.ends_with(".service") || name.ends_with(".scope"))
}

impl CgroupOwner {
    /// Parses a path in the form in which it is shown.
    fn of(path: &str) -> Self {
        let bytes = unescape(path);
        let path = String::from_utf8_lossy(&bytes);
        let mut home = Self::default();
        let (mut above, mut is_users) = ("", false);
        for part in path.split('/').filter(|part| !part.is_empty()) {
            // systemd puts `_` before a name that could be a file of the kernel.
            let name = part.strip_prefix('_').unwrap_or(part);
            match engine(above, name, &path) {
                // Units around a container belong to its engine, not to the program.
                Some(found) => {
                    home = Self { engine: home.engine.or(Some(found)), unit: None };
                    is_users = false;
                }
                None if is_unit(name) => {
                    home.unit = Some((name.to_owned(), is_users));
                    is_users |= name.starts_with("user@") && name.ends_with(".service");
                }
                None => {}
            }
            above = part;
        }
        home
    }
}

/// All methods, the best one first.
pub(crate) fn methods(
    process: &Process,
    value: Adj,
    command: Option<&str>,
    now: &Snapshot,
) -> Vec<PersistMethod> {
    let path = process.cgroup.as_ref().value();
    let home = path.map(|path| CgroupOwner::of(path.as_str())).unwrap_or_default();
    let inside = home.engine.is_some();
    let command = command.filter(|line| is_safe(line)).unwrap_or("COMMAND");
    let mut methods = Vec::new();
    if let Some((unit, is_users)) = &home.unit {
        methods.push(if unit.ends_with(".service") {
            service(unit, *is_users, inside, value)
        } else {
            scope(unit, *is_users, value, command)
        });
    }
    if let Some(engine) = &home.engine {
        methods.push(container(engine, value, now));
    }
    methods.push(PersistMethod {
        title: "whenever it is started by hand or by a script".to_owned(),
        about: vec![
            "choom (util-linux) sets it and then runs the command, which keeps it".to_owned(),
            floor(value),
        ],
        text: format!("choom -n {} -- {command}", value.0),
        place: None,
    });
    methods.push(PersistMethod {
        title: "this process, now".to_owned(),
        about: vec![
            "the same as this editor: children inherit it at fork, a restart loses it".to_owned(),
        ],
        text: format!("choom -n {} -p {}", value.0, process.id.pid),
        place: None,
    });
    methods
}

fn floor(value: Adj) -> String {
    if value < Adj::ZERO {
        "below 0 it takes root (CAP_SYS_RESOURCE)".to_owned()
    } else {
        "going below what it inherits may take root (CAP_SYS_RESOURCE)".to_owned()
    }
}

/// Whether a command line can be pasted into a shell unchanged.
fn is_safe(line: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b" /-_.,:=+@%".contains(&byte);
    line.len() <= 200 && line.bytes().all(plain)
}

fn service(unit: &str, is_users: bool, inside: bool, value: Adj) -> PersistMethod {
    let (folder, manager) = if is_users {
        ("~/.config/systemd/user", "systemctl --user")
    } else {
        ("/etc/systemd/system", "systemctl")
    };
    let mut about = vec![
        format!("then run {manager} daemon-reload; takes effect at the unit's next start"),
        format!("the same by hand: {manager} edit '{unit}'"),
    ];
    if let Some((template, _)) = unit.split_once('@') {
        about.push(format!("for all instances: the folder {template}@.service.d instead"));
    }
    if is_users {
        about.push("a user's systemd cannot go below its own value".to_owned());
    }
    if inside {
        about.push("the unit belongs to the systemd inside the container".to_owned());
    }
    PersistMethod {
        title: if is_users { format!("{unit}, a unit of its user") } else { unit.to_owned() },
        about,
        text: format!("[Service]\nOOMScoreAdjust={}\n", value.0),
        place: Some(format!("{folder}/{unit}.d/{DROP_IN}")),
    }
}

fn scope(unit: &str, is_users: bool, value: Adj, command: &str) -> PersistMethod {
    let user = if is_users { " --user" } else { "" };
    PersistMethod {
        title: unit.to_owned(),
        about: vec![
            "a scope has no OOMScoreAdjust=: it was made by the program that started the process"
                .to_owned(),
            "start it as a service to set one".to_owned(),
            floor(value),
        ],
        text: format!("systemd-run{user} -p OOMScoreAdjust={} -- {command}", value.0),
        place: None,
    }
}

fn container(engine: &ContainerEngine, value: Adj, now: &Snapshot) -> PersistMethod {
    let adj = value.0;
    let new = "it is fixed when the container is created: update cannot change it".to_owned();
    match engine {
        ContainerEngine::Kubernetes(quality) => pod(*quality, value, now.memory.total_kib.bytes()),
        ContainerEngine::Docker(id) => PersistMethod {
            title: format!("container {id} of docker"),
            about: vec![new, format!("in a compose file: oom_score_adj: {adj}")],
            text: format!("docker run --oom-score-adj {adj} IMAGE"),
            place: None,
        },
        ContainerEngine::Podman(id) => PersistMethod {
            title: format!("container {id} of podman"),
            about: vec![
                new,
                format!("in a .container file (quadlet): PodmanArgs=--oom-score-adj={adj}"),
                "without root it cannot go below the value of the process that starts it"
                    .to_owned(),
            ],
            text: format!("podman run --oom-score-adj {adj} IMAGE"),
            place: None,
        },
        ContainerEngine::Lxc(name) => PersistMethod {
            title: format!("container {name} of LXC"),
            about: vec![
                "in its configuration; takes effect at the container's next start".to_owned(),
            ],
            text: format!("lxc.proc.oom_score_adj = {adj}\n"),
            place: None,
        },
        ContainerEngine::Nspawn(name) => PersistMethod {
            title: format!("container {name} of systemd-nspawn"),
            about: vec!["takes effect at the container's next start".to_owned()],
            text: format!("[Exec]\nOOMScoreAdjust={adj}\n"),
            place: Some(format!("/etc/systemd/nspawn/{name}.nspawn")),
        },
    }
}

/// The method for Kubernetes, which sets the value itself by the requests of a pod
/// (`pkg/kubelet/qos/policy.go` `GetContainerOOMScoreAdjust`).
fn pod(quality: PodQos, value: Adj, memory: Bytes) -> PersistMethod {
    let class = match quality {
        PodQos::Guaranteed => "Guaranteed: -997",
        PodQos::Burstable => "Burstable: 1000 - 1000 x requested / memory of the node, 2 to 999",
        PodQos::BestEffort => "BestEffort: 1000",
    };
    let mut about = vec![
        "the kubelet sets it from the QoS class of the pod; no pod field sets it directly"
            .to_owned(),
        format!("this one is {class}"),
    ];
    let text = match value.0 {
        2..=999 => {
            let share = 1000 - u128::from(value.0.unsigned_abs());
            let mib = (u128::from(memory.0) * share / 1000) >> 20;
            about.push(format!("on this node, this request without equal limits gives {value}:"));
            format!("resources:\n  requests:\n    memory: {mib}Mi\n")
        }
        1000 => {
            about.push("+1000: no container of the pod has requests or limits".to_owned());
            String::new()
        }
        ..=-997 => {
            about.push(
                "-997: in every container, limits equal requests for cpu and memory; \
                 or priorityClassName: system-node-critical"
                    .to_owned(),
            );
            String::new()
        }
        _ => {
            about.push(format!(
                "no pod can have {value}: it has -997 (Guaranteed), or 2 and more (Burstable, BestEffort)"
            ));
            String::new()
        }
    };
    about.push("a value set by hand lasts until the container restarts".to_owned());
    PersistMethod { title: "its pod of Kubernetes".to_owned(), about, text, place: None }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::model::{ProcId, Reading, Text};
    use crate::units::Kib;

    fn methods_of(path: &[u8], value: i16) -> Vec<PersistMethod> {
        let process = Process {
            id: ProcId { pid: 7, ..ProcId::default() },
            cgroup: Reading::Value(Arc::new(Text::new(path))),
            ..Process::default()
        };
        let mut now = Snapshot::default();
        now.memory.total_kib = Kib(16 << 20);
        methods(&process, Adj(value), Some("nginx -g daemon"), &now)
    }

    fn first(path: &[u8], value: i16) -> PersistMethod {
        methods_of(path, value).remove(0)
    }

    const ID: &str = "4f1c0de0a1b2c3d4e5f60718293a4b5c6d7e8f90112233445566778899aabbcc";

    #[test]
    fn a_unit_gets_a_drop_in() {
        let method = first(b"/system.slice/nginx.service", -500);
        assert_eq!(method.text, "[Service]\nOOMScoreAdjust=-500\n");
        assert_eq!(
            method.place.as_deref(),
            Some("/etc/systemd/system/nginx.service.d/50-oom.conf")
        );
        // The manager escapes a name with a dash in it, and delegates below the unit.
        let method = first(br"/system.slice/dev-disk\x2dby.service/inner/more", 0);
        assert_eq!(
            method.place.as_deref(),
            Some(r"/etc/systemd/system/dev-disk\x2dby.service.d/50-oom.conf")
        );
        let method = first(b"/system.slice/system-getty.slice/getty@tty1.service", 0);
        assert!(method.about.iter().any(|it| it.contains("getty@.service.d")), "{method:?}");
    }

    #[test]
    fn a_users_unit_belongs_to_the_users_manager() {
        let path = b"/user.slice/user-1000.slice/user@1000.service/app.slice/app-x.service";
        let method = first(path, 200);
        assert_eq!(
            method.place.as_deref(),
            Some("~/.config/systemd/user/app-x.service.d/50-oom.conf")
        );
        assert!(method.about.iter().any(|it| it.contains("systemctl --user")), "{method:?}");
        let method = first(b"/user.slice/user-1000.slice/session-3.scope", 200);
        assert!(
            method.text.starts_with("systemd-run -p OOMScoreAdjust=200 -- nginx"),
            "{method:?}"
        );
        let path = b"/user.slice/user-1000.slice/user@1000.service/app.slice/app-y.scope";
        assert!(first(path, 200).text.starts_with("systemd-run --user "));
    }

    #[test]
    fn a_container_is_told_by_its_engine() {
        for path in [format!("/system.slice/docker-{ID}.scope"), format!("/docker/{ID}")] {
            let method = first(path.as_bytes(), 300);
            assert_eq!(method.title, "container 4f1c0de0a1b2 of docker", "{path}");
            assert_eq!(method.text, "docker run --oom-score-adj 300 IMAGE");
        }
        let method = first(format!("/machine.slice/libpod-{ID}.scope/container").as_bytes(), 1);
        assert_eq!(method.title, "container 4f1c0de0a1b2 of podman");
        let method = first(b"/lxc.payload.web/system.slice/nginx.service", 1);
        assert_eq!(method.title, "nginx.service");
        assert!(method.about.iter().any(|it| it.contains("inside the container")), "{method:?}");
        let all = methods_of(b"/lxc.payload.web/system.slice/nginx.service", 1);
        assert_eq!(all[1].title, "container web of LXC");
        let method = first(b"/machine.slice/systemd-nspawn@web.service/payload", 1);
        assert_eq!(method.place.as_deref(), Some("/etc/systemd/nspawn/web.nspawn"));
    }

    #[test]
    fn a_pod_is_told_what_can_be_asked_for() {
        let burstable = format!(
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1_2.slice/cri-containerd-{ID}.scope"
        );
        let method = first(burstable.as_bytes(), 500);
        assert!(method.about.iter().any(|it| it.contains("this one is Burstable")), "{method:?}");
        assert!(method.text.contains("memory: 8192Mi"), "{method:?}");
        let old = format!("/kubepods/besteffort/pod1/{ID}");
        let method = first(old.as_bytes(), -500);
        assert!(method.about.iter().any(|it| it.contains("this one is BestEffort")), "{method:?}");
        assert!(method.about.iter().any(|it| it.contains("no pod can have -500")), "{method:?}");
        assert_eq!(method.text, "");
        let method = first(format!("/kubepods/pod1/{ID}").as_bytes(), -997);
        assert!(method.about.iter().any(|it| it.contains("this one is Guaranteed")), "{method:?}");
    }

    #[test]
    fn a_hostile_name_gets_into_no_command() {
        for path in [
            &b"/system.slice/a b;rm -rf $HOME.service"[..],
            b"/system.slice/x\n[Service]\nExecStart=y.service",
            b"/system.slice/'quoted'.service",
            b"/lxc/$(reboot)",
            b"/machine.slice/systemd-nspawn@`id`.service",
        ] {
            let all = methods_of(path, 5);
            assert_eq!(all.len(), 2, "only what needs no name: {all:?}");
        }
        let process = Process::default();
        let all = methods(&process, Adj(5), Some("sh -c 'a; b' $X"), &Snapshot::default());
        assert!(all.iter().any(|method| method.text == "choom -n 5 -- COMMAND"), "{all:?}");
    }
}
