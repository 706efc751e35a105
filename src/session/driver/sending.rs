//! What is sent on the links: the tracks of the devices, and the settings for bitrate, codec, path and servers.

use sightline_browser::BrowserError;
use sightline_core::{
    Timestamp,
    media::{SendSituation, send_limits},
    negotiation::Role,
    notice::NoticeCode,
    room::{LinkEvent, LinkId},
};
use sightline_protocol::signaling::IceServer;

use super::{Driver, measuring::conditions};
use crate::session::{link::Link, media::Taken, preferences::Setting};

impl Driver {
    /// Sends the tracks of the devices on every link, and announces the published state to all members.
    pub(super) fn publish(&mut self, now: Timestamp) {
        for link in self.links.values() {
            link.send_tracks(&self.media);
        }
        if let Some(spare) = &self.spare {
            spare.set_tracks(&self.media);
        }
        let published = self.media.published();
        self.session.set_published(published, now);
        self.measurements.set_conditions(conditions(&self.media));
        self.measurements.handle_own_published(published, now);
        self.perform_measurements();
        self.view.show_local(published);
        self.show_taken(now);
        self.limit_sending();
    }

    /// Shows which devices the system or another app has had for a while.
    pub(super) fn show_taken(&mut self, now: Timestamp) {
        // The lobby shows no picture then.
        if !self.has_entered {
            return;
        }
        let Taken { camera, microphone } = self.media.taken();
        let [camera_absence, microphone_absence] = &mut self.absences;
        for (code, is_taken, absence) in [
            (NoticeCode::CameraTaken, camera, camera_absence),
            (NoticeCode::MicrophoneTaken, microphone, microphone_absence),
        ] {
            let was_reported = absence.is_reported();
            absence.handle_muted(is_taken, now);
            absence.handle_timeout(now);
            // A person may have dismissed the notice.
            if absence.is_reported() != was_reported {
                self.view.show_notice(code, absence.is_reported());
            }
        }
    }

    /// Applies a setting that changed during the call.
    pub(super) fn apply(&mut self, setting: Setting, now: Timestamp) {
        let preferences = self.media.preferences();
        self.measurements.set_conditions(conditions(&self.media));
        match setting {
            Setting::BitrateLimit => self.limit_sending(),
            Setting::Codec => {
                let codec = preferences.codec();
                for (id, link) in &self.links {
                    link.connection.prefer_codec(codec.as_deref());
                    self.session.handle_link(*id, LinkEvent::NegotiationNeeded, now);
                }
            }
            Setting::JitterBuffer => self.links.values().for_each(|link| self.hold_back(link)),
            Setting::IceServers => {
                self.own_ice_servers = preferences.ice_servers().servers;
                self.set_ice_servers();
            }
            Setting::RelayOnly => {
                let is_wanted = preferences.relay_only();
                self.configure_links(|link| link.connection.set_relay_only(is_wanted));
            }
            _ => {}
        }
    }

    pub(super) fn ice_servers(&self) -> &[IceServer] {
        if self.own_ice_servers.is_empty() { self.session.ice_servers() } else { &self.own_ice_servers }
    }

    pub(super) fn set_ice_servers(&mut self) {
        let servers = self.ice_servers().to_vec();
        self.configure_links(|link| link.connection.set_ice_servers(&servers));
    }

    /// Configures every connection. One that refuses goes on as it is, and the next one is made as it is wanted.
    fn configure_links(&mut self, configure: impl Fn(&Link) -> Result<(), BrowserError>) {
        let failed: Vec<_> = self
            .links
            .values()
            .filter_map(|link| Some((link.member.clone(), configure(link).err()?)))
            .collect();
        for (member, error) in failed {
            self.note_failed_call(&member, "setConfiguration", &error.to_string());
        }
    }

    /// Sets the limits of every sender for the present number of members.
    pub(super) fn limit_sending(&self) {
        let (scale_down_by, max_frames_per_second) = self.media.file_limits();
        let limits = send_limits(&SendSituation {
            members: self.session.peers().count() + 1,
            source: self.media.published().source,
            captured_lines: self.media.captured_lines(),
            max_bitrate_bps: self.media.preferences().max_bitrate_bps(),
            max_frames_per_second,
            scale_down_by,
        });
        self.links.values().for_each(|link| link.limit_sending(limits));
    }

    fn hold_back(&self, link: &Link) {
        link.set_jitter_buffer_target(self.media.preferences().jitter_buffer_target_ms());
    }

    /// Configures the senders and receivers of a link that came up; before the negotiation they could not be configured.
    pub(super) fn equip(&mut self, id: LinkId, now: Timestamp) {
        let Some(link) = self.links.get(&id) else { return };
        self.hold_back(link);
        self.media.handle_viewer();
        // The order of codecs in the offer counts for both sides, so an answerer that prefers a codec makes an offer once.
        if link.role == Role::Answerer && self.media.preferences().codec().is_some() {
            self.session.handle_link(id, LinkEvent::NegotiationNeeded, now);
        }
        self.limit_sending();
    }
}
