//! Commands that change the limit of a memory cgroup: for systemd, docker, or the file itself.

use crate::units::Kib;

/// A quarter more than a limit, in whole MiB.
pub(crate) fn a_quarter_more(limit: Kib) -> Kib {
    let more = limit.0.saturating_add(limit.0 / 4);
    Kib(more.div_ceil(1024).saturating_mul(1024))
}

/// Whether a path is safe in a shell without quotes, and the same outside a cgroup namespace.
fn is_plain(path: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/:-_.@".contains(&byte);
    path.starts_with('/') && path.bytes().all(plain) && !path.contains("/..")
}

/// The last component of a path, if it is a unit of systemd and not one that a container engine made.
fn unit(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let of_engine = ["docker-", "libpod-", "crio-", "cri-containerd-", "kubepods"]
        .iter()
        .any(|engine| name.starts_with(engine));
    let is_unit = [".service", ".scope", ".slice"].iter().any(|end| name.ends_with(end));
    (is_unit && !of_engine && is_plain(path)).then_some(name)
}

/// The command that sets a property of the unit of this path.
pub(crate) fn of_unit(path: &str, property: &str, value: &str) -> Option<String> {
    let name = unit(path)?;
    // Units below user@UID.service belong to the systemd of that user.
    let above = &path[..path.len() - name.len()];
    let user = if above.contains("/user@") { " --user" } else { "" };
    Some(format!("systemctl{user} set-property {name} {property}={value}"))
}

/// The short id of a docker container.
fn docker(path: &str) -> Option<&str> {
    let name = path.rsplit('/').next()?;
    let id = name
        .strip_prefix("docker-")
        .and_then(|it| it.strip_suffix(".scope"))
        .or_else(|| path.strip_suffix(name)?.ends_with("/docker/").then_some(name))?;
    (id.len() >= 12 && id.bytes().all(|byte| byte.is_ascii_hexdigit())).then(|| &id[..12])
}

/// The command that writes to a file of the cgroup. The root has no such file.
pub(crate) fn write(path: &str, file: &str, value: &str) -> Option<String> {
    // Version 1 has a hierarchy for each controller.
    let top =
        if file.ends_with("limit_in_bytes") { "/sys/fs/cgroup/memory" } else { "/sys/fs/cgroup" };
    (is_plain(path) && path != "/" && !path.contains("kubepods"))
        .then(|| format!("echo {value} > {top}{path}/{file}"))
}

/// The command by which oomd kills a cgroup after others.
pub(crate) fn avoid_by_oomd(path: &str) -> Option<String> {
    (is_plain(path) && path != "/")
        .then(|| format!("setfattr -n trusted.oomd_avoid -v 1 /sys/fs/cgroup{path}"))
}

/// The command that raises the limit in `file` of a cgroup; `None` where another tool would undo it or the
/// path cannot be written safely.
pub(crate) fn command(path: &str, file: &str, limit: Kib) -> Option<String> {
    let mib = limit.0 / 1024;
    if let Some(id) = docker(path) {
        return Some(format!("docker update --memory {mib}m --memory-swap {}m {id}", mib * 2));
    }
    let property = match file {
        "memory.max" => Some("MemoryMax"),
        "memory.limit_in_bytes" => Some("MemoryLimit"),
        _ => None,
    };
    let by_systemd = property.and_then(|it| of_unit(path, it, &format!("{mib}M")));
    by_systemd.or_else(|| write(path, file, &format!("{mib}M")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_owner_has_its_own_command() {
        let limit = a_quarter_more(Kib(190 << 10));
        assert_eq!(limit, Kib(238 << 10));
        let id = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
        for (path, file, command_line) in [
            ("/shop/web", "memory.max", "echo 238M > /sys/fs/cgroup/shop/web/memory.max"),
            (
                "/shop/web",
                "memory.limit_in_bytes",
                "echo 238M > /sys/fs/cgroup/memory/shop/web/memory.limit_in_bytes",
            ),
            (
                "/system.slice/web.service",
                "memory.max",
                "systemctl set-property web.service MemoryMax=238M",
            ),
            (
                "/user.slice/user-1000.slice/user@1000.service/app.slice/web.service",
                "memory.max",
                "systemctl --user set-property web.service MemoryMax=238M",
            ),
            (
                &format!("/system.slice/docker-{id}.scope"),
                "memory.max",
                "docker update --memory 238m --memory-swap 476m 0123456789ab",
            ),
            (
                &format!("/docker/{id}"),
                "memory.limit_in_bytes",
                "docker update --memory 238m --memory-swap 476m 0123456789ab",
            ),
        ] {
            assert_eq!(command(path, file, limit).as_deref(), Some(command_line), "{path}");
        }
    }

    #[test]
    fn no_command_where_it_would_not_do_what_it_says() {
        for path in
            ["/", "/../a", "/a b", "/a;reboot", "/a$(b)", "/kubepods/burstable/pod1/c1", "a"]
        {
            assert_eq!(command(path, "memory.max", Kib(1024)), None, "{path}");
        }
    }
}
