//! The mark: an eye, and the line from it to what it sees.

use leptos::prelude::*;

/// The mark alone.
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

/// Two eyes that see each other: the drawing of the first page.
#[component]
pub fn Sightline() -> AnyView {
    view! {
        <svg class="sightline" viewBox="0 0 640 120" aria-hidden="true">
            <path class="sightline-eye" d="M12 60C30 33 52 20 78 20s48 13 66 40c-18 27-40 40-66 40S30 87 12 60Z"></path>
            <path class="sightline-eye" d="M496 60c18-27 40-40 66-40s48 13 66 40c-18 27-40 40-66 40s-48-13-66-40Z"></path>
            <path class="sightline-line" d="M78 60h484"></path>
            <circle class="sightline-pupil" cx="78" cy="60" r="17"></circle>
            <circle class="sightline-pupil" cx="562" cy="60" r="17"></circle>
            <circle class="sightline-spark" cx="78" cy="60" r="4"></circle>
        </svg>
    }
    .into_any()
}
