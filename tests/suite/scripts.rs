//! Key scripts: what is typed, and what the world is asked for.

use doomtop::app::keymap::bindings::{KEYS, Key, KeyCode, KeyContext, keys_of};
use doomtop::app::mode::Mode;
use doomtop::app::{ActingMode, Msg, Request, Setup};
use doomtop::intent::{ConfirmedBy, Expedite, FreeMemory, Intent, Outcome, Refusal};
use doomtop::model::{ProcId, Reading, Signal};
use doomtop::policy::LINUX_2_4;
use doomtop::rows::filter::Filter;
use doomtop::units::{Adj, Kib, Millis, Pages, Ticks};
use proptest::prelude::*;

use crate::stage::{Player, cast, machine, process, setup, usual};

fn id(pid: i32) -> ProcId {
    process(pid, "", 0).id
}

fn adj(pid: i32, name: &str, from: i16, to: i16) -> Request {
    let (from, to) = (Adj(from), Adj(to));
    Request::Act(Intent::SetAdj { who: id(pid), name: name.to_owned(), from, to, revert: false })
}

fn signal(pid: i32, name: &str, signal: Signal, consent: ConfirmedBy) -> Request {
    let (who, name, steps) = (id(pid), name.to_owned(), Expedite::usual(signal));
    Request::Act(Intent::Signal { who, name, signal, consent, steps })
}

#[test]
fn the_cursor_begins_on_the_victim_and_stays_there_until_it_is_moved() {
    let mut player = Player::on(usual());
    assert_eq!(player.pids()[..3], [500, 600, 400]);
    assert_eq!(player.cursor(), Some(500));
    let mut grown = cast();
    grown[7].rss_stat = Pages(600_000);
    player.sample(machine(1_000_000, doomtop::model::ScoreScale::Signed, grown));
    assert_eq!(player.cursor(), Some(600), "rank 1, whoever that is");
    player.play("<Down>");
    assert_eq!(player.cursor(), Some(500));
    player.wait(5000);
    player.sample(usual());
    assert_eq!(player.cursor(), Some(500), "from now on it follows the process");
}

#[test]
fn a_number_is_written_only_by_enter() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("a-250<Enter>"), [adj(500, "chrome", 300, -250)]);
    let mut player = Player::on(usual());
    assert_eq!(player.play("a50-<Enter>"), [adj(500, "chrome", 300, -50)], "a sign goes in front");
    let mut player = Player::on(usual());
    assert_eq!(player.play("<F7><Enter>"), [adj(500, "chrome", 300, 250)]);
    let mut player = Player::on(usual());
    assert_eq!(player.play("<F8><F8><Up><Enter>"), [adj(500, "chrome", 300, 410)]);
    let mut player = Player::on(usual());
    assert_eq!(player.play("a<Home><Enter>"), [adj(500, "chrome", 300, -1000)]);
}

#[test]
fn escape_leaves_everything_as_it_was() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("a-250<Esc>"), []);
    assert!(matches!(player.app.mode, Mode::Browse));
    assert_eq!(player.play("<F8>q"), []);
    assert_eq!(player.play("a<C-c>"), [], "the first ^C only closes the dialog");
    assert_eq!(player.play("<C-c>"), [Request::Quit { keep: false }]);
}

#[test]
fn what_is_no_number_is_not_written() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("a1500<Enter>"), []);
    assert!(matches!(player.app.mode, Mode::Adjust(_)), "it can be mended");
    assert!(player.notice().contains("-1000 to 1000"), "{}", player.notice());
    assert_eq!(player.play("<BS><BS><Enter>"), [adj(500, "chrome", 300, 15)]);
    assert_eq!(player.play("a300<Enter>"), [], "300 already");
    assert!(player.notice().contains("nothing was written"));
}

#[test]
fn the_legacy_scale_maps_as_the_kernel_does() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("a<Tab>-8<Enter>"), [adj(500, "chrome", 300, -470)]);
    assert_eq!(player.play("a<Tab>15<Enter>"), [adj(500, "chrome", 300, 1000)]);
    assert_eq!(player.play("a<Tab>-18<Enter>"), []);
}

#[test]
fn the_preview_tells_rank_and_victim_before_anything_is_written() {
    let mut player = Player::on(usual());
    player.play("a-1000");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    let preview = edit.previews.own.as_ref().unwrap();
    assert_eq!(preview.rank_before, Some(1));
    assert_eq!(preview.rank_after, None);
    assert_eq!(
        preview.victim.as_ref().map(|(id, name)| (id.pid, name.as_str())),
        Some((600, "java"))
    );
    assert!(!preview.victim_stays);
    assert!(edit.warning.is_some_and(|warning| warning.contains("CAP_SYS_RESOURCE")));
}

#[test]
fn the_kernels_own_rule_is_asked_beside_the_chosen_one() {
    let mut player = Player::with(Setup { policy: &LINUX_2_4, ..setup() }, usual());
    player.play("500a-1000");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    let (own, kernel) = (edit.previews.own.as_ref(), edit.previews.kernel.as_ref());
    let (own, kernel) = (own.unwrap(), kernel.unwrap());
    assert_eq!((own.policy, kernel.policy), ("linux-2.4", "linux"));
    assert!(own.is_idle() && !own.knows_adj, "2.4 had no adj");
    assert_eq!((kernel.rank_before, kernel.rank_after), (Some(1), None));
    assert!(!own.agrees(kernel));
    assert_eq!(edit.proposals.policy, "linux", "who knows adj proposes it");

    let mut player = Player::on(usual());
    player.play("a0");
    let Mode::Adjust(edit) = &player.app.mode else { panic!("the editor is open") };
    assert_eq!(edit.previews.kernel, None, "it is the chosen one");
}

#[test]
fn a_sacrifice_needs_its_y() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("Xy"), [signal(500, "chrome", Signal::KILL, ConfirmedBy::Plain)]);
    for script in ["X<Esc>y", "Xn", "X<Enter>", "XY", "X<Space>y<Esc>", "Xq"] {
        let mut player = Player::on(usual());
        let asked = player.play(script);
        let acts = asked.iter().filter(|request| matches!(request, Request::Act(_))).count();
        let expected = usize::from(script == "X<Space>y<Esc>");
        assert_eq!(acts, expected, "{script}: {asked:?}");
    }
}

#[test]
fn whoever_drives_hardware_is_asked_first() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("400Xy"), [signal(400, "Xorg", Signal::TERM, ConfirmedBy::Plain)]);
    assert_eq!(player.play("400Xsy"), [signal(400, "Xorg", Signal::KILL, ConfirmedBy::Plain)]);
}

#[test]
fn the_dialog_can_turn_to_the_predicted_victim() {
    let mut player = Player::on(usual());
    player.play("600X");
    // The new dialog has to be seen, too.
    assert_eq!(player.play("vy"), [signal(500, "chrome", Signal::KILL, ConfirmedBy::Plain)]);
}

#[test]
fn type_ahead_confirms_nothing() {
    let mut player = Player::on(usual());
    player.play("X");
    let at = player.now;
    assert_eq!(player.key_at(Key::char('y'), at + 399), [], "typed before anybody could read it");
    assert!(matches!(player.app.mode, Mode::Signal(_)));
    assert_eq!(player.key_at(Key::char('y'), at + 500).len(), 1);

    let mut player = Player::on(usual());
    player.app.update(Msg::Key(Key::char('X'), Millis(20_000)));
    let asked = player.app.update(Msg::Key(Key::char('y'), Millis(90_000)));
    assert_eq!(asked, [], "a dialog that was never drawn was never seen");
}

#[test]
fn a_dialog_that_did_not_fit_confirms_nothing() {
    for script in ["X", "a5", "r"] {
        let mut player = Player::on(usual());
        player.app.update(Msg::Outcome(Outcome::AdjSet {
            who: id(500),
            name: "chrome".to_owned(),
            before: Adj(0),
            now: Adj(300),
            revert: false,
        }));
        for key in crate::stage::keys(script) {
            player.now += 1000;
            player.app.update(Msg::Key(key, Millis(player.now)));
            player.draw_with(false);
        }
        for key in crate::stage::keys("y<Enter>") {
            player.now += 1000;
            let asked = player.app.update(Msg::Key(key, Millis(player.now)));
            assert_eq!(asked, [], "{script}: nobody could read what was asked");
            player.draw_with(false);
        }
    }
    // Seen, then covered (a stop, a smaller terminal): it has to be seen again.
    let mut player = Player::on(usual());
    player.play("X");
    player.draw_with(false);
    player.draw();
    let at = player.now;
    assert_eq!(player.key_at(Key::char('y'), at + 100), []);
    assert_eq!(player.key_at(Key::char('y'), at + 500).len(), 1);
}

/// Some terminals paste as if it were typed: on a serial line, on the console.
#[test]
fn what_is_pasted_as_keys_confirms_nothing() {
    for text in [
        "[   12.3] usb 1-1: new device\n[   12.4] usb 1-1: config\n",
        "Xorg foo bar foo bar foo bar my my my",
        "a-1000\n",
        "k\nyyyy",
        "r\n\n\n",
    ] {
        let mut player = Player::on(usual());
        player.app.update(Msg::Outcome(Outcome::AdjSet {
            who: id(500),
            name: "chrome".to_owned(),
            before: Adj(0),
            now: Adj(300),
            revert: false,
        }));
        // A character a millisecond, long enough for any dialog to have been in view.
        for c in text.chars().cycle().take(2000) {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            player.now += 1;
            let asked = player.app.update(Msg::Key(Key::plain(code), Millis(player.now)));
            let acts = asked.iter().any(|request| matches!(request, Request::Act(_)));
            assert!(!acts, "{text:?}: {asked:?}");
            player.draw();
        }
    }
}

#[test]
fn a_pasted_pid_is_gone_to() {
    let mut player = Player::on(usual());
    player.app.update(Msg::Paste(" 600\n".to_owned()));
    assert_eq!(player.cursor(), Some(600));
    player.app.update(Msg::Paste("X y 500".to_owned()));
    assert_eq!(player.cursor(), Some(600), "anything else is no pid");
}

#[test]
fn until_it_is_moved_the_cursor_is_on_the_victim_in_any_order() {
    for keys in ["N", "I", "t", "M"] {
        let mut player = Player::on(usual());
        player.play(keys);
        assert_eq!(player.cursor(), Some(500), "after {keys}");
    }
}

#[test]
fn a_column_that_is_switched_stays_so_at_any_width() {
    let mut player = Player::on(usual());
    let ids = |player: &Player, width| {
        player.app.columns_on(width).iter().map(|column| column.id).collect::<Vec<_>>()
    };
    assert!(!ids(&player, 80).contains(&"cgroup"));
    player.play("f");
    let at = doomtop::columns::COLUMNS.iter().position(|column| column.id == "cgroup").unwrap();
    for _ in 0..at {
        player.play("<Down>");
    }
    // It stands on the list of 120 cells: off, and on again.
    player.play("<Space><Space><Esc>");
    assert!(ids(&player, 80).contains(&"cgroup"), "{:?}", ids(&player, 80));
    assert!(ids(&player, 200).contains(&"growth"), "the others go by the width as ever");
}

#[test]
fn a_paste_confirms_nothing() {
    let mut player = Player::on(usual());
    player.play("X");
    assert_eq!(player.app.update(Msg::Paste("y\ny".to_owned())), []);
    assert!(matches!(player.app.mode, Mode::Signal(_)));
}

#[test]
fn ancestors_need_the_typed_pid() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("200Xy<Enter>y"), [], "y is not enough for the own shell");
    assert_eq!(player.play("201<Enter>"), []);
    assert_eq!(
        player.play("200<Enter>"),
        [signal(200, "bash", Signal::KILL, ConfirmedBy::TypedPid)]
    );
}

#[test]
fn pid_1_kernel_threads_and_doomtop_itself_are_refused() {
    for (pid, word) in [(1, "pid 1"), (300, "doomtop itself")] {
        let mut player = Player::on(usual());
        assert_eq!(player.play(&format!("{pid}Xy")), []);
        assert!(player.notice().contains(word), "{}", player.notice());
    }
    let mut player = Player::on(usual());
    assert_eq!(player.play("K2X"), []);
    assert!(player.app.mode_is_browse());
    assert!(player.notice().contains("kernel thread"), "{}", player.notice());
    assert_eq!(player.play("2a"), []);
    assert!(player.notice().contains("never be chosen"), "{}", player.notice());
}

#[test]
fn another_signal_goes_by_the_same_dialog() {
    let mut player = Player::on(usual());
    player.play("600k");
    assert!(matches!(player.app.mode, Mode::Menu(_)));
    player.play("<Down><Down><Enter>");
    assert!(matches!(player.app.mode, Mode::Signal(_)));
    assert_eq!(player.play("y"), [signal(600, "java", Signal(2), ConfirmedBy::Plain)]);
}

#[test]
fn read_only_and_recordings_open_no_dialog_at_all() {
    for acting in [ActingMode::ReadOnly, ActingMode::NotReal] {
        let mut player = Player::with(Setup { acting, ..setup() }, usual());
        for script in ["a", "<F7>", "X", "k", "r", "<F9>"] {
            assert_eq!(player.play(script), []);
            assert!(player.app.mode_is_browse(), "{script} under {acting:?}");
            assert!(!player.notice().is_empty());
        }
    }
}

#[test]
fn the_last_change_is_put_back_by_enter() {
    let mut player = Player::on(usual());
    player.play("r");
    assert!(player.notice().contains("nothing was changed"));
    let done = |before, now, revert| {
        let name = "chrome".to_owned();
        Msg::Outcome(Outcome::AdjSet { who: id(500), name, before, now, revert })
    };
    player.app.update(done(Adj(300), Adj(-250), false));
    assert_eq!(player.play("ry"), [], "y is not the key");
    let back = Intent::SetAdj {
        who: id(500),
        name: "chrome".to_owned(),
        from: Adj(-250),
        to: Adj(300),
        revert: true,
    };
    assert_eq!(player.play("<Enter>"), [Request::Act(back)]);
    player.app.update(done(Adj(-250), Adj(300), true));
    player.play("r");
    assert!(player.app.mode_is_browse(), "there is nothing left to put back");
}

#[test]
fn a_change_that_cannot_be_put_back_does_not_stand_in_the_way() {
    let mut player = Player::on(usual());
    let name = |name: &str| name.to_owned();
    for (pid, comm) in [(600, "java"), (500, "chrome")] {
        let (before, now) = (Adj(0), Adj(10));
        player.app.update(Msg::Outcome(Outcome::AdjSet {
            who: id(pid),
            name: name(comm),
            before,
            now,
            revert: false,
        }));
    }
    let asked = player.play("r<Enter>");
    let [Request::Act(intent)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(intent.who(), Some(id(500)));
    let refused = Outcome::Refused { intent: intent.clone(), refusal: Refusal::Gone };
    player.app.update(Msg::Outcome(refused));
    let asked = player.play("r<Enter>");
    let [Request::Act(intent)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(intent.who(), Some(id(600)), "the earlier change");
}

#[test]
fn parents_in_a_circle_hide_nobody() {
    let mut circle = cast();
    for (at, parent) in [(6, 600), (7, 601), (8, 600)] {
        circle[at].parent = parent;
    }
    let mut player = Player::on(machine(1_000_000, doomtop::model::ScoreScale::Signed, circle));
    let mut before = player.pids();
    player.play("t");
    let mut after = player.pids();
    before.sort_unstable();
    after.sort_unstable();
    assert_eq!(before, after);
}

#[test]
fn a_sacrifice_is_followed_to_its_end() {
    let mut player = Player::on(usual());
    let name = || "java".to_owned();
    let (who, signal) = (id(600), Signal::TERM);
    player.app.update(Msg::Outcome(Outcome::Signalled {
        who,
        name: name(),
        signal,
        pinned: true,
        steps: Vec::new(),
    }));
    assert!(player.app.session.journal.is_pending(who));
    let why = "it catches SIGTERM".to_owned();
    let after = Millis(5000);
    player.app.update(Msg::Outcome(Outcome::StillThere { who, name: name(), signal, after, why }));
    assert!(player.notice().contains("still there 5s after SIGTERM"), "{}", player.notice());
    let at = |memory| FreeMemory { memory: Kib(memory), swap: Kib(1 << 20) };
    let (before, now) = (at(1 << 20), at((1 << 20) + (480 << 10)));
    player.app.update(Msg::Outcome(Outcome::Exited {
        who,
        name: name(),
        after: Millis(12),
        held: Kib::ZERO,
        before,
        now,
    }));
    assert!(!player.app.session.journal.is_pending(who));
    assert!(player.notice().contains("gone after 12 ms, about 480M freed"), "{}", player.notice());
}

#[test]
fn a_refusal_is_told_in_words() {
    let mut player = Player::on(usual());
    let Request::Act(intent) = adj(500, "chrome", 300, -1) else { unreachable!() };
    let refusal = Refusal::PidReused;
    player.app.update(Msg::Outcome(Outcome::Refused { intent, refusal }));
    assert!(
        player.notice().contains("500 chrome: its pid belongs to another"),
        "{}",
        player.notice()
    );
}

#[test]
fn digits_jump_at_once_and_any_other_key_keeps_its_meaning() {
    let mut player = Player::on(usual());
    player.play("6");
    assert_eq!(player.cursor(), Some(600));
    player.play("01");
    assert_eq!(player.cursor(), Some(601));
    player.play("<Up>");
    assert!(player.app.mode_is_browse());
    assert_ne!(player.cursor(), Some(601), "the arrow moved");
    player.play("4/");
    assert!(matches!(player.app.mode, Mode::Prompt(_)), "the slash searched");
    player.play("<Esc>9");
    assert!(player.notice().contains("no pid 9"));
}

#[test]
fn a_search_jumps_as_it_is_typed_and_goes_on() {
    let mut player = Player::on(usual());
    player.play("/java");
    assert_eq!(player.cursor(), Some(600));
    player.play("<Enter>n");
    assert_eq!(player.cursor(), Some(601));
    player.play("n");
    assert_eq!(player.cursor(), Some(600), "round the end");
    player.play("<S-F3>");
    assert_eq!(player.cursor(), Some(601));
    player.play("/zzz<Esc>");
    assert_eq!(player.cursor(), Some(601), "escape goes back");
}

#[test]
fn a_filter_narrows_as_it_is_typed() {
    let mut player = Player::on(usual());
    player.play("\\java<Enter>");
    assert_eq!(player.pids(), [600, 601]);
    player.play("\\<C-u>!java user:1000<Enter>");
    assert!(!player.pids().contains(&600) && !player.pids().contains(&400));
    player.play("\\<C-u>/^(Xorg|chrome)$/<Enter>");
    assert_eq!(player.pids(), [500, 400]);
    player.play("\\<C-u>/(/<Enter>");
    assert!(matches!(player.app.mode, Mode::Prompt(_)), "a broken one stays open to be mended");
    player.play("<Esc><Esc>");
    assert_eq!(player.pids().len(), 8);
}

#[test]
fn escape_never_quits() {
    let mut player = Player::on(usual());
    let asked = player.play("<Esc><Esc>?<Esc><Esc><Enter><Esc>\\java<Enter><Esc><Esc><Esc>");
    assert_eq!(asked, []);
    assert_eq!(player.pids().len(), 8, "the filter was cleared");
}

#[test]
fn rows_hold_still_while_a_dialog_is_open() {
    let mut player = Player::on(usual());
    player.play("<Down>");
    let before = player.pids();
    player.play("X");
    let mut changed = cast();
    changed.retain(|process| process.id.pid != 500);
    changed.push(process(700, "newcomer", 900_000));
    player.wait(60_000);
    player.sample(machine(1_000_000, doomtop::model::ScoreScale::Signed, changed));
    assert_eq!(player.pids(), before, "nothing moves under the dialog");
    assert_eq!(player.app.table.lines[0].at, None, "the one that went is shown as gone");
    player.play("<Esc>");
    player.wait(2000);
    assert_eq!(player.pids()[0], 700, "and then everything falls into place");
    assert_eq!(player.cursor(), Some(600));
}

#[test]
fn a_reborn_pid_is_another_process() {
    let mut player = Player::on(usual());
    player.play("500");
    let mut changed = cast();
    changed[6].id.born = Ticks(999_999);
    player.wait(5000);
    player.sample(machine(1_000_000, doomtop::model::ScoreScale::Signed, changed));
    let asked = player.play("500Xy");
    let [Request::Act(intent)] = &asked[..] else { panic!("{asked:?}") };
    assert_eq!(
        intent.who().map(|who| who.born),
        Some(Ticks(999_999)),
        "the dialog speaks of the new one"
    );
}

#[test]
fn sorting_and_inverting() {
    let mut player = Player::on(usual());
    player.play("N");
    assert!(player.pids().is_sorted());
    player.play("I");
    assert!(player.pids().is_sorted_by(|a, b| a >= b));
    player.play("M");
    assert_eq!(player.pids()[0], 600);
    player.play("B");
    assert_eq!(player.pids()[0], 500);
    player.play("I");
    let pids = player.pids();
    assert_eq!(pids[pids.len() - 2..], [50, 1], "those who cannot be chosen stay last");
}

#[test]
fn the_tree_puts_children_under_their_parents() {
    let mut player = Player::on(usual());
    player.play("t");
    let pids = player.pids();
    let at = |pid| pids.iter().position(|&other| other == pid).unwrap();
    assert_eq!(at(601), at(600) + 1);
    assert_eq!(at(300), at(200) + 1);
    assert_eq!(player.app.table.lines[at(601)].tree_lines.depth, 2);
    player.play("600-");
    assert!(!player.pids().contains(&601));
    player.play("+");
    assert!(player.pids().contains(&601));
    player.play("\\helper<Enter>");
    assert_eq!(player.pids(), [1, 600, 601], "its ancestors come along");
}

#[test]
fn tags_the_subtree_and_takes_it_back() {
    let mut player = Player::on(usual());
    player.play("600");
    player.key(Key::alt('c'));
    let tagged: Vec<i32> = player.app.table.tags.iter().map(|id| id.pid).collect();
    assert_eq!(tagged, [600, 601]);
    player.play("U");
    assert!(player.app.table.tags.is_empty());
}

#[test]
fn a_pause_leaves_new_looks_aside() {
    let mut player = Player::on(usual());
    player.play("z");
    player.sample(machine(1_000_000, doomtop::model::ScoreScale::Signed, vec![process(9, "x", 1)]));
    assert_eq!(player.pids().len(), 8);
    assert_eq!(player.play("z"), [Request::SampleNow]);
}

#[test]
fn the_delay_is_typed_in_seconds() {
    let mut player = Player::on(usual());
    assert_eq!(player.play("d<C-u>0.5<Enter>"), [Request::Pace(Millis(500))]);
    assert_eq!(player.play("d<C-u>0<Enter>"), []);
    let Mode::Prompt(prompt) = &player.app.mode else { panic!("it stays open") };
    assert!(prompt.error.as_ref().is_some_and(|error| error.contains("0.1 to 3600")));
}

#[test]
fn j_does_nothing_and_k_only_opens_a_list() {
    let mut player = Player::on(usual());
    let before = player.cursor();
    assert_eq!(player.play("jjj"), []);
    assert_eq!(player.cursor(), before);
    assert_eq!(player.play("kkk"), []);
}

/// Every key that the help names does something that can be seen, or is told why not.
#[test]
fn no_key_of_the_table_is_silent() {
    let seen = |player: &Player| {
        let app = &player.app;
        let view = (
            app.table.cursor.at,
            app.table.cursor.top,
            app.table.skipped,
            app.table.tags.len(),
            app.playback.paused,
            app.table.settings.tree,
        );
        let shown = (
            app.display.header,
            app.display.scale,
            app.display.header_scale,
            app.command_style(),
            app.table.anchor,
        );
        let sort = (app.table.settings.sort.column.id, app.table.settings.sort.descending);
        let mode = (std::mem::discriminant(&app.mode), app.views.kind);
        format!("{view:?} {shown:?} {sort:?} {mode:?} {:?}", player.notice())
    };
    let many: Vec<_> = (0..90).map(|nth| process(1000 + nth, "many", 500 + nth as u64)).collect();
    for row in keys_of(KeyContext::Browse) {
        for &key in row.keys {
            let cast = cast().into_iter().chain(many.clone()).collect();
            let scale = doomtop::model::ScoreScale::Signed;
            let mut player = Player::on(machine(1_000_000, scale, cast));
            // In the midst of things: nothing is at its end, and something is tagged.
            player.play("<<PgDn><PgDn><Up><Right><Space>");
            player.app.display.notice = None;
            let before = seen(&player);
            player.now += 1000;
            let asked = player.app.update(Msg::Key(key, Millis(player.now)));
            let silent = asked.is_empty() && seen(&player) == before;
            assert!(!silent, "{key}: {}", row.help);
        }
    }
}

#[test]
fn the_palette_does_what_the_keys_do() {
    let mut player = Player::on(usual());
    player.play(":sort by pid<Enter>");
    assert!(player.pids().is_sorted());
    assert_eq!(player.play(":quit<Enter>"), [Request::Quit { keep: false }]);
}

#[test]
fn the_check_calls_a_disagreement_only_when_it_is_confirmed() {
    let wrong = || {
        let mut snapshot = crate::stage::with_scores(usual());
        snapshot.processes[6].score = Reading::Value(999);
        snapshot
    };
    let mut player = Player::on(wrong());
    assert_eq!(player.app.refresh.self_check.count(), (9, 9), "once is no disagreement");
    assert!(player.app.needs().scores != doomtop::model::Scores::None);
    player.sample(wrong());
    assert_eq!(player.app.refresh.self_check.count(), (8, 9));
    player.sample(crate::stage::with_scores(usual()));
    assert_eq!(player.app.refresh.self_check.count(), (9, 9));
}

#[test]
fn a_filter_given_at_the_start_holds() {
    let filter = Filter::parse("java").unwrap();
    let player = Player::with(Setup { filter, ..setup() }, usual());
    assert_eq!(player.pids(), [600, 601]);
}

fn any_key() -> impl Strategy<Value = Key> {
    let from_table: Vec<Key> = KEYS.iter().flat_map(|row| row.keys.iter().copied()).collect();
    prop_oneof![
        6 => proptest::sample::select(from_table),
        2 => proptest::char::range('0', '9').prop_map(Key::char),
        2 => proptest::char::range('a', 'z').prop_map(Key::char),
        1 => Just(Key::plain(KeyCode::Enter)),
        1 => Just(Key::char('y')),
        1 => Just(Key::char('a')),
        1 => Just(Key::char('t')),
        1 => Just(Key::char('J')),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// No intent leaves but from its dialog, by its confirming key, seen long enough.
    #[test]
    fn no_script_acts_without_its_own_confirmation(
        script in proptest::collection::vec((any_key(), 0_u64..900, any::<bool>()), 1..60),
    ) {
        let mut player = Player::on(usual());
        player.app.update(Msg::Outcome(Outcome::AdjSet {
            who: id(500), name: "chrome".to_owned(), before: Adj(0), now: Adj(300), revert: false,
        }));
        let mut opened: Option<u64> = None;
        for (key, pause, sample) in script {
            player.now += pause;
            if sample {
                player.sample(usual());
            }
            let dialog = player.app.mode.clone();
            let asked = player.app.update(Msg::Key(key, Millis(player.now)));
            for request in &asked {
                if let Request::Write { path, text } = request {
                    let Mode::Persist(keep) = &dialog else { panic!("{request:?} from {dialog:?}") };
                    prop_assert_eq!(key, Key::plain(KeyCode::Enter));
                    prop_assert_eq!(Some(text), keep.chosen().map(|way| &way.text));
                    prop_assert_eq!(Some(path.as_str()), keep.path.as_ref().map(|it| it.value().trim()));
                }
                let Request::Act(intent) = request else { continue };
                let seen = opened.is_some_and(|since| player.now >= since + 400);
                prop_assert!(seen, "{intent:?} without a dialog in view");
                match (&dialog, intent) {
                    (Mode::Adjust(edit), Intent::SetAdj { who, from, to, revert: false, .. }) => {
                        prop_assert_eq!(key, Key::plain(KeyCode::Enter));
                        prop_assert!(!edit.is_wide(), "the list was not shown");
                        prop_assert_eq!((*who, *from, Some(*to)), (edit.who, edit.from, edit.value()));
                    }
                    (Mode::Revert(asking), Intent::SetAdj { who, from, to, revert, .. }) => {
                        prop_assert_eq!(key, Key::plain(KeyCode::Enter));
                        prop_assert_eq!((*who, *from, *to), (asking.who, asking.from, asking.to));
                        prop_assert_eq!(*revert, !asking.again);
                    }
                    (Mode::Bulk(several), Intent::SetAdj { .. }) => {
                        prop_assert_eq!(key, Key::plain(KeyCode::Enter));
                        prop_assert!(several.is_agreed(), "its count was not typed");
                        prop_assert!(several.intents().any(|listed| listed == *intent), "not listed");
                    }
                    (Mode::Signal(confirm), Intent::Signal { who, signal, consent, .. }) => {
                        prop_assert_eq!((*who, *signal), (confirm.plan.who, confirm.plan.signal));
                        let wanted = if *consent == ConfirmedBy::Plain { KeyCode::Char('y') } else { KeyCode::Enter };
                        prop_assert_eq!(key.code, wanted);
                    }
                    (Mode::Sysctl(edit), Intent::SetSysctl { sysctl: knob, to, .. }) => {
                        prop_assert_eq!(key, Key::plain(KeyCode::Enter));
                        prop_assert_eq!((*knob, Some(*to), edit.danger()), (edit.sysctl, edit.value(), None));
                    }
                    (Mode::ConfirmSysctl(sure), Intent::SetSysctl { sysctl: knob, to, .. }) => {
                        prop_assert_eq!(key, Key::char('y'));
                        prop_assert_eq!((*knob, *to), (sure.sysctl, sure.to));
                    }
                    other => prop_assert!(false, "{other:?}"),
                }
            }
            // The world answers: most is done, some of it refused.
            for (nth, request) in asked.into_iter().enumerate() {
                let Request::Act(intent) = request else { continue };
                let Intent::SetAdj { who, ref name, from, to, revert } = intent else { continue };
                let refusal = [Refusal::Gone, Refusal::Changed { from, found: Adj(7) }];
                let outcome = match (player.now + nth as u64) % 4 {
                    odd @ 0..2 => Outcome::Refused { intent, refusal: refusal[odd as usize].clone() },
                    _ => Outcome::AdjSet { who, name: name.clone(), before: from, now: to, revert },
                };
                player.app.update(Msg::Outcome(outcome));
            }
            let was_dialog = dialog.asks();
            let same = std::mem::discriminant(&dialog) == std::mem::discriminant(&player.app.mode);
            if !(was_dialog && same) {
                opened = None;
            }
            player.draw();
            if player.app.mode.asks() {
                opened.get_or_insert(player.now);
            }
        }
    }
}
