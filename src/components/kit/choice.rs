//! A choice of one among several, and a switch.

use leptos::prelude::*;

use crate::{
    language::{Language, Sentence},
    session::model::switch_value,
};

/// The value and the words of everything that can be chosen.
pub type Options = Vec<(String, String)>;

/// A labelled `<select>`.
#[component]
pub fn ChoiceSelect(
    /// What it is for.
    label: Sentence,
    /// What there is.
    options: Signal<Options>,
    /// The value that is chosen.
    value: RwSignal<String>,
    /// Called in place of taking a value that is no choice but leads to one.
    #[prop(optional)]
    instead: Option<(&'static str, Callback<()>)>,
    /// Whether there is a use for the choice.
    #[prop(optional, into)]
    is_disabled: Signal<bool>,
    /// `data-testid`
    test_id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    // The element keeps what was picked even where that is not taken: this shows the value again.
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

/// Something that is on or off.
#[component]
pub fn Switch(
    /// What it is for.
    label: Sentence,
    /// `on` or `off`
    value: RwSignal<String>,
    /// `data-testid`
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
