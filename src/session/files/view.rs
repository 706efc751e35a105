//! Writes transfers into the signals that the components show.

use leptos::prelude::*;
use sightline_core::transfer::{TransferHandle, TransferView};

use crate::session::{
    model::{TransferModel, TransfersModel},
    signals,
};

/// The list as the page has it.
pub(super) struct TransferList {
    model: TransfersModel,
    /// Owns the signals that are made later, so that they end with the page that shows them.
    owner: Owner,
}

impl TransferList {
    pub(super) fn new(model: TransfersModel) -> Self {
        Self { model, owner: Owner::current().unwrap_or_default() }
    }

    /// Shows a transfer as it is now. `member_name` is that of the other side, while it is known.
    pub(super) fn show(&self, handle: TransferHandle, view: TransferView, member_name: Option<String>) {
        match self.find(handle) {
            Some(transfer) => {
                if let Some(name) = member_name {
                    signals::set(transfer.member_name, name);
                }
                signals::set(transfer.view, view);
            }
            None => {
                let transfer = self.owner.with(|| TransferModel {
                    handle,
                    view: RwSignal::new(view),
                    member_name: RwSignal::new(member_name.unwrap_or_default()),
                    url: RwSignal::new(None),
                });
                self.model.list.try_update(|list| list.push(transfer));
            }
        }
    }

    /// The file of a transfer can be saved from this address.
    pub(super) fn show_url(&self, handle: TransferHandle, url: &str) {
        if let Some(transfer) = self.find(handle) {
            signals::set(transfer.url, Some(url.to_owned()));
        }
    }

    /// A transfer is no longer known.
    pub(super) fn forget(&self, handle: TransferHandle) {
        self.model.list.try_update(|list| list.retain(|known| known.handle != handle));
    }

    /// Those that are not over.
    pub(super) fn unfinished(&self) -> Vec<(TransferHandle, TransferView)> {
        let all = self.model.list.try_get_untracked().unwrap_or_default();
        let views =
            all.iter().filter_map(|transfer| Some((transfer.handle, transfer.view.try_get_untracked()?)));
        views.filter(|(_, view)| !view.state.is_over()).collect()
    }

    fn find(&self, handle: TransferHandle) -> Option<TransferModel> {
        self.model
            .list
            .try_with_untracked(|list| list.iter().find(|known| known.handle == handle).copied())?
    }
}
