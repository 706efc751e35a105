//! A TURN client over TCP.

use stun_types::{
    attribute::{AttributeWrite, ErrorCode},
    message::{Message, MessageWrite, MessageWriteVec, Method},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
};
use turn_types::{attribute::RequestedTransport, message::ALLOCATE};

use super::client::{Answer, TurnClient};
use crate::harness::{TestServer, within};

pub(super) struct StreamClient {
    /// Signs the requests. Its socket is not used.
    pub(super) signer: TurnClient,
    pub(super) reader: OwnedReadHalf,
    pub(super) writer: OwnedWriteHalf,
}

impl StreamClient {
    /// A client that knows its nonce.
    pub(super) async fn new(server: &TestServer) -> Self {
        let signer = TurnClient::new(server).await;
        let stream = TcpStream::connect(("127.0.0.1", server.turn_ports.unwrap().0)).await.unwrap();
        let (reader, writer) = stream.into_split();
        let mut client = Self { signer, reader, writer };
        let question = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
        client.write(&question).await;
        let challenge = client.answer().await.unwrap();
        assert_eq!(challenge.code, 401);
        client.signer.take_nonce(&challenge);
        client
    }

    /// A client that has an allocation.
    pub(super) async fn allocated(server: &TestServer) -> Self {
        let mut client = Self::new(server).await;
        assert_eq!(client.ask(ALLOCATE, &[&RequestedTransport::new(17)]).await.code, 0);
        client
    }

    pub(super) async fn ask(&mut self, method: Method, attributes: &[&dyn AttributeWrite]) -> Answer {
        let request = self.signer.signed(self.signer.request(method), attributes);
        self.write(&request).await;
        self.answer().await.unwrap()
    }

    pub(super) async fn write(&mut self, bytes: &[u8]) {
        within(self.writer.write_all(bytes)).await.unwrap();
    }

    /// The next STUN message; `None` where the connection has ended.
    pub(super) async fn answer(&mut self) -> Option<Answer> {
        let mut bytes = vec![0; 20];
        within(self.reader.read_exact(&mut bytes)).await.ok()?;
        let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
        bytes.resize(20 + length, 0);
        within(self.reader.read_exact(&mut bytes[20..])).await.ok()?;
        let code =
            Message::from_bytes(&bytes).unwrap().attribute::<ErrorCode>().map_or(0, |error| error.code());
        Some(Answer { code, bytes })
    }
}
