//! Asks the browser for camera and microphone.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    BrowserError, BrowserErrorKind,
    media::{
        audio_level::LevelMeter,
        capture::{self, Captured, DeviceChoice as Wanted, get_user_media},
        devices::{self, DeviceKind},
    },
    page::{clock, environment},
};
use sightline_core::{media::content_hint, notice::NoticeCode};
use sightline_protocol::control::PublishedSource;

use super::LocalMedia;
use crate::session::model::{DeviceChoice, SourceChoice};

/// How long the browser's question may be unanswered before the page reminds the person of it.
const PROMPT_REMINDER: Duration = Duration::from_secs(4);

/// The devices that the browser is being asked for. A later question makes the answer to an earlier one obsolete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Question {
    number: u32,
    camera: bool,
    microphone: bool,
}

impl LocalMedia {
    /// Asks for devices that are wanted and missing, or that are not the chosen ones.
    pub(super) fn ask_for_missing(&self) {
        let question = {
            let mut inner = self.inner.borrow_mut();
            let (camera, microphone) = inner.missing();
            if inner.is_closed || inner.pending.is_some() || !(camera || microphone) {
                return;
            }
            let question = Question { number: inner.next_question, camera, microphone };
            inner.next_question += 1;
            inner.pending = Some(question);
            question
        };
        if !environment::has_media_devices() {
            self.inner.borrow_mut().pending = None;
            self.raise(if environment::is_secure_context() {
                NoticeCode::UnsupportedBrowser
            } else {
                NoticeCode::InsecureContext
            });
            return;
        }
        self.signals.is_asking.try_set(true);
        self.remind_of_prompt(question);
        let media = self.clone();
        spawn_local(async move {
            let captured = media.ask(question).await;
            media.take(question, captured);
        });
    }

    /// Replaces a device after another one was chosen, or after its audio processing changed. The device in use is released when
    /// the new one runs.
    pub(super) fn replace(&self, kind: DeviceKind) {
        {
            let mut inner = self.inner.borrow_mut();
            match kind {
                DeviceKind::Camera => inner.is_camera_stale = true,
                DeviceKind::Microphone => inner.is_microphone_stale = true,
                DeviceKind::Speaker => return,
            }
            inner.pending = None;
        }
        self.ask_for_missing();
    }

    /// Applies a new resolution or frame rate.
    pub(super) fn reshape(&self) {
        let mut request = self.preferences.camera_request();
        let Some(track) = self.main_track() else { return };
        let is_camera = self.published().source == PublishedSource::Camera;
        if !is_camera {
            (request.width, request.height) = (None, None);
        }
        let media = self.clone();
        spawn_local(async move {
            let outcome = capture::reshape(&track, &request).await;
            // Not every camera can change them while it runs.
            let is_so =
                outcome.is_ok() && request.height.is_none_or(|height| media.captured_lines() == Some(height));
            if is_camera && !is_so {
                media.replace(DeviceKind::Camera);
            }
            media.changed.push(());
        });
    }

    /// Asks for both devices in one question if both exist, else for the existing one.
    async fn ask(&self, question: Question) -> Captured {
        let Question { camera, microphone, .. } = question;
        let found = devices::enumerate().await.unwrap_or_default();
        let is_there = |kind| found.is_empty() || found.iter().any(|device| device.kind == kind);
        let (has_camera, has_microphone) =
            (camera && is_there(DeviceKind::Camera), microphone && is_there(DeviceKind::Microphone));
        if (camera && !has_camera) || (microphone && !has_microphone) {
            self.raise(NoticeCode::NoDevice);
        }
        if !has_camera && !has_microphone {
            return Captured::default();
        }
        let error = match self.request(has_camera, has_microphone).await {
            Ok(captured) => return captured,
            Err(error) => error,
        };
        let code = NoticeCode::from_capture_error(&error.name);
        let mut captured = Captured::default();
        // A refusal applies to both devices. Any other failure need not affect the other device; and some devices start only
        // after another of the same kind was stopped, as on most phones.
        if code != NoticeCode::PermissionDenied {
            let had_another = self.release_stale();
            if has_microphone && (has_camera || had_another) {
                captured.audio = self.request(false, true).await.ok().and_then(|one| one.audio);
            }
            if has_camera && (has_microphone || had_another) {
                captured.video = self.request(true, false).await.ok().and_then(|one| one.video);
            }
        }
        if has_camera && captured.video.is_none() || has_microphone && captured.audio.is_none() {
            self.raise(code);
        }
        captured
    }

    /// Releases devices that are to be replaced. Returns whether there were any.
    fn release_stale(&self) -> bool {
        let mut inner = self.inner.borrow_mut();
        let (is_camera_stale, is_microphone_stale) = (inner.is_camera_stale, inner.is_microphone_stale);
        let camera = inner.camera.take_if(|_| is_camera_stale);
        let microphone = inner.microphone.take_if(|_| is_microphone_stale);
        camera.is_some() || microphone.is_some()
    }

    /// Asks for exactly the chosen device if it is listed, since Chromium may ignore a mere preference. If that fails, any device
    /// will do.
    async fn request(&self, camera: bool, microphone: bool) -> Result<Captured, BrowserError> {
        let mut camera = camera.then(|| self.preferences.camera_request());
        let mut microphone = microphone.then(|| self.preferences.microphone_request());
        if let Some(camera) = &mut camera {
            insist(&mut camera.device, self.signals.cameras);
        }
        if let Some(microphone) = &mut microphone {
            insist(&mut microphone.device, self.signals.microphones);
        }
        let outcome = get_user_media(camera.as_ref(), microphone.as_ref()).await;
        match outcome {
            Err(error) if error.kind() == BrowserErrorKind::Overconstrained => {
                for device in [
                    camera.as_mut().map(|camera| &mut camera.device),
                    microphone.as_mut().map(|microphone| &mut microphone.device),
                ]
                .into_iter()
                .flatten()
                {
                    *device = Wanted::Any;
                }
                get_user_media(camera.as_ref(), microphone.as_ref()).await
            }
            outcome => outcome,
        }
    }

    fn take(&self, question: Question, captured: Captured) {
        let has_all = (captured.video.is_some() || !question.camera)
            && (captured.audio.is_some() || !question.microphone);
        let is_more_wanted = {
            let mut inner = self.inner.borrow_mut();
            if inner.pending != Some(question) {
                return;
            }
            inner.pending = None;
            inner.is_camera_stale &= !question.camera;
            inner.is_microphone_stale &= !question.microphone;
            if let Some(mut camera) = captured.video.filter(|_| inner.source == SourceChoice::Camera) {
                camera.report_ended(self.lost(DeviceKind::Camera));
                camera.report_muted(self.changed.clone());
                camera.set_content_hint(content_hint(PublishedSource::Camera));
                inner.camera = Some(camera);
            }
            if let Some(mut microphone) = captured.audio {
                microphone.set_enabled(inner.is_microphone_wanted());
                microphone.report_ended(self.lost(DeviceKind::Microphone));
                microphone.report_muted(self.changed.clone());
                inner.meter = LevelMeter::new(microphone.track()).ok();
                inner.microphone = Some(microphone);
            }
            // The person switched on another device while the browser was asking.
            let (camera, microphone) = inner.missing();
            (camera && !question.camera) || (microphone && !question.microphone)
        };
        self.signals.is_asking.try_set(false);
        self.clear(NoticeCode::PermissionPending);
        if has_all {
            for code in [NoticeCode::PermissionDenied, NoticeCode::NoDevice, NoticeCode::DeviceInUse] {
                self.clear(code);
            }
        }
        self.announce();
        if is_more_wanted {
            self.ask_for_missing();
        }
        let media = self.clone();
        // The browser gives the labels only after a permission.
        spawn_local(async move { media.list_devices().await });
    }

    fn remind_of_prompt(&self, question: Question) {
        let media = self.clone();
        spawn_local(async move {
            clock::sleep(PROMPT_REMINDER).await;
            let is_open = media.inner.borrow().pending == Some(question);
            if is_open {
                media.raise(NoticeCode::PermissionPending);
            }
        });
    }
}

fn insist(wanted: &mut Wanted, listed: RwSignal<Vec<DeviceChoice>>) {
    if let Wanted::Preferred(id) = wanted
        && listed.try_with_untracked(|listed| listed.iter().any(|device| device.id == *id)) == Some(true)
    {
        *wanted = Wanted::Exactly(std::mem::take(id));
    }
}
