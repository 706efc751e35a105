//! Small windows: a phone in landscape, a page at 200 %.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::{Devices, Engine, Profile},
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(the_message_field_can_be_reached_in_every_window),
        stage.test_in_each(the_labels_of_a_tile_never_overlap),
        stage.test_in_each(the_other_picture_is_the_largest_thing_and_every_control_is_reached),
        stage.test_in_each(the_lobby_shows_the_name_and_join_without_scrolling),
        stage.test_in_each(the_local_picture_moves_by_drag_and_by_keyboard),
        stage.test_in_each(every_control_takes_a_finger),
        stage.test_in_each(one_tap_switches_the_camera),
        vec![stage.test(high_contrast_keeps_selection_and_meters_visible)],
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// The last two are 1280 x 800 and 844 x 390 at 200 %.
const SIZES: [(u32, u32); 10] = [
    (360, 320),
    (568, 320),
    (412, 360),
    (320, 256),
    (360, 640),
    (844, 390),
    (1280, 320),
    (1100, 700),
    (640, 400),
    (422, 195),
];

async fn the_message_field_can_be_reached_in_every_window(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.enter("small", "Ada").await?;
    for (width, height) in SIZES {
        page.set_viewport(width, height).await?;
        let seen = page.look().await?;
        if seen.shows("chat-toggle") {
            page.click("chat-toggle").await?;
        }
        page.until("there is a field", |page| page.shows("chat-input")).await?;
        for test_id in ["chat-input", "chat-send"] {
            is_reached(&page, test_id, &format!("{test_id} at {width} x {height}")).await?;
        }
        keep(&page, &format!("chat-{width}x{height}")).await?;
        page.say(&format!("{width} by {height}")).await?;
        page.until("what was written is there", |page| {
            page.message(&format!("{width} by {height}")).is_some()
        })
        .await?;
        if seen.shows("chat-toggle") {
            page.press("\u{e00c}").await?;
            page.until("the chat is folded", |page| !page.shows("chat-input")).await?;
        }
    }
    Ok(())
}

async fn the_labels_of_a_tile_never_overlap(scene: &Scene, engine: Engine) -> Result<()> {
    let [bob, ada] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("labels", "Ada", "source=file&sample=1").await?;
    bob.enter("labels", "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    bob.until("the way to Ada is known", |page| page.shows("tile-path")).await?;
    for state in ["paused", "ended"] {
        if state == "paused" {
            ada.click("source-pause").await?;
        } else {
            let () = ada.execute(SEEK_TO_END, vec![]).await?;
            ada.click("source-play").await?;
        }
        until(&format!("the film is {state} for Bob"), PATIENCE, async || {
            let now: Option<String> = bob.execute(PLAYBACK, vec![]).await?;
            Ok(if now.as_deref() == Some(state) { Ok(()) } else { Err(format!("{now:?}")) })
        })
        .await?;
        for (width, height) in
            [(1280, 800), (900, 600), (640, 400), (568, 320), (412, 740), (360, 640), (360, 320)]
        {
            bob.set_viewport(width, height).await?;
            let overlaps: Vec<String> = bob.execute(OVERLAPS, vec![]).await?;
            keep(&bob, &format!("labels-{state}-{width}x{height}")).await?;
            ensure!(overlaps.is_empty(), "{state} at {width} x {height}: {overlaps:?}");
        }
    }
    Ok(())
}

/// The last one is 844 x 390 at 150 %.
const PHONES: [(u32, u32); 6] = [(360, 640), (412, 915), (844, 390), (667, 375), (568, 320), (563, 260)];

async fn the_other_picture_is_the_largest_thing_and_every_control_is_reached(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [bob, ada] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter("phones", "Ada").await?;
    bob.enter("phones", "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    for (width, height) in PHONES {
        bob.set_viewport(width, height).await?;
        for test_id in [
            "toggle-mic",
            "toggle-camera",
            "hand-toggle",
            "reactions-toggle",
            "chat-toggle",
            "stats-toggle",
            "leave",
        ] {
            is_reached(&bob, test_id, &format!("{test_id} at {width} x {height}")).await?;
        }
        let [own, other, window]: [f64; 3] = bob.execute(AREAS, vec![]).await?;
        keep(&bob, &format!("call-{width}x{height}")).await?;
        ensure!(4.0 * own <= other, "at {width} x {height} one's own picture has {own} of {other} pixels");
        ensure!(
            3.0 * other >= window,
            "at {width} x {height} the other picture has {other} of {window} pixels"
        );
    }
    Ok(())
}

async fn the_lobby_shows_the_name_and_join_without_scrolling(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/phones?source=camera").await?;
    page.until("the preview shows a picture", |page| page.shows("join")).await?;
    // The first one is a browser's window on a small laptop.
    for (width, height) in [(1280, 660)].into_iter().chain(PHONES) {
        page.set_viewport(width, height).await?;
        for test_id in ["name-input", "join"] {
            is_reached(&page, test_id, &format!("{test_id} at {width} x {height}")).await?;
        }
        keep(&page, &format!("lobby-{width}x{height}")).await?;
    }
    Ok(())
}

async fn the_local_picture_moves_by_drag_and_by_keyboard(scene: &Scene, engine: Engine) -> Result<()> {
    let [bob, ada] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter("corners", "Ada").await?;
    bob.enter("corners", "Bob").await?;
    bob.until_picture_moves("Ada").await?;
    for (width, height) in [(390, 844), (844, 390)] {
        bob.set_viewport(width, height).await?;
        lies_at(&bob, "bottom-right").await?;
        bob.focus("tile-move").await?;
        for (key, corner) in [("\u{e013}", "top-right"), ("\u{e012}", "top-left"), ("\u{e012}", "top-left")] {
            bob.press(key).await?;
            lies_at(&bob, corner).await?;
        }
        keep(&bob, &format!("own-top-left-{width}x{height}")).await?;
        let dragged: bool = bob.execute(DRAG, vec![]).await?;
        assert!(dragged, "the picture did not follow the finger");
        lies_at(&bob, "bottom-right").await?;
        let [own, other, _]: [f64; 3] = bob.execute(AREAS, vec![]).await?;
        assert!(4.0 * own <= other, "{own} of {other}");
    }
    Ok(())
}

/// Whether the local picture lies in this corner of the stage.
async fn lies_at(page: &Page, corner: &str) -> Result<()> {
    until(&format!("the local picture at the {corner}"), PATIENCE, async || {
        let found: String = page.execute(CORNER, vec![]).await?;
        Ok(if found == corner { Ok(()) } else { Err(found) })
    })
    .await
}

async fn every_control_takes_a_finger(scene: &Scene, engine: Engine) -> Result<()> {
    const NAME: &str = "Professor Augusta Ada King, Countess of Lovelace (telephone)";
    let [bob, ada] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter("fingers", NAME).await?;
    bob.set_viewport(390, 844).await?;
    bob.open("/room/fingers?source=camera").await?;
    bob.until("the lobby is there", |page| page.shows("join")).await?;
    are_large(&bob, "the lobby").await?;
    bob.fill("name-input", "Bob").await?;
    bob.click("join").await?;
    bob.until_picture_moves(NAME).await?;
    for (width, height) in [(360, 640), (390, 844), (844, 390)] {
        bob.set_viewport(width, height).await?;
        are_large(&bob, &format!("the call at {width} x {height}")).await?;
        let shown: bool = bob.execute(NAME_SHOWS_ITS_END, vec![]).await?;
        assert!(shown, "the end of the long name is cut off at {width} x {height}");
        let wrapped: Vec<String> = bob.execute(BARS_BELOW_A_NAME, vec![]).await?;
        assert!(wrapped.is_empty(), "bars below the name at {width} x {height}: {wrapped:?}");
        keep(&bob, &format!("long-name-{width}x{height}")).await?;
        let [microphone, leave]: [[f64; 2]; 2] = bob.execute(MICROPHONE_AND_LEAVE, vec![]).await?;
        let apart = (microphone[0] - leave[0]).hypot(microphone[1] - leave[1]);
        assert!(apart > 100.0, "leaving is beside mute at {width} x {height}");
    }
    Ok(())
}

async fn are_large(page: &Page, what: &str) -> Result<()> {
    let small: Vec<String> = page.execute(SMALL_CONTROLS, vec![]).await?;
    ensure!(small.is_empty(), "controls of {what} that a finger misses: {small:#?}");
    Ok(())
}

async fn one_tap_switches_the_camera(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page_in(Profile::of(engine).with_devices(Devices::TwoCameras)).await?;
    page.set_viewport(390, 844).await?;
    page.enter("cameras", "Ada").await?;
    page.until("the camera is on", |page| {
        page.tile("Ada").is_some_and(|tile| tile.camera.as_deref() == Some("on"))
    })
    .await?;
    if engine == Engine::Firefox {
        // Its test camera is the only one.
        assert!(!page.look().await?.shows("camera-switch"));
        return Ok(());
    }
    page.until("the cameras are known", |page| page.shows("camera-switch")).await?;
    let before: String = page.execute(CAMERA, vec![]).await?;
    for _ in 0..2 {
        let from: String = page.execute(CAMERA, vec![]).await?;
        page.focus("camera-switch").await?;
        page.click("camera-switch").await?;
        until("another camera", PATIENCE, async || {
            let now: String = page.execute(CAMERA, vec![]).await?;
            Ok(if now != from && !now.is_empty() { Ok(()) } else { Err(now) })
        })
        .await?;
    }
    let after: String = page.execute(CAMERA, vec![]).await?;
    assert_eq!(after, before, "two switches lead back");
    keep(&page, "camera-switch").await
}

async fn high_contrast_keeps_selection_and_meters_visible(scene: &Scene) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, Engine::Chromium]).await?;
    let features = serde_json::json!({ "features": [{ "name": "forced-colors", "value": "active" }] });
    ada.browser.driver.cdp().send_raw("Emulation.setEmulatedMedia", features).await?;
    ada.open("/room/contrast").await?;
    ada.until_preview_moves().await?;
    let meter: String = ada.execute(LEVEL_IMAGE, vec![]).await?;
    assert!(meter.contains("gradient"), "the level meter is {meter}");
    keep(&ada, "contrast-lobby").await?;
    ada.click("join").await?;
    bob.enter("contrast", "Bob").await?;
    ada.until_picture_moves("Bob").await?;
    ada.click("stats-toggle").await?;
    ada.until("the statistics are there", |page| page.shows("stats-expand")).await?;
    keep(&ada, "contrast-call").await?;
    let hidden: Vec<String> = ada.execute(SAME_AS_BEHIND, vec![]).await?;
    assert!(hidden.is_empty(), "{hidden:?}");
    Ok(())
}

async fn is_reached(page: &Page, test_id: &str, what: &str) -> Result<()> {
    until(&format!("{what} to be reached"), PATIENCE, async || {
        let above: Option<String> = page.execute(ABOVE, vec![test_id.into()]).await?;
        Ok(above.map_or(Ok(()), Err))
    })
    .await
}

/// Saves a picture for a person, if `SIGHTLINE_SMALL_WINDOWS` names a folder.
pub(crate) async fn keep(page: &Page, name: &str) -> Result<()> {
    let Some(folder) = env::var_os("SIGHTLINE_SMALL_WINDOWS").map(PathBuf::from) else { return Ok(()) };
    let engine = page.browser.profile.engine.name();
    Ok(page.browser.driver.screenshot(&folder.join(format!("{name}-{engine}.png"))).await?)
}

/// The corner of the stage that the local picture is nearest to and inside of.
const CORNER: &str = "
    const [stage, own] = ['.tiles', '[data-testid=tile][data-member=local]'].map((part) => document.querySelector(part).getBoundingClientRect());
    if (own.left < stage.left - 1 || own.right > stage.right + 1 || own.top < stage.top - 1 || own.bottom > stage.bottom + 1) return 'outside';
    const middle = (start, length) => start + length / 2;
    const row = middle(own.top, own.height) < middle(stage.top, stage.height) ? 'top' : 'bottom';
    const column = middle(own.left, own.width) < middle(stage.left, stage.width) ? 'left' : 'right';
    return `${row}-${column}`;";
/// Drags the local picture to the bottom right with a finger. Returns whether it followed.
const DRAG: &str = "
    const [stage, own] = ['.tiles', '[data-testid=tile][data-member=local]'].map((part) => document.querySelector(part));
    const [from, to] = [own, stage].map((part) => part.getBoundingClientRect());
    const send = (kind, clientX, clientY) => own.dispatchEvent(new PointerEvent(kind, {
      bubbles: true, cancelable: true, isPrimary: true, pointerId: 7, pointerType: 'touch', button: 0, clientX, clientY,
    }));
    const [x, y] = [from.left + from.width / 2, from.top + from.height / 2];
    send('pointerdown', x, y);
    send('pointermove', x + 30, y + 30);
    send('pointermove', to.right - 60, to.bottom - 60);
    return new Promise((resolve) => requestAnimationFrame(() => {
      const followed = own.getBoundingClientRect().left > from.left + 20;
      send('pointerup', to.right - 60, to.bottom - 60);
      resolve(followed);
    }));";
/// Controls of which a square of 44 pixels around the middle, as far as it is in the window, does not belong to them.
const SMALL_CONTROLS: &str = "
    const small = [];
    const selector = 'button, select, summary, a.button, input:not([type=file])';
    for (const control of document.querySelectorAll(selector)) {
      if (!control.checkVisibility({ opacityProperty: true, visibilityProperty: true })) continue;
      control.scrollIntoView({ block: 'center' });
      const { left, top, width, height } = control.getBoundingClientRect();
      if (width === 0 || height === 0) continue;
      const [x, y] = [left + width / 2, top + height / 2];
      // Labels take a finger for their controls.
      const target = control.closest('label') ?? control;
      const own = (dx, dy) => {
        const found = document.elementFromPoint(Math.min(innerWidth - 1, Math.max(1, x + dx)), Math.min(innerHeight - 1, Math.max(1, y + dy)));
        return found !== null && (target.contains(found) || found.contains(target) && found.tagName === 'LABEL');
      };
      if (!own(0, 0)) continue;
      const missed = [[21, 0], [-21, 0], [0, 21], [0, -21]].filter(([dx, dy]) => !own(dx, dy));
      if (missed.length > 0) small.push(`${control.outerHTML.slice(0, 120)} ${width} x ${height}: ${JSON.stringify(missed)}`);
    }
    return small;";
/// The tiles whose bars are in another line than the name.
const BARS_BELOW_A_NAME: &str = r#"
    return [...document.querySelectorAll('.tile-label')].filter((label) => {
        const name = label.querySelector('.tile-name').getBoundingClientRect();
        const bars = label.querySelector('.bars')?.getBoundingClientRect();
        return bars?.height > 0 && bars.top >= name.bottom;
    }).map((label) => label.innerText);
"#;

const NAME_SHOWS_ITS_END: &str = "
    const tile = document.querySelector('[data-testid=tile]:not([data-member=local])');
    const [label, begin, end] = ['.tile-label', '.short-name-begin', '.short-name-end'].map((part) => tile.querySelector(part));
    const fits = end.getBoundingClientRect().right <= label.getBoundingClientRect().right + 1;
    return fits && end.innerText.endsWith('hone)') && begin.getBoundingClientRect().width > 20;";
const MICROPHONE_AND_LEAVE: &str = "
    return ['toggle-mic', 'leave'].map((id) => {
      const { left, top, width, height } = document.querySelector(`[data-testid=${id}]`).getBoundingClientRect();
      return [left + width / 2, top + height / 2];
    });";
const CAMERA: &str = "
    const video = document.querySelector('[data-testid=tile][data-member=local] video');
    return video?.srcObject?.getVideoTracks()[0]?.getSettings().deviceId ?? '';";
const LEVEL_IMAGE: &str = "return getComputedStyle(document.querySelector('.level')).backgroundImage";
/// Marks of a selection or a measure with the color of what is behind them.
const SAME_AS_BEHIND: &str = "
    const color = (part) => getComputedStyle(part).backgroundColor;
    const hidden = [];
    for (const selector of ['.tile .bars i', '.status-dot', '.round-button.is-active', '.segment[aria-pressed=true]']) {
      const part = document.querySelector(selector);
      if (!part) hidden.push(`no ${selector}`);
      else if (color(part) === color(document.body) || color(part) === 'rgba(0, 0, 0, 0)') hidden.push(selector);
    }
    return hidden;";
/// The element over the middle of another one; nothing if there is none.
const ABOVE: &str = "
    const element = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);
    const { left, top, width, height } = element.getBoundingClientRect();
    const found = document.elementFromPoint(left + width / 2, top + height / 2);
    if (found && element.contains(found)) return null;
    return `${found?.outerHTML.slice(0, 80)} at ${[left, top, width, height]} of ${[innerWidth, innerHeight]}`;";
const SEEK_TO_END: &str = "
    const slider = document.querySelector('[data-testid=source-seek]');
    slider.value = Number(slider.max) - 0.2;
    slider.dispatchEvent(new Event('change', { bubbles: true }));";
const PLAYBACK: &str =
    "return document.querySelector('[data-testid=tile][data-name=Ada]')?.dataset.playback ?? null";
/// The areas of one's own tile, the other one, and the window.
const AREAS: &str = "
    const area = (selector) => {
      const { width, height } = document.querySelector(selector).getBoundingClientRect();
      return width * height;
    };
    return [area('[data-testid=tile][data-member=local]'), area('[data-testid=tile][data-name=Ada]'), innerWidth * innerHeight];";
/// Pairs of labels in one tile that share more than a pixel.
const OVERLAPS: &str = "
    const found = [];
    for (const tile of document.querySelectorAll('.tile')) {
      const labels = [...tile.querySelectorAll('.tile-path, .tile-playback, .tile-label')]
        .filter((label) => label.checkVisibility() && label.getBoundingClientRect().width > 0);
      labels.forEach((one, at) => labels.slice(at + 1).forEach((other) => {
        const [a, b] = [one, other].map((label) => label.getBoundingClientRect());
        const across = Math.min(a.right, b.right) - Math.max(a.left, b.left);
        const down = Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top);
        if (across > 1 && down > 1) found.push(`${one.className} and ${other.className} of ${tile.dataset.name}`);
      }));
    }
    return found;";
