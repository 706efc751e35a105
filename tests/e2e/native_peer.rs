//! `sightline-peer` in a room with a page.

use std::{fs, path::Path, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use sightline_e2e::{
    browser::Engine,
    clip,
    native_peer::NativePeer,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

use crate::{
    file_source::{QUARTERS, until_attribute, until_quarters},
    files::Folder,
};

const NONE: [&str; 0] = [];

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(a_page_and_a_terminal_talk_in_either_order_of_joining),
        stage.test_in_each(a_page_with_a_camera_and_a_terminal_send_each_other_a_file),
        stage.test_in_each(a_page_that_is_reloaded_meets_the_terminal_again),
        stage.test_in_each(a_terminal_that_hides_its_address_reaches_a_page_by_the_relay),
        stage.test_in_each(a_page_that_waited_and_one_that_comes_late_watch_the_video_of_a_terminal),
        stage.test_in_each(whoever_comes_while_the_video_of_a_terminal_stands_sees_its_picture),
        stage.test_in_each(a_terminal_measures_the_camera_of_a_page_in_either_order_of_joining),
        stage.test_in_each(twenty_of_twenty_joins_connect_in_either_order),
        stage.test_in_each(a_page_hears_and_sees_every_bot),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_page_and_a_terminal_talk_in_either_order_of_joining(scene: &Scene, engine: Engine) -> Result<()> {
    let origin = scene.server().await?.url();
    let ada = scene.page(engine).await?;
    ada.enter_with("terminal", "Ada", "source=none").await?;
    ada.until("the page is in the room", |page| page.shows("room") && !page.is_busy).await?;
    let mut bob = NativePeer::start("chat", &origin, "terminal", "Bob", &NONE)?;
    ada.until_connected_to("Bob").await?;
    bob.say("from the terminal").await?;
    ada.until_received("from the terminal").await?;
    bob.event("delivery", |event| event["state"] == "delivered").await?;
    ada.say("from the page 你好").await?;
    assert_eq!(bob.event("message", |_| true).await?["text"], "from the page 你好");
    ada.until_delivered("from the page 你好").await?;
    bob.end().await?;
    ada.until("Bob is gone", |page| page.tile("Bob").is_none()).await?;

    // Now the terminal is there first, so the page offers.
    let mut carl = NativePeer::start("chat", &origin, "terminal-first", "Carl", &NONE)?;
    carl.event("entered", |_| true).await?;
    ada.enter_with("terminal-first", "Ada", "source=none").await?;
    ada.until_connected_to("Carl").await?;
    carl.say("I was here first").await?;
    ada.until_received("I was here first").await?;
    ada.say("so you were").await?;
    carl.event("message", |event| event["text"] == "so you were" && event["name"] == "Ada").await?;
    carl.end().await
}

async fn a_page_with_a_camera_and_a_terminal_send_each_other_a_file(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let origin = scene.server().await?.url();
    let folder = Folder::new()?;
    let into = folder.path().join("into");
    let mut bob = NativePeer::start(
        "receive",
        &origin,
        "files",
        "Bob",
        &["--into".as_ref(), into.as_os_str(), "--accept".as_ref(), "all".as_ref(), "--once".as_ref()],
    )?;
    bob.event("entered", |_| true).await?;
    let ada = scene.page(engine).await?;
    ada.enter("files", "Ada").await?;
    ada.until_connected_to("Bob").await?;
    let (up, up_sha256) = folder.file("up.bin", 4_000_001)?;
    ada.offer(&[&up]).await?;
    let received = bob.event("file", |event| event["state"] == "done").await?;
    assert_eq!(received["sha256"], up_sha256.as_str());
    let stored: String = Sha256::digest(std::fs::read(into.join("up.bin"))?)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    assert_eq!(stored, up_sha256);
    assert_eq!(ada.until_transfer("up.bin", "done").await?.hash.as_deref(), Some(up_sha256.as_str()));
    bob.end().await?;

    let (down, down_sha256) = folder.file("down.bin", 4_000_001)?;
    let mut carl = NativePeer::start("send", &origin, "files", "Carl", &[&down])?;
    ada.until_transfer("down.bin", "offered").await?;
    ada.click_in_transfer("down.bin", "transfer-accept").await?;
    let sent = carl.event("file", |event| event["state"] == "done").await?;
    assert_eq!(sent["sha256"], down_sha256.as_str());
    carl.end().await?;
    let shown = ada.until_transfer("down.bin", "done").await?;
    assert_eq!(shown.hash.as_deref(), Some(down_sha256.as_str()));
    assert_eq!(ada.stored_sha256(&shown.id).await?, down_sha256);
    Ok(())
}

async fn a_page_that_is_reloaded_meets_the_terminal_again(scene: &Scene, engine: Engine) -> Result<()> {
    let origin = scene.server().await?.url();
    let ada = scene.page(engine).await?;
    ada.enter_with("reload", "Ada", "source=none").await?;
    let mut bob = NativePeer::start("chat", &origin, "reload", "Bob", &NONE)?;
    ada.until_connected_to("Bob").await?;
    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    bob.say("still here").await?;
    ada.until_received("still here").await?;
    ada.say("and so am I").await?;
    bob.event("message", |event| event["text"] == "and so am I").await?;
    bob.end().await
}

async fn a_terminal_that_hides_its_address_reaches_a_page_by_the_relay(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let origin = scene.server().await?.url();
    let ada = scene.page(engine).await?;
    ada.enter_with("relay", "Ada", "source=none&relay=1").await?;
    let mut bob = NativePeer::start("chat", &origin, "relay", "Bob", &["--relay-only"])?;
    ada.until_connected_to("Bob").await?;
    bob.say("by the relay").await?;
    ada.until_received("by the relay").await?;
    ada.say("and back").await?;
    bob.event("message", |event| event["text"] == "and back").await?;
    bob.end().await
}

async fn a_page_that_waited_and_one_that_comes_late_watch_the_video_of_a_terminal(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let origin = scene.server().await?.url();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/sample/sample.webm");
    let bob = scene.page(engine).await?;
    bob.enter("film", "Bob").await?;
    bob.until("the page is in the room", |page| page.shows("room") && !page.is_busy).await?;
    // The terminal comes later, so it offers.
    let mut ada =
        NativePeer::start("provide", &origin, "film", "Ada", &[sample.as_os_str(), "--loop".as_ref()])?;
    ada.event("watching", |event| event["name"] == "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    until("the sound of the video to arrive", PATIENCE, async || {
        let energy: Option<f64> = bob.execute(SOUND_ENERGY, vec![]).await?;
        Ok(if energy.is_some_and(|energy| energy > 0.001) { Ok(()) } else { Err(format!("{energy:?}")) })
    })
    .await?;
    until_attribute(&bob, "playback", "playing").await?;
    // This page offers.
    let eve = scene.page(Engine::Chromium).await?;
    eve.enter_with("film", "Eve", "source=none").await?;
    eve.until_picture_moves("Ada").await?;
    eve.say("I see it, too").await?;
    bob.reload().await?;
    bob.until_picture_moves("Ada").await
}

async fn whoever_comes_while_the_video_of_a_terminal_stands_sees_its_picture(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let origin = scene.server().await?.url();
    let folder = tempfile::tempdir()?;
    let file = folder.path().join("clip.ivf");
    fs::write(&file, clip::pictures_as_ivf()?)?;
    let mut ada =
        NativePeer::start("provide", &origin, "still", "Ada", &[file.as_os_str(), "--stay".as_ref()])?;
    let bob = scene.page(engine).await?;
    bob.enter_with("still", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    ada.say("pause").await?;
    until_attribute(&bob, "playback", "paused").await?;
    until_quarters(&bob, QUARTERS).await?;
    bob.reload().await?;
    until_quarters(&bob, QUARTERS).await?;
    until_attribute(&bob, "playback", "paused").await?;
    ada.say("play").await?;
    bob.until_picture_moves("Ada").await?;
    ada.event("playback", |event| event["state"] == "ended").await?;
    until_attribute(&bob, "playback", "ended").await?;
    let eve = scene.page(Engine::Firefox).await?;
    eve.enter_with("still", "Eve", "source=none").await?;
    until_quarters(&eve, QUARTERS).await?;
    until_attribute(&eve, "playback", "ended").await
}

async fn a_terminal_measures_the_camera_of_a_page_in_either_order_of_joining(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let origin = scene.server().await?.url();
    let folder = tempfile::tempdir()?;
    let watch = |room: &str| {
        let report = folder.path().join(room);
        let arguments = ["--run".as_ref(), "3".as_ref(), "--report".as_ref(), report.as_os_str()];
        NativePeer::start("watch", &origin, room, "Ben", &arguments)
    };
    let ada = scene.page(engine).await?;
    for room in ["page-first", "terminal-first"] {
        let mut ben = if room == "page-first" {
            ada.enter(room, "Ada").await?;
            watch(room)?
        } else {
            let mut ben = watch(room)?;
            ben.event("entered", |_| true).await?;
            ada.enter(room, "Ada").await?;
            ben
        };
        let measured = ben.event("measured", |event| event["name"] == "Ada").await?;
        ensure!(measured["frames"].as_u64().is_some_and(|frames| frames >= 15), "{room}: {measured}");
        ben.end().await?;
        let report: Value = serde_json::from_slice(&fs::read(folder.path().join(room))?)?;
        let side = &report["sides"][0];
        ensure!(
            side["conditions"].as_array().is_some_and(|all| all.contains(&json!(["frames", "received"]))),
            "{side}"
        );
        ensure!(side["playout"]["frame_width"].as_u64().is_some_and(|width| width > 0), "{side}");
        // The page took part in the run, and said what it sent.
        ensure!(report["sides"].as_array().is_some_and(|sides| sides.len() == 2), "{report}");
    }
    Ok(())
}

async fn twenty_of_twenty_joins_connect_in_either_order(scene: &Scene, engine: Engine) -> Result<()> {
    let origin = scene.server().await?.url();
    let ada = scene.page(engine).await?;
    ada.enter_with("joins", "Ada", "source=none").await?;
    let mut connected = 0;
    for number in 0..JOINS {
        // The terminal offers. It ends with success once its text is delivered.
        let text = format!("join {number:02}");
        let bob = NativePeer::start("chat", &origin, "joins", "Bob", &["--once", &text, "--wait", "30"])?;
        connected += usize::from(bob.end().await.is_ok());
    }
    ensure!(connected == JOINS, "{connected} of {JOINS} terminals that came connected");
    ada.until_received(&format!("join {:02}", JOINS - 1)).await?;
    let mut carl = NativePeer::start("chat", &origin, "joins", "Carl", &NONE)?;
    carl.event("member_connected", |_| true).await?;
    for number in 0..JOINS {
        // The page is the one that comes, so it offers.
        ada.reload().await?;
        ada.until_connected_to("Carl")
            .await
            .with_context(|| format!("{number} of {JOINS} pages that came connected"))?;
    }
    carl.say("after all of them").await?;
    ada.until_received("after all of them").await?;
    carl.end().await
}

const JOINS: usize = 20;

async fn a_page_hears_and_sees_every_bot(scene: &Scene, engine: Engine) -> Result<()> {
    let origin = scene.server().await?.url();
    let ada = scene.page(engine).await?;
    ada.enter_with("bots", "Ada", "source=none").await?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("../assets/sample/sample.webm");
    let arguments = ["--name".as_ref(), "Bot".as_ref(), "--every".as_ref(), "2".as_ref()];
    let provide = ["--provide".as_ref(), sample.as_os_str()];
    let mut bots = NativePeer::bots(BOTS, &origin, "bots", &[&arguments[..], &provide].concat())?;
    for number in 1..=BOTS {
        let bot = format!("Bot {number}");
        ada.until_connected_to(&bot).await?;
        ada.until_picture_moves(&bot).await?;
        ada.until("the bot has written", |page| {
            page.messages.iter().any(|message| message.text.contains(&bot))
        })
        .await?;
    }
    let totals = bots.event("totals", |totals| totals["other_connections"] == BOTS).await?;
    ensure!(totals["connected_pairs"] == BOTS * (BOTS - 1) / 2 && totals["viewers"] == BOTS, "{totals}");
    Ok(())
}

const BOTS: usize = 3;

/// The energy of all sound that was received (W3C webrtc-stats, `totalAudioEnergy`): the stream of a tile has the silent microphone, too.
const SOUND_ENERGY: &str = "
    return (async () => {
      const reports = await Promise.all(window.sightlineProbe.connections.map((connection) => connection.getStats()));
      const inbound = reports.flatMap((report) => [...report.values()]).filter(({ type }) => type === 'inbound-rtp');
      return inbound.reduce((sum, { totalAudioEnergy }) => sum + (totalAudioEnergy ?? 0), 0);
    })();";
