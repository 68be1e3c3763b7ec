//! earlyoom: its options are those of its command line, or of `/etc/default/earlyoom`.

use crate::model::{EarlyoomOptions, KillerOptions, KillerPresence};
use crate::sample::daemon::search::{Search, text};
use crate::sample::parse;

pub(crate) const COMM: &str = "earlyoom";

const PROGRAMS: &[&str] = &["usr/bin/earlyoom", "usr/local/bin/earlyoom", "bin/earlyoom"];

/// The options of the packaged service.
const FILE: &str = "etc/default/earlyoom";

pub(crate) fn read(search: &Search<'_>) -> KillerOptions<EarlyoomOptions> {
    let mut killer = search.defaults::<EarlyoomOptions>(COMM, PROGRAMS);
    if killer.found == KillerPresence::Absent {
        return killer;
    }
    let args = match search.running(COMM).filter(|it| !it.args.is_empty()) {
        Some(running) => {
            killer.from.push(text(&format!("/proc/{}/cmdline", running.pid)));
            Some(running.args[1..].to_vec())
        }
        None => search.file(FILE).map(|bytes| {
            killer.from.push(text(&format!("/{FILE}")));
            parse::words(&parse::assigned(&bytes, "EARLYOOM_ARGS").unwrap_or_default())
        }),
    };
    (killer.options, killer.remarks) = parse::earlyoom_args(&args.unwrap_or_default());
    killer.options.before_1_8 = search.version("earlyoom").is_some_and(|it| it < (1, 8));
    killer
}
