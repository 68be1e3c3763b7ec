//! What follows from the newest look beside the picture: the pace, and which alarms ring. It is so also
//! while the screen stands at an earlier one.

use std::sync::Arc;

use crate::alarm::AlarmInput;
use crate::app::{App, NoticeLevel, Request};
use crate::forecast::limits;
use crate::forecast::limits::ReachableLimit;
use crate::forecast::trend;
use crate::model::{DomainKind, Hierarchy, PressureWatch, SampleIndex, Scene, Snapshot, Text};
use crate::rank::Ranking;
use crate::units::Millis;

impl App {
    /// Time between looks: as the user asked, unless pressure or quiet say otherwise.
    #[must_use]
    pub fn delay(&self) -> Millis {
        self.pace.delay(self.setup.delay)
    }

    /// The cgroup whose own pressure file tells when those that are looked at begin to wait: of a scope
    /// of version 2. Otherwise the machine's does.
    #[must_use]
    pub fn pressure_of(&self) -> Option<&Arc<Text>> {
        let scene = if self.report.is_some() { &self.aside } else { &self.scene }.as_ref()?;
        let domain = scene.domain();
        let v2 = scene.now().cgroups.hierarchy.value() == Some(Hierarchy::V2);
        let is_cgroup = matches!(domain.kind, DomainKind::Memcg(_) | DomainKind::Part);
        (v2 && is_cgroup && domain.name.as_str() != "/").then_some(&domain.name)
    }

    /// How the beginning of pressure is told from now on.
    pub(crate) fn watching(&mut self, watch: PressureWatch, whose: Option<Arc<Text>>) {
        if let PressureWatch::Unavailable(why) = &watch
            && self.pace.relax
        {
            let text = format!("--relax keeps the pace: pressure would not end it: {why}");
            self.say(NoticeLevel::Warn, text);
        }
        (self.pace.watch, self.pace.whose) = (watch, whose);
    }

    /// Whether a new look will not be the one on the screen.
    pub(crate) fn shows_other_sample(&self) -> bool {
        self.paused || self.playback.is_past()
    }

    /// What follows of a new look; `unseen` where it is not the one on the screen. A recording rings
    /// nothing: what it shows is over.
    pub(crate) fn take_live_sample(&mut self, unseen: Option<Arc<Snapshot>>) -> Vec<Request> {
        if !self.setup.live {
            return Vec::new();
        }
        let mut own = Ranking::default();
        let (policy, shown) = self.of_now();
        let shown = shown.clone();
        let (scene, ranking, wall) = match unseen {
            None => {
                self.aside = None;
                let Some(scene) = &self.scene else { return Vec::new() };
                (scene, &self.ranking, self.first_limit.as_ref().map(|first| first.limit.clone()))
            }
            Some(sample) => {
                let past = &self.playback.past;
                match self.aside.as_mut().filter(|aside| *aside.scope() == shown) {
                    Some(aside) => _ = aside.advance(sample),
                    // How it moves follows from the look before it.
                    None => {
                        let before = past
                            .newest()
                            .and_then(|it| past.sample(SampleIndex(it.0.checked_sub(1)?)));
                        self.aside = Some(Scene::scoped(sample, before, shown));
                    }
                }
                let Some(scene) = &mut self.aside else { return Vec::new() };
                if self.alarms.count() > 0 {
                    scene.set_forecast(trend::forecast(&self.playback.history, past, scene.now()));
                    own.update(policy, scene);
                }
                let scene = &*scene;
                (scene, &own, Some(limits::nearest(scene)))
            }
        };
        let room = wall.filter(|wall| wall.hit_in.is_none());
        let room = room.as_ref().map(ReachableLimit::left_permille);
        self.pace.looked(self.now, scene.now(), room);
        let seen = AlarmInput { scene, ranking, policy: policy.id() };
        let rung = self.alarms.sample(&seen, self.now);
        if rung.is_empty() {
            return Vec::new();
        }
        let bell = self.alarms.bell.then_some(Request::Bell);
        let command = self.alarms.command;
        let runs = rung.into_iter().filter(|_| command).map(|it| Request::RunAlarm(Box::new(it)));
        bell.into_iter().chain(runs).collect()
    }
}
