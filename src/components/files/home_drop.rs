//! Takes files that are dropped or pasted on the first page.

use leptos::prelude::*;

use super::drop_zone::DropZone;
use crate::{chunk, navigation::Navigator, session::picked_ahead};

chunk! {
    /// The drop zone of the first page, loaded on demand: it opens a room for the files.
    pub fn load_home_drop_zone, preload_home_drop_zone in engine() {
        picked_ahead::take();
        let navigator = Navigator::from_context();
        let offer = Callback::new(move |files| {
            if let Some(navigator) = navigator {
                picked_ahead::keep(files);
                navigator.send_files();
            }
        });
        view! { <DropZone offer=offer /> }.into_any()
    }
}
