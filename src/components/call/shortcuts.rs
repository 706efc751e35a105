//! Listens for the shortcuts of a call, and lists them.

use leptos::{ev, prelude::*};
use sightline_browser::page::keyboard::key_press;

use super::panels::Panels;
use crate::{
    components::kit::{choice::Switch, icon::IconName, icon_button::IconButton, modal::modal, when::When},
    keys::Shortcut,
    language::{Language, Sentence},
    sentence,
    session::model::switch_value,
};

/// What a shortcut does, in words.
fn words(shortcut: Shortcut) -> Sentence {
    match shortcut {
        Shortcut::Microphone => sentence!(shortcuts.microphone),
        Shortcut::Camera => sentence!(shortcuts.camera),
        Shortcut::Screen => sentence!(shortcuts.screen),
        Shortcut::Hand => sentence!(people.hand_key),
        Shortcut::Chat => sentence!(shortcuts.chat),
        Shortcut::Figures => sentence!(shortcuts.figures),
        Shortcut::Invitation => sentence!(shortcuts.invitation),
        Shortcut::Settings => sentence!(shortcuts.settings),
        Shortcut::Help => sentence!(shortcuts.help),
        Shortcut::Leave => sentence!(shortcuts.leave),
    }
}

/// Calls `act` for every key press that is a shortcut and is not typed into a field, if `is_on` allows it and no dialog is open.
/// Shortcuts can be switched off because single letters hinder people who use speech input (WCAG 2.1, 2.1.4).
pub fn listen(is_on: RwSignal<String>, panels: Panels, act: impl Fn(Shortcut) + 'static) {
    let listener = window_event_listener(ev::keydown, move |event| {
        if is_on.with_untracked(|is_on| *is_on != switch_value(true)) || panels.has_dialog() {
            return;
        }
        if let Some(shortcut) = key_press(&event).and_then(|press| Shortcut::of(&press)) {
            event.prevent_default();
            act(shortcut);
        }
    });
    on_cleanup(move || listener.remove());
}

/// The list of shortcuts, in a modal dialog.
#[component]
pub fn ShortcutsDialog(
    /// Whether the list is shown.
    is_open: RwSignal<bool>,
    /// Whether shortcuts are enabled: `on` or `off`.
    is_on: RwSignal<String>,
) -> AnyView {
    view! {
        <When is=is_open>
            <ShortcutsList is_open=is_open is_on=is_on />
        </When>
    }
    .into_any()
}

#[component]
fn ShortcutsList(is_open: RwSignal<bool>, is_on: RwSignal<String>) -> AnyView {
    let language = Language::from_context();
    let (dialog, close) = modal(is_open.into());
    let rows = Shortcut::ALL.map(|shortcut| {
        let keys = shortcut.keys().iter().map(|key| view! { <kbd>{*key}</kbd> }.into_any());
        view! {
            <div class="shortcut">
                <dt>{language.text(words(shortcut))}</dt>
                <dd>{keys.collect_view()}</dd>
            </div>
        }
        .into_any()
    });
    let talk = view! {
        <div class="shortcut">
            <dt>{language.text(sentence!(people.talk_key))}</dt>
            <dd><kbd>{language.text(sentence!(people.space))}</kbd></dd>
        </div>
    };
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
                            <IconButton
                                icon=IconName::CLOSE
                                label=language.text(sentence!(shortcuts.close))
                                press=close
                                test_id="shortcuts-close"
                            />
                        </header>
                        <div class="dialog-body">
                            <dl class="shortcut-list">{rows.into_iter().collect_view()} {talk}</dl>
                            <p class="dialog-hint">{language.text(sentence!(shortcuts.hint))}</p>
                            <p class="dialog-hint">{language.text(sentence!(shortcuts.layout))}</p>
                            <Switch label=sentence!(shortcuts.on) value=is_on test_id="shortcuts-on" />
                        </div>
                    </dialog>
    }
    .into_any()
}
