//! The work and data that a person loses by leaving a room: for the question before leaving, and for the page afterwards.

use std::cell::Cell;

use leptos::prelude::*;
use sightline_core::{
    measure::run::RunState,
    transfer::{Direction, TransferState},
};

use super::model::{RoomModel, SourceChoice, TransferModel};

/// Unfinished transfers and measurements, and unsaved results.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Number of running transfers in either direction, including files that this person offers and files that wait to be offered.
    pub running_files: usize,
    /// Number of files that arrived and were not saved.
    pub unsaved_files: usize,
    /// Whether a run of this person is in progress.
    pub is_measuring: bool,
    /// Whether a run ended and its report was not saved.
    pub has_unsaved_report: bool,
}

impl Unfinished {
    /// The unfinished work at this moment.
    #[must_use]
    pub fn of(model: RoomModel) -> Self {
        let is_running = |transfer: &TransferModel| {
            transfer.view.with_untracked(|view| match view.state {
                TransferState::Running | TransferState::Paused | TransferState::Verifying => true,
                TransferState::Offered => view.direction == Direction::Sending,
                _ => false,
            })
        };
        let is_unsaved = |transfer: &TransferModel| {
            transfer.url.with_untracked(Option::is_some) && !transfer.is_saved.get_untracked()
        };
        let run = model.run.get_untracked();
        let to_be_offered =
            model.transfers.backlog.with_untracked(|backlog| backlog.waiting + backlog.queued);
        model.transfers.list.with_untracked(|list| Self {
            running_files: to_be_offered + list.iter().filter(|transfer| is_running(transfer)).count(),
            unsaved_files: list.iter().filter(|transfer| is_unsaved(transfer)).count(),
            is_measuring: matches!(run.state, RunState::Waiting | RunState::Running),
            has_unsaved_report: run.state == RunState::Ended && !model.is_report_saved.get_untracked(),
        })
    }

    /// Whether leaving would lose anything.
    #[must_use]
    pub fn is_something(self) -> bool {
        self != Self::default()
    }
}

thread_local! {
    /// A page has one visit at a time. This is no signal, since each additional signal type adds weight to the first visit.
    static LATEST: Cell<Option<Departure>> = const { Cell::new(None) };
}

/// The circumstances in which a person left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// The work that was lost.
    pub unfinished: Unfinished,
    /// `Some` if there was a conversation: whether this tab keeps it.
    pub conversation: Option<Kept>,
    /// The published source, for a return to the room.
    pub source: SourceChoice,
    /// Whether the microphone was on.
    pub microphone: bool,
}

/// Whether this tab keeps the conversation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// The conversation is shown again when the person enters the room again.
    Here,
    /// The conversation is deleted.
    Not,
}

impl Departure {
    /// The departure at this moment.
    #[must_use]
    pub fn of(model: RoomModel) -> Self {
        let kept = if model.settings.preferences.keeps_chat() { Kept::Here } else { Kept::Not };
        Self {
            unfinished: Unfinished::of(model),
            conversation: model.chat.with_untracked(|lines| (!lines.is_empty()).then_some(kept)),
            source: model.source.get_untracked(),
            microphone: model.local.microphone.get_untracked(),
        }
    }

    /// Keeps the departure for the page that is shown next.
    pub fn keep(self) {
        LATEST.set(Some(self));
    }

    /// The latest departure on this page.
    #[must_use]
    pub fn latest() -> Option<Self> {
        LATEST.get()
    }
}
