use stun_types::{
    AddressFamily,
    attribute::{AttributeType, RawAttribute, UnknownAttributes, XorMappedAddress},
    message::{BINDING, Message, MessageWrite, MessageWriteVec, Method},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};
use turn_types::{
    attribute::{
        DontFragment, EvenPort, Lifetime, RequestedAddressFamily, RequestedTransport, ReservationToken,
    },
    message::{ALLOCATE, REFRESH},
};

use super::{client::TurnClient, server};
use crate::harness::within;

#[tokio::test]
async fn a_stun_request_is_answered_with_the_clients_address() {
    let server = server();
    let client = TurnClient::new(&server).await;
    let answer = client.answer_to(Message::builder_request(BINDING, MessageWriteVec::new()).finish()).await;
    let message = answer.message();
    let mapped = message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id());
    let own = client.socket.local_addr().unwrap();
    assert_eq!((answer.code, mapped), (0, own));

    // The second port lets a client detect a NAT with endpoint-dependent mapping.
    client.socket.connect(("127.0.0.1", server.turn_ports.unwrap().1)).await.unwrap();
    let answer = client.answer_to(Message::builder_request(BINDING, MessageWriteVec::new()).finish()).await;
    let message = answer.message();
    assert_eq!(message.attribute::<XorMappedAddress>().unwrap().addr(message.transaction_id()), own);
}

#[tokio::test]
async fn a_repeated_allocate_request_makes_one_allocation() {
    let server = server();
    let mut client = TurnClient::new(&server).await;
    assert_eq!(client.permit(&["8.8.8.8:1".parse().unwrap()]).await, 437, "there is no allocation yet");
    let request = client.signed(client.request(ALLOCATE), &[&RequestedTransport::new(17)]);
    let first = client.answer_to(request.clone()).await;
    let again = client.answer_to(request).await;
    assert_eq!((first.code, first.relayed()), (0, again.relayed()), "its answer was lost");
    assert_eq!(client.allocate().await.code, 437, "another");
    assert_eq!(super::count(&server, "sightline_turn_created_allocations_total").await, 1.0);
}

#[tokio::test]
async fn an_old_or_forged_nonce_is_replaced_and_the_request_may_be_repeated() {
    let server = server();
    let mut client = TurnClient::new(&server).await;
    assert_eq!(client.allocate().await.code, 0);
    client.set_nonce("00000000000000000000000000000000");
    let stale = client.ask(REFRESH, &[]).await;
    assert_eq!(stale.code, 438);
    client.take_nonce(&stale);
    assert_eq!(client.ask(REFRESH, &[]).await.code, 0);
}

#[tokio::test]
async fn each_invalid_request_gets_its_error_code() {
    let server = server();
    let mut client = TurnClient::new(&server).await;
    let udp = RequestedTransport::new(17);
    assert_eq!(client.ask(ALLOCATE, &[]).await.code, 400, "without a transport");
    assert_eq!(client.ask(ALLOCATE, &[&RequestedTransport::new(6)]).await.code, 442, "TCP");
    let family = RequestedAddressFamily::new(AddressFamily::IPV6);
    assert_eq!(client.ask(ALLOCATE, &[&udp, &family]).await.code, 440, "on a server of IPv4 alone");
    assert_eq!(client.ask(ALLOCATE, &[&udp, &ReservationToken::new(1)]).await.code, 508, "nothing is kept");
    let both = [&udp as _, &ReservationToken::new(1) as _, &EvenPort::new(false) as _];
    assert_eq!(client.ask(ALLOCATE, &both).await.code, 400);
    assert_eq!(client.ask(Method::new(0x00b), &[]).await.code, 400, "of another kind");
    let strange = AttributeType::new(0x7777);
    let unknown = client.ask(ALLOCATE, &[&udp, &RawAttribute::new(strange, b"????")]).await;
    assert_eq!(unknown.code, 420);
    assert!(unknown.message().attribute::<UnknownAttributes>().unwrap().has_attribute(strange));
    assert_eq!(client.ask(ALLOCATE, &[&udp, &DontFragment::new()]).await.code, 0);
    for number in [0, 0x3fff, 0x8000] {
        assert_eq!(client.bind(number, "8.8.8.8:1".parse().unwrap()).await, 400, "channel {number:x}");
    }
    assert_eq!(client.permit(&[]).await, 400);
    assert_eq!(client.permit(&["[2a00::1]:1".parse().unwrap()]).await, 443);
}

#[tokio::test]
async fn the_requested_lifetime_is_clamped_to_the_bounds() {
    let server = server();
    let (mut client, _) = TurnClient::allocated(&server).await;
    for (asked_s, got_s) in [(700, 700), (1, 600), (1_000_000, 3_600)] {
        let answer = client.ask(REFRESH, &[&Lifetime::new(asked_s)]).await;
        assert_eq!(answer.message().attribute::<Lifetime>().unwrap().seconds(), got_s);
    }
}

#[tokio::test]
async fn a_client_that_wants_two_ports_in_a_row_gets_them() {
    let server = server();
    let mut first = TurnClient::new(&server).await;
    let udp = RequestedTransport::new(17);
    let answer = first.ask(ALLOCATE, &[&udp, &EvenPort::new(true)]).await;
    let even = answer.relayed().port();
    assert_eq!((answer.code, even % 2), (0, 0));
    let token = answer.message().attribute::<ReservationToken>().unwrap().token();

    let mut stranger = TurnClient::new(&server).await;
    assert_eq!(stranger.ask(ALLOCATE, &[&udp, &ReservationToken::new(token)]).await.code, 508);
    let same = (first.credential.username.clone(), first.credential.password.clone());
    let mut second = TurnClient::with(&server, same).await;
    let answer = second.ask(ALLOCATE, &[&udp, &ReservationToken::new(token)]).await;
    assert_eq!((answer.code, answer.relayed().port()), (0, even + 1));
}

#[tokio::test]
async fn invalid_messages_are_ignored() {
    let server = server();
    let (mut client, _) = TurnClient::allocated(&server).await;
    let cookie = [0x21, 0x12, 0xa4, 0x42];
    let truncated = [&[0, 1, 0, 8][..], &cookie, &[0; 12]].concat();
    let attribute_too_long = [&[0, 1, 0, 4][..], &cookie, &[0; 12], &[0, 6, 0xff, 0xff]].concat();
    for bytes in
        [&[][..], &[0], &[0x40], &[0x40, 0, 0xff, 0xff], &[0xff; 1_500], &truncated, &attribute_too_long]
    {
        client.socket.send(bytes).await.unwrap();
    }
    assert_eq!(client.ask(REFRESH, &[]).await.code, 0);
}

#[tokio::test]
async fn a_stream_with_invalid_data_is_closed_and_data_on_no_channel_is_skipped() {
    let server = server();
    let (plain, tls) = server.turn_ports.unwrap();
    for port in [plain, tls] {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(&[0xff; 64]).await.unwrap();
        let mut answer = Vec::new();
        // Closed without an answer, or reset because something was not read.
        if within(stream.read_to_end(&mut answer)).await.is_ok() {
            assert!(answer.is_empty(), "{answer:?}");
        }
    }

    // ChannelData of the maximum length on an unbound channel. The request right after it is answered.
    let mut stream = TcpStream::connect(("127.0.0.1", plain)).await.unwrap();
    let longest = [&[0x40, 0, 0xff, 0xff][..], &vec![7; 0xffff], &[0]].concat();
    stream.write_all(&longest).await.unwrap();
    let question = Message::builder_request(BINDING, MessageWriteVec::new()).finish();
    stream.write_all(&question).await.unwrap();
    let mut head = [0; 20];
    within(stream.read_exact(&mut head)).await.unwrap();
    assert_eq!((&head[..2], &head[4..]), (&[1, 1][..], &question[4..20]));
}
