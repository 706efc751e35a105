//! The place of the local picture in a call of two: a corner, which the person chooses by dragging the picture, or with the arrow
//! keys. A corner stays right when the size of the window changes.

use leptos::{ev, html, prelude::*};

use crate::{
    components::kit::icon::{Icon, IconName},
    language::Language,
    sentence,
};

/// Shorter movements of a finger or a mouse are taps, in CSS pixels.
const LEAST_DRAG_PX: i32 = 8;

/// A corner of the stage.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Corner {
    is_top: bool,
    is_left: bool,
}

impl Corner {
    fn as_str(self) -> &'static str {
        match (self.is_top, self.is_left) {
            (true, true) => "top-left",
            (true, false) => "top-right",
            (false, true) => "bottom-left",
            (false, false) => "bottom-right",
        }
    }

    /// The next corner, clockwise.
    fn next(self) -> Self {
        Self { is_top: self.is_left, is_left: !self.is_top }
    }

    fn moved(self, key: &str) -> Option<Self> {
        Some(match key {
            "ArrowUp" => Self { is_top: true, ..self },
            "ArrowDown" => Self { is_top: false, ..self },
            "ArrowLeft" => Self { is_left: true, ..self },
            "ArrowRight" => Self { is_left: false, ..self },
            _ => return None,
        })
    }
}

/// A drag that is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Drag {
    pointer: i32,
    from: (i32, i32),
    by: (i32, i32),
    /// Whether it is long enough to be no tap.
    is_drag: bool,
}

/// The place of the local picture.
#[derive(Debug, Clone, Copy)]
pub struct OwnPicture {
    can_move: Signal<bool>,
    corner: RwSignal<Corner>,
    drag: RwSignal<Option<Drag>>,
}

impl OwnPicture {
    /// At the bottom right. `can_move` says whether the picture lies over that of another member now.
    #[must_use]
    pub fn new(can_move: Signal<bool>) -> Self {
        Self { can_move, corner: RwSignal::new(Corner::default()), drag: RwSignal::new(None) }
    }

    /// The word for the corner, for the style sheet; `None` where the picture has its own place.
    pub fn corner(self) -> Option<&'static str> {
        self.can_move.get().then(|| self.corner.get().as_str())
    }

    /// The CSS property `translate` during a drag.
    pub fn translate(self) -> Option<String> {
        let Drag { by: (x, y), .. } = self.drag.get().filter(|drag| drag.is_drag)?;
        Some(format!("{x}px {y}px"))
    }

    /// Handles a finger or a mouse button that is pressed on the picture.
    pub fn handle_down(self, event: &ev::PointerEvent) {
        if self.can_move.get_untracked() && event.is_primary() && event.button() == 0 {
            let from = (event.client_x(), event.client_y());
            let drag = Drag { pointer: event.pointer_id(), from, by: (0, 0), is_drag: false };
            self.drag.set(Some(drag));
        }
    }

    /// Handles a movement.
    pub fn handle_move(self, event: &ev::PointerEvent, tile: NodeRef<html::Li>) {
        let Some(mut drag) = self.drag.get_untracked().filter(|drag| drag.pointer == event.pointer_id())
        else {
            return;
        };
        drag.by = (event.client_x() - drag.from.0, event.client_y() - drag.from.1);
        let is_far = drag.by.0.abs().max(drag.by.1.abs()) >= LEAST_DRAG_PX;
        if is_far && !drag.is_drag {
            drag.is_drag = true;
            // From now on the movements outside the picture count, too.
            if let Some(tile) = tile.get_untracked() {
                let _ = tile.set_pointer_capture(drag.pointer);
            }
        }
        self.drag.set(Some(drag));
    }

    /// Handles the end of a drag: the picture goes to the nearest corner.
    pub fn handle_up(self, tile: NodeRef<html::Li>) {
        let Some(Drag { by: (x, y), is_drag: true, .. }) = self.drag.get_untracked() else {
            self.cancel();
            return;
        };
        if let Some(tile) = tile.get_untracked()
            && let Some(stage) = tile.offset_parent()
        {
            let middle = |start: i32, length: i32, by: i32| 2 * (start + by) + length;
            self.corner.set(Corner {
                is_top: middle(tile.offset_top(), tile.offset_height(), y) < stage.client_height(),
                is_left: middle(tile.offset_left(), tile.offset_width(), x) < stage.client_width(),
            });
        }
        self.cancel();
    }

    /// Ends a drag without an effect.
    pub fn cancel(self) {
        if self.drag.get_untracked().is_some() {
            self.drag.set(None);
        }
    }
}

/// A button that moves the picture to the next corner, or with an arrow key to the corner in that direction.
#[component]
pub fn MoveButton(
    /// The picture that moves.
    picture: OwnPicture,
) -> AnyView {
    let language = Language::from_context();
    let handle_key = move |event: ev::KeyboardEvent| {
        if let Some(corner) = picture.corner.get_untracked().moved(&event.key()) {
            event.prevent_default();
            picture.corner.set(corner);
        }
    };
    view! {
        <button
            type="button"
            class="tile-button"
            hidden=Signal::derive(move || !picture.can_move.get())
            data-testid="tile-move"
            title=language.text(sentence!(tile.move_picture))
            aria-label=language.text(sentence!(tile.move_picture))
            on:click=move |_| picture.corner.update(|corner| *corner = corner.next())
            on:keydown=handle_key
        >
            <Icon name=IconName::MOVE />
        </button>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn four_presses_go_around_all_corners_clockwise() {
        let mut corner = Corner::default();
        let words: Vec<_> = (0..4)
            .map(|_| {
                corner = corner.next();
                corner.as_str()
            })
            .collect();
        assert_eq!(words, ["bottom-left", "top-left", "top-right", "bottom-right"]);
    }

    #[test]
    fn an_arrow_key_moves_in_its_direction_and_no_further() {
        let corner = Corner::default();
        assert_eq!(corner.moved("ArrowUp").map(Corner::as_str), Some("top-right"));
        assert_eq!(corner.moved("ArrowRight"), Some(corner));
        assert_eq!(corner.moved("Enter"), None);
    }
}
