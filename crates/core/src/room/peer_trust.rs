//! What the person knows of each member: the code that the two compared, and the device that was verified in an earlier call.
//!
//! Owns [`Verifying`] and, if the page enables it, [`Recognition`], and gives both the same events. It never decides which
//! connection is used, and sends nothing: the session does.
//!
//! Invariant: the recognition learns of every fingerprint before anything that is said on the connection.

use std::collections::VecDeque;

use sightline_protocol::{
    DeviceKey, MemberId, RecognitionMessage, VerificationStep, control::ControlMessage,
};

use super::{
    RoomEvent, RoomOutput,
    verifying::{Consequence, Verifying},
};
use crate::{
    Timestamp,
    peer::PeerSession,
    trust::{
        Acquaintance, ComputationId, KeyTags, Person, PersonId, Recognition, RecognitionOutput, ShortCode,
        Verification,
    },
};

/// What the person knows of the members of a room.
///
/// Contract: [`Self::enable_codes`] and [`Self::enable_recognition`] are called before the session starts; [`Self::handle_device`] at
/// most once, at any time.
#[derive(Debug, Default)]
pub struct PeerTrust {
    codes: Verifying,
    /// `None` if this session recognizes nobody.
    recognition: Option<Recognition>,
    outputs: VecDeque<PeerTrustOutput>,
}

#[derive(Debug)]
pub(super) enum PeerTrustOutput {
    /// Send this on the connection in use of the member.
    Send(MemberId, ControlMessage),
    /// An action for the page.
    Perform(RoomOutput),
}

impl PeerTrust {
    /// Takes part in codes that members compare. `secret` must come from a cryptographic generator and serve nothing else.
    pub fn enable_codes(&mut self, secret: u128) {
        self.codes.enable(secret);
    }

    /// Recognizes people that were verified in earlier calls, as soon as [`Self::handle_device`] gives the key of this device. `secret`
    /// must come from a cryptographic generator and serve nothing else.
    pub fn enable_recognition(&mut self, secret: u128) {
        self.recognition = Some(Recognition::new(secret));
    }

    /// Takes the public key of this device and the people that it remembers. `unix_ms` is the time of day at `now`.
    pub fn handle_device(&mut self, key: DeviceKey, people: Vec<Person>, unix_ms: u64, now: Timestamp) {
        if let Some(recognition) = &mut self.recognition {
            recognition.handle_device(key, people, unix_ms, now);
            self.collect();
        }
    }

    /// Whether this session recognizes people now.
    #[must_use]
    pub fn has_recognition(&self) -> bool {
        self.recognition.as_ref().is_some_and(Recognition::has_device)
    }

    /// Takes the tags that [`RecognitionTask::Compute`](crate::trust::RecognitionTask::Compute) asked for.
    pub fn handle_computed(&mut self, id: ComputationId, tags: Vec<KeyTags>, now: Timestamp) {
        if let Some(recognition) = &mut self.recognition {
            recognition.handle_computed(id, tags, now);
            self.collect();
        }
    }

    /// Forgets a person that was verified in an earlier call.
    pub fn forget(&mut self, person: &PersonId) {
        if let Some(recognition) = &mut self.recognition {
            recognition.forget(person);
            self.collect();
        }
    }

    /// Forgets everybody and the key of this device. This session recognizes nobody from now on; the next one begins with another key.
    pub fn forget_everybody(&mut self) {
        if let Some(recognition) = &mut self.recognition {
            recognition.forget_everybody();
            self.collect();
            self.recognition = None;
        }
    }

    /// The code to compare with a member, and what the person said of it.
    #[must_use]
    pub fn verification(&self, id: &MemberId) -> Verification {
        self.codes.view(id)
    }

    /// What this device knows of a member from earlier calls.
    #[must_use]
    pub fn acquaintance(&self, id: &MemberId) -> Acquaintance {
        self.recognition.as_ref().map(|recognition| recognition.view(id)).unwrap_or_default()
    }

    /// The people that this device remembers, the latest one last.
    #[must_use]
    pub fn people(&self) -> &[Person] {
        self.recognition.as_ref().map_or(&[], Recognition::people)
    }

    // For the session.

    /// Takes the present connections of a member: `peer`, unless the member is gone. `is_opened` says that the `control` channel of the
    /// one in use has just opened.
    pub(super) fn review(
        &mut self,
        id: &MemberId,
        peer: Option<&PeerSession>,
        is_opened: bool,
        now: Timestamp,
    ) {
        let consequence = self.codes.review(id, peer, is_opened, now);
        self.apply(id, consequence);
        if let Some((recognition, peer)) = self.recognition.as_mut().zip(peer) {
            let name = &peer.view().member.name;
            for ends in peer.fingerprints() {
                recognition.handle_fingerprints(id, name, ends);
            }
            if let Some(basis) = peer.code_basis().filter(|_| is_opened) {
                recognition.handle_opened(id, name, &basis.fingerprints, now);
            }
        }
        self.follow_code(id, now);
    }

    /// Takes a step of a member on its connection in use.
    pub(super) fn handle_step(&mut self, from: &MemberId, step: VerificationStep, now: Timestamp) {
        let consequence = self.codes.handle_step(from, step, now);
        self.apply(from, consequence);
    }

    /// Takes a message about a member's device on its connection in use.
    pub(super) fn handle_recognition(
        &mut self,
        from: &MemberId,
        message: RecognitionMessage,
        now: Timestamp,
    ) {
        if let Some(recognition) = &mut self.recognition {
            recognition.handle_message(from, message, now);
            self.collect();
        }
    }

    /// Takes the person's word about the code of a member.
    pub(super) fn set_matching(
        &mut self,
        id: &MemberId,
        code: ShortCode,
        is_matching: bool,
        peer: Option<&PeerSession>,
        now: Timestamp,
    ) {
        let is_changed = self.codes.set_matching(id, code, is_matching, peer);
        self.apply(id, Consequence { send: None, is_changed });
        self.follow_code(id, now);
    }

    pub(super) fn handle_timeout(&mut self, now: Timestamp) {
        if let Some(recognition) = &mut self.recognition {
            recognition.handle_timeout(now);
            self.collect();
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Timestamp> {
        self.recognition.as_ref()?.poll_timeout()
    }

    pub(super) fn poll_output(&mut self) -> Option<PeerTrustOutput> {
        self.outputs.pop_front()
    }

    fn follow_code(&mut self, id: &MemberId, now: Timestamp) {
        let verified = self.codes.view(id).verified;
        if let Some(recognition) = &mut self.recognition {
            recognition.handle_verified(id, verified, now);
            self.collect();
        }
    }

    fn apply(&mut self, id: &MemberId, Consequence { send, is_changed }: Consequence) {
        if let Some(step) = send {
            self.outputs.push_back(PeerTrustOutput::Send(id.clone(), ControlMessage::Verify(step)));
        }
        if is_changed {
            self.report_changed(id.clone());
        }
    }

    fn collect(&mut self) {
        while let Some(output) = self.recognition.as_mut().and_then(Recognition::poll_output) {
            match output {
                RecognitionOutput::Send(to, message) => {
                    self.outputs.push_back(PeerTrustOutput::Send(to, ControlMessage::Recognition(message)));
                }
                RecognitionOutput::Perform(task) => {
                    self.outputs.push_back(PeerTrustOutput::Perform(RoomOutput::Recognition(task)));
                }
                RecognitionOutput::Changed(member) => self.report_changed(member),
            }
        }
    }

    fn report_changed(&mut self, member: MemberId) {
        let event = RoomOutput::Event(RoomEvent::PeerChanged(member));
        self.outputs.push_back(PeerTrustOutput::Perform(event));
    }
}
