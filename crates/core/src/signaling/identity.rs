//! What a page is to the server: the room that it joins, its seat there, and its name, encrypted where the room is protected.

use sightline_protocol::{
    DisplayName, InstanceId, PROTOCOL_VERSION, RoomName, SealedName, VisitorPicture, signaling::ClientMessage,
};

use crate::{
    picture::StillPicture,
    random::SeededRandom,
    trust::{RoomKeys, RoomSecret},
};

/// The parameters of a `join`.
#[derive(Debug, Clone)]
pub struct JoinRequest {
    /// The room to join.
    pub room: RoomName,
    /// The secret of a protected room; `None` for an unprotected one.
    pub secret: Option<RoomSecret>,
    /// The name shown to the others.
    pub name: DisplayName,
    /// The id of this page instance.
    pub instance: InstanceId,
    /// The resume token of an earlier page instance in the same tab.
    pub resume: Option<String>,
    /// Whether a person attends, who waits at a locked room and may become its host.
    pub is_attended: bool,
    /// The token of the server's operator that allows to open a room, where only its holders may.
    pub create_token: Option<String>,
}

/// Makes the messages that say who this page is, under the present keys.
#[derive(Debug)]
pub(super) struct Identity {
    request: JoinRequest,
    /// The keys of a protected room.
    keys: Option<RoomKeys>,
    sealed_name: Option<SealedName>,
    /// Whether the secret may be replaced.
    rekeys: bool,
    /// Nonces of what is encrypted for the server to pass on.
    nonces: SeededRandom,
}

impl Identity {
    pub(super) fn new(request: JoinRequest, nonces: SeededRandom) -> Self {
        let keys = request.secret.map(|secret| RoomKeys::derive(secret, &request.room));
        let mut identity = Self { request, keys, sealed_name: None, rekeys: false, nonces };
        identity.seal_name();
        identity
    }

    pub(super) fn keys(&self) -> Option<&RoomKeys> {
        self.keys.as_ref()
    }

    pub(super) fn use_keys(&mut self, keys: RoomKeys) {
        self.keys = Some(keys);
        self.seal_name();
    }

    pub(super) fn rekeys(&self) -> bool {
        self.rekeys
    }

    pub(super) fn enable_rekeys(&mut self) {
        self.rekeys = true;
    }

    pub(super) fn set_name(&mut self, name: DisplayName) {
        self.request.name = name;
        self.seal_name();
    }

    /// Sets the token with which the next `join` takes the seat again.
    pub(super) fn set_resume(&mut self, resume: Option<String>) {
        self.request.resume = resume;
    }

    pub(super) fn join(&self) -> ClientMessage {
        ClientMessage::Join {
            protocol: PROTOCOL_VERSION,
            room: self.request.room.clone(),
            admission: self.keys.as_ref().and_then(RoomKeys::admission).cloned(),
            name: if self.keys.is_some() { DisplayName::default() } else { self.request.name.clone() },
            sealed_name: self.sealed_name.clone(),
            instance: self.request.instance.clone(),
            resume: self.request.resume.clone(),
            attended: Some(self.request.is_attended),
            create_token: self.request.create_token.clone(),
            rekeys: self.rekeys,
        }
    }

    /// The tag of the present keys, and the name under them; `None` in an unprotected room.
    pub(super) fn rekey(&self) -> Option<ClientMessage> {
        let admission = self.keys.as_ref()?.admission()?.clone();
        Some(ClientMessage::Rekey { admission, sealed_name: self.sealed_name.clone()? })
    }

    /// The picture for the hosts of a locked room.
    pub(super) fn knock_picture(&mut self, picture: &StillPicture) -> Option<ClientMessage> {
        let picture = match &self.keys {
            Some(keys) => VisitorPicture::Sealed(keys.seal_picture(
                picture,
                &self.request.instance,
                &mut self.nonces,
            )?),
            None => VisitorPicture::Jpeg(picture.to_text()?),
        };
        Some(ClientMessage::KnockPicture { picture })
    }

    fn seal_name(&mut self) {
        let keys = self.keys.as_ref();
        self.sealed_name = keys
            .and_then(|keys| keys.seal_name(&self.request.name, &self.request.instance, &mut self.nonces));
    }
}
