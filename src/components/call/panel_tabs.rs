//! The tabs of the side panel that chat and statistics share where a window has no width for both.

use leptos::prelude::*;

use super::panels::Panels;
use crate::{language::Language, sentence};

/// Two buttons in the header of either panel (hidden in wide windows, style/call.css).
#[component]
pub fn PanelTabs(
    /// The panels to switch between.
    panels: Panels,
    /// Whether the header is that of the chat.
    in_chat: bool,
    /// Number of unseen messages.
    unread: Signal<usize>,
) -> AnyView {
    let language = Language::from_context();
    let badge = move || (!in_chat && unread.get() > 0).then(|| unread.get().to_string());
    view! {
        <div class="panel-tabs" role="group" aria-label=language.text(sentence!(people.panels)) translate="no">
            <button
                type="button"
                class="panel-tab"
                data-testid="tab-chat"
                aria-pressed=in_chat.to_string()
                on:click=move |_| panels.turn_to_chat()
            >
                {language.text(sentence!(chat.title))}
                " "
                <span class="panel-tab-unread">{badge}</span>
            </button>
            <button
                type="button"
                class="panel-tab"
                data-testid="tab-stats"
                aria-pressed=(!in_chat).to_string()
                on:click=move |_| panels.show_figures_of(None)
            >
                {language.text(sentence!(figures.title))}
            </button>
        </div>
    }
    .into_any()
}
