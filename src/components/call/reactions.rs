//! The reactions to choose from.

use leptos::prelude::*;
use sightline_protocol::Reaction;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        popover::Popover,
        when::When,
    },
    language::{Language, Sentence},
    sentence,
};

/// A button with a popover.
#[component]
pub fn ReactionsMenu(
    /// Shows the chosen reaction to everyone.
    react: Callback<Reaction>,
) -> AnyView {
    let language = Language::from_context();
    let is_open = RwSignal::new(false);
    let popover = Popover::new(is_open);
    let choices = move || {
        let choice = |reaction: Reaction| {
            view! {
                <button
                    type="button"
                    class="reaction"
                    data-testid="reaction"
                    data-reaction=reaction.as_str()
                    title=language.text(reaction_text(reaction))
                    aria-label=language.text(reaction_text(reaction))
                    on:click=move |_| {
                        popover.close();
                        react.run(reaction);
                    }
                >
                    {reaction.emoji()}
                </button>
            }
            .into_any()
        };
        Reaction::ALL.map(choice).into_iter().collect_view()
    };
    view! {
        <div class="reactions">
            <button
                node_ref=popover.toggle
                type="button"
                class="round-button"
                data-testid="reactions-toggle"
                data-tip=language.text(sentence!(people.react))
                aria-label=language.text(sentence!(people.react))
                aria-expanded=popover.expanded()
                on:click=move |_| popover.switch()
            >
                <Icon name=IconName::SMILE />
            </button>
            <When is=is_open>
                // A click anywhere else closes the popover.
                <div class="popover-backdrop reactions-backdrop" on:click=move |_| popover.close()></div>
                <div
                    class="reactions-sheet"
                    role="group"
                    aria-label=language.text(sentence!(people.react))
                    data-testid="reactions"
                >
                    {choices()}
                </div>
            </When>
        </div>
    }
    .into_any()
}

/// The name of a reaction.
#[must_use]
pub fn reaction_text(reaction: Reaction) -> Sentence {
    match reaction {
        Reaction::ThumbsUp => sentence!(people.thumbs_up),
        Reaction::Applause => sentence!(people.applause),
        Reaction::Heart => sentence!(people.heart),
        Reaction::Laughter => sentence!(people.laughter),
        Reaction::Surprise => sentence!(people.surprise),
        Reaction::Celebration | Reaction::Unknown => sentence!(people.celebration),
    }
}
