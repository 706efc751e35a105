//! One hostile member against the others, in real browsers: it floods, and the others' call goes on.
#![allow(clippy::print_stdout, reason = "the counted frames are for a person")]

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};

/// Floods over a data channel: their sender is cut off.
const TALK: [&str; 4] = ["chat", "states", "garbage", "telemetry"];
const DATA: [&str; 4] = ["offers", "huge messages", "frames", "bulk connections"];
/// Floods through the server, which has its own limits and may refuse them.
const SIGNALS: [&str; 4] = ["new connections", "a number that is none", "a lone surrogate", "deep brackets"];

/// Parameters of the video of Ada and Bob: small pictures, 30 frames a second.
const CAMERA: &str = "source=camera&width=320&height=240&fps=30";
/// Length of one window in which frames are counted.
const WINDOW: Duration = Duration::from_secs(3);
/// Most windows that are counted while the flood goes on.
const MAX_WINDOWS: usize = 5;
/// Most peer connections that a page has made after all floods: the burst that the budget grants plus its refill
/// (`budget::ROOM_CONNECTIONS`: 128, and four per second).
const MAX_CONNECTIONS: usize = 300;
/// Cutting off takes a second or two; longer on a machine that is busy with the flood.
const CUT_OFF_PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each_alone(a_member_that_floods_with_messages_is_cut_off_and_the_call_continues),
        stage.test_in_each_alone(a_member_that_floods_with_data_is_cut_off_and_the_call_continues),
        stage.test_in_each_alone(flooding_or_unreadable_signals_end_no_connection),
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn a_member_that_floods_with_messages_is_cut_off_and_the_call_continues(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    is_cut_off(scene, engine, &TALK).await
}

async fn a_member_that_floods_with_data_is_cut_off_and_the_call_continues(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    is_cut_off(scene, engine, &DATA).await
}

async fn is_cut_off(scene: &Scene, engine: Engine, kinds: &[&str]) -> Result<()> {
    let (ada, bob, eve) = call(scene, engine).await?;
    for kind in kinds {
        come(&eve, &[&ada, &bob]).await?;
        attack(&eve, kind, &ada, &bob).await.with_context(|| format!("during the flood of {kind}"))?;
        for page in [&ada, &bob] {
            page.until_for(CUT_OFF_PATIENCE, &format!("Eve is cut off for {kind}, in words"), |page| {
                let told = |code: &str| {
                    page.notices.iter().any(|notice| notice.code == code && notice.text.contains(' '))
                };
                told("member-cut-off") && page.tile("Eve").is_some_and(|tile| !tile.text.is_empty())
            })
            .await?;
        }
        go(&eve, &[&ada, &bob]).await?;
        for page in [&ada, &bob] {
            page.until("nobody is cut off any more", |page| !page.has_notice("member-cut-off")).await?;
        }
    }
    assert_is_whole(&ada, &bob).await
}

async fn flooding_or_unreadable_signals_end_no_connection(scene: &Scene, engine: Engine) -> Result<()> {
    let (ada, bob, eve) = call(scene, engine).await?;
    // The server may close the socket of such a sender.
    eve.expect_no_server();
    for kind in SIGNALS {
        come(&eve, &[&ada, &bob]).await?;
        attack(&eve, kind, &ada, &bob).await.with_context(|| format!("during the flood of {kind}"))?;
        for page in [&ada, &bob] {
            let seen = page.look().await?;
            assert_eq!(seen.connection.as_deref(), Some("connected"), "{kind}");
            assert!(!seen.has_notice("protocol-error"), "{kind}");
        }
        go(&eve, &[&ada, &bob]).await?;
    }
    assert_is_whole(&ada, &bob).await
}

/// Ada and Bob in a call, and the page of a third member.
async fn call(scene: &Scene, engine: Engine) -> Result<(Arc<Page>, Arc<Page>, Arc<Page>)> {
    let [ada, bob, eve] = scene.pages_in([Engine::Chromium, engine, Engine::Chromium]).await?;
    // A real hostile member would have a separate machine.
    eve.browser.yield_processor().await?;
    ada.enter_with("hostile", "Ada", CAMERA).await?;
    bob.enter_with("hostile", "Bob", CAMERA).await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    Ok((ada, bob, eve))
}

async fn come(eve: &Page, others: &[&Arc<Page>]) -> Result<()> {
    eve.enter_with("hostile", "Eve", "source=none").await?;
    for page in others {
        page.until_connected_to("Eve").await?;
    }
    Ok(())
}

/// Closes the tab: the next member is a different one.
async fn go(eve: &Page, others: &[&Arc<Page>]) -> Result<()> {
    flood(eve, "nothing").await?;
    eve.execute::<()>("sessionStorage.clear()", vec![]).await?;
    // The server may have removed her before.
    if eve.look().await?.shows("leave") {
        eve.click("leave").await?;
    }
    eve.until("Eve is out of the room", |page| !page.shows("room")).await?;
    for page in others {
        // The server holds the seat of a member that did not get through.
        page.until_for(CUT_OFF_PATIENCE, "Eve is gone", |page| page.tile("Eve").is_none()).await?;
    }
    Ok(())
}

async fn flood(eve: &Page, kind: &str) -> Result<()> {
    eve.execute(include_str!("hostile_member.js"), vec![json!(kind)]).await
}

/// Starts a flood and checks that the call of the other two goes on.
async fn attack(eve: &Page, kind: &str, ada: &Page, bob: &Page) -> Result<()> {
    let before = frames(ada, bob).await.context("before")?;
    flood(eve, kind).await.context("the flood itself")?;
    goes_on(kind, before, ada, bob).await.context("the pictures")?;
    talk(ada, bob, kind).await.context("the chat")
}

/// The number of frames that each of the two shows of the other in the same window.
async fn frames(ada: &Page, bob: &Page) -> Result<[u32; 2]> {
    let shown = async |page: &Page, name: &str| -> Result<u32> {
        page.execute(SHOWN_FRAMES, vec![json!(name), json!(WINDOW.as_millis() as u64)]).await
    };
    let (at_ada, at_bob) = tokio::try_join!(shown(ada, "Bob"), shown(bob, "Ada"))?;
    Ok([at_ada, at_bob])
}

/// The call has its frames while the flood goes on. The first windows may have less: sender and receivers share a small machine,
/// which the flood keeps busy until its sender is cut off.
async fn goes_on(kind: &str, before: [u32; 2], ada: &Page, bob: &Page) -> Result<()> {
    assert!(before.into_iter().all(|before| before > 30), "{kind}: the call did not run before: {before:?}");
    let mut windows = Vec::new();
    while windows.len() < MAX_WINDOWS {
        let during = frames(ada, bob).await?;
        windows.push(during);
        if before.into_iter().zip(during).all(|(before, during)| 10 * during >= 8 * before) {
            println!("{kind}: {before:?} frames before, {windows:?} during the flood");
            return Ok(());
        }
    }
    let (at_ada, at_bob) = tokio::try_join!(ada.video_flow("Bob"), bob.video_flow("Ada"))?;
    anyhow::bail!(
        "{kind}: {before:?} frames before, {windows:?} during the flood; Ada: {at_ada}; Bob: {at_bob}"
    )
}

/// Both receive each other's messages during the flood.
async fn talk(ada: &Page, bob: &Page, kind: &str) -> Result<()> {
    let (question, answer) = (format!("do you see {kind}?"), format!("no, no {kind} here"));
    ada.say(&question).await?;
    bob.until_received(&question).await?;
    bob.say(&answer).await?;
    ada.until_received(&answer).await?;
    ada.until_delivered(&question).await?;
    Ok(())
}

async fn assert_is_whole(ada: &Page, bob: &Page) -> Result<()> {
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    for page in [ada, bob] {
        let connections: usize = page.execute("return sightlineProbe.connections.length", vec![]).await?;
        println!("{connections} peer connections were made");
        assert!(connections <= MAX_CONNECTIONS, "{connections} peer connections were made");
    }
    Ok(())
}

const SHOWN_FRAMES: &str = "return (async (name, milliseconds) => {
    const tile = [...document.querySelectorAll('[data-testid=\"tile\"]')].find((tile) => tile.dataset.name === name);
    const video = tile.querySelector('video');
    let frames = 0;
    let isOver = false;
    const note = () => {
      frames += 1;
      if (!isOver) video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
    await new Promise((resolve) => setTimeout(resolve, milliseconds));
    isOver = true;
    return frames;
  })(...arguments);";
