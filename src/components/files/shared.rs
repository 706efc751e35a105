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

chunk! {
    /// Starts the share worker, loaded on demand. Opens a room for the files, if the worker has some; so this is in the module of the
    /// room, which a person who installed the app has loaded before.
    pub fn load_shared_files, preload_shared_files in engine() {
        let (navigator, language) = (Navigator::from_context(), Language::from_context());
        let is_lost = RwSignal::new(false);
        spawn_local(async move {
            // Without it, other apps share nothing with this one.
            let _ = start_share_worker().await;
        });
        if address_has_shared_files() {
            // A reload must not look for them again.
            location::replace(&Location::current().path);
            spawn_local(async move {
                match (take_shared_files().await, navigator) {
                    (Ok(files), Some(navigator)) if !files.is_empty() => {
                        picked_ahead::keep(files);
                        navigator.send_files();
                    }
                    _ => is_lost.set(true),
                }
            });
        }
        view! {
            <When is=is_lost>
                <p class="entry-hint" role="alert" data-testid="shared-lost">
                    {language.text(sentence!(shared.lost))}
                </p>
            </When>
        }
        .into_any()
    }
}
