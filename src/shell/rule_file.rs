//! Rule files: site policies and adj rules as text, compiled, or every fault in them.

use std::collections::BTreeMap;
use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

use crate::model::Text;
use crate::policy::site::{AdjRules, Diagnostic, LARGEST, Location, SiteRule};

/// What a file compiles to, and the text that it was compiled from.
type Compiled<T> = Result<(T, String), Vec<String>>;

/// Reads and compiles a site policy.
///
/// # Errors
/// Why the file cannot be read, or every fault in it, one line each.
pub(crate) fn compile_policy(path: &Path) -> Compiled<SiteRule> {
    compile(path, SiteRule::compile)
}

/// Reads and compiles adj rules.
///
/// # Errors
/// As [`compile_policy`].
pub(crate) fn compile_adj_rules(path: &Path) -> Compiled<Arc<AdjRules>> {
    compile(path, |text, users| AdjRules::compile(text, users).map(Arc::new))
}

type Users = Arc<BTreeMap<u32, Text>>;

fn compile<T>(
    path: &Path,
    compile: impl FnOnce(&str, Users) -> Result<T, Vec<Diagnostic>>,
) -> Compiled<T> {
    let text = read(path).map_err(|what| vec![format!("{}{what}", path.display())])?;
    let line = |fault: &Diagnostic| format!("{}:{fault}", path.display());
    match compile(&text, Arc::new(users())) {
        Ok(compiled) => Ok((compiled, text)),
        Err(faults) => Err(faults.iter().map(line).collect()),
    }
}

/// The name of a file, made harmless.
pub(crate) fn shown(path: &Path) -> String {
    crate::model::neutral(path.display().to_string().as_bytes())
}

/// The text of a file. Opening it never blocks on a pipe, and no more is read than a rule file may hold.
///
/// # Errors
/// Why it cannot be read; it follows the path without a space.
pub(crate) fn read(path: &Path) -> Result<String, String> {
    let fails = |error: io::Error| format!(": {error}");
    let flags = nix::libc::O_NONBLOCK | nix::libc::O_NOCTTY;
    let file = OpenOptions::new().read(true).custom_flags(flags).open(path).map_err(fails)?;
    if !file.metadata().map_err(fails)?.is_file() {
        return Err(": not a regular file with TOML text".to_owned());
    }
    let mut bytes = Vec::new();
    file.take(LARGEST as u64 + 1).read_to_end(&mut bytes).map_err(fails)?;
    String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let before = String::from_utf8_lossy(&error.as_bytes()[..good]);
        format!(":{}: not UTF-8 text", Location::of(&before, good))
    })
}

/// The users of `/etc/passwd`. Read by hand: the C library would also ask a directory server, which could
/// delay the ranking.
fn users() -> BTreeMap<u32, Text> {
    let mut text = String::new();
    let file = File::open("/etc/passwd").ok();
    let whole = file.and_then(|file| file.take(1 << 22).read_to_string(&mut text).ok());
    let mut users = BTreeMap::new();
    for line in text.lines().filter(|_| whole.is_some()) {
        let mut fields = line.split(':');
        let (name, uid) = (fields.next(), fields.nth(1).and_then(|uid| uid.parse().ok()));
        if let (Some(name), Some(uid)) = (name, uid) {
            users.entry(uid).or_insert_with(|| Text::new(name.as_bytes()));
        }
    }
    users
}
