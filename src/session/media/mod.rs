//! This person's camera and microphone: asked for, chosen, switched, lost and found again, before and during a call.

use std::{cell::RefCell, rc::Rc, time::Duration};

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    BrowserError, MediaStream, MediaTrack,
    audio_level::LevelMeter,
    capture::{CameraRequest, Captured, DeviceChoice as Wanted, MicrophoneRequest, get_user_media},
    clock, devices,
    devices::DeviceKind,
    environment,
    event::Listener,
    queue::{EventSink, event_queue},
    track::LocalTrack,
};
use sightline_core::notice::NoticeCode;

use super::{
    model::{DeviceChoice, StreamSignal},
    signals,
};

/// How long the browser's question may stand unanswered before the person is reminded of it.
const PROMPT_REMINDER: Duration = Duration::from_secs(4);
const LEVEL_INTERVAL: Duration = Duration::from_millis(100);

/// What one's own devices give, and the choices they follow. Cheap to clone; all clones are the same devices.
#[derive(Clone)]
pub struct LocalMedia {
    inner: Rc<RefCell<Inner>>,
    signals: MediaSignals,
    changed: EventSink<()>,
}

/// What the page shows of it.
#[derive(Debug, Clone, Copy)]
pub struct MediaSignals {
    pub cameras: RwSignal<Vec<DeviceChoice>>,
    pub microphones: RwSignal<Vec<DeviceChoice>>,
    /// The chosen devices; `None` for the browser's choice.
    pub camera_device: RwSignal<Option<String>>,
    pub microphone_device: RwSignal<Option<String>>,
    /// The camera's own preview.
    pub preview: StreamSignal,
    pub is_asking: RwSignal<bool>,
    /// The microphone's level, from 0 to 1.
    pub level: RwSignal<f64>,
    pub notices: RwSignal<Vec<NoticeCode>>,
}

#[derive(Default)]
struct Inner {
    camera: Option<LocalTrack>,
    microphone: Option<LocalTrack>,
    meter: Option<LevelMeter>,
    /// What the preview shows.
    shown: Option<MediaTrack>,
    /// What the person wants on, whatever the browser gives.
    wants_camera: bool,
    wants_microphone: bool,
    /// The question that the browser has not answered yet, and the number of the next.
    pending: Option<Question>,
    next_question: u32,
    is_closed: bool,
    device_listener: Option<Listener>,
}

/// What the browser is being asked for. A later question makes the answer to an earlier one unwanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Question {
    number: u32,
    camera: bool,
    microphone: bool,
}

impl LocalMedia {
    /// Asks for nothing yet. Pushes to `changed` whenever a track is another or is switched.
    pub fn new(changed: EventSink<()>) -> Self {
        let signals = MediaSignals {
            cameras: RwSignal::new(Vec::new()),
            microphones: RwSignal::new(Vec::new()),
            camera_device: RwSignal::new(None),
            microphone_device: RwSignal::new(None),
            preview: RwSignal::new_local(None),
            is_asking: RwSignal::new(false),
            level: RwSignal::new(0.0),
            notices: RwSignal::new(Vec::new()),
        };
        let media = Self { inner: Rc::default(), signals, changed };
        media.watch_devices();
        media.measure_level();
        media
    }

    /// What the page shows.
    pub fn signals(&self) -> MediaSignals {
        self.signals
    }

    /// The camera's track, where it is on.
    pub fn camera_track(&self) -> Option<MediaTrack> {
        self.inner.borrow().camera.as_ref().map(|camera| camera.track().clone())
    }

    /// The microphone's track, on or off.
    pub fn microphone_track(&self) -> Option<MediaTrack> {
        self.inner.borrow().microphone.as_ref().map(|microphone| microphone.track().clone())
    }

    /// Whether the microphone is heard.
    pub fn is_microphone_on(&self) -> bool {
        self.inner
            .borrow()
            .microphone
            .as_ref()
            .is_some_and(|microphone| microphone.is_enabled() && !microphone.is_ended())
    }

    /// Whether the camera is seen.
    pub fn is_camera_on(&self) -> bool {
        self.inner.borrow().camera.is_some()
    }

    /// Whether the person wants the camera on.
    pub fn wants_camera(&self) -> bool {
        self.inner.borrow().wants_camera
    }

    /// Whether the person wants the microphone on.
    pub fn wants_microphone(&self) -> bool {
        self.inner.borrow().wants_microphone
    }

    /// Sets what is wanted on, and asks the browser for what is missing. A camera that is off is released, so that
    /// its light goes out; a microphone that is off is only silenced, so that it is back without delay.
    pub fn want(&self, camera: bool, microphone: bool) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.wants_camera = camera;
            inner.wants_microphone = microphone;
            if !camera {
                inner.camera = None;
            }
            if let Some(track) = &inner.microphone {
                track.set_enabled(microphone);
            }
        }
        self.announce();
        self.ask_for_missing();
    }

    /// Asks again, after a refusal or a missing device.
    pub fn ask_again(&self) {
        self.clear_device_notices();
        self.ask_for_missing();
    }

    /// The chosen device is another: takes it in place of the one in use.
    pub fn change_device(&self, kind: DeviceKind) {
        {
            let mut inner = self.inner.borrow_mut();
            match kind {
                DeviceKind::Camera => inner.camera = None,
                _ => inner.microphone = None,
            }
            inner.pending = None;
        }
        self.ask_for_missing();
    }

    /// Stops measuring the level, which nobody sees in the room.
    pub fn stop_meter(&self) {
        self.inner.borrow_mut().meter = None;
        self.signals.level.try_set(0.0);
    }

    /// Releases everything, for good.
    pub fn close(&self) {
        let mut inner = self.inner.borrow_mut();
        *inner = Inner { is_closed: true, ..Inner::default() };
    }

    fn ask_for_missing(&self) {
        let question = {
            let mut inner = self.inner.borrow_mut();
            let camera = inner.wants_camera && inner.camera.is_none();
            let microphone = inner.wants_microphone && inner.microphone.is_none();
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

    /// One question for both where both are there; else only for what there is.
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
        let both = self.request(has_camera, has_microphone).await;
        match both {
            Ok(captured) => captured,
            Err(error) => {
                let mut captured = Captured::default();
                let code = NoticeCode::from_capture_error(&error.name);
                // A refusal is an answer for both; a device that fails need not take the other with it.
                if code != NoticeCode::PermissionDenied && has_camera && has_microphone {
                    captured.audio = self.request(false, true).await.ok().and_then(|one| one.audio);
                    captured.video = self.request(true, false).await.ok().and_then(|one| one.video);
                }
                self.raise(code);
                captured
            }
        }
    }

    async fn request(&self, camera: bool, microphone: bool) -> Result<Captured, BrowserError> {
        let wanted = |device: RwSignal<Option<String>>| {
            device.try_get_untracked().flatten().map_or(Wanted::Any, Wanted::Preferred)
        };
        let camera_request = CameraRequest {
            device: wanted(self.signals.camera_device),
            width: Some(1280),
            height: Some(720),
            frames_per_second: Some(30.0),
        };
        let microphone_request = MicrophoneRequest { device: wanted(self.signals.microphone_device) };
        get_user_media(camera.then_some(&camera_request), microphone.then_some(&microphone_request)).await
    }

    fn take(&self, question: Question, captured: Captured) {
        let has_all = {
            let mut inner = self.inner.borrow_mut();
            if inner.pending != Some(question) {
                return;
            }
            inner.pending = None;
            if let Some(mut camera) = captured.video.filter(|_| inner.wants_camera) {
                camera.report_ended(self.lost(DeviceKind::Camera));
                inner.camera = Some(camera);
            }
            if let Some(mut microphone) = captured.audio {
                microphone.set_enabled(inner.wants_microphone);
                microphone.report_ended(self.lost(DeviceKind::Microphone));
                inner.meter = LevelMeter::new(microphone.track()).ok();
                inner.microphone = Some(microphone);
            }
            (inner.camera.is_some() || !inner.wants_camera)
                && (inner.microphone.is_some() || !inner.wants_microphone)
        };
        self.signals.is_asking.try_set(false);
        self.clear(NoticeCode::PermissionPending);
        if has_all {
            self.clear_device_notices();
        }
        self.announce();
        if self.wants_more_than(question) {
            self.ask_for_missing();
        }
        let media = self.clone();
        // The labels are known only now.
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

    fn lost(&self, kind: DeviceKind) -> EventSink<()> {
        let (sink, mut stream) = event_queue(1);
        let media = self.clone();
        spawn_local(async move {
            if stream.next().await.is_none() {
                return;
            }
            let is_ours = {
                let mut inner = media.inner.borrow_mut();
                let slot = match kind {
                    DeviceKind::Camera => &mut inner.camera,
                    _ => &mut inner.microphone,
                };
                slot.take_if(|track| track.is_ended()).is_some()
            };
            if is_ours {
                media.raise(NoticeCode::DeviceLost);
                media.announce();
            }
        });
        sink
    }

    fn watch_devices(&self) {
        let (sink, mut stream) = event_queue(4);
        self.inner.borrow_mut().device_listener = devices::report_changes(sink);
        let media = self.clone();
        spawn_local(async move {
            media.list_devices().await;
            while stream.next().await.is_some() {
                media.list_devices().await;
            }
        });
    }

    async fn list_devices(&self) {
        let Ok(found) = devices::enumerate().await else { return };
        let of_kind = |kind: DeviceKind| {
            found
                .iter()
                .filter(|device| device.kind == kind && !device.id.is_empty())
                .map(|device| DeviceChoice { id: device.id.clone(), label: device.label.clone() })
                .collect::<Vec<_>>()
        };
        signals::set(self.signals.cameras, of_kind(DeviceKind::Camera));
        signals::set(self.signals.microphones, of_kind(DeviceKind::Microphone));
    }

    fn measure_level(&self) {
        let media = self.clone();
        spawn_local(async move {
            loop {
                clock::sleep(LEVEL_INTERVAL).await;
                let level = {
                    let inner = media.inner.borrow();
                    if inner.is_closed {
                        return;
                    }
                    inner.meter.as_ref().map_or(0.0, |meter| f64::from(meter.level()))
                };
                signals::set(media.signals.level, level);
            }
        });
    }

    /// The tracks are others, or switched: tells the preview and the session.
    fn announce(&self) {
        let camera = self.camera_track();
        // The same stream again would make the `<video>` start anew.
        let is_shown = std::mem::replace(&mut self.inner.borrow_mut().shown, camera.clone()) == camera;
        if !is_shown {
            let preview = camera.and_then(|camera| MediaStream::new(&[camera]).ok());
            self.signals.preview.try_set(preview);
        }
        self.changed.push(());
    }

    /// Whether the person switched something on while the browser was asking for something else.
    fn wants_more_than(&self, question: Question) -> bool {
        let inner = self.inner.borrow();
        (inner.wants_camera && !question.camera && inner.camera.is_none())
            || (inner.wants_microphone && !question.microphone && inner.microphone.is_none())
    }

    fn clear_device_notices(&self) {
        for code in [
            NoticeCode::PermissionDenied,
            NoticeCode::PermissionPending,
            NoticeCode::NoDevice,
            NoticeCode::DeviceInUse,
            NoticeCode::DeviceLost,
        ] {
            self.clear(code);
        }
    }

    fn raise(&self, code: NoticeCode) {
        signals::insert(self.signals.notices, code);
    }

    fn clear(&self, code: NoticeCode) {
        signals::remove(self.signals.notices, &code);
    }
}
