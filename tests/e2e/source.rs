//! A video file as the source: chosen, played, sent, announced.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    snapshot::Snapshot,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_pairs(a_late_joiner_sees_and_hears_the_sample_clip),
        stage.test_in_each(the_provider_declares_each_playback_change_and_the_picture_continues),
        stage.test_in_each(stamped_frames_give_the_shown_frames_and_their_delay),
        stage.test_in_each(a_file_is_chosen_in_the_lobby_and_another_in_the_room),
        stage.test_in_each(an_unplayable_file_gives_a_notice_and_changes_nothing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_late_joiner_sees_and_hears_the_sample_clip(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter_with("clip", "Ada", "source=file&sample=1").await?;
    ada.until_picture_moves("Ada").await?;
    bob.enter_with("clip", "Bob", "source=none").await?;
    bob.until_connected_to("Ada").await?;
    until_attribute(&bob, "source", "file").await?;
    until_attribute(&bob, "playback", "playing").await?;
    bob.until_picture_moves("Ada").await?;
    until_sound_arrives(&bob).await?;
    let bobs = ada.until("Bob shows nothing", |page| {
        page.tile("Bob").is_some_and(|tile| tile.camera.as_deref() == Some("off"))
    });
    bobs.await.map(drop)
}

async fn the_provider_declares_each_playback_change_and_the_picture_continues(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("declared", "Ada", "source=file&sample=1").await?;
    bob.enter_with("declared", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;

    ada.click("source-pause").await?;
    until_attribute(&bob, "playback", "paused").await?;
    ada.click("source-play").await?;
    until_attribute(&bob, "playback", "playing").await?;
    bob.until_picture_moves("Ada").await?;

    // A loop never ends.
    ada.click("source-loop").await?;
    seek(&ada, 15.0).await?;
    until_position(&ada, "it began again", |position_s| position_s < 10.0).await?;
    until_attribute(&bob, "playback", "playing").await?;
    ada.click("source-loop").await?;
    seek(&ada, 15.0).await?;
    until_attribute(&bob, "playback", "ended").await?;

    // The captured tracks ended with the file, and there are new ones now.
    ada.click("source-play").await?;
    until_attribute(&bob, "playback", "playing").await?;
    bob.until_picture_moves("Ada").await?;
    until_sound_arrives(&bob).await?;
    ada.click("source-none").await?;
    until_attribute(&bob, "source", "none").await
}

async fn stamped_frames_give_the_shown_frames_and_their_delay(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, engine]).await?;
    ada.enter_with("stamped", "Ada", "source=file&sample=1&stamp=1&width=320").await?;
    ada.click("source-loop").await?;
    bob.enter_with("stamped", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    bob.click("stats-toggle").await?;
    let figure = |page: &Snapshot, metric: &str| {
        let member = &page.tile("Ada")?.member;
        page.figure(member, metric)?.parse::<f64>().ok()
    };
    let seen = bob
        .until("a hundred stamped frames were seen, with their delay", |page| {
            figure(page, "stamped_frames_shown").is_some_and(|shown| shown >= 100.0)
                && figure(page, "stamped_delay").is_some()
        })
        .await?;
    let of = |metric: &str| figure(&seen, metric).with_context(|| metric.to_owned());
    assert!(of("stamped_frames_unreadable")? < of("stamped_frames_shown")?, "scaled to half, it can be read");
    assert!(of("stamped_frames_lost")? < of("stamped_frames_shown")?, "nothing is lost on the way");
    // On a busy machine exchanges take long, and a delay is known less exactly than it is long.
    let (mean, error) = (of("stamped_delay_mean")?, of("clock_error")?);
    assert!(error >= 0.0 && (-error..5.0).contains(&mean), "{mean} s, known to {error} s");
    let cost = ada.execute::<String>(
        "return document.querySelector('[data-testid=\"source-stamp-cost\"]').innerText",
        vec![],
    );
    assert!(cost.await?.contains("ms"), "the provider sees the cost of the stamps");
    until("the provider to see how Bob receives it", PATIENCE, async || {
        let rate: Option<String> = ada.execute(RECEIVED_RATE, vec![json!("Bob")]).await?;
        let is_told =
            rate.as_deref().and_then(|rate| rate.parse::<f64>().ok()).is_some_and(|rate| rate > 0.0);
        Ok(if is_told { Ok(()) } else { Err(format!("{rate:?}")) })
    })
    .await?;

    // After stamping is switched off, frames carry no stamps and no counts are shown.
    ada.click("source-stamp").await?;
    bob.until("nothing is known of the source", |page| figure(page, "stamped_frames_shown").is_none())
        .await?;
    bob.until_picture_moves("Ada").await
}

async fn a_file_is_chosen_in_the_lobby_and_another_in_the_room(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    bob.enter_with("chosen", "Bob", "source=none").await?;
    ada.open("/room/chosen?name=Ada&source=none").await?;
    ada.click("source-file").await?;
    ada.until("there is a place for files", |page| page.shows("file-source")).await?;
    ada.choose_file("file-source-input", &sample()).await?;
    ada.until_preview_moves().await?;
    ada.click("join").await?;
    until_attribute(&bob, "source", "file").await?;
    bob.until_picture_moves("Ada").await?;

    ada.click("source-pause").await?;
    until_attribute(&bob, "playback", "paused").await?;
    ada.choose_file("file-source-input", &sample()).await?;
    until_attribute(&bob, "playback", "playing").await?;
    bob.until_picture_moves("Ada").await
}

async fn an_unplayable_file_gives_a_notice_and_changes_nothing(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("unplayable", "Ada", "source=camera").await?;
    bob.enter_with("unplayable", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    let folder = tempfile::tempdir()?;
    for (name, bytes, code) in [
        ("letter.mp4", b"Dear Bob, this is no video.".to_vec(), "file-not-video"),
        ("tone.wav", silent_wav(), "file-no-pictures"),
    ] {
        let file = folder.path().join(name);
        std::fs::write(&file, bytes)?;
        ada.choose_file("file-source-input", &file).await?;
        ada.until_notice(code).await?;
        until_attribute(&bob, "source", "camera").await?;
    }
    bob.until_picture_moves("Ada").await?;
    // It can be tried again at once, and a file that plays removes the notice.
    ada.choose_file("file-source-input", &sample()).await?;
    until_attribute(&bob, "source", "file").await?;
    ada.until("no notice is left", |page| page.notices.is_empty()).await.map(drop)
}

/// The path of the shipped clip.
fn sample() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../assets/sample/sample.webm"))
}

/// A second of silence (8 kHz, 8 bit, one channel): sound without pictures.
fn silent_wav() -> Vec<u8> {
    const RATE: u32 = 8000;
    let mut wav = Vec::new();
    wav.extend(b"RIFF");
    wav.extend((36 + RATE).to_le_bytes());
    wav.extend(b"WAVEfmt ");
    wav.extend(16_u32.to_le_bytes());
    for half in [1_u16, 1] {
        wav.extend(half.to_le_bytes());
    }
    for whole in [RATE, RATE] {
        wav.extend(whole.to_le_bytes());
    }
    for half in [1_u16, 8] {
        wav.extend(half.to_le_bytes());
    }
    wav.extend(b"data");
    wav.extend(RATE.to_le_bytes());
    wav.resize(44 + RATE as usize, 128);
    wav
}

/// Waits until Ada's tile has this value in a `data-` attribute.
async fn until_attribute(page: &Page, name: &str, value: &str) -> Result<()> {
    until(&format!("Ada's {name} to be {value}"), PATIENCE, async || {
        let found: Option<String> = page.execute(ATTRIBUTE, vec![json!(name)]).await?;
        Ok(if found.as_deref() == Some(value) { Ok(()) } else { Err(format!("{found:?}")) })
    })
    .await
}

async fn until_sound_arrives(page: &Page) -> Result<()> {
    let before = energy(page).await?;
    until("sound to arrive", PATIENCE, async || {
        let now = energy(page).await?;
        Ok(if now > before { Ok(()) } else { Err(format!("{before} to {now}")) })
    })
    .await
}

/// The energy of all received and played sound (W3C webrtc-stats, `totalAudioEnergy`).
async fn energy(page: &Page) -> Result<f64> {
    page.execute(ENERGY, vec![]).await.context("the energy of the received sound")
}

async fn seek(page: &Page, position_s: f64) -> Result<()> {
    page.execute(SEEK, vec![json!(position_s)]).await
}

async fn until_position(page: &Page, what: &str, is_so: impl Fn(f64) -> bool) -> Result<()> {
    until(what, PATIENCE, async || {
        let position_s: f64 = page.execute(POSITION, vec![]).await?;
        Ok(if is_so(position_s) { Ok(()) } else { Err(format!("it is at {position_s} s")) })
    })
    .await
}

const RECEIVED_RATE: &str = "
    const row = document.querySelector(`[data-testid=\"receiver\"][data-name=\"${arguments[0]}\"]`);
    return row?.querySelector('[data-metric=\"frames_per_second\"]')?.dataset.value ?? null;";

const ATTRIBUTE: &str = "
    const tile = document.querySelector('[data-testid=\"tile\"][data-name=\"Ada\"]');
    return tile?.dataset[arguments[0]] ?? null;";

const ENERGY: &str = "
    return (async () => {
      const connected = window.sightlineProbe.connections.filter(({ connectionState }) => connectionState === 'connected');
      const reports = await Promise.all(connected.map((connection) => connection.getStats()));
      return reports
        .flatMap((report) => [...report.values()])
        .filter(({ type, kind }) => type === 'inbound-rtp' && kind === 'audio')
        .reduce((sum, { totalAudioEnergy }) => sum + (totalAudioEnergy ?? 0), 0);
    })();";

/// Moves the slider as a person does.
const SEEK: &str = "
    const slider = document.querySelector('[data-testid=\"source-seek\"]');
    slider.value = arguments[0];
    slider.dispatchEvent(new Event('change', { bubbles: true }));
    return null;";

const POSITION: &str = "return Number(document.querySelector('[data-testid=\"source-seek\"]').value);";
