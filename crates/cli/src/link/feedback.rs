//! What a viewer says of the pictures: requests for keyframes, and how far it received them.

use std::{collections::VecDeque, time::Instant};

use rtc::{
    interceptor::{Attribute, Interceptor, Packet, StreamInfo, TaggedPacket},
    rtcp::{
        payload_feedbacks::{
            full_intra_request::FullIntraRequest, picture_loss_indication::PictureLossIndication,
        },
        receiver_report::ReceiverReport,
    },
    sansio::Protocol,
    shared::error::Error as RtcError,
};
use tokio::sync::watch;

/// Lets keyframe requests through to the application, and reads receiver reports. The crate `rtc` 0.21 drops all RTCP that no
/// interceptor marks, and gives a report about several streams to the first one only.
pub(super) struct ViewerFeedback {
    video_ssrc: u32,
    /// The number of the latest packet of pictures that the viewer has.
    received: watch::Sender<Option<u16>>,
    read: VecDeque<TaggedPacket>,
    written: VecDeque<TaggedPacket>,
}

impl ViewerFeedback {
    /// Reads what a viewer says of the stream of pictures with this SSRC.
    pub(super) fn new(video_ssrc: u32, received: watch::Sender<Option<u16>>) -> Self {
        Self { video_ssrc, received, read: VecDeque::new(), written: VecDeque::new() }
    }

    fn read_report(&self, report: &ReceiverReport) {
        for report in report.reports.iter().filter(|report| report.ssrc == self.video_ssrc) {
            // The upper half counts how often the number began again (RFC 3550, section 6.4.1).
            self.received.send_replace(Some(report.last_sequence_number as u16));
        }
    }
}

impl Protocol<TaggedPacket, TaggedPacket, ()> for ViewerFeedback {
    type Rout = TaggedPacket;
    type Wout = TaggedPacket;
    type Eout = ();
    type Error = RtcError;
    type Time = Instant;

    fn handle_read(&mut self, mut packet: TaggedPacket) -> Result<(), RtcError> {
        if let Packet::Rtcp(all) = &mut packet.message.packet {
            all.iter()
                .filter_map(|one| one.as_any().downcast_ref())
                .for_each(|report| self.read_report(report));
            all.retain(|one| {
                one.as_any().is::<PictureLossIndication>() || one.as_any().is::<FullIntraRequest>()
            });
            if all.is_empty() {
                return Ok(());
            }
            packet.message.add(Attribute::DeliverToApplication);
        }
        self.read.push_back(packet);
        Ok(())
    }

    fn poll_read(&mut self) -> Option<TaggedPacket> {
        self.read.pop_front()
    }

    fn handle_write(&mut self, packet: TaggedPacket) -> Result<(), RtcError> {
        self.written.push_back(packet);
        Ok(())
    }

    fn poll_write(&mut self) -> Option<TaggedPacket> {
        self.written.pop_front()
    }
}

impl Interceptor for ViewerFeedback {
    fn bind_local_stream(&mut self, _: &StreamInfo) {}
    fn unbind_local_stream(&mut self, _: &StreamInfo) {}
    fn bind_remote_stream(&mut self, _: &StreamInfo) {}
    fn unbind_remote_stream(&mut self, _: &StreamInfo) {}
}
