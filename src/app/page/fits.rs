//! The page that answers whether so much more memory would fit.

use std::sync::Arc;

use crate::forecast::cascade::{CascadeStep, FitAnswer, Newcomer, what_fits};
use crate::model::{DomainKind, Scene, Text};
use crate::policy::Policy;
use crate::units::Adj;
use crate::words::fits::{self, CgroupStyle};

/// The page.
#[derive(Clone, Debug)]
pub struct FitsPage {
    /// The answer.
    pub answer: FitAnswer,
    /// What else decides, with labels.
    pub notes: Vec<(&'static str, String)>,
    /// The cursor: 0 on the answer, then on a kill, and behind all of them on a note.
    pub at: usize,
}

impl FitsPage {
    /// The answer in this scene.
    #[must_use]
    pub fn new(newcomer: &Newcomer, policy: &dyn Policy, scene: &Scene) -> Self {
        let answer = what_fits(policy, scene, newcomer);
        let notes = fits::notes(&answer, scene, CgroupStyle::Short);
        Self { answer, notes, at: 0 }
    }

    /// The cgroup in which a newcomer takes memory where this scene's domain is looked at.
    ///
    /// # Errors
    /// Why that cannot be told.
    pub fn cgroup(scene: &Scene) -> Result<Option<Arc<Text>>, String> {
        let domain = scene.domain();
        match domain.kind {
            DomainKind::Global => Ok(None),
            DomainKind::Memcg(_) | DomainKind::Part => Ok(Some(Arc::clone(&domain.name))),
            DomainKind::Nodes(_) => {
                Err("how much room memory nodes have is not known: choose another scope".to_owned())
            }
            DomainKind::Gone => Err(format!("{domain} does not exist any more")),
        }
    }

    /// The answer to the same question in another scene, or with another adj.
    pub fn renew(&mut self, adj: Adj, policy: &dyn Policy, scene: &Scene) {
        let newcomer = Newcomer { adj, ..self.answer.newcomer.clone() };
        let at = self.at;
        *self = Self::new(&newcomer, policy, scene);
        self.at = at.min(self.count().saturating_sub(1));
    }

    /// The number of lines with a cursor.
    #[must_use]
    pub const fn count(&self) -> usize {
        1 + self.answer.steps.len() + self.notes.len()
    }

    /// The kill under the cursor; on the answer, the first one.
    #[must_use]
    pub fn chosen(&self) -> Option<&CascadeStep> {
        self.answer.steps.get(self.at.saturating_sub(1))
    }

    /// The answer as text.
    #[must_use]
    pub fn text(&self) -> String {
        let style = CgroupStyle::Path;
        let mut lines = vec![fits::answer(&self.answer, style)];
        for (nth, step) in (1..).zip(&self.answer.steps) {
            lines.push(format!("{nth}. {}", fits::kill(step, style)));
        }
        lines.extend(self.notes.iter().map(|(label, text)| format!("{label:<9}{text}")));
        lines.join("\n") + "\n"
    }
}
