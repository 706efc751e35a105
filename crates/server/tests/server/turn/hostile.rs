//! Clients that try to stop the relay for others, or to use up their share. The tests check what a bystander still gets
//! and what the server counts; no test looks at a clock.

use std::net::SocketAddr;

use sightline_protocol::signaling::{ClientMessage, IceServer, ServerMessage};
use stun_types::{
    attribute::{AttributeType, AttributeWrite, Nonce, RawAttribute, Realm, Software, Username},
    message::{BINDING, Message, MessageWrite, MessageWriteExt, MessageWriteVec, Method},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpStream, UdpSocket, tcp::OwnedReadHalf},
    task::JoinSet,
};
use turn_types::{
    attribute::{EvenPort, Lifetime, RequestedTransport, XorPeerAddress},
    message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH},
};

use super::{client::TurnClient, count, server, server_with, stream_client::StreamClient};
use crate::{
    client::Client,
    harness::{TestServer, within},
};

/// Addresses in one request, of 64,800 bytes.
const FAR_TOO_MANY: u32 = 5_400;
/// Packets that a bystander sends during an attack, one after the other.
const PACKETS: u8 = 100;

/// A valid request of this client for this many addresses.
fn create_permission(client: &TurnClient, peers: u32) -> Vec<u8> {
    let request = client.request(CREATE_PERMISSION);
    let transaction = request.transaction_id();
    let address = |n: u32| SocketAddr::new(std::net::Ipv4Addr::from_bits(0x0808_0000 + n).into(), 1);
    let peers: Vec<_> = (0..peers).map(|n| XorPeerAddress::new(address(n), transaction)).collect();
    let attributes: Vec<&dyn AttributeWrite> = peers.iter().map(|peer| peer as _).collect();
    client.signed(request, &attributes)
}

/// A request with this many empty attributes of an unknown type.
fn with_unknown_attributes(method: Method, count: usize) -> Vec<u8> {
    let mut bytes = Message::builder_request(method, MessageWriteVec::new()).finish();
    bytes.extend([0x77, 0x77, 0, 0].repeat(count));
    let length = u16::try_from(bytes.len() - 20).unwrap();
    bytes[2..4].copy_from_slice(&length.to_be_bytes());
    bytes
}

/// A client and a peer that talk on a channel.
struct Bystander {
    client: TurnClient,
    peer: UdpSocket,
    relayed: SocketAddr,
}

impl Bystander {
    async fn new(server: &TestServer) -> Self {
        let (mut client, relayed) = TurnClient::allocated(server).await;
        let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        assert_eq!(client.bind(0x4000, peer.local_addr().unwrap()).await, 0);
        Self { client, peer, relayed }
    }

    /// Checks that every packet arrives in both directions.
    async fn loses_nothing(&mut self) {
        for number in 0..PACKETS {
            self.client.send_on(0x4000, &[number; 160]).await;
            let mut bytes = [0; 200];
            let (length, from) = within(self.peer.recv_from(&mut bytes)).await.unwrap();
            assert_eq!((&bytes[..length], from), (&[number; 160][..], self.relayed));
            self.peer.send_to(&[number; 160], self.relayed).await.unwrap();
            assert_eq!(self.client.received_on_channel().await, (0x4000, vec![number; 160]));
        }
        assert_eq!(self.client.ask(REFRESH, &[]).await.code, 0, "its requests are answered too");
    }
}

/// Four streams write these bytes repeatedly. A stream that the server closes is opened again.
async fn attack(server: &TestServer, bytes: impl AsyncFn(&mut StreamClient) -> Vec<u8>) -> JoinSet<()> {
    let mut attackers = JoinSet::new();
    let port = server.turn_ports.unwrap().0;
    let mut ready = Vec::new();
    for _ in 0..4 {
        let mut client = StreamClient::allocated(server).await;
        ready.push((bytes(&mut client).await, client));
    }
    for (attack, client) in ready {
        attackers.spawn(async move {
            let StreamClient { mut reader, mut writer, .. } = client;
            let discard = |mut from: OwnedReadHalf| async move {
                let mut bytes = vec![0; 65_536];
                while from.read(&mut bytes).await.is_ok_and(|length| length > 0) {}
            };
            loop {
                let mut reading = tokio::spawn(discard(reader));
                while writer.write_all(&attack).await.is_ok() {
                    tokio::task::yield_now().await;
                }
                reading.abort();
                drop(within(&mut reading).await);
                (reader, writer) = loop {
                    match TcpStream::connect(("127.0.0.1", port)).await {
                        Ok(stream) => break stream.into_split(),
                        Err(_) => tokio::task::yield_now().await,
                    }
                };
            }
        });
    }
    attackers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_streams_of_requests_for_5400_addresses_cost_a_bystander_nothing() {
    let server = server();
    let mut bystander = Bystander::new(&server).await;
    let mut attackers = attack(&server, async |client| create_permission(&client.signer, FAR_TOO_MANY)).await;
    bystander.loses_nothing().await;
    attackers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_streams_of_the_longest_valid_requests_cost_a_bystander_nothing() {
    let server = server();
    let mut bystander = Bystander::new(&server).await;
    let mut attackers =
        attack(&server, async |client| create_permission(&client.signer, 64).repeat(40)).await;
    bystander.loses_nothing().await;
    attackers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_streams_of_data_on_no_channel_cost_a_bystander_nothing() {
    let server = server();
    let mut bystander = Bystander::new(&server).await;
    let mut attackers = attack(&server, async |_| [0x5f, 0xff, 0, 0].repeat(16_000)).await;
    bystander.loses_nothing().await;
    attackers.shutdown().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn four_streams_of_empty_data_on_a_channel_cost_a_bystander_nothing() {
    let server = server();
    let sink = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = sink.local_addr().unwrap();
    let mut bystander = Bystander::new(&server).await;
    let mut attackers = attack(&server, async |client| {
        let request = client.signer.request(CHANNEL_BIND);
        let peer = XorPeerAddress::new(address, request.transaction_id());
        let request =
            client.signer.signed(request, &[&turn_types::attribute::ChannelNumber::new(0x4000), &peer]);
        client.write(&request).await;
        assert_eq!(client.answer().await.unwrap().code, 0);
        [0x40, 0, 0, 0].repeat(16_000)
    })
    .await;
    bystander.loses_nothing().await;
    attackers.shutdown().await;
}

#[tokio::test]
async fn a_request_that_is_too_long_is_dropped_over_udp_and_ends_a_stream() {
    let server = server();
    let (mut client, _) = TurnClient::allocated(&server).await;
    let too_long = [
        create_permission(&client, FAR_TOO_MANY),
        create_permission(&client, 130),
        with_unknown_attributes(BINDING, 10_000),
        with_unknown_attributes(ALLOCATE, 10_000),
        with_unknown_attributes(REFRESH, 400),
    ];
    for request in &too_long {
        client.socket.send(request).await.unwrap();
    }
    assert_eq!(client.ask(REFRESH, &[]).await.code, 0, "answered after all of them");
    let dropped = "sightline_turn_dropped_packets_total{reason=\"too-long\"}";
    assert_eq!(count(&server, dropped).await, 5.0);
    for request in &too_long {
        let mut stream = StreamClient::new(&server).await;
        // The server may close the stream while the client still writes.
        let _ = stream.writer.write_all(request).await;
        assert!(stream.answer().await.is_none());
    }
}

#[tokio::test]
async fn sixty_four_addresses_are_permitted_at_once_and_128_in_all() {
    let server = server();
    let (mut client, _) = TurnClient::allocated(&server).await;
    let address = |n: u32| SocketAddr::new(std::net::Ipv4Addr::from_bits(0x0808_0000 + n).into(), 1);
    let addresses = |range: std::ops::Range<u32>| range.map(address).collect::<Vec<_>>();
    assert_eq!(client.permit(&addresses(0..65)).await, 508);
    assert_eq!(client.permit(&addresses(0..64)).await, 0);
    assert_eq!(client.permit(&addresses(64..128)).await, 0);
    assert_eq!(client.permit(&addresses(0..64)).await, 0, "again");
    assert_eq!(client.permit(&addresses(128..129)).await, 508);
    assert_eq!(client.permit(&[address(7); 64]).await, 0, "one, named often");
}

#[tokio::test]
async fn fields_as_long_as_the_standard_allows_are_refused_and_the_server_continues() {
    let server = server();
    let mut client = TurnClient::new(&server).await;
    assert_eq!(client.allocate().await.code, 0);
    let long = "x".repeat(500);
    let (username, realm) = (Username::new(&long).unwrap(), Realm::new(&long).unwrap());
    let (nonce, software) = (Nonce::new(&long).unwrap(), Software::new(&long).unwrap());
    let fields: [(&dyn AttributeWrite, u16); 3] = [(&username, 401), (&realm, 401), (&nonce, 438)];
    for (field, code) in fields {
        // The first of two attributes of one type counts.
        let answer = client.ask(REFRESH, &[field]).await;
        assert_eq!(answer.code, code);
    }
    assert_eq!(client.ask(REFRESH, &[&software]).await.code, 0, "the attribute is optional to understand");
    let strange = AttributeType::new(0x7777);
    let many: Vec<_> = (0..60).map(|_| RawAttribute::new(strange, b"")).collect();
    let many: Vec<&dyn AttributeWrite> = many.iter().map(|one| one as _).collect();
    assert_eq!(client.ask(REFRESH, &many).await.code, 420);
}

#[tokio::test]
async fn a_flood_with_valid_credentials_is_limited_and_its_neighbor_is_not() {
    let server = server();
    let mut bystander = Bystander::new(&server).await;
    let (client, _) = TurnClient::allocated(&server).await;
    let request = create_permission(&client, 1);
    let (answers, limit) = ("sightline_turn_dropped_packets_total{reason=\"request-limit\"}", 400.0);
    // The client has a burst of 200 and 50 requests a second.
    while count(&server, answers).await < limit {
        for _ in 0..50 {
            client.socket.send(&request).await.unwrap();
        }
        bystander.client.send_on(0x4000, b"x").await;
        within(bystander.peer.recv(&mut [0; 16])).await.unwrap();
    }
    bystander.loses_nothing().await;
}

#[tokio::test]
async fn a_flood_with_wrong_credentials_costs_a_neighbor_no_requests() {
    let server = server();
    let mut bystander = Bystander::new(&server).await;
    let mut client = TurnClient::new(&server).await;
    assert_eq!(client.ask(REFRESH, &[]).await.code, 437);
    client.credential.password = "wrong".to_owned();
    let request = client.signed(client.request(ALLOCATE), &[&RequestedTransport::new(17)]);
    let dropped = "sightline_turn_dropped_packets_total";
    while count(&server, dropped).await < 1_000.0 {
        for _ in 0..50 {
            client.socket.send(&request).await.unwrap();
        }
        bystander.client.send_on(0x4000, b"x").await;
        within(bystander.peer.recv(&mut [0; 16])).await.unwrap();
    }
    bystander.loses_nothing().await;
    assert_eq!(count(&server, "sightline_turn_created_allocations_total").await, 1.0);
}

#[tokio::test]
async fn a_stream_that_asks_too_much_is_answered_later_and_loses_nothing() {
    let server = server();
    let mut client = StreamClient::allocated(&server).await;
    let request = client.signer.signed(client.signer.request(REFRESH), &[]);
    // More than the client's burst.
    client.write(&request.repeat(260)).await;
    for number in 0..260 {
        assert_eq!(client.answer().await.unwrap().code, 0, "{number}");
    }
}

#[tokio::test]
async fn a_port_that_is_kept_counts_like_an_allocation_of_its_address() {
    let server = server_with(|settings| settings.limits.allocations.per_address = 4);
    let (udp, pair) = (RequestedTransport::new(17), EvenPort::new(true));
    let mut clients = Vec::new();
    for expected in [0, 0, 486] {
        let mut client = TurnClient::new(&server).await;
        assert_eq!(client.ask(ALLOCATE, &[&udp, &pair]).await.code, expected);
        clients.push(client);
    }
    let mut single = TurnClient::new(&server).await;
    assert_eq!(single.allocate().await.code, 486, "two allocations and two ports are four");
}

#[tokio::test]
async fn a_denied_network_is_not_reached_in_any_spelling_even_if_it_is_allowed() {
    let server = server_with(|settings| {
        settings.allowed_peers = vec!["0.0.0.0/0".parse().unwrap(), "::/0".parse().unwrap()];
        settings.denied_peers = vec!["127.0.0.2/32".parse().unwrap()];
    });
    let (mut client, _) = TurnClient::allocated(&server).await;
    let victim = UdpSocket::bind("127.0.0.2:0").await.unwrap();
    let port = victim.local_addr().unwrap().port();
    for (number, denied) in (0x4001..).zip([
        "127.0.0.2",
        "::ffff:127.0.0.2",
        "::127.0.0.2",
        "64:ff9b::127.0.0.2",
        "2002:7f00:2::",
        "0.0.0.0",
        "::",
    ]) {
        let peer = SocketAddr::new(denied.parse().unwrap(), port);
        assert_eq!(client.permit(&[peer]).await, 403, "{denied}");
        assert_eq!(client.bind(number, peer).await, 403, "{denied}");
        client.send(peer, b"by send").await;
        client.send_on(number, b"by channel").await;
    }
    assert_eq!(client.permit(&[SocketAddr::new([127, 0, 0, 1].into(), port)]).await, 0);
    assert_eq!(count(&server, "sightline_turn_to_peers_packets_total").await, 0.0);
    assert!(victim.try_recv(&mut [0; 16]).is_err());
}

#[tokio::test]
async fn only_the_greediest_allocation_is_limited_beyond_the_total_bandwidth() {
    // The smallest burst is 64 KiB; half of it is reserved for allocations within their share. Afterwards almost nothing passes.
    let server = server_with(|settings| {
        settings.allowed_peers = vec!["127.0.0.0/8".parse().unwrap()];
        settings.limits.total_bitrate_bps = Some(8);
    });
    let peer = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = peer.local_addr().unwrap();
    let (mut greedy, _) = TurnClient::allocated(&server).await;
    assert_eq!(greedy.bind(0x4000, address).await, 0);
    let dropped = "sightline_turn_dropped_packets_total{reason=\"total-bandwidth\"}";
    let passed = "sightline_turn_to_peers_packets_total";
    for number in 1..=100 {
        greedy.send_on(0x4000, &[7; 1_000]).await;
        while count(&server, dropped).await + count(&server, passed).await < f64::from(number) {
            tokio::task::yield_now().await;
        }
    }
    let greedy_passed = count(&server, passed).await;
    assert!((30.0..40.0).contains(&greedy_passed), "{greedy_passed}");
    let (mut modest, relayed) = TurnClient::allocated(&server).await;
    assert_eq!(modest.bind(0x4000, address).await, 0);
    modest.send_on(0x4000, b"modest").await;
    let mut bytes = [0; 1_100];
    loop {
        let (length, from) = within(peer.recv_from(&mut bytes)).await.unwrap();
        if from == relayed {
            break assert_eq!(&bytes[..length], b"modest");
        }
    }
}

fn credentials(ice_servers: &[IceServer]) -> (String, String) {
    let with = ice_servers.iter().find_map(|server| server.username.clone().zip(server.credential.clone()));
    with.expect("a relay")
}

async fn visit(server: &TestServer) -> ((String, String), Option<u32>) {
    let mut visitor = Client::connect(server).await;
    visitor.say(&ClientMessage::IceServers).await;
    let ServerMessage::IceServers { ice_servers, ice_servers_life_s, .. } = visitor.next().await else {
        panic!()
    };
    (credentials(&ice_servers), ice_servers_life_s)
}

#[tokio::test]
async fn pages_without_a_room_get_few_and_short_allocations_all_together() {
    let server = server();
    let (first, life_s) = visit(&server).await;
    assert_eq!(life_s, Some(120));
    let user = |username: &str| username.split_once(':').unwrap().1.to_owned();
    let mut clients = Vec::new();
    for _ in 0..8 {
        let (credentials, _) = visit(&server).await;
        assert_eq!(user(&credentials.0), user(&first.0), "one user, however often it asks");
        for _ in 0..4 {
            let mut client = TurnClient::with(&server, credentials.clone()).await;
            let answer = client.allocate().await;
            assert_eq!(answer.code, 0);
            clients.push(client);
        }
    }
    let mut one_more = TurnClient::with(&server, first).await;
    assert_eq!(one_more.allocate().await.code, 486);
    let refreshed = clients[0].ask(REFRESH, &[&Lifetime::new(3_600)]).await;
    let lifetime_s = refreshed.message().attribute::<Lifetime>().unwrap().seconds();
    assert!(lifetime_s <= 120, "{lifetime_s}");

    // A member has a separate limit.
    let (_ada, seat) = Client::join(&server, "team-7", "ada").await;
    let mut member = TurnClient::with(&server, credentials(&seat.ice_servers)).await;
    assert_eq!(member.allocate().await.code, 0);
}
