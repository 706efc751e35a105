//! What the keyboard does in a call, and the list of it.

use leptos::{ev, html, prelude::*};
use sightline_browser::keyboard;

use super::{
    choice::Switch,
    icon::{Icon, IconName},
    later::Later,
    when::When,
};
use crate::{
    chunk,
    language::{Language, Sentence},
    sentence,
    session::model::switch_value,
};

/// Something that one key does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortcut {
    /// Microphone on or off.
    Microphone,
    /// Camera on or off.
    Camera,
    /// Share a screen, or stop that.
    Screen,
    /// To the chat.
    Chat,
    /// Figures open or closed.
    Figures,
    /// Invitation open or closed.
    Invitation,
    /// Settings open or closed.
    Settings,
    /// The list.
    Help,
    /// Leave the room.
    Leave,
}

impl Shortcut {
    const ALL: [Self; 9] = [
        Self::Microphone,
        Self::Camera,
        Self::Screen,
        Self::Chat,
        Self::Figures,
        Self::Invitation,
        Self::Settings,
        Self::Help,
        Self::Leave,
    ];

    /// The key, as `KeyboardEvent.key` has it. To leave takes two, since it cannot be taken back.
    fn key(self) -> &'static str {
        match self {
            Self::Microphone => "m",
            Self::Camera => "v",
            Self::Screen => "s",
            Self::Chat => "c",
            Self::Figures => "f",
            Self::Invitation => "i",
            Self::Settings => "o",
            Self::Help => "?",
            Self::Leave => "L",
        }
    }

    /// The keys, as a person reads them.
    fn keys(self) -> &'static [&'static str] {
        match self {
            Self::Microphone => &["M"],
            Self::Camera => &["V"],
            Self::Screen => &["S"],
            Self::Chat => &["C"],
            Self::Figures => &["F"],
            Self::Invitation => &["I"],
            Self::Settings => &["O"],
            Self::Help => &["?"],
            Self::Leave => &["Shift", "L"],
        }
    }

    fn words(self) -> Sentence {
        match self {
            Self::Microphone => sentence!(shortcuts.microphone),
            Self::Camera => sentence!(shortcuts.camera),
            Self::Screen => sentence!(shortcuts.screen),
            Self::Chat => sentence!(shortcuts.chat),
            Self::Figures => sentence!(shortcuts.figures),
            Self::Invitation => sentence!(shortcuts.invitation),
            Self::Settings => sentence!(shortcuts.settings),
            Self::Help => sentence!(shortcuts.help),
            Self::Leave => sentence!(room.leave),
        }
    }
}

/// Calls `act` for every key that is a shortcut and not typed into something, while `is_on` says so (WCAG 2.1, 2.1.4:
/// single letters must not be in the way of who speaks to the computer).
pub fn listen(is_on: RwSignal<String>, act: impl Fn(Shortcut) + 'static) {
    let listener = window_event_listener(ev::keydown, move |event| {
        if is_on.with_untracked(|is_on| *is_on != switch_value(true)) {
            return;
        }
        let pressed = keyboard::plain_key(&event);
        let found = Shortcut::ALL.into_iter().find(|shortcut| pressed.as_deref() == Some(shortcut.key()));
        if let Some(shortcut) = found {
            event.prevent_default();
            act(shortcut);
        }
    });
    on_cleanup(move || listener.remove());
}

/// The list, in front of everything else.
#[component]
pub fn ShortcutsDialog(
    /// Whether it is shown.
    is_open: RwSignal<bool>,
    /// Whether the keys do what it says: `on` or `off`.
    is_on: RwSignal<String>,
) -> AnyView {
    view! {
        <When is=is_open>
            <Later view=load_shortcuts_list(is_open, is_on) />
        </When>
    }
    .into_any()
}

chunk! {
    /// [`ShortcutsList`], when it is here.
    fn load_shortcuts_list, preload_shortcuts_list in panels(is_open: RwSignal<bool>, is_on: RwSignal<String>) {
        view! { <ShortcutsList is_open=is_open is_on=is_on /> }.into_any()
    }
}

#[component]
fn ShortcutsList(is_open: RwSignal<bool>, is_on: RwSignal<String>) -> AnyView {
    let language = Language::from_context();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            // Throws where it is shown already.
            let _ = dialog.show_modal();
        }
    });
    let close = move |_| {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let rows = Shortcut::ALL.map(|shortcut| {
        let keys = shortcut.keys().iter().map(|key| view! { <kbd>{*key}</kbd> }.into_any());
        view! {
            <div class="shortcut">
                <dt>{language.text(shortcut.words())}</dt>
                <dd>{keys.collect_view()}</dd>
            </div>
        }
        .into_any()
    });
    view! {
                    <dialog
                        node_ref=dialog
                        class="dialog"
                        data-testid="shortcuts"
                        aria-label=language.text(sentence!(shortcuts.title))
                        on:close=move |_| is_open.set(false)
                    >
                        <header class="panel-header">
                            <h2>{language.text(sentence!(shortcuts.title))}</h2>
                            <button
                                type="button"
                                class="icon-button"
                                data-testid="shortcuts-close"
                                aria-label=language.text(sentence!(shortcuts.close))
                                on:click=close
                            >
                                <Icon name=IconName::Close />
                            </button>
                        </header>
                        <div class="dialog-body">
                            <dl class="shortcut-list">{rows.into_iter().collect_view()}</dl>
                            <p class="dialog-hint">{language.text(sentence!(shortcuts.hint))}</p>
                            <Switch label=sentence!(shortcuts.on) value=is_on test_id="shortcuts-on" />
                        </div>
                    </dialog>
    }
    .into_any()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_shortcuts_share_a_key() {
        for (at, shortcut) in Shortcut::ALL.into_iter().enumerate() {
            assert!(Shortcut::ALL[..at].iter().all(|other| other.key() != shortcut.key()), "{shortcut:?}");
        }
    }
}
