//! What notes the frames of each member's picture: the tile of a member attaches its `<video>`, the driver takes what was noted.

use std::collections::HashMap;

use sightline_browser::media::frame_watch::FrameWatch;
use sightline_protocol::MemberId;

/// One watch for each member that is in the room.
#[derive(Debug, Default)]
pub struct FrameWatches(HashMap<MemberId, FrameWatch>);

impl FrameWatches {
    /// The watch of a member, made where it is new.
    pub fn of(&mut self, member: &MemberId) -> &FrameWatch {
        self.0.entry(member.clone()).or_default()
    }

    /// The member left for good.
    pub fn forget(&mut self, member: &MemberId) {
        self.0.remove(member);
    }
}
