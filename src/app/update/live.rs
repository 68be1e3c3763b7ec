//! What follows from the newest sample, whatever the screen shows: the pace and the alarms.

use std::sync::Arc;

use crate::alarm::{AlarmInput, KilledProcess, RaisedAlarm};
use crate::app::session::notice::NoticeLevel;
use crate::app::{App, Request};
use crate::forecast::limits::ReachableLimit;
use crate::forecast::next_death::Deaths;
use crate::forecast::{limits, trend};
use crate::kills::Timeline;
use crate::model::{
    DomainKind, Hierarchy, Killer, OomEvent, PressureWatch, SampleIndex, Scene, Scope, Snapshot,
    Text,
};
use crate::rank::Ranking;
use crate::units::Millis;

impl App {
    /// Time between samples: as the user asked, unless pressure or quiet change it.
    #[must_use]
    pub fn delay(&self) -> Millis {
        self.refresh.pace.delay(self.settings.delay)
    }

    /// The cgroup whose pressure file tells when tasks of the ranked domain begin to wait: that of a scope
    /// on cgroup v2. Nothing where the machine's file does.
    #[must_use]
    pub fn pressure_of(&self) -> Option<&Arc<Text>> {
        let report = self.incidents.report.is_some();
        let scene = if report { &self.refresh.unshown } else { &self.scene }.as_ref()?;
        let domain = scene.domain();
        let v2 = scene.now().cgroups.hierarchy.value() == Some(Hierarchy::V2);
        let is_cgroup = matches!(domain.kind, DomainKind::Memcg(_) | DomainKind::Part);
        (v2 && is_cgroup && domain.name.as_str() != "/").then_some(&domain.name)
    }

    /// Takes how pressure is watched from now on, and in which cgroup where it is not the machine.
    pub(crate) fn take_pressure_watch(&mut self, watch: PressureWatch, cgroup: Option<Arc<Text>>) {
        if let PressureWatch::Unavailable(why) = &watch
            && self.refresh.pace.relax
        {
            let text = format!("--relax keeps the pace: pressure would not end it: {why}");
            self.say(NoticeLevel::Warn, text);
        }
        (self.refresh.pace.watch, self.refresh.pace.cgroup) = (watch, cgroup);
    }

    /// Whether a new sample will not be shown.
    pub(crate) fn shows_other_sample(&self) -> bool {
        self.playback.paused || self.is_past()
    }

    /// Sets the pace by the newest sample, and raises alarms; `unshown` is the sample where it is not on the
    /// screen. A recording raises no alarm.
    pub(crate) fn take_live_sample(&mut self, unshown: Option<Arc<Snapshot>>) -> Vec<Request> {
        if !self.start.live {
            return Vec::new();
        }
        let policy = self.settings.policy;
        let mut own = Ranking::default();
        let own_deaths;
        let (scene, ranking, deaths, limit) = match unshown {
            None => {
                self.refresh.unshown = None;
                let Some(scene) = &self.scene else { return Vec::new() };
                let first = self.first_limit.as_ref().map(|first| first.limit.clone());
                (scene, &self.ranking, &self.deaths, first)
            }
            Some(sample) => {
                self.advance_unshown(sample);
                let Some(scene) = &mut self.refresh.unshown else { return Vec::new() };
                self.refresh.deaths.newest.observe(scene);
                own_deaths = self.refresh.deaths.predict_newest(scene);
                if self.refresh.alarms.count() > 0 {
                    let playback = &self.playback;
                    let now = scene.now();
                    let forecast = trend::forecast(&playback.history, &playback.past, now);
                    scene.set_forecast(forecast);
                    own.update(policy, scene);
                }
                let scene = &*scene;
                (scene, &own, &own_deaths, Some(limits::nearest(scene, &own_deaths)))
            }
        };
        let resting = limit.filter(|limit| limit.hit_in.is_none());
        let left = resting.as_ref().map(ReachableLimit::left_permille);
        self.refresh.pace.sampled(self.now, scene.now(), left);
        let killed = killed_since(scene, &self.incidents.timeline);
        let input = AlarmInput { scene, ranking, policy: policy.id(), deaths, killed: &killed };
        let raised = self.refresh.alarms.sample(&input, self.now);
        self.alarm_requests(raised)
    }

    /// Raises alarms about a death that readings between two samples predict.
    pub(crate) fn alarms_between_samples(&mut self, unshown: Option<&Deaths>) -> Vec<Request> {
        let (scene, deaths) = match unshown {
            None => (&self.scene, &self.deaths),
            Some(deaths) => (&self.refresh.unshown, deaths),
        };
        let Some(scene) = scene.as_ref().filter(|_| self.start.live) else { return Vec::new() };
        let (ranking, policy) = (&self.ranking, self.settings.policy.id());
        let input = AlarmInput { scene, ranking, policy, deaths, killed: &[] };
        let raised = self.refresh.alarms.predict(&input, self.now);
        self.refresh.deaths.headline_changed |= !raised.is_empty();
        self.alarm_requests(raised)
    }

    /// Advances the scene of the newest samples while the screen shows something else.
    fn advance_unshown(&mut self, sample: Arc<Snapshot>) {
        let scope = &self.settings.scope;
        match self.refresh.unshown.as_mut().filter(|unshown| unshown.scope() == scope) {
            Some(unshown) => _ = unshown.advance(sample),
            None => {
                // How processes grow follows from the sample before.
                let past = &self.playback.past;
                let index = past.newest().and_then(|it| it.0.checked_sub(1));
                let before = index.and_then(|index| past.sample(SampleIndex(index)));
                self.refresh.unshown = Some(Scene::scoped(sample, before, scope.clone()));
            }
        }
    }

    fn alarm_requests(&self, raised: Vec<RaisedAlarm>) -> Vec<Request> {
        let alarms = &self.refresh.alarms;
        let bell = (alarms.bell && !raised.is_empty()).then_some(Request::Bell);
        let commands = raised.into_iter().filter(|_| alarms.command);
        let commands = commands.map(|alarm| Request::RunAlarm(Box::new(alarm)));
        bell.into_iter().chain(commands).collect()
    }
}

/// Who the kernel killed since the sample before: by the log, and as far as it does not tell yet, who was probably
/// killed.
fn killed_since(scene: &Scene, timeline: &Timeline) -> Vec<KilledProcess> {
    let Some(before) = scene.before() else { return Vec::new() };
    let kills = |sample: &Snapshot| sample.traffic.oom_kills.value();
    let counted = kills(before).zip(kills(scene.now())).filter(|_| scene.now().continues(before));
    let count = counted.map_or(0, |(then, now)| now.saturating_sub(then));
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let (from, to) = (before.clock.unix_ms, scene.now().clock.unix_ms);
    let told = timeline
        .all()
        .iter()
        .rev()
        .take_while(|it| it.unix_ms > from)
        .filter(|it| it.unix_ms <= to);
    let told = told.filter(|it| it.by.is_kernel() && it.by != Killer::Counted);
    let mut killed: Vec<KilledProcess> = told.filter_map(killed_process).take(count).collect();
    let guessed = timeline.awaited_since(from).filter_map(killed_process);
    let rest = count.saturating_sub(killed.len());
    killed.extend(guessed.take(rest));
    killed
}

fn killed_process(event: &OomEvent) -> Option<KilledProcess> {
    let victim = event.victim?;
    let domain = match event.by {
        Killer::Machine | Killer::Sysrq => Some(Text::new(Scope::GLOBAL.as_bytes())),
        _ => event.domain.clone(),
    };
    let (pid, comm) = (victim.pid, victim.comm.to_string());
    Some(KilledProcess { pid, comm, domain: domain.map(Arc::new), guessed: event.guessed })
}
