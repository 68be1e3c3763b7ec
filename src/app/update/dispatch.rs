//! Dispatches a message.

use crate::app::keymap::press_time::{KeyPress, QUIET};
use crate::app::message::{LoadedPolicy, Msg};
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};

impl App {
    /// Takes a message. Returns what the shell is asked to do.
    pub fn update(&mut self, msg: Msg) -> Vec<Request> {
        let requests = self.take(msg);
        self.watch_growth();
        self.watch_race();
        requests
    }

    fn take(&mut self, msg: Msg) -> Vec<Request> {
        match msg {
            Msg::Key(key, at) => {
                self.now = self.now.max(at);
                self.refresh.pace.wake(at);
                let before = self.pressed.replace(at);
                let alone = before.is_none_or(|it| at.0 >= it.0.saturating_add(QUIET.0));
                return self.key(key, KeyPress { at, alone });
            }
            Msg::Click(target, at) => return self.click(target, at),
            Msg::Wheel(target, lines, at) => self.wheel(target.as_ref(), lines, at),
            Msg::TerminalInput(at) => self.pressed = self.pressed.max(Some(at)),
            Msg::Paste(text) => self.paste(&text),
            Msg::Sampled(snapshot) => {
                let raised = self.sampled(snapshot);
                let mut asked = self.apply_adj_rules();
                asked.extend(raised);
                return asked;
            }
            Msg::Played(sample) => self.take_played(sample),
            Msg::AllPlayed => self.all_played(),
            Msg::Recording(on) => self.playback.set_recording_since(on.then_some(self.now)),
            Msg::Log(updates) => return self.take_log(updates),
            Msg::SamplingFailed(why) => self.say(NoticeLevel::Warn, why),
            Msg::SourceLost(why) => self.refresh.lost = Some(why),
            Msg::Tick(now) => self.tick(now),
            Msg::Drawn(viewport, at) => self.drawn(viewport, at),
            Msg::Outcome(outcome) => self.take_outcome(outcome),
            Msg::Detail(detail) => self.take_detail(*detail),
            Msg::Breakdowns(found) => self.commitments.take(found),
            Msg::Users(users) => {
                self.names.learn_users(users);
                self.table.stale = true;
            }
            Msg::NoDetail(who) => self.take_no_detail(who),
            Msg::Commands(lines, passed_over) => {
                let find = |id| self.scene.as_ref().and_then(|scene| scene.find(id));
                passed_over.into_iter().filter_map(find).for_each(|it| self.names.pass_over(it));
                for (id, line) in lines {
                    if let Some(process) = self.scene.as_ref().and_then(|scene| scene.find(id)) {
                        self.names.learn_command(process, line);
                    }
                }
                self.table.stale |= self.table.settings.filter.wants_command_lines();
            }
            Msg::Notice(level, text) => self.say(level, text),
            Msg::Rule(LoadedPolicy(policy)) => self.take_site_policy(policy),
            Msg::AdjRules(update) => self.take_adj_rules(update),
            Msg::PressureWatch(watch, cgroup) => self.take_pressure_watch(watch, cgroup),
            Msg::UsageRead(readings) => return self.take_usage_readings(readings),
            Msg::Pressure => {
                self.refresh.pace.pressure(self.now);
                self.offer_protection();
                return vec![Request::SampleNow];
            }
        }
        Vec::new()
    }
}
