//! Processes that wait and are not killed: their mark, and the words for it.

use std::sync::Arc;

use doomtop::model::{
    Cgroup, Cgroups, Hierarchy, Limit, Process, Reading, RunState, Snapshot, Text,
};
use doomtop::ui::Theme;
use doomtop::units::{Bytes, Millis};

use crate::fixtures::{paint, text};
use crate::stage::{Player, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

/// The usual processes, of which java is in this cgroup.
fn with(group: Cgroup) -> Snapshot {
    let mut sample = usual();
    let java = sample.processes.iter_mut().find(|it| it.comm.bytes() == b"java").expect("java");
    java.cgroup = Reading::Value(Arc::clone(&group.path));
    let hierarchy = Reading::Value(Hierarchy::V2);
    sample.cgroups = Arc::new(Cgroups { hierarchy, list: vec![group], ..Cgroups::default() });
    sample
}

fn group() -> Cgroup {
    let usage = Reading::Value(Bytes(500 << 20));
    Cgroup { path: Arc::new(Text::new(b"/web")), usage, ..Cgroup::default() }
}

/// The line of java in the table, and the page that explains it.
fn shown(mut player: Player) -> (String, String) {
    let pid = player.app.scene.as_ref().and_then(|scene| {
        scene.now().processes.iter().find(|it| it.comm.bytes() == b"java").map(|it| it.id.pid)
    });
    let pid = pid.expect("java").to_string();
    let table = text(&paint(&mut player.app, FULL, 120, 40).0);
    let is_row = |line: &&str| {
        let begins = line.trim_start().starts_with(|c: char| c.is_ascii_digit());
        begins && line.contains(&pid) && line.contains("java")
    };
    let line = table.lines().find(is_row).map(str::to_owned);
    player.play(&format!("{pid}<Esc>"));
    player.draw();
    player.play("<Enter>");
    (line.unwrap_or(table), text(&paint(&mut player.app, FULL, 120, 60).0))
}

#[test]
fn a_process_in_a_cgroup_that_stalls_is_marked_and_explained() {
    let high = Reading::Value(Limit::At(Bytes(400 << 20)));
    for (group, words) in [
        (
            Cgroup { high, ..group() },
            "/web: throttled at memory.high: stalled, no process is killed",
        ),
        (
            Cgroup { frozen: Reading::Value(true), ..group() },
            "/web: frozen: its tasks wait until it is thawed, no process is killed",
        ),
    ] {
        let mut player = Player::on(with(group));
        player.draw();
        let (line, page) = shown(player);
        assert!(line.contains('~'), "{line}");
        assert!(page.contains(words), "{page}");
    }
    let mut player = Player::on(with(group()));
    player.draw();
    let (line, page) = shown(player);
    assert!(!line.contains('~') && !page.contains("stalled  "), "{line}\n{page}");
}

#[test]
fn a_process_that_sleeps_in_the_kernel_is_marked_after_a_while() {
    let asleep = |second: u64| {
        let mut sample = with(group());
        let java = sample.processes.iter_mut().find(|it| it.comm.bytes() == b"java");
        java.expect("java").state = RunState('D');
        sample.clock.monotonic_ms = Millis(sample.clock.monotonic_ms.0 + second * 1000);
        sample
    };
    let mut player = Player::on(asleep(0));
    player.sample(asleep(2));
    player.draw();
    let (line, _) = shown(player);
    assert!(!line.contains('~'), "not for long: {line}");
    let mut player = Player::on(asleep(0));
    player.sample(asleep(2));
    player.sample(asleep(7));
    player.draw();
    let (line, page) = shown(player);
    assert!(line.contains('~'), "{line}");
    assert!(page.contains("in uninterruptible sleep (D) for 7 s without running"), "{page}");
}

#[test]
fn the_first_is_marked_as_stalled_only_where_nobody_is_killed() {
    let first = |sample: &mut Snapshot, change: &dyn Fn(&mut Process)| {
        let chrome = sample.processes.iter_mut().find(|it| it.comm.bytes() == b"chrome");
        change(chrome.expect("chrome"));
    };
    let all = |sample: Snapshot| {
        let mut player = Player::on(sample);
        player.draw();
        text(&paint(&mut player.app, FULL, 140, 40).0)
    };
    let mut sample = usual();
    let frozen = Cgroup { frozen: Reading::Value(true), ..group() };
    let path = Arc::clone(&frozen.path);
    first(&mut sample, &|process| process.cgroup = Reading::Value(Arc::clone(&path)));
    let hierarchy = Reading::Value(Hierarchy::V2);
    sample.cgroups = Arc::new(Cgroups { hierarchy, list: vec![frozen], ..Cgroups::default() });
    let table = all(sample);
    assert!(table.contains("~ stalled") && !table.contains("^ first"), "{table}");
    let mut sample = usual();
    first(&mut sample, &|process| process.state = RunState('D'));
    let mut later = sample.clone();
    later.clock.monotonic_ms = Millis(later.clock.monotonic_ms.0 + 9000);
    let mut player = Player::on(sample);
    player.sample(later);
    player.draw();
    let table = text(&paint(&mut player.app, FULL, 140, 40).0);
    assert!(table.contains("^ first") && !table.contains("~ stalled"), "{table}");
}
