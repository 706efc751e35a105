//! A peer connection for the bytes of files only, in addition to a member's link.

use leptos::task::spawn_local;
use sightline_browser::{
    BrowserError,
    js::queue::EventSink,
    rtc::{
        bulk_channel::BulkChannel,
        peer_connection::{PeerConnection, PeerConnectionConfig},
    },
};
use sightline_core::{
    negotiation::{Operation, OperationId},
    room::LinkId,
};
use sightline_protocol::MemberId;

use super::LOW_BYTES;
use crate::session::{input::Input, link::LinkInputs};

/// The browser objects of a bulk link.
pub struct BulkLink {
    // Declared before the connection, so that it is dropped first.
    pub channel: BulkChannel,
    pub connection: PeerConnection,
    pub member: MemberId,
    id: LinkId,
    inputs: EventSink<Input>,
}

impl BulkLink {
    /// Makes the connection and its channel; the browser then asks for a negotiation.
    ///
    /// # Errors
    /// [`BrowserError`] where the browser refuses.
    pub fn open(
        id: LinkId,
        member: MemberId,
        config: &PeerConnectionConfig<'_>,
        LinkInputs { first: inputs, messages }: LinkInputs<'_>,
    ) -> Result<Self, BrowserError> {
        let connection = PeerConnection::new(config, &inputs.map(move |event| Input::Connection(id, event)))?;
        let channel =
            BulkChannel::new(&connection, LOW_BYTES, &messages.map(move |event| Input::Bulk(id, event)))?;
        Ok(Self { channel, connection, member, id, inputs: inputs.clone() })
    }

    /// Performs an operation; its result arrives as an [`Input`].
    pub fn perform(&self, operation_id: OperationId, operation: Operation) {
        let (id, inputs, method) = (self.id, self.inputs.clone(), operation.method());
        let performing = self.connection.perform(operation);
        spawn_local(async move {
            let result = performing.await;
            inputs.push(Input::Completed(id, operation_id, method, result));
        });
    }
}
