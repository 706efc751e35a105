//! Clients of a TURN server on 127.0.0.1, over UDP and over TCP.
#![allow(dead_code, reason = "each of the programs uses a part of it")]

use std::{
    net::SocketAddr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use sightline_server::turn::credentials::RestCredentials;
use stun_types::{
    attribute::{AttributeWrite, Nonce, Realm, Username},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWrite, MessageWriteExt,
        MessageWriteVec, Method,
    },
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket},
    time::timeout_at,
};
use turn_types::{
    attribute::{ChannelNumber, RequestedTransport, XorPeerAddress, XorRelayedAddress},
    message::{ALLOCATE, CHANNEL_BIND},
};

pub(crate) const CHANNEL: u16 = 0x4000;
pub(crate) const HEADER_BYTES: usize = 4;
const ANSWER_PATIENCE: Duration = Duration::from_millis(500);
/// How often a request is sent: a server may lose one of many at once, and may need a minute to get over an attack.
const TRIES: usize = 120;

type Attributes = Vec<Box<dyn AttributeWrite>>;

/// What requests are signed with.
pub(crate) struct Signer {
    credentials: LongTermKeyCredentials,
    nonce: String,
}

impl Signer {
    fn new(challenge: &[u8], user: &str, secret: &str) -> Self {
        let challenge = Message::from_bytes(challenge).unwrap();
        let realm = challenge.attribute::<Realm>().unwrap().realm().to_owned();
        let nonce = challenge.attribute::<Nonce>().unwrap().nonce().to_owned();
        let username = format!("{}:{user}", unix_s() + 600);
        let password = RestCredentials::new(secret.as_bytes(), Duration::ZERO).password(&username);
        Self { credentials: LongTermKeyCredentials::new(username, password, realm), nonce }
    }

    pub(crate) fn with_wrong_password(mut self) -> Self {
        let (username, realm) = (self.credentials.username().to_owned(), self.credentials.realm().to_owned());
        self.credentials = LongTermKeyCredentials::new(username, "wrong".to_owned(), realm);
        self
    }

    pub(crate) fn request(
        &self,
        method: Method,
        attributes: impl FnOnce(&MessageWriteVec) -> Attributes,
    ) -> Vec<u8> {
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        for attribute in attributes(&request) {
            request.add_attribute(&*attribute).unwrap();
        }
        request.add_attribute(&Username::new(self.credentials.username()).unwrap()).unwrap();
        request.add_attribute(&Realm::new(self.credentials.realm()).unwrap()).unwrap();
        request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
        request.add_message_integrity(&self.credentials.clone().into(), IntegrityAlgorithm::Sha1).unwrap();
        request.finish()
    }
}

/// A client over UDP.
pub(crate) struct Client<'a> {
    socket: &'a UdpSocket,
    pub(crate) signer: Signer,
}

impl<'a> Client<'a> {
    pub(crate) async fn new(socket: &'a UdpSocket, port: u16, user: &str, secret: &str) -> Self {
        socket.connect(("127.0.0.1", port)).await.unwrap();
        let challenge = answer_to(socket, question()).await;
        Self { socket, signer: Signer::new(&challenge, user, secret) }
    }

    pub(crate) async fn allocate(&mut self) -> SocketAddr {
        relayed(&self.ask(ALLOCATE, |_| vec![Box::new(RequestedTransport::new(17))]).await)
    }

    pub(crate) async fn bind(&mut self, peer: SocketAddr) {
        self.ask(CHANNEL_BIND, |request| {
            let peer = XorPeerAddress::new(peer, request.transaction_id());
            vec![Box::new(ChannelNumber::new(CHANNEL)), Box::new(peer)]
        })
        .await;
    }

    async fn ask(
        &mut self,
        method: Method,
        attributes: impl FnOnce(&MessageWriteVec) -> Attributes,
    ) -> Vec<u8> {
        let answer = answer_to(self.socket, self.signer.request(method, attributes)).await;
        let message = Message::from_bytes(&answer).unwrap();
        assert!(message.has_class(MessageClass::Success), "{message}");
        answer
    }
}

/// A connection with an allocation, and what signs its requests; `None` where the server closes it.
pub(crate) async fn allocated_stream(port: u16, user: &str, secret: &str) -> Option<(TcpStream, Signer)> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).await.ok()?;
    let signer = Signer::new(&ask_stream(&mut stream, &question()).await?, user, secret);
    let request = signer.request(ALLOCATE, |_| vec![Box::new(RequestedTransport::new(17))]);
    ask_stream(&mut stream, &request).await?;
    Some((stream, signer))
}

async fn ask_stream(stream: &mut TcpStream, request: &[u8]) -> Option<Vec<u8>> {
    stream.write_all(request).await.ok()?;
    let mut answer = vec![0; 20];
    stream.read_exact(&mut answer).await.ok()?;
    answer.resize(20 + usize::from(u16::from_be_bytes([answer[2], answer[3]])), 0);
    stream.read_exact(&mut answer[20..]).await.ok()?;
    Some(answer)
}

fn question() -> Vec<u8> {
    let mut request = Message::builder_request(ALLOCATE, MessageWriteVec::new());
    request.add_attribute(&RequestedTransport::new(17)).unwrap();
    request.finish()
}

fn relayed(answer: &[u8]) -> SocketAddr {
    let answer = Message::from_bytes(answer).unwrap();
    answer.attribute::<XorRelayedAddress>().unwrap().addr(answer.transaction_id())
}

async fn answer_to(socket: &UdpSocket, request: Vec<u8>) -> Vec<u8> {
    let transaction = Message::from_bytes(&request).unwrap().transaction_id();
    let mut bytes = vec![0; 2_048];
    let mut tries = 0;
    loop {
        assert!(tries < TRIES, "no answer");
        tries += 1;
        socket.send(&request).await.unwrap();
        let again_at = tokio::time::Instant::now() + ANSWER_PATIENCE;
        // An error is of a server that does not listen yet.
        while let Ok(received) = timeout_at(again_at, socket.recv(&mut bytes)).await {
            let Ok(length) = received else { continue };
            let is_answer = Message::from_bytes(&bytes[..length])
                .is_ok_and(|message| message.transaction_id() == transaction);
            if is_answer {
                return bytes[..length].to_vec();
            }
        }
    }
}

#[allow(clippy::disallowed_methods, reason = "credentials are about the time of day")]
fn unix_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}
