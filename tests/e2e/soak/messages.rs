//! A thousand numbered messages while the network fails and returns.
#![allow(clippy::print_stdout, reason = "a line for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use sightline_e2e::{
    page::Page,
    stage::{Pair, Scene, Stage},
    wait::until,
};
use tokio::time::sleep;

use crate::recovery::enter;

const MESSAGES: usize = 1_000;
const INTERVAL: Duration = Duration::from_millis(80);
const PATIENCE: Duration = Duration::from_secs(60);
/// Seconds of a cut, seconds without one, and whether the server is cut too.
const WEATHER: [(u64, u64, bool); 5] =
    [(3, 8, false), (12, 8, true), (25, 8, false), (7, 6, true), (32, 10, true)];

const RECEIVED: &str = "
    return [...document.querySelectorAll('[data-testid=\"chat-message\"][data-state=\"received\"] .chat-text')]
      .map((text) => text.innerText.trim());";
const NOT_DELIVERED: &str = "
    return document.querySelectorAll('[data-testid=\"chat-message\"]:not([data-state=\"received\"], [data-state=\"delivered\"])').length;";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    stage.long_tests_in_pairs(arrive_once_and_in_order)
}

async fn arrive_once_and_in_order(scene: &Scene, pair: Pair) -> Result<()> {
    let call = enter(scene, pair).await?;
    let [ada, bob] = &call.pages;
    ada.watch("Bob").await?;
    bob.watch("Ada").await?;
    for page in [ada, bob] {
        page.keep_saying(INTERVAL).await?;
    }
    for (cut_s, whole_s, with_server) in WEATHER {
        call.ends.set_server_cut(with_server);
        call.ends.set_cut(true);
        sleep(Duration::from_secs(cut_s)).await;
        call.ends.set_cut(false);
        call.ends.set_server_cut(false);
        sleep(Duration::from_secs(whole_s)).await;
    }
    until("a thousand messages to be written on each side", PATIENCE * 3, async || {
        let (of_ada, of_bob) = tokio::try_join!(ada.said(), bob.said())?;
        let enough = of_ada.min(of_bob) >= MESSAGES;
        Ok(if enough { Ok(()) } else { Err(format!("{of_ada} and {of_bob}")) })
    })
    .await?;
    let mut said = Vec::new();
    for page in [ada, bob] {
        said.push(page.stop_saying().await?);
    }
    for (writer, reader, count) in [(ada, bob, said[0]), (bob, ada, said[1])] {
        has_all_in_order(reader, count).await?;
        until("every message to be acknowledged", PATIENCE, async || {
            let open: usize = writer.execute(NOT_DELIVERED, vec![]).await?;
            Ok(if open == 0 { Ok(()) } else { Err(format!("{open} are not")) })
        })
        .await?;
    }
    println!(
        "\n{} and {} messages across {} cuts: each arrived once and in order",
        said[0],
        said[1],
        WEATHER.len()
    );
    Ok(())
}

async fn has_all_in_order(reader: &Page, count: usize) -> Result<()> {
    let expected: Vec<_> = (0..count).map(|number| format!("message {number}")).collect();
    until("every message, once and in order", PATIENCE, async || {
        let received: Vec<String> = reader.execute(RECEIVED, vec![]).await?;
        let at = received.iter().zip(&expected).position(|(received, expected)| received != expected);
        Ok(if received == expected {
            Ok(())
        } else {
            Err(format!("{} of {count}; the first that differs: {at:?}", received.len()))
        })
    })
    .await
}
