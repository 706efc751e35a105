//! The list of devices, and what happens when one is plugged in or out.

use leptos::{prelude::*, task::spawn_local};
use sightline_browser::{
    js::queue::{EventSink, event_queue},
    media::devices::{self, DeviceKind},
};
use sightline_core::notice::NoticeCode;

use super::LocalMedia;
use crate::session::{model::DeviceChoice, preferences::Setting, signals};

impl LocalMedia {
    /// Opens the browser's own dialog for choosing a loudspeaker.
    pub fn prompt_for_speaker(&self) {
        let media = self.clone();
        spawn_local(async move {
            // Without a choice the present loudspeaker stays.
            let Ok(device) = devices::prompt_for_speaker().await else { return };
            media.list_devices().await;
            signals::set(media.preferences.signal(Setting::Speaker), device.id);
        });
    }

    pub(super) fn watch_devices(&self) {
        let (sink, mut stream) = event_queue(4);
        self.inner.borrow_mut().device_listener = devices::report_changes(sink);
        let media = self.clone();
        spawn_local(async move {
            media.list_devices().await;
            while stream.next().await.is_some() {
                media.handle_change().await;
            }
        });
    }

    pub(super) async fn list_devices(&self) {
        let Ok(found) = devices::enumerate().await else { return };
        let of_kind = |kind: DeviceKind| {
            found
                .iter()
                .filter(|device| device.kind == kind && !device.id.is_empty())
                .map(|device| DeviceChoice { id: device.id.clone(), label: device.label.clone() })
                .collect::<Vec<_>>()
        };
        signals::set(self.signals.cameras, of_kind(DeviceKind::Camera));
        signals::set(self.signals.microphones, of_kind(DeviceKind::Microphone));
        signals::set(self.signals.speakers, of_kind(DeviceKind::Speaker));
    }

    /// Listens for a device that ends by itself: tells the person, and continues with another device if there is one.
    pub(super) fn lost(&self, kind: DeviceKind) -> EventSink<()> {
        let (sink, mut stream) = event_queue(1);
        let media = self.clone();
        spawn_local(async move {
            if stream.next().await.is_none() {
                return;
            }
            let is_ours = {
                let mut inner = media.inner.borrow_mut();
                let slot = match kind {
                    DeviceKind::Camera => &mut inner.camera,
                    _ => &mut inner.microphone,
                };
                slot.take_if(|track| track.is_ended()).is_some()
            };
            if is_ours {
                media.raise(lost_code(kind));
                media.announce();
                media.list_devices().await;
                media.ask_for_present();
            }
        });
        sink
    }

    /// Handles a change of the devices. The chosen device is used again when it returns, and any device is used where there was
    /// none.
    async fn handle_change(&self) {
        let kinds = [
            (DeviceKind::Camera, Setting::Camera, self.signals.cameras),
            (DeviceKind::Microphone, Setting::Microphone, self.signals.microphones),
        ];
        let is_listed = |setting, devices: RwSignal<Vec<DeviceChoice>>| {
            let chosen = self.preferences.value(setting);
            devices.try_with_untracked(|devices| devices.iter().any(|device| device.id == chosen))
                == Some(true)
        };
        let before = kinds.map(|(_, setting, devices)| is_listed(setting, devices));
        self.list_devices().await;
        for ((kind, setting, devices), was_listed) in kinds.into_iter().zip(before) {
            if !was_listed && is_listed(setting, devices) {
                self.clear(lost_code(kind));
                self.replace(kind);
            }
        }
        self.ask_for_present();
    }

    /// Asks for missing devices that exist now. A person who refused is not asked again.
    fn ask_for_present(&self) {
        let is_refused = self
            .signals
            .notices
            .try_with_untracked(|notices| notices.contains(&NoticeCode::PermissionDenied))
            .unwrap_or(true);
        let is_there = |devices: RwSignal<Vec<DeviceChoice>>| {
            devices.try_with_untracked(|devices| !devices.is_empty()) == Some(true)
        };
        let is_useful = {
            let inner = self.inner.borrow();
            let (camera, microphone) = inner.missing();
            (!camera || is_there(self.signals.cameras)) && (!microphone || is_there(self.signals.microphones))
        };
        if is_useful && !is_refused {
            self.ask_for_missing();
        }
    }
}

fn lost_code(kind: DeviceKind) -> NoticeCode {
    match kind {
        DeviceKind::Camera => NoticeCode::CameraLost,
        DeviceKind::Microphone | DeviceKind::Speaker => NoticeCode::MicrophoneLost,
    }
}
