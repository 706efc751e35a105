//! The defense of a room against those whom its hosts do not want.
//!
//! Owns what the server said of hosts, lock and visitors ([`Hosting`]), and in a protected room the replacement of its secret
//! ([`Rekeying`]). It never sends, and holds no connection: the session closes what [`DefenseOutput::ShutOut`] names, passes secrets on, and
//! asks the server.
//!
//! Invariant: when this page removes a member, or learns of a removal, the page is shut out before another secret is passed on.

use std::collections::VecDeque;

use sightline_protocol::{
    AdmissionDigest, InstanceId, MemberId, Rekey, Visitor, VisitorPicture, signaling::ClientMessage,
};

use super::hosting::{HostAction, Hosting};
use crate::{
    Timestamp,
    picture::StillPicture,
    trust::{Refusal, RekeyOutput, Rekeying, RoomKeys, RoomSecret},
};

#[derive(Debug)]
pub(super) enum DefenseOutput {
    /// Ask the server for something that only a host may do.
    Ask(ClientMessage),
    /// Close everything to this page, and never accept anything of it again.
    ShutOut(InstanceId),
    /// Encrypt and decrypt with these keys from now on, and show this link.
    UseKeys(RoomSecret, RoomKeys),
    /// Pass the secret to a member, or to all.
    Pass(Option<MemberId>, Rekey),
    /// Tell the server the tag of the present secret.
    TellServer,
    /// Leave: the room has a secret that no host passes to this page.
    LinkLost,
}

/// Contract: after every `handle_*` and [`Self::act`], call [`Self::poll_output`] until it returns `None`.
#[derive(Debug)]
pub(super) struct Defense {
    hosting: Hosting,
    /// `None` in an unprotected room, which has no secret to replace.
    rekeying: Option<Rekeying>,
    outputs: VecDeque<DefenseOutput>,
}

impl Defense {
    pub(super) fn new(rekeying: Option<Rekeying>) -> Self {
        Self { hosting: Hosting::default(), rekeying, outputs: VecDeque::new() }
    }

    /// Replaces the secret after a removal. `seed` must come from a cryptographic generator and serve nothing else. Returns whether there is
    /// a secret.
    pub(super) fn enable_rekeying(&mut self, seed: u128) -> bool {
        if let Some(rekeying) = &mut self.rekeying {
            rekeying.enable(seed);
        }
        self.rekeying.is_some()
    }

    pub(super) fn hosting(&self) -> &Hosting {
        &self.hosting
    }

    /// Whether a removal by this page replaces the secret: the page and the server know how.
    pub(super) fn can_rekey(&self) -> bool {
        self.rekeying.as_ref().is_some_and(Rekeying::is_possible)
    }

    /// Asks for something that only a host may do; has no effect if this member is none. `removed` is the page to remove, if the secret is to
    /// be replaced.
    pub(super) fn act(&mut self, action: HostAction, removed: Option<InstanceId>, now: Timestamp) {
        if !self.hosting.is_host() {
            return;
        }
        self.outputs.push_back(DefenseOutput::Ask(action.into_message()));
        if let Some((rekeying, page)) = self.rekeying.as_mut().zip(removed) {
            self.outputs.push_back(DefenseOutput::ShutOut(page.clone()));
            rekeying.remove(page, now);
        }
    }

    // Events of the server.

    /// Takes the state on entering, except for the tag: see [`Self::handle_tag`].
    pub(super) fn handle_entered(&mut self, local: MemberId, hosts: Vec<MemberId>, is_locked: bool) {
        self.hosting.handle_entered(local, hosts, is_locked);
    }

    /// Takes the digest of the tag that admits to the room.
    pub(super) fn handle_tag(&mut self, tag: Option<AdmissionDigest>, now: Timestamp) {
        if let Some(rekeying) = &mut self.rekeying {
            rekeying.handle_server(tag, self.hosting.hosts(), self.hosting.local(), now);
        }
    }

    pub(super) fn handle_state(
        &mut self,
        hosts: Vec<MemberId>,
        is_locked: bool,
        tag: Option<AdmissionDigest>,
        now: Timestamp,
    ) {
        self.hosting.handle_state(hosts, is_locked);
        self.handle_tag(tag, now);
    }

    /// As [`Hosting::handle_knock`].
    pub(super) fn handle_knock(
        &mut self,
        visitor: Visitor,
        open: impl FnOnce(&VisitorPicture, &InstanceId) -> Option<StillPicture>,
    ) {
        self.hosting.handle_knock(visitor, open);
    }

    pub(super) fn handle_knock_ended(&mut self, id: &MemberId) {
        self.hosting.handle_knock_ended(id);
    }

    /// Notes that a host removed a page.
    pub(super) fn handle_removed(&mut self, page: InstanceId, now: Timestamp) {
        self.outputs.push_back(DefenseOutput::ShutOut(page.clone()));
        if let Some(rekeying) = &mut self.rekeying {
            rekeying.handle_removed(page, now);
        }
    }

    // Events of the members.

    /// Takes a secret from a member.
    pub(super) fn handle_message(&mut self, from: &MemberId, message: Rekey, now: Timestamp) {
        if let Some(rekeying) = &mut self.rekeying {
            rekeying.handle_message(from, message, now);
        }
    }

    /// Notes that the `control` channel to a member opened: it may have missed a secret.
    pub(super) fn handle_channel_opened(&mut self, member: &MemberId) {
        let message = self.rekeying.as_ref().and_then(Rekeying::message);
        let passed = message.map(|message| DefenseOutput::Pass(Some(member.clone()), message));
        self.outputs.extend(passed);
    }

    /// Notes that a member is gone for good.
    pub(super) fn handle_gone(&mut self, member: &MemberId) {
        if let Some(rekeying) = &mut self.rekeying {
            rekeying.handle_gone(member);
        }
    }

    /// The refusal of a signal as it is to be reported: while the server names a secret that this page does not have yet, honest signals
    /// cannot be opened.
    pub(super) fn explain(&self, refusal: Refusal) -> Refusal {
        let is_outdated = self.rekeying.as_ref().is_some_and(Rekeying::is_outdated);
        if refusal == Refusal::Forged && is_outdated { Refusal::OtherSecret } else { refusal }
    }

    // Time and results.

    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(rekeying) = &mut self.rekeying {
            rekeying.handle_timeout(now);
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.rekeying.as_ref().and_then(Rekeying::poll_timeout)
    }

    pub(super) fn poll_output(&mut self) -> Option<DefenseOutput> {
        if let Some(output) = self.outputs.pop_front() {
            return Some(output);
        }
        let rekeying = self.rekeying.as_mut()?;
        while let Some(output) = rekeying.poll_output() {
            let to = match output {
                RekeyOutput::Use(secret, keys) => return Some(DefenseOutput::UseKeys(secret, keys)),
                RekeyOutput::TellServer => return Some(DefenseOutput::TellServer),
                RekeyOutput::Removed(page) => return Some(DefenseOutput::ShutOut(page)),
                RekeyOutput::LinkLost => return Some(DefenseOutput::LinkLost),
                RekeyOutput::PassOn => None,
                RekeyOutput::PassTo(member) => Some(member),
            };
            if let Some(message) = rekeying.message() {
                return Some(DefenseOutput::Pass(to, message));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use sightline_protocol::RoomName;

    use super::*;

    const NOW: Timestamp = Timestamp::ZERO;

    fn member(id: &str) -> MemberId {
        MemberId::new(id).unwrap()
    }

    fn page(id: &str) -> InstanceId {
        InstanceId::new(id).unwrap()
    }

    fn digest(secret: u128) -> Option<AdmissionDigest> {
        let room = RoomName::new("team").unwrap();
        RoomKeys::derive(RoomSecret::from_random(secret), &room).admission_digest()
    }

    /// The member `host` is host.
    fn entered(local: &str) -> Defense {
        let room = RoomName::new("team").unwrap();
        let rekeying = Rekeying::new(room, RoomSecret::from_random(1), page("own"));
        let mut defense = Defense::new(Some(rekeying));
        assert!(defense.enable_rekeying(5));
        defense.handle_entered(member(local), vec![member("host")], false);
        defense.handle_tag(digest(1), NOW);
        assert!(defense.poll_output().is_none());
        defense
    }

    fn outputs(defense: &mut Defense) -> Vec<String> {
        let outputs = std::iter::from_fn(|| defense.poll_output());
        let word = |output: DefenseOutput| match output {
            DefenseOutput::Ask(message) => format!("ask {message:?}"),
            DefenseOutput::ShutOut(page) => format!("shut out {page}"),
            DefenseOutput::UseKeys(..) => "use".to_owned(),
            DefenseOutput::Pass(to, message) => {
                let to = to.map_or("all".to_owned(), |to| to.to_string());
                format!(
                    "pass to {to}, not to {:?}",
                    message.removed.iter().map(InstanceId::as_str).collect::<Vec<_>>()
                )
            }
            DefenseOutput::TellServer => "tell".to_owned(),
            DefenseOutput::LinkLost => "lost".to_owned(),
        };
        outputs.map(word).collect()
    }

    #[test]
    fn a_removed_page_is_shut_out_before_another_secret_is_passed_on() {
        let mut defense = entered("host");
        assert!(defense.can_rekey());
        defense.act(HostAction::Remove(member("eve")), Some(page("of-eve")), NOW);
        let asked = format!("ask {:?}", ClientMessage::Remove { id: member("eve") });
        let expected = [&asked, "shut out of-eve", "use", "pass to all, not to [\"of-eve\"]", "tell"];
        assert_eq!(outputs(&mut defense), expected);
        defense.handle_channel_opened(&member("late"));
        assert_eq!(outputs(&mut defense), ["pass to late, not to [\"of-eve\"]"]);
    }

    #[test]
    fn who_is_no_host_asks_for_nothing_and_passes_nothing_on() {
        let mut defense = entered("bo");
        defense.act(HostAction::Remove(member("eve")), Some(page("of-eve")), NOW);
        defense.handle_channel_opened(&member("late"));
        assert!(outputs(&mut defense).is_empty());
        defense.handle_removed(page("of-eve"), NOW);
        assert_eq!(outputs(&mut defense), ["shut out of-eve"], "as the server says");
    }

    #[test]
    fn an_unprotected_room_shuts_out_and_replaces_nothing() {
        let mut defense = Defense::new(None);
        assert!(!defense.enable_rekeying(5) && !defense.can_rekey());
        defense.handle_entered(member("host"), vec![member("host")], false);
        defense.handle_tag(digest(2), NOW);
        defense.handle_removed(page("of-eve"), NOW);
        assert_eq!(outputs(&mut defense), ["shut out of-eve"]);
        assert_eq!((defense.poll_timeout(), defense.explain(Refusal::Forged)), (None, Refusal::Forged));
    }

    #[test]
    fn a_signal_that_cannot_be_opened_is_no_forgery_while_the_server_names_another_secret() {
        let mut defense = entered("bo");
        assert_eq!(defense.explain(Refusal::Forged), Refusal::Forged);
        defense.handle_state(vec![member("host")], true, digest(2), NOW);
        assert_eq!(defense.explain(Refusal::Forged), Refusal::OtherSecret);
        assert_eq!(defense.explain(Refusal::Replayed), Refusal::Replayed);
        let due = defense.poll_timeout().unwrap();
        defense.handle_timeout(due);
        assert_eq!(
            (outputs(&mut defense), due.since(NOW)),
            (vec!["lost".to_owned()], Duration::from_secs(20))
        );
    }
}
