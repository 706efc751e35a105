//! Writes measurements into the signals that components show.

use leptos::prelude::*;
use sightline_core::measure::{MemberFigures, Metric, Receiver, connection::History};
use sightline_protocol::MemberId;

use super::{room_view::RoomView, signals};

impl RoomView {
    /// Shows a member's figures; rows and details exist only while the panel is open.
    pub fn show_figures(&self, member: &MemberId, shown: MemberFigures) {
        let Some(tile) = self.tile(member) else { return };
        let MemberFigures { figures, truth, selected_pair, receiver, watched } = shown;
        signals::set(tile.quality, Some(figures.quality));
        signals::set(tile.path, figures.path);
        signals::set(tile.pair, selected_pair);
        signals::set(tile.round_trip_s, figures.number(Metric::RoundTripTime));
        signals::set(tile.truth, truth);
        signals::set(tile.seen_by, receiver);
        if let Some((playout, details)) = watched {
            tile.figures.try_set(figures.rows);
            signals::set(tile.playout, Some(playout));
            signals::set(tile.details, details);
        }
    }

    /// Shows the history of a member's figures and events.
    pub fn show_history(&self, member: &MemberId, history: History) {
        if let Some(tile) = self.tile(member) {
            tile.history.try_set(history);
        }
    }

    /// Shows on the local tile which receiver gets the local picture worst.
    pub fn show_own_reception(&self, worst: Option<Receiver>) {
        signals::set(self.model.local.quality, worst.as_ref().map(|worst| worst.quality));
        signals::set(self.model.local.seen_by, worst);
    }
}
