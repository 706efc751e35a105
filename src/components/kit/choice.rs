//! A drop-down choice, and a switch.

use leptos::prelude::*;

use crate::{
    language::{Language, Sentence},
    session::model::switch_value,
};

/// Value and label of every option.
pub type Options = Vec<(String, String)>;

/// A `<select>` with a label.
#[component]
pub fn ChoiceSelect(
    /// The label beside the choice.
    label: Sentence,
    /// The options, in display order.
    options: Signal<Options>,
    /// The chosen value.
    value: RwSignal<String>,
    /// Called for an option that opens another choice instead of being a value.
    #[prop(optional)]
    instead: Option<(&'static str, Callback<()>)>,
    /// Whether the choice is enabled.
    #[prop(optional, into)]
    is_disabled: Signal<bool>,
    /// The element's `data-testid`.
    test_id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    // The element keeps the picked option even if it is not accepted; this signal makes it show the value again.
    let shown = RwSignal::new(());
    let choose = move |event| {
        let picked = event_target_value(&event);
        match instead {
            Some((word, run)) if picked == word => {
                run.run(());
                shown.set(());
            }
            _ => value.set(picked),
        }
    };
    let options = move || {
        shown.track();
        options
            .get()
            .into_iter()
            .map(|(id, words)| {
                let own = id.clone();
                let is_chosen = Signal::derive(move || value.with(|value| *value == own));
                view! {
                    <option value=id prop:selected=is_chosen>
                        {words}
                    </option>
                }
            })
            .collect_view()
    };
    view! {
        <label class="field">
            <span class="field-label">{language.text(label)}</span>
            <span class="select">
                <select translate="no" data-testid=test_id disabled=is_disabled on:change=choose>
                    {options}
                </select>
            </span>
        </label>
    }
    .into_any()
}

/// A checkbox with a label, for something that is on or off.
#[component]
pub fn Switch(
    /// The label beside the checkbox.
    label: Sentence,
    /// The value: `on` or `off`.
    value: RwSignal<String>,
    /// The element's `data-testid`.
    test_id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    let is_on = Signal::derive(move || value.with(|value| *value == switch_value(true)));
    view! {
        <label class="switch">
            <span>{language.text(label)}</span>
            <input
                type="checkbox"
                role="switch"
                data-testid=test_id
                prop:checked=is_on
                on:change=move |event| value.set(switch_value(event_target_checked(&event)))
            />
        </label>
    }
    .into_any()
}
