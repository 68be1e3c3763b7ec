//! nohang, with either of the two configurations that it ships.

use crate::model::{KillerOptions, KillerPresence, NohangOptions};
use crate::sample::daemon::search::{Search, text};
use crate::sample::parse;

pub(crate) const COMM: &str = "nohang";

const PROGRAMS: &[&str] = &["usr/sbin/nohang", "usr/bin/nohang", "usr/local/sbin/nohang"];

/// Which configuration: `nohang.service` and `nohang-desktop.service` run the same program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Config {
    Server,
    Desktop,
}

impl Config {
    fn file(self) -> &'static str {
        match self {
            Self::Server => "etc/nohang/nohang.conf",
            Self::Desktop => "etc/nohang/nohang-desktop.conf",
        }
    }

    fn defaults(self) -> NohangOptions {
        match self {
            Self::Server => NohangOptions::default(),
            Self::Desktop => NohangOptions::desktop(),
        }
    }

    /// The configuration that a running nohang uses: that of `--config`, by the name of the file.
    fn of_path(path: Option<&String>) -> Self {
        if path.is_some_and(|path| path.contains("desktop")) { Self::Desktop } else { Self::Server }
    }
}

pub(crate) fn read(search: &Search<'_>, config: Config) -> KillerOptions<NohangOptions> {
    let path = search.running(COMM).and_then(|running| running.value_after(["--config", "-c"]));
    let is_used = Config::of_path(path.as_ref()) == config;
    let presence = search.presence(COMM, PROGRAMS);
    let found = match presence {
        KillerPresence::Running(_) if !is_used => KillerPresence::Installed,
        found => found,
    };
    let mut killer =
        KillerOptions { found, options: config.defaults(), ..KillerOptions::default() };
    if found == KillerPresence::Absent {
        return killer;
    }
    let place = match &path {
        Some(path) if is_used => path.trim_start_matches('/'),
        _ => config.file(),
    };
    if let Some(bytes) = search.file(place) {
        killer.from.push(text(&format!("/{place}")));
        (killer.options, killer.remarks) = parse::nohang_conf(&bytes);
    }
    killer.options.up_to_0_2 = search.version("nohang").is_some_and(|it| it <= (0, 2));
    killer
}
