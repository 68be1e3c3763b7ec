//! Every fixture machine under every policy: the whole ranking, as it was.

use std::fmt::Write;

use doomtop::model::Scene;
use doomtop::policy::POLICIES;
use doomtop::rank::{Placement, Ranking};

use crate::fixtures::samples;

#[test]
fn every_machine_ranks_as_it_did_under_every_policy() {
    for machine in ["db-03", "small", "strict", "hostile", "desk-7"] {
        let mut frames = samples(&format!("{machine}.jsonl")).into_iter();
        let mut scene = Scene::new(frames.next().expect("a look"), None);
        for next in frames {
            scene.advance(next);
        }
        let mut text = String::new();
        for policy in POLICIES {
            let ranking = Ranking::new(*policy, &scene);
            let candidates: Vec<i32> = ranking.candidates().iter().map(|id| id.pid).collect();
            let _ = writeln!(
                text,
                "{}: candidates {candidates:?}, margin {:?}, slack {}",
                policy.id(),
                ranking.margin().map(|margin| margin.0),
                ranking.slack().0
            );
            for (place, row) in ranking.rows().iter().enumerate() {
                let comm = scene.find(row.id).expect("it is in the scene").comm;
                let _ = match row.placement {
                    Placement::Scored(points) => {
                        writeln!(text, "{:4} {:7} {:>14} {comm}", place + 1, row.id.pid, points.0)
                    }
                    Placement::Spared(reason) => {
                        writeln!(text, "   - {:7} {:>14} {comm}", row.id.pid, reason.word())
                    }
                };
            }
        }
        insta::assert_snapshot!(format!("ranking-{machine}"), text);
    }
}
