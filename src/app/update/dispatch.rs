//! Dispatches a message.

use crate::app::keymap::press::KeyPress;
use crate::app::message::{LoadedPolicy, Msg};
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};

impl App {
    /// Takes a message; what the shell shall do about it comes back.
    pub fn update(&mut self, msg: Msg) -> Vec<Request> {
        let asked = self.take(msg);
        self.watch_growth();
        asked
    }

    pub(crate) fn take(&mut self, msg: Msg) -> Vec<Request> {
        match msg {
            Msg::Key(key, at) => {
                self.now = self.now.max(at);
                self.refresh.pace.stirred(at);
                let before = self.pressed.replace(at);
                let alone = before.is_none_or(|it| {
                    at.0 >= it.0.saturating_add(crate::app::keymap::press::QUIET.0)
                });
                return self.key(key, KeyPress { at, alone });
            }
            Msg::Paste(text) => self.paste(&text),
            Msg::Sampled(snapshot) => {
                let rung = self.sampled(snapshot);
                let mut asked = self.apply_adj_rules();
                asked.extend(rung);
                return asked;
            }
            Msg::Played(sample) => self.take_played(sample),
            Msg::AllPlayed => self.all_played(),
            Msg::Recording(on) => self.playback.set_recording_since(on.then_some(self.now)),
            Msg::Log(news) => self.take_log(news),
            Msg::SamplingFailed(why) => self.say(NoticeLevel::Warn, why),
            Msg::SourceLost(why) => self.refresh.lost = Some(why),
            Msg::Tick(now) => self.tick(now),
            Msg::Drawn(viewport, at) => self.drawn(viewport, at),
            Msg::Outcome(outcome) => self.take_outcome(outcome),
            Msg::Detail(study) => self.take_detail(*study),
            Msg::Breakdowns(found) => self.commitments.take(found),
            Msg::Users(users) => {
                self.names.learn_users(users);
                self.table.stale = true;
            }
            Msg::Commands(lines) => {
                for (id, line) in lines {
                    if let Some(process) = self.scene.as_ref().and_then(|scene| scene.find(id)) {
                        self.names.learn_command(process, line);
                    }
                }
                self.table.stale |= self.table.settings.filter.wants_command_lines();
            }
            Msg::Notice(level, text) => self.say(level, text),
            Msg::Rule(LoadedPolicy(rule)) => self.take_rule(rule),
            Msg::AdjRules(news) => self.take_adj_rules(news),
            Msg::PressureWatch(watch, whose) => self.watching(watch, whose),
            Msg::Pressure => {
                self.refresh.pace.pressed(self.now);
                return vec![Request::SampleNow];
            }
        }
        Vec::new()
    }
}
