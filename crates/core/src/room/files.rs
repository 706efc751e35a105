//! Files between the members of a room.

use sightline_protocol::{MemberId, transfer::TransferEnd};

use super::{connection::push_control, output::RoomOutput, session::RoomSession};
use crate::{
    Timestamp,
    transfer::{FileDescription, TransferHandle, TransferOutput, Transfers},
};

impl RoomSession {
    /// Takes a file that the person chose for a member, or for everybody: see [`Transfers::choose`].
    ///
    /// # Errors
    /// [`TransferEnd::TooMany`] where more wait than may.
    pub fn offer_file(
        &mut self,
        to: Option<&MemberId>,
        file: &FileDescription,
        now: Timestamp,
    ) -> Result<TransferHandle, TransferEnd> {
        let present = self.peers.iter().map(|peer| peer.id().clone());
        let members: Vec<_> = present.filter(|member| to.is_none_or(|to| to == member)).collect();
        let chosen = self.transfers.choose(file.clone(), &members, to, now);
        self.drain(now);
        chosen
    }

    /// Does something with the transfers, and takes what comes of it.
    pub fn with_transfers<R>(&mut self, now: Timestamp, act: impl FnOnce(&mut Transfers) -> R) -> R {
        let result = act(&mut self.transfers);
        self.drain(now);
        result
    }

    /// The files on their way.
    #[must_use]
    pub fn transfers(&self) -> &Transfers {
        &self.transfers
    }

    pub(super) fn drain_transfers(&mut self) {
        while let Some(output) = self.transfers.poll_output() {
            match output {
                TransferOutput::Send(to, message) => {
                    let link = self.index_of(&to).and_then(|at| self.peers[at].link.as_ref());
                    if let Some(link) = link.filter(|link| link.watch.is_channel_open()) {
                        push_control(&mut self.outputs, link.id, &message);
                    }
                }
                TransferOutput::Perform(task) => self.outputs.push_back(RoomOutput::Transfer(task)),
            }
        }
    }
}
