//! The frame watches of all members: the tile of a member attaches its `<video>`, and the driver takes the noted frames.

use std::collections::HashMap;

use sightline_browser::media::frame_watch::FrameWatch;
use sightline_protocol::MemberId;

/// One watch for each member in the room.
#[derive(Debug, Default)]
pub struct FrameWatches(HashMap<MemberId, FrameWatch>);

impl FrameWatches {
    /// The watch of a member; a new one for a new member.
    pub fn of(&mut self, member: &MemberId) -> &FrameWatch {
        self.0.entry(member.clone()).or_default()
    }

    /// Removes the watch of a member that left for good.
    pub fn forget(&mut self, member: &MemberId) {
        self.0.remove(member);
    }
}
