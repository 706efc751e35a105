//! A page that replaces the room when a problem prevents the call, with the possible next steps.

use leptos::prelude::*;
use sightline_core::notice::NoticeCode;

use super::{
    notice::{is_for_the_doctor, notice_icon},
    text::NoticeText,
};
use crate::{
    components::kit::{check_link::CheckLink, icon::Icon, link::Link, page_header::PageHeader},
    language::Language,
    navigation::Navigator,
    route::Route,
    sentence,
};

/// Shows a problem in place of the room.
#[component]
pub fn NoticePage(
    /// The code of the problem.
    code: NoticeCode,
    /// The texts.
    text: NoticeText,
    /// Connects to the server again.
    #[prop(optional)]
    retry: Option<Callback<()>>,
) -> AnyView {
    let language = Language::from_context();
    let (title, hint) = text(code);
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
            let navigator = Navigator::from_context();
            let reload = move |_| {
                if let Some(navigator) = navigator {
                    navigator.reload();
                }
            };
            Some(
                view! {
                    <button type="button" class="button primary" on:click=reload>
                        {language.text(sentence!(notice.reload))}
                    </button>
                }
                .into_any(),
            )
        }
        WayOn::None => None,
    };
    view! {
        <PageHeader />
        <main class="page-middle">
            <section class="notice-card" role="alert" data-testid="notice" data-code=code.as_str()>
                <span class="notice-card-icon">
                    <Icon name=notice_icon(code) />
                </span>
                <h1>{language.text(title)}</h1>
                <p>{language.text(hint)}</p>
                <div class="notice-card-actions">
                    {way_on} {is_for_the_doctor(code).then(|| view! { <CheckLink class="button" /> })}
                    <Link to=Route::Home class="button">
                        {language.text(sentence!(notice.home))}
                    </Link>
                </div>
            </section>
        </main>
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
        NoticeCode::NameInvalid
        | NoticeCode::ProtocolError
        | NoticeCode::ProtocolVersion
        | NoticeCode::OriginRefused
        | NoticeCode::HostRefused
        // Another page instance: the others accept nothing more from this one.
        | NoticeCode::Removed => WayOn::Reload,
        NoticeCode::UnsupportedBrowser
        | NoticeCode::RoomNameInvalid
        | NoticeCode::InvitationInvalid
        // Only another link leads into the room.
        | NoticeCode::LinkChanged
        | NoticeCode::RoomEnded => WayOn::None,
        _ => WayOn::Retry,
    }
}
