//! Rooms that are protected by their link, and a server that reads or changes the signaling.

use std::{env, path::PathBuf, sync::Arc};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde_json::{Value, json};
use sightline_e2e::{
    browser::Engine,
    page::Page,
    signaling_proxy::SignalingProxy,
    stage::{Pair, Scene, Stage},
};

/// 128 bits, as an invitation has them.
pub(crate) const SECRET: &str = "7Fq2mX9cLr0sKd3WvTbYhA";
const CAMERA: &str = "source=camera&width=640&height=360&fps=15";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_pairs(a_protected_call_shows_nothing_to_the_server_and_says_that_it_is_protected),
        stage.test_in_pairs(a_server_that_exchanges_fingerprints_is_reported_and_gets_no_call),
        stage.test_in_pairs(two_pages_show_the_same_code_and_the_one_that_compared_it_says_verified),
        stage.test_in_pairs(somebody_who_passes_on_everything_between_two_pages_leaves_them_different_codes),
        stage.test_in_pairs(a_server_that_adds_a_fingerprint_leaves_them_different_codes),
        stage.test_in_each(a_guessed_name_leads_to_an_empty_room_that_is_shown_as_unprotected),
        stage.test_in_each(a_new_room_is_protected_through_a_reload_and_a_rejoin_and_an_invitation),
        stage.test_in_each(a_cut_invitation_opens_no_room),
        stage.test_in_each(two_tabs_without_a_server_meet_with_the_same_secret_only),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) async fn enter(page: &Page, origin: &str, room: &str, name: &str, fragment: &str) -> Result<()> {
    page.open(&format!("{origin}/room/{room}?name={name}&autojoin=1&{CAMERA}{fragment}")).await?;
    page.until(&format!("{name} is in the room"), |page| page.shows("room") && !page.is_busy).await?;
    Ok(())
}

/// Saves a picture for a person, if `SIGHTLINE_TRUST` names a folder.
pub(crate) async fn keep(page: &Page, name: &str) -> Result<()> {
    let Some(folder) = env::var_os("SIGHTLINE_TRUST").map(PathBuf::from) else { return Ok(()) };
    let engine = page.browser.profile.engine.name();
    Ok(page.browser.driver.screenshot(&folder.join(format!("{name}-{engine}.png"))).await?)
}

fn trust_of(page: &sightline_e2e::snapshot::Snapshot, name: &str) -> Option<String> {
    page.tiles.iter().find(|tile| tile.name == name)?.trust.clone()
}

async fn a_protected_call_shows_nothing_to_the_server_and_says_that_it_is_protected(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    let proxy = SignalingProxy::start(scene.server().await?.port(), |message| vec![message]).await?;
    let fragment = format!("#{SECRET}");
    enter(&ada, &proxy.url(""), "protected", "Ada-Lovelace", &fragment).await?;
    enter(&bob, &proxy.url(""), "protected", "Bob-Kahn", &fragment).await?;
    for (page, other) in [(&ada, "Bob-Kahn"), (&bob, "Ada-Lovelace")] {
        page.until_connected_to(other).await?;
        page.until_picture_moves(other).await?;
        let seen = page.look().await?;
        ensure!(trust_of(&seen, other).as_deref() == Some("protected"), "{seen:#?}");
        ensure!(seen.protection.contains(&"protected".to_owned()), "{seen:#?}");
        ensure!(seen.fragment == fragment && !seen.title.contains(SECRET), "{seen:#?}");
        ensure!(seen.notices.iter().all(|notice| notice.code != "signals-refused"), "{seen:#?}");
    }
    let () =
        ada.execute("document.querySelector('[data-testid=tile-trust] summary').click()", vec![]).await?;
    keep(&ada, "protected-call").await?;
    let seen = proxy.seen();
    ensure!(seen.iter().any(|text| text.contains("\"sealed\"")), "no sealed signal: {seen:#?}");
    for hidden in ["v=0", "fingerprint", "candidate:", "a=ice", "Lovelace", "Kahn", SECRET] {
        // The address of the page has the name because this test puts it there.
        let frames = seen.iter().filter(|text| text.starts_with('{'));
        let told: Vec<_> = frames.filter(|text| text.contains(hidden)).collect();
        ensure!(told.is_empty(), "the server reads {hidden:?}: {told:#?}");
    }
    ensure!(seen.iter().all(|text| !text.contains(SECRET)), "a request has the secret");
    Ok(())
}

/// Puts other fingerprints into descriptions, and changes what cannot be read.
fn exchange_fingerprints(mut message: Value) -> Vec<Value> {
    let payload = &mut message["payload"];
    if let Some(sdp) = payload["description"]["sdp"].as_str() {
        let zeroes = ["00"; 32].join(":");
        let line = |line: &str| match line.strip_prefix("a=fingerprint:sha-256 ") {
            Some(_) => format!("a=fingerprint:sha-256 {zeroes}"),
            None => line.to_owned(),
        };
        let lines: Vec<_> = sdp.lines().map(line).collect();
        payload["description"]["sdp"] = json!(lines.join("\r\n") + "\r\n");
    } else if let Some(sealed) = payload["sealed"].as_str() {
        let (beginning, end) = sealed.split_at(sealed.len() / 2);
        let other = if end.starts_with('A') { "B" } else { "A" };
        payload["sealed"] = json!(format!("{beginning}{other}{}", &end[1..]));
    }
    vec![message]
}

async fn a_server_that_exchanges_fingerprints_is_reported_and_gets_no_call(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    let proxy = SignalingProxy::start(scene.server().await?.port(), exchange_fingerprints).await?;
    let fragment = format!("#{SECRET}");
    enter(&ada, &proxy.url(""), "between", "Ada", &fragment).await?;
    enter(&bob, &proxy.url(""), "between", "Bob", &fragment).await?;
    // The later one offers, so the first one hears of it first.
    ada.until_notice("signals-refused").await?;
    keep(&ada, "refused").await?;
    for page in [&ada, &bob] {
        let seen = page.look().await?;
        let others: Vec<_> = seen.tiles.iter().filter(|tile| tile.member != "local").collect();
        ensure!(others.iter().all(|tile| tile.state.as_deref() != Some("connected")), "{seen:#?}");
        ensure!(others.iter().all(|tile| tile.trust.is_none()), "{seen:#?}");
    }
    Ok(())
}

/// Opens what is behind the lock of a member.
pub(crate) async fn open_lock(page: &Page, name: &str) -> Result<()> {
    let script = "const lock = document.querySelector(`[data-testid=tile][data-name=${arguments[0]}] [data-testid=tile-trust]`);
        if (!lock.open) lock.querySelector('summary').click();";
    page.execute(script, vec![json!(name)]).await
}

/// The code behind the lock of a member, whose lock was opened.
pub(crate) async fn code_of(page: &Page, name: &str) -> Result<String> {
    let seen =
        page.until("there is a code", |page| page.tile(name).is_some_and(|tile| tile.code.is_some())).await?;
    let code = seen.tile(name).and_then(|tile| tile.code.clone()).unwrap_or_default();
    ensure!(code.split('-').count() == 4, "{code}");
    Ok(code)
}

async fn two_pages_show_the_same_code_and_the_one_that_compared_it_says_verified(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    let (origin, fragment) = (ada.origin().to_owned(), format!("#{SECRET}"));
    enter(&ada, &origin, "compared", "Ada", &fragment).await?;
    enter(&bob, &origin, "compared", "Bob", &fragment).await?;
    for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        page.until_connected_to(other).await?;
        open_lock(page, other).await?;
    }
    let code = code_of(&ada, "Bob").await?;
    ensure!(code_of(&bob, "Ada").await? == code, "the pages show different codes");
    keep(&ada, "code").await?;
    // By the keyboard.
    ada.focus("trust-confirm").await?;
    ada.press(" ").await?;
    let verified =
        |page: &sightline_e2e::snapshot::Snapshot| trust_of(page, "Bob").as_deref() == Some("verified");
    let seen = ada.until("Bob is verified", verified).await?;
    ensure!(seen.focused.as_deref() == Some("trust-confirm"), "{seen:#?}");
    keep(&ada, "verified").await?;
    ensure!(trust_of(&bob.look().await?, "Ada").as_deref() == Some("protected"), "Bob compared nothing");
    // Each click takes back the one before.
    ada.click("trust-confirm").await?;
    ada.until("not verified", |page| trust_of(page, "Bob").as_deref() == Some("protected")).await?;
    ada.click("trust-confirm").await?;
    ada.until("Bob is verified", verified).await?;
    bob.reload().await?;
    bob.until_connected_to("Ada").await?;
    ada.until("other keys", |page| trust_of(page, "Bob").as_deref() == Some("changed")).await?;
    open_lock(&ada, "Bob").await?;
    open_lock(&bob, "Ada").await?;
    let later = code_of(&bob, "Ada").await?;
    ensure!(later != code && code_of(&ada, "Bob").await? == later, "a new page has a new code");
    keep(&ada, "changed").await?;
    ada.click("trust-confirm").await?;
    ada.until("Bob is verified again", verified).await?;
    Ok(())
}

async fn somebody_who_passes_on_everything_between_two_pages_leaves_them_different_codes(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob, mallory] = scene.pages_in([pair[0], pair[1], Engine::Chromium]).await?;
    let origin = ada.origin().to_owned();
    // Such a server has a room for each of them, and calls both the same.
    enter(&bob, &origin, "between-there", "Bob", "").await?;
    mallory.open("/").await?;
    let has_joined: bool = mallory
        .execute(
            include_str!("middleman.js"),
            vec![json!(["between-here", "between-there"]), json!(["Ada", "Bob"])],
        )
        .await?;
    ensure!(has_joined);
    enter(&ada, &origin, "between-here", "Ada", "").await?;
    let mut codes = Vec::new();
    for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        page.until_connected_to(other).await?;
        open_lock(page, other).await?;
        codes.push(code_of(page, other).await?);
        ensure!(trust_of(&page.look().await?, other).as_deref() == Some("open"));
    }
    ensure!(codes[0] != codes[1], "nobody would notice: {codes:?}");
    // Messages do pass.
    ada.say("Can you read this?").await?;
    bob.until_received("Can you read this?").await?;
    keep(&ada, "between").await?;
    Ok(())
}

/// Adds a fingerprint where browsers look only if a section has none, so that the call works.
fn add_fingerprint(mut message: Value) -> Vec<Value> {
    if let Some(sdp) = message["payload"]["description"]["sdp"].as_str() {
        let is_fingerprint = |line: &&str| line.starts_with("a=fingerprint:");
        let own = sdp.lines().find(is_fingerprint).unwrap_or_default().to_owned();
        let mut lines: Vec<_> = sdp.lines().filter(|line| !is_fingerprint(line)).map(str::to_owned).collect();
        let sections: Vec<_> = (0..lines.len()).rev().filter(|at| lines[*at].starts_with("m=")).collect();
        let mut end = lines.len();
        for section in sections {
            lines.insert(end, own.clone());
            end = section;
        }
        lines.insert(end, format!("a=fingerprint:sha-256 {}", ["00"; 32].join(":")));
        message["payload"]["description"]["sdp"] = json!(lines.join("\r\n") + "\r\n");
    }
    vec![message]
}

async fn a_server_that_adds_a_fingerprint_leaves_them_different_codes(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    let proxy = SignalingProxy::start(scene.server().await?.port(), add_fingerprint).await?;
    enter(&ada, &proxy.url(""), "added", "Ada", "").await?;
    enter(&bob, &proxy.url(""), "added", "Bob", "").await?;
    let mut codes = Vec::new();
    for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
        page.until_connected_to(other).await?;
        open_lock(page, other).await?;
        codes.push(code_of(page, other).await?);
    }
    ensure!(codes[0] != codes[1], "nobody would notice: {codes:?}");
    Ok(())
}

async fn a_guessed_name_leads_to_an_empty_room_that_is_shown_as_unprotected(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    scene.serve(&["--room-limit", "2"]).await?;
    let [ada, eve] = scene.pages_in([Engine::Chromium, engine]).await?;
    let origin = ada.origin().to_owned();
    enter(&ada, &origin, "guessed", "Ada", &format!("#{SECRET}")).await?;
    enter(&eve, &origin, "guessed", "Eve", "").await?;
    let alone = eve.until("Eve is alone", |page| page.shows("alone") && page.shows("protect-room")).await?;
    keep(&eve, "open-room").await?;
    ensure!(alone.protection.iter().all(|word| word == "open") && !alone.protection.is_empty(), "{alone:#?}");
    ensure!(ada.look().await?.tiles.len() == 1, "Ada sees somebody");
    let bob = scene.page(Engine::Chromium).await?;
    enter(&bob, &origin, "guessed", "Bob", &format!("#{SECRET}")).await?;
    ada.until_connected_to("Bob").await?;
    ensure!(eve.look().await?.tiles.len() == 1, "Eve sees somebody");
    // The offer of the unprotected room leads to a protected one, with the lobby in between.
    eve.click("protect-room").await?;
    let lobby = eve.until("there is a secret", |page| page.fragment.len() == 23).await?;
    ensure!(lobby.path == "/room/guessed", "{lobby:#?}");
    eve.open("/room/guessed").await?;
    eve.until("the lobby says it", |page| page.shows("protect-room") && page.shows("lobby")).await?;
    keep(&eve, "open-lobby").await?;
    Ok(())
}

async fn a_new_room_is_protected_through_a_reload_and_a_rejoin_and_an_invitation(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let [ada, bob] = scene.pages_in([engine, Engine::Chromium]).await?;
    ada.open("/").await?;
    ada.click("new-room").await?;
    let lobby = ada.until("the lobby says it", |page| page.protection == ["protected"]).await?;
    ensure!(lobby.fragment.len() == 23, "{lobby:#?}");
    ada.fill("name-input", "Ada").await?;
    ada.click("join").await?;
    let room =
        ada.until("Ada is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    let invitation = room.invitation.clone().unwrap_or_default();
    ensure!(invitation.ends_with(&lobby.fragment), "{invitation}");
    ada.reload().await?;
    ada.until("the place is there again", |page| {
        page.connection.as_deref() == Some("connected") && page.invitation == room.invitation
    })
    .await?;
    let (address, fragment) = invitation.split_once('#').unwrap_or_default();
    bob.open(&format!("{address}?name=Bob&autojoin=1&{CAMERA}#{fragment}")).await?;
    bob.until_connected_to("Ada").await?;
    ada.until_connected_to("Bob").await?;
    ada.click("leave").await?;
    ada.click("rejoin").await?;
    let again = ada.until_connected_to("Bob").await?;
    ensure!(trust_of(&again, "Bob").as_deref() == Some("protected"), "{again:#?}");
    // Typed instead of opened, with the sentence around it.
    bob.open("/").await?;
    bob.fill("room-input", &format!("Join {invitation}, please")).await?;
    bob.click("go").await?;
    bob.until("the room of the invitation", |page| page.fragment == lobby.fragment).await?;
    Ok(())
}

async fn a_cut_invitation_opens_no_room(scene: &Scene, engine: Engine) -> Result<()> {
    let page = scene.page(engine).await?;
    page.open(&format!("/room/cut?autojoin=1#{}", &SECRET[..15])).await?;
    let seen = page.until_notice("invitation-invalid").await?;
    ensure!(!seen.shows("lobby") && !seen.shows("room"), "{seen:#?}");
    Ok(())
}

async fn two_tabs_without_a_server_meet_with_the_same_secret_only(
    scene: &Scene,
    engine: Engine,
) -> Result<()> {
    let page = scene.page(engine).await?;
    let driver = &page.browser.driver;
    let first = driver.window().await?;
    let address = |name: &str, fragment: &str| {
        format!("/room/tabs?name={name}&source=none&autojoin=1&signalling=tabs{fragment}")
    };
    let fragment = format!("#{SECRET}");
    page.open(&address("Ada", &fragment)).await?;
    page.until("Ada is in the room", |page| page.connection.as_deref() == Some("connected")).await?;
    let second = driver.new_window().await?;
    driver.switch_to_window(second.clone()).await?;
    page.open(&address("Eve", "")).await?;
    page.until("Eve is alone", |page| page.connection.as_deref() == Some("connected")).await?;
    let third = driver.new_window().await?;
    driver.switch_to_window(third).await?;
    page.open(&address("Bob", &fragment)).await?;
    let seen = page.until_connected_to("Ada").await?;
    ensure!(seen.tiles.len() == 2 && trust_of(&seen, "Ada").as_deref() == Some("protected"), "{seen:#?}");
    driver.switch_to_window(second).await?;
    ensure!(page.look().await?.tiles.len() == 1, "Eve sees somebody");
    driver.switch_to_window(first).await?;
    page.until_connected_to("Bob").await?;
    Ok(())
}
