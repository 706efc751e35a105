//! A part of the page that is loaded when it is shown.

use std::rc::Rc;

use leptos::{prelude::*, reactive::computed::ScopedFuture, task::spawn_local};
use sightline_core::notice::NoticeCode;

use super::notices::{page::NoticePage, text::notice_text};
use crate::{
    chunk::{ChunkLost, LoadView},
    language::Language,
    sentence,
};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Progress {
    Loading,
    Here,
    Lost,
}

/// Makes the view that is shown in place of a part. The argument is an action that tries again, if the part could not be loaded.
pub type Meanwhile = Rc<dyn Fn(Option<Callback<()>>) -> AnyView>;

/// The part, once it is loaded; a sentence and a button to try again if it cannot be loaded.
#[component]
pub fn Later(
    /// The loader, from [`chunk!`](crate::chunk!).
    view: LoadView,
) -> AnyView {
    load(view, Rc::new(|retry| retry.map_or_else(|| ().into_any(), lost)))
}

/// The part, with another view in its place until it is loaded.
#[component]
pub fn LaterWith(
    /// The loader, from [`chunk!`](crate::chunk!).
    view: LoadView,
    /// The view in its place.
    meanwhile: Meanwhile,
) -> AnyView {
    load(view, meanwhile)
}

/// A whole page, loaded on demand.
#[component]
pub fn LaterPage(
    /// The loader, from [`chunk!`](crate::chunk!).
    view: LoadView,
) -> AnyView {
    load(view, Rc::new(|retry| retry.map_or_else(|| ().into_any(), lost_page)))
}

fn load(view: LoadView, meanwhile: Meanwhile) -> AnyView {
    let progress = RwSignal::new(Progress::Loading);
    let meanwhile = StoredValue::new_local(meanwhile);
    let owner = StoredValue::new(Owner::current().unwrap_or_default());
    let (loader, loaded) = (StoredValue::new_local(view), StoredValue::new_local(None));
    let load = move || {
        let Some(loading) = loader.try_with_value(|load| load()) else { return };
        // A click has no reactive owner, so the part gets the owner that this component had when it was made.
        let Some(owner) = owner.try_get_value() else { return };
        let building = owner.with(|| {
            ScopedFuture::new(async move {
                let outcome = match loading.await {
                    Ok(view) => {
                        loaded.try_set_value(Some(view));
                        Progress::Here
                    }
                    Err(ChunkLost) => Progress::Lost,
                };
                progress.try_set(outcome);
            })
        });
        spawn_local(building);
    };
    load();
    let retry = Callback::new(move |()| {
        // Only the first of several requests loads the part.
        if progress.get_untracked() == Progress::Lost {
            progress.set(Progress::Loading);
            load();
        }
    });
    (move || match progress.get() {
        Progress::Loading => meanwhile.try_with_value(|meanwhile| meanwhile(None)),
        Progress::Here => loaded.try_update_value(Option::take).flatten(),
        Progress::Lost => meanwhile.try_with_value(|meanwhile| meanwhile(Some(retry))),
    })
    .into_any()
}

fn lost_page(retry: Callback<()>) -> AnyView {
    view! { <NoticePage code=NoticeCode::PartUnavailable text=notice_text retry=retry /> }.into_any()
}

fn lost(retry: Callback<()>) -> AnyView {
    let language = Language::from_context();
    let (title, hint) = notice_text(NoticeCode::PartUnavailable);
    view! {
        <div class="panel-empty" role="alert" data-testid="notice" data-code=NoticeCode::PartUnavailable.as_str()>
            <p class="panel-empty-title">{language.text(title)}</p>
            <p>{language.text(hint)}</p>
            <button type="button" class="button small" on:click=move |_| retry.run(())>
                {language.text(sentence!(notice.retry))}
            </button>
        </div>
    }
    .into_any()
}
