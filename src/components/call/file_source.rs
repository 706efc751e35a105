//! A video file as the source: the panel for choosing or dropping one, and its playback controls.

use leptos::{html, prelude::*};
use sightline_browser::media::media_file::{MediaFile, are_files_dragged};
use sightline_protocol::control::Playback;

use super::receivers::Receivers;
use crate::{
    components::kit::{
        icon::{Icon, IconName},
        icon_button::IconButton,
        when::When,
    },
    language::{Language, Sentence},
    sentence,
    session::model::{FileCommand, FileModel, TileModel},
};

/// Shows only the file input while no file is wanted.
#[component]
pub fn FileSource(
    /// The signals of the file.
    model: FileModel,
    /// Performs commands about the file.
    act: Callback<FileCommand>,
    /// The members that receive it; none in the lobby.
    #[prop(optional)]
    receivers: Option<RwSignal<Vec<TileModel>>>,
) -> AnyView {
    let language = Language::from_context();
    let input = NodeRef::<html::Input>::new();
    let choose = Callback::new(move |()| {
        if let Some(input) = input.get_untracked() {
            input.click();
        }
    });
    view! {
        <input
            node_ref=input
            class="sr-only"
            type="file"
            accept="video/*,.mkv,.mov,.m4v"
            tabindex="-1"
            data-testid="file-source-input"
            aria-label=language.text(sentence!(file.choose))
            on:change=move |event| {
                if let Some(file) = MediaFile::chosen(&event) {
                    act.run(FileCommand::Open(file));
                }
            }
        />
        <When is=model.is_open>
            <FilePanel model=model act=act choose=choose receivers=receivers />
        </When>
    }
    .into_any()
}

/// Chooses a file, or controls its playback.
#[component]
fn FilePanel(
    model: FileModel,
    act: Callback<FileCommand>,
    choose: Callback<()>,
    receivers: Option<RwSignal<Vec<TileModel>>>,
) -> AnyView {
    let language = Language::from_context();
    let is_dragged_over = RwSignal::new(false);
    let has_file = Memo::new(move |_| model.name.with(Option::is_some));
    let has_none = Signal::derive(move || !has_file.get());
    view! {
            <section
                class="file-source"
                class:is-dragged-over=is_dragged_over
                aria-label=language.text(sentence!(file.title))
                data-testid="file-source"
                on:dragover=move |event| {
                    if are_files_dragged(&event) {
                        event.prevent_default();
                        event.stop_propagation();
                        is_dragged_over.set(true);
                    }
                }
                on:dragleave=move |_| is_dragged_over.set(false)
                on:drop=move |event| {
                    is_dragged_over.set(false);
                    event.stop_propagation();
                    if let Some(file) = MediaFile::dropped(&event) {
                        act.run(FileCommand::Open(file));
                    }
                }
            >
                <When is=has_none>
                    <Chooser model=model act=act choose=choose />
                </When>
                <When is=has_file>
                    <Player model=model act=act choose=choose />
                    {receivers.map(|receivers| view! { <Receivers others=receivers /> })}
                </When>
            </section>
    }
    .into_any()
}

#[component]
fn Chooser(model: FileModel, act: Callback<FileCommand>, choose: Callback<()>) -> AnyView {
    let language = Language::from_context();
    view! {
        <div class="file-chooser">
            <button type="button" class="button small primary" disabled=model.is_loading on:click=move |_| choose.run(())>
                <Icon name=IconName::FILM />
                <span translate="no">
                    {Signal::derive(move || {
                        let words =
                            if model.is_loading.get() { sentence!(file.loading) } else { sentence!(file.choose) };
                        words(language.locale())
                    })}
                </span>
            </button>
            <span class="file-drop">{language.text(sentence!(file.drop))}</span>
            <button
                type="button"
                class="button small"
                disabled=model.is_loading
                data-testid="source-sample"
                on:click=move |_| act.run(FileCommand::OpenSample)
            >
                {language.text(sentence!(file.sample))}
            </button>
            <span class="room-bar-space"></span>
            <IconButton
                icon=IconName::CLOSE
                label=language.text(sentence!(file.close))
                press=Callback::new(move |()| model.is_open.set(false))
            />
        </div>
    }
    .into_any()
}

#[component]
fn Player(model: FileModel, act: Callback<FileCommand>, choose: Callback<()>) -> AnyView {
    let language = Language::from_context();
    let is_running =
        Memo::new(move |_| matches!(model.playback.get(), Playback::Playing | Playback::Seeking));
    let is_standing = Signal::derive(move || !is_running.get());
    let button = move |icon: IconName, words: Sentence, test_id: &'static str, press: Callback<()>| {
        view! { <IconButton icon=icon label=language.text(words) press=press test_id=test_id /> }
    };
    let on = move |command: FileCommand| Callback::new(move |()| act.run(command.clone()));
    let (play, pause, restart) = (on(FileCommand::Play), on(FileCommand::Pause), on(FileCommand::Restart));
    let seconds = Signal::derive(move || model.position_s.get().round());
    let times = Signal::derive(move || {
        let duration = model.duration_s.get().map(clock_text).unwrap_or_default();
        format!("{} / {duration}", clock_text(model.position_s.get()))
    });
    view! {
        <div class="file-name" translate="no">
            <Icon name=IconName::FILM />
            <span dir="auto">{move || model.name.get()}</span>
            <span class="file-size">
                {move || {
                    let (width, height) = model.size.get();
                    format!("{width}\u{d7}{height}")
                }}
            </span>
            <span class="room-bar-space"></span>
            <button type="button" class="button small" disabled=model.is_loading on:click=move |_| choose.run(())>
                {language.text(sentence!(file.choose_other))}
            </button>
        </div>
        <div class="file-player" translate="no">
            <When is=is_standing>{button(IconName::PLAY, sentence!(file.play), "source-play", play)}</When>
            <When is=is_running>{button(IconName::PAUSE, sentence!(file.pause), "source-pause", pause)}</When>
            {button(IconName::RESTART, sentence!(file.restart), "source-restart", restart)}
            <input
                class="file-position"
                type="range"
                min="0"
                step="0.1"
                max=move || model.duration_s.get().unwrap_or_default().to_string()
                data-testid="source-seek"
                aria-label=language.text(sentence!(file.position))
                aria-valuetext=Signal::derive(move || clock_text(seconds.get()))
                prop:value=Signal::derive(move || model.position_s.get().to_string())
                on:change=move |event| {
                    if let Ok(position_s) = event_target_value(&event).parse() {
                        act.run(FileCommand::Seek(position_s));
                    }
                }
            />
            <span class="file-times">{times}</span>
            <button
                type="button"
                class="icon-button"
                data-testid="source-loop"
                title=language.text(sentence!(file.repeat))
                aria-label=language.text(sentence!(file.repeat))
                aria-pressed=Signal::derive(move || model.is_looping.get().to_string())
                on:click=move |_| act.run(FileCommand::Loop(!model.is_looping.get_untracked()))
            >
                <Icon name=IconName::LOOP />
            </button>
            <label class="file-volume" title=language.text(sentence!(file.volume))>
                <Icon name=IconName::SOUND />
                <span class="sr-only">{language.text(sentence!(file.volume))}</span>
                <input
                    type="range"
                    min="0"
                    max="1"
                    step="0.05"
                    data-testid="source-volume"
                    prop:value=Signal::derive(move || model.volume.get().to_string())
                    on:input=move |event| {
                        if let Ok(volume) = event_target_value(&event).parse() {
                            act.run(FileCommand::Volume(volume));
                        }
                    }
                />
            </label>
            <label class="switch file-stamp" title=language.text(sentence!(file.stamp_hint))>
                <input
                    type="checkbox"
                    role="switch"
                    data-testid="source-stamp"
                    prop:checked=model.is_stamping
                    on:change=move |event| act.run(FileCommand::Stamp(event_target_checked(&event)))
                />
                <span>{language.text(sentence!(file.stamp))}</span>
                <span class="file-cost" data-testid="source-stamp-cost">
                    {move || {
                        let cost_us = model.paint_cost_us.get()?;
                        let words = sentence!(file.paint_cost)(language.locale());
                        Some(format!("{}.{} {words}", cost_us / 1000, cost_us % 1000 / 100))
                    }}
                </span>
            </label>
        </div>
    }
    .into_any()
}

/// A time as minutes and seconds: `3:07`.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a cast from f64 saturates")]
pub(super) fn clock_text(seconds: f64) -> String {
    let seconds = seconds as u64;
    format!("{}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_minutes_and_seconds() {
        assert_eq!(clock_text(0.0), "0:00");
        assert_eq!(clock_text(187.9), "3:07");
        assert_eq!(clock_text(-1.0), "0:00");
        assert_eq!(clock_text(f64::NAN), "0:00");
    }
}
