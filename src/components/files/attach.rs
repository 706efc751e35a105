//! Chooses files to send, and their receiver.

use leptos::{html, prelude::*};
use sightline_browser::files::{PickedFiles, choose_folders, input_files};
use sightline_protocol::MemberId;

use crate::{
    components::{
        call::member_name::member_name,
        kit::{
            icon::{Icon, IconName},
            when::When,
        },
    },
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel},
};

/// Buttons for files and for a folder; with more than one other member also a choice of the receiver.
#[component]
pub fn Attach(
    /// The room, whose members can be receivers.
    model: RoomModel,
    /// The action for offering files.
    actions: RoomActions,
    /// The receiver of files; `None` for all members.
    to: RwSignal<Option<String>>,
) -> AnyView {
    let language = Language::from_context();
    let has_choice = Memo::new(move |_| model.others.with(|others| others.len() > 1));
    let offer = move |files: PickedFiles| {
        if !files.is_empty() {
            actions.offer_files.run((recipient(to), files));
        }
    };
    let files = NodeRef::<html::Input>::new();
    let folder = NodeRef::<html::Input>::new();
    Effect::new(move || {
        if let Some(input) = folder.get() {
            choose_folders(&input);
        }
    });
    let take = move |input: NodeRef<html::Input>| {
        if let Some(input) = input.get_untracked() {
            offer(input_files(&input));
        }
    };
    let open = move |input: NodeRef<html::Input>| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    };
    view! {
        <div class="attach">
            <input
                node_ref=files
                class="sr-only"
                type="file"
                multiple
                tabindex="-1"
                data-testid="file-input"
                aria-label=language.text(sentence!(files.choose))
                on:change=move |_| take(files)
            />
            <input
                node_ref=folder
                class="sr-only"
                type="file"
                tabindex="-1"
                data-testid="folder-input"
                aria-label=language.text(sentence!(files.choose_folder))
                on:change=move |_| take(folder)
            />
            <button
                type="button"
                class="attach-button"
                on:click=move |_| open(files)
            >
                <Icon name=IconName::ATTACH />
                {language.text(sentence!(files.send_files))}
            </button>
            <button
                type="button"
                class="icon-button attach-folder"
                title=language.text(sentence!(files.choose_folder))
                aria-label=language.text(sentence!(files.choose_folder))
                on:click=move |_| open(folder)
            >
                <Icon name=IconName::FOLDER />
            </button>
            <When is=has_choice>
                <label class="quiet-select attach-to">
                    <Icon name=IconName::PEOPLE />
                    <span class="sr-only">{language.text(sentence!(files.to))}</span>
                    <select
                        translate="no"
                        data-testid="file-recipient"
                        on:change=move |event| {
                            let chosen = event_target_value(&event);
                            to.set((!chosen.is_empty()).then_some(chosen));
                        }
                    >
                        <option value="">{language.text(sentence!(files.everybody))}</option>
                        <For each=move || model.others.get() key=|tile| tile.member.get_value() let(tile)>
                            <option value=tile.member.get_value()>{member_name(tile, language)}</option>
                        </For>
                    </select>
                </label>
            </When>
        </div>
    }
    .into_any()
}

/// The present receiver of files; `None` for all members.
pub(super) fn recipient(to: RwSignal<Option<String>>) -> Option<MemberId> {
    to.get_untracked().and_then(|id| MemberId::new(id).ok())
}
