//! A member that has left is out of the room at once, although its process ends.

use std::time::Duration;

use sightline_cli::{
    address::RoomAddress,
    certificates::TrustedCertificates,
    peer::{Peer, PeerEvent, Setup, Storage},
};
use sightline_core::room::RoomEvent;
use sightline_protocol::DisplayName;
use tokio::{runtime, sync::oneshot, task::spawn_blocking};

use crate::harness::TestServer;

/// How long the tasks of a member get no processor while it leaves, as on a busy computer.
const BUSY: Duration = Duration::from_millis(100);

/// Enters a room and leaves it. Returns how many others were there. Its tasks end as with a process: at once, wherever they are.
fn visit(room: &str) -> usize {
    let setup = Setup {
        address: RoomAddress::parse(room).unwrap(),
        tls: TrustedCertificates::Any.client_config().unwrap(),
        name: DisplayName::cut("Ada"),
        relay_only: false,
        ice_servers: Vec::new(),
        storage: Storage::Folder(std::env::temp_dir()),
        resume: None,
        create_token: None,
        source: None,
        watch: None,
    };
    let runtime = runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let others = runtime.block_on(async {
        let mut peer = Peer::enter(setup, None).unwrap();
        while !matches!(peer.next_event().await, PeerEvent::Room(RoomEvent::Entered { .. })) {}
        let others = peer.session().peers().count();
        let (busy, is_busy) = oneshot::channel();
        tokio::spawn(async {
            let _ = busy.send(());
            std::thread::sleep(BUSY);
        });
        is_busy.await.unwrap();
        peer.leave().await;
        others
    });
    runtime.shutdown_background();
    others
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_enters_meets_nobody_who_has_left() {
    let server = TestServer::start();
    for number in 0..3 {
        let room = server.room("one-by-one");
        assert_eq!(spawn_blocking(move || visit(&room)).await.unwrap(), 0, "visitor {number}");
    }
}
