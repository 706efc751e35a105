//! A link to the connection doctor.

use leptos::{html, prelude::*};

use crate::{
    chunk, language::Language, navigation::Navigator, route::Route, running_calls::RunningCalls, sentence,
    session::model::TileModel,
};

/// Opens the doctor in a tab of its own, so that what goes on here goes on.
#[component]
pub fn CheckLink(
    /// The look.
    class: &'static str,
    /// The element, for who does something with it.
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
    /// [`CallCheckLink`] for one other, when it is here.
    pub fn load_call_check_link, preload_call_check_link in engine(other: TileModel) {
        view! { <CallCheckLink others=Signal::derive(move || vec![other]) /> }.into_any()
    }
}

/// Likewise, with what the calls use.
#[component]
pub fn CallCheckLink(
    /// The others in the room.
    others: Signal<Vec<TileModel>>,
) -> AnyView {
    let link = NodeRef::<html::A>::new();
    let doctor = doctor();
    let tell = move |_| {
        let Some(link) = link.get_untracked() else { return };
        let calls = others.with_untracked(|others| RunningCalls::of(others));
        // Before the browser follows it, which is right after this.
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
