//! Any bytes as a kernel log: its reports, their rankings, and both as text and JSON.

#![no_main]

use doomtop::events::KernelLogReader;
use doomtop::policy::POLICIES;
use doomtop::report::explain::{DumpContext, ExplainedReport};
use doomtop::report::line::TextStyle;
use doomtop_fuzz::{bounded, harmless, harmless_bytes, judge};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| bounded(|| explain(data)));

fn explain(data: &[u8]) {
    // The first byte chooses the policy; without a match it is that of the kernel in the report.
    let Some((&first, log)) = data.split_first() else { return };
    let policy = POLICIES.get(usize::from(first)).copied();
    let mut reader = KernelLogReader::default();
    for line in log.split_inclusive(|&byte| byte == b'\n') {
        reader.take(&String::from_utf8_lossy(line));
    }
    let reports = reader.finish();
    let context = DumpContext::of(&reports);
    for report in reports.iter().take(8) {
        let explained = ExplainedReport::new(report, &context, policy);
        let mut out = Vec::new();
        let style = TextStyle { cut: (first % 2 == 0).then_some(80), ascii: first % 3 == 0 };
        let written = explained.write(&mut out, usize::from(first), style);
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
