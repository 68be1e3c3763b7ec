//! What the settings name: the file of a policy, that of adj rules, and a scope. A fault in one of them is found where
//! the settings are checked, not only when it is used.

use std::path::Path;
use std::sync::Arc;

use super::values::ConfigValues;
use crate::model::{CgroupNeeds, Domain, DomainKind, Scope, Snapshot};
use crate::sample::cgroup::tree_reader::CgroupReader;
use crate::sample::machine::host;
use crate::sample::proc_root::ProcRoot;
use crate::shell::command::arg::PolicyArg;
use crate::shell::config_file::trust;
use crate::shell::rule_file::{compile_adj_rules, compile_policy, shown};
use crate::units::Millis;

/// Faults in the files that the settings name, one line each, with the place of the setting.
pub(crate) fn faults(config: &ConfigValues) -> Vec<String> {
    let policy = match &config.policy {
        Some(PolicyArg::Site(file)) => compile_policy(file).err(),
        _ => None,
    };
    let rules = config.adj_rules.as_deref().and_then(rules_faults);
    let mut lines = Vec::new();
    for (name, faults) in [("policy", policy), ("adj_rules", rules)] {
        let faults = faults.unwrap_or_default();
        lines.extend(faults.iter().map(|fault| format!("{}: {fault}", place(config, name))));
    }
    lines
}

fn rules_faults(file: &Path) -> Option<Vec<String>> {
    match trust::check(file) {
        Ok(()) => compile_adj_rules(file).err(),
        Err(why) => Some(vec![format!("{}: the file is ignored: {why}", shown(file))]),
    }
}

/// What is said where the scope of the settings is not on this machine now. It may come: a service may not run yet.
pub(crate) fn absent_scope(config: &ConfigValues) -> Option<String> {
    let scope = config.scope.as_ref().filter(|scope| !matches!(scope, Scope::Auto | Scope::Global));
    let scope = scope?;
    let root = Arc::new(ProcRoot::open("/proc").ok()?);
    let mut cgroups = CgroupReader::new(Arc::clone(&root));
    cgroups.read(CgroupNeeds::Everything, Millis::ZERO);
    let machine = Arc::new(host::machine(&root));
    let now = Snapshot { machine, cgroups: Arc::clone(cgroups.last()), ..Snapshot::default() };
    let domain = Domain::of(scope, &now);
    let is_gone = domain.kind == DomainKind::Gone;
    is_gone
        .then(|| format!("{}: {} is not on this machine now", place(config, "scope"), domain.name))
}

/// `config.toml:3:9: policy`.
fn place(config: &ConfigValues, name: &str) -> String {
    match config.places.get(name) {
        Some(place) => format!("{place}: {name}"),
        None => name.to_owned(),
    }
}
