//! The parts of a room's page beside the pictures. Their module loads after the one that connects people, and one loader serves all of
//! them: a module that does not come is one notice, and is requested until it comes.

use std::time::Duration;

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::page::clock;
use sightline_core::notice::NoticeCode;

use super::{kit::when::When, later::Later};
use crate::chunk::{LoadView, Loading};

/// Delay until a failed load is repeated.
const AGAIN: Duration = Duration::from_secs(3);

/// The loader of the parts.
#[derive(Debug, Clone, Copy)]
pub struct RoomParts {
    are_here: RwSignal<bool>,
    is_requested: StoredValue<bool>,
    notices: RwSignal<Vec<NoticeCode>>,
    preload: fn() -> Loading,
}

impl RoomParts {
    /// Gives the components of a room's page the loader of their parts, whose module `preload` loads. A module that does not come is one
    /// of these notices.
    #[must_use]
    pub fn provide(preload: fn() -> Loading, notices: RwSignal<Vec<NoticeCode>>) -> Self {
        let (are_here, is_requested) = (RwSignal::new(false), StoredValue::new(false));
        let parts = Self { are_here, is_requested, notices, preload };
        provide_context(parts);
        parts
    }

    /// The loader of the page that a component is on.
    #[must_use]
    pub fn from_context() -> Option<Self> {
        use_context()
    }

    /// Loads the parts. Further calls change nothing.
    pub fn load(self) {
        if self.is_requested.try_update_value(|is_requested| std::mem::replace(is_requested, true))
            != Some(false)
        {
            return;
        }
        spawn_local(async move {
            let mut is_told = false;
            while (self.preload)().await.is_err() {
                if self.are_here.is_disposed() {
                    // The person left the page.
                    return;
                }
                if !std::mem::replace(&mut is_told, true) {
                    self.notices.try_update(|notices| {
                        if !notices.contains(&NoticeCode::PartUnavailable) {
                            notices.push(NoticeCode::PartUnavailable);
                        }
                    });
                }
                clock::sleep(AGAIN).await;
            }
            if is_told {
                self.notices
                    .try_update(|notices| notices.retain(|code| *code != NoticeCode::PartUnavailable));
            }
            self.are_here.try_set(true);
        });
    }

    /// Whether the parts can be shown.
    #[must_use]
    pub fn are_here(self) -> Signal<bool> {
        self.are_here.into()
    }
}

/// A part, shown as soon as it is loaded.
#[component]
pub fn RoomPart(
    /// The loader, from [`chunk!`](crate::chunk!), of a part in the module that [`RoomParts`] loads.
    view: LoadView,
) -> AnyView {
    let view = StoredValue::new_local(view);
    RoomParts::from_context()
        .map(|parts| view! { <When is=parts.are_here()><Later view=view.get_value() /></When> })
        .into_any()
}
