//! An engine at a point in time, a network in memory, and clients that say what a test wants.

use std::{
    collections::HashSet,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use rand::{SeedableRng, rngs::StdRng};
use stun_types::{
    attribute::{AttributeWrite, ErrorCode, Nonce, Realm, Username},
    message::{
        IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageClass, MessageWrite, MessageWriteExt,
        MessageWriteVec, Method,
    },
};
use turn_types::{
    attribute::{
        ChannelNumber, Data, Lifetime, RequestedTransport, ReservationToken, XorPeerAddress,
        XorRelayedAddress,
    },
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, DATA, REFRESH, SEND},
};

use crate::{
    time::UnixTime,
    turn::{
        engine::{
            Engine, HostAddresses,
            client::{Client, ClientPath, FiveTuple, ListenerId, PortId, StreamId, Transport},
            credentials::RestCredentials,
            network::Network,
            quotas::AllocationLimits,
            state::EngineSettings,
        },
        metrics::TurnMetrics,
    },
};

pub(super) const SECOND: Duration = Duration::from_secs(1);
pub(super) const MINUTE: Duration = Duration::from_secs(60);
const START: UnixTime = UnixTime::from_ms(1_790_000_000_000);
const SECRET: &[u8] = b"known to both";
pub(super) const SERVER: &str = "93.184.216.34:3478";

pub(super) fn address(raw: &str) -> SocketAddr {
    raw.parse().unwrap()
}

/// Something that the engine sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Sent {
    ToPeer { from: SocketAddr, to: SocketAddr, payload: Vec<u8> },
    ToClient { to: SocketAddr, bytes: Vec<u8> },
}

/// Open ports, and what was sent.
#[derive(Debug, Default)]
pub(super) struct FakeNetwork {
    ports: Vec<Option<SocketAddr>>,
    taken: HashSet<u16>,
    sent: Vec<Sent>,
    answers: Vec<Vec<u8>>,
}

impl Network for FakeNetwork {
    fn open_port(&mut self, at: SocketAddr) -> Option<PortId> {
        if self.taken.contains(&at.port()) || self.ports.contains(&Some(at)) {
            return None;
        }
        self.ports.push(Some(at));
        Some(PortId(self.ports.len() - 1))
    }

    fn close_port(&mut self, port: PortId) {
        assert!(self.ports[port.0].take().is_some(), "{port:?} is closed once");
    }

    fn send_to_peer(&mut self, from: PortId, to: SocketAddr, payload: &[u8]) {
        let from = self.ports[from.0].expect("sent from an open port");
        self.sent.push(Sent::ToPeer { from, to, payload: payload.to_vec() });
    }

    fn send_to_client(&mut self, to: &Client, head: &[u8], payload: &[u8]) -> bool {
        self.sent.push(Sent::ToClient { to: to.five_tuple.client, bytes: [head, payload].concat() });
        true
    }

    fn answer(&mut self, _: &Client, message: &[u8]) {
        self.answers.push(message.to_vec());
    }
}

/// An engine, its network and the time.
pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) network: FakeNetwork,
    pub(super) now: UnixTime,
    metrics: TurnMetrics,
}

impl World {
    pub(super) fn new() -> Self {
        Self::with(|_| {})
    }

    /// A world with changed settings.
    pub(super) fn with(adapt: impl FnOnce(&mut EngineSettings)) -> Self {
        let metrics = TurnMetrics::default();
        let mut settings = EngineSettings {
            credentials: RestCredentials::new(SECRET, 10 * MINUTE),
            nonce_secret: [7; 32],
            random: StdRng::seed_from_u64(1),
            bind: None,
            external: Vec::new(),
            relay_ports: 50_000..=50_999,
            allowed_peers: Vec::new(),
            denied_peers: Vec::new(),
            allocations: AllocationLimits { per_user: 100, per_address: 100, total: 1_000 },
            bytes_per_s: 1e6,
            total_bytes_per_s: None,
            requests_per_s: 2_000,
            unauthenticated_per_s: 100,
            metrics: metrics.clone(),
        };
        adapt(&mut settings);
        let mut engine = Engine::new(settings, START);
        let own = address(SERVER).ip();
        engine.set_host_addresses(HostAddresses { interfaces: vec![own], default: vec![own] });
        Self { engine, network: FakeNetwork::default(), now: START, metrics }
    }

    /// Lets time pass, and calls the engine as often as `io` does.
    pub(super) fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now = (self.now + SECOND).min(until);
            self.engine.handle_timeout(self.now, &mut self.network);
        }
    }

    /// Lets time pass without the engine being told.
    pub(super) fn pass_untold(&mut self, time: Duration) {
        self.now = self.now + time;
    }

    pub(super) fn open_ports(&self) -> usize {
        self.network.ports.iter().flatten().count()
    }

    pub(super) fn allocations(&self) -> i64 {
        self.metrics.allocations.get()
    }

    /// Takes the packets that were sent since the last call, without answers to requests.
    pub(super) fn sent(&mut self) -> Vec<Sent> {
        std::mem::take(&mut self.network.sent)
    }

    /// Marks ports as used by another program.
    pub(super) fn occupy(&mut self, ports: impl IntoIterator<Item = u16>) {
        self.network.taken.extend(ports);
    }

    /// A peer sends a packet to a relayed address. Returns what the engine sent then.
    pub(super) fn peer_sends(&mut self, peer: SocketAddr, relayed: SocketAddr, payload: &[u8]) -> Vec<Sent> {
        let port = self.network.ports.iter().position(|port| *port == Some(relayed));
        if let Some(port) = port {
            self.engine.handle_peer_packet(PortId(port), peer, payload, self.now, &mut self.network);
        }
        self.sent()
    }

    /// A client with valid credentials of this user, which has sent nothing yet.
    pub(super) fn client(&self, address: &str, user: &str) -> TestClient {
        let username = format!("{}:{user}", (self.now + 10 * MINUTE).as_s());
        let password = RestCredentials::new(SECRET, MINUTE).password(&username);
        TestClient {
            client: over_udp(address),
            username,
            password,
            realm: String::new(),
            nonce: String::new(),
        }
    }

    /// A client with an allocation, and its relayed address.
    pub(super) fn allocated(&mut self, address: &str) -> (TestClient, SocketAddr) {
        let mut client = self.client(address, address);
        let answer = client.allocate(self);
        assert_eq!(answer.code, 0);
        (client, answer.relayed())
    }
}

fn over_udp(client: &str) -> Client {
    let five_tuple =
        FiveTuple { transport: Transport::Udp, client: address(client), server: address(SERVER) };
    Client { five_tuple, path: ClientPath::Datagrams(ListenerId(0)) }
}

/// An answer, with its error code or 0.
pub(super) struct Answer {
    pub(super) code: u16,
    bytes: Vec<u8>,
}

impl Answer {
    pub(super) fn message(&self) -> Message<'_> {
        Message::from_bytes(&self.bytes).unwrap()
    }

    pub(super) fn relayed(&self) -> SocketAddr {
        let message = self.message();
        message.attribute::<XorRelayedAddress>().unwrap().addr(message.transaction_id())
    }

    pub(super) fn lifetime(&self) -> Duration {
        Duration::from_secs(self.message().attribute::<Lifetime>().unwrap().seconds().into())
    }

    pub(super) fn token(&self) -> u64 {
        self.message().attribute::<ReservationToken>().unwrap().token()
    }

    pub(super) fn nonce(&self) -> String {
        self.message().attribute::<Nonce>().unwrap().nonce().to_owned()
    }
}

/// A client that takes a nonce with its first request and keeps it.
pub(super) struct TestClient {
    pub(super) client: Client,
    pub(super) username: String,
    pub(super) password: String,
    realm: String,
    pub(super) nonce: String,
}

impl TestClient {
    pub(super) fn over_tcp(mut self) -> Self {
        self.client.five_tuple.transport = Transport::Tcp;
        self.client.path = ClientPath::Stream(StreamId(0));
        self
    }

    /// The client with the same credentials at another address.
    pub(super) fn moved_to(&self, address: &str) -> Self {
        let (username, password) = (self.username.clone(), self.password.clone());
        Self { client: over_udp(address), username, password, realm: String::new(), nonce: String::new() }
    }

    pub(super) fn allocate(&mut self, world: &mut World) -> Answer {
        self.ask(world, ALLOCATE, &[&RequestedTransport::new(17)])
    }

    pub(super) fn refresh(&mut self, world: &mut World, lifetime: Duration) -> Answer {
        let lifetime = u32::try_from(lifetime.as_secs()).unwrap();
        self.ask(world, REFRESH, &[&Lifetime::new(lifetime)])
    }

    pub(super) fn permit(&mut self, world: &mut World, peer: SocketAddr) -> u16 {
        let request = Message::builder_request(CREATE_PERMISSION, MessageWriteVec::new());
        let peer = XorPeerAddress::new(peer, request.transaction_id());
        self.ask_as(world, request, &[&peer]).code
    }

    pub(super) fn bind(&mut self, world: &mut World, number: u16, peer: SocketAddr) -> u16 {
        let request = Message::builder_request(CHANNEL_BIND, MessageWriteVec::new());
        let peer = XorPeerAddress::new(peer, request.transaction_id());
        self.ask_as(world, request, &[&ChannelNumber::new(number), &peer]).code
    }

    /// Sends data to a peer in a Send indication. Returns what the engine sent then.
    pub(super) fn send(&self, world: &mut World, peer: SocketAddr, payload: &[u8]) -> Vec<Sent> {
        let mut message = Message::builder_indication(SEND, MessageWriteVec::new());
        let transaction = message.transaction_id();
        message.add_attribute(&XorPeerAddress::new(peer, transaction)).unwrap();
        message.add_attribute(&Data::new(payload)).unwrap();
        self.say(world, &message.finish());
        world.sent()
    }

    /// Sends data on a channel. Returns what the engine sent then.
    pub(super) fn send_on(&self, world: &mut World, number: u16, payload: &[u8]) -> Vec<Sent> {
        let length = u16::try_from(payload.len()).unwrap();
        self.say(world, &[&number.to_be_bytes(), &length.to_be_bytes(), payload].concat());
        world.sent()
    }

    pub(super) fn ask(
        &mut self,
        world: &mut World,
        method: Method,
        attributes: &[&dyn AttributeWrite],
    ) -> Answer {
        self.ask_as(world, Message::builder_request(method, MessageWriteVec::new()), attributes)
    }

    fn ask_as(
        &mut self,
        world: &mut World,
        request: MessageWriteVec,
        attributes: &[&dyn AttributeWrite],
    ) -> Answer {
        if self.nonce.is_empty() {
            let question = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
            let challenge = self.answer_to(world, &question).unwrap();
            assert_eq!(challenge.code, 401);
            self.take_nonce(&challenge);
        }
        let request = self.signed(request, attributes);
        self.answer_to(world, &request).unwrap()
    }

    /// A complete request of this client, signed.
    pub(super) fn signed(&self, mut request: MessageWriteVec, attributes: &[&dyn AttributeWrite]) -> Vec<u8> {
        for attribute in attributes {
            request.add_attribute(*attribute).unwrap();
        }
        request.add_attribute(&Username::new(&self.username).unwrap()).unwrap();
        request.add_attribute(&Realm::new(&self.realm).unwrap()).unwrap();
        request.add_attribute(&Nonce::new(&self.nonce).unwrap()).unwrap();
        let key =
            LongTermKeyCredentials::new(self.username.clone(), self.password.clone(), self.realm.clone());
        request.add_message_integrity(&key.into(), IntegrityAlgorithm::Sha1).unwrap();
        request.finish()
    }

    pub(super) fn take_nonce(&mut self, answer: &Answer) {
        answer.message().attribute::<Realm>().unwrap().realm().clone_into(&mut self.realm);
        self.nonce = answer.nonce();
    }

    /// The answer to a request; `None` if it gets none.
    pub(super) fn answer_to(&self, world: &mut World, request: &[u8]) -> Option<Answer> {
        self.say(world, request);
        let bytes = world.network.answers.pop()?;
        let message = Message::from_bytes(&bytes).unwrap();
        let code = message.attribute::<ErrorCode>().map_or(0, |error| error.code());
        Some(Answer { code, bytes })
    }

    fn say(&self, world: &mut World, bytes: &[u8]) {
        world.engine.handle_message(&self.client, bytes, world.now, &mut world.network);
    }
}

/// Data that was sent to a peer.
pub(super) fn to_peer(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Vec<Sent> {
    vec![Sent::ToPeer { from, to, payload: payload.to_vec() }]
}

/// Data that was sent to a client on a channel.
pub(super) fn on_channel(to: &TestClient, number: u16, payload: &[u8]) -> Vec<Sent> {
    let length = u16::try_from(payload.len()).unwrap();
    let bytes = [&number.to_be_bytes(), &length.to_be_bytes(), payload].concat();
    vec![Sent::ToClient { to: to.client.five_tuple.client, bytes }]
}

/// Peer and payload of the only Data indication among the sent packets.
pub(super) fn indicated(sent: &[Sent]) -> (SocketAddr, Vec<u8>) {
    let [Sent::ToClient { bytes, .. }] = sent else { panic!("{sent:?}") };
    let message = Message::from_bytes(bytes).unwrap();
    assert!(message.has_method(DATA) && message.has_class(MessageClass::Indication));
    let peer = message.attribute::<XorPeerAddress>().unwrap().addr(message.transaction_id());
    (peer, message.attribute::<Data>().unwrap().data().to_vec())
}

/// An address within the same network, for clients that differ by it.
pub(super) fn nth_address(n: u32) -> IpAddr {
    std::net::Ipv4Addr::from_bits(0x0808_0000 + n).into()
}
