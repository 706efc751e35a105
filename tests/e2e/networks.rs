//! Calls behind difficult routers, and the doctor's verdict there.

use std::sync::Arc;

use anyhow::Result;
use libtest_mimic::Trial;
use serde::Deserialize;
use sightline_e2e::{
    browser::Engine,
    netlab::{AtHome, Homes, Place, Router, where_there_are_routers},
    page::Page,
    stage::{Pair, Scene, Stage},
    wait::{PATIENCE, until},
};

use crate::check::examine_here;

/// One browser of each kind.
const BOTH: Pair = [Engine::Chromium, Engine::Firefox];

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    where_there_are_routers(vec![
        stage.test(behind_usual_routers_a_call_goes_directly),
        stage.test(behind_symmetric_routers_a_call_goes_by_udp_through_the_relay),
        stage.test(a_call_uses_a_tcp_relay_behind_routers_that_block_udp),
        stage.test(terminals_meet_behind_usual_symmetric_and_udp_blocking_routers),
    ])
}

async fn behind_usual_routers_a_call_goes_directly(scene: &Scene) -> Result<()> {
    let home = call(scene, Router::Nat, "usual", "direct").await?;
    let [ada, bob] = &home.pages;
    let found = tokio::try_join!(examine_here(ada), examine_here(bob))?;
    for found in [found.0, found.1] {
        found.is("direct", &[("stun-udp", "ok", "ok"), ("turn-udp", "ok", "ok"), ("nat", "ok", "ok")])?;
    }
    Ok(())
}

async fn behind_symmetric_routers_a_call_goes_by_udp_through_the_relay(scene: &Scene) -> Result<()> {
    let home = call(scene, Router::SymmetricNat, "symmetric", "relay").await?;
    let [ada, bob] = &home.pages;
    // One relay is enough: the other side reaches it through its own router.
    let used = [until_used(ada).await?, until_used(bob).await?];
    assert!(used.iter().any(|used| used.relay_protocol.as_deref() == Some("udp")), "{used:?}");

    let found = tokio::try_join!(examine_here(ada), examine_here(bob))?;
    for found in [found.0, found.1] {
        found.is(
            "relay-udp",
            &[
                ("stun-udp", "ok", "ok"),
                ("turn-udp", "ok", "ok"),
                ("nat", "warning", "nat-symmetric"),
                ("relay-call", "ok", "ok"),
            ],
        )?;
    }
    Ok(())
}

async fn a_call_uses_a_tcp_relay_behind_routers_that_block_udp(scene: &Scene) -> Result<()> {
    let home = call(scene, Router::NoUdp, "no-udp", "relay").await?;
    let [ada, bob] = &home.pages;
    for page in [ada, bob] {
        assert_eq!(until_used(page).await?.relay_protocol.as_deref(), Some("tcp"));
    }
    let found = tokio::try_join!(examine_here(ada), examine_here(bob))?;
    for found in [found.0, found.1] {
        found.is(
            "relay-tcp",
            &[
                ("stun-udp", "failed", "timeout"),
                ("turn-udp", "failed", "timeout"),
                ("turn-tcp", "ok", "ok"),
                ("nat", "ok", "nat-unknown"),
                ("relay-call", "ok", "ok"),
            ],
        )?;
    }
    Ok(())
}

/// Also the doctor of the terminal comes to the verdict that the one of the page comes to above.
async fn terminals_meet_behind_usual_symmetric_and_udp_blocking_routers(scene: &Scene) -> Result<()> {
    let address = Homes::server_address();
    for (router, room, verdict) in [
        (Router::Nat, "usual", "direct"),
        (Router::SymmetricNat, "symmetric", "relay-udp"),
        (Router::NoUdp, "no-udp", "relay-tcp"),
    ] {
        let homes = scene.homes([router; 2], &["--turn-host", &address]).await?;
        let none = [""; 0];
        let mut ada = homes.peer(Place::A, "chat", room, "Ada", &none)?;
        ada.event("entered", |_| true).await?;
        let mut bob = homes.peer(Place::B, "chat", room, "Bob", &none)?;
        ada.say("hello").await?;
        assert_eq!(bob.event("message", |_| true).await?["text"], "hello");
        bob.say("and back").await?;
        assert_eq!(ada.event("message", |_| true).await?["text"], "and back");
        bob.end().await?;
        ada.end().await?;
        let mut check = homes.check(Place::A)?;
        assert_eq!(check.event("verdict", |_| true).await?["verdict"], verdict, "{router:?}");
    }
    Ok(())
}

/// A call between two homes, each behind a router of this kind, over the expected path.
async fn call(scene: &Scene, router: Router, room: &str, path: &str) -> Result<AtHome> {
    let address = Homes::server_address();
    let home = scene.at_home(BOTH, [router; 2], &["--turn-host", &address]).await?;
    let [ada, bob] = &home.pages;
    ada.enter(room, "Ada").await?;
    bob.enter(room, "Bob").await?;
    for (page, other) in [(ada, "Bob"), (bob, "Ada")] {
        page.until_connected_to(other).await?;
        page.until_picture_moves(other).await?;
        page.until("the path is shown", |page| {
            page.tile(other).is_some_and(|tile| tile.path.as_deref() == Some(path))
        })
        .await?;
    }
    Ok(home)
}

/// The selected local candidate.
#[derive(Debug, Deserialize)]
struct Used {
    relay_protocol: Option<String>,
}

async fn until_used(page: &Page) -> Result<Used> {
    until("a selected pair", PATIENCE, async || {
        let used: Option<Used> = page.execute(USED, vec![]).await?;
        Ok(used.ok_or_else(|| "none".to_owned()))
    })
    .await
}

const USED: &str = "
    const entries = sightlineProbe.reports.at(-1)?.entries ?? [];
    const transport = entries.find((entry) => entry.type === 'transport');
    const pair = entries.find((entry) => entry.type === 'candidate-pair' &&
      (entry.id === transport?.selectedCandidatePairId || entry.selected));
    const local = entries.find((entry) => entry.id === pair?.localCandidateId);
    return local ? { relay_protocol: local.relayProtocol ?? null } : null;";
