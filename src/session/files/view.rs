//! Writes transfers into the signals that the components show.

use std::{cell::RefCell, collections::HashMap};

use leptos::prelude::*;
use sightline_core::transfer::{
    Backlog, Direction, LeftOut, Offered, TransferHandle, TransferState, TransferView,
};

use crate::session::{
    model::{TransferModel, TransfersModel},
    signals,
};

/// The list as the page shows it.
pub(super) struct TransferList {
    model: TransfersModel,
    /// Owns the signals that are made later, so that they end with the page that shows them.
    owner: Owner,
    known: RefCell<HashMap<TransferHandle, TransferModel>>,
}

impl TransferList {
    pub(super) fn new(model: TransfersModel) -> Self {
        Self { model, owner: Owner::current().unwrap_or_default(), known: RefCell::default() }
    }

    /// Shows the present state of a transfer. `member_name` is the name of the other side, while it is known.
    pub(super) fn show(&self, handle: TransferHandle, view: TransferView, member_name: Option<String>) {
        let is_offered = view.direction == Direction::Receiving && view.state == TransferState::Offered;
        let transfer = match self.find(handle) {
            Some(transfer) => {
                if let Some(name) = member_name {
                    signals::set(transfer.member_name, name);
                }
                signals::set(transfer.view, view);
                transfer
            }
            None => {
                let transfer = self.owner.with(|| TransferModel {
                    handle,
                    view: RwSignal::new(view),
                    member_name: RwSignal::new(member_name.unwrap_or_default()),
                    url: RwSignal::new(None),
                    is_saved: RwSignal::new(false),
                });
                self.known.borrow_mut().insert(handle, transfer);
                self.model.list.try_update(|list| list.push(transfer));
                transfer
            }
        };
        self.show_offered(transfer, is_offered);
    }

    /// Adds a transfer to the list of those that wait for an answer, or removes it.
    fn show_offered(&self, transfer: TransferModel, is_offered: bool) {
        let is_listed = |list: &Vec<TransferModel>| list.iter().any(|known| known.handle == transfer.handle);
        if self.model.offered.try_with_untracked(is_listed) == Some(is_offered) {
            return;
        }
        self.model.offered.try_update(|list| {
            if is_offered {
                list.push(transfer);
            } else {
                list.retain(|known| known.handle != transfer.handle);
            }
        });
    }

    /// Shows the chosen files that cannot be offered yet.
    pub(super) fn show_backlog(&self, backlog: Backlog) {
        signals::set(self.model.backlog, backlog);
    }

    /// Shows how many files wait for an answer, including those that are not in the list.
    pub(super) fn show_all_offered(&self, offered: Offered) {
        signals::set(self.model.all_offered, offered);
    }

    /// Shows the chosen files that are not sent.
    pub(super) fn show_left_out(&self, left_out: LeftOut) {
        if !left_out.is_empty() {
            self.model.left_out.try_update(|shown| shown.merge(left_out));
        }
    }

    /// Shows that these files are being saved, until the returned handle says otherwise.
    pub(super) fn begin_saving(&self, handles: &[TransferHandle]) -> SavingShown {
        signals::set(self.model.is_saving, true);
        signals::set(self.model.has_save_failed, false);
        let saved =
            handles.iter().map(|handle| self.find(*handle).map(|transfer| transfer.is_saved)).collect();
        SavingShown { model: self.model, saved }
    }

    pub(super) fn has(&self, handle: TransferHandle) -> bool {
        self.known.borrow().contains_key(&handle)
    }

    pub(super) fn len(&self) -> usize {
        self.known.borrow().len()
    }

    /// Shows the address from which the file of a transfer can be saved.
    pub(super) fn show_url(&self, handle: TransferHandle, url: &str) {
        if let Some(transfer) = self.find(handle) {
            signals::set(transfer.url, Some(url.to_owned()));
        }
    }

    /// Removes a transfer from the list.
    pub(super) fn forget(&self, handle: TransferHandle) {
        if let Some(transfer) = self.known.borrow_mut().remove(&handle) {
            self.show_offered(transfer, false);
            self.model.list.try_update(|list| list.retain(|known| known.handle != handle));
        }
    }

    fn find(&self, handle: TransferHandle) -> Option<TransferModel> {
        self.known.borrow().get(&handle).copied()
    }
}

/// Shows which of several files are saved.
#[derive(Clone)]
pub(super) struct SavingShown {
    model: TransfersModel,
    saved: Vec<Option<RwSignal<bool>>>,
}

impl SavingShown {
    /// Shows that the file with this place in the list is saved.
    pub(super) fn show_saved(&self, at: usize) {
        if let Some(saved) = self.saved.get(at).copied().flatten() {
            signals::set(saved, true);
        }
    }

    pub(super) fn end(&self, has_failed: bool) {
        signals::set(self.model.is_saving, false);
        signals::set(self.model.has_save_failed, has_failed);
    }
}
