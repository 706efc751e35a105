//! Members that reach each other through a relay only, by each of its transports.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream, UdpSocket},
};

use crate::{
    check::{DAY, credentials, relay, server_with_certificate},
    harness::{Member, TestServer, run},
};

/// Two members talk, and one sends a file to the other.
async fn meet(room: &str, ada_servers: &[&str], ben_servers: &[&str]) {
    let mut ada = Member::start("chat", room, "Ada", &[&["--relay-only"], ada_servers].concat());
    ada.event("entered").await;
    let once = ["chat", room, "--name", "Ben", "--once", "by the relay", "--relay-only", "--quiet"];
    let (code, stderr) = run(&[&once, ben_servers].concat()).await;
    assert_eq!((code, stderr.as_str()), (Some(0), ""));
    assert_eq!(ada.event("message").await["text"], "by the relay");
    assert_eq!(ada.end().await.0.code(), Some(0));
}

#[tokio::test(flavor = "multi_thread")]
async fn members_meet_through_a_relay_by_udp_tcp_and_tls() {
    let (server, _folder, trusted) = server_with_certificate(90 * DAY);
    let (port, tls_port) = server.turn_ports.unwrap();
    let credentials = credentials();
    let by_udp = format!("turn:127.0.0.1:{port}?transport=udp {credentials}");
    let by_tcp = format!("turn:127.0.0.1:{port}?transport=tcp {credentials}");
    let by_tls = format!("turns:127.0.0.1:{tls_port}?transport=tcp {credentials}");
    for (ada, ben) in [(&by_tcp, &by_tcp), (&by_tls, &by_tls), (&by_tls, &by_udp)] {
        let arguments = |server| ["--cert", &trusted, "--ice-server", server];
        meet(&server.room("relayed"), &arguments(ada), &arguments(ben)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_whose_certificate_is_not_trusted_relays_nothing() {
    let (server, _folder, _) = server_with_certificate(90 * DAY);
    let (_, tls_port) = server.turn_ports.unwrap();
    let plain = TestServer::start();
    let room = plain.room("distrust");
    let mut ada = Member::start("chat", &room, "Ada", &[""; 0]);
    ada.event("entered").await;
    let by_tls = format!("turns:127.0.0.1:{tls_port} {}", credentials());
    let options = ["--relay-only", "--ice-server", &by_tls, "--wait", "6", "--quiet"];
    let (code, _) = run(&[&["chat", &room, "--once", "hello"][..], &options].concat()).await;
    assert_eq!(code, Some(5));
}

/// Passes TCP connections on to this port, and counts them.
async fn counted(port: u16) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap().port();
    let count = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&count);
    tokio::spawn(async move {
        while let Ok((mut near, _)) = listener.accept().await {
            counter.fetch_add(1, Ordering::Relaxed);
            tokio::spawn(async move {
                let mut far = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
                let _ = copy_bidirectional(&mut near, &mut far).await;
            });
        }
    });
    (at, count)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_relay_by_tcp_is_used_only_where_the_one_by_udp_does_not_answer() {
    let server = TestServer::start_with(|config| config.turn = relay());
    let (port, _) = server.turn_ports.unwrap();
    let (tcp_port, count) = counted(port).await;
    let credentials = credentials();
    let by_tcp = format!("turn:127.0.0.1:{tcp_port}?transport=tcp {credentials}");
    // Nobody answers there.
    let silent = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    for (udp_port, is_silent) in [(port, false), (silent.local_addr().unwrap().port(), true)] {
        let by_udp = format!("turn:127.0.0.1:{udp_port}?transport=udp {credentials}");
        let room = server.room("either");
        let servers = ["--relay-only", "--ice-server", &by_udp, "--ice-server", &by_tcp];
        let mut ada = Member::start("chat", &room, "Ada", &servers);
        ada.event("entered").await;
        let only = format!("turn:127.0.0.1:{port} {credentials}");
        let ben = Member::start("chat", &room, "Ben", &["--relay-only", "--ice-server", &only]);
        ada.event("member_connected").await;
        // A relay by UDP has the first second to itself.
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert_eq!(count.load(Ordering::Relaxed) > 0, is_silent);
        for member in [ada, ben] {
            assert_eq!(member.end().await.0.code(), Some(0));
        }
    }
}
