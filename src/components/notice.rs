//! What a person must hear of: what happened, and what to do.

use leptos::prelude::*;
use sightline_core::notice::NoticeCode;

use super::{
    check_link::CheckLink,
    icon::{Icon, IconName},
    link::Link,
    notice_text::notice_text,
};
use crate::{language::Language, navigation::Navigator, route::Route, sentence};

/// The warnings, one below the other. What is no warning is left out: it is a [`NoticeCard`], or stands at its input.
#[component]
pub fn NoticeList(
    /// What to tell, oldest first.
    notices: RwSignal<Vec<NoticeCode>>,
    /// Takes a notice away.
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
        let (title, hint) = notice_text(code);
        let action = match code {
            NoticeCode::PermissionDenied
            | NoticeCode::NoDevice
            | NoticeCode::DeviceInUse
            | NoticeCode::CameraLost
            | NoticeCode::MicrophoneLost => ask_again.map(|run| (run, sentence!(lobby.ask_again))),
            NoticeCode::AutoplayBlocked => resume.map(|run| (run, sentence!(room.sound_on))),
            _ => None,
        };
        // It lasts until the sound is on.
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
                        view! {
                            <button
                                type="button"
                                class="icon-button"
                                aria-label=language.text(sentence!(notice.dismiss))
                                on:click=move |_| dismiss.run(code)
                            >
                                <Icon name=IconName::Close />
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

/// What stands in the way of the call, in place of it.
#[component]
pub fn NoticeCard(
    /// What happened.
    code: NoticeCode,
    /// Tries again.
    #[prop(optional)]
    retry: Option<Callback<()>>,
) -> AnyView {
    let language = Language::from_context();
    let (title, hint) = notice_text(code);
    let way_on = match way_on(code) {
        WayOn::Retry => retry.map(|retry| {
            view! {
                <button type="button" class="button primary" on:click=move |_| retry.run(())>
                    {language.text(sentence!(notice.retry))}
                </button>
            }
            .into_any()
        }),
        WayOn::Reload => {
            let here = Navigator::from_context().map(|navigator| navigator.href(&navigator.route()));
            // An ordinary link, so that the browser loads everything again.
            Some(
                view! {
                    <a class="button primary" href=here>
                        {language.text(sentence!(notice.reload))}
                    </a>
                }
                .into_any(),
            )
        }
        WayOn::None => None,
    };
    view! {
        <section class="notice-card" role="alert" data-testid="notice" data-code=code.as_str()>
            <span class="notice-card-icon">
                <Icon name=notice_icon(code) />
            </span>
            <h1>{language.text(title)}</h1>
            <p>{language.text(hint)}</p>
            <div class="notice-card-actions">
                {way_on} {is_for_the_doctor(code).then(|| view! { <CheckLink class="button" /> })} <Link to=Route::Home class="button">
                    {language.text(sentence!(notice.home))}
                </Link>
            </div>
        </section>
    }
    .into_any()
}

/// A problem with what was typed, told beside the input.
#[component]
pub fn InputNotice(
    /// What happened.
    code: NoticeCode,
    /// For `aria-describedby`.
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

enum WayOn {
    Retry,
    Reload,
    None,
}

fn way_on(code: NoticeCode) -> WayOn {
    match code {
        NoticeCode::NameInvalid | NoticeCode::ProtocolError | NoticeCode::ProtocolVersion => WayOn::Reload,
        NoticeCode::UnsupportedBrowser | NoticeCode::RoomNameInvalid => WayOn::None,
        _ => WayOn::Retry,
    }
}

/// Whether the connection doctor knows more.
fn is_for_the_doctor(code: NoticeCode) -> bool {
    matches!(
        code,
        NoticeCode::ConnectionFailed
            | NoticeCode::ServerUnreachable
            | NoticeCode::SignallingLost
            | NoticeCode::PermissionDenied
            | NoticeCode::NoDevice
            | NoticeCode::DeviceInUse
            | NoticeCode::InsecureContext
            | NoticeCode::UnsupportedBrowser
    )
}

fn notice_icon(code: NoticeCode) -> IconName {
    match code {
        NoticeCode::PermissionDenied
        | NoticeCode::PermissionPending
        | NoticeCode::NoDevice
        | NoticeCode::DeviceInUse
        | NoticeCode::CameraLost
        | NoticeCode::InsecureContext => IconName::CameraOff,
        NoticeCode::MicrophoneLost => IconName::MicrophoneOff,
        NoticeCode::ScreenUnavailable => IconName::Screen,
        NoticeCode::AutoplayBlocked => IconName::Sound,
        NoticeCode::RoomFull => IconName::People,
        NoticeCode::MessageTooLong => IconName::Chat,
        _ => IconName::Alert,
    }
}
