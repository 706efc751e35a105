//! The hosts of a room, its lock, and the visitors that wait at it.
//!
//! Owns what the server said of them. It never decides: whether this member is host is the server's word, and so is whatever an
//! action of a host changes. A member's page cannot lock, let in or remove by a message of its own.
//!
//! Invariant: at most [`MAX_HOSTS`] hosts and [`MAX_VISITORS`] visitors, each once; visitors only while this member is host.

use sightline_protocol::{
    DisplayName, InstanceId, MemberId, Visitor, VisitorPicture, signaling::ClientMessage,
};

use crate::picture::StillPicture;

/// As many as a room may have members.
const MAX_HOSTS: usize = 100;
/// More than the server lets wait.
const MAX_VISITORS: usize = 16;

/// Something that only a host may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostAction {
    /// Locks the room, or opens it again.
    Lock(bool),
    /// Lets a visitor in, or refuses it.
    Answer {
        /// The id of the visitor.
        visitor: MemberId,
        /// Whether to let the visitor in.
        admit: bool,
    },
    /// Removes a member.
    Remove(MemberId),
    /// Makes another member a host, too.
    MakeHost(MemberId),
    /// Ends the room for everyone.
    End,
}

impl HostAction {
    /// The message that asks the server for it.
    pub(super) fn into_message(self) -> ClientMessage {
        match self {
            Self::Lock(locked) => ClientMessage::Lock { locked },
            Self::Answer { visitor, admit } => ClientMessage::AnswerKnock { id: visitor, admit },
            Self::Remove(id) => ClientMessage::Remove { id },
            Self::MakeHost(id) => ClientMessage::MakeHost { id },
            Self::End => ClientMessage::End,
        }
    }
}

/// Somebody who waits to be let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VisitorView {
    /// Identifies the visitor in [`HostAction::Answer`].
    pub id: MemberId,
    /// The name; empty if the visitor gave none.
    pub name: DisplayName,
    /// Whether the name could be read; if not, nobody knows who this is.
    pub has_readable_name: bool,
    /// The picture that the visitor shows.
    pub picture: Option<StillPicture>,
    /// The page that waits. Name and picture are bound to it.
    instance: InstanceId,
}

/// The hosts, the lock and the visitors, as the server says.
#[derive(Debug, Default)]
pub struct Hosting {
    local: Option<MemberId>,
    hosts: Vec<MemberId>,
    is_locked: bool,
    visitors: Vec<VisitorView>,
}

impl Hosting {
    /// Whether this member is a host.
    #[must_use]
    pub fn is_host(&self) -> bool {
        self.local.as_ref().is_some_and(|local| self.hosts.contains(local))
    }

    /// Whether nobody is admitted without a host's yes.
    #[must_use]
    pub fn is_locked(&self) -> bool {
        self.is_locked
    }

    /// The members that are hosts.
    #[must_use]
    pub fn hosts(&self) -> &[MemberId] {
        &self.hosts
    }

    /// The visitors that wait, in the order in which they came; empty unless this member is host.
    #[must_use]
    pub fn visitors(&self) -> &[VisitorView] {
        &self.visitors
    }

    /// This member, once it is in the room.
    pub(super) fn local(&self) -> Option<&MemberId> {
        self.local.as_ref()
    }

    /// Takes the state on entering. The server names the visitors afterwards.
    pub(super) fn handle_entered(&mut self, local: MemberId, hosts: Vec<MemberId>, is_locked: bool) {
        self.local = Some(local);
        self.visitors.clear();
        self.handle_state(hosts, is_locked);
    }

    pub(super) fn handle_state(&mut self, mut hosts: Vec<MemberId>, is_locked: bool) {
        hosts.truncate(MAX_HOSTS);
        self.hosts = hosts;
        self.is_locked = is_locked;
        if !self.is_host() {
            self.visitors.clear();
        }
    }

    /// Takes a visitor, whose name was made readable; the server names it again when it shows a picture. `open` decrypts and checks
    /// the picture. The first picture counts, and only that of the page with the name.
    pub(super) fn handle_knock(
        &mut self,
        visitor: Visitor,
        open: impl FnOnce(&VisitorPicture, &InstanceId) -> Option<StillPicture>,
    ) {
        if !self.is_host() {
            return;
        }
        let Visitor { id, name, sealed_name, instance, picture } = visitor;
        let is_full = self.visitors.len() >= MAX_VISITORS;
        match self.visitors.iter_mut().find(|known| known.id == id) {
            Some(known) if known.picture.is_none() && known.instance == instance => {
                known.picture = picture.and_then(|picture| open(&picture, &instance));
            }
            Some(_) => {}
            None if !is_full => {
                let picture = picture.and_then(|picture| open(&picture, &instance));
                let has_readable_name = sealed_name.is_none();
                self.visitors.push(VisitorView { id, name, has_readable_name, picture, instance });
            }
            None => {}
        }
    }

    pub(super) fn handle_knock_ended(&mut self, id: &MemberId) {
        self.visitors.retain(|visitor| visitor.id != *id);
    }
}
