//! The settings of camera, microphone, loudspeaker and connection.

use leptos::prelude::*;
use sightline_browser::rtc::peer_connection::{has_jitter_buffer_target, video_codecs};

use super::{device_select::DeviceSelect, ice_servers_field::IceServersField, remembered::RememberedList};
use crate::{
    components::kit::{
        choice::{ChoiceSelect, Options, Switch},
        icon::{Icon, IconName},
        language_and_theme::{LanguageSelect, ThemeSelect},
    },
    language::{Language, Locale, Sentence},
    sentence,
    session::{
        device::remembered_here,
        model::{RememberedPeople, Setting, SettingsModel},
    },
};

const RESOLUTIONS: [&str; 5] = ["320x180", "640x360", "960x540", "1280x720", "1920x1080"];
const FRAME_RATES: [&str; 5] = ["10", "15", "24", "30", "60"];
const BITRATES_BPS: [&str; 7] = ["", "128000", "256000", "512000", "1000000", "2000000", "4000000"];
const JITTER_BUFFERS_MS: [&str; 6] = ["", "50", "100", "200", "500", "1000"];

/// All settings, grouped by subject.
#[component]
pub fn SettingsPanel(
    /// The settings and their devices.
    settings: SettingsModel,
    /// Whether it is in the lobby, which itself has the choices of camera, microphone, language and theme.
    in_lobby: bool,
    /// The people that the room's session remembers; outside of a room those that are stored.
    people: Option<RememberedPeople>,
    /// Shows the list of shortcuts, if there is one.
    show_shortcuts: Option<Callback<()>>,
) -> AnyView {
    let language = Language::from_context();
    let value = move |setting| settings.preferences.signal(setting);
    let choice = move |label: Sentence, test_id, setting, offered: Vec<String>, words: Words| {
        let value = value(setting);
        let options = offers(language, value, offered, words);
        view! { <ChoiceSelect label=label options=options value=value test_id=test_id /> }.into_any()
    };
    let switch = move |label: Sentence, test_id, setting| {
        view! { <Switch label=label value=value(setting) test_id=test_id /> }.into_any()
    };
    let device = move |label: Sentence, test_id, setting, devices, prompt| {
        view! { <DeviceSelect devices=devices chosen=value(setting) label=label prompt=prompt test_id=test_id /> }
            .into_any()
    };
    let group = move |title: Sentence, rows: Vec<AnyView>| {
        view! {
            <section class="settings-group">
                <h2>{language.text(title)}</h2>
                {rows}
            </section>
        }
        .into_any()
    };

    let speaker = || {
        let prompt = settings.prompt_for_speaker;
        device(sentence!(settings.speaker), "speaker-select", Setting::Speaker, settings.speakers, prompt)
    };
    let mut sound = vec![
        speaker(),
        switch(sentence!(settings.echo_cancellation), "echo-cancellation", Setting::EchoCancellation),
        switch(sentence!(settings.noise_suppression), "noise-suppression", Setting::NoiseSuppression),
        switch(sentence!(settings.gain_control), "gain-control", Setting::GainControl),
        switch(sentence!(people.push_to_talk), "push-to-talk", Setting::PushToTalk),
    ];
    let mut picture = vec![
        choice(
            sentence!(settings.resolution),
            "resolution-select",
            Setting::Resolution,
            owned(&RESOLUTIONS),
            resolution_words,
        ),
        choice(
            sentence!(settings.frame_rate),
            "fps-select",
            Setting::FrameRate,
            owned(&FRAME_RATES),
            frame_rate_words,
        ),
    ];
    let codecs = std::iter::once(String::new()).chain(video_codecs()).collect();
    let mut connection = vec![
        choice(
            sentence!(settings.bitrate_limit),
            "bitrate-limit",
            Setting::BitrateLimit,
            owned(&BITRATES_BPS),
            bitrate_words,
        ),
        choice(sentence!(settings.codec), "codec-select", Setting::Codec, codecs, codec_words),
    ];
    if has_jitter_buffer_target() {
        connection.push(choice(
            sentence!(settings.jitter_buffer),
            "jitter-buffer",
            Setting::JitterBuffer,
            owned(&JITTER_BUFFERS_MS),
            jitter_buffer_words,
        ));
    }
    connection.push(switch(sentence!(settings.relay_only), "relay-only", Setting::RelayOnly));
    connection.push(view! { <IceServersField value=value(Setting::IceServers) /> }.into_any());
    let mut groups = Vec::new();
    if !in_lobby {
        let (camera, microphone) = (sentence!(lobby.camera), sentence!(lobby.microphone));
        picture.insert(0, device(camera, "camera-select", Setting::Camera, settings.cameras, None));
        sound.insert(0, device(microphone, "mic-select", Setting::Microphone, settings.microphones, None));
    }
    groups.push(group(sentence!(settings.picture), picture));
    groups.push(group(sentence!(settings.sound), sound));
    groups.push(group(sentence!(settings.connection), connection));
    let keep_chat = switch(sentence!(settings.keep_chat), "keep-chat", Setting::KeepChat);
    groups.push(group(sentence!(chat.title), vec![keep_chat]));
    let links = switch(sentence!(settings.links_may_join), "links-may-join", Setting::LinksMayJoin);
    groups.push(group(sentence!(settings.links), vec![links]));
    let people = people.unwrap_or_else(remembered_here);
    groups.push(view! { <RememberedList people=people /> }.into_any());
    if !in_lobby {
        let looks = vec![view! { <LanguageSelect /> }.into_any(), view! { <ThemeSelect /> }.into_any()];
        groups.push(group(sentence!(settings.looks), looks));
    }
    if let Some(show) = show_shortcuts {
        let button = view! {
            <button type="button" class="button" data-testid="show-shortcuts" on:click=move |_| show.run(())>
                <Icon name=IconName::KEYBOARD />
                <span>{language.text(sentence!(shortcuts.title))}</span>
            </button>
        };
        groups.push(button.into_any());
    }
    groups.into_any()
}

/// The text for a value.
type Words = fn(&str, Locale) -> String;

/// The offered values, and the present value if it came from elsewhere, for example from the address.
fn offers(
    language: Language,
    value: RwSignal<String>,
    mut offered: Vec<String>,
    words: Words,
) -> Signal<Options> {
    let now = value.get_untracked();
    if !offered.contains(&now) {
        offered.push(now);
    }
    Signal::derive(move || {
        let locale = language.locale();
        offered.iter().map(|value| (value.clone(), words(value, locale))).collect()
    })
}

fn owned(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn resolution_words(value: &str, _locale: Locale) -> String {
    value.replace('x', " × ")
}

fn frame_rate_words(value: &str, locale: Locale) -> String {
    format!("{value} {}", sentence!(settings.frames_per_second)(locale))
}

fn bitrate_words(value: &str, locale: Locale) -> String {
    match value.parse::<u32>() {
        Ok(bitrate_bps) if bitrate_bps % 1_000_000 == 0 => format!("{} Mbit/s", bitrate_bps / 1_000_000),
        Ok(bitrate_bps) => format!("{} kbit/s", bitrate_bps / 1000),
        Err(_) => sentence!(settings.unlimited)(locale).to_owned(),
    }
}

fn codec_words(value: &str, locale: Locale) -> String {
    if value.is_empty() { sentence!(settings.automatic)(locale).to_owned() } else { value.to_owned() }
}

fn jitter_buffer_words(value: &str, locale: Locale) -> String {
    if value.is_empty() { sentence!(settings.automatic)(locale).to_owned() } else { format!("{value} ms") }
}
