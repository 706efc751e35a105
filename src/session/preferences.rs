//! What a person sets of camera, microphone and connection: kept in this browser, overruled by the address.

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

/// One thing that can be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setting {
    /// A device's id; empty for the browser's choice.
    Camera,
    /// A device's id; empty for the browser's choice.
    Microphone,
    /// A device's id; empty for the system's choice.
    Speaker,
    /// Pixels, `1280x720`.
    Resolution,
    /// Frames a second.
    FrameRate,
    /// `on` or `off`
    EchoCancellation,
    /// `on` or `off`
    NoiseSuppression,
    /// `on` or `off`
    GainControl,
    /// The most that is sent to one member, in bit/s; empty for no limit.
    BitrateLimit,
    /// The video codec that is wanted first; empty for the browser's order.
    Codec,
    /// How much is held back at least of what arrives, in milliseconds; empty for what the browser thinks best.
    JitterBuffer,
    /// `on` or `off`
    RelayOnly,
    /// One's own ICE servers, one on each line; empty for those of the server.
    IceServers,
    /// Whether a conversation stays on the device when its room is left: `on` or `off`
    KeepChat,
    /// `on` or `off`: whether single keys do something in a call.
    Shortcuts,
    /// Whether an address may join with the camera before a click: `on` or `off`
    LinksMayJoin,
}

impl Setting {
    /// Every setting, in the order of their numbers.
    pub const ALL: [Self; 16] = [
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
            Self::LinksMayJoin => "links-may-join",
        }
    }

    /// What holds as long as nothing was set.
    fn standard(self) -> &'static str {
        match self {
            Self::Resolution => "1280x720",
            Self::FrameRate => "30",
            Self::EchoCancellation | Self::NoiseSuppression | Self::GainControl | Self::Shortcuts => ON,
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

    /// What the address says of it.
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

    /// What holds for this visit where an address wishes for something else than what the person set before: the address
    /// may hide more and send less, never the other way round.
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

/// All settings. Whoever writes one sets it, for the next visit too.
#[derive(Debug, Clone, Copy)]
pub struct Preferences([RwSignal<String>; Setting::ALL.len()]);

impl Preferences {
    /// What was set last, else what is usual; and what the address says, which is kept for no other visit. Of a driven
    /// browser it is what its script wants, of any other a stranger's wish.
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

    /// The value of a setting, as it is kept.
    pub fn signal(self, setting: Setting) -> RwSignal<String> {
        self.0[setting as usize]
    }

    /// Keeps every change, and tells of it.
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

    /// What is wanted of the camera.
    pub fn camera_request(self) -> CameraRequest {
        let (width, height) = read_resolution(&self.value(Setting::Resolution));
        CameraRequest {
            device: self.device(Setting::Camera),
            width,
            height,
            frames_per_second: self.number(Setting::FrameRate).map(f64::from),
        }
    }

    /// What is wanted of the microphone.
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

    /// The video codec that is wanted first.
    pub fn codec(self) -> Option<String> {
        Some(self.value(Setting::Codec)).filter(|codec| !codec.is_empty())
    }

    /// How much of what arrives is held back at least.
    pub fn jitter_buffer_target_ms(self) -> Option<u32> {
        self.number(Setting::JitterBuffer)
    }

    /// One's own ICE servers.
    pub fn ice_servers(self) -> OwnServers {
        read_ice_servers(&self.value(Setting::IceServers))
    }

    /// Whether only relayed candidates are used.
    pub fn relay_only(self) -> bool {
        self.is_on(Setting::RelayOnly)
    }

    /// Whether an address may join with the camera before a click.
    pub fn links_may_join(self) -> bool {
        self.is_on(Setting::LinksMayJoin)
    }

    /// Whether a conversation stays on the device when its room is left.
    pub fn keeps_chat(self) -> bool {
        self.is_on(Setting::KeepChat)
    }

    /// The value now; what is usual where the page is gone.
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

/// One's own ICE servers as they were set last, where there are no other settings.
#[must_use]
pub fn kept_ice_servers() -> OwnServers {
    read_ice_servers(&StorageArea::Local.get(&storage_key(Setting::IceServers)).unwrap_or_default())
}

/// Reads a person's ICE servers; those count that this browser takes.
#[must_use]
pub fn read_ice_servers(text: &str) -> OwnServers {
    OwnServers::read(text, takes_ice_server)
}

/// How a switch is kept.
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
    fn a_width_or_a_height_alone_is_of_a_wide_picture() {
        let resolution = |width, height| {
            Setting::Resolution.in_address(&Parameters { width, height, ..Parameters::default() })
        };
        assert_eq!(resolution(Some(640), None).as_deref(), Some("640x360"));
        assert_eq!(resolution(None, Some(720)).as_deref(), Some("1280x720"));
        assert_eq!(resolution(Some(640), Some(480)).as_deref(), Some("640x480"));
        assert_eq!(resolution(None, None), None);
    }

    #[test]
    fn an_address_sends_no_more_and_hides_no_less_than_what_the_person_set() {
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
    fn what_is_no_resolution_asks_for_none() {
        assert_eq!(read_resolution("1280x720"), (Some(1280), Some(720)));
        assert_eq!(read_resolution("large"), (None, None));
        assert_eq!(read_resolution("x"), (None, None));
    }
}
