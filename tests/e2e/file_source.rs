//! A video file that stands still, breaks off or is turned: everybody sees the right picture and the reason.

use std::{fs, path::PathBuf, sync::Arc};

use anyhow::Result;
use libtest_mimic::Trial;
use serde::Deserialize;
use serde_json::json;
use sightline_e2e::{
    browser::Engine,
    clip,
    page::Page,
    stage::{Scene, Stage},
    wait::{PATIENCE, until},
};
use tempfile::TempDir;

pub(crate) fn tests(stage: &Arc<Stage>) -> Vec<Trial> {
    [
        stage.test_in_each(members_who_join_or_reload_see_a_paused_file),
        stage.test_in_each(a_member_who_joins_sees_a_file_that_has_ended_and_sees_it_play_again),
        stage.test_in_each(a_member_who_joins_sees_a_file_that_never_played),
        stage.test_in_each(a_jump_in_a_paused_file_is_seen),
        stage.test_in_each(a_file_that_breaks_off_is_declared_and_is_a_stall_of_the_source),
        stage.test_in_each(a_second_file_without_a_picture_changes_nothing),
        stage.test_in_each(a_file_that_is_gone_while_it_plays_is_declared),
        stage.test_in_each(a_turned_film_is_upright_for_everyone),
        stage.test_in_each(a_plain_file_that_stands_still_near_the_end_of_each_loop_is_a_stall_of_its_source),
    ]
    .into_iter()
    .flatten()
    .collect()
}

pub(crate) const QUARTERS: &str = "red green blue white";

async fn members_who_join_or_reload_see_a_paused_file(scene: &Scene, sender: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let ada = scene.page(sender).await?;
    ada.enter_with("paused", "Ada", "source=none").await?;
    open(&ada, &folder.write("clip.mp4", &clip::whole())?).await?;
    until_own_playback(&ada, "playing").await?;
    ada.click("source-pause").await?;
    until_own_playback(&ada, "paused").await?;
    let viewers = [scene.page(Engine::Chromium).await?, scene.page(Engine::Firefox).await?];
    for viewer in &viewers {
        viewer.enter_with("paused", "Viewer", "source=none").await?;
        until_quarters(viewer, QUARTERS).await?;
        until_attribute(viewer, "playback", "paused").await?;
    }
    for viewer in &viewers {
        viewer.reload().await?;
        until_quarters(viewer, QUARTERS).await?;
        viewer.click("stats-toggle").await?;
        viewer.until("there are figures", |page| !page.figures.is_empty()).await?;
        let stalls: Vec<Stall> = viewer.execute(STALLS, vec![]).await?;
        assert!(stalls.is_empty(), "what is declared to stand is no stall: {stalls:?}");
    }
    ada.click("source-play").await?;
    for viewer in &viewers {
        until_attribute(viewer, "playback", "playing").await?;
        viewer.until_picture_moves("Ada").await?;
    }
    Ok(())
}

async fn a_member_who_joins_sees_a_file_that_has_ended_and_sees_it_play_again(
    scene: &Scene,
    sender: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let ada = scene.page(sender).await?;
    ada.enter_with("over", "Ada", "source=none").await?;
    open(&ada, &folder.write("clip.mp4", &clip::whole())?).await?;
    seek(&ada, 7.5).await?;
    until_own_playback(&ada, "ended").await?;
    let viewers = [scene.page(Engine::Chromium).await?, scene.page(Engine::Firefox).await?];
    for viewer in &viewers {
        viewer.enter_with("over", "Viewer", "source=none").await?;
        until_quarters(viewer, QUARTERS).await?;
        until_attribute(viewer, "playback", "ended").await?;
    }
    ada.click("source-play").await?;
    for viewer in &viewers {
        until_attribute(viewer, "playback", "playing").await?;
        viewer.until_picture_moves("Ada").await?;
    }
    Ok(())
}

async fn a_member_who_joins_sees_a_file_that_never_played(scene: &Scene, sender: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = scene.pages_in([sender, Engine::Chromium]).await?;
    ada.open("/room/early?name=Ada&source=none").await?;
    ada.click("source-file").await?;
    ada.until("there is a place for files", |page| page.shows("file-source")).await?;
    ada.choose_file("file-source-input", &folder.write("clip.mp4", &clip::whole())?).await?;
    ada.until_preview_moves().await?;
    ada.click("source-pause").await?;
    seek(&ada, 0.0).await?;
    ada.click("join").await?;
    bob.enter_with("early", "Bob", "source=none").await?;
    until_quarters(&bob, QUARTERS).await?;
    until_attribute(&bob, "playback", "paused").await
}

async fn a_jump_in_a_paused_file_is_seen(scene: &Scene, sender: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = scene.pages_in([sender, Engine::Chromium]).await?;
    ada.enter_with("jump", "Ada", "source=none").await?;
    open(&ada, &folder.write("clip.mp4", &clip::whole())?).await?;
    until_own_playback(&ada, "playing").await?;
    ada.click("source-pause").await?;
    bob.enter_with("jump", "Bob", "source=none").await?;
    // The box is on the right a quarter of a second after each full second, and on the left half a second later.
    for (position_s, place) in [(3.25, "right"), (5.75, "left"), (1.25, "right")] {
        seek(&ada, position_s).await?;
        until_script(&bob, &format!("the box on the {place}"), BOX, place).await?;
    }
    Ok(())
}

async fn a_file_that_breaks_off_is_declared_and_is_a_stall_of_the_source(
    scene: &Scene,
    sender: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob, eve] = scene.pages_in([sender, Engine::Chromium, Engine::Firefox]).await?;
    ada.enter_with("broken", "Ada", "source=file&sample=1").await?;
    bob.enter_with("broken", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    bob.click("stats-toggle").await?;
    for (name, bytes) in [("cut.mp4", clip::cut()?), ("damaged.mp4", clip::damaged()?)] {
        open(&ada, &folder.write(name, &bytes)?).await?;
        ada.until_notice("file-damaged").await?;
        until_own_playback(&ada, "failed").await?;
        until_attribute(&bob, "playback", "failed").await?;
        bob.until("it says where", |page| page.tile("Ada").is_some_and(|tile| tile.text.contains("0:0")))
            .await?;
        until("a stall of the source that lasts", PATIENCE, async || {
            let stalls: Vec<Stall> = bob.execute(STALLS, vec![]).await?;
            let is_there = stalls.iter().any(|stall| stall.duration > 2.0 && stall.cause == "source");
            Ok(if is_there { Ok(()) } else { Err(format!("{stalls:?}")) })
        })
        .await?;
        // A member that joins now sees where it stopped.
        eve.enter_with("broken", "Eve", "source=none").await?;
        until_quarters(&eve, QUARTERS).await?;
        until_attribute(&eve, "playback", "failed").await?;
    }
    open(&ada, &folder.write("clip.mp4", &clip::whole())?).await?;
    ada.until("the notice is gone", |page| page.notices.is_empty()).await?;
    for viewer in [&bob, &eve] {
        until_attribute(viewer, "playback", "playing").await?;
        viewer.until_picture_moves("Ada").await?;
    }
    Ok(())
}

async fn a_second_file_without_a_picture_changes_nothing(scene: &Scene, sender: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = scene.pages_in([sender, Engine::Chromium]).await?;
    ada.enter_with("index", "Ada", "source=file&sample=1").await?;
    ada.click("source-loop").await?;
    bob.enter_with("index", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    ada.choose_file("file-source-input", &folder.write("index.mp4", &clip::index_alone()?)?).await?;
    ada.until_notice("file-damaged").await?;
    until_attribute(&bob, "playback", "playing").await?;
    bob.until_picture_moves("Ada").await
}

async fn a_file_that_is_gone_while_it_plays_is_declared(scene: &Scene, sender: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = scene.pages_in([sender, Engine::Chromium]).await?;
    ada.enter_with("gone", "Ada", "source=none").await?;
    bob.enter_with("gone", "Bob", "source=none").await?;
    let path = folder.0.path().join("spread.mp4");
    clip::write_spread(&path)?;
    // Browsers read some seconds ahead, so it still plays after the rest is gone.
    let () = ada.execute(HOLD_PLAY, vec![]).await?;
    open(&ada, &path).await?;
    // Chromium logs each attempt to read further.
    ada.expect_console_error("ERR_UPLOAD_FILE_CHANGED");
    fs::File::options().write(true).open(&path)?.set_len(20_000)?;
    let () = ada.execute("sightlinePlay(); return null;", vec![]).await?;
    bob.until_picture_moves("Ada").await?;
    until_attribute(&bob, "playback", "failed").await?;
    ada.until_notice("file-unreadable").await?;
    until_quarters(&bob, QUARTERS).await
}

async fn a_turned_film_is_upright_for_everyone(scene: &Scene, sender: Engine) -> Result<()> {
    let folder = Folder::new()?;
    let ada = scene.page(sender).await?;
    ada.enter_with("turned", "Ada", "source=none").await?;
    let viewers = [scene.page(Engine::Chromium).await?, scene.page(Engine::Firefox).await?];
    for viewer in &viewers {
        viewer.enter_with("turned", "Viewer", "source=none").await?;
    }
    for (quarters, upright) in
        [(1, "blue red white green"), (2, "white blue green red"), (3, "green white red blue"), (0, QUARTERS)]
    {
        open(&ada, &folder.write(&format!("turned{quarters}.mp4"), &clip::turned(quarters)?)?).await?;
        for viewer in &viewers {
            until_quarters(viewer, upright).await?;
        }
        until_script(&ada, "it upright in the own tile", LOCAL_QUARTERS, upright).await?;
    }
    Ok(())
}

/// Files that exist while a test runs.
struct Folder(TempDir);

impl Folder {
    fn new() -> Result<Self> {
        Ok(Self(tempfile::tempdir()?))
    }

    fn write(&self, name: &str, bytes: &[u8]) -> Result<PathBuf> {
        let path = self.0.path().join(name);
        fs::write(&path, bytes)?;
        Ok(path)
    }
}

/// A `stall` element of the ledger.
#[derive(Debug, Deserialize)]
struct Stall {
    duration: f64,
    cause: String,
}

/// Chooses a file, and waits until it is shown.
/// The stalls of at least 300 ms, as length in seconds and cause, and by what the source is known.
const LEDGER: &str = r#"
    const stalls = [...document.querySelectorAll('[data-testid="stall"]')].map(({ dataset }) => dataset)
      .filter(({ duration }) => Number(duration) >= 0.3)
      .map(({ duration, cause }) => `${(Math.round(Number(duration) * 10) / 10).toFixed(1)} ${cause}`);
    const knownBy = document.querySelector('[data-testid="source-limit"]')?.dataset.knownBy;
    return [knownBy, ...stalls.slice(0, 2)].join(", ");"#;

async fn a_plain_file_that_stands_still_near_the_end_of_each_loop_is_a_stall_of_its_source(
    scene: &Scene,
    sender: Engine,
) -> Result<()> {
    let folder = Folder::new()?;
    let [ada, bob] = scene.pages_in([sender, Engine::Chromium]).await?;
    ada.enter_with("gap", "Ada", "source=none&loop=1").await?;
    open(&ada, &folder.write("gap.mp4", &clip::with_gap())?).await?;
    until_own_playback(&ada, "playing").await?;
    bob.enter_with("gap", "Bob", "source=none").await?;
    bob.until_picture_moves("Ada").await?;
    bob.click("stats-toggle").await?;
    until_script(&bob, "two stalls of 0.6 s by the source", LEDGER, "frames, 0.6 source, 0.6 source").await
}

async fn open(page: &Page, path: &std::path::Path) -> Result<()> {
    page.choose_file("file-source-input", path).await?;
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    until_script(page, &format!("{name} as the source"), FILE_NAME, &name).await
}

async fn until_own_playback(page: &Page, value: &str) -> Result<()> {
    until_script(page, &format!("to say that the own file is {value}"), OWN_PLAYBACK, value).await
}

/// Waits until Ada's picture has these colors in its corners, row by row.
pub(crate) async fn until_quarters(page: &Page, quarters: &str) -> Result<()> {
    until_script(page, &format!("Ada's picture as {quarters}"), QUARTERS_OF_ADA, quarters).await
}

/// Waits until a script returns this answer.
async fn until_script(page: &Page, what: &str, script: &str, answer: &str) -> Result<()> {
    until(&format!("{} to show {what}", page.browser.profile.engine.name()), PATIENCE, async || {
        let found: Option<String> = page.execute(script, vec![]).await?;
        Ok(if found.as_deref() == Some(answer) { Ok(()) } else { Err(format!("{found:?}")) })
    })
    .await
}

/// Waits until Ada's tile has this value in a `data-` attribute.
pub(crate) async fn until_attribute(page: &Page, name: &str, value: &str) -> Result<()> {
    until(&format!("Ada's {name} to be {value}"), PATIENCE, async || {
        let found: Option<String> = page.execute(ATTRIBUTE, vec![json!(name)]).await?;
        Ok(if found.as_deref() == Some(value) { Ok(()) } else { Err(format!("{found:?}")) })
    })
    .await
}

async fn seek(page: &Page, position_s: f64) -> Result<()> {
    page.execute(SEEK, vec![json!(position_s)]).await
}

const ATTRIBUTE: &str = "
    const tile = document.querySelector('[data-testid=\"tile\"][data-name=\"Ada\"]');
    return tile?.dataset[arguments[0]] ?? null;";

const OWN_PLAYBACK: &str = "return document.querySelector('[data-testid=\"tile\"][data-member=\"local\"]')?.dataset.playback ?? null;";

const FILE_NAME: &str =
    "return document.querySelector('[data-testid=\"file-source\"] .file-name span')?.textContent ?? null;";

const STALLS: &str = "
    return [...document.querySelectorAll('[data-testid=\"stall\"]')]
      .map(({ dataset }) => ({ duration: Number(dataset.duration), cause: dataset.cause }));";

/// An element outside of the page starts to play only when `sightlinePlay` is called.
const HOLD_PLAY: &str = "
    const play = HTMLMediaElement.prototype.play;
    HTMLMediaElement.prototype.play = function () {
      if (this.isConnected) return play.call(this);
      window.sightlinePlay = () => {
        HTMLMediaElement.prototype.play = play;
        void play.call(this);
      };
      return new Promise(() => {});
    };
    return null;";

/// Moves the slider as a person does.
const SEEK: &str = "
    const slider = document.querySelector('[data-testid=\"source-seek\"]');
    slider.value = arguments[0];
    slider.dispatchEvent(new Event('change', { bubbles: true }));
    return null;";

/// The colors near the corners, row by row.
macro_rules! quarters_of {
    ($tile:literal) => {
        concat!(
            "const video = document.querySelector('[data-testid=\"tile\"]",
            $tile,
            " video');
            if (!video?.videoWidth || video.readyState < 2) return null;
            const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
            const paper = canvas.getContext('2d');
            paper.drawImage(video, 0, 0);
            const at = (x, y) => {
              const [r, g, b] = paper.getImageData(canvas.width * x, canvas.height * y, 1, 1).data;
              if (r > 150 && g > 150 && b > 150) return 'white';
              if (r > 120 && g < 110 && b < 110) return 'red';
              if (g > 100 && r < 110 && b < 110) return 'green';
              if (b > 120 && r < 110 && g < 110) return 'blue';
              return [r, g, b].join();
            };
            return [at(.1, .1), at(.9, .1), at(.1, .9), at(.9, .9)].join(' ');"
        )
    };
}
const QUARTERS_OF_ADA: &str = quarters_of!("[data-name=\"Ada\"]");
const LOCAL_QUARTERS: &str = quarters_of!("[data-member=\"local\"]");

/// Which half of the middle contains a color other than the two of its quarters.
const BOX: &str = "
    const video = document.querySelector('[data-testid=\"tile\"][data-name=\"Ada\"] video');
    if (!video?.videoWidth || video.readyState < 2) return null;
    const canvas = new OffscreenCanvas(160, 96);
    const paper = canvas.getContext('2d');
    paper.drawImage(video, 0, 0, 160, 96);
    const spread = (x) => {
      const { data } = paper.getImageData(x, 41, 36, 4);
      const lumas = [];
      for (let at = 0; at < data.length; at += 4) lumas.push(data[at] + data[at + 1] + data[at + 2]);
      return Math.max(...lumas) - Math.min(...lumas);
    };
    const [left, right] = [spread(12), spread(112)];
    return Math.abs(left - right) < 60 ? `${left} ${right}` : left > right ? 'left' : 'right';";
