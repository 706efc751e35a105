//! A button that shows only an icon.

use leptos::prelude::*;

use super::icon::{Icon, IconName};

/// A button without words. Its label is read by screen readers and shown as the tooltip.
#[component]
pub fn IconButton(
    /// The icon to show.
    #[prop(into)]
    icon: Signal<IconName>,
    /// The label: what a press does.
    label: Signal<&'static str>,
    /// Called with each press.
    press: Callback<()>,
    /// The element's `data-testid`, if it has one.
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
