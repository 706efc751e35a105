//! A link within the app.

use leptos::{ev, prelude::*};

use crate::{navigation::Navigator, route::Route};

/// A link that changes the page without loading the app again. The browser handles a click that asks for another tab or window.
#[component]
pub fn Link(
    /// The page to open.
    to: Route,
    /// The CSS class.
    class: &'static str,
    /// The label, if the content has no words.
    #[prop(optional, into)]
    label: Option<Signal<&'static str>>,
    /// Whether it opens in another tab.
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
