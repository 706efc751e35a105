//! Devices and sources: chosen, switched, shared, lost and found again, before and during a call.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    snapshot::Tile,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

use crate::small_windows::keep;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(settings_are_in_the_lobby_and_in_the_room_without_duplicates),
        stage.test_in_pairs(a_screen_with_its_sound_is_shared_and_ended_without_negotiation),
        stage.test_in_each(a_screen_in_the_address_waits_for_a_click),
        stage.test_in_each(a_cancelled_screen_share_changes_nothing),
        stage.test_in_each(a_lost_camera_is_reported_and_another_one_replaces_it),
        stage.test_in_each(an_unplugged_camera_is_used_again_when_plugged_in),
        stage.test_in_each(a_microphone_that_a_phone_call_takes_is_named_and_comes_back),
        stage.test_in_each(a_bitrate_limit_holds_at_once_and_for_the_next_visit),
        stage.test_in_each(a_codec_is_chosen_during_the_call),
        stage.test_in_each(the_address_sets_size_frame_rate_and_bitrate_limit),
        stage.test_in_each(resolution_is_changed_during_the_call),
        stage.test_in_each(the_volume_applies_to_one_tile_only),
        stage.test_in_each(a_screen_is_chosen_in_the_lobby),
        stage.test_in_each(only_relays_are_used_until_direct_paths_are_allowed),
        vec![
            stage.test(microphone_and_loudspeaker_are_changed_during_the_call),
            stage.test(the_tile_shows_whether_a_member_speaks),
            stage.test_alone(a_mesh_of_four_sends_a_lower_bitrate_to_each_member),
        ],
    ]
    .into_iter()
    .flatten()
    .collect()
}

async fn settings_are_in_the_lobby_and_in_the_room_without_duplicates(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open("/room/settings?name=Ada").await?;
    page.click("settings-toggle").await?;
    page.until("the settings are open", |page| page.shows("bitrate-limit")).await?;
    expect_each_once(&page).await?;
    page.enter("settings", "Ada").await?;
    page.click("settings-toggle").await?;
    page.until("the settings are open", |page| page.shows("bitrate-limit")).await?;
    expect_each_once(&page).await
}

async fn expect_each_once(page: &Page) -> Result<()> {
    for setting in [
        "camera-select",
        "mic-select",
        "speaker-select",
        "resolution-select",
        "fps-select",
        "bitrate-limit",
        "codec-select",
        "relay-only",
        "echo-cancellation",
        "noise-suppression",
        "gain-control",
        "language",
        "theme",
    ] {
        let count: usize = page
            .execute(
                "return document.querySelectorAll(`[data-testid=\"${arguments[0]}\"]`).length",
                vec![json!(setting)],
            )
            .await?;
        assert_eq!(count, 1, "{setting}");
    }
    Ok(())
}

async fn a_screen_with_its_sound_is_shared_and_ended_without_negotiation(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = call(scene, pair, "probe=screen").await?;
    ada.until_picture_moves("Bob").await?;
    bob.until_picture_moves("Ada").await?;
    let before = descriptions(&ada).await?;

    ada.click("source-screen").await?;
    until_source(&bob, "Ada", "screen").await?;
    until_width(&bob, "Ada", 640).await?;
    bob.until_picture_moves("Ada").await?;
    let own = ada.look().await?;
    assert!(own.own_tile().is_some_and(|tile| !tile.is_mirrored), "a screen in a mirror cannot be read");
    ada.until("it is said that the screen is shared", |page| page.shows("screen-stop")).await?;
    crate::small_windows::keep(&ada, "screen-banner").await?;
    until_true(&bob, "the sound of microphone and screen arrives", SOUNDS, json!(2)).await?;

    // Ends the sharing, as the browser's own bar does.
    let _: () = ada.execute("window.sightlineScreen.end(); return null", vec![]).await?;
    until_source(&bob, "Ada", "camera").await?;
    bob.until_picture_moves("Ada").await?;
    ada.click("source-none").await?;
    until_source(&bob, "Ada", "none").await?;
    ada.click("source-screen").await?;
    until_source(&bob, "Ada", "screen").await?;
    ada.click("screen-stop").await?;
    until_source(&bob, "Ada", "camera").await?;
    bob.until_picture_moves("Ada").await?;
    assert_eq!(before, descriptions(&ada).await?, "there was a negotiation");
    Ok(())
}

async fn a_screen_in_the_address_waits_for_a_click(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.enter_with("by-address", "Ada", "source=screen&probe=screen").await?;
    bob.enter_with("by-address", "Bob", "source=none").await?;
    ada.until("a click is asked for", |page| page.shows("source-resume")).await?;
    bob.until_connected_to("Ada").await?;
    until_source(&bob, "Ada", "none").await?;
    ada.click("source-resume").await?;
    until_source(&bob, "Ada", "screen").await?;
    bob.until_picture_moves("Ada").await?;
    ada.until("no click is asked for any more", |page| !page.shows("source-resume")).await?;
    Ok(())
}

async fn a_cancelled_screen_share_changes_nothing(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = call(scene, [engine, Engine::Chromium], "probe=screen-refused").await?;
    ada.click("source-screen").await?;
    until_true(&ada, "it was asked", "return !!window.sightlineScreen?.asked === arguments[0]", json!(true))
        .await?;
    bob.until_picture_moves("Ada").await?;
    let seen = ada.look().await?;
    assert!(seen.notices.is_empty(), "{:?}", seen.notices);
    let pressed: String = ada
        .execute("return document.querySelector('[data-testid=\"source-camera\"]').ariaPressed", vec![])
        .await?;
    assert_eq!(pressed, "true");
    until_source(&bob, "Ada", "camera").await
}

async fn a_lost_camera_is_reported_and_another_one_replaces_it(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = call(scene, [engine, Engine::Chromium], "").await?;
    bob.until_picture_moves("Ada").await?;
    let _: () = ada.execute(LOSE_CAMERA, vec![]).await?;
    ada.until_notice("device-lost").await?;
    until_source(&bob, "Ada", "camera").await?;
    bob.until_picture_moves("Ada").await
}

async fn an_unplugged_camera_is_used_again_when_plugged_in(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = call(scene, [engine, Engine::Chromium], "").await?;
    bob.until_picture_moves("Ada").await?;
    let _: () = ada.execute(&format!("{UNPLUG_CAMERAS} {LOSE_CAMERA}"), vec![]).await?;
    ada.until_notice("device-lost").await?;
    until_source(&bob, "Ada", "none").await?;
    let _: () = ada.execute(PLUG_IN, vec![]).await?;
    until_source(&bob, "Ada", "camera").await?;
    bob.until_picture_moves("Ada").await
}

async fn a_microphone_that_a_phone_call_takes_is_named_and_comes_back(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = call(scene, [engine, Engine::Chromium], "").await?;
    let microphone = async |state: &str| {
        let is_so = |tile: &Tile| tile.mic.as_deref() == Some(state);
        bob.until(&format!("Ada's microphone is {state}"), |page| page.tile("Ada").is_some_and(is_so)).await
    };
    microphone("on").await?;
    let _: () = ada.execute(MUTE_MICROPHONE, vec![json!(true)]).await?;
    ada.until_notice("device-taken").await?;
    keep(&ada, &format!("device-taken-{}", engine.name())).await?;
    microphone("off").await?;
    let _: () = ada.execute(MUTE_MICROPHONE, vec![json!(false)]).await?;
    ada.until("the microphone is back", |page| !page.has_notice("device-taken")).await?;
    microphone("on").await?;
    Ok(())
}

async fn a_bitrate_limit_holds_at_once_and_for_the_next_visit(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = call(scene, [engine, Engine::Chromium], "").await?;
    until_true(&ada, "nothing is limited", LIMITS, json!([null])).await?;
    ada.click("settings-toggle").await?;
    choose(&ada, "bitrate-limit", "128000").await?;
    until_true(&ada, "128 kbit/s are the limit", LIMITS, json!([128_000])).await?;
    bob.until_picture_moves("Ada").await?;

    ada.reload().await?;
    ada.until_connected_to("Bob").await?;
    until_true(&ada, "128 kbit/s are the limit still", LIMITS, json!([128_000])).await?;
    ada.click("settings-toggle").await?;
    choose(&ada, "bitrate-limit", "").await?;
    until_true(&ada, "nothing is limited any more", LIMITS, json!([null])).await
}

async fn a_codec_is_chosen_during_the_call(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = call(scene, [engine, engine], "").await?;
    bob.until_picture_moves("Ada").await?;
    ada.click("settings-toggle").await?;
    for codec in ["VP9", "VP8"] {
        choose(&ada, "codec-select", codec).await?;
        for page in [&ada, &bob] {
            until_true(page, &format!("{codec} arrives"), RECEIVED_CODEC, json!(format!("video/{codec}")))
                .await?;
        }
    }
    bob.until_picture_moves("Ada").await
}

async fn the_address_sets_size_frame_rate_and_bitrate_limit(scene: &Scene, engine: Engine) -> Result<()> {
    let parameters = "width=320&height=180&fps=10&max_bitrate=256000&codec=VP9&source=camera";
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    bob.enter("parameters", "Bob").await?;
    ada.enter_with("parameters", "Ada", parameters).await?;
    bob.until_connected_to("Ada").await?;
    until_width(&bob, "Ada", 320).await?;
    until_true(&ada, "the limit holds", LIMITS, json!([256_000])).await?;
    until_true(&bob, "VP9 arrives", RECEIVED_CODEC, json!("video/VP9")).await?;
    Ok(())
}

async fn resolution_is_changed_during_the_call(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = call(scene, [engine, Engine::Chromium], "").await?;
    // The local tile shows the captured size; the received size also depends on the network and the computer.
    until_width(&ada, "Ada", 1280).await?;
    let track: String = ada.execute(OWN_TRACK, vec![]).await?;
    ada.click("settings-toggle").await?;
    choose(&ada, "resolution-select", "640x360").await?;
    until_width(&ada, "Ada", 640).await?;
    bob.until_picture_moves("Ada").await?;
    // Firefox cannot change its fake camera while it runs.
    if engine == Engine::Chromium {
        assert_eq!(track, ada.execute::<String>(OWN_TRACK, vec![]).await?);
    }
    Ok(())
}

async fn the_volume_applies_to_one_tile_only(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, _bob] = call(scene, [engine, Engine::Chromium], "").await?;
    choose(&ada, "tile-volume", "0.25").await?;
    let volumes: Vec<f64> = ada
        .execute("return [...document.querySelectorAll('[data-testid=\"tile\"] video')].map((video) => video.volume)", vec![])
        .await?;
    assert_eq!(volumes.len(), 2);
    assert!(volumes.contains(&0.25) && volumes.contains(&1.0), "{volumes:?}");
    Ok(())
}

async fn a_screen_is_chosen_in_the_lobby(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    bob.enter("lobby-screen", "Bob").await?;
    ada.open("/room/lobby-screen?name=Ada&probe=screen").await?;
    ada.until_preview_moves().await?;
    ada.click("source-screen").await?;
    let wide = "return document.querySelector('[data-testid=\"preview\"]').videoWidth === arguments[0]";
    until_true(&ada, "the preview is of the screen", wide, json!(640)).await?;
    ada.click("join").await?;
    until_source(&bob, "Ada", "screen").await?;
    until_width(&bob, "Ada", 640).await
}

async fn only_relays_are_used_until_direct_paths_are_allowed(scene: &Scene, engine: Engine) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    bob.enter("relay", "Bob").await?;
    ada.enter_with("relay", "Ada", "relay=1&source=camera").await?;
    ada.until("Bob is there", |page| page.tile("Bob").is_some()).await?;
    until_true(&ada, "only relays are used", POLICIES, json!(["relay"])).await?;
    until_path(&ada, "relay").await?;
    ada.click("settings-toggle").await?;
    choose(&ada, "relay-only", "off").await?;
    until_path(&ada, "direct").await?;
    bob.until_picture_moves("Ada").await
}

async fn until_path(page: &Page, path: &str) -> Result<()> {
    page.until("the way to Bob", |page| {
        page.tile("Bob").is_some_and(|tile| tile.path.as_deref() == Some(path))
    })
    .await?;
    Ok(())
}

async fn microphone_and_loudspeaker_are_changed_during_the_call(scene: &Scene) -> Result<()> {
    let [ada, bob] = call(scene, [Engine::Chromium, Engine::Chromium], "").await?;
    bob.until_sound_is_heard("Ada").await?;
    let before = descriptions(&ada).await?;
    ada.click("settings-toggle").await?;
    let other = last_option(&ada, "mic-select").await?;
    choose(&ada, "mic-select", &other).await?;
    until_true(&ada, "the other microphone is sent", SENT_MICROPHONE, json!(other)).await?;
    bob.until_sound_is_heard("Ada").await?;
    choose(&ada, "echo-cancellation", "off").await?;
    until_true(&ada, "there is no echo cancellation", ECHO_CANCELLATION, json!(false)).await?;

    let speaker = last_option(&ada, "speaker-select").await?;
    choose(&ada, "speaker-select", &speaker).await?;
    until_true(&ada, "it plays through the other loudspeaker", LOUDSPEAKER, json!(speaker)).await?;
    assert_eq!(before, descriptions(&ada).await?, "there was a negotiation");
    Ok(())
}

async fn the_tile_shows_whether_a_member_speaks(scene: &Scene) -> Result<()> {
    let [ada, bob] = call(scene, [Engine::Chromium, Engine::Chromium], "").await?;
    until_true(&bob, "Ada speaks", SPEAKS, json!(true)).await?;
    ada.click("toggle-mic").await?;
    until_true(&bob, "Ada is silent", SPEAKS, json!(false)).await
}

async fn a_mesh_of_four_sends_a_lower_bitrate_to_each_member(scene: &Scene) -> Result<()> {
    let pages = scene.pages_in([Engine::Chromium; 4]).await?;
    for (page, name) in pages.iter().zip(["Ada", "Bob", "Eve", "Kim"]) {
        page.enter_with("four", name, "width=320&height=180&fps=10&source=camera").await?;
    }
    for page in &pages {
        page.until("everyone is connected", |page| {
            page.other_tiles().len() == 3
                && page.other_tiles().iter().all(|tile| tile.state.as_deref() == Some("connected"))
        })
        .await?;
        until_true(page, "each gets less", LIMITS, json!([1_200_000, 1_200_000, 1_200_000])).await?;
    }
    pages[3].click("leave").await?;
    until_true(&pages[0], "each gets everything again", LIMITS, json!([null, null])).await
}

/// Two members that see each other, the first with these parameters.
async fn call(scene: &Scene, pair: Pair, parameters: &str) -> Result<[Arc<Page>; 2]> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.enter_with("media", "Ada", &format!("source=camera&{parameters}")).await?;
    // The same camera: if both pages are in one browser, they share its fake camera.
    bob.enter_with("media", "Bob", "source=camera").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    Ok([ada, bob])
}

/// Waits until a script, called with `expected`, returns true.
async fn until_true(page: &Page, what: &str, script: &str, expected: serde_json::Value) -> Result<()> {
    until(what, PATIENCE, async || {
        let is_so: bool = page.execute(script, vec![expected.clone()]).await?;
        Ok(if is_so { Ok(()) } else { Err(format!("it is not {expected}")) })
    })
    .await
}

async fn until_source(page: &Page, name: &str, source: &str) -> Result<()> {
    let what = format!("{name} publishes {source}");
    until(&what, PATIENCE, async || {
        let shown: Option<String> = page
            .execute(
                "return [...document.querySelectorAll('[data-testid=\"tile\"]')]
                   .find((tile) => tile.dataset.name === arguments[0])?.dataset.source ?? null",
                vec![json!(name)],
            )
            .await?;
        Ok(if shown.as_deref() == Some(source) { Ok(()) } else { Err(format!("{shown:?}")) })
    })
    .await
}

async fn until_width(page: &Page, name: &str, width: u32) -> Result<()> {
    let what = format!("{name}'s picture is {width} wide");
    until(&what, PATIENCE, async || {
        let shown: Option<u32> = page
            .execute(
                "return [...document.querySelectorAll('[data-testid=\"tile\"]')]
                   .find((tile) => tile.dataset.name === arguments[0])?.querySelector('video')?.videoWidth ?? null",
                vec![json!(name)],
            )
            .await?;
        Ok(if shown == Some(width) { Ok(()) } else { Err(format!("{shown:?}")) })
    })
    .await
}

/// Sets a select, a switch or a slider as a person does.
async fn choose(page: &Page, test_id: &str, value: &str) -> Result<()> {
    page.until(&format!("there is {test_id}"), |page| page.shows(test_id)).await?;
    let _: () = page
        .execute(
            "const field = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);
             if (field.type === 'checkbox') field.checked = arguments[1] === 'on';
             else field.value = arguments[1];
             for (const name of ['input', 'change']) field.dispatchEvent(new Event(name, { bubbles: true }));
             return null;",
            vec![json!(test_id), json!(value)],
        )
        .await?;
    Ok(())
}

async fn last_option(page: &Page, test_id: &str) -> Result<String> {
    page.until(&format!("there is {test_id}"), |page| page.shows(test_id)).await?;
    page.execute(
        "return [...document.querySelector(`[data-testid=\"${arguments[0]}\"]`).options].at(-1).value",
        vec![json!(test_id)],
    )
    .await
}

/// The versions of the page's local descriptions (RFC 8866, `o=`), which increase with every negotiation.
async fn descriptions(page: &Page) -> Result<Vec<String>> {
    page.execute(
        "return window.sightlineProbe.connections
           .filter(({ connectionState }) => connectionState === 'connected')
           .map((connection) => connection.localDescription.sdp.split('\\r\\n')[1])",
        vec![],
    )
    .await
}

const LIMITS: &str = "
    const limits = window.sightlineProbe.connections
      .filter(({ connectionState }) => connectionState === 'connected')
      .map((connection) => connection.getTransceivers()[1].sender.getParameters().encodings[0]?.maxBitrate ?? null);
    return JSON.stringify(limits) === JSON.stringify(arguments[0]);";

const POLICIES: &str = "
    const policies = window.sightlineProbe.connections.map((one) => one.getConfiguration().iceTransportPolicy);
    return JSON.stringify(policies) === JSON.stringify(arguments[0]);";

const RECEIVED_CODEC: &str = "
    const entries = window.sightlineProbe.reports.at(-1)?.entries ?? [];
    const received = entries.find(({ type, kind }) => type === 'inbound-rtp' && kind === 'video');
    return entries.find(({ id }) => id === received?.codecId)?.mimeType === arguments[0];";

const SOUNDS: &str = "
    const entries = window.sightlineProbe.reports.at(-1)?.entries ?? [];
    const sounds = entries.filter(({ type, kind, packetsReceived }) =>
      type === 'inbound-rtp' && kind === 'audio' && packetsReceived > 0);
    return sounds.length === arguments[0];";

const OWN_TRACK: &str = "
    return document.querySelector('[data-member=\"local\"] video').srcObject.getVideoTracks()[0].id;";

const SENT_MICROPHONE: &str = "
    const sender = window.sightlineProbe.connections.at(-1).getTransceivers()[0].sender;
    return sender.track.getSettings().deviceId === arguments[0] && sender.track.readyState === 'live';";

const ECHO_CANCELLATION: &str = "
    const sender = window.sightlineProbe.connections.at(-1).getTransceivers()[0].sender;
    return sender.track.getSettings().echoCancellation === arguments[0];";

const LOUDSPEAKER: &str = "
    return document.querySelector('[data-testid=\"tile\"]:not([data-member=\"local\"]) video').sinkId === arguments[0];";

const SPEAKS: &str = "
    const tile = document.querySelector('[data-testid=\"tile\"][data-name=\"Ada\"]');
    return (tile.dataset.speaking === 'true') === arguments[0];";

/// Ends the camera's track, as the browser does when the device is unplugged.
const LOSE_CAMERA: &str = "
    const track = document.querySelector('[data-member=\"local\"] video').srcObject.getVideoTracks()[0];
    track.stop();
    track.dispatchEvent(new Event('ended'));
    return null;";

/// As the system does when a phone call begins or ends.
const MUTE_MICROPHONE: &str = "
    const tracks = sightlineProbe.connections.at(-1).getSenders().map(({ track }) => track);
    const track = tracks.find((track) => track?.kind === 'audio');
    Object.defineProperty(track, 'muted', { value: arguments[0], configurable: true });
    track.dispatchEvent(new Event(arguments[0] ? 'mute' : 'unmute'));
    return null;";

const UNPLUG_CAMERAS: &str = "
    const devices = navigator.mediaDevices;
    devices.enumerateDevices = async () =>
      (await MediaDevices.prototype.enumerateDevices.call(devices)).filter(({ kind }) => kind !== 'videoinput');
    devices.dispatchEvent(new Event('devicechange'));";

const PLUG_IN: &str = "
    delete navigator.mediaDevices.enumerateDevices;
    navigator.mediaDevices.dispatchEvent(new Event('devicechange'));
    return null;";
