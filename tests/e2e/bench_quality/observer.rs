//! What the viewer's display really showed: the numbers in Ada's picture, read by the display's own clock
//! (`requestAnimationFrame`), in no way that the app reads them.

use anyhow::Result;
use sightline_e2e::page::Page;

use super::table::Stood;

/// From this excess on, it explains a stall that was found.
const KNOWN_MS: f64 = 50.0;

/// What was seen.
#[derive(Debug)]
pub(super) struct Seen {
    /// When the same number stood for longer than an interval.
    pub(super) stood: Vec<Stood>,
    /// Looks at which there was no number.
    pub(super) unreadable: u32,
}

/// Notes each change of the number in Ada's picture: when it was seen, and the number.
const OBSERVE: &str = r#"
    const tile = document.querySelector('[data-testid="tile"][data-name="Ada"]');
    const video = tile.querySelector('video');
    const canvas = Object.assign(document.createElement('canvas'), { width: 176, height: 8 });
    const paper = canvas.getContext('2d', { willReadFrequently: true });
    window.observed = [];
    window.unreadable = 0;
    const look = (now) => {
      requestAnimationFrame(look);
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
      if (observed.at(-1)?.[1] !== number) observed.push([performance.timeOrigin + now, number]);
    };
    requestAnimationFrame(look);"#;

/// Looks from now on.
pub(super) async fn begin(page: &Page) -> Result<()> {
    page.execute(OBSERVE, vec![]).await
}

/// What was seen so far of a picture that should be another after each interval.
pub(super) async fn seen(page: &Page, interval_ms: f64) -> Result<Seen> {
    let observed: Vec<(f64, f64)> = page.execute("return observed", vec![]).await?;
    let unreadable = page.execute("return unreadable", vec![]).await?;
    let stood = observed.windows(2).filter_map(|pair| {
        let excess = pair[1].0 - pair[0].0 - interval_ms;
        (excess >= KNOWN_MS).then_some(Stood {
            end: pair[1].0,
            ms: excess,
            is_told: true,
            is_at_source: false,
        })
    });
    Ok(Seen { stood: stood.collect(), unreadable })
}
