//! The settings, in a popover.

use leptos::prelude::*;

use super::panel::SettingsPanel;
use crate::{
    chunk,
    components::kit::{
        icon::{Icon, IconName},
        popover::Popover,
        when::When,
    },
    language::Language,
    sentence,
    session::model::{RememberedPeople, SettingsModel},
};

chunk! {
    /// [`SettingsMenu`] for the lobby, loaded on demand.
    pub fn load_lobby_settings, preload_lobby_settings in room(settings: SettingsModel) {
        view! { <SettingsMenu settings=settings in_lobby=true /> }.into_any()
    }
}

/// A button with a popover.
#[component]
pub fn SettingsMenu(
    /// The settings and their devices.
    settings: SettingsModel,
    /// Whether it is in the lobby.
    #[prop(optional)]
    in_lobby: bool,
    /// Whether the popover is open, if something else opens it too.
    #[prop(optional)]
    is_open: Option<RwSignal<bool>>,
    /// The people that the room's session remembers.
    #[prop(optional)]
    people: Option<RememberedPeople>,
    /// Shows the list of shortcuts, if there is one.
    #[prop(optional)]
    show_shortcuts: Option<Callback<()>>,
) -> AnyView {
    let language = Language::from_context();
    let is_open = is_open.unwrap_or_else(|| RwSignal::new(false));
    let popover = Popover::new(is_open);
    let show_shortcuts = show_shortcuts.map(|show| {
        Callback::new(move |()| {
            popover.close();
            show.run(());
        })
    });
    view! {
        <div class="popover settings">
            <button
                node_ref=popover.toggle
                type="button"
                class="icon-button"
                data-testid="settings-toggle"
                aria-label=language.text(sentence!(settings.title))
                aria-expanded=popover.expanded()
                on:click=move |_| popover.switch()
            >
                <Icon name=IconName::SETTINGS />
            </button>
            <When is=is_open>
                // A click anywhere else closes the popover.
                <div class="popover-backdrop" on:click=move |_| popover.close()></div>
                <div class="popover-sheet settings-sheet" role="group" aria-label=language.text(sentence!(settings.title))>
                    <SettingsPanel settings=settings in_lobby=in_lobby people=people show_shortcuts=show_shortcuts />
                </div>
            </When>
        </div>
    }
    .into_any()
}
