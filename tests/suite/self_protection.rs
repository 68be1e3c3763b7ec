//! The protection of doomtop itself, as the screen offers it, asks for it and reports it.

use doomtop::app::keymap::bindings::Key;
use doomtop::app::{ActingMode, Msg, Request, Setup};
use doomtop::model::{Capabilities, Snapshot};
use doomtop::ui::{self, Theme};
use doomtop::units::Millis;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::fixtures::text;
use crate::stage::{Player, setup, usual};

/// CAP_SYS_RESOURCE.
const MAY: u64 = 1 << 24;

/// A sample of a doomtop with these capabilities, a number of seconds after the first.
fn sample(seconds: u64, protected: bool, caps: u64) -> Snapshot {
    let mut sample = usual();
    sample.clock.monotonic_ms = Millis(1000 * (seconds + 1));
    sample.clock.unix_ms += 1000 * seconds as i64;
    sample.privileges.caps = Capabilities(caps);
    sample.privileges.protected = protected;
    sample
}

fn title(player: &Player) -> String {
    let area = Rect::new(0, 0, 120, 40);
    let mut buffer = Buffer::empty(area);
    ui::paint(&player.app, &Theme::default(), area, &mut buffer);
    text(&buffer).lines().next().unwrap_or_default().to_owned()
}

#[test]
fn it_is_offered_once_under_pressure_where_the_kernel_would_permit_it() {
    let mut player = Player::on(sample(0, false, MAY));
    player.app.update(Msg::Pressure);
    assert_eq!(
        player.notice(),
        "tasks wait for memory: Alt-p makes doomtop the last one to be killed"
    );
    player.wait(60_000);
    assert_eq!(player.notice(), "");
    player.app.update(Msg::Pressure);
    assert_eq!(player.notice(), "", "once");
    for (protected, caps, acting) in [
        (false, 0, ActingMode::Free),
        (true, MAY, ActingMode::Free),
        (false, MAY, ActingMode::ReadOnly),
    ] {
        let setup = Setup { acting, ..setup() };
        let mut player = Player::with(setup, sample(0, protected, caps));
        player.app.update(Msg::Pressure);
        assert_eq!(player.notice(), "", "{protected} {caps} {acting:?}");
    }
}

#[test]
fn the_key_asks_for_it_the_header_tells_it_and_its_end_is_said() {
    let mut player = Player::on(sample(0, false, MAY));
    assert!(!title(&player).contains("[protected]"));
    let asked = player.key(Key::alt('p'));
    assert_eq!(asked, [Request::ProtectItself, Request::SampleNow]);
    player.sample(sample(1, true, MAY));
    assert!(title(&player).contains("[protected]"), "{}", title(&player));
    assert_eq!(player.key(Key::alt('p')), []);
    assert!(player.notice().contains("protected already"), "{}", player.notice());
    player.sample(sample(2, false, MAY));
    assert!(player.notice().contains("takes too much memory"), "{}", player.notice());
    assert!(!title(&player).contains("[protected]"));
    // Without the right it is asked for as well: the refusal says what is missing.
    let mut player = Player::on(sample(0, false, 0));
    assert_eq!(player.key(Key::alt('p')), [Request::ProtectItself, Request::SampleNow]);
}

#[test]
fn nothing_is_asked_for_where_nothing_may_be_changed() {
    for (acting, live, why) in [
        (ActingMode::ReadOnly, true, "read-only"),
        (ActingMode::Rehearsal, true, "dry run"),
        (ActingMode::Elsewhere, true, "not this machine's"),
        (ActingMode::NotReal, false, ""),
    ] {
        let setup = Setup { acting, live, ..setup() };
        let mut player = Player::with(setup, sample(0, true, MAY));
        assert_eq!(player.key(Key::alt('p')), [], "{acting:?}");
        assert!(player.notice().contains(why), "{acting:?}: {}", player.notice());
        // That of a recorded doomtop is not that of this one.
        assert_eq!(title(&player).contains("[protected]"), live, "{acting:?}");
    }
}
