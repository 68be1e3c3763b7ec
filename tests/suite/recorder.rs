//! Recording from the screen: what the keys ask for, what a look brings meanwhile, what the title says;
//! and how a recording is played.

use std::sync::Arc;

use doomtop::app::{Msg, Request};
use doomtop::model::{CgroupNeeds, Needs, Scores, Text};
use doomtop::ui::Theme;
use doomtop::units::Millis;

use crate::fixtures::{paint, text};
use crate::stage::{Player, usual};

const FULL: Theme = crate::fixtures::theme(true, true);

#[test]
fn a_key_begins_and_ends_a_recording_of_everything() {
    let mut player = Player::on(usual());
    assert_ne!(player.app.needs().scores, Scores::All);
    assert_eq!(player.play("<A-e>"), [Request::Tape(true)]);
    let needs = player.app.needs();
    let (keep, may_die) = (needs.keep.clone(), needs.may_die.clone());
    assert!(!keep.is_empty(), "the files of the top stay open");
    assert_eq!(may_die, keep[..may_die.len()], "the first of them");
    assert_eq!(needs, Needs { cmdline: false, keep, may_die, ..Needs::everything() });
    player.wait(65_000);
    let shown = text(&paint(&mut player.app, FULL, 120, 40).0);
    assert!(shown.contains("[rec 1:05]"), "{shown}");
    assert_eq!(player.play("<A-e>"), [Request::Tape(false)]);
    assert!(!text(&paint(&mut player.app, FULL, 120, 40).0).contains("[rec"));
    // A full disk ends it, too.
    player.play("<A-e>");
    player.app.update(Msg::Recording(false));
    assert!(player.app.playback.recording_since().is_none());
    assert_eq!(player.play("<A-w>"), [Request::WritePast]);
    player.app.playback.thorough = true;
    assert_eq!(player.app.needs().cgroups, CgroupNeeds::Everything, "a ring brings all as well");
}

#[test]
fn a_film_has_its_own_users_and_is_not_recorded_again() {
    let mut player = Player::on(usual());
    let mut sample = usual();
    sample.users = Arc::new([(1000, Text::new(b"alice"))].into());
    for second in 2..5 {
        sample.clock.monotonic_ms = Millis(second * 1000);
        player.app.update(Msg::Played(Arc::new(sample.clone())));
    }
    assert_eq!(player.app.names.user(1000), Some("alice"));
    assert!(player.play("<A-e>").is_empty());
    assert_eq!(player.notice(), "this is a recording already");
    player.app.display.notice = None;
    assert!(player.play("<A-w>").is_empty(), "nor is it copied");
    assert_eq!(player.notice(), "this is a recording already");
}
