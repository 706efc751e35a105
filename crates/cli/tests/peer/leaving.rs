//! A member that has left is out of the room at once, although its process ends, and has told the others everything before.

use std::time::Duration;

use sightline_cli::{
    address::RoomAddress,
    certificates::TrustedCertificates,
    peer::{Peer, PeerEvent, Setup, Storage},
};
use sightline_core::room::RoomEvent;
use sightline_protocol::DisplayName;
use tokio::{runtime, sync::oneshot, task::spawn_blocking, time::timeout};

use crate::harness::{Member, PATIENCE, TestServer};

/// How long the tasks of a member get no processor while it leaves, as on a busy computer.
const BUSY: Duration = Duration::from_millis(100);

fn setup(room: &str) -> Setup {
    Setup {
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
    }
}

/// Enters a room and leaves it. Returns how many others were there. Its tasks end as with a process: at once, wherever they are.
fn visit(room: &str) -> usize {
    let setup = setup(room);
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

/// Longer than a member that leaves waits for acknowledgments at most.
const STANDSTILL: Duration = Duration::from_secs(4);

/// Whether everybody acknowledges the messages of this member within this time.
async fn is_acknowledged(peer: &mut Peer, within: Duration) -> bool {
    let acknowledged = async { while peer.next_event_until_acknowledged().await.is_some() {} };
    timeout(within, acknowledged).await.is_ok()
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_a_member_that_stands_still_hears_the_others_meanwhile() {
    let server = TestServer::start();
    let room = server.room("standstill");
    let mut ben = Member::start::<&str>("chat", &room, "Ben", &[]);
    let mut cleo = Member::start::<&str>("chat", &room, "Cleo", &["--stay"]);
    ben.event("entered").await;
    cleo.event("entered").await;
    let mut ada = Peer::enter(setup(&room), None).unwrap();
    let mut connected = 0;
    while connected < 2 {
        let event = ada.next_event().await;
        connected += usize::from(matches!(event, PeerEvent::Room(RoomEvent::WayOpen(_))));
    }
    assert!(is_acknowledged(&mut ada, PATIENCE).await, "nothing is under way");

    ben.stand_still();
    ada.send_chat("last").unwrap();
    cleo.say("not too late").await;
    let heard = async {
        loop {
            let event = ada.next_event_until_acknowledged().await.expect("Ben cannot have acknowledged it");
            if let PeerEvent::Room(RoomEvent::ChatChanged(number)) = event
                && let Some(message) = ada.session().conversation().message(number)
                && message.author.is_some()
            {
                return message.text.clone();
            }
        }
    };
    assert_eq!(timeout(PATIENCE, heard).await.unwrap(), "not too late");
    assert!(!is_acknowledged(&mut ada, STANDSTILL).await, "Ben stands still");
    ben.go_on();
    assert!(is_acknowledged(&mut ada, PATIENCE).await, "Ben goes on");
    ada.leave().await;
    ben.event_where("message", |event| event["text"] == "last").await;
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_said_of_members_who_leave_after_the_result_of_a_command() {
    let server = TestServer::start();
    let room = server.room("result");
    let mut cleo = Member::start::<&str>("chat", &room, "Cleo", &["--stay"]);
    let mut dora = Member::start::<&str>("chat", &room, "Dora", &["--stay"]);
    cleo.event("entered").await;
    dora.event("entered").await;
    let folder = tempfile::tempdir().unwrap();
    let into = folder.path().to_str().unwrap();
    let mut ada = Member::start("receive", &room, "Ada", &["--once", "--from", "Ben", "--into", into]);
    for _ in [&cleo, &dora] {
        ada.event("member_connected").await;
    }
    cleo.stand_still();
    let file = folder.path().join("data.bin");
    std::fs::write(&file, [7; 1000]).unwrap();
    let mut ben = Member::start("send", &room, "Ben", &[file.to_str().unwrap()]);
    ada.event_where("file", |event| event["state"] == "done").await;
    dora.interrupt();
    dora.end_by_itself().await;
    // Ben still waits for Cleo's answer, and hears what Ada hears.
    ben.event_where("member_left", |event| event["name"] == "Dora").await;
    cleo.go_on();
    let (status, stderr) = ada.end_by_itself().await;
    assert!(status.success(), "{stderr}");
    assert!(!stderr.contains("Dora left"), "{stderr}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_enters_meets_nobody_who_has_left() {
    let server = TestServer::start();
    for number in 0..3 {
        let room = server.room("one-by-one");
        assert_eq!(spawn_blocking(move || visit(&room)).await.unwrap(), 0, "visitor {number}");
    }
}
