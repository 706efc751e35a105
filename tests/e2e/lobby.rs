//! The way of a person from the first page into a room.

use std::sync::Arc;

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::{Devices, Engine, Profile},
    page::SMALL_CAMERA,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

use crate::consent::captures;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_mixed_pairs(one_makes_a_room_and_another_follows_the_invitation),
        stage.test_in_mixed_pairs(a_person_in_the_lobby_is_known_to_nobody_and_everything_is_ready),
        stage.test_in_each(a_blocked_microphone_is_not_shown_as_on),
        vec![
            stage.test(a_room_can_be_entered_by_its_name_in_capitals),
            stage.test(a_room_name_that_is_not_allowed_is_told),
            stage.test(the_punctuation_after_a_link_does_not_lead_astray),
            stage.test(names_with_markup_are_text),
            stage.test(a_chinese_page_contains_no_english),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_person_in_the_lobby_is_known_to_nobody_and_everything_is_ready(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    const READY: &str = "
        const { socketsMade, made, joins } = sightlineProbe;
        return [socketsMade, made.length, made.every(({ iceGatheringState }) => iceGatheringState === 'new'), joins]";
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter("ahead", "Ada").await?;
    bob.open(&format!("/room/ahead?name=Bob&{SMALL_CAMERA}")).await?;
    until("the lobby to have a socket and a peer connection", PATIENCE, async || {
        let ready: (u32, u32, bool, u32) = bob.execute(READY, vec![]).await?;
        Ok(if ready == (1, 1, true, 0) { Ok(()) } else { Err(format!("{ready:?}")) })
    })
    .await?;
    let page = ada.look().await?;
    assert_eq!(page.tiles.len(), 1, "{page:#?}");
    bob.click("join").await?;
    ada.until_connected_to("Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    let (sockets, made): (u32, u32) =
        bob.execute("return [sightlineProbe.socketsMade, sightlineProbe.made.length]", vec![]).await?;
    assert_eq!((sockets, made), (1, 1), "what was made ahead is not used");
    Ok(())
}

async fn a_blocked_microphone_is_not_shown_as_on(scene: &Scene, engine: Engine) -> Result<()> {
    const IS_OFF: &str = "
        const button = document.querySelector('[data-testid=toggle-mic]');
        return button.classList.contains('is-off') && !document.querySelector('.level');";
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::Refused)).await?;
    page.open("/room/blocked?source=camera").await?;
    page.until_notice("permission-denied").await?;
    for _ in 0..2 {
        until("the microphone is shown as off", PATIENCE, async || {
            let is_off: bool = page.execute(IS_OFF, vec![]).await?;
            Ok(if is_off { Ok(()) } else { Err("a blocked microphone is shown as on".to_owned()) })
        })
        .await?;
        let before = captures(&page).await?.len();
        page.click("toggle-mic").await?;
        until("the page asks again instead of switching off what is not on", PATIENCE, async || {
            let asked = captures(&page).await?.len();
            Ok(if asked > before { Ok(()) } else { Err(format!("{asked} requests")) })
        })
        .await?;
    }
    Ok(())
}

async fn one_makes_a_room_and_another_follows_the_invitation(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.open("/").await?;
    ada.click("go").await?;
    let lobby = ada.until("the lobby is there", |page| page.shows("lobby")).await?;
    let room = lobby.path.strip_prefix("/room/").context("no room in the address")?.to_owned();
    assert!(room.chars().filter(char::is_ascii_alphanumeric).count() >= 25, "{room} has not 128 bits");
    ada.until("there is a preview, and devices by their labels", |page| page.shows("preview")).await?;
    for select in ["camera-select", "mic-select"] {
        let labels = ada.options(select).await?;
        assert!(labels.iter().any(|label| label.len() > 3), "{select} has no labels: {labels:?}");
    }
    ada.fill("name-input", "Ada Lovelace").await?;
    ada.click("join").await?;
    let in_room =
        ada.until("Ada is in the room", |page| page.shows("room") && page.invitation.is_some()).await?;
    let invitation = in_room.invitation.context("no invitation")?;
    let (address, secret) = invitation.split_once('#').context("no secret")?;
    assert!(address.ends_with(&format!("/room/{room}")), "{invitation} is not plain");
    assert_eq!(secret.len(), 22, "{invitation}");

    bob.open(&invitation).await?;
    bob.fill("name-input", "Bob").await?;
    bob.click("join").await?;
    bob.until_connected_to("Ada Lovelace").await?;
    ada.until_connected_to("Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada Lovelace"))?;
    Ok(())
}

async fn a_room_can_be_entered_by_its_name_in_capitals(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    page.open("/").await?;
    page.fill("room-input", "Team-Seven").await?;
    page.click("go").await?;
    let lobby = page.until("the lobby is there", |page| page.shows("lobby")).await?;
    assert_eq!(lobby.path, "/room/team-seven");
    Ok(())
}

async fn a_room_name_that_is_not_allowed_is_told(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    for path in ["/room/ab", "/room/a%20b", "/room/%3Cb%3E", "/room/r%C3%A4ume"] {
        page.open(path).await?;
        page.until_notice("room-name-invalid").await?;
    }
    page.open("/").await?;
    page.fill("room-input", "no such name!").await?;
    page.click("go").await?;
    page.until_notice("room-name-invalid").await?;
    Ok(())
}

async fn the_punctuation_after_a_link_does_not_lead_astray(scene: &Scene) -> Result<()> {
    for engine in Engine::ALL {
        let page = scene.page(engine).await?;
        for end in [",", ")", "%20", "\u{2026}", "%E3%80%82", "\u{bb}", "/"] {
            page.open(&format!("/room/Team-7{end}")).await?;
            let lobby =
                page.until(&format!("the lobby is there after {end}"), |page| page.shows("lobby")).await?;
            assert_eq!(lobby.path, "/room/team-7");
        }
        for path in ["/room/Team 7", "/room/team_7", "/room/team%2"] {
            page.open(path).await?;
            page.until_notice("room-name-invalid").await?;
        }
    }
    Ok(())
}

async fn names_with_markup_are_text(scene: &Scene) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, Engine::Firefox]).await?;
    let hostile = r#"<img id=injected src=x onerror=alert(1)>"&'"#;
    ada.enter("names", "Ada").await?;
    bob.enter("names", hostile).await?;
    let seen = ada.until_connected_to(hostile).await?;
    assert_eq!(seen.injected, 0, "markup became elements");
    let tile = seen.tile(hostile).context("no tile")?;
    assert!(tile.text.contains(hostile), "the name is not what is shown: {:?}", tile.text);
    bob.say("a message").await?;
    let seen = ada.until_received("a message").await?;
    assert!(seen.message("a message").is_some_and(|message| message.text.contains(hostile)));
    assert_eq!(seen.injected, 0, "markup became elements");
    Ok(())
}

async fn a_chinese_page_contains_no_english(scene: &Scene) -> Result<()> {
    let page = scene.page(Engine::Chromium).await?;
    for path in ["/?lang=zh-CN", "/room/sprache?lang=zh-CN", "/room/sprache?lang=zh-CN&name=A&autojoin=1"] {
        page.open(path).await?;
        let seen = page.until("the page is Chinese", |page| page.language == "zh-CN").await?;
        let words: String = page.execute(VISIBLE_WORDS, vec![]).await?;
        assert!(words.chars().any(|character| ('\u{4e00}'..='\u{9fff}').contains(&character)), "{words}");
        let without_addresses =
            words.split_whitespace().filter(|word| !word.contains('/')).collect::<Vec<_>>();
        let english = without_addresses
            .iter()
            .flat_map(|word| word.split(|character: char| !character.is_ascii_alphabetic()))
            .filter(|word| word.len() > 3);
        // The names of the product, of a language, of the room, of the standard, and of Chromium's fake devices.
        let names = [
            "Sightline",
            "English",
            "sprache",
            "WebRTC",
            "fake",
            "Fake",
            "device",
            "Default",
            "Audio",
            "Input",
        ];
        let foreign: Vec<_> = english.filter(|word| !names.contains(word)).collect();
        assert!(foreign.is_empty(), "{}: not Chinese: {foreign:?} in {words}", seen.path);
    }
    Ok(())
}

/// Text, labels and titles of all visible elements.
const VISIBLE_WORDS: &str = "
    const labels = [...document.querySelectorAll('[aria-label], [title], [placeholder]')]
      .filter((element) => element.checkVisibility())
      .flatMap((element) => [element.ariaLabel, element.title, element.placeholder]);
    return [document.body.innerText, ...labels].filter(Boolean).join('\\n');";
