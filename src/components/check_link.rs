//! A link to the connection doctor.

use leptos::{html, prelude::*};

use crate::{
    language::Language, navigation::Navigator, route::Route, running_calls::RunningCalls, sentence,
    session::model::TileModel,
};

/// Opens the doctor in a tab of its own, so that what goes on here goes on; with what the calls use, where there are any.
#[component]
pub fn CheckLink(
    /// The look.
    class: &'static str,
    /// The others in the room.
    #[prop(optional)]
    others: Option<Signal<Vec<TileModel>>>,
) -> AnyView {
    let language = Language::from_context();
    let link = NodeRef::<html::A>::new();
    let href = Navigator::from_context().map(|navigator| navigator.href(&Route::Check)).unwrap_or_default();
    let plain = href.clone();
    let tell = move |_| {
        let (Some(link), Some(others)) = (link.get_untracked(), others) else { return };
        let calls = others.with_untracked(|others| RunningCalls::of(others));
        // Before the browser follows it, which is right after this.
        let _ = link.set_attribute("href", &format!("{plain}{}", calls.to_fragment()));
    };
    view! {
        <a node_ref=link class=class href=href target="_blank" rel="noopener" data-testid="check-link" on:click=tell>
            {language.text(sentence!(check.open))}
        </a>
    }
    .into_any()
}
