//! What is open beside the pictures, and where the focus goes when it opens or closes.

use leptos::{html, prelude::*};

use crate::components::kit::layers::layer;

/// Which panels of a room are open. Of chat and figures at most one, where the chat can be closed: there is little room for two.
#[derive(Debug, Clone, Copy)]
pub struct Panels {
    /// The chat, where it is folded away (style/room.css); elsewhere it is always there.
    pub chat: RwSignal<bool>,
    /// The figures.
    pub figures: RwSignal<bool>,
    /// The invitation.
    pub invitation: RwSignal<bool>,
    /// The settings.
    pub settings: RwSignal<bool>,
    /// The list of shortcuts.
    pub shortcuts: RwSignal<bool>,
    /// The question whether to leave.
    pub leaving: RwSignal<bool>,
    /// What opens the chat; not shown where it is always there.
    pub chat_toggle: NodeRef<html::Button>,
    /// What opens the figures.
    pub figures_toggle: NodeRef<html::Button>,
    /// What one writes into.
    pub composer: NodeRef<html::Textarea>,
}

impl Panels {
    /// All closed.
    #[must_use]
    pub fn closed() -> Self {
        let closed = || RwSignal::new(false);
        Self {
            chat: closed(),
            figures: closed(),
            invitation: closed(),
            settings: closed(),
            shortcuts: closed(),
            leaving: closed(),
            chat_toggle: NodeRef::new(),
            figures_toggle: NodeRef::new(),
            composer: NodeRef::new(),
        }
    }

    /// Opens or folds the chat.
    pub fn toggle_chat(self) {
        self.figures.set(false);
        self.chat.update(|is_open| *is_open = !*is_open);
    }

    /// Unfolds the chat, on a button that is gone then: the focus goes to the one that folds it again.
    pub fn show_chat(self) {
        self.toggle_chat();
        focus(self.chat_toggle);
    }

    /// Opens or closes the figures.
    pub fn toggle_figures(self) {
        self.chat.set(false);
        self.figures.update(|is_open| *is_open = !*is_open);
    }

    /// Unfolds the chat where it is folded away, and goes where one writes.
    pub fn go_to_chat(self) {
        if self.can_fold_chat() && !self.chat.get_untracked() {
            self.toggle_chat();
        }
        // After it is shown.
        request_animation_frame(move || {
            if let Some(composer) = self.composer.try_get_untracked().flatten() {
                let _ = composer.focus();
            }
        });
    }

    /// Opens or closes the settings, and closes the invitation.
    pub fn toggle_settings(self) {
        self.invitation.set(false);
        self.settings.update(|is_open| *is_open = !*is_open);
    }

    /// Opens or closes the invitation, and closes the settings.
    pub fn toggle_invitation(self) {
        self.settings.set(false);
        self.invitation.update(|is_open| *is_open = !*is_open);
    }

    /// Whether something waits for an answer in front of everything else.
    #[must_use]
    pub fn has_dialog(self) -> bool {
        self.shortcuts.get_untracked() || self.leaving.get_untracked()
    }

    /// Lets Escape close chat and figures.
    pub fn close_by_escape(self) {
        layer(
            self.chat.into(),
            Callback::new(move |()| {
                let can_fold = self.can_fold_chat();
                if can_fold {
                    self.chat.set(false);
                }
                can_fold
            }),
            Callback::new(move |()| focus(self.chat_toggle)),
        );
        layer(
            self.figures.into(),
            Callback::new(move |()| {
                self.figures.set(false);
                true
            }),
            Callback::new(move |()| focus(self.figures_toggle)),
        );
    }

    /// Folds the chat, where it can be, and goes back to what opened it.
    pub fn close_chat(self) {
        if self.can_fold_chat() {
            self.chat.set(false);
            focus(self.chat_toggle);
        }
    }

    /// Closes the figures, and goes back to what opened them.
    pub fn close_figures(self) {
        self.figures.set(false);
        focus(self.figures_toggle);
    }

    fn can_fold_chat(self) -> bool {
        self.chat_toggle.get_untracked().is_some_and(|toggle| toggle.offset_width() > 0)
    }
}

fn focus(button: NodeRef<html::Button>) {
    if let Some(button) = button.get_untracked() {
        let _ = button.focus();
    }
}
