//! A TURN client over UDP.

use std::{
    net::{IpAddr, Ipv4Addr, SocketAddr},
    sync::atomic::{AtomicU64, Ordering},
};

use sightline_server::turn::credentials::Credential;
use stun_types::{
    attribute::{AttributeWrite, ErrorCode, Nonce, Realm, Username},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWrite, MessageWriteExt,
        MessageWriteVec, Method,
    },
};
use tokio::net::UdpSocket;
use turn_types::{
    attribute::{ChannelNumber, Data, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, DATA, SEND},
};

use super::credentials_until;
use crate::harness::{TestServer, within};

pub(super) struct TurnClient {
    pub(super) socket: UdpSocket,
    pub(super) credential: Credential,
    realm: String,
    nonce: String,
}

/// An answer: its error code, or 0, and its bytes.
pub(super) struct Answer {
    pub(super) code: u16,
    pub(super) bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn message(&self) -> Message<'_> {
        Message::from_bytes(&self.bytes).unwrap()
    }

    pub(super) fn relayed(&self) -> SocketAddr {
        let message = self.message();
        message.attribute::<XorRelayedAddress>().unwrap().addr(message.transaction_id())
    }
}

impl TurnClient {
    /// A client with valid credentials.
    pub(super) async fn new(server: &TestServer) -> Self {
        static USERS: AtomicU64 = AtomicU64::new(0);
        let user = format!("user-{}", USERS.fetch_add(1, Ordering::Relaxed));
        Self::with(server, credentials_until(600, &user)).await
    }

    pub(super) async fn with(server: &TestServer, credentials: (String, String)) -> Self {
        Self::over(Ipv4Addr::LOCALHOST.into(), server, credentials).await
    }

    /// A client that reaches the server by this loopback address.
    pub(super) async fn over(
        loopback: IpAddr,
        server: &TestServer,
        (username, password): (String, String),
    ) -> Self {
        let socket = UdpSocket::bind((loopback, 0)).await.unwrap();
        socket.connect((loopback, server.turn_ports.unwrap().0)).await.unwrap();
        let credential = Credential { username, password };
        Self { socket, credential, realm: String::new(), nonce: String::new() }
    }

    /// A client that has an allocation, and its relayed address.
    pub(super) async fn allocated(server: &TestServer) -> (Self, SocketAddr) {
        let mut client = Self::new(server).await;
        let answer = client.allocate().await;
        assert_eq!(answer.code, 0);
        (client, answer.relayed())
    }

    pub(super) async fn allocate(&mut self) -> Answer {
        self.ask(ALLOCATE, &[&RequestedTransport::new(17)]).await
    }

    pub(super) async fn permit(&mut self, peers: &[SocketAddr]) -> u16 {
        let request = self.request(CREATE_PERMISSION);
        let transaction = request.transaction_id();
        let peers: Vec<_> = peers.iter().map(|peer| XorPeerAddress::new(*peer, transaction)).collect();
        let attributes: Vec<&dyn AttributeWrite> = peers.iter().map(|peer| peer as _).collect();
        self.ask_as(request, &attributes).await.code
    }

    pub(super) async fn bind(&mut self, number: u16, peer: SocketAddr) -> u16 {
        let request = self.request(CHANNEL_BIND);
        let peer = XorPeerAddress::new(peer, request.transaction_id());
        self.ask_as(request, &[&ChannelNumber::new(number), &peer]).await.code
    }

    /// Sends data to a peer in a Send indication.
    pub(super) async fn send(&self, peer: SocketAddr, payload: &[u8]) {
        let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
        let transaction = message.transaction_id();
        message.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
        message.add_attribute(&Data::new(payload)).unwrap();
        self.socket.send(&message.finish()).await.unwrap();
    }

    /// Sends data on a channel.
    pub(super) async fn send_on(&self, number: u16, payload: &[u8]) {
        let length = u16::try_from(payload.len()).unwrap();
        let message = [&number.to_be_bytes(), &length.to_be_bytes(), payload].concat();
        self.socket.send(&message).await.unwrap();
    }

    /// The peer and the payload of the next Data indication.
    pub(super) async fn received(&self) -> (SocketAddr, Vec<u8>) {
        let bytes = self.next().await;
        let message = Message::from_bytes(&bytes).unwrap();
        assert!(message.has_method(DATA) && message.has_class(MessageClass::Indication));
        let peer = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
        (peer, message.attribute::<Data>().unwrap().data().to_vec())
    }

    /// The number and the payload of the next ChannelData.
    pub(super) async fn received_on_channel(&self) -> (u16, Vec<u8>) {
        let bytes = self.next().await;
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        assert_eq!(bytes.len(), 4 + length);
        (u16::from_be_bytes([bytes[0], bytes[1]]), bytes[4..].to_vec())
    }

    pub(super) fn request(&self, method: Method) -> MessageWriteVec {
        Message::builder_request(method, MessageWriteVec::new())
    }

    /// Makes a request with credentials. The first request takes a nonce before.
    pub(super) async fn ask(&mut self, method: Method, attributes: &[&dyn AttributeWrite]) -> Answer {
        self.ask_as(self.request(method), attributes).await
    }

    pub(super) async fn ask_as(
        &mut self,
        request: MessageWriteVec,
        attributes: &[&dyn AttributeWrite],
    ) -> Answer {
        if self.nonce.is_empty() {
            let challenge = self.answer_to(self.request(ALLOCATE).finish()).await;
            assert_eq!(challenge.code, 401);
            self.take_nonce(&challenge);
        }
        self.answer_to(self.signed(request, attributes)).await
    }

    /// A request of this client with its credentials.
    pub(super) fn signed(&self, mut request: MessageWriteVec, attributes: &[&dyn AttributeWrite]) -> Vec<u8> {
        for attribute in attributes {
            request.add_attribute(*attribute).unwrap();
        }
        let Credential { username, password } = &self.credential;
        request.add_attribute(&Username::new(username).unwrap()).unwrap();
        request.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
        request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
        let key = LongTermKeyCredentials::new(username.clone(), password.clone(), self.realm.clone());
        request.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1).unwrap();
        request.finish()
    }

    pub(super) fn take_nonce(&mut self, answer: &Answer) {
        let message = answer.message();
        message.attribute::<Realm>().unwrap().realm().clone_into(&mut self.realm);
        message.attribute::<Nonce>().unwrap().nonce().clone_into(&mut self.nonce);
    }

    pub(super) fn set_nonce(&mut self, nonce: &str) {
        nonce.clone_into(&mut self.nonce);
    }

    pub(super) async fn answer_to(&self, request: Vec<u8>) -> Answer {
        self.socket.send(&request).await.unwrap();
        let transaction = Message::from_bytes(&request).unwrap().transaction_id();
        loop {
            let bytes = self.next().await;
            let Ok(message) = Message::from_bytes(&bytes) else { continue };
            if message.transaction_id() == transaction {
                let code = message.attribute::<ErrorCode>().map_or(0, |error| error.code());
                return Answer { code, bytes };
            }
        }
    }

    pub(super) async fn next(&self) -> Vec<u8> {
        let mut bytes = vec![0; 65_536];
        let length = within(self.socket.recv(&mut bytes)).await.unwrap();
        bytes.truncate(length);
        bytes
    }
}
