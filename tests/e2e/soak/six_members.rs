//! Six members with their cameras on. All connections must stay usable with the default settings; the test measures how much one
//! member sends, and its processor time. The other five are tabs of one browser with small pictures, so that the work of six computers
//! fits into this one. The traffic of the measured member depends only on the number of members.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{sync::Arc, time::Duration};

use anyhow::{Result, ensure};
use libtest_mimic::Trial;
use serde::Deserialize;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};
use tokio::time::sleep;

const MEMBERS: usize = 6;
/// The cameras of the other five.
const SMALL: &str = "width=320&height=180&fps=5";
/// Six pages start on one computer.
const PATIENCE: Duration = Duration::from_secs(120);
const SETTLING: Duration = Duration::from_secs(20);
const MEASURED: Duration = Duration::from_secs(10);

/// The bytes sent so far on every open connection.
const TRAFFIC: &str = "
    const open = sightlineProbe.connections.filter((connection) => connection.connectionState === 'connected');
    return Promise.all(open.map((connection) => connection.getStats())).then((reports) => {
      const all = reports.flatMap((report) => [...report.values()]).filter((entry) => entry.kind === 'video');
      const outbound = all.filter((entry) => entry.type === 'outbound-rtp');
      return {
        encoded: outbound.map((entry) => entry.framesEncoded ?? 0),
        sent_bytes: outbound.reduce((sum, entry) => sum + (entry.bytesSent ?? 0), 0),
        lines: outbound.map((entry) => entry.frameHeight ?? 0),
      };
    });";

#[derive(Debug, Deserialize)]
struct Traffic {
    encoded: Vec<u32>,
    sent_bytes: u64,
    lines: Vec<u32>,
}

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    vec![stage.long_test(the_traffic_and_the_cost_of_one_of_six_members)]
}

async fn the_traffic_and_the_cost_of_one_of_six_members(scene: &Scene) -> Result<()> {
    let [ada, others] = [scene.page(Engine::Chromium).await?, scene.page(Engine::Chromium).await?];
    ada.enter("six", "Ada").await?;
    for other in 1..MEMBERS {
        if other > 1 {
            let tab = others.browser.driver.new_tab().await?;
            others.browser.driver.switch_to_window(tab).await?;
        }
        others.enter_with("six", &format!("Member {other}"), SMALL).await?;
    }
    ada.until_for(PATIENCE, "everyone is connected", |page| {
        let connected = |state: &Option<String>| state.as_deref() == Some("connected");
        page.other_tiles().iter().filter(|tile| connected(&tile.state)).count() == MEMBERS - 1
    })
    .await?;
    sleep(SETTLING).await;
    let (before, cpu_before) = look(&ada).await?;
    sleep(MEASURED).await;
    let (after, cpu_after) = look(&ada).await?;
    let seconds = MEASURED.as_secs_f64();
    let fps = before
        .encoded
        .iter()
        .zip(&after.encoded)
        .map(|(before, after)| format!("{:.0}", f64::from(after.saturating_sub(*before)) / seconds));
    let sent_bits = after.sent_bytes.saturating_sub(before.sent_bytes) as f64 * 8.0;
    println!("\nAda among {MEMBERS}, {} s after the last came, {} s", SETTLING.as_secs(), MEASURED.as_secs());
    println!("sends lines         {:?}", after.lines);
    println!("sends kbit/s        {:.0} to all", sent_bits / 1000.0 / seconds);
    println!("sends fps           {}", fps.collect::<Vec<_>>().join(" "));
    let cpu = cpu_after.saturating_sub(cpu_before).as_secs_f64() / seconds;
    println!("processor time      {:.0} ms a second, of her renderer", cpu * 1000.0);
    ensure!(after.encoded.len() == MEMBERS - 1, "not everyone is sent to: {after:?}");
    ensure!(
        before.encoded.iter().zip(&after.encoded).all(|(before, after)| after > before),
        "a sent picture stands still: {before:?} {after:?}"
    );
    Ok(())
}

async fn look(page: &Page) -> Result<(Traffic, Duration)> {
    Ok((page.execute(TRAFFIC, vec![]).await?, page.browser.renderer_time().await?))
}
