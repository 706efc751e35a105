//! Asks for the click that the browser requires before it shares a screen or plays a file.

use leptos::prelude::*;

use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::{Language, Sentence},
    sentence,
    session::model::{FileCommand, FileModel, SourceChoice},
};

/// Shows nothing while no click is required.
#[component]
pub fn SourceResume(
    /// Whether a click is required for a screen.
    is_wanted: RwSignal<bool>,
    /// Asks for a screen.
    choose: Callback<SourceChoice>,
    /// The file, which may require a click.
    file: FileModel,
    /// Plays the file.
    play: Callback<FileCommand>,
) -> AnyView {
    let screen = Card {
        icon: IconName::SCREEN,
        words: [sentence!(room.resume_title), sentence!(room.resume_hint), sentence!(room.resume)],
        press: Callback::new(move |()| choose.run(SourceChoice::Screen)),
    };
    let file_card = Card {
        icon: IconName::FILM,
        words: [sentence!(file.resume_title), sentence!(file.resume_hint), sentence!(file.resume)],
        press: Callback::new(move |()| play.run(FileCommand::Play)),
    };
    view! {
        {card(is_wanted, screen)}
        {card(file.needs_gesture, file_card)}
    }
    .into_any()
}

/// What the click is for.
#[derive(Clone, Copy)]
struct Card {
    icon: IconName,
    /// Title, hint and button label.
    words: [Sentence; 3],
    press: Callback<()>,
}

fn card(is_wanted: RwSignal<bool>, card: Card) -> AnyView {
    let language = Language::from_context();
    let [title, hint, button] = card.words;
    view! {
        <When is=is_wanted>
            <div class="notice source-resume" role="status">
                <Icon name=card.icon />
                <div class="notice-text">
                    <p class="notice-title">{language.text(title)}</p>
                    <p class="notice-hint">{language.text(hint)}</p>
                </div>
                <button
                    type="button"
                    class="button small"
                    data-testid="source-resume"
                    on:click=move |_| card.press.run(())
                >
                    {language.text(button)}
                </button>
            </div>
        </When>
    }
    .into_any()
}
