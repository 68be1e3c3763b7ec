//! What was painted where, for the mouse. Filled while painting, so that it cannot differ from the picture.

use ratatui::layout::{Position, Rect};

use crate::app::view::click_target::ClickTarget;

/// What was painted where. What was painted later covers what was painted before.
#[derive(Clone, Debug, Default)]
pub struct ClickAreas(Vec<(Rect, ClickTarget)>);

impl ClickAreas {
    /// Forgets everything; the memory is kept for the next frame.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Adds an area.
    pub fn add(&mut self, area: Rect, target: ClickTarget) {
        self.0.push((area, target));
    }

    /// What was painted at a cell.
    #[must_use]
    pub fn at(&self, x: u16, y: u16) -> Option<&ClickTarget> {
        let inside = |(area, _): &&(Rect, ClickTarget)| area.contains(Position { x, y });
        self.0.iter().rev().find(inside).map(|(_, target)| target)
    }
}
