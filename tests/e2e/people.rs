//! What people do besides talking: raised hands, reactions, the key to talk, messages to one member, and the bars of a tile.
//!
//! With `SIGHTLINE_PEOPLE` as the name of a folder the tests also save pictures there, for a person.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::Result;
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};
use thirtyfour::By;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(the_bars_of_a_tile_open_the_statistics_of_its_member),
        stage.test_in_each(hands_are_shown_in_the_order_in_which_they_were_raised),
        stage.test_in_each(a_reaction_is_shown_and_announced_for_some_seconds),
        stage.test_in_each(the_space_bar_lets_a_muted_person_be_heard_while_it_is_held),
        stage.test_in_each(a_message_to_one_member_is_shown_to_nobody_else),
        stage.test_in_each(chat_and_statistics_share_a_panel_in_a_narrow_window),
    ]
    .into_iter()
    .flatten()
    .collect()
}

const CAMERA: &str = "source=camera&width=320&height=240&fps=15";
/// Three pages of one test beside three of another are too much for two cores if each sends pictures.
const NO_CAMERA: &str = "source=none";
const ENTER: &str = "\u{e007}";
const ESCAPE: &str = "\u{e00c}";

/// What the tiles of a page show beside the picture, and what was announced.
#[derive(Debug, Deserialize)]
struct Signs {
    /// Name, place of the hand, reaction.
    tiles: Vec<(String, Option<String>, Option<String>)>,
    announcement: String,
}

const SIGNS: &str = r#"
    const of = (tile, id) => tile.querySelector(`[data-testid="${id}"]`)?.dataset ?? {};
    return {
      tiles: [...document.querySelectorAll('[data-testid="tile"]')].map((tile) => [
        tile.dataset.name, of(tile, "tile-hand").place ?? null, of(tile, "tile-reaction").reaction ?? null]),
      announcement: document.querySelector('[data-testid="sign-announcement"]').textContent,
    };"#;

/// The name of the section of the statistics that has the focus and whose top is in view.
const SECTION: &str = r#"
    const section = document.activeElement.closest("section.stats-member");
    const list = document.querySelector(".stats-list")?.getBoundingClientRect();
    const top = section?.getBoundingClientRect().top ?? -1;
    return list && top >= list.top - 1 && top < list.bottom ? section.ariaLabel : null;"#;

async fn the_bars_of_a_tile_open_the_statistics_of_its_member(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([engine, Engine::Chromium, Engine::Chromium]).await?;
    ada.enter_with("bars", "Ada", NO_CAMERA).await?;
    for (page, name) in [(&bob, "Bob"), (&eve, "Eve")] {
        page.enter_with("bars", name, CAMERA).await?;
    }
    for name in ["Bob", "Eve"] {
        ada.until_picture_moves(name).await?;
    }
    for (name, is_clicked) in [("Eve", true), ("Bob", false), ("Eve", false)] {
        let bars = format!(r#"[data-testid="tile"][data-name="{name}"] [data-testid="tile-bars"]"#);
        until(&format!("the bars of {name}"), PATIENCE, async || {
            let script = "return document.querySelector(arguments[0])?.checkVisibility() ?? false";
            let is_shown: bool = ada.execute(script, vec![json!(bars)]).await?;
            Ok(if is_shown { Ok(()) } else { Err("none".to_owned()) })
        })
        .await?;
        if is_clicked {
            ada.browser.driver.find(By::Css(bars)).await?.click().await?;
        } else {
            let () = ada.execute("document.querySelector(arguments[0]).focus()", vec![json!(bars)]).await?;
            ada.press(ENTER).await?;
        }
        until(&format!("the statistics of {name}"), PATIENCE, async || {
            let shown: Option<String> = ada.execute(SECTION, vec![]).await?;
            Ok(if shown.as_deref() == Some(name) { Ok(()) } else { Err(format!("{shown:?}")) })
        })
        .await?;
        keep(&ada, "statistics").await?;
        // The last one is opened over the statistics of another member.
        if is_clicked {
            ada.press(ESCAPE).await?;
            ada.until("the statistics are gone", |page| !page.shows("stats-panel")).await?;
        }
    }
    Ok(())
}

async fn hands_are_shown_in_the_order_in_which_they_were_raised(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([engine, Engine::Chromium, engine]).await?;
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob"), (&eve, "Eve")] {
        page.enter_with("hands", name, NO_CAMERA).await?;
    }
    for name in ["Ada", "Bob"] {
        eve.until_connected_to(name).await?;
    }
    ada.until_connected_to("Bob").await?;

    bob.press("r").await?;
    until_hands(&eve, &[("Bob", "1")]).await?;
    let announced = until_signs(&eve, "Bob is announced", |signs| signs.announcement.contains("Bob")).await?;
    assert!(announced.announcement.contains("hand"), "{announced:?}");
    eve.click("hand-toggle").await?;
    ada.click("hand-toggle").await?;
    let all = [("Bob", "1"), ("Eve", "2"), ("Ada", "3")];
    for page in [&ada, &bob, &eve] {
        until_hands(page, &all).await?;
    }
    for (theme, width, height) in [("light", 1280, 800), ("dark", 1280, 800), ("dark", 390, 844)] {
        dress(&ada, theme, width, height).await?;
        keep(&ada, &format!("hands-{theme}-{width}")).await?;
    }
    ada.set_viewport(1280, 800).await?;
    bob.press("r").await?;
    for page in [&ada, &bob, &eve] {
        until_hands(page, &[("Eve", "1"), ("Ada", "2")]).await?;
    }
    eve.click("leave").await?;
    for page in [&ada, &bob] {
        until_hands(page, &[("Ada", "1")]).await?;
    }
    Ok(())
}

async fn a_reaction_is_shown_and_announced_for_some_seconds(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        page.enter_with("reactions", name, CAMERA).await?;
    }
    bob.until_picture_moves("Ada").await?;
    ada.click("reactions-toggle").await?;
    for (theme, width, height) in
        [("light", 1280, 800), ("dark", 390, 844), ("light", 844, 390), ("dark", 700, 800)]
    {
        dress(&ada, theme, width, height).await?;
        keep(&ada, &format!("reactions-{theme}-{width}")).await?;
    }
    ada.set_viewport(1280, 800).await?;
    ada.browser.driver.find(By::Css("[data-testid=reaction][data-reaction=applause]")).await?.click().await?;
    let applauds = |signs: &Signs| {
        signs.tiles.iter().any(|(name, _, reaction)| name == "Ada" && reaction.as_deref() == Some("applause"))
    };
    // At the same time, since it is shown for a few seconds.
    tokio::try_join!(
        until_signs(&ada, "Ada's own applause", applauds),
        until_signs(&bob, "Ada's applause", applauds)
    )?;
    keep(&bob, "reaction").await?;
    let announced = until_signs(&bob, "Ada is announced", |signs| signs.announcement.contains("Ada")).await?;
    assert!(announced.announcement.contains("Applause"), "{announced:?}");
    a_second_reaction_starts_its_own_animation(&ada, &bob).await?;
    let seen = ada.look().await?;
    assert!(!seen.shows("reactions"), "the choice closes");
    assert_eq!(seen.focused.as_deref(), Some("reactions-toggle"));
    for page in [&ada, &bob] {
        until_signs(page, "the reaction is over", |signs| {
            signs.tiles.iter().all(|(_, _, reaction)| reaction.is_none())
        })
        .await?;
    }
    Ok(())
}

/// An animation that continued from the earlier reaction would hide the second one before its time is over.
async fn a_second_reaction_starts_its_own_animation(ada: &Page, bob: &Page) -> Result<()> {
    const NOTE: &str = r#"window.earlier = document.querySelector('[data-testid="tile-reaction"]')"#;
    const IS_NEW: &str =
        r#"return window.earlier !== document.querySelector('[data-testid="tile-reaction"]')"#;
    let () = bob.execute(NOTE, vec![]).await?;
    ada.click("reactions-toggle").await?;
    ada.browser.driver.find(By::Css("[data-testid=reaction][data-reaction=heart]")).await?.click().await?;
    until_signs(bob, "Ada's heart", |signs| {
        signs.tiles.iter().any(|(_, _, reaction)| reaction.as_deref() == Some("heart"))
    })
    .await?;
    assert!(bob.execute::<bool>(IS_NEW, vec![]).await?, "each reaction is a new element");
    Ok(())
}

async fn the_space_bar_lets_a_muted_person_be_heard_while_it_is_held(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        page.enter_with("talk", name, CAMERA).await?;
    }
    bob.until_connected_to("Ada").await?;
    let until_mic = async |state: &str| {
        bob.until(&format!("Ada's microphone is {state}"), |page| {
            page.tile("Ada").is_some_and(|tile| tile.mic.as_deref() == Some(state))
        })
        .await
    };
    let keys = || ada.browser.driver.action_chain();
    let unfocus = async || -> Result<()> { ada.execute("document.activeElement.blur()", vec![]).await };
    until_mic("on").await?;
    unfocus().await?;
    ada.press("m").await?;
    until_mic("off").await?;
    let () = ada.execute(RECORD, vec![]).await?;

    keys().key_down(' ').perform().await?;
    until_mic("on").await?;
    ada.until("Ada is told", |page| page.shows("talk-hint")).await?;
    bob.until_sound_is_heard("Ada").await?;
    keep(&ada, "talk").await?;
    keys().key_up(' ').perform().await?;
    until_mic("off").await?;
    ada.until("the hint is gone", |page| !page.shows("talk-hint")).await?;

    // The window loses the focus while the key is down: nobody would report its release.
    keys().key_down(' ').perform().await?;
    until_mic("on").await?;
    let () = ada.execute("window.dispatchEvent(new Event('blur'))", vec![]).await?;
    until_mic("off").await?;
    keys().key_up(' ').perform().await?;

    // A space that is typed, and one on a button, belong to them.
    ada.click("chat-input").await?;
    ada.press("a b").await?;
    ada.press(ENTER).await?;
    bob.until_received("a b").await?;
    ada.focus("hand-toggle").await?;
    keys().key_down(' ').key_up(' ').perform().await?;
    until_hands(&bob, &[("Ada", "1")]).await?;
    let heard: Vec<String> = ada.execute(STATES, vec![]).await?;
    assert_eq!(heard, ["true", "false", "true", "false"], "{heard:?}");

    // Once switched off, the key does nothing.
    ada.click("settings-toggle").await?;
    ada.until("the settings are there", |page| page.shows("push-to-talk")).await?;
    keep(&ada, "settings").await?;
    ada.click("push-to-talk").await?;
    ada.press(ESCAPE).await?;
    ada.until("the settings are gone", |page| !page.shows("push-to-talk")).await?;
    unfocus().await?;
    keys().key_down(' ').key_up(' ').perform().await?;
    ada.press("r").await?;
    until_hands(&bob, &[]).await?;
    assert_eq!(ada.execute::<Vec<String>>(STATES, vec![]).await?.len(), heard.len());
    Ok(())
}

async fn a_message_to_one_member_is_shown_to_nobody_else(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob, eve] = scene.pages_in([engine, Engine::Chromium, Engine::Chromium]).await?;
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob"), (&eve, "Eve")] {
        page.enter_with("private", name, NO_CAMERA).await?;
    }
    for page in [&ada, &bob] {
        page.until_connected_to("Eve").await?;
    }
    ada.until_connected_to("Bob").await?;
    until_option(&ada, "Bob").await?;
    choose(&ada, "Bob").await?;
    ada.say("between the two of us").await?;
    ada.until_delivered("between the two of us").await?;
    choose(&ada, "").await?;
    ada.say("for all of you").await?;
    eve.until_received("for all of you").await?;
    let seen = eve.look().await?;
    assert_eq!(seen.messages.len(), 1, "{:?}", seen.messages);
    bob.until_received("for all of you").await?;
    choose(&ada, "Bob").await?;
    for (theme, width, height) in [("light", 1280, 800), ("dark", 390, 844)] {
        dress(&ada, theme, width, height).await?;
        if ada.look().await?.shows("chat-toggle") {
            ada.click("chat-toggle").await?;
        }
        keep(&ada, &format!("private-{theme}-{width}")).await?;
    }
    ada.set_viewport(1280, 800).await?;
    for _ in 0..2 {
        for page in [&ada, &bob] {
            let private: Vec<String> = page.execute(PRIVATE, vec![]).await?;
            assert!(matches!(&private[..], [text] if text.contains("between the two of us")), "{private:?}");
        }
        bob.reload().await?;
        ada.reload().await?;
        for page in [&ada, &bob] {
            page.until("the messages are there again", |page| page.messages.len() == 2).await?;
        }
    }
    let said: Vec<String> = ada.execute(PRIVATE, vec![]).await?;
    assert!(said[0].contains("Bob") && said[0].contains("only"), "{said:?}");

    // Its receiver leaves: the text stays in the field, and goes to nobody.
    until_option(&ada, "Bob").await?;
    choose(&ada, "Bob").await?;
    bob.click("leave").await?;
    ada.until("Bob is gone", |page| page.shows("chat-to-gone")).await?;
    ada.fill("chat-input", "still only for Bob").await?;
    ada.click("chat-send").await?;
    keep(&ada, "private-gone").await?;
    let text: String =
        ada.execute(r#"return document.querySelector('[data-testid="chat-input"]').value"#, vec![]).await?;
    assert_eq!(text, "still only for Bob");
    choose(&ada, "").await?;
    ada.fill("chat-input", "now for Eve too").await?;
    ada.click("chat-send").await?;
    eve.until_received("now for Eve too").await?;
    let seen = eve.look().await?;
    assert_eq!(seen.messages.len(), 2, "{:?}", seen.messages);
    Ok(())
}

async fn chat_and_statistics_share_a_panel_in_a_narrow_window(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter("tabs-of-panels", "Ada").await?;
    bob.enter_with("tabs-of-panels", "Bob", NO_CAMERA).await?;
    ada.until_connected_to("Bob").await?;
    for (width, height) in [(1100, 700), (390, 844)] {
        ada.set_viewport(width, height).await?;
        ada.click("stats-toggle").await?;
        ada.until("the statistics are there alone", |page| {
            page.shows("stats-panel") && !page.shows("chat-input")
        })
        .await?;
        let unseen = format!("not seen at {width}");
        bob.say(&unseen).await?;
        until("the tab to count the message", PATIENCE, async || {
            let script = "return document.querySelector('.stats [data-testid=tab-chat]')?.innerText ?? ''";
            let tab: String = ada.execute(script, vec![]).await?;
            Ok(if tab.contains('1') { Ok(()) } else { Err(tab) })
        })
        .await?;
        keep(&ada, &format!("tabs-{width}")).await?;
        ada.click("tab-chat").await?;
        ada.until("the chat is there alone", |page| !page.shows("stats-panel") && page.shows("chat-input"))
            .await?;
        ada.until_received(&unseen).await?;
        ada.click("tab-stats").await?;
        ada.until("the statistics are there again", |page| page.shows("stats-panel")).await?;
        ada.press(ESCAPE).await?;
        ada.until("the statistics are gone", |page| !page.shows("stats-panel")).await?;
    }
    ada.set_viewport(1280, 800).await?;
    ada.click("stats-toggle").await?;
    let seen = ada.until("a wide window shows both", |page| page.shows("stats-panel")).await?;
    assert!(seen.shows("chat-input") && !seen.shows("tab-chat"), "{:?}", seen.shown);
    Ok(())
}

/// The texts of the private messages, with what stands above them.
const PRIVATE: &str = r#"
    return [...document.querySelectorAll('[data-testid="chat-message"][data-private="true"]')].map((shown) => shown.innerText);"#;

/// Notes from now on what the page sends on its channels.
const RECORD: &str = r#"
    const { send } = RTCDataChannel.prototype;
    window.recorded = [];
    RTCDataChannel.prototype.send = function (message) {
      window.recorded.push(String(message));
      return send.call(this, message);
    };"#;

/// Whether the microphone was on, in each state that the page sent since [`RECORD`], without repetition.
const STATES: &str = r#"
    const states = window.recorded.filter((text) => text.startsWith('{"type":"state"'))
      .map((text) => String(JSON.parse(text).microphone));
    return states.filter((state, at) => state !== states[at - 1]);"#;

async fn choose(page: &Page, name: &str) -> Result<()> {
    const CHOOSE: &str = r#"
        const select = document.querySelector('[data-testid="chat-to"]');
        const option = [...select.options].find((option) => arguments[0] ? option.text === arguments[0] : option.value === "");
        select.value = option.value;
        select.dispatchEvent(new Event("change", { bubbles: true }));"#;
    page.execute(CHOOSE, vec![json!(name)]).await
}

async fn until_option(page: &Page, name: &str) -> Result<()> {
    until(&format!("{name} as a receiver"), PATIENCE, async || {
        let script = r#"return [...document.querySelectorAll('[data-testid="chat-to"] option')].map((option) => option.text)"#;
        let options: Vec<String> = page.execute(script, vec![]).await?;
        Ok(if options.iter().any(|option| option == name) { Ok(()) } else { Err(format!("{options:?}")) })
    })
    .await
}

async fn until_signs(page: &Page, what: &str, are_so: impl Fn(&Signs) -> bool) -> Result<Signs> {
    until(what, PATIENCE, async || {
        let signs: Signs = page.execute(SIGNS, vec![]).await?;
        Ok(if are_so(&signs) { Ok(signs) } else { Err(format!("{signs:?}")) })
    })
    .await
}

/// Waits until exactly these members show a hand, with these places.
async fn until_hands(page: &Page, wanted: &[(&str, &str)]) -> Result<()> {
    until_signs(page, &format!("the hands {wanted:?}"), |signs| {
        let raised = signs.tiles.iter().filter(|(_, place, _)| place.is_some()).count();
        raised == wanted.len()
            && wanted.iter().all(|(name, place)| {
                signs.tiles.iter().any(|(of, at, _)| of == name && at.as_deref() == Some(place))
            })
    })
    .await?;
    Ok(())
}

async fn dress(page: &Page, theme: &str, width: u32, height: u32) -> Result<()> {
    page.set_viewport(width, height).await?;
    page.execute("document.documentElement.dataset.theme = arguments[0]", vec![json!(theme)]).await
}

async fn keep(page: &Page, name: &str) -> Result<()> {
    let Some(folder) = env::var_os("SIGHTLINE_PEOPLE").map(PathBuf::from) else { return Ok(()) };
    let engine = page.browser.profile.engine.name();
    Ok(page.browser.driver.screenshot(&folder.join(format!("{name}-{engine}.png"))).await?)
}
