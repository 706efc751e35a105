//! The names of the members as the server lists them, encrypted.
//!
//! Owns the latest one of each member, and what could be read of it. When a member uses another secret, its name comes again, encrypted
//! with that one: it shows that the page of the member has the secret. A page that does not have it yet keeps showing the name that it
//! knew.
//!
//! Invariant: at most [`MAX_LISTED`] members, each once.

use sightline_protocol::{DisplayName, InstanceId, Member, MemberId, Presence};

use super::sealing::Sealing;
use crate::signaling::SignalingEvent;

/// More than a page shows.
const MAX_LISTED: usize = 128;

#[derive(Debug, Default)]
pub(super) struct ListedNames {
    listed: Vec<Listed>,
}

#[derive(Debug)]
struct Listed {
    /// As the server gave it.
    member: Member,
    /// The name that was read last.
    name: Option<DisplayName>,
}

impl ListedNames {
    /// Takes what the server says of the members.
    pub(super) fn handle(&mut self, event: &SignalingEvent) {
        match event {
            SignalingEvent::Joined { members, .. } => {
                self.listed.retain(|known| members.iter().any(|member| member.id == known.member.id));
                members.iter().for_each(|member| self.list(member));
            }
            SignalingEvent::PeerJoined(member) => self.list(member),
            SignalingEvent::PeerAway(id) => {
                if let Some(known) = self.get_mut(id) {
                    known.member.presence = Presence::Away;
                }
            }
            SignalingEvent::PeerLeft(id) | SignalingEvent::PeerRemoved(id) => {
                self.listed.retain(|known| known.member.id != *id);
            }
            _ => {}
        }
    }

    /// The member with a readable name, if the name can be read or was read before.
    pub(super) fn read(&mut self, member: Member, sealing: &Sealing) -> Member {
        let (name, sealed_name) =
            sealing.open_name(member.name.clone(), member.sealed_name.clone(), &member.instance);
        let Some(known) = self.get_mut(&member.id) else { return Member { name, sealed_name, ..member } };
        match (&known.name, sealed_name) {
            (Some(before), Some(_)) => Member { name: before.clone(), sealed_name: None, ..member },
            (_, sealed_name) => {
                known.name = sealed_name.is_none().then(|| name.clone());
                Member { name, sealed_name, ..member }
            }
        }
    }

    /// The members whose names can be read for the first time, after other keys came into use.
    pub(super) fn read_again(&mut self, sealing: &Sealing) -> Vec<Member> {
        let unread = self.listed.iter().filter(|known| known.name.is_none());
        let unread: Vec<_> = unread.map(|known| known.member.clone()).collect();
        let mut read: Vec<_> = unread.into_iter().map(|member| self.read(member, sealing)).collect();
        read.retain(|member| member.sealed_name.is_none() && member.presence == Presence::Present);
        read
    }

    /// Whether the name of this page shows that it has the present keys.
    pub(super) fn has_present_keys(&self, instance: &InstanceId, sealing: &Sealing) -> bool {
        let known = self.listed.iter().find(|known| known.member.instance == *instance);
        let sealed = known.and_then(|known| known.member.sealed_name.as_ref());
        sealed.is_some_and(|sealed| sealing.is_sealed_with_present_keys(sealed, instance))
    }

    fn list(&mut self, member: &Member) {
        if let Some(known) = self.get_mut(&member.id) {
            if known.member.instance != member.instance {
                known.name = None;
            }
            known.member = member.clone();
        } else if self.listed.len() < MAX_LISTED {
            self.listed.push(Listed { member: member.clone(), name: None });
        }
    }

    fn get_mut(&mut self, id: &MemberId) -> Option<&mut Listed> {
        self.listed.iter_mut().find(|known| known.member.id == *id)
    }
}
