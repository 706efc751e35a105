//! Files that arrive as they were, and those that a person declines or gives up.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    stage::{Pair, Scene, Stage},
};

use super::{Folder, arrives, hold_back, two};

pub(super) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let in_pairs = [
        stage.test_in_pairs(a_file_arrives_as_it_was_and_both_show_its_hash),
        stage.test_in_pairs(a_reload_of_either_page_is_only_a_pause),
    ];
    let in_each = [
        stage.test_in_each(a_declined_or_canceled_file_ends_on_both_sides),
        stage.test_in_each(a_flipped_byte_is_refused_and_the_file_arrives_whole),
        stage.test_in_each(an_offer_is_shown_where_the_chat_is_hidden),
    ];
    in_pairs.into_iter().chain(in_each).flatten().collect()
}

async fn a_file_arrives_as_it_was_and_both_show_its_hash(scene: &Scene, pair: Pair) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, pair).await?;
    let (report, report_sha256) = folder.file("report.bin", 3_000_001)?;
    let (empty, empty_sha256) = folder.file("empty.txt", 0)?;
    ada.offer(&[&report, &empty]).await?;
    let offered = bob.until_transfer("report.bin", "offered").await?;
    assert_eq!(offered.size, 3_000_001);
    bob.click_in_transfer("report.bin", "transfer-accept").await?;
    bob.click_in_transfer("empty.txt", "transfer-accept").await?;
    arrives(&bob, &ada, "report.bin", &report_sha256).await?;
    arrives(&bob, &ada, "empty.txt", &empty_sha256).await?;

    let (answer, answer_sha256) = folder.file("answer.bin", 2_000_000)?;
    bob.offer(&[&answer]).await?;
    ada.until_transfer("answer.bin", "offered").await?;
    ada.click_in_transfer("answer.bin", "transfer-accept").await?;
    arrives(&ada, &bob, "answer.bin", &answer_sha256).await
}

async fn a_reload_of_either_page_is_only_a_pause(scene: &Scene, pair: Pair) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, pair).await?;
    let (film, sha256) = folder.file("film.bin", 64 * 1024 * 1024)?;
    ada.offer(&[&film]).await?;
    bob.until_transfer("film.bin", "offered").await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    // More bytes than are flushed at a time. The transfer is paused, so that the reloads come in the middle on any machine.
    hold_back(&ada, "film.bin", 5_000_000).await?;
    let before = bob.until_transfer("film.bin", "paused").await?;
    assert!(before.bytes < before.size, "{before:?}");

    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    bob.until("what was on the disk is there", |page| {
        page.transfer("film.bin").is_some_and(|transfer| transfer.id == before.id && transfer.bytes > 0)
    })
    .await?;

    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    let waiting = ada.until_transfer("film.bin", "paused").await?;
    assert_eq!(waiting.id, before.id);
    ada.offer(&[&film]).await?;
    arrives(&bob, &ada, "film.bin", &sha256).await?;
    assert_eq!(ada.look().await?.transfers.len(), 1, "it went on, and was not offered anew");
    Ok(())
}

async fn a_declined_or_canceled_file_ends_on_both_sides(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    for (name, by_receiver) in [("one.bin", true), ("two.bin", false)] {
        let (file, _) = folder.file(name, 40_000_000)?;
        ada.offer(&[&file]).await?;
        bob.until_transfer(name, "offered").await?;
        bob.click_in_transfer(name, "transfer-accept").await?;
        let (first, second) = if by_receiver { (&bob, &ada) } else { (&ada, &bob) };
        hold_back(first, name, 1).await?;
        second.until_transfer(name, "paused").await?;
        first.click_in_transfer(name, "transfer-cancel").await?;
        first.until_transfer(name, "cancelled").await?;
        second.until_transfer(name, "cancelled").await?;
    }
    let (file, _) = folder.file("three.bin", 1000)?;
    ada.offer(&[&file]).await?;
    bob.until_transfer("three.bin", "offered").await?;
    bob.click_in_transfer("three.bin", "transfer-decline").await?;
    bob.until_transfer("three.bin", "declined").await?;
    ada.until_transfer("three.bin", "declined").await?;
    Ok(())
}

async fn a_flipped_byte_is_refused_and_the_file_arrives_whole(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    let (file, sha256) = folder.file("flipped.bin", 1_500_000)?;
    ada.execute::<Option<bool>>(FLIP_ONE, vec![]).await?;
    ada.offer(&[&file]).await?;
    bob.until_transfer("flipped.bin", "offered").await?;
    bob.click_in_transfer("flipped.bin", "transfer-accept").await?;
    arrives(&bob, &ada, "flipped.bin", &sha256).await?;
    let flipped: bool = ada.execute("return window.flipped === true", vec![]).await?;
    assert!(flipped, "no byte was flipped");
    Ok(())
}

async fn an_offer_is_shown_where_the_chat_is_hidden(scene: &Scene, engine: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = two(scene, [engine, engine]).await?;
    bob.set_size(500, 860).await?;
    let (film, sha256) = folder.file("film.bin", 2_000_000)?;
    ada.offer(&[&film]).await?;
    bob.until("the offer is said", |page| page.shows("file-offer") && !page.shows("transfer-accept")).await?;
    bob.click("file-offer-show").await?;
    bob.until("the file itself is seen", |page| page.shows("transfer-accept") && !page.shows("file-offer"))
        .await?;
    bob.click_in_transfer("film.bin", "transfer-accept").await?;
    arrives(&bob, &ada, "film.bin", &sha256).await
}

/// Changes one byte of the next frame of a file.
const FLIP_ONE: &str = "
    const send = RTCDataChannel.prototype.send;
    RTCDataChannel.prototype.send = function (data) {
      if (this.label === 'bulk' && !window.flipped) {
        window.flipped = true;
        data = data.slice(0);
        new Uint8Array(data)[1000] ^= 1;
      }
      return send.call(this, data);
    };
    return null;";
