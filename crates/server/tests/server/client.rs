//! A WebSocket client: a member of a room, or one that tries to become a member.

use std::net::SocketAddr;

use futures_util::{SinkExt, StreamExt};
use sightline_protocol::{
    Arrival, ConnectionId, DisplayName, ErrorCode, Generation, InstanceId, Member, MemberId,
    PROTOCOL_VERSION, RoomName,
    signaling::{
        ClientMessage, DescriptionKind, IceServer, ServerMessage, Signal, SignalDescription, SignalPayload,
    },
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpSocket, TcpStream},
};
use tokio_tungstenite::{
    WebSocketStream, client_async,
    tungstenite::{Error, Message, client::IntoClientRequest, handshake::client::Request},
};

use crate::harness::{TestServer, within};

/// A TCP connection, or TLS over one.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

pub(crate) struct Client {
    pub(crate) socket: WebSocketStream<Box<dyn Stream>>,
}

/// The content of a `joined` message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seat {
    pub(crate) me: MemberId,
    pub(crate) arrival: Arrival,
    pub(crate) room: RoomName,
    pub(crate) members: Vec<Member>,
    pub(crate) resume: String,
    pub(crate) ice_servers: Vec<IceServer>,
    pub(crate) room_limit: usize,
}

impl Client {
    pub(crate) async fn connect(server: &TestServer) -> Self {
        Self::connect_over(within(TcpStream::connect(server.addr)).await.unwrap(), handshake(server)).await
    }

    /// Connects to a server that runs elsewhere, and joins.
    #[cfg(target_os = "linux")]
    pub(crate) async fn join_at(addr: SocketAddr, room: &str, name: &str) -> (Self, Seat) {
        let stream = within(TcpStream::connect(addr)).await.unwrap();
        let mut client = Self::connect_over(stream, handshake_at(addr)).await;
        client.say(&join(room, name, None)).await;
        let seat = client.joined().await;
        (client, seat)
    }

    /// [`Self::connect_with_small_buffer`] for a server that runs elsewhere.
    pub(crate) async fn connect_small_at(addr: SocketAddr) -> Self {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(4 * 1024).unwrap();
        Self::connect_over(within(socket.connect(addr)).await.unwrap(), handshake_at(addr)).await
    }

    /// Connects over a stream that is open already.
    pub(crate) async fn connect_over(stream: impl Stream + 'static, handshake: Request) -> Self {
        let stream: Box<dyn Stream> = Box::new(stream);
        let (socket, _) = within(client_async(handshake, stream)).await.unwrap();
        Self { socket }
    }

    /// Connects with a small receive buffer, so that the server notices soon when nothing is read.
    pub(crate) async fn connect_with_small_buffer(server: &TestServer) -> Self {
        Self::connect_small_at(server.addr).await
    }

    /// Connects and joins as the page instance `name`.
    pub(crate) async fn join(server: &TestServer, room: &str, name: &str) -> (Self, Seat) {
        Self::join_with(server, room, name, None).await
    }

    /// Connects and joins with the token of an earlier seat.
    pub(crate) async fn resume(server: &TestServer, seat: &Seat, name: &str) -> (Self, Seat) {
        Self::join_with(server, seat.room.as_str(), name, Some(seat.resume.clone())).await
    }

    async fn join_with(server: &TestServer, room: &str, name: &str, resume: Option<String>) -> (Self, Seat) {
        let mut client = Self::connect(server).await;
        client.say(&join(room, name, resume)).await;
        let seat = client.joined().await;
        (client, seat)
    }

    pub(crate) async fn joined(&mut self) -> Seat {
        match self.next().await {
            ServerMessage::Joined {
                you, arrival, room, members, resume, ice_servers, room_limit, ..
            } => Seat { me: you, arrival, room, members, resume, ice_servers, room_limit },
            other => panic!("{other:?} instead of joined"),
        }
    }

    pub(crate) async fn say(&mut self, message: &ClientMessage) {
        self.send(serde_json::to_string(message).unwrap()).await;
    }

    pub(crate) async fn send(&mut self, frame: impl Into<Message>) {
        within(self.socket.send(frame.into())).await.unwrap();
    }

    /// The next message. The server's pings are answered meanwhile.
    pub(crate) async fn next(&mut self) -> ServerMessage {
        match within(self.next_frame()).await {
            Some(Ok(Message::Text(text))) => serde_json::from_str(&text).unwrap(),
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// The next message as it was written.
    pub(crate) async fn next_text(&mut self) -> String {
        match within(self.next_frame()).await {
            Some(Ok(Message::Text(text))) => text.to_string(),
            other => panic!("{other:?} instead of a message"),
        }
    }

    /// Everything that came before the answer to a ping. What was not sent before the ping does not come later.
    pub(crate) async fn until_pong(&mut self) -> Vec<ServerMessage> {
        const NONCE: u32 = 4_711;
        self.say(&ClientMessage::Ping { nonce: NONCE }).await;
        let mut heard = Vec::new();
        loop {
            match self.next().await {
                ServerMessage::Pong { nonce: NONCE } => return heard,
                message => heard.push(message),
            }
        }
    }

    /// Skips messages until the one before the server's Close.
    pub(crate) async fn until_removed(&mut self) -> ServerMessage {
        loop {
            let message = self.next().await;
            if matches!(message, ServerMessage::Removed | ServerMessage::Refused { .. }) {
                return message;
            }
        }
    }

    /// Expects this error as the next message.
    pub(crate) async fn is_told(&mut self, expected: ErrorCode) {
        match self.next().await {
            ServerMessage::Error { code, .. } => assert_eq!(code, expected),
            other => panic!("{other:?} instead of an error"),
        }
    }

    /// Expects the server's Close as the next frame and a clean end of the connection; returns code and reason.
    pub(crate) async fn closed(&mut self) -> (u16, String) {
        let close = self.close_frame().await;
        let after = within(self.next_frame()).await;
        assert!(after.is_none(), "{after:?} after the close frame");
        close
    }

    /// Everything until the server's Close.
    pub(crate) async fn until_closed(&mut self) {
        while !matches!(within(self.next_frame()).await, Some(Ok(Message::Close(_)))) {}
    }

    /// Expects the server's Close as the next frame; returns code and reason.
    pub(crate) async fn close_frame(&mut self) -> (u16, String) {
        let close = match within(self.next_frame()).await {
            Some(Ok(Message::Close(Some(close)))) => close,
            other => panic!("{other:?} instead of a close frame"),
        };
        (close.code.into(), close.reason.to_string())
    }

    async fn next_frame(&mut self) -> Option<Result<Message, Error>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Ping(_) | Message::Pong(_))) => {}
                other => return other,
            }
        }
    }
}

pub(crate) fn handshake(server: &TestServer) -> Request {
    handshake_at(server.addr)
}

fn handshake_at(addr: SocketAddr) -> Request {
    format!("ws://{addr}/ws").into_client_request().unwrap()
}

/// A `join` of the page instance `name`.
pub(crate) fn join(room: &str, name: &str, resume: Option<String>) -> ClientMessage {
    ClientMessage::Join {
        protocol: PROTOCOL_VERSION,
        room: RoomName::new(room).unwrap(),
        admission: None,
        sealed_name: None,
        name: DisplayName::new(name).unwrap(),
        instance: InstanceId::new(name).unwrap(),
        resume,
        attended: None,
        create_token: None,
        rekeys: false,
    }
}

/// An offer with this text as its SDP.
pub(crate) fn offer(sdp: &str) -> Signal {
    Signal {
        connection: ConnectionId::new("c1").unwrap(),
        generation: Generation(0),
        payload: SignalPayload::Description(SignalDescription {
            kind: DescriptionKind::Offer,
            exchange: 1,
            sdp: sdp.to_owned(),
            published: None,
        }),
    }
}

pub(crate) fn signal(to: &MemberId, sdp: &str) -> ClientMessage {
    ClientMessage::Signal { to: to.clone(), signal: offer(sdp) }
}

/// Two members of one room who have seen each other. They show that what happens to others does not affect them.
pub(crate) struct Bystanders {
    ada: Client,
    bo: Client,
    ada_id: MemberId,
    bo_id: MemberId,
}

impl Bystanders {
    pub(crate) async fn in_room(server: &TestServer, room: &str) -> Self {
        let (mut ada, ada_seat) = Client::join(server, room, "bystander-ada").await;
        let (bo, bo_seat) = Client::join(server, room, "bystander-bo").await;
        assert!(matches!(ada.next().await, ServerMessage::PeerJoined { .. }));
        Self { ada, bo, ada_id: ada_seat.me, bo_id: bo_seat.me }
    }

    /// Checks that they are connected and reach each other. What they heard about others meanwhile does not matter.
    pub(crate) async fn are_well(&mut self) {
        self.ada.say(&signal(&self.bo_id, "to bo")).await;
        self.ada.until_pong().await;
        let arrived = ServerMessage::Signal { from: self.ada_id.clone(), signal: offer("to bo") };
        assert!(self.bo.until_pong().await.contains(&arrived));
    }
}
