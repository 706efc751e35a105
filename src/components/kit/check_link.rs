//! A link to the connection doctor.

use leptos::{html, prelude::*};

use crate::{
    chunk, language::Language, navigation::Navigator, route::Route, running_calls::RunningCalls, sentence,
    session::model::TileModel,
};

/// Opens the doctor in another tab, so that the present page continues.
#[component]
pub fn CheckLink(
    /// The CSS class.
    class: &'static str,
    /// The element, for a parent that needs it.
    #[prop(optional)]
    element: NodeRef<html::A>,
) -> AnyView {
    let language = Language::from_context();
    view! {
        <a
            node_ref=element
            class=class
            href=doctor()
            target="_blank"
            rel="noopener"
            data-testid="check-link"
        >
            {language.text(sentence!(check_link.open))}
        </a>
    }
    .into_any()
}

chunk! {
    /// [`CallCheckLink`] for one other member, loaded on demand.
    pub fn load_call_check_link, preload_call_check_link in room(other: TileModel) {
        view! { <CallCheckLink others=Signal::derive(move || vec![other]) /> }.into_any()
    }
}

/// The same link, which also passes on a description of the running calls.
#[component]
pub fn CallCheckLink(
    /// The tiles of the other members.
    others: Signal<Vec<TileModel>>,
) -> AnyView {
    let link = NodeRef::<html::A>::new();
    let doctor = doctor();
    let tell = move |_| {
        let Some(link) = link.get_untracked() else { return };
        let calls = others.with_untracked(|others| RunningCalls::of(others));
        // This runs just before the browser follows the link.
        let _ = link.set_attribute("href", &format!("{doctor}{}", calls.to_fragment()));
    };
    view! {
        <span on:click=tell>
            <CheckLink class="check-link" element=link />
        </span>
    }
    .into_any()
}

fn doctor() -> String {
    Navigator::from_context().map(|navigator| navigator.href(&Route::Check)).unwrap_or_default()
}
