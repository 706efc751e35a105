//! The logo: an eye, and its line of sight.

use leptos::prelude::*;

/// The logo without text.
#[component]
pub fn Mark() -> AnyView {
    view! {
        <svg class="mark" viewBox="0 0 40 24" aria-hidden="true">
            <path class="mark-eye" d="M2 12C6.2 5.8 11.2 2.7 17 2.7S27.8 5.8 32 12c-4.2 6.2-9.2 9.3-15 9.3S6.2 18.2 2 12Z"></path>
            <path class="mark-line" d="M17 12h22"></path>
            <circle class="mark-pupil" cx="17" cy="12" r="4.2"></circle>
        </svg>
    }
    .into_any()
}

/// Two eyes that see each other: the drawing on the first page.
#[component]
pub fn Sightline() -> AnyView {
    let eye = |class: &'static str| {
        view! {
            <svg class=class viewBox="0 0 136 84" aria-hidden="true">
                <path class="mark-eye" d="M2 42C20 15 42 2 68 2s48 13 66 40c-18 27-40 40-66 40S20 69 2 42Z"></path>
                <path class="mark-line" d="M68 42h68"></path>
                <circle class="mark-pupil" cx="68" cy="42" r="17"></circle>
            </svg>
        }
    };
    view! {
        <div class="sightline" aria-hidden="true">
            {eye("sightline-eye")} <div class="sightline-line"></div> {eye("sightline-eye is-facing")}
        </div>
    }
    .into_any()
}
