//! A file arrives unchanged through cuts, a server kill and reloads. The short form of `cargo xtask soak files`. It uses an
//! emulated link, so it needs root.

use std::{path::Path, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::Value;
use sightline_e2e::{
    browser::Engine,
    netlab::{FarApart, LinkProfile, where_there_are_namespaces},
    page::Page,
    stage::{Pair, Scene, Stage},
};
use tokio::time::sleep;

use crate::files::Folder;

const MIB: u64 = 1 << 20;
/// Most bytes that may be sent again for each interruption.
const AGAIN_BYTES: u64 = 16 * MIB;
/// Two cuts, a killed server, and a reload of either page.
const INTERRUPTIONS: u64 = 5;
const NAME: &str = "film.bin";

/// Counts the bytes that are sent for files; the count is stored in the tab, so that it survives a reload.
const COUNT: &str = "
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (data) {
      if (this.label === 'bulk') {
        const before = Number(sessionStorage.getItem('sent') ?? 0);
        sessionStorage.setItem('sent', String(before + data.byteLength - 48));
      }
      return send.call(this, data);
    };
    return null;";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    where_there_are_namespaces(vec![
        stage.test(a_file_arrives_whole_across_cuts_a_killed_server_loss_and_reloads),
    ])
}

async fn a_file_arrives_whole_across_cuts_a_killed_server_loss_and_reloads(scene: &Scene) -> Result<()> {
    let sent =
        arrives(scene, [Engine::Chromium, Engine::Chromium], 64 * MIB, Duration::from_secs(120)).await?;
    assert!(sent <= 64 * MIB + INTERRUPTIONS * AGAIN_BYTES, "{sent} bytes were sent");
    Ok(())
}

/// Sends a file of this size through all interruptions. Returns the number of bytes sent for it.
pub(crate) async fn arrives(scene: &Scene, pair: Pair, bytes: u64, patience: Duration) -> Result<u64> {
    let folder = Folder::new()?;
    let (film, sha256) = folder.file(NAME, usize::try_from(bytes)?)?;
    let profile = LinkProfile { loss_ratio: 0.05, ..LinkProfile::delayed(Duration::from_millis(5)) };
    let call = scene.far_apart(pair, &profile).await?;
    let [ada, bob] = &call.pages;
    for page in [ada, bob] {
        page.expect_no_server();
        for words in ["The connection to ws://", "WebRTC: ICE failed"] {
            page.expect_console_error(words);
        }
    }
    for (page, name) in [(ada, "Ada"), (bob, "Bob")] {
        page.enter_with("film", name, "source=none").await?;
    }
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    let () = ada.execute(COUNT, vec![]).await?;
    ada.offer(&[&film]).await?;
    bob.until_transfer(NAME, "offered").await?;
    bob.click_in_transfer(NAME, "transfer-accept").await?;

    reaches(bob, bytes / 8, patience).await?;
    cut(&call, Duration::from_secs(3)).await?;
    reaches(bob, bytes * 2 / 8, patience).await?;
    {
        let mut server = scene.server().await?;
        server.kill().await?;
        server.come_back().await?;
    }
    reaches(bob, bytes * 3 / 8, patience).await?;
    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    reaches(bob, bytes * 4 / 8, patience).await?;
    ada.reload().await?;
    let () = ada.execute(COUNT, vec![]).await?;
    ada.until_connected_to("Bob").await?;
    choose_again(ada, &film).await?;
    reaches(bob, bytes * 6 / 8, patience).await?;
    cut(&call, Duration::from_secs(8)).await?;

    for page in [bob, ada] {
        page.until_for(patience, "the file is there", |page| {
            page.transfer(NAME).is_some_and(|transfer| transfer.state == "done")
        })
        .await?;
    }
    for page in [ada, bob] {
        let transfer = page.until_transfer(NAME, "done").await?;
        assert_eq!(transfer.hash.as_deref(), Some(sha256.as_str()));
    }
    let sent: Value = ada.execute("return Number(sessionStorage.getItem('sent'))", vec![]).await?;
    Ok(sent.as_f64().unwrap_or_default() as u64)
}

async fn choose_again(ada: &Page, film: &Path) -> Result<()> {
    ada.until("the file is asked for again", |page| {
        page.transfer(NAME)
            .is_some_and(|transfer| transfer.reach == "connected" && transfer.state == "paused")
    })
    .await?;
    ada.offer(&[film]).await
}

async fn reaches(page: &Page, bytes: u64, patience: Duration) -> Result<()> {
    page.until_for(patience, &format!("{bytes} bytes are there"), |page| {
        page.transfer(NAME).is_some_and(|transfer| transfer.bytes >= bytes)
    })
    .await?;
    Ok(())
}

/// Cuts the network; both pages show that the transfer waits for the other side, and it continues afterwards.
async fn cut(call: &FarApart, duration: Duration) -> Result<()> {
    call.ends.set_cut(true);
    sleep(duration).await;
    if duration > Duration::from_secs(5) {
        for page in &call.pages {
            page.until("the transfer waits for the connection", |page| {
                page.transfer(NAME)
                    .is_some_and(|transfer| transfer.reach == "waiting" && transfer.state == "paused")
            })
            .await?;
        }
    }
    call.ends.set_cut(false);
    Ok(())
}
