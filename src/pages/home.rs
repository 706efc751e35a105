//! The first page: make a room, or enter one.

use std::rc::Rc;

use leptos::{html, prelude::*};
use sightline_browser::page::environment;
use sightline_core::notice::NoticeCode;

use crate::{
    components::{
        files::{address_has_shared_files, load_home_drop_zone, load_shared_files},
        kit::{
            icon::{Icon, IconName},
            link::Link,
            logo::Sightline,
            page_header::PageHeader,
            when::When,
        },
        later::{Later, LaterWith},
        notices::notice::InputNotice,
        settings::create_token::load_create_token_line,
    },
    create_token,
    invitation::{Entry, read_entry},
    language::{Language, Sentence},
    navigation::Navigator,
    route::Route,
    sentence,
};

/// The first page.
#[component]
pub fn Home() -> AnyView {
    let language = Language::from_context();
    let navigator = Navigator::from_context();
    let input = NodeRef::<html::Input>::new();
    let typed = RwSignal::new(String::new());
    let is_invalid = RwSignal::new(false);
    create_token::take_from_address();
    let has_token = create_token::kept().is_some();
    // The module `engine` takes the files, which a person needs next anyway. A phone has nothing to drop, and should not load more
    // than it needs.
    let is_shared_with = address_has_shared_files();
    let drop_zone = (!environment::has_touch() && !is_shared_with).then(|| {
        view! { <LaterWith view=load_home_drop_zone() meanwhile=Rc::new(|_| ().into_any()) /> }
    });
    let shared = (environment::is_installed() || is_shared_with).then(|| {
        view! { <LaterWith view=load_shared_files() meanwhile=Rc::new(|_| ().into_any()) /> }
    });
    let go = move |route: Route| {
        if let Some(navigator) = navigator {
            navigator.go(route);
        }
    };
    let enter_new = move || navigator.into_iter().for_each(Navigator::enter_new_room);
    let send_files = move |_| navigator.into_iter().for_each(Navigator::send_files);
    let submit = move || match typed.with_untracked(|typed| read_entry(typed)) {
        Entry::NewRoom => enter_new(),
        Entry::Room(room) => go(Route::Room(room)),
        Entry::InvitationInvalid => go(Route::InvitationInvalid),
        Entry::Invalid => {
            is_invalid.set(true);
            if let Some(input) = input.get_untracked() {
                let _ = input.focus();
            }
        }
    };
    view! {
        <PageHeader />
        <main class="home">
            <section class="hero">
                <Sightline />
                <h1>{language.text(sentence!(home.title))}</h1>
                <p class="hero-lead">{language.text(sentence!(home.lead))}</p>
                {shared}
                <div class="entry">
                    <div class="entry-new">
                        <button type="button" class="button primary large" data-testid="new-room" on:click=move |_| enter_new()>
                            <Icon name=IconName::PLUS />
                            {language.text(sentence!(home.new_room))}
                        </button>
                        <p class="entry-hint">{language.text(sentence!(home.new_room_hint))}</p>
                    </div>
                    <div class="entry-new">
                        <button type="button" class="button large" data-testid="send-files" on:click=send_files>
                            <Icon name=IconName::UPLOAD />
                            {language.text(sentence!(home.send_files))}
                        </button>
                        <p class="entry-hint">{language.text(sentence!(home.send_files_hint))}</p>
                    </div>
                    <form
                        class="entry-form"
                        novalidate
                        on:submit=move |event| {
                            event.prevent_default();
                            submit();
                        }
                    >
                        <label class="field-label" for="room-input">
                            {language.text(sentence!(home.room_label))}
                        </label>
                        <div class="entry-line">
                            <input
                                node_ref=input
                                id="room-input"
                                class="input"
                                type="text"
                                autocomplete="off"
                                autocapitalize="none"
                                spellcheck="false"
                                enterkeyhint="go"
                                data-testid="room-input"
                                placeholder=language.text(sentence!(home.room_placeholder))
                                aria-invalid=Signal::derive(move || is_invalid.get().to_string())
                                aria-describedby=Signal::derive(move || is_invalid.get().then_some("room-problem"))
                                prop:value=typed
                                on:input=move |event| {
                                    typed.set(event_target_value(&event));
                                    is_invalid.set(false);
                                }
                            />
                            <button type="submit" class="button large" data-testid="go">
                                {language.text(sentence!(home.go))}
                                <Icon name=IconName::ARROW />
                            </button>
                        </div>
                        <When is=is_invalid>
                            <InputNotice code=NoticeCode::RoomNameInvalid id="room-problem" />
                        </When>
                    </form>
                </div>
                {drop_zone}
                {has_token.then(|| view! { <Later view=load_create_token_line() /> })}
            </section>
            <ul class="verbs">
                <Verb title=sentence!(home.talk) text=sentence!(home.talk_text) />
                <Verb title=sentence!(home.send) text=sentence!(home.send_text) />
                <Verb title=sentence!(home.measure) text=sentence!(home.measure_text) />
            </ul>
            <p class="home-check">
                <Link to=Route::Check class="check-link">
                    {language.text(sentence!(check_link.open))}
                </Link>
                <Link to=Route::Report class="check-link">
                    {language.text(sentence!(home.reports))}
                </Link>
            </p>
        </main>
    }
    .into_any()
}

#[component]
fn Verb(title: Sentence, text: Sentence) -> AnyView {
    let language = Language::from_context();
    view! {
        <li class="verb">
            <h2>{language.text(title)}</h2>
            <p>{language.text(text)}</p>
        </li>
    }
    .into_any()
}
