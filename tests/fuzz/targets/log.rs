//! Any bytes as a kernel log: reports, their rankings, what is told of them as text and as JSON.

#![no_main]

use doomtop::events::Reader;
use doomtop::policy::POLICIES;
use doomtop::report::explain::{Common, Explained};
use doomtop::report::text::Manner;
use doomtop_fuzz::{bounded, harmless, harmless_bytes, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bounded(|| explain(data)));

fn explain(data: &[u8]) {
    // The first byte says by whose rule, or that of the report's own kernel.
    let Some((&first, log)) = data.split_first() else { return };
    let policy = POLICIES.get(usize::from(first)).copied();
    let mut reader = Reader::default();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        reader.take(&String::from_utf8_lossy(line));
    }
    let reports = reader.finish();
    let common = Common::of(&reports);
    for report in reports.iter().take(8) {
        let explained = Explained::new(report, &common, policy);
        let mut out = Vec::new();
        let manner = Manner { cut: (first % 2 == 0).then_some(80), ascii: first % 3 == 0 };
        let written = explained.write(&mut out, usize::from(first), manner);
        assert!(written.is_ok(), "a vector takes everything");
        harmless_bytes(&out);
        harmless(&explained.json().to_string());
    }
    if first % 16 == 15
        && let Some(post) = reports.first().and_then(|it| doomtop::events::reconstruct(it, None))
    {
        let snapshot = std::sync::Arc::new(post.snapshot);
        judge(&doomtop::model::Scene::scoped(snapshot, None, post.scope));
    }
}
