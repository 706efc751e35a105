//! The choice of a camera or a microphone.

use leptos::prelude::*;

use crate::{
    language::{Language, Sentence},
    sentence,
    session::model::DeviceChoice,
};

/// A list of devices by their labels.
#[component]
pub fn DeviceSelect(
    /// What there is.
    devices: RwSignal<Vec<DeviceChoice>>,
    /// The chosen one.
    chosen: RwSignal<Option<String>>,
    /// What it is for.
    label: Sentence,
    /// What to call a device whose label the browser keeps to itself.
    unnamed: Sentence,
    /// Whether there is a use for the choice.
    #[prop(into)]
    is_enabled: Signal<bool>,
    /// `data-testid`
    test_id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    let is_disabled = move || !is_enabled.get() || devices.with(Vec::is_empty);
    let options = move || {
        let locale = language.locale();
        let number = |at: usize| format!("{} {}", unnamed(locale), at + 1);
        devices
            .get()
            .into_iter()
            .enumerate()
            .map(|(at, device)| {
                let text = if device.label.is_empty() { number(at) } else { device.label };
                let id = device.id.clone();
                let is_chosen = move || chosen.with(|chosen| chosen.as_deref() == Some(id.as_str()));
                view! {
                    <option value=device.id prop:selected=is_chosen>
                        {text}
                    </option>
                }
            })
            .collect_view()
    };
    view! {
        <label class="field">
            <span class="field-label">{language.text(label)}</span>
            <span class="select">
                <select
                    data-testid=test_id
                    disabled=is_disabled
                    on:change=move |event| {
                        let id = event_target_value(&event);
                        chosen.set((!id.is_empty()).then_some(id));
                    }
                >
                    <option value="" prop:selected=move || chosen.with(Option::is_none)>
                        {language.text(sentence!(lobby.default_device))}
                    </option>
                    {options}
                </select>
            </span>
        </label>
    }
    .into_any()
}
