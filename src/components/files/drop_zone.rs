//! Takes files that are dropped or pasted anywhere in the room.

use leptos::{ev, prelude::*, task::spawn_local};
use sightline_browser::files::{
    PickedFiles, dropped_files, is_file_drag, is_on_field, pasted_files, set_no_drop,
};

use super::attach::recipient;
use crate::{
    components::kit::{
        icon::{Icon, IconName},
        when::When,
    },
    language::Language,
    sentence,
    session::model::RoomActions,
};

/// The [`DropZone`] of a room.
#[component]
pub fn RoomDropZone(
    /// The action that offers the files.
    actions: RoomActions,
    /// The member whom the next files are for, if they are not for everybody.
    to: RwSignal<Option<String>>,
) -> AnyView {
    let offer = Callback::new(move |files| actions.offer_files.run((recipient(to), files)));
    view! { <DropZone offer=offer /> }.into_any()
}

/// Listens as long as it is mounted, and says what a drop would do while files hover over the page.
#[component]
pub fn DropZone(
    /// Called with the files.
    offer: Callback<PickedFiles>,
) -> AnyView {
    let language = Language::from_context();
    let is_over = RwSignal::new(false);
    // Other elements of the page may take other kinds of data.
    let has_files = |event: &ev::DragEvent| {
        !event.default_prevented() && event.data_transfer().is_some_and(|data| is_file_drag(&data))
    };
    let over = window_event_listener(ev::dragover, move |event| {
        if has_files(&event) {
            // Otherwise the browser would open the file instead of the page.
            event.prevent_default();
            is_over.try_set(true);
        } else {
            keep_page(&event);
        }
    });
    let left = window_event_listener(ev::dragleave, move |event| {
        // The pointer left the window, not only an element.
        if event.related_target().is_none() {
            is_over.try_set(false);
        }
    });
    let dropped = window_event_listener(ev::drop, move |event| {
        is_over.try_set(false);
        if !has_files(&event) {
            keep_page(&event);
            return;
        }
        event.prevent_default();
        if let Some(data) = event.data_transfer() {
            let reading = dropped_files(&data);
            spawn_local(async move {
                let files = reading.await;
                if !files.is_empty() {
                    let _ = offer.try_run(files);
                }
            });
        }
    });
    let pasted = window_event_listener(ev::paste, move |event| {
        let files = pasted_files(event.clipboard_data());
        if !files.is_empty() {
            event.prevent_default();
            offer.run(files);
        }
    });
    on_cleanup(move || {
        over.remove();
        left.remove();
        dropped.remove();
        pasted.remove();
    });
    view! {
        <When is=is_over>
            <div class="drop-zone">
                <p>
                    <Icon name=IconName::ATTACH />
                    {language.text(sentence!(files.drop))}
                </p>
            </div>
        </When>
    }
    .into_any()
}

/// Prevents the browser from opening a dropped link or picture, which would leave the room. Text fields still accept text.
fn keep_page(event: &ev::DragEvent) {
    if !event.default_prevented() && !is_on_field(event) {
        event.prevent_default();
        set_no_drop(event);
    }
}
