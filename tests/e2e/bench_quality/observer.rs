//! What the viewer's display really showed: the numbers in Ada's picture, read on the display's own clock
//! (`requestAnimationFrame`), independently of the app.

use anyhow::Result;
use sightline_e2e::page::Page;

use super::table::Stood;

/// From this excess on, an observed pause explains a stall that the ledger found.
const KNOWN_MS: f64 = 50.0;

/// A display at 60 Hz, with two missed checks.
const LOOKED_MS: f64 = 50.0;

/// Number of intervals on either side from which the usual interval is computed.
const AROUND: usize = 15;

/// The observations of a display.
#[derive(Debug)]
pub(super) struct Seen {
    /// Times at which the same number stood for longer than an interval of the source.
    pub(super) stood: Vec<Stood>,
    /// Times at which it stood for longer than usual: a narrow link passes fewer frames than the source has.
    pub(super) stood_unusually: Vec<Stood>,
    /// Checks without a readable number.
    pub(super) unreadable: u32,
}

/// Notes each change of the number in Ada's picture: the time, the number, and the longest gap between checks before it.
const OBSERVE: &str = r#"
    const tile = document.querySelector('[data-testid="tile"][data-name="Ada"]');
    const video = tile.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 176, height: 8 });
    const paper = canvas.getContext('2d', { willReadFrequently: true });
    window.observed = [];
    let [looked, unseen] = [performance.now(), 0];
    window.unreadable = 0;
    const look = (now) => {
      requestAnimationFrame(look);
      // While the page was too busy to check, the time of a number is unknown.
      unseen = Math.max(unseen, now - looked);
      looked = now;
      if (!video.videoWidth) return;
      paper.drawImage(video, 0, 0, video.videoWidth, video.videoWidth / 22, 0, 0, 176, 8);
      const { data } = paper.getImageData(0, 0, 176, 8);
      const luma = (row, column) => {
        const at = ((row * 4 + 1) * 176 + column * 4 + 1) * 4;
        return data[at] + data[at + 1] + data[at + 2] + data[at + 4] + data[at + 5] + data[at + 6];
      };
      const [white, black] = [luma(0, 0) + luma(1, 43), luma(1, 0) + luma(0, 43)];
      const bit = (at) => (luma(0, at + 1) * 4 > white + black ? 1 : 0);
      let head = 0;
      for (let at = 0; at < 4; at++) head = head * 2 + bit(at);
      if (white - black < 240 || head !== 10) { unreadable++; return; }
      let number = 0;
      for (let at = 4; at < 36; at++) number = number * 2 + bit(at);
      if (observed.at(-1)?.[1] === number) return;
      observed.push([performance.timeOrigin + now, number, unseen]);
      unseen = 0;
    };
    requestAnimationFrame(look);"#;

/// Starts to observe.
pub(super) async fn begin(page: &Page) -> Result<()> {
    page.execute(OBSERVE, vec![]).await
}

/// The observations so far of a picture that should change after each interval.
pub(super) async fn seen(page: &Page, interval_ms: f64) -> Result<Seen> {
    let observed: Vec<(f64, f64, f64)> = page.execute("return observed", vec![]).await?;
    let unreadable = page.execute("return unreadable", vec![]).await?;
    let intervals: Vec<f64> = observed.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    let stood = |at: usize, usual_ms: f64| {
        let ms = intervals[at] - usual_ms;
        (ms >= KNOWN_MS).then_some(Stood {
            end: observed[at + 1].0,
            ms,
            // Otherwise the page did not check meanwhile: the pause explains a finding, and nobody can require the finding.
            // A smaller number is the next loop of a file, which declares the time of the jump.
            is_told: observed[at + 1].2 <= LOOKED_MS && observed[at].1 < observed[at + 1].1,
            is_at_source: false,
        })
    };
    let usual_ms = |at: usize| median_around(&intervals, at).max(interval_ms);
    Ok(Seen {
        stood: (0..intervals.len()).filter_map(|at| stood(at, interval_ms)).collect(),
        stood_unusually: (0..intervals.len()).filter_map(|at| stood(at, usual_ms(at))).collect(),
        unreadable,
    })
}

/// The median of the intervals around one of them.
fn median_around(intervals: &[f64], at: usize) -> f64 {
    let before = &intervals[at.saturating_sub(AROUND)..at];
    let after = &intervals[(at + 1).min(intervals.len())..(at + 1 + AROUND).min(intervals.len())];
    let mut around = [before, after].concat();
    around.sort_unstable_by(f64::total_cmp);
    let Some(upper) = around.get(around.len() / 2) else { return 0.0 };
    f64::midpoint(around[(around.len() - 1) / 2], *upper)
}
