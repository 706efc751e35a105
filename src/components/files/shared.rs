//! Takes files that another app shared with the installed page.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    files::shared::{start_share_worker, take_shared_files},
    page::location::{self, Location},
};

use crate::{
    chunk, components::kit::when::When, language::Language, navigation::Navigator, sentence,
    session::picked_ahead,
};

/// The query with which the share worker opens the first page.
const SHARED: &str = "?shared";

/// Whether the share worker opened this page.
#[must_use]
pub fn address_has_shared_files() -> bool {
    Location::current().query == SHARED
}

/// Number of shared files that are named.
const NAMED: usize = 3;

chunk! {
    /// Starts the share worker, loaded on demand, and shows the files that it took. Any web page can hand it files, so nothing is
    /// entered before a click. In the module of the room, which a person who installed the app has loaded before.
    pub fn load_shared_files, preload_shared_files in room() {
        let (navigator, language) = (Navigator::from_context(), Language::from_context());
        let names = RwSignal::new(String::new());
        let has_files = Signal::derive(move || !names.with(String::is_empty));
        let is_lost = RwSignal::new(false);
        spawn_local(async move {
            // Without it, other apps share nothing with this one.
            let _ = start_share_worker().await;
        });
        if address_has_shared_files() {
            // A reload must not look for them again.
            location::replace(&Location::current().path);
            spawn_local(async move {
                match take_shared_files().await {
                    Ok(files) if !files.is_empty() => {
                        names.set(some_of(&files.names()));
                        picked_ahead::keep(files);
                    }
                    _ => is_lost.set(true),
                }
            });
        }
        let send = move |_| navigator.into_iter().for_each(Navigator::send_files);
        view! {
            <When is=has_files>
                <section class="home-permission" data-testid="shared-files">
                    <p>{language.text(sentence!(shared.ready))} " " <bdi>{names}</bdi></p>
                    <button type="button" class="button primary large" data-testid="shared-send" on:click=send>
                        {language.text(sentence!(shared.send))}
                    </button>
                </section>
            </When>
            <When is=is_lost>
                <p class="entry-hint" role="alert" data-testid="shared-lost">
                    {language.text(sentence!(shared.lost))}
                </p>
            </When>
        }
        .into_any()
    }
}

/// The first names, and how many more there are.
fn some_of(names: &[String]) -> String {
    let named = names.iter().take(NAMED).cloned().collect::<Vec<_>>().join(", ");
    let more = names.len().saturating_sub(NAMED);
    if more == 0 { named } else { format!("{named} (+{more})") }
}
