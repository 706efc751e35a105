//! The memory that browsers need for a large file, measured from outside.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use anyhow::Result;
use sightline_e2e::{page::Page, stage::Scene};
use tokio::time::sleep;

use super::{number, ours, pair, sample_file::SampleFile};

const DEFAULT_MIB: u64 = 1024;
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) async fn the_memory_of_a_large_file(scene: &Scene) -> Result<()> {
    let mib = number("MIB").unwrap_or(DEFAULT_MIB);
    let bytes = usize::try_from(mib << 20)?;
    let pages = scene.pages_in(pair()).await?;
    let pages = [pages[0].as_ref(), pages[1].as_ref()];
    ours::enter(pages, "memory").await?;
    // A small file first loads everything that any file needs, so that only the size counts.
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
    for (at, side) in ["sender", "receiver"].into_iter().enumerate() {
        let (before, most) = (&before[at], &most[at]);
        println!("\n{:<34} {:>10} {:>10} {:>10}", format!("{side}, MB (PSS)"), "before", "at most", "more");
        for (role, most_kb) in &most.by_role_kb {
            line(role, before.get(role).copied().unwrap_or(0), *most_kb);
        }
        line("all processes of its browser", before.values().sum(), most.all_kb);
    }
    Ok(())
}

fn line(what: &str, before_kb: u64, most_kb: u64) {
    let more_kb = most_kb.saturating_sub(before_kb);
    println!("{what:<34} {:>10} {:>10} {:>10}", before_kb / 1000, most_kb / 1000, more_kb / 1000);
}

/// The greatest total at one time; the parts had their maxima at different times.
#[derive(Default)]
struct Most {
    all_kb: u64,
    by_role_kb: BTreeMap<String, u64>,
}

async fn watch(pages: [&Page; 2], is_over: &AtomicBool) -> Result<[Most; 2]> {
    let mut most = [Most::default(), Most::default()];
    while !is_over.load(Ordering::Relaxed) {
        for (most, page) in most.iter_mut().zip(pages) {
            let now = page.browser.memory_kb().await?;
            most.all_kb = now.values().sum::<u64>().max(most.all_kb);
            for (role, kb) in now {
                let known_kb = most.by_role_kb.entry(role).or_default();
                *known_kb = kb.max(*known_kb);
            }
        }
        sleep(LOOK_EVERY).await;
    }
    Ok(most)
}
