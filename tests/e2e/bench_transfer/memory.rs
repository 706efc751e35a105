//! What a large file needs of the browsers' memory, seen from outside.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Result;
use sightline_e2e::{page::Page, stage::Scene};
use tokio::time::sleep;

use super::{number, ours, pair, sample_file::SampleFile};

const DEFAULT_MIB: u64 = 1024;
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn what_a_large_file_needs(scene: &Scene) -> Result<()> {
    let mib = number("MIB").unwrap_or(DEFAULT_MIB);
    let bytes = usize::try_from(mib << 20)?;
    let pages = scene.pages_in(pair()).await?;
    let pages = [pages[0].as_ref(), pages[1].as_ref()];
    ours::enter(pages, "memory").await?;
    // What the first file loads is there before; only the size is to count.
    let small = SampleFile::new("small.bin", 8 << 20)?;
    ours::send(pages, small.path(), "small.bin", 8 << 20).await?;
    sleep(Duration::from_secs(5)).await;
    let before = [pages[0].browser.memory_kb().await?, pages[1].browser.memory_kb().await?];
    let large = SampleFile::new("large.bin", bytes)?;
    let is_over = AtomicBool::new(false);
    let sending = async {
        let rate = ours::send(pages, large.path(), "large.bin", bytes).await;
        is_over.store(true, Ordering::Relaxed);
        rate
    };
    let (rate, most) = tokio::join!(sending, watch(pages, &is_over));
    let (rate, most) = (rate?, most?);
    println!("\n{mib} MiB at {:.1} MB/s", rate.megabytes_per_second);
    for (side, at) in [("sender", 0), ("receiver", 1)] {
        println!(
            "{side:<9} all processes of its browser (PSS): {} MB before, {} MB at most while it was sent: {} MB more",
            before[at] / 1000,
            most[at] / 1000,
            most[at].saturating_sub(before[at]) / 1000
        );
    }
    Ok(())
}

async fn watch(pages: [&Page; 2], is_over: &AtomicBool) -> Result<[u64; 2]> {
    let mut most = [0; 2];
    while !is_over.load(Ordering::Relaxed) {
        for (most, page) in most.iter_mut().zip(pages) {
            *most = page.browser.memory_kb().await?.max(*most);
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(most)
}
