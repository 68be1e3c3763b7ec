//! Who dies next, at each sample of the demo.

use std::sync::Arc;

use doomtop::forecast::next_death::DeathForecaster;
use doomtop::model::Scene;
use doomtop::rank::also_killed::GroupCensus;
use doomtop::source::demo;

#[test]
fn print() {
    let samples = demo::samples();
    let mut forecaster = DeathForecaster::default();
    let mut scene: Option<Scene> = None;
    for sample in samples {
        let scene = match &mut scene {
            Some(scene) => {
                scene.advance(Arc::clone(&sample));
                scene
            }
            none => none.insert(Scene::new(Arc::clone(&sample), None)),
        };
        forecaster.observe(scene);
        let census = GroupCensus::new(scene);
        let deaths = forecaster.deaths(scene, &census);
        println!(
            "{} kills {:?} left {}",
            sample.clock.monotonic_ms.0 / 1000,
            sample.traffic.oom_kills.value(),
            (sample.memory.available_kib.value().unwrap_or_default() + sample.swap.free_kib).0
                / 1024
        );
        if let Some(next) = &deaths.next {
            println!(
                "  NEXT {} {:?} {:?}",
                next.domain,
                next.when.map(|w| (w.low.0 / 1000, w.middle.0 / 1000, w.high.0 / 1000)),
                next.candidates.iter().map(|c| c.comm.to_string()).collect::<Vec<_>>()
            );
        }
        for d in deaths.list.iter().take(4) {
            println!(
                "      {} {:?} {:?} rate {:.0} {:?}",
                d.domain,
                d.when.map(|w| (w.low.0 / 1000, w.middle.0 / 1000, w.high.0 / 1000)),
                d.candidates.iter().map(|c| c.comm.to_string()).collect::<Vec<_>>(),
                d.rate / 1024.0,
                d.stalled
            );
        }
        let gone: Vec<String> = scene.kills().iter().map(|k| format!("{:?}", k.victim)).collect();
        let before = scene.before().map(|b| {
            b.killed_until(&sample).iter().map(|p| p.comm.to_string()).collect::<Vec<_>>()
        });
        println!("      gone {before:?} {}", gone.len());
    }
}
