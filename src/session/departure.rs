//! What a person loses by leaving a room, asked before and said afterwards.

use std::cell::Cell;

use leptos::prelude::*;
use sightline_core::{
    measure::run::RunState,
    transfer::{Direction, TransferState},
};

use super::model::{RoomModel, SourceChoice, TransferModel};

/// What is not finished, or not saved.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unfinished {
    /// Files on their way in either direction, offered ones of this person included.
    pub running_files: usize,
    /// Files that came and were not saved.
    pub unsaved_files: usize,
    /// A measurement of this person is on.
    pub is_measuring: bool,
    /// A measurement is over, and nothing of it was saved.
    pub has_unsaved_report: bool,
}

impl Unfinished {
    /// What is not finished now.
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
        model.transfers.list.with_untracked(|list| Self {
            running_files: list.iter().filter(|transfer| is_running(transfer)).count(),
            unsaved_files: list.iter().filter(|transfer| is_unsaved(transfer)).count(),
            is_measuring: matches!(run.state, RunState::Waiting | RunState::Running),
            has_unsaved_report: run.state == RunState::Ended && !model.is_report_saved.get_untracked(),
        })
    }

    /// Whether there is something to lose.
    #[must_use]
    pub fn is_something(self) -> bool {
        self != Self::default()
    }
}

thread_local! {
    /// A page has one visit at a time. Not a signal: signals of a type of their own cost weight in the first visit.
    static LATEST: Cell<Option<Departure>> = const { Cell::new(None) };
}

/// How a person left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Departure {
    /// What was lost by it.
    pub unfinished: Unfinished,
    /// Whether there was a conversation, and whether it is kept in this tab.
    pub conversation: Option<Kept>,
    /// What was published, for who comes back.
    pub source: SourceChoice,
    /// Whether the microphone was on.
    pub microphone: bool,
}

/// Whether something is kept in this tab.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It is there again when the room is entered again.
    Here,
    /// It is gone.
    Not,
}

impl Departure {
    /// A departure now.
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

    /// Keeps it for the page that is shown afterwards.
    pub fn keep(self) {
        LATEST.set(Some(self));
    }

    /// The latest one of this page.
    #[must_use]
    pub fn latest() -> Option<Self> {
        LATEST.get()
    }
}
