//! A link within the app.

use leptos::{ev, prelude::*};

use crate::{navigation::Navigator, route::Route};

/// A link that changes the page without loading the app again. A click that asks for another tab or window is
/// left to the browser.
#[component]
pub fn Link(
    /// Where to.
    to: Route,
    /// The look.
    class: &'static str,
    /// What it is called where its content has no words.
    #[prop(optional, into)]
    label: Option<Signal<&'static str>>,
    /// Whether it opens in a tab of its own.
    #[prop(optional)]
    new_tab: bool,
    children: Children,
) -> AnyView {
    let navigator = Navigator::from_context();
    let href = navigator.map(|navigator| navigator.href(&to));
    let follow = move |event: ev::MouseEvent| {
        let is_plain = !new_tab
            && event.button() == 0
            && !(event.ctrl_key() || event.meta_key() || event.shift_key() || event.alt_key());
        if let (Some(navigator), true) = (navigator, is_plain) {
            event.prevent_default();
            navigator.go(to.clone());
        }
    };
    view! {
        <a class=class href=href target=new_tab.then_some("_blank") aria-label=label on:click=follow>
            {children()}
        </a>
    }
    .into_any()
}
