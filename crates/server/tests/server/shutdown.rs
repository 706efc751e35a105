use sightline_protocol::ErrorCode;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use crate::{
    client::Client,
    harness::{TestServer, within},
};

#[tokio::test]
async fn members_and_unjoined_sockets_get_an_error_and_are_closed_on_shutdown() {
    let server = TestServer::start();
    let (mut ada, _) = Client::join(&server, "team-7", "ada").await;
    let (mut bo, _) = Client::join(&server, "team-7", "bo").await;
    let mut not_yet = Client::connect(&server).await;
    ada.until_pong().await;
    let clients = async {
        for client in [&mut ada, &mut bo, &mut not_yet] {
            client.is_told(ErrorCode::ShuttingDown).await;
            assert_eq!(client.closed().await, (1001, "shutting-down".to_owned()));
        }
    };
    tokio::join!(server.stop(), clients);
}

#[tokio::test]
async fn a_client_that_does_not_read_and_an_unfinished_request_do_not_delay_the_end() {
    let server = TestServer::start();
    let _deaf = Client::join(&server, "team-7", "deaf").await;
    let mut unfinished = TcpStream::connect(server.addr).await.unwrap();
    unfinished.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n").await.unwrap();
    server.get("/healthz", &[]).await;
    within(server.stop()).await;
}
