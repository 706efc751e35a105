//! Notices: what happened, and what to do.

use leptos::prelude::*;
use sightline_core::notice::NoticeCode;

use super::text::{NoticeText, notice_text};
use crate::{
    components::kit::{
        check_link::CheckLink,
        icon::{Icon, IconName},
    },
    language::Language,
    sentence,
};

/// The warnings, one below the other. Other notices have a [separate page](super::page::NoticePage), or are shown beside their
/// input.
#[component]
pub fn NoticeList(
    /// The notices, oldest first.
    notices: RwSignal<Vec<NoticeCode>>,
    /// The texts.
    text: NoticeText,
    /// Removes a notice.
    #[prop(optional)]
    dismiss: Option<Callback<NoticeCode>>,
    /// Asks for camera and microphone again.
    #[prop(optional)]
    ask_again: Option<Callback<()>>,
    /// Plays what autoplay blocked.
    #[prop(optional)]
    resume: Option<Callback<()>>,
) -> AnyView {
    let language = Language::from_context();
    let warnings = move || {
        let mut warnings = notices.get();
        warnings.retain(|code| code.is_warning());
        warnings
    };
    let row = move |code: NoticeCode| {
        let (title, hint) = text(code);
        let action = match code {
            NoticeCode::PermissionDenied
            | NoticeCode::NoDevice
            | NoticeCode::DeviceInUse
            | NoticeCode::CameraLost
            | NoticeCode::MicrophoneLost => ask_again.map(|run| (run, sentence!(lobby.ask_again))),
            NoticeCode::AutoplayBlocked => resume.map(|run| (run, sentence!(room.sound_on))),
            _ => None,
        };
        // This notice stays until the sound is on.
        let dismiss = dismiss.filter(|_| code != NoticeCode::AutoplayBlocked);
        view! {
            <li class="notice" data-testid="notice" data-code=code.as_str()>
                <Icon name=notice_icon(code) />
                <div class="notice-text">
                    <p class="notice-title">{language.text(title)}</p>
                    <p class="notice-hint">
                        {language.text(hint)} {is_for_the_doctor(code).then(|| view! { " " <CheckLink class="check-link" /> })}
                    </p>
                </div>
                {action
                    .map(|(run, words)| {
                        view! {
                            <button type="button" class="button small" on:click=move |_| run.run(())>
                                {language.text(words)}
                            </button>
                        }
                    })}
                {dismiss
                    .map(|dismiss| {
                        // Not an `IconButton`, which would add 300 bytes to the first visit.
                        view! {
                            <button
                                type="button"
                                class="icon-button"
                                aria-label=language.text(sentence!(notice.dismiss))
                                on:click=move |_| dismiss.run(code)
                            >
                                <Icon name=IconName::CLOSE />
                            </button>
                        }
                    })}
            </li>
        }
    };
    view! {
        <ul class="notices" aria-live="polite" aria-label=language.text(sentence!(notice.list))>
            <For each=warnings key=|code| *code children=row />
        </ul>
    }
    .into_any()
}

/// A problem with typed text, shown beside the input.
#[component]
pub fn InputNotice(
    /// The code of the notice.
    code: NoticeCode,
    /// The element's id, for `aria-describedby`.
    id: &'static str,
) -> AnyView {
    let language = Language::from_context();
    let (title, hint) = notice_text(code);
    view! {
        <p class="input-notice" id=id role="alert" data-testid="notice" data-code=code.as_str()>
            <strong>{language.text(title)}</strong>
            " "
            {language.text(hint)}
        </p>
    }
    .into_any()
}

/// Whether the connection doctor can explain more.
pub(super) fn is_for_the_doctor(code: NoticeCode) -> bool {
    matches!(
        code,
        NoticeCode::ConnectionFailed
            | NoticeCode::OriginRefused
            | NoticeCode::HostRefused
            | NoticeCode::ServerUnreachable
            | NoticeCode::SignalingLost
            | NoticeCode::PermissionDenied
            | NoticeCode::NoDevice
            | NoticeCode::DeviceInUse
            | NoticeCode::InsecureContext
            | NoticeCode::UnsupportedBrowser
    )
}

/// The icon for the subject of a notice.
pub(super) fn notice_icon(code: NoticeCode) -> IconName {
    match code {
        NoticeCode::PermissionDenied
        | NoticeCode::PermissionPending
        | NoticeCode::NoDevice
        | NoticeCode::DeviceInUse
        | NoticeCode::CameraLost
        | NoticeCode::CameraTaken
        | NoticeCode::InsecureContext => IconName::CAMERA_OFF,
        NoticeCode::MicrophoneLost | NoticeCode::MicrophoneTaken => IconName::MICROPHONE_OFF,
        NoticeCode::ScreenUnavailable => IconName::SCREEN,
        NoticeCode::AutoplayBlocked => IconName::SOUND,
        NoticeCode::RoomFull | NoticeCode::MemberMuted | NoticeCode::MemberCutOff => IconName::PEOPLE,
        NoticeCode::RoomLocked
        | NoticeCode::KnockRefused
        | NoticeCode::KnockUnanswered
        | NoticeCode::RoomNotOpen
        | NoticeCode::LinkChanged
        | NoticeCode::Removed
        | NoticeCode::RoomEnded => IconName::DOOR,
        NoticeCode::MessageTooLong => IconName::CHAT,
        _ => IconName::ALERT,
    }
}
