//! The choice of a camera, a microphone or a loudspeaker.

use leptos::prelude::*;

use crate::{
    components::kit::choice::ChoiceSelect,
    language::{Language, Sentence},
    sentence,
    session::model::DeviceChoice,
};

/// The value of the option that opens the browser's own dialog. No device has this id.
const PROMPT: &str = "prompt";

/// A list of devices by their labels.
#[component]
pub fn DeviceSelect(
    /// The devices to choose from.
    devices: RwSignal<Vec<DeviceChoice>>,
    /// The id of the chosen device; empty for the browser's choice.
    chosen: RwSignal<String>,
    /// The label, also used to name a device whose label the browser hides.
    label: Sentence,
    /// Opens the browser's own dialog.
    #[prop(optional_no_strip)]
    prompt: Option<Callback<()>>,
    /// Whether the choice is enabled.
    #[prop(optional, into)]
    is_useless: Signal<bool>,
    /// The element's `data-testid`.
    test_id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    let is_disabled =
        Signal::derive(move || is_useless.get() || (prompt.is_none() && devices.with(Vec::is_empty)));
    let options = Signal::derive(move || {
        let locale = language.locale();
        let standard = (String::new(), sentence!(lobby.default_device)(locale).to_owned());
        let named = devices.get().into_iter().enumerate().map(|(at, device)| {
            let words = match device.label {
                unnamed if unnamed.is_empty() => format!("{} {}", label(locale), at + 1),
                words => words,
            };
            (device.id, words)
        });
        let prompted =
            prompt.map(|_| (PROMPT.to_owned(), sentence!(settings.other_device)(locale).to_owned()));
        std::iter::once(standard).chain(named).chain(prompted).collect::<Vec<_>>()
    });
    let prompt = prompt.unwrap_or_else(|| Callback::new(|()| {}));
    view! {
        <ChoiceSelect
            label=label
            options=options
            value=chosen
            instead=(PROMPT, prompt)
            is_disabled=is_disabled
            test_id=test_id
        />
    }
    .into_any()
}
