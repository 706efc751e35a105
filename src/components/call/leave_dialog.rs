//! Asks whether to leave after a key press; the button does not ask.

use leptos::{html, prelude::*};

use crate::{
    components::kit::{layers::layer, when::When},
    language::Language,
    sentence,
};

/// The question, in a modal dialog. The button for staying has the focus, so that further typing does not leave the room.
#[component]
pub fn LeaveDialog(
    /// Whether the question is shown.
    is_open: RwSignal<bool>,
    /// Leaves the room.
    leave: Callback<()>,
) -> AnyView {
    view! {
        <When is=is_open>
            <Question is_open=is_open leave=leave />
        </When>
    }
    .into_any()
}

#[component]
fn Question(is_open: RwSignal<bool>, leave: Callback<()>) -> AnyView {
    let language = Language::from_context();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        if let Some(dialog) = dialog.get() {
            // `show_modal` throws if the dialog is open already.
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    // The browser returns the focus to the earlier element.
    layer(
        is_open.into(),
        Callback::new(move |()| {
            close();
            true
        }),
        Callback::new(|()| {}),
    );
    view! {
        <dialog
            node_ref=dialog
            class="dialog leave-dialog"
            data-testid="leave-dialog"
            aria-label=language.text(sentence!(leaving.title))
            on:close=move |_| is_open.set(false)
        >
            <h2>{language.text(sentence!(leaving.title))}</h2>
            <p class="dialog-hint">{language.text(sentence!(leaving.text))}</p>
            <div class="leave-dialog-actions">
                <button type="button" class="button" autofocus data-testid="leave-stay" on:click=move |_| close()>
                    {language.text(sentence!(leaving.stay))}
                </button>
                <button type="button" class="button danger" data-testid="leave-confirm" on:click=move |_| leave.run(())>
                    {language.text(sentence!(room.leave))}
                </button>
            </div>
        </dialog>
    }
    .into_any()
}
