//! What a cgroup is to its user: a container, a pod, a unit of systemd. Container runtimes put the id of a container,
//! of up to 64 digits, into the name.

/// What a cgroup is by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CgroupName<'a> {
    /// A container, and the pod of Kubernetes that it is in.
    Container {
        /// Its id or name.
        id: &'a str,
        /// The id of the pod.
        pod: Option<&'a str>,
    },
    /// A pod of Kubernetes, by its id.
    Pod(&'a str),
    /// A virtual machine of systemd-machined.
    Machine(&'a str),
    /// All processes of a user, by the uid.
    User(&'a str),
    /// A unit of systemd.
    Unit(&'a str),
    /// Anything else, by its path.
    Other(&'a str),
}

/// What the names of containers begin with.
const RUNTIMES: [&str; 5] = ["cri-containerd-", "docker-", "crio-", "libpod-", "nerdctl-"];

fn is_hex(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// The id of a pod by the name of its cgroup.
fn pod_id(name: &str) -> Option<&str> {
    let name = name.strip_suffix(".slice").unwrap_or(name);
    let id = name.strip_prefix("pod").or_else(|| Some(name.rsplit_once("-pod")?.1))?;
    (!id.is_empty()).then_some(id)
}

impl<'a> CgroupName<'a> {
    /// Recognises a path.
    #[must_use]
    pub fn of(path: &'a str) -> Self {
        let leaf = path.trim_end_matches('/').rsplit('/').next().unwrap_or(path);
        let bare = leaf.strip_suffix(".scope").unwrap_or(leaf);
        let of_runtime = RUNTIMES.iter().find_map(|runtime| bare.strip_prefix(runtime));
        let of_runtime = of_runtime.filter(|id| is_hex(id));
        if path.contains("kubepods") {
            if let Some(id) = pod_id(leaf) {
                return Self::Pod(id);
            }
            if let Some(pod) = path.rsplit('/').find_map(pod_id) {
                return Self::Container { id: of_runtime.unwrap_or(bare), pod: Some(pod) };
            }
        }
        let is_below = ["/docker/", "/libpod_parent/", "/lxc/"].iter().any(|it| path.contains(it));
        let named = bare.strip_prefix("lxc.payload.");
        let plain = Some(bare).filter(|_| is_below || leaf.len() == 64 && is_hex(leaf));
        if let Some(id) = of_runtime.or(named).or(plain) {
            return Self::Container { id, pod: None };
        }
        if leaf.starts_with("machine-") || path.contains("/machine/") {
            return Self::Machine(leaf);
        }
        let user = leaf.strip_prefix("user-").and_then(|it| it.strip_suffix(".slice"));
        match user {
            Some(uid) => Self::User(uid),
            None if [".service", ".scope", ".slice"].iter().any(|it| leaf.ends_with(it)) => {
                Self::Unit(leaf)
            }
            None => Self::Other(path),
        }
    }
}
