//! Pages for addresses without a page.

use leptos::prelude::*;
use sightline_core::notice::NoticeCode;

use crate::{
    components::{
        kit::{link::Link, logo::Mark, page_header::PageHeader},
        notices::{page::NoticePage, text::notice_text},
    },
    language::Language,
    route::Route,
    sentence,
};

/// Says that there is no such page, and links to the first page.
#[component]
pub fn NotFound() -> AnyView {
    let language = Language::from_context();
    view! {
        <PageHeader />
        <main class="page-middle">
            <section class="notice-card" data-testid="not-found">
                <Mark />
                <h1>{language.text(sentence!(not_found.title))}</h1>
                <p>{language.text(sentence!(not_found.text))}</p>
                <div class="notice-card-actions">
                    <Link to=Route::Home class="button primary">
                        {language.text(sentence!(not_found.home))}
                    </Link>
                </div>
            </section>
        </main>
    }
    .into_any()
}

/// Says what is wrong with the address of a room.
#[component]
pub fn AddressInvalid(
    /// What is wrong.
    code: NoticeCode,
) -> AnyView {
    view! { <NoticePage code=code text=notice_text /> }.into_any()
}
