//! All tiles, as large as the space allows (style/stage.css).

use leptos::prelude::*;
use sightline_protocol::control::PublishedSource;

use super::{own_picture::OwnPicture, tile::Tile, tile_menu::OwnTile};
use crate::{
    components::{invitation::card::InvitationCard, kit::when::When},
    language::Language,
    sentence,
    session::model::{RoomActions, RoomModel, Setting, TileModel},
};

/// The tiles; a member that is alone also sees the invitation.
#[component]
pub fn Stage(
    /// The room, whose members have the tiles.
    model: RoomModel,
    /// Actions for a tile that may not play.
    actions: RoomActions,
) -> AnyView {
    let language = Language::from_context();
    // Before the server answered, nobody knows who is here.
    let is_alone = Memo::new(move |_| model.has_entered.get() && model.others.with(Vec::is_empty));
    // Whoever was with somebody is not the first here.
    let others_left = RwSignal::new(false);
    Effect::new(move || {
        if !model.others.with(Vec::is_empty) {
            others_left.set(true);
        }
    });
    let count = Signal::derive(move || (model.others.with(Vec::len) + 1).to_string());
    let (blocked, needs_gesture) = (actions.playback_blocked, model.needs_gesture);
    // The first other member with a screen or a file.
    let featured = Memo::new(move |_| {
        let shows = |tile: &TileModel| {
            matches!(tile.source.get(), PublishedSource::Screen | PublishedSource::File)
                && tile.stream.with(Option::is_some)
        };
        let found = model.others.get().into_iter().find(shows);
        found.map(|tile| tile.member.get_value())
    });
    let is_featured =
        move |tile: TileModel| Signal::derive(move || featured.get() == Some(tile.member.get_value()));
    // Only then does the local picture lie over another one (style/stage.css).
    let can_move = Signal::derive(move || model.others.with(Vec::len) == 1 && featured.get().is_none());
    let own = OwnTile { picture: OwnPicture::new(can_move), settings: model.settings, source: model.source };
    let speaker = model.settings.preferences.signal(Setting::Speaker);
    view! {
        <div class="stage" class:is-alone=is_alone>
            <ul class="tiles" class:is-featuring=Signal::derive(move || featured.get().is_some()) data-count=count aria-label=language.text(sentence!(room.stage))>
                <For
                    each=move || model.others.get()
                    key=|tile| tile.member.get_value()
                    children=move |tile| view! { <Tile tile=tile is_featured=is_featured(tile) speaker=speaker blocked=blocked needs_gesture=needs_gesture judge=actions.judge_code host=model.host act=actions.host /> }
                />
                <Tile tile=model.local own=own speaker=speaker blocked=blocked needs_gesture=needs_gesture judge=actions.judge_code host=model.host act=actions.host />
            </ul>
            <When is=is_alone>
                <InvitationCard invitation=model.invitation others_left=others_left is_protected=model.is_protected />
            </When>
        </div>
    }
    .into_any()
}
