//! The open panels of a room, and where the focus goes when one opens or closes.

use leptos::{html, prelude::*};

use crate::components::kit::layers::layer;

/// Which panels of a room are open. Where the chat can be closed, at most one of chat and figures is open, because there is too
/// little space for two.
#[derive(Debug, Clone, Copy)]
pub struct Panels {
    /// Whether the chat is open, where it can be folded (style/room.css); elsewhere it is always visible.
    pub chat: RwSignal<bool>,
    /// Whether the figures are open.
    pub figures: RwSignal<bool>,
    /// The id of the member whose figures are to be shown as soon as the panel is there.
    pub figures_of: RwSignal<Option<String>>,
    /// Whether the invitation is open.
    pub invitation: RwSignal<bool>,
    /// Whether the settings are open.
    pub settings: RwSignal<bool>,
    /// Whether the list of shortcuts is open.
    pub shortcuts: RwSignal<bool>,
    /// Whether the question about leaving is shown.
    pub leaving: RwSignal<bool>,
    /// The button that opens the chat; hidden where the chat is always visible.
    pub chat_toggle: NodeRef<html::Button>,
    /// The button that opens the figures.
    pub figures_toggle: NodeRef<html::Button>,
    /// The chat's text field.
    pub composer: NodeRef<html::Textarea>,
}

impl Panels {
    /// No panel is open.
    #[must_use]
    pub fn closed() -> Self {
        let closed = || RwSignal::new(false);
        Self {
            chat: closed(),
            figures: closed(),
            figures_of: RwSignal::new(None),
            invitation: closed(),
            settings: closed(),
            shortcuts: closed(),
            leaving: closed(),
            chat_toggle: NodeRef::new(),
            figures_toggle: NodeRef::new(),
            composer: NodeRef::new(),
        }
    }

    /// Opens or closes the chat.
    pub fn toggle_chat(self) {
        self.figures.set(false);
        self.chat.update(|is_open| *is_open = !*is_open);
    }

    /// Opens the chat with a button that then disappears: the focus goes to the button that closes the chat.
    pub fn show_chat(self) {
        self.toggle_chat();
        focus(self.chat_toggle);
    }

    /// Opens the chat, where files are added, and the invitation, whose link the receivers need. A wide window always shows both.
    pub fn show_files_and_link(self) {
        // The width is known only after the page is rendered.
        request_animation_frame(move || {
            if self.can_fold_chat() {
                self.chat.set(true);
                self.invitation.set(true);
            }
        });
    }

    /// Opens or closes the figures.
    pub fn toggle_figures(self) {
        self.chat.set(false);
        self.figures_of.set(None);
        self.figures.update(|is_open| *is_open = !*is_open);
    }

    /// Shows the chat in place of the figures.
    pub fn turn_to_chat(self) {
        self.figures.set(false);
        if self.can_fold_chat() {
            self.chat.set(true);
        } else {
            self.go_to_chat();
        }
    }

    /// Whether the chat is in view. Also false while the figures are open in a wide window, which shows both.
    #[must_use]
    pub fn is_chat_shown(self) -> bool {
        self.chat.get() || !(self.figures.get() || self.can_fold_chat())
    }

    /// Opens the figures, at those of one member.
    pub fn show_figures_of(self, member: Option<String>) {
        self.chat.set(false);
        self.figures.set(true);
        self.figures_of.set(member);
    }

    /// Opens the chat if it is closed, and moves the focus to its text field.
    pub fn go_to_chat(self) {
        if self.can_fold_chat() && !self.chat.get_untracked() {
            self.toggle_chat();
        }
        // Only after the field is visible.
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

    /// Whether a modal dialog is open.
    #[must_use]
    pub fn has_dialog(self) -> bool {
        self.shortcuts.get_untracked() || self.leaving.get_untracked()
    }

    /// Makes Escape close chat and figures.
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

    /// Closes the chat where that is possible, and returns the focus to its button.
    pub fn close_chat(self) {
        if self.can_fold_chat() {
            self.chat.set(false);
            focus(self.chat_toggle);
        }
    }

    /// Closes the figures, and returns the focus to their button.
    pub fn close_figures(self) {
        self.figures.set(false);
        focus(self.figures_toggle);
    }

    fn can_fold_chat(self) -> bool {
        self.chat_toggle.try_get_untracked().flatten().is_some_and(|toggle| toggle.offset_width() > 0)
    }
}

fn focus(button: NodeRef<html::Button>) {
    if let Some(button) = button.get_untracked() {
        let _ = button.focus();
    }
}
