//! The cost of the metrics panel, for `cargo xtask bench panel`: processor time of the renderers of one Chromium. Not a test: it
//! judges nothing, and runs only if `SIGHTLINE_BENCH` is `panel`.
#![allow(clippy::print_stdout, reason = "a table for a person is its purpose")]

use std::{env, sync::Arc, time::Duration};

use anyhow::Result;
use libtest_mimic::Trial;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    page::Page,
    stage::{Scene, Stage},
};
use tokio::time::{Instant, sleep};

const PEERS: [usize; 3] = [1, 4, 8];
const SETTLING: Duration = Duration::from_secs(3);
const MEASURED: Duration = Duration::from_secs(10);

/// As many pairs of connections with a data channel as there are peers, with stats read once a second as the app does.
const BARE_CALLS: &str = r"
    const count = arguments[0];
    (async () => {
      for (let at = 0; at < count; at++) {
        const [a, b] = [new RTCPeerConnection(), new RTCPeerConnection()];
        a.onicecandidate = ({ candidate }) => b.addIceCandidate(candidate);
        b.onicecandidate = ({ candidate }) => a.addIceCandidate(candidate);
        a.createDataChannel('x', { negotiated: true, id: 1 });
        b.createDataChannel('x', { negotiated: true, id: 1 });
        a.addTransceiver('audio');
        a.addTransceiver('video');
        await a.setLocalDescription();
        await b.setRemoteDescription(a.localDescription);
        await b.setLocalDescription();
        await a.setRemoteDescription(b.localDescription);
        setInterval(() => a.getStats(), 1000);
      }
    })();";

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    let is_wanted = env::var("SIGHTLINE_BENCH").is_ok_and(|bench| bench == "panel");
    is_wanted.then(|| stage.long_test(the_processor_time_of_the_metrics_panel)).into_iter().collect()
}

/// No member publishes media, so that neither coding nor drawing of pictures is measured.
async fn the_processor_time_of_the_metrics_panel(scene: &Scene) -> Result<()> {
    scene.serve(&["--room-limit", "16"]).await?;
    let ada = scene.page(Engine::Chromium).await?;
    let others = scene.page(Engine::Chromium).await?;
    println!("\nms of processor time a second, renderers of one Chromium, {} s each", MEASURED.as_secs());
    println!(
        "{:>5} {:>22} {:>20} {:>20}",
        "peers", "bare connections (x2)", "app, figures closed", "app, figures open"
    );
    for peers in PEERS {
        ada.open("/not-a-page").await?;
        let () = ada.execute(BARE_CALLS, vec![json!(peers)]).await?;
        let bare = cost(&ada).await?;

        let room = format!("bench-{peers}");
        ada.enter_with(&room, "Ada", "source=none").await?;
        others.browser.clear().await?;
        for peer in 0..peers {
            if peer > 0 {
                let tab = others.browser.driver.new_tab().await?;
                others.browser.driver.switch_to_window(tab).await?;
            }
            others.enter_with(&room, &format!("Peer {peer}"), "source=none").await?;
        }
        ada.until("everyone is connected", |page| {
            page.other_tiles().iter().filter(|tile| tile.state.as_deref() == Some("connected")).count()
                == peers
        })
        .await?;
        let closed = cost(&ada).await?;
        ada.click("stats-toggle").await?;
        let open = cost(&ada).await?;
        println!("{peers:>5} {bare:>22} {closed:>20} {open:>20}");
        ada.open("about:blank").await?;
    }
    Ok(())
}

/// Processor time in milliseconds per second.
async fn cost(page: &Page) -> Result<u128> {
    sleep(SETTLING).await;
    let (started, before) = (Instant::now(), page.browser.renderer_time().await?);
    sleep(MEASURED).await;
    let used = page.browser.renderer_time().await?.saturating_sub(before);
    Ok(used.as_millis() * 1000 / started.elapsed().as_millis())
}
