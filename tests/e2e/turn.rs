//! Calls over a relay: the server's own, and an external one.

use std::{ffi::OsStr, sync::Arc};

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    coturn::{Coturn, PASSWORD, USER, where_there_is_coturn},
    native_peer::NativePeer,
    page::Page,
    signaling_proxy::SignalingProxy,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

/// One browser of each kind, where one pair is enough.
const MIXED: Pair = [Engine::Chromium, Engine::Firefox];

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let mut trials: Vec<_> = [
        stage.test_in_pairs(a_relay_only_call_uses_the_servers_built_in_relay),
        stage.test_in_mixed_pairs(who_uses_the_relay_only_tells_the_others_no_address_of_its_own),
        stage.test_in_pairs(a_relayed_call_outlives_its_credentials_and_restarts_with_fresh_ones),
    ]
    .into_iter()
    .flatten()
    .collect();
    trials.extend(where_there_is_coturn(vec![
        stage.test(a_relay_only_call_uses_an_existing_coturn),
        stage.test(own_ice_servers_replace_those_of_the_server),
        stage.test(terminals_meet_through_coturn_by_udp_tcp_and_tls),
    ]));
    trials
}

async fn a_relay_only_call_uses_the_servers_built_in_relay(scene: &Scene, pair: Pair) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.open("/room/relay?name=Ada&autojoin=1&relay=1").await?;
    bob.open("/room/relay?name=Bob&autojoin=1&relay=1").await?;
    ada.until_connected_to("Bob").await?;
    bob.until_connected_to("Ada").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    ada.say("by relay").await?;
    bob.until_received("by relay").await?;
    Ok(())
}

/// Two pages and a terminal, in a room whose signals can be read.
async fn who_uses_the_relay_only_tells_the_others_no_address_of_its_own(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    let [ada, bob] = scene.pages_in(pair).await?;
    let proxy = SignalingProxy::start(scene.server().await?.port(), |message| vec![message]).await?;
    for (page, name) in [(&ada, "Ada"), (&bob, "Bob")] {
        let address = format!("/room/hidden?name={name}&autojoin=1&source=none&relay=1");
        page.open(&proxy.url(&address)).await?;
    }
    let terminal = NativePeer::start("chat", &proxy.url(""), "hidden", "Carl", &["--relay-only"])?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    for page in [&ada, &bob] {
        page.until_connected_to("Carl").await?;
    }
    let seen = proxy.seen().join("\n").replace("\\r\\n", "\n");
    let told: Vec<_> =
        seen.lines().filter_map(|line| line.split_once("candidate:").map(|(_, rest)| rest)).collect();
    ensure!(told.iter().any(|candidate| candidate.contains(" typ relay")), "no candidates: {seen}");
    for candidate in told {
        let word_after = |word: &str| {
            candidate
                .split([' ', '"'])
                .skip_while(|other| *other != word)
                .nth(1)
                .unwrap_or_default()
                .to_owned()
        };
        ensure!(word_after("typ") == "relay", "{candidate}");
        ensure!(["", "0.0.0.0", "::"].contains(&&*word_after("raddr")), "{candidate}");
    }
    terminal.end().await
}

async fn a_relay_only_call_uses_an_existing_coturn(scene: &Scene) -> Result<()> {
    let secret = "known to both";
    let coturn = Coturn::start_as_deployed(secret).await?;
    let urls =
        [coturn.url("stun", ""), coturn.url("turn", "?transport=udp"), coturn.url("turn", "?transport=tcp")];
    scene.serve(&["--turn-url", &urls.join(","), "--turn-secret", secret]).await?;
    let [ada, bob] = scene.pages_in(MIXED).await?;
    ada.open("/room/coturn?name=Ada&autojoin=1&relay=1").await?;
    bob.open("/room/coturn?name=Bob&autojoin=1&relay=1").await?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;

    // On request the tile shows both ends, and the doctor shows the paths of the room's calls, without addresses.
    for page in [&ada, &bob] {
        page.click("tile-path").await?;
        until("both ends on the tile", PATIENCE, async || {
            let text: String = page.execute(TILE_PATH, vec![]).await?;
            Ok(if text.matches("127.0.0.1").count() == 2 && text.contains("relay udp") {
                Ok(())
            } else {
                Err(text)
            })
        })
        .await?;
        page.click("stats-toggle").await?;
        page.until("there is a way to the doctor", |page| page.shows("check-link")).await?;
        let link: String = page.execute(CHECK_LINK, vec![]).await?;
        page.open(&link).await?;
        until("what the calls use", PATIENCE, async || {
            let calls: Vec<String> = page.execute(CALLS, vec![]).await?;
            let is_told = |call: &String| call.contains("relay udp") && !call.contains("127.0");
            Ok(if calls.len() == 1 && calls.iter().all(is_told) { Ok(()) } else { Err(format!("{calls:?}")) })
        })
        .await?;
    }
    Ok(())
}

async fn own_ice_servers_replace_those_of_the_server(scene: &Scene) -> Result<()> {
    let coturn = Coturn::start(true).await?;
    // So a relayed call is possible only with the person's own server.
    scene.serve(&["--no-turn"]).await?;
    let [ada, bob] = scene.pages_in(MIXED).await?;
    let line = format!("{} {USER} {PASSWORD}", coturn.url("turn", ""));
    for page in [&ada, &bob] {
        page.open("/room/own?relay=1").await?;
        page.click("settings-toggle").await?;
        page.fill("own-ice-servers", "turn:example.org").await?;
        page.press("\u{e004}").await?;
        page.until_notice("ice-servers-invalid").await?;
        page.fill("own-ice-servers", &line).await?;
        page.press("\u{e004}").await?;
        page.until("the line is taken", |page| {
            !page.notices.iter().any(|notice| notice.code == "ice-servers-invalid")
        })
        .await?;
    }
    // The setting is kept for the next visit.
    ada.open("/room/own?name=Ada&autojoin=1&relay=1").await?;
    bob.open("/room/own?name=Bob&autojoin=1&relay=1").await?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    Ok(())
}

async fn terminals_meet_through_coturn_by_udp_tcp_and_tls(scene: &Scene) -> Result<()> {
    let (by_udp, streams) = (Coturn::start(true).await?, Coturn::start_over_streams().await?);
    let (tls, certificate) = streams.encrypted().context("there is no TLS")?;
    // So only coturn relays.
    scene.serve(&["--no-turn"]).await?;
    let origin = scene.server().await?.url();
    let urls = [by_udp.url("turn", "?transport=udp"), streams.url("turn", "?transport=tcp"), tls];
    for (number, url) in urls.into_iter().enumerate() {
        let server = format!("{url} {USER} {PASSWORD}");
        let relayed: [&OsStr; 5] = [
            "--relay-only".as_ref(),
            "--ice-server".as_ref(),
            server.as_ref(),
            "--cert".as_ref(),
            certificate.as_os_str(),
        ];
        let room = format!("coturn-{number}");
        let mut ada = NativePeer::start("chat", &origin, &room, "Ada", &relayed)?;
        ada.event("entered", |_| true).await?;
        let mut bob = NativePeer::start("chat", &origin, &room, "Bob", &relayed)?;
        bob.say("by coturn").await?;
        assert_eq!(ada.event("message", |_| true).await.context(url)?["text"], "by coturn");
        bob.end().await?;
        ada.end().await?;
    }
    Ok(())
}

async fn a_relayed_call_outlives_its_credentials_and_restarts_with_fresh_ones(
    scene: &Scene,
    pair: Pair,
) -> Result<()> {
    scene.serve(&["--turn-credential-life", "4"]).await?;
    let [ada, bob] = scene.pages_in(pair).await?;
    ada.open("/room/expiry?name=Ada&autojoin=1&relay=1").await?;
    bob.open("/room/expiry?name=Bob&autojoin=1&relay=1").await?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    // The third member arrives later: the first credentials have expired, and their allocation lives on.
    let mut users = vec![relay_user(&ada).await?];
    while users.len() < 4 {
        let user = until("fresh credentials", PATIENCE, async || {
            let user = relay_user(&ada).await?;
            Ok(if users.contains(&user) { Err(user) } else { Ok(user) })
        })
        .await?;
        users.push(user);
    }
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;

    let before = ufrag(&ada).await?;
    ada.execute::<()>("sightlineProbe.connections.at(-1).restartIce()", vec![]).await?;
    // With relayed candidates only, a candidate in the new description belongs to an allocation that was made with fresh
    // credentials.
    until("ICE restarts with a relayed candidate", PATIENCE, async || {
        let candidates =
            "return sightlineProbe.connections.at(-1).localDescription?.sdp.includes('typ relay') ?? false";
        let is_gathered: bool = ada.execute(candidates, vec![]).await?;
        let now = ufrag(&ada).await?;
        Ok(if is_gathered && now != before { Ok(()) } else { Err(now) })
    })
    .await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    tokio::try_join!(until_relayed(&ada, "Bob"), until_relayed(&bob, "Ada"))?;
    Ok(())
}

/// The user name with which the page's connection would now make an allocation.
async fn relay_user(page: &Page) -> Result<String> {
    let script = "return sightlineProbe.connections.at(-1).getConfiguration().iceServers.at(-1).username";
    page.execute(script, vec![]).await
}

/// Identifies the ICE generation of the newest connection; empty while a second connection has no description yet.
async fn ufrag(page: &Page) -> Result<String> {
    let script =
        r"return sightlineProbe.connections.at(-1).localDescription?.sdp.match(/ice-ufrag:(\S+)/)[1] ?? ''";
    page.execute(script, vec![]).await
}

async fn until_relayed(page: &Page, other: &str) -> Result<()> {
    page.until("the path is a relay", |page| {
        page.tile(other).is_some_and(|tile| tile.path.as_deref() == Some("relay"))
    })
    .await?;
    Ok(())
}

const TILE_PATH: &str = "return document.querySelector('[data-testid=\"tile-path\"]')?.innerText ?? '';";
/// The target of the link that a person would press; read without leaving the page.
const CHECK_LINK: &str = "
    const link = document.querySelector('[data-testid=\"check-link\"]');
    link.addEventListener('click', (event) => event.preventDefault(), { once: true });
    link.click();
    return link.href;";
const CALLS: &str =
    "return [...document.querySelectorAll('[data-testid=\"check-call\"]')].map((call) => call.innerText);";
