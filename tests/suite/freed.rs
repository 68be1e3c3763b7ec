//! What a kill would free: on the page that explains a process, and in the column of the table.

use std::sync::Arc;

use doomtop::app::Msg;
use doomtop::columns::{CommandStyle, RowContext, SizeUnit, column};
use doomtop::model::{MemoryBreakdown, Names, Reading, Scene, ZramSwap};
use doomtop::policy::LINUX;
use doomtop::rank::Ranking;
use doomtop::ui::Theme;
use doomtop::units::{Kib, Pages};

use crate::fixtures::{paint, text};
use crate::stage::{Player, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

#[test]
fn the_page_that_explains_a_process_measures_what_a_kill_frees() {
    let mut player = Player::on(usual());
    player.draw();
    player.play("<Enter>");
    let id = player.app.selected().expect("a process").id;
    assert_eq!(player.app.wanted_breakdowns(), [id]);
    assert!(player.app.wanted_breakdowns().is_empty(), "it is asked for once");
    let mib = |mib: u64| Kib(mib << 10);
    let breakdown = MemoryBreakdown {
        private: mib(40),
        anonymous: mib(900),
        shared: mib(1024),
        swap: mib(8),
        ..MemoryBreakdown::default()
    };
    player.app.update(Msg::Breakdowns(vec![(id, Reading::Value(breakdown))]));
    let shown = text(&paint(&mut player.app, FULL, 120, 60).0);
    for part in [
        "about 48M: 40M in memory, 8M in swap",
        "! little: 1.00G of what it holds is shared memory and files, which",
    ] {
        assert!(shown.contains(part), "{part}:\n{shown}");
    }
    player.play("<Esc>");
    assert!(player.app.wanted_breakdowns().is_empty(), "on the table it is not read");
}

#[test]
fn the_column_counts_what_a_kill_frees() {
    let mut sample = usual();
    let id = sample.processes[0].id;
    sample.processes[0].anon = Reading::Value(Pages(25_600));
    sample.processes[0].swap = Reading::Value(Pages(25_600));
    sample.swap.total_kib = Kib(400 << 10);
    sample.swap.free_kib = Kib(200 << 10);
    let zram =
        ZramSwap { stored_kib: Kib(200 << 10), used_kib: Kib(50 << 10), ..ZramSwap::default() };
    sample.swap.zram = Some(zram);
    let scene = Scene::new(Arc::new(sample), None);
    let ranking = Ranking::new(&LINUX, &scene);
    let context = RowContext {
        scene: &scene,
        policy: &LINUX,
        ranking: &ranking,
        names: &Names::default(),
        scale: SizeUnit::Auto,
        command: CommandStyle::Name,
    };
    let column = column("frees").expect("a column");
    let at = scene.now().position(id.pid).expect("a process");
    let row = context.row(at).expect("a row");
    let mut cell = String::new();
    (column.cell)(&row, &mut cell);
    assert_eq!(cell, "125M", "100M of memory, and a quarter of 100M on zram");
    assert_eq!(column.min_width, u16::MAX, "it is shown on request");
}
