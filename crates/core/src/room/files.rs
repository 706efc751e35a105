//! Files between the members of a room.

use sightline_protocol::{MemberId, TransferId};

use super::{connection::push_control, output::RoomOutput, session::RoomSession};
use crate::{
    Timestamp,
    transfer::{FileDescription, TransferHandle, TransferOutput, Transfers},
};

impl RoomSession {
    /// Offers a file to a member, or to everybody present. Where transfers wait for this very file after a reload, they go
    /// on instead. Whom too much is offered to already is left out.
    pub fn offer_file(
        &mut self,
        to: Option<&MemberId>,
        file: &FileDescription,
        now: Timestamp,
    ) -> Vec<TransferHandle> {
        let present = self.peers.iter().map(|peer| peer.id().clone());
        let members: Vec<_> = present.filter(|member| to.is_none_or(|to| to == member)).collect();
        let mut handles = self.transfers.handle_file_again(file, &members, now);
        if handles.is_empty() {
            for member in &members {
                let id = TransferId::from_random(self.random.next_u128());
                handles.extend(self.transfers.offer(member, id, file.clone(), now));
            }
        }
        self.drain(now);
        handles
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
                output => self.outputs.push_back(RoomOutput::Transfer(output)),
            }
        }
    }
}
