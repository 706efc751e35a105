//! What only hosts may do.

use sightline_protocol::MemberId;

/// An action that only hosts may do.
#[derive(Debug)]
pub(super) enum HostAction {
    Lock(bool),
    /// Lets a visitor in, or refuses it.
    Answer(MemberId, bool),
    Remove(MemberId),
    MakeHost(MemberId),
    End,
}
