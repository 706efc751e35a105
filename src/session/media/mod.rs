//! This person's camera, microphone, screen and video file, before and during a call: permission, choice, switching, loss and
//! return.

mod capture;
mod devices;
mod file;
mod level;
mod screen;
mod shown_file;

use std::{cell::RefCell, rc::Rc};

use leptos::prelude::*;
use sightline_browser::{
    MediaStream, MediaTrack,
    js::{event::Listener, queue::EventSink},
    media::{audio_level::LevelMeter, devices::DeviceKind, track::LocalTrack},
};
use sightline_core::notice::NoticeCode;
use sightline_protocol::control::{PublishedSource, PublishedState};

use self::{capture::Question, file::FileLimits, screen::Screen, shown_file::FileSource};
use super::{
    model::{DeviceChoice, FileCommand, FileModel, SourceChoice, StreamSignal},
    preferences::{Preferences, Setting},
    signals,
};
use crate::parameters::Parameters;

/// The local devices and the choices for them. Cloning is cheap; all clones are the same devices.
#[derive(Clone)]
pub struct LocalMedia {
    inner: Rc<RefCell<Inner>>,
    signals: MediaSignals,
    preferences: Preferences,
    file_limits: FileLimits,
    changed: EventSink<()>,
}

/// The signals that the page shows.
#[derive(Debug, Clone, Copy)]
pub struct MediaSignals {
    pub cameras: RwSignal<Vec<DeviceChoice>>,
    pub microphones: RwSignal<Vec<DeviceChoice>>,
    pub speakers: RwSignal<Vec<DeviceChoice>>,
    /// The main source that the person wants.
    pub source: RwSignal<SourceChoice>,
    /// Whether the browser requires a gesture before it shares a screen.
    pub needs_gesture: RwSignal<bool>,
    /// Whether the source waits for a click, because only an address asked for it.
    pub is_held: RwSignal<bool>,
    /// The video file.
    pub file: FileModel,
    /// The preview of the main source.
    pub preview: StreamSignal,
    pub is_asking: RwSignal<bool>,
    /// Whether the microphone is wanted, and was asked for in vain.
    pub is_microphone_missing: RwSignal<bool>,
    /// The microphone's level, from 0 to 1.
    pub level: RwSignal<f64>,
    pub notices: RwSignal<Vec<NoticeCode>>,
}

#[derive(Default)]
struct Inner {
    camera: Option<LocalTrack>,
    microphone: Option<LocalTrack>,
    screen: Option<Screen>,
    file: Option<FileSource>,
    meter: Option<LevelMeter>,
    /// The track in the preview.
    shown: Option<MediaTrack>,
    /// The source that the person wants, whether or not the browser gives it.
    source: SourceChoice,
    wants_microphone: bool,
    /// Whether the person holds the key to talk; a reload does not restore that.
    is_talking: bool,
    /// The source that an address asks for, until a click allows it or the person chooses another.
    held: Option<Held>,
    is_microphone_held: bool,
    /// Whether another camera was chosen; this one is used until that one runs.
    is_camera_stale: bool,
    is_microphone_stale: bool,
    /// The unanswered question to the browser, and the number of the next question.
    pending: Option<Question>,
    next_question: u32,
    is_asking_for_screen: bool,
    /// The number of the file that was last opened.
    next_file: u32,
    /// Whether the page is hidden.
    is_hidden: bool,
    shows_level: bool,
    is_closed: bool,
    device_listener: Option<Listener>,
}

/// Which devices deliver nothing for a while, because the system or another app has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    pub camera: bool,
    pub microphone: bool,
}

/// A source that waits for a click.
#[derive(Debug, Clone, Copy)]
struct Held {
    source: SourceChoice,
    /// For a file as the source: whether it is the shipped clip.
    is_sample: bool,
}

impl LocalMedia {
    /// Asks for nothing yet. Pushes to `changed` whenever a track changes or is switched.
    pub fn new(preferences: Preferences, parameters: &Parameters, changed: EventSink<()>) -> Self {
        let signals = MediaSignals {
            cameras: RwSignal::new(Vec::new()),
            microphones: RwSignal::new(Vec::new()),
            speakers: RwSignal::new(Vec::new()),
            source: RwSignal::new(SourceChoice::None),
            needs_gesture: RwSignal::new(false),
            is_held: RwSignal::new(false),
            file: file::new_model(parameters),
            preview: RwSignal::new_local(None),
            is_asking: RwSignal::new(false),
            is_microphone_missing: RwSignal::new(false),
            level: RwSignal::new(0.0),
            notices: RwSignal::new(Vec::new()),
        };
        let inner = Inner { shows_level: true, ..Inner::default() };
        let file_limits = FileLimits::new(parameters);
        let media = Self { inner: Rc::new(RefCell::new(inner)), signals, preferences, file_limits, changed };
        media.watch_devices();
        media.show_level();
        media
    }

    /// The signals that the page shows.
    pub fn signals(&self) -> MediaSignals {
        self.signals
    }

    /// The settings of the person.
    pub fn preferences(&self) -> Preferences {
        self.preferences
    }

    /// The video track of the main source.
    pub fn main_track(&self) -> Option<MediaTrack> {
        let inner = self.inner.borrow();
        if let Some(file) = &inner.file {
            return file.pictures(inner.is_hidden);
        }
        let track = inner.screen.as_ref().map(|screen| &screen.pictures).or(inner.camera.as_ref());
        track.map(|track| track.track().clone())
    }

    /// The audio track of the main source, if it has one.
    pub fn source_audio_track(&self) -> Option<MediaTrack> {
        let inner = self.inner.borrow();
        if let Some(file) = &inner.file {
            return file.sound();
        }
        let sound = inner.screen.as_ref().and_then(|screen| screen.sound.as_ref());
        sound.map(|track| track.track().clone())
    }

    /// The microphone's track, enabled or not.
    pub fn microphone_track(&self) -> Option<MediaTrack> {
        self.inner.borrow().microphone.as_ref().map(|microphone| microphone.track().clone())
    }

    /// The shorter side of the main source's pictures, in pixels.
    pub fn captured_lines(&self) -> Option<u32> {
        let inner = self.inner.borrow();
        if let Some(file) = &inner.file {
            return Some(file.lines());
        }
        let track = inner.screen.as_ref().map(|screen| &screen.pictures).or(inner.camera.as_ref())?;
        let settings = track.settings();
        Some(settings.width?.min(settings.height?))
    }

    /// The published state that follows from the tracks.
    pub fn published(&self) -> PublishedState {
        let inner = self.inner.borrow();
        PublishedState {
            microphone: inner.microphone.as_ref().is_some_and(|microphone| {
                microphone.is_enabled() && !microphone.is_ended() && !microphone.is_muted()
            }),
            source: if inner.file.is_some() {
                PublishedSource::File
            } else if inner.screen.is_some() {
                PublishedSource::Screen
            } else if inner.camera.is_some() {
                PublishedSource::Camera
            } else {
                PublishedSource::None
            },
            playback: inner.file.as_ref().map(FileSource::playback),
            failed_at_s: inner
                .file
                .as_ref()
                .and_then(|file| Some(u32::try_from(file.failure()?.position.as_secs()).unwrap_or(u32::MAX))),
            stamped: inner.file.as_ref().is_some_and(|file| file.is_stamped(inner.is_hidden)),
            ..PublishedState::default()
        }
    }

    /// The source that the person wants.
    pub fn wanted_source(&self) -> SourceChoice {
        let inner = self.inner.borrow();
        inner.held.map_or(inner.source, |held| held.source)
    }

    /// Whether the person wants the microphone on.
    pub fn wants_microphone(&self) -> bool {
        self.inner.borrow().wants_microphone
    }

    /// Asks for the first source and the microphone in one question.
    pub fn want_both(&self, source: SourceChoice, is_microphone_wanted: bool) {
        self.inner.borrow_mut().wants_microphone = is_microphone_wanted;
        self.want_source(source);
        self.ask_for_missing();
    }

    /// Like [`Self::want_both`], but only after [`Self::release`] or when the person chooses something.
    pub fn hold(&self, source: SourceChoice, is_sample: bool, is_microphone_wanted: bool) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.wants_microphone = is_microphone_wanted;
            inner.held = Some(Held { source, is_sample });
            inner.is_microphone_held = true;
        }
        signals::set(self.signals.is_held, true);
        // Opening the file chooser publishes nothing.
        signals::set(self.signals.file.is_open, source == SourceChoice::File && !is_sample);
        self.announce();
    }

    /// Asks for the held source: a click allowed it.
    pub fn release(&self) {
        let (held, was_microphone_held) = {
            let mut inner = self.inner.borrow_mut();
            (inner.held.take(), std::mem::take(&mut inner.is_microphone_held))
        };
        if let Some(held) = held {
            self.want_source(held.source);
            if held.source == SourceChoice::File && held.is_sample {
                self.handle_file(FileCommand::OpenSample);
            }
        }
        if was_microphone_held {
            self.ask_for_missing();
        }
    }

    /// Changes the main source. A camera that is no longer used is released, so that its light goes out. A screen is asked for
    /// first, and the present source stays until the screen is there.
    pub fn want_source(&self, source: SourceChoice) {
        signals::set(self.signals.needs_gesture, false);
        signals::set(self.signals.is_held, false);
        self.inner.borrow_mut().held = None;
        if source == SourceChoice::Screen {
            self.ask_for_screen();
            return;
        }
        if source == SourceChoice::File {
            self.want_file();
            return;
        }
        self.drop_file();
        {
            let mut inner = self.inner.borrow_mut();
            inner.source = source;
            inner.screen = None;
            if source != SourceChoice::Camera {
                inner.camera = None;
            }
        }
        self.announce();
        self.ask_for_missing();
    }

    /// Switches the microphone. It is only muted, so that it returns without delay.
    pub fn want_microphone(&self, is_wanted: bool) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.wants_microphone = is_wanted;
            inner.is_talking = false;
            inner.is_microphone_held &= !is_wanted;
            inner.switch_microphone();
        }
        self.announce();
        self.ask_for_missing();
    }

    /// Has the microphone on while the person holds the key to talk.
    pub fn talk(&self, is_talking: bool) {
        {
            let mut inner = self.inner.borrow_mut();
            inner.is_talking = is_talking;
            inner.is_microphone_held &= !is_talking;
            inner.switch_microphone();
        }
        self.announce();
        self.ask_for_missing();
    }

    /// Switches the camera off if it is on, else on.
    pub fn toggle_camera(&self) {
        let is_on = self.published().source == PublishedSource::Camera;
        self.want_source(if is_on { SourceChoice::None } else { SourceChoice::Camera });
    }

    /// Switches the microphone off if it is on, else on. One that another app has counts as on.
    pub fn toggle_microphone(&self) {
        let is_on = self.published().microphone || (self.wants_microphone() && self.taken().microphone);
        self.want_microphone(!is_on);
    }

    /// Which devices the system or another app has for a while, although they are in use here.
    pub fn taken(&self) -> Taken {
        let inner = self.inner.borrow();
        Taken {
            camera: inner.camera.as_ref().is_some_and(LocalTrack::is_muted),
            microphone: inner.microphone.as_ref().is_some_and(LocalTrack::is_muted),
        }
    }

    /// Asks again, after a refusal or a missing device.
    pub fn ask_again(&self) {
        self.clear_device_notices();
        self.ask_for_missing();
    }

    /// Applies a changed setting.
    pub fn handle_setting(&self, setting: Setting) {
        match setting {
            Setting::Camera => self.replace(DeviceKind::Camera),
            Setting::Microphone
            | Setting::EchoCancellation
            | Setting::NoiseSuppression
            | Setting::GainControl => self.replace(DeviceKind::Microphone),
            Setting::Resolution | Setting::FrameRate => self.reshape(),
            Setting::Speaker
            | Setting::BitrateLimit
            | Setting::Codec
            | Setting::JitterBuffer
            | Setting::RelayOnly
            | Setting::KeepChat
            | Setting::IceServers
            | Setting::Shortcuts
            | Setting::PushToTalk
            | Setting::LinksMayJoin => {}
        }
    }

    /// Releases all devices for good.
    pub fn close(&self) {
        let closed = Inner { is_closed: true, ..Inner::default() };
        // The old value is dropped outside of the borrow, since dropping it sends events.
        let before = self.inner.replace(closed);
        drop(before);
    }

    /// Tells the preview and the session that tracks changed or were switched.
    fn announce(&self) {
        signals::set(self.signals.source, self.wanted_source());
        let is_missing = self.inner.borrow().is_microphone_missing();
        signals::set(self.signals.is_microphone_missing, is_missing);
        let main = self.main_track();
        // Setting the same stream again would restart the `<video>`.
        let is_shown = std::mem::replace(&mut self.inner.borrow_mut().shown, main.clone()) == main;
        if !is_shown {
            let preview = main.and_then(|track| MediaStream::new(&[track]).ok());
            self.signals.preview.try_set(preview);
        }
        self.changed.push(());
    }

    fn clear_device_notices(&self) {
        for code in [
            NoticeCode::PermissionDenied,
            NoticeCode::PermissionPending,
            NoticeCode::NoDevice,
            NoticeCode::DeviceInUse,
            NoticeCode::CameraLost,
            NoticeCode::MicrophoneLost,
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

impl Inner {
    fn is_microphone_wanted(&self) -> bool {
        self.wants_microphone || self.is_talking
    }

    fn is_microphone_missing(&self) -> bool {
        self.pending.is_none() && self.microphone.is_none() && self.missing().1
    }

    /// Mutes the microphone, or lets it be heard.
    fn switch_microphone(&self) {
        if let Some(track) = &self.microphone {
            track.set_enabled(self.is_microphone_wanted());
        }
    }

    /// Whether a camera, and whether a microphone, is wanted that is missing or not the chosen one.
    fn missing(&self) -> (bool, bool) {
        let camera = self.source == SourceChoice::Camera && (self.camera.is_none() || self.is_camera_stale);
        let microphone = self.is_microphone_wanted()
            && !self.is_microphone_held
            && (self.microphone.is_none() || self.is_microphone_stale);
        (camera, microphone)
    }
}
