//! `sightline-peer` over a network that loses packets and is cut, with a server that is killed: every message arrives once, every
//! file arrives whole, and a cut costs little. It uses an emulated link, so it needs root.

use std::{ffi::OsStr, fs, path::Path, sync::Arc, time::Duration};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use sha2::{Digest, Sha256};
use sightline_e2e::{
    browser::Engine,
    native_peer::NativePeer,
    netlab::{Ends, LinkProfile, Place, where_there_are_namespaces},
    stage::{Scene, Stage},
};
use tokio::time::sleep;

use crate::files::Folder;

const NAME: &str = "film.bin";
const FILE_BYTES: u64 = 32 << 20;
/// Most bytes that may be sent again for each interruption.
const AGAIN_BYTES: u64 = 16 << 20;
/// The SCTP of the crate `rtc` 0.21 sends 60 kB/s where a packet in twenty is lost (docs/results/native-peer.md).
const LOSS_OF_FILES: f64 = 0.01;
const LOSS_OF_TALK: f64 = 0.05;
/// Two cuts and a killed server.
const INTERRUPTIONS: u64 = 3;
/// How much more than the bytes of a file is on the wire without any interruption: headers of IP, UDP, DTLS, SCTP and frames, what
/// the link loses, and pings.
const ON_WIRE: f64 = 1.25;
/// How long a part of a file may take over such a link on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);
const NONE: [&str; 0] = [];

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    where_there_are_namespaces(vec![
        stage.test(a_file_of_a_terminal_arrives_whole_at_a_terminal_across_loss_cuts_and_a_killed_server),
        stage.test(a_file_of_a_terminal_arrives_whole_at_a_page_across_loss_cuts_and_a_killed_server),
        stage.test(a_file_of_a_page_arrives_whole_at_a_terminal_across_loss_cuts_and_a_killed_server),
        stage.test(terminals_hear_each_line_once_across_loss_cuts_and_a_killed_server),
        stage.test(a_page_and_a_terminal_hear_each_line_once_across_loss_cuts_and_a_killed_server),
    ])
}

/// A link that loses this share of the packets.
async fn lossy(scene: &Scene, loss_ratio: f64) -> Result<Ends> {
    scene.ends(&LinkProfile { loss_ratio, ..LinkProfile::delayed(Duration::from_millis(5)) }).await
}

async fn a_file_of_a_terminal_arrives_whole_at_a_terminal_across_loss_cuts_and_a_killed_server(
    scene: &Scene,
) -> Result<()> {
    let ends = lossy(scene, LOSS_OF_FILES).await?;
    let folder = Folder::new()?;
    let (film, sha256) = folder.file(NAME, FILE_BYTES as usize)?;
    let into = folder.path().join("into");
    let mut ben = receiver(&ends, &into).await?;
    let before = ends.sent_bytes(Place::A);
    let mut ada = ends.peer(Place::A, "send", "film", "Ada", &[film.as_os_str()])?;
    interrupt(scene, &ends, async |bytes| reaches(&mut ben, bytes).await).await?;
    arrives(&mut ben, &into, &sha256).await?;
    let sent = ada.event("file", |event| event["state"] == "done").await?;
    ensure!(sent["sha256"] == sha256.as_str(), "{sent}");
    ada.end().await?;
    ben.end().await?;
    little_was_sent_again(&ends, Place::A, before)
}

async fn a_file_of_a_terminal_arrives_whole_at_a_page_across_loss_cuts_and_a_killed_server(
    scene: &Scene,
) -> Result<()> {
    let ends = lossy(scene, LOSS_OF_FILES).await?;
    let folder = Folder::new()?;
    let (film, sha256) = folder.file(NAME, FILE_BYTES as usize)?;
    let ben = scene.page_at(&ends, Place::B, Engine::Chromium).await?;
    ben.expect_no_server();
    ben.enter_with("film", "Ben", "source=none").await?;
    let before = ends.sent_bytes(Place::A);
    let mut ada = ends.peer(Place::A, "send", "film", "Ada", &[film.as_os_str()])?;
    ben.until_transfer(NAME, "offered").await?;
    ben.click_in_transfer(NAME, "transfer-accept").await?;
    let has = async |bytes| {
        ben.until_for(PATIENCE, &format!("{bytes} bytes are there"), |page| {
            page.transfer(NAME).is_some_and(|transfer| transfer.bytes >= bytes)
        })
        .await
        .map(drop)
    };
    interrupt(scene, &ends, has).await?;
    has(FILE_BYTES).await?;
    let shown = ben.until_transfer(NAME, "done").await?;
    ensure!(shown.hash.as_deref() == Some(sha256.as_str()), "{shown:?}");
    ensure!(ben.stored_sha256(&shown.id).await? == sha256, "another file was stored");
    ada.event("file", |event| event["state"] == "done").await?;
    ada.end().await?;
    little_was_sent_again(&ends, Place::A, before)
}

async fn a_file_of_a_page_arrives_whole_at_a_terminal_across_loss_cuts_and_a_killed_server(
    scene: &Scene,
) -> Result<()> {
    let ends = lossy(scene, LOSS_OF_FILES).await?;
    let folder = Folder::new()?;
    let (film, sha256) = folder.file(NAME, FILE_BYTES as usize)?;
    let into = folder.path().join("into");
    let mut ben = receiver(&ends, &into).await?;
    let ada = scene.page_at(&ends, Place::A, Engine::Chromium).await?;
    ada.expect_no_server();
    ada.enter_with("film", "Ada", "source=none").await?;
    ada.until_connected_to("Ben").await?;
    let before = ends.sent_bytes(Place::A);
    ada.offer(&[&film]).await?;
    interrupt(scene, &ends, async |bytes| reaches(&mut ben, bytes).await).await?;
    arrives(&mut ben, &into, &sha256).await?;
    let shown = ada.until_transfer(NAME, "done").await?;
    ensure!(shown.hash.as_deref() == Some(sha256.as_str()), "{shown:?}");
    ben.end().await?;
    little_was_sent_again(&ends, Place::A, before)
}

async fn terminals_hear_each_line_once_across_loss_cuts_and_a_killed_server(scene: &Scene) -> Result<()> {
    let ends = lossy(scene, LOSS_OF_TALK).await?;
    let mut ben = ends.peer(Place::B, "chat", "talk", "Ben", &NONE)?;
    ben.event("entered", |_| true).await?;
    let mut ada = ends.peer(Place::A, "chat", "talk", "Ada", &NONE)?;
    ada.event("member_connected", |_| true).await?;
    let (mut from_ada, mut from_ben) = (Vec::new(), Vec::new());
    for number in 0..LINES {
        interrupt_talk(scene, &ends, number).await?;
        for (peer, name, said) in [(&mut ada, "Ada", &mut from_ada), (&mut ben, "Ben", &mut from_ben)] {
            let line = line(name, number);
            peer.say(&line).await?;
            said.push(line);
        }
    }
    hears(&mut ben, &from_ada).await?;
    hears(&mut ada, &from_ben).await?;
    // Everything that either one prints until it leaves was read, so nothing was said twice.
    for mut peer in [ada, ben] {
        peer.end_input();
        let rest = peer.rest().await?;
        ensure!(!rest.iter().any(|event| event["event"] == "message"), "{rest:?}");
        peer.end().await?;
    }
    Ok(())
}

async fn a_page_and_a_terminal_hear_each_line_once_across_loss_cuts_and_a_killed_server(
    scene: &Scene,
) -> Result<()> {
    let ends = lossy(scene, LOSS_OF_TALK).await?;
    let ada = scene.page_at(&ends, Place::A, Engine::Chromium).await?;
    ada.expect_no_server();
    ada.enter_with("talk", "Ada", "source=none").await?;
    let mut ben = ends.peer(Place::B, "chat", "talk", "Ben", &NONE)?;
    ada.until_connected_to("Ben").await?;
    let mut from_ada = Vec::new();
    for number in 0..LINES {
        interrupt_talk(scene, &ends, number).await?;
        ada.say(&line("Ada", number)).await?;
        from_ada.push(line("Ada", number));
        ben.say(&line("Ben", number)).await?;
    }
    hears(&mut ben, &from_ada).await?;
    let seen = ada.until_received(&line("Ben", LINES - 1)).await?;
    let shown = |words: &str| seen.messages.iter().filter(|message| message.text.contains(words)).count();
    ensure!(shown("of Ben") == LINES, "{:?}", seen.messages);
    for number in 0..LINES {
        ensure!(shown(&line("Ben", number)) == 1, "line {number}: {:?}", seen.messages);
    }
    ben.end_input();
    let rest = ben.rest().await?;
    ensure!(!rest.iter().any(|event| event["event"] == "message"), "{rest:?}");
    ben.end().await
}

/// Lines of each side.
const LINES: usize = 24;

fn line(name: &str, number: usize) -> String {
    format!("line {number:02} of {name}")
}

/// What happens before the line with this number: two cuts, the longer one with the server, and a killed server.
async fn interrupt_talk(scene: &Scene, ends: &Ends, number: usize) -> Result<()> {
    match number {
        4 | 14 => ends.set_cut(true),
        15 => ends.set_server_cut(true),
        6 => {
            sleep(Duration::from_secs(3)).await;
            ends.set_cut(false);
        }
        18 => {
            // Longer than ICE waits, so the connection is repaired through the server.
            sleep(Duration::from_secs(15)).await;
            ends.set_server_cut(false);
            ends.set_cut(false);
        }
        9 => scene.server().await?.kill().await?,
        12 => scene.server().await?.come_back().await?,
        _ => {}
    }
    Ok(())
}

/// Cuts the network and kills the server while a file is under way. `has` waits for this many bytes at the receiver.
async fn interrupt(scene: &Scene, ends: &Ends, mut has: impl AsyncFnMut(u64) -> Result<()>) -> Result<()> {
    // Late, so that a file which began again from the start each time would be noticed.
    has(FILE_BYTES * 5 / 8).await?;
    ends.set_cut(true);
    sleep(Duration::from_secs(3)).await;
    ends.set_cut(false);
    has(FILE_BYTES * 6 / 8).await?;
    {
        let mut server = scene.server().await?;
        server.kill().await?;
        server.come_back().await?;
    }
    has(FILE_BYTES * 7 / 8).await?;
    ends.set_cut(true);
    sleep(Duration::from_secs(12)).await;
    ends.set_cut(false);
    Ok(())
}

async fn receiver(ends: &Ends, into: &Path) -> Result<NativePeer> {
    let arguments: [&OsStr; 5] =
        ["--into".as_ref(), into.as_os_str(), "--accept".as_ref(), "all".as_ref(), "--once".as_ref()];
    let mut ben = ends.peer(Place::B, "receive", "film", "Ben", &arguments)?;
    ben.event("entered", |_| true).await?;
    Ok(ben)
}

async fn reaches(ben: &mut NativePeer, bytes: u64) -> Result<()> {
    ben.event_within(PATIENCE, "file", |event| event["bytes"].as_u64() >= Some(bytes)).await.map(drop)
}

/// The receiver says that it has the file with this hash, and stored it.
async fn arrives(ben: &mut NativePeer, into: &Path, sha256: &str) -> Result<()> {
    let received = ben.event_within(PATIENCE, "file", |event| event["state"] == "done").await?;
    ensure!(received["sha256"] == sha256, "{received}");
    let stored: String = Sha256::digest(fs::read(into.join(NAME)).context("the file")?)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    ensure!(stored == sha256, "another file was stored");
    Ok(())
}

async fn hears(peer: &mut NativePeer, lines: &[String]) -> Result<()> {
    for line in lines {
        let message = peer.event("message", |_| true).await?;
        ensure!(message["text"] == line.as_str(), "{message} is not {line:?}");
    }
    Ok(())
}

#[allow(clippy::print_stdout, reason = "the figure is for docs/results/native-peer.md")]
fn little_was_sent_again(ends: &Ends, from: Place, before: u64) -> Result<()> {
    let sent = ends.sent_bytes(from) - before;
    let once = (FILE_BYTES as f64 * ON_WIRE) as u64;
    println!("{sent} bytes on the wire for a file of {FILE_BYTES}");
    ensure!(sent <= once + INTERRUPTIONS * AGAIN_BYTES, "{sent} bytes were sent for {FILE_BYTES}");
    Ok(())
}
