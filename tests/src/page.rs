//! A page in a browser, driven and read by `data-testid`.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use thirtyfour::{By, Key, TypingData, WebElement};

use crate::{
    browser::Browser,
    snapshot::{Snapshot, Transfer},
    wait::{PATIENCE, until},
};

/// Large enough to see movement, and small to encode: several browsers share a small machine.
pub const SMALL_CAMERA: &str = "source=camera&width=640&height=360&fps=15";

/// A page of the app.
#[derive(Debug)]
pub struct Page {
    /// The browser that shows it.
    pub browser: Arc<Browser>,
    /// The server's address, without a slash at the end.
    origin: String,
    expected_errors: Mutex<Vec<String>>,
}

/// Samples of a video's picture.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Picture {
    width: u32,
    height: u32,
    /// Brightness from 0 to 255, row by row.
    luma: Vec<u8>,
}

impl Page {
    /// A page of a server in a browser.
    #[must_use]
    pub fn new(browser: Arc<Browser>, origin: String) -> Self {
        Self { browser, origin, expected_errors: Mutex::default() }
    }

    /// The server's address, without a slash at the end.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Opens a path of the server, or an address.
    ///
    /// # Errors
    /// Where the browser does not get there.
    pub async fn open(&self, path: &str) -> Result<()> {
        let url = if path.contains("://") || path.starts_with("about:") {
            path.to_owned()
        } else {
            format!("{}{path}", self.origin)
        };
        self.browser.driver.goto(url.clone()).await.with_context(|| format!("opening {url}"))
    }

    /// Enters a room at once with this name, with the camera at a small resolution.
    ///
    /// # Errors
    /// Where the room does not appear.
    pub async fn enter(&self, room: &str, name: &str) -> Result<()> {
        self.enter_with(room, name, SMALL_CAMERA).await
    }

    /// Enters a room at once with these parameters in the address.
    ///
    /// # Errors
    /// Where the room does not appear.
    pub async fn enter_with(&self, room: &str, name: &str, parameters: &str) -> Result<()> {
        self.open(&format!("/room/{room}?name={}&autojoin=1&{parameters}", percent_encode(name))).await?;
        self.until(&format!("{name} is in the room"), |page| page.shows("room") && !page.is_busy).await?;
        Ok(())
    }

    /// The present contents of the page.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn look(&self) -> Result<Snapshot> {
        self.execute(include_str!("snapshot.js"), vec![]).await
    }

    /// Waits until the contents of the page satisfy a condition.
    ///
    /// # Errors
    /// If that does not happen; the message has the contents.
    pub async fn until(&self, what: &str, is_so: impl Fn(&Snapshot) -> bool) -> Result<Snapshot> {
        self.until_for(PATIENCE, what, is_so).await
    }

    /// The same with another time limit, for events that take long by design.
    ///
    /// # Errors
    /// As [`Self::until`].
    pub async fn until_for(
        &self,
        patience: Duration,
        what: &str,
        is_so: impl Fn(&Snapshot) -> bool,
    ) -> Result<Snapshot> {
        let what = format!("{} to show that {what}", self.browser.profile.engine.name());
        until(&what, patience, async || {
            let seen = self.look().await?;
            Ok(if is_so(&seen) { Ok(seen) } else { Err(format!("{seen:#?}")) })
        })
        .await
    }

    /// Waits until a notice with this code and a sentence is shown.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn until_notice(&self, code: &str) -> Result<Snapshot> {
        self.until(&format!("there is the notice {code}, in words"), |page| {
            page.notices.iter().any(|notice| notice.code == code && notice.text.contains(' '))
                || page.notices.iter().any(|notice| notice.code == code && !notice.text.is_ascii())
        })
        .await
    }

    /// Waits until the member with this name is connected.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn until_connected_to(&self, name: &str) -> Result<Snapshot> {
        self.until(&format!("{name} is connected"), |page| page.is_connected_to(name)).await
    }

    /// Waits until the picture of the member with this name moves: four samples that differ, not all of them dark.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn until_picture_moves(&self, name: &str) -> Result<()> {
        let mut seen: Vec<Picture> = Vec::new();
        let what = format!("{} to show {name}'s moving picture", self.browser.profile.engine.name());
        let moves = until(&what, PATIENCE, async || {
            let picture: Option<Picture> = self.execute(PICTURE, vec![json!(name)]).await?;
            let Some(picture) = picture else { return Ok(Err("no picture".to_owned())) };
            if !seen.contains(&picture) {
                seen.push(picture);
            }
            let is_lit = seen.iter().any(|picture| picture.luma.iter().any(|luma| *luma > 32));
            let light = if is_lit { "lit" } else { "dark" };
            Ok(if seen.len() >= 4 && is_lit {
                Ok(())
            } else {
                Err(format!("{} different {light} pictures", seen.len()))
            })
        })
        .await;
        match moves {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.video_flow(name).await?)),
        }
    }

    /// The way of the video of the member with this name, in words: the tile, and what each connection receives and sends.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn video_flow(&self, name: &str) -> Result<String> {
        self.execute(VIDEO_FLOW, vec![json!(name)]).await
    }

    /// The way of the video of each tile, in words.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn video_flows(&self) -> Result<Vec<String>> {
        let mut flows = Vec::new();
        for tile in self.look().await?.tiles {
            let flow = self.video_flow(&tile.name).await?;
            flows.push(format!("{}: {flow}", tile.name));
        }
        Ok(flows)
    }

    /// Waits until the lobby's camera preview moves.
    ///
    /// # Errors
    /// Where it does not.
    pub async fn until_preview_moves(&self) -> Result<()> {
        let mut times: Vec<f64> = Vec::new();
        until("a moving preview", PATIENCE, async || {
            let time: Option<f64> = self.execute(PREVIEW_TIME, vec![]).await?;
            times.extend(time.filter(|time| !times.contains(time)));
            Ok(if times.len() >= 4 { Ok(()) } else { Err(format!("it played at {times:?}")) })
        })
        .await
    }

    /// Waits until sound of the member with this name is heard: energy in the stream that its `video` plays.
    ///
    /// # Errors
    /// Where there is only silence.
    pub async fn until_sound_is_heard(&self, name: &str) -> Result<()> {
        let what = format!("{} to hear {name}", self.browser.profile.engine.name());
        until(&what, PATIENCE, async || {
            let peak: Option<f64> = self.execute(LOUDNESS, vec![json!(name)]).await?;
            Ok(match peak {
                Some(peak) if peak > 0.01 => Ok(()),
                other => Err(format!("a peak of {other:?}")),
            })
        })
        .await
    }

    /// Whether the `video` of the member with this name plays with its sound on.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn plays_aloud(&self, name: &str) -> Result<bool> {
        self.execute(PLAYS_ALOUD, vec![json!(name)]).await
    }

    /// Clicks on an element as soon as it is clickable.
    ///
    /// # Errors
    /// If it never is.
    pub async fn click(&self, test_id: &str) -> Result<()> {
        self.click_on(test_id, &by_test_id(test_id)).await
    }

    /// Clicks on the first button that a notice offers.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn click_in_notice(&self, code: &str) -> Result<()> {
        self.click_on(code, &format!("{}[data-code=\"{code}\"] button", by_test_id("notice"))).await
    }

    /// Presses keys, one after the other, wherever the focus is.
    ///
    /// # Errors
    /// Where the browser does not take them.
    pub async fn press(&self, keys: &str) -> Result<()> {
        Ok(self.browser.driver.action_chain().send_keys(keys).perform().await?)
    }

    /// Presses a key while shift is held.
    ///
    /// # Errors
    /// Where the browser does not take it.
    pub async fn press_with_shift(&self, key: char) -> Result<()> {
        let keys = self.browser.driver.action_chain();
        Ok(keys.key_down(Key::Shift).key_down(key).key_up(key).key_up(Key::Shift).perform().await?)
    }

    /// Presses a key of another keyboard layout: the character, the position, and whether shift is held.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn press_elsewhere(&self, key: &str, code: &str, shift: bool) -> Result<()> {
        self.execute(PRESS_ELSEWHERE, vec![json!(key), json!(code), json!(shift)]).await
    }

    /// Sets the size of the page in CSS pixels, until the end of the test.
    ///
    /// # Errors
    /// Where the browser does not take it.
    pub async fn set_viewport(&self, width: u32, height: u32) -> Result<()> {
        self.browser.set_viewport(Some((width, height))).await
    }

    /// Moves the focus to an element.
    ///
    /// # Errors
    /// Where it is not there.
    pub async fn focus(&self, test_id: &str) -> Result<()> {
        let focus = format!("document.querySelector('{}').focus()", by_test_id(test_id));
        self.execute(&focus, vec![]).await
    }

    /// Sets the size of the window in CSS pixels.
    ///
    /// # Errors
    /// Where the browser does not.
    pub async fn set_size(&self, width: u32, height: u32) -> Result<()> {
        Ok(self.browser.driver.set_window_rect(0, 0, width, height).await?)
    }

    /// Replaces the text of a field.
    ///
    /// # Errors
    /// Where it cannot be written into.
    pub async fn fill(&self, test_id: &str, text: &str) -> Result<()> {
        self.until(&format!("{test_id} is there"), |page| page.shows(test_id)).await?;
        let field = self.find(test_id).await?;
        field.clear().await?;
        Ok(field.send_keys(text).await?)
    }

    /// Chooses a file in a file input, as a person does in the browser's dialog.
    ///
    /// # Errors
    /// Where there is no such input.
    pub async fn choose_file(&self, test_id: &str, file: &Path) -> Result<()> {
        let path = file.canonicalize()?;
        Ok(self.find(test_id).await?.send_keys(path.to_string_lossy().into_owned()).await?)
    }

    /// The words of a `select`'s options.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn options(&self, test_id: &str) -> Result<Vec<String>> {
        self.execute(OPTIONS, vec![json!(test_id)]).await
    }

    /// Writes to everybody in the room. Line breaks are typed as a person types them.
    ///
    /// # Errors
    /// Where it cannot be sent.
    pub async fn say(&self, text: &str) -> Result<()> {
        let page = self.look().await?;
        if !page.shows("chat-input") && page.shows("chat-toggle") {
            self.click("chat-toggle").await?;
        }
        self.until("there is a field to write in", |page| page.shows("chat-input")).await?;
        let field = self.find("chat-input").await?;
        for (at, line) in text.split('\n').enumerate() {
            if at > 0 {
                field.send_keys(Key::Shift + Key::Enter + Key::Null).await?;
            }
            field.send_keys(TypingData::from(line)).await?;
        }
        self.click("chat-send").await
    }

    /// Waits until a message of this page has been delivered.
    ///
    /// # Errors
    /// Where it has not.
    pub async fn until_delivered(&self, words: &str) -> Result<Snapshot> {
        self.until(&format!("{words:?} is delivered"), |page| {
            page.message(words).is_some_and(|message| message.state == "delivered")
        })
        .await
    }

    /// Waits until somebody else's message is there.
    ///
    /// # Errors
    /// Where it is not.
    pub async fn until_received(&self, words: &str) -> Result<Snapshot> {
        self.until(&format!("{words:?} is received"), |page| {
            page.message(words).is_some_and(|message| message.state == "received")
        })
        .await
    }

    /// Offers files of this computer to the receivers chosen on the page.
    ///
    /// # Errors
    /// Where there is nothing to choose them with.
    pub async fn offer(&self, files: &[&Path]) -> Result<()> {
        let paths: Vec<_> = files.iter().map(|file| file.display().to_string()).collect();
        Ok(self.find("file-input").await?.send_keys(paths.join("\n")).await?)
    }

    /// Clicks on a button of the newest transfer of a file with this name.
    ///
    /// # Errors
    /// Where it cannot.
    pub async fn click_in_transfer(&self, name: &str, test_id: &str) -> Result<()> {
        let transfer = format!("{}[data-name=\"{name}\"]", by_test_id("transfer"));
        self.click_on(test_id, &format!("{transfer} {}", by_test_id(test_id))).await
    }

    /// Waits until the transfer of a file with this name is in a state.
    ///
    /// # Errors
    /// Where it is not; the message has how it is instead.
    pub async fn until_transfer(&self, name: &str, state: &str) -> Result<Transfer> {
        let what = format!("{name} is {state}");
        let page = self
            .until_for(TRANSFER_PATIENCE, &what, |page| {
                page.transfer(name).is_some_and(|transfer| transfer.state == state)
            })
            .await?;
        page.transfer(name).cloned().context("it was there a moment ago")
    }

    /// The SHA-256 of the stored part of a received file.
    ///
    /// # Errors
    /// Where nothing is.
    pub async fn stored_sha256(&self, transfer: &str) -> Result<String> {
        self.execute(STORED_SHA256, vec![json!(transfer)]).await
    }

    /// Reloads the page.
    ///
    /// # Errors
    /// Where the browser does not.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.browser.driver.refresh().await?)
    }

    /// Runs a script in the page and returns its value.
    ///
    /// # Errors
    /// Where the script throws or returns something else.
    pub async fn execute<T: for<'a> Deserialize<'a>>(
        &self,
        script: &str,
        arguments: Vec<Value>,
    ) -> Result<T> {
        let returned = self.browser.driver.execute(script, arguments).await?;
        Ok(serde_json::from_value(returned.json().clone())?)
    }

    /// Expects errors in the console that contain these words.
    pub fn expect_console_error(&self, words: &str) {
        self.expected_errors.lock().unwrap_or_else(PoisonError::into_inner).push(words.to_owned());
    }

    /// Expects that the server goes away: both browsers log every socket that does not open, and Chromium every split module that
    /// does not load. Right after a room was entered, modules still load.
    pub fn expect_no_server(&self) {
        for words in ["WebSocket", "a connection to the server at ws", ".wasm - Failed to load resource"] {
            self.expect_console_error(words);
        }
    }

    /// The history of each WebSocket since the page was loaded, one line each.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn socket_log(&self) -> Result<Vec<String>> {
        self.execute("return window.sightlineProbe?.socketLog ?? []", vec![]).await
    }

    /// The violations of the page's Content Security Policy since it was loaded.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn violations(&self) -> Result<Vec<String>> {
        self.execute("return sightlineProbe.violations", vec![]).await
    }

    /// The unexpected errors in the console.
    ///
    /// # Errors
    /// Where the browser does not answer.
    pub async fn unexpected_errors(&self) -> Result<Vec<String>> {
        let mut errors = self.browser.console.take_errors(&self.browser.driver).await?;
        let expected = self.expected_errors.lock().unwrap_or_else(PoisonError::into_inner);
        errors.retain(|error| !expected.iter().any(|words| error.contains(words)));
        Ok(errors)
    }

    async fn click_on(&self, name: &str, selector: &str) -> Result<()> {
        let what = format!("{} to click {name}", self.browser.profile.engine.name());
        until(&what, PATIENCE, async || {
            let Ok(element) = self.browser.driver.find(By::Css(selector)).await else {
                return Ok(Err("it is not there".to_owned()));
            };
            Ok(element.click().await.map_err(|error| error.to_string()))
        })
        .await
    }

    async fn find(&self, test_id: &str) -> Result<WebElement> {
        Ok(self.browser.driver.find(By::Css(by_test_id(test_id))).await?)
    }
}

fn by_test_id(test_id: &str) -> String {
    format!("[data-testid=\"{test_id}\"]")
}

/// The longest time for hashing and storing a file of a few megabytes on a busy machine.
const TRANSFER_PATIENCE: Duration = Duration::from_secs(60);

const PICTURE: &str = include_str!("picture.js");
const VIDEO_FLOW: &str = include_str!("video_flow.js");
const LOUDNESS: &str = include_str!("loudness.js");
const PLAYS_ALOUD: &str = "
    const video = [...document.querySelectorAll('[data-testid=\"tile\"]')]
      .find((tile) => tile.dataset.name === arguments[0])?.querySelector('video');
    return !!video && !video.paused && !video.muted && video.volume > 0;";
const PREVIEW_TIME: &str = "
    const preview = document.querySelector('[data-testid=\"preview\"]');
    const video = preview?.matches('video') ? preview : preview?.querySelector('video');
    return video?.videoWidth ? video.currentTime : null;";
const STORED_SHA256: &str = "return (async (name) => {
    const root = await navigator.storage.getDirectory();
    const folder = await root.getDirectoryHandle('transfers');
    const file = await (await folder.getFileHandle(name)).getFile();
    const digest = await crypto.subtle.digest('SHA-256', await file.arrayBuffer());
    return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  })(arguments[0]);";
const PRESS_ELSEWHERE: &str = "
    const [key, code, shiftKey] = arguments;
    for (const type of ['keydown', 'keyup']) {
      document.activeElement.dispatchEvent(
        new KeyboardEvent(type, { key, code, shiftKey, bubbles: true, cancelable: true, composed: true }));
    }";
const OPTIONS: &str = "
    return [...document.querySelectorAll(`[data-testid=\"${arguments[0]}\"] option`)].map((option) => option.text);";

fn percent_encode(text: &str) -> String {
    text.bytes()
        .map(
            |byte| {
                if byte.is_ascii_alphanumeric() {
                    char::from(byte).to_string()
                } else {
                    format!("%{byte:02X}")
                }
            },
        )
        .collect()
}
