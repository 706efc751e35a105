//! Asks whether to leave: after a key press, and if something would be lost.

use leptos::prelude::*;
use sightline_core::room::HostAction;

use super::unfinished::unfinished_text;
use crate::{
    components::kit::{modal::modal, when::When},
    language::Language,
    sentence,
    session::{departure::Unfinished, model::RoomModel},
};

/// The question, in a modal dialog. The button for staying has the focus, so that further typing does not leave the room.
#[component]
pub fn LeaveDialog(
    /// What would be lost.
    model: RoomModel,
    /// Whether the question is shown.
    is_open: RwSignal<bool>,
    /// Leaves the room.
    leave: Callback<()>,
    /// Ends the room for everyone.
    act: Callback<HostAction>,
) -> AnyView {
    view! {
        <When is=is_open>
            <Question model=model is_open=is_open leave=leave act=act />
        </When>
    }
    .into_any()
}

#[component]
fn Question(
    model: RoomModel,
    is_open: RwSignal<bool>,
    leave: Callback<()>,
    act: Callback<HostAction>,
) -> AnyView {
    let language = Language::from_context();
    let (dialog, close) = modal(is_open.into());
    let ends_it = Memo::new(move |_| model.host.is_host.get() && !model.others.with(Vec::is_empty));
    let text = Signal::derive(move || {
        let text = if ends_it.get() { sentence!(host.end_text) } else { sentence!(leaving.text) };
        text(language.locale())
    });
    let unfinished = Unfinished::of(model);
    let lost = move || {
        let lines = unfinished_text(unfinished, language.locale());
        lines.into_iter().map(|line| view! { <li>{line}</li> }.into_any()).collect_view().into_any()
    };
    view! {
        <dialog
            node_ref=dialog
            class="dialog leave-dialog"
            data-testid="leave-dialog"
            aria-label=language.text(sentence!(leaving.title))
            on:close=move |_| is_open.set(false)
        >
            <h2>{language.text(sentence!(leaving.title))}</h2>
            <p class="dialog-hint">{text}</p>
            {unfinished.is_something().then(|| view! { <ul class="left-lost" data-testid="leave-lost">{lost}</ul> })}
            <div class="leave-dialog-actions">
                <button type="button" class="button" autofocus data-testid="leave-stay" on:click=move |_| close.run(())>
                    {language.text(sentence!(leaving.stay))}
                </button>
                <When is=ends_it>
                    <button type="button" class="button" data-testid="end-confirm" on:click=move |_| act.run(HostAction::End)>
                        {language.text(sentence!(host.end))}
                    </button>
                </When>
                <button type="button" class="button danger" data-testid="leave-confirm" on:click=move |_| leave.run(())>
                    {language.text(sentence!(room.leave))}
                </button>
            </div>
        </dialog>
    }
    .into_any()
}
