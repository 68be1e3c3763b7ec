//! What the last two pictures showed where: a click is meant for the picture that was on the screen then.

use crate::app::view::click_target::ClickTarget;
use crate::shell::event::PointerEvent;
use crate::ui::click_areas::ClickAreas;
use crate::units::Millis;

/// What the last two pictures showed where.
#[derive(Default)]
pub(super) struct DrawnAreas {
    last: ClickAreas,
    /// When the last picture was drawn.
    pub(super) since: Millis,
    before: ClickAreas,
    /// When the one before was drawn.
    since_before: Millis,
}

impl DrawnAreas {
    /// The areas to fill for the next picture.
    pub(super) fn next(&mut self) -> &mut ClickAreas {
        std::mem::swap(&mut self.last, &mut self.before);
        self.since_before = self.since;
        &mut self.last
    }

    /// What was at a place when the mouse was there; nothing where that picture is not known any more.
    pub(super) fn at(&self, pointer: PointerEvent) -> Option<&ClickTarget> {
        let areas = if pointer.at >= self.since {
            &self.last
        } else if pointer.at >= self.since_before {
            &self.before
        } else {
            return None;
        };
        areas.at(pointer.x, pointer.y)
    }

    /// Forgets all: a key or a click may have opened something that is not drawn yet.
    pub(super) fn forget(&mut self) {
        self.last.clear();
        self.before.clear();
    }
}

#[cfg(test)]
mod tests {
    use ratatui::layout::Rect;

    use super::*;
    use crate::app::view::kind::ViewKind;

    #[test]
    fn a_click_is_meant_for_the_picture_that_was_on_the_screen() {
        let target = |kind| ClickTarget::View(kind);
        let mut drawn = DrawnAreas::default();
        for (at, kind) in
            [(10, ViewKind::Processes), (20, ViewKind::Cgroups), (30, ViewKind::Memory)]
        {
            let areas = drawn.next();
            areas.clear();
            areas.add(Rect::new(0, 0, 5, 1), target(kind));
            drawn.since = Millis(at);
        }
        let at = |drawn: &DrawnAreas, x, at| {
            drawn.at(PointerEvent { x, y: 0, wheel: None, at: Millis(at) }).cloned()
        };
        assert_eq!(at(&drawn, 0, 31), Some(target(ViewKind::Memory)));
        assert_eq!(at(&drawn, 0, 29), Some(target(ViewKind::Cgroups)), "drawn after the click");
        assert_eq!(at(&drawn, 0, 15), None, "that picture is not known any more");
        assert_eq!(at(&drawn, 5, 31), None, "beside it");
        drawn.forget();
        assert_eq!(at(&drawn, 0, 31), None);
    }
}
