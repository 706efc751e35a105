//! Who gets the next message: everyone, or one member.

use leptos::prelude::*;
use sightline_core::budget::Standing;
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
    session::model::{RoomModel, TileModel},
};

/// Where the next message goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// To all members in the room.
    Everyone,
    /// To one member.
    One(MemberId),
    /// Nowhere: the chosen member is not in the room.
    Nobody,
}

/// The chosen receiver. It stays chosen when it leaves: a private text must not go to everyone because its receiver is gone.
#[derive(Debug, Clone, Copy)]
pub struct Recipient {
    /// Id and name of the member; `None` for everyone.
    chosen: RwSignal<Option<(String, String)>>,
    others: RwSignal<Vec<TileModel>>,
}

impl Recipient {
    /// Everyone.
    #[must_use]
    pub fn everyone(model: RoomModel) -> Self {
        Self { chosen: RwSignal::new(None), others: model.others }
    }

    /// Whether a message is for one member.
    #[must_use]
    pub fn is_one(self) -> bool {
        self.chosen.with(Option::is_some)
    }

    /// The name of the chosen member.
    #[must_use]
    pub fn name(self) -> String {
        self.chosen.get().map(|(_, name)| name).unwrap_or_default()
    }

    /// Whether the chosen member is not in the room.
    #[must_use]
    pub fn is_gone(self) -> bool {
        self.chosen.with(|chosen| {
            chosen.as_ref().is_some_and(|(id, _)| {
                self.others.with(|others| others.iter().all(|tile| tile.member.get_value() != *id))
            })
        })
    }

    /// Where the next message goes.
    #[must_use]
    pub fn destination(self) -> Destination {
        let is_gone = untrack(move || self.is_gone());
        match self.chosen.get_untracked() {
            None => Destination::Everyone,
            Some((id, _)) => match MemberId::new(id) {
                Ok(member) if !is_gone => Destination::One(member),
                _ => Destination::Nobody,
            },
        }
    }
}

/// The choice, if there is more than one other member.
#[component]
pub fn RecipientChoice(
    /// The chosen receiver.
    recipient: Recipient,
) -> AnyView {
    let language = Language::from_context();
    let Recipient { chosen, others } = recipient;
    let readers = Memo::new(move |_| {
        let reads = |tile: &TileModel| {
            tile.reads_private.get() && tile.has_name.get() && tile.standing.get() != Standing::CutOff
        };
        let named = |tile: TileModel| (tile.member.get_value(), member_name(tile, language).get());
        others.get().into_iter().filter(reads).map(named).collect::<Vec<_>>()
    });
    let is_gone = Memo::new(move |_| recipient.is_gone());
    let has_choice = Memo::new(move |_| {
        recipient.is_one() || (others.with(|others| others.len() > 1) && !readers.with(Vec::is_empty))
    });
    let choose = move |event| {
        let id = event_target_value(&event);
        // The option of a member that left changes nothing.
        if id.is_empty() {
            chosen.set(None);
        } else if let Some(reader) = readers.get_untracked().into_iter().find(|(known, _)| *known == id) {
            chosen.set(Some(reader));
        }
    };
    let option = move |(id, name): (String, String)| {
        let own = id.clone();
        let is_chosen = Signal::derive(move || {
            chosen.with(|chosen| chosen.as_ref().is_some_and(|(known, _)| *known == own))
        });
        view! {
            <option value=id prop:selected=is_chosen>
                {name}
            </option>
        }
        .into_any()
    };
    let gone = move || {
        let (id, name) = chosen.get().filter(|_| is_gone.get())?;
        Some(option((id, sentence!(people.has_left)(language.locale()).replace("{}", &name))))
    };
    let gone_words =
        Signal::derive(move || sentence!(people.gone)(language.locale()).replace("{}", &recipient.name()));
    view! {
        <When is=has_choice>
            <div class="chat-to" class:is-private=Signal::derive(move || recipient.is_one())>
                <label class="quiet-select">
                    <Icon name=Signal::derive(move || {
                        if recipient.is_one() { IconName::LOCK } else { IconName::PEOPLE }
                    }) />
                    <span class="chat-to-label">{language.text(sentence!(files.to))}</span>
                    <select translate="no" data-testid="chat-to" on:change=choose>
                        <option value="" prop:selected=Signal::derive(move || !recipient.is_one())>
                            {language.text(sentence!(files.everybody))}
                        </option>
                        {move || readers.get().into_iter().map(option).collect_view()}
                        {gone}
                    </select>
                </label>
                <When is=is_gone>
                    <p class="chat-to-gone" role="status" translate="no" data-testid="chat-to-gone">{gone_words}</p>
                </When>
            </div>
        </When>
    }
    .into_any()
}
