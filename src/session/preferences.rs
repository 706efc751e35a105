//! The settings of camera, microphone and connection: stored in this browser, overridden by the address for one visit.

use leptos::prelude::*;
use sightline_browser::{
    media::capture::{AudioProcessing, CameraRequest, DeviceChoice, MicrophoneRequest},
    page::storage::StorageArea,
    rtc::peer_connection::takes_ice_server,
};
use sightline_core::ice::OwnServers;

use crate::parameters::Parameters;

const STORAGE_PREFIX: &str = "sightline.setting.";
const ON: &str = "on";
const OFF: &str = "off";

/// A value that a person can set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// The id of a camera; empty for the browser's choice.
    Camera,
    /// The id of a microphone; empty for the browser's choice.
    Microphone,
    /// The id of a loudspeaker; empty for the system's choice.
    Speaker,
    /// Width and height in pixels: `1280x720`.
    Resolution,
    /// Frames per second.
    FrameRate,
    /// `on` or `off`: whether the browser cancels echo.
    EchoCancellation,
    /// `on` or `off`: whether the browser suppresses noise.
    NoiseSuppression,
    /// `on` or `off`: whether the browser controls the microphone's gain.
    GainControl,
    /// The most that is sent to one member, in bit/s; empty for no limit.
    BitrateLimit,
    /// The preferred video codec; empty for the browser's order.
    Codec,
    /// The least playback delay, in milliseconds; empty for the browser's choice.
    JitterBuffer,
    /// `on` or `off`: whether only relayed candidates are used.
    RelayOnly,
    /// The person's own ICE servers, one on each line; empty for the server's.
    IceServers,
    /// `on` or `off`: whether a conversation stays on the device when its room is left.
    KeepChat,
    /// `on` or `off`: whether single keys are shortcuts in a call.
    Shortcuts,
    /// `on` or `off`: whether the person is heard while the space bar is held.
    PushToTalk,
    /// `on` or `off`: whether an address may join with the camera without a click.
    LinksMayJoin,
}

impl Setting {
    /// Every setting, in the order of declaration.
    pub const ALL: [Self; 17] = [
        Self::Camera,
        Self::Microphone,
        Self::Speaker,
        Self::Resolution,
        Self::FrameRate,
        Self::EchoCancellation,
        Self::NoiseSuppression,
        Self::GainControl,
        Self::BitrateLimit,
        Self::Codec,
        Self::JitterBuffer,
        Self::RelayOnly,
        Self::IceServers,
        Self::KeepChat,
        Self::Shortcuts,
        Self::PushToTalk,
        Self::LinksMayJoin,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Camera => "camera",
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Resolution => "resolution",
            Self::FrameRate => "frame-rate",
            Self::EchoCancellation => "echo-cancellation",
            Self::NoiseSuppression => "noise-suppression",
            Self::GainControl => "gain-control",
            Self::BitrateLimit => "bitrate-limit",
            Self::Codec => "codec",
            Self::JitterBuffer => "jitter-buffer",
            Self::RelayOnly => "relay-only",
            Self::IceServers => "ice-servers",
            Self::KeepChat => "keep-chat",
            Self::Shortcuts => "shortcuts",
            Self::PushToTalk => "push-to-talk",
            Self::LinksMayJoin => "links-may-join",
        }
    }

    /// The value of a setting that was never set.
    fn standard(self) -> &'static str {
        match self {
            Self::Resolution => "1280x720",
            Self::FrameRate => "30",
            Self::EchoCancellation
            | Self::NoiseSuppression
            | Self::GainControl
            | Self::Shortcuts
            | Self::PushToTalk => ON,
            Self::RelayOnly | Self::KeepChat | Self::LinksMayJoin => OFF,
            Self::Camera
            | Self::Microphone
            | Self::Speaker
            | Self::BitrateLimit
            | Self::Codec
            | Self::JitterBuffer
            | Self::IceServers => "",
        }
    }

    /// The value of the setting in the address.
    fn in_address(self, parameters: &Parameters) -> Option<String> {
        match self {
            Self::Resolution => {
                let (width, height) = match (parameters.width, parameters.height) {
                    (None, None) => return None,
                    (Some(width), Some(height)) => (width, height),
                    (Some(width), None) => (width, (width * 9).div_ceil(16)),
                    (None, Some(height)) => ((height * 16).div_ceil(9), height),
                };
                Some(format!("{width}x{height}"))
            }
            Self::FrameRate => parameters.frames_per_second.map(|rate| rate.to_string()),
            Self::BitrateLimit => parameters.max_bitrate_bps.map(|bitrate_bps| bitrate_bps.to_string()),
            Self::Codec => parameters.codec.clone(),
            Self::RelayOnly => parameters.relay_only.then(|| ON.to_owned()),
            _ => None,
        }
    }

    /// The value for this visit if the address differs from the stored setting. The address may hide more and send less, never
    /// the reverse.
    fn stricter(self, kept: String, wished: String) -> String {
        let is_less = |of: fn(&str) -> Option<u64>| {
            of(&kept).is_none_or(|kept| of(&wished).is_some_and(|wished| wished <= kept))
        };
        let counts = match self {
            Self::BitrateLimit | Self::FrameRate => is_less(|value| value.parse().ok()),
            Self::Resolution => is_less(pixels),
            _ => true,
        };
        if counts { wished } else { kept }
    }
}

fn pixels(resolution: &str) -> Option<u64> {
    let (width, height) = read_resolution(resolution);
    Some(u64::from(width?) * u64::from(height?))
}

/// All settings. Writing to one also sets it for later visits.
#[derive(Debug, Clone, Copy)]
pub struct Preferences([RwSignal<String>; Setting::ALL.len()]);

impl Preferences {
    /// Loads the stored values, or the standard ones. Values of the address count for this visit only; in a driven browser they
    /// override stored values, in any other browser they may only be stricter.
    pub fn load(parameters: &Parameters, is_automated: bool) -> Self {
        Self(Setting::ALL.map(|setting| {
            let kept = StorageArea::Local.get(&storage_key(setting));
            let value = match (setting.in_address(parameters), kept) {
                (Some(wished), Some(kept)) if !is_automated => Some(setting.stricter(kept, wished)),
                (Some(wished), _) => Some(wished),
                (None, kept) => kept,
            };
            RwSignal::new(value.unwrap_or_else(|| setting.standard().to_owned()))
        }))
    }

    /// The stored value of a setting.
    pub fn signal(self, setting: Setting) -> RwSignal<String> {
        self.0[setting as usize]
    }

    /// Stores every change, and calls `changed`.
    pub fn watch(self, changed: impl Fn(Setting) + Clone + 'static) {
        for setting in Setting::ALL {
            let changed = changed.clone();
            let value = self.signal(setting);
            Effect::watch(
                move || value.get(),
                move |value, _, _| {
                    StorageArea::Local.set(&storage_key(setting), value);
                    changed(setting);
                },
                false,
            );
        }
    }

    /// The request for the camera.
    pub fn camera_request(self) -> CameraRequest {
        let (width, height) = read_resolution(&self.value(Setting::Resolution));
        CameraRequest {
            device: self.device(Setting::Camera),
            width,
            height,
            frames_per_second: self.number(Setting::FrameRate).map(f64::from),
        }
    }

    /// The request for the microphone.
    pub fn microphone_request(self) -> MicrophoneRequest {
        MicrophoneRequest {
            device: self.device(Setting::Microphone),
            processing: AudioProcessing {
                echo_cancellation: self.is_on(Setting::EchoCancellation),
                noise_suppression: self.is_on(Setting::NoiseSuppression),
                auto_gain_control: self.is_on(Setting::GainControl),
            },
        }
    }

    /// The most that is sent to one member; `None` for no limit.
    pub fn max_bitrate_bps(self) -> Option<u32> {
        self.number(Setting::BitrateLimit)
    }

    /// The preferred video codec.
    pub fn codec(self) -> Option<String> {
        Some(self.value(Setting::Codec)).filter(|codec| !codec.is_empty())
    }

    /// The least playback delay, in milliseconds.
    pub fn jitter_buffer_target_ms(self) -> Option<u32> {
        self.number(Setting::JitterBuffer)
    }

    /// The person's own ICE servers.
    pub fn ice_servers(self) -> OwnServers {
        read_ice_servers(&self.value(Setting::IceServers))
    }

    /// Whether only relayed candidates are used.
    pub fn relay_only(self) -> bool {
        self.is_on(Setting::RelayOnly)
    }

    /// Whether an address may join with the camera without a click.
    pub fn links_may_join(self) -> bool {
        self.is_on(Setting::LinksMayJoin)
    }

    /// Whether a conversation stays on the device when its room is left.
    pub fn keeps_chat(self) -> bool {
        self.is_on(Setting::KeepChat)
    }

    /// The present value; the standard value if the page is gone.
    pub fn value(self, setting: Setting) -> String {
        self.signal(setting).try_get_untracked().unwrap_or_else(|| setting.standard().to_owned())
    }

    fn device(self, setting: Setting) -> DeviceChoice {
        match self.value(setting) {
            id if id.is_empty() => DeviceChoice::Any,
            id => DeviceChoice::Preferred(id),
        }
    }

    fn is_on(self, setting: Setting) -> bool {
        self.value(setting) == ON
    }

    fn number(self, setting: Setting) -> Option<u32> {
        self.value(setting).parse().ok()
    }
}

/// The stored ICE servers of the person, for pages without settings.
#[must_use]
pub fn kept_ice_servers() -> OwnServers {
    read_ice_servers(&StorageArea::Local.get(&storage_key(Setting::IceServers)).unwrap_or_default())
}

/// Reads the ICE servers of a person; servers that this browser refuses are skipped.
#[must_use]
pub fn read_ice_servers(text: &str) -> OwnServers {
    OwnServers::read(text, takes_ice_server)
}

/// The stored value of a switch.
#[must_use]
pub fn switch_value(is_on: bool) -> String {
    if is_on { ON } else { OFF }.to_owned()
}

/// Width and height of `1280x720`.
fn read_resolution(value: &str) -> (Option<u32>, Option<u32>) {
    match value.split_once('x') {
        Some((width, height)) => (width.parse().ok(), height.parse().ok()),
        None => (None, None),
    }
}

fn storage_key(setting: Setting) -> String {
    format!("{STORAGE_PREFIX}{}", setting.name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_setting_has_its_own_place() {
        for (at, setting) in Setting::ALL.into_iter().enumerate() {
            assert_eq!(setting as usize, at);
            assert_eq!(Setting::ALL.iter().filter(|other| other.name() == setting.name()).count(), 1);
        }
    }

    #[test]
    fn a_width_or_a_height_alone_gives_a_16_by_9_resolution() {
        let resolution = |width, height| {
            Setting::Resolution.in_address(&Parameters { width, height, ..Parameters::default() })
        };
        assert_eq!(resolution(Some(640), None).as_deref(), Some("640x360"));
        assert_eq!(resolution(None, Some(720)).as_deref(), Some("1280x720"));
        assert_eq!(resolution(Some(640), Some(480)).as_deref(), Some("640x480"));
        assert_eq!(resolution(None, None), None);
    }

    #[test]
    fn an_address_can_only_tighten_the_users_settings() {
        for (setting, kept, wished, holds) in [
            (Setting::BitrateLimit, "500000", "4000000", "500000"),
            (Setting::BitrateLimit, "500000", "128000", "128000"),
            (Setting::BitrateLimit, "", "128000", "128000"),
            (Setting::FrameRate, "15", "60", "15"),
            (Setting::FrameRate, "30", "10", "10"),
            (Setting::Resolution, "640x360", "1920x1080", "640x360"),
            (Setting::Resolution, "1280x720", "640x360", "640x360"),
            (Setting::RelayOnly, "off", "on", "on"),
            (Setting::Codec, "VP8", "VP9", "VP9"),
        ] {
            assert_eq!(setting.stricter(kept.to_owned(), wished.to_owned()), holds, "{setting:?}");
        }
    }

    #[test]
    fn no_address_turns_the_relay_off_names_servers_or_sets_the_switches_of_this_device() {
        let query = "relay=0&relay-only=off&ice-servers=turn:evil.example&ice_servers=x&keep-chat=on&shortcuts=off\
                     &links-may-join=on&links_may_join=1&speaker=x&camera=x&microphone=x";
        let parameters = Parameters::parse(query);
        for setting in Setting::ALL {
            assert_eq!(setting.in_address(&parameters), None, "{setting:?}");
        }
    }

    #[test]
    fn an_invalid_resolution_is_ignored() {
        assert_eq!(read_resolution("1280x720"), (Some(1280), Some(720)));
        assert_eq!(read_resolution("large"), (None, None));
        assert_eq!(read_resolution("x"), (None, None));
    }
}
