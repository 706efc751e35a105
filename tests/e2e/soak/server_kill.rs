//! The server is killed during a call and with a hundred members, and returns.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use futures_util::future::try_join_all;
use libtest_mimic::Trial;
use sightline_e2e::{
    browser::Engine,
    headless::{HeadlessMember, Known},
    monitor::unix_ms,
    stage::{Scene, Stage},
};
use tokio::time::{sleep, timeout};

const ROOMS: u32 = 20;
const MEMBERS: u32 = 5;
/// Seconds that the server is away, one run for each.
const AWAY_S: [u64; 3] = [0, 5, 20];
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![stage.long_test(every_member_is_back_and_no_connection_was_closed)]
}

async fn every_member_is_back_and_no_connection_was_closed(scene: &Scene) -> Result<()> {
    let [ada, bob] = scene.pages_in([Engine::Chromium, Engine::Firefox]).await?;
    for page in [&ada, &bob] {
        page.expect_no_server();
        page.expect_console_error("The connection to ws://");
    }
    ada.enter("kill", "Ada").await?;
    bob.enter("kill", "Bob").await?;
    tokio::try_join!(ada.until_picture_moves("Bob"), bob.until_picture_moves("Ada"))?;
    let port = scene.server().await?.port();
    let mut members = (0..ROOMS * MEMBERS)
        .map(|number| HeadlessMember::enter(port, &format!("headless-{}", number % ROOMS), number))
        .collect::<Result<Vec<_>>>()?;
    all(&mut members, 1).await?;
    let before: Vec<_> = members.iter().map(HeadlessMember::known).collect();

    println!("\n{:>8} {:>26} {:>26}", "away s", "100 members back, s", "the call's pages back, s");
    for (run, away_s) in (2..).zip(AWAY_S) {
        scene.server().await?.kill().await?;
        sleep(Duration::from_secs(away_s)).await;
        scene.server().await?.come_back().await?;
        let returned_at = unix_ms();
        let headless = async {
            all(&mut members, run).await?;
            anyhow::Ok(unix_ms() - returned_at)
        };
        let pages = async {
            for page in [&ada, &bob] {
                let is_back = |page: &sightline_e2e::snapshot::Snapshot| {
                    page.connection.as_deref() == Some("connected")
                };
                page.until_for(PATIENCE, "the server is found", is_back).await?;
            }
            anyhow::Ok(unix_ms() - returned_at)
        };
        let (headless_ms, pages_ms) = tokio::try_join!(headless, pages)?;
        println!("{away_s:>8} {:>26.1} {:>26.1}", headless_ms / 1000.0, pages_ms / 1000.0);
        for (member, before) in members.iter().zip(&before) {
            let now = member.known();
            assert_eq!((&now.you, &now.present), (&before.you, &before.present), "a room is not as it was");
        }
        for (page, other) in [(&ada, "Bob"), (&bob, "Ada")] {
            page.until_connected_to(other).await?;
            page.until_picture_moves(other).await?;
            let connections: usize = page.execute("return sightlineProbe.connections.length", vec![]).await?;
            assert_eq!(connections, 1, "a peer connection was touched");
        }
    }
    Ok(())
}

/// Waits until every member has joined for the `joins`-th time and sees all others of its room.
async fn all(members: &mut [HeadlessMember], joins: u32) -> Result<()> {
    let others = usize::try_from(MEMBERS)? - 1;
    let is_back = |known: &Known| known.is_joined && known.joins >= joins && known.present.len() == others;
    let waiting = try_join_all(members.iter_mut().map(|member| member.until(is_back)));
    timeout(PATIENCE, waiting).await.context("not everybody is back")??;
    Ok(())
}
