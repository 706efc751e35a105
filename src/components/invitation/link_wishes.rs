//! Lists the wishes of the link that opened the page, and says that nothing happens before a click.

use leptos::prelude::*;

use crate::{
    chunk,
    consent::Wish,
    language::{Language, Locale, Sentence},
    sentence,
    session::model::{LobbyModel, SourceChoice},
};

chunk! {
    /// [`LinkWishes`], loaded on demand.
    pub fn load_link_wishes, preload_link_wishes in engine(model: LobbyModel) {
        view! { <LinkWishes model=model /> }.into_any()
    }
}

/// The list of wishes; nothing if the link has none.
#[component]
fn LinkWishes(model: LobbyModel) -> AnyView {
    let language = Language::from_context();
    let wishes = model.wishes.get_value();
    if wishes.is_empty() {
        return ().into_any();
    }
    let rows = wishes
        .into_iter()
        .map(|wish| {
            let words = Signal::derive(move || wish_text(&wish, language.locale()));
            view! { <li>{words}</li> }.into_any()
        })
        .collect_view();
    view! {
        <section class="link-wishes" data-testid="link-wishes">
            <h2>{language.text(sentence!(wishes.title))}</h2>
            <ul>{rows}</ul>
            <p>{language.text(sentence!(wishes.hint))}</p>
        </section>
    }
    .into_any()
}

fn wish_text(wish: &Wish, locale: Locale) -> String {
    let with = |sentence: Sentence, value: &str| sentence(locale).replace("{}", value);
    match wish {
        Wish::Publish(SourceChoice::Camera) => sentence!(wishes.camera)(locale).to_owned(),
        Wish::Publish(SourceChoice::Screen) => sentence!(wishes.screen)(locale).to_owned(),
        Wish::Publish(SourceChoice::File) => sentence!(wishes.file)(locale).to_owned(),
        Wish::Publish(SourceChoice::None) => sentence!(wishes.nothing)(locale).to_owned(),
        Wish::Measure(seconds) => with(sentence!(wishes.measure), &seconds.to_string()),
        Wish::RelayOnly => sentence!(wishes.relay)(locale).to_owned(),
        Wish::TabsOnly => sentence!(wishes.tabs)(locale).to_owned(),
        Wish::Sending(limits) => with(sentence!(wishes.sending), limits),
    }
}
