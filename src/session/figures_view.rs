//! Writes what is measured into the signals that the components show.

use leptos::prelude::*;
use sightline_browser::frame_watch::FrameWatch;
use sightline_core::{
    Timestamp,
    measure::{
        Metric,
        connection::{ConnectionDetails, Figures, Subject},
        stamp::FrameTruth,
    },
};
use sightline_protocol::MemberId;

use super::{
    model::{Playout, SeenBy},
    room_view::RoomView,
    signals,
};

impl RoomView {
    /// Shows a member's figures. Rows and details only while somebody looks at them; the history always grows.
    pub fn show_figures(
        &self,
        member: &MemberId,
        figures: Figures,
        playout: Option<Playout>,
        details: ConnectionDetails,
        now: Timestamp,
    ) {
        let Some(tile) = self.tile(member) else { return };
        signals::set(tile.quality, Some(figures.quality));
        signals::set(tile.path, figures.path);
        signals::set(tile.round_trip_s, figures.number(Metric::RoundTripTime));
        let name = tile.name.try_get_untracked().unwrap_or_default();
        let seen_by = figures.sent_quality.zip(figures.reception);
        let seen_by = seen_by.map(|(quality, reception)| SeenBy { name, quality, reception });
        signals::set(tile.seen_by, seen_by);
        self.show_own_reception();
        tile.history.try_update(|history| {
            history.handle_state(Subject::CandidatePair, details.selected_pair().as_deref(), now);
            history.handle_figures(&figures.rows, now);
        });
        if self.is_watched {
            tile.figures.try_set(figures.rows);
            signals::set(tile.playout, playout);
            signals::set(tile.details, details);
        }
    }

    /// Shows what is true of a member's stamped frames.
    pub fn show_truth(&self, member: &MemberId, truth: Option<FrameTruth>) {
        if let Some(tile) = self.tile(member) {
            signals::set(tile.truth, truth);
        }
    }

    /// What notes the frames of a member's picture.
    pub fn frames(&self, member: &MemberId) -> FrameWatch {
        let frames = self.tile(member).and_then(|tile| tile.frames.try_with_value(Clone::clone));
        frames.unwrap_or_default()
    }

    /// One's own tile shows who receives one's picture worst.
    pub fn show_own_reception(&self) {
        let worst = self.model.others.try_with_untracked(|tiles| {
            let seen = tiles.iter().filter_map(|tile| tile.seen_by.try_get_untracked()?);
            seen.min_by_key(|seen| seen.quality.bars)
        });
        let Some(worst) = worst else { return };
        signals::set(self.model.local.quality, worst.as_ref().map(|seen| seen.quality));
        signals::set(self.model.local.seen_by, worst);
    }

    /// Whether rows and details are looked at.
    pub fn watch_figures(&mut self, wanted: bool) {
        self.is_watched = wanted;
    }

    /// Whether they are.
    pub fn shows_figures(&self) -> bool {
        self.is_watched
    }

    /// Keeps what happened with a member.
    pub fn note(&self, member: &MemberId, subject: Subject, word: &str, now: Timestamp) {
        if let Some(tile) = self.tile(member) {
            tile.history.try_update(|history| history.handle_state(subject, Some(word), now));
        }
    }

    /// Keeps when the page was hidden: nothing is measured then.
    pub fn note_visibility(&self, is_visible: bool, now: Timestamp) {
        let word = if is_visible { "visible" } else { "hidden" };
        self.model.others.try_with_untracked(|tiles| {
            for tile in tiles {
                tile.history.try_update(|history| history.handle_state(Subject::Page, Some(word), now));
            }
        });
    }
}
