//! The level of the microphone.

use std::time::Duration;

use leptos::task::spawn_local;
use sightline_browser::page::clock;

use super::LocalMedia;
use crate::session::signals;

const LEVEL_INTERVAL: Duration = Duration::from_millis(100);

impl LocalMedia {
    /// The present level of the microphone, from 0 to 1.
    pub fn level(&self) -> f64 {
        self.inner.borrow().meter.as_ref().map_or(0.0, |meter| f64::from(meter.level()))
    }

    /// Stops updating the level, which the room does not show.
    pub fn hide_level(&self) {
        self.inner.borrow_mut().shows_level = false;
    }

    pub(super) fn show_level(&self) {
        let media = self.clone();
        spawn_local(async move {
            loop {
                clock::sleep(LEVEL_INTERVAL).await;
                if !media.inner.borrow().shows_level {
                    return;
                }
                signals::set(media.signals.level, media.level());
            }
        });
    }
}
