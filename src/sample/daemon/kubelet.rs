//! The kubelet: the eviction thresholds of its configuration file, and those of its command line, which take
//! precedence.

use crate::model::{KillerOptions, KillerPresence, KubeletOptions};
use crate::sample::daemon::search::{FileSearch, text};
use crate::sample::parse;

pub(crate) const COMM: &str = "kubelet";

const PROGRAMS: &[&str] = &["usr/bin/kubelet", "usr/local/bin/kubelet"];

/// The configuration of kubeadm.
const FILE: &str = "var/lib/kubelet/config.yaml";

pub(crate) fn read(search: &FileSearch<'_>) -> KillerOptions<KubeletOptions> {
    let mut killer = search.defaults::<KubeletOptions>(COMM, PROGRAMS);
    if killer.found == KillerPresence::Absent {
        return killer;
    }
    let running = search.running(COMM);
    let named = running.and_then(|it| it.value_of("--config"));
    let place = named.as_deref().unwrap_or(FILE).trim_start_matches('/');
    if let Some(bytes) = search.file(place) {
        killer.from.push(text(&format!("/{place}")));
        killer.options = parse::kubelet_config(&bytes);
    }
    let flag = |name: &str| running.and_then(|it| it.value_of(name));
    let flags =
        [flag("--eviction-hard"), flag("--eviction-soft"), flag("--eviction-soft-grace-period")];
    if let Some(running) = running.filter(|_| flags.iter().any(Option::is_some)) {
        killer.from.push(text(&format!("/proc/{}/cmdline", running.pid)));
    }
    parse::kubelet_flags(&mut killer.options, flags.each_ref().map(Option::as_deref));
    killer
}
