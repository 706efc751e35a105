//! A button that shows an icon alone.

use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// A button without words. Its label is read by screen readers and shown as the tooltip.
#[component]
pub fn IconButton(
    /// What is shown.
    #[prop(into)]
    icon: Signal<IconName>,
    /// What a press does, in words.
    label: Signal<&'static str>,
    /// Called with each press.
    press: Callback<()>,
    /// `data-testid`, where tests look for it.
    #[prop(optional)]
    test_id: Option<&'static str>,
) -> AnyView {
    view! {
        <button
            type="button"
            class="icon-button"
            data-testid=test_id
            title=label
            aria-label=label
            on:click=move |_| press.run(())
        >
            <Icon name=icon />
        </button>
    }
    .into_any()
}
