//! What one viewer gets, and when.
//!
//! A viewer begins with the nearest earlier keyframe and gets everything since then at once, as fast as the budget allows. A frame
//! that is sent late is stamped with the time of sending, so the receiver shows it as soon as it arrives and is at the position of
//! all others when it has caught up. A keyframe request does the same again, and so does an end of the pictures that the viewer does
//! not have: of a picture that stands, no later packet tells that it is missing.
//!
//! Contract: call [`Outlet::poll`] until it returns no packet, and again at the time that it names or when frames were released.

use std::{collections::VecDeque, time::Duration};

use bytes::Bytes;
use sightline_core::Timestamp;

use super::{
    Track, VideoCodec,
    budget::Budget,
    packetizer::{VideoPacketizer, opus_samples},
    playback::{Playback, Released},
    rtp_clock::{AUDIO_HZ, VIDEO_HZ, ticks},
};

/// A frame that is sent this long after it was due is late: the receiver's jitter buffer would wait for as long.
const LATE: Duration = Duration::from_millis(80);
/// Sound that is this late is not sent: nobody wants to hear it while the pictures catch up.
const SILENT: Duration = Duration::from_millis(200);
/// Requests within this time after the last answer are about the same loss, or were sent before the answer arrived. Receivers
/// repeat a request.
const REQUEST_INTERVAL: Duration = Duration::from_millis(700);
/// Sound whose timestamps differ by more from the clock than this is stamped anew; smaller differences are the rounding of the
/// file's timestamps, which a receiver would hear.
const DRIFT: Duration = Duration::from_millis(100);

/// How long after the last packet the viewer must have said that it has it; doubled each time.
const UNCONFIRMED: Duration = Duration::from_secs(2);
/// How often a picture that stands is sent again without word of the viewer: some never say anything.
const MAX_REPETITIONS: u32 = 5;

/// A packet without its SSRC and payload type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaPacket {
    pub(crate) track: Track,
    pub(crate) sequence_number: u16,
    pub(crate) timestamp: u32,
    pub(crate) is_marked: bool,
    pub(crate) payload: Bytes,
}

/// What an outlet wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Step {
    Send(MediaPacket),
    /// Nothing before this time.
    WaitUntil(Timestamp),
    /// Nothing until more frames are released.
    Idle,
}

/// The packets of one viewer.
#[derive(Debug)]
pub(crate) struct Outlet {
    packetizer: VideoPacketizer,
    sends_audio: bool,
    /// The number of the next frame; `None` before the first one.
    next: Option<u64>,
    video: Stream,
    audio: Stream,
    waiting: VecDeque<MediaPacket>,
    budget: Budget,
    is_keyframe_wanted: bool,
    answered_at: Option<Timestamp>,
    /// When the last packet of pictures was sent; `None` once the viewer has it.
    unconfirmed_since: Option<Timestamp>,
    repetitions: u32,
}

impl Outlet {
    /// An outlet for a viewer without anything. `random` hides how long this program runs (RFC 3550, 5.1).
    pub(crate) fn new(codec: VideoCodec, sends_audio: bool, bytes_per_second: u64, random: u64) -> Self {
        let stream = |random: u64| Stream {
            sequence_number: random as u16,
            offset: (random >> 16) as u32,
            last: None,
        };
        Self {
            packetizer: VideoPacketizer::new(codec),
            sends_audio,
            next: None,
            video: stream(random),
            audio: stream(random.rotate_left(23)),
            waiting: VecDeque::new(),
            budget: Budget::new(bytes_per_second),
            is_keyframe_wanted: false,
            answered_at: None,
            unconfirmed_since: None,
            repetitions: 0,
        }
    }

    /// Notes that the viewer has the packet of pictures with this number, and those before or a request for them is under way.
    pub(crate) fn handle_received(&mut self, sequence_number: u16) {
        if sequence_number == self.video.sequence_number && self.waiting.is_empty() {
            (self.unconfirmed_since, self.repetitions) = (None, 0);
        }
    }

    /// Takes a request of the viewer for a keyframe. It is answered once the viewer has everything else.
    pub(crate) fn handle_keyframe_request(&mut self, playback: &Playback, now: Timestamp) {
        let is_answered = self.answered_at.is_some_and(|at| now.since(at) < REQUEST_INTERVAL);
        // A viewer that is still catching up gets the keyframe anyway, unless it was sent before.
        let is_to_come = self.next.is_none_or(|next| playback.beginning().is_none_or(|key| next <= key));
        self.is_keyframe_wanted |= !is_answered && !is_to_come;
    }

    /// The next step.
    pub(crate) fn poll(&mut self, playback: &Playback, now: Timestamp) -> Step {
        loop {
            if let Some(packet) = self.waiting.front() {
                if let Err(at) = self.budget.take(packet.payload.len() as u64, now) {
                    return Step::WaitUntil(at);
                }
                if let Some(packet) = self.waiting.pop_front() {
                    if packet.track == Track::Video {
                        self.unconfirmed_since = Some(now);
                    }
                    return Step::Send(packet);
                }
            }
            let next = match self.next {
                Some(next) => next,
                None => match playback.beginning() {
                    Some(beginning) => beginning,
                    None => return Step::Idle,
                },
            };
            let Some((number, released)) = playback.released(next) else {
                let Some(beginning) = playback.beginning() else { return Step::Idle };
                if !self.is_keyframe_wanted {
                    match self.repeats_at() {
                        Some(at) if at <= now => self.repetitions += 1,
                        Some(at) => return Step::WaitUntil(at),
                        None => return Step::Idle,
                    }
                }
                (self.next, self.answered_at, self.is_keyframe_wanted) = (Some(beginning), Some(now), false);
                continue;
            };
            self.next = Some(number + 1);
            if released.is_video() {
                self.packetize_video(released, now);
            } else if self.sends_audio && now.since(released.due) < SILENT {
                self.packetize_audio(released);
            }
        }
    }

    /// When the pictures since the keyframe are sent again if the viewer says nothing until then.
    fn repeats_at(&self) -> Option<Timestamp> {
        let since = self.unconfirmed_since.filter(|_| self.repetitions < MAX_REPETITIONS)?;
        Some(since + UNCONFIRMED * (1 << self.repetitions))
    }

    fn packetize_video(&mut self, released: &Released, now: Timestamp) {
        self.is_keyframe_wanted &= !released.frame.is_key;
        let at = if now.since(released.due) > LATE { now } else { released.due };
        let timestamp = self.video.stamp(ticks(at.since_origin(), VIDEO_HZ));
        let payloads = self.packetizer.packetize(&released.frame);
        let last = payloads.len().saturating_sub(1);
        for (at, payload) in payloads.into_iter().enumerate() {
            let sequence_number = self.video.number();
            let is_marked = at == last;
            let track = Track::Video;
            self.waiting.push_back(MediaPacket { track, sequence_number, timestamp, is_marked, payload });
        }
    }

    fn packetize_audio(&mut self, released: &Released) {
        let payload = released.frame.data.clone();
        let Some(samples) = opus_samples(&payload) else { return };
        let (timestamp, is_marked) =
            self.audio.stamp_sound(ticks(released.due.since_origin(), AUDIO_HZ), samples);
        let sequence_number = self.audio.number();
        let track = Track::Audio;
        self.waiting.push_back(MediaPacket { track, sequence_number, timestamp, is_marked, payload });
    }
}

/// Numbers and timestamps of one RTP stream.
#[derive(Debug)]
struct Stream {
    sequence_number: u16,
    offset: u32,
    /// The last timestamp without the offset; for sound, the one that the next packet continues.
    last: Option<u64>,
}

impl Stream {
    fn number(&mut self) -> u16 {
        self.sequence_number = self.sequence_number.wrapping_add(1);
        self.sequence_number
    }

    /// The timestamp for `due`, or the next one if this or a later one was given.
    fn stamp(&mut self, due: u64) -> u32 {
        let at = self.last.map_or(due, |last| due.max(last + 1));
        self.last = Some(at);
        self.offset.wrapping_add(at as u32)
    }

    /// The timestamp of a packet that continues the one before, and whether it does not.
    fn stamp_sound(&mut self, due: u64, samples: u32) -> (u32, bool) {
        let limit = ticks(DRIFT, AUDIO_HZ);
        let continued = self.last.filter(|last| last.abs_diff(due) <= limit);
        let begin = continued.unwrap_or(due);
        self.last = Some(begin + u64::from(samples));
        (self.offset.wrapping_add(begin as u32), continued.is_none())
    }
}

#[cfg(test)]
mod tests {
    use super::{super::testing::frame, *};

    fn ms(ms: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_millis(ms))
    }

    /// A file with a picture of `bytes` bytes every 40 ms, a keyframe every 2 s, and sound every 20 ms, from the time 0 on.
    fn file(bytes: usize) -> Playback {
        let mut playback = Playback::default();
        for number in 0..100_u64 {
            playback.handle_frame(frame(Track::Video, 40 * number, number % 50 == 0, bytes));
            for half in 0..2 {
                let mut sound = frame(Track::Audio, 40 * number + 20 * half, false, 20);
                sound.data = Bytes::from_static(&[0xfc; 20]);
                playback.handle_frame(sound);
            }
        }
        playback.handle_end();
        playback.play(ms(0));
        playback
    }

    fn outlet(sends_audio: bool) -> Outlet {
        Outlet::new(VideoCodec::Vp8, sends_audio, 50_000, 7)
    }

    /// Everything that is sent from `from` to `to`, with the time of sending.
    fn run(outlet: &mut Outlet, playback: &mut Playback, from: u64, to: u64) -> Vec<(u64, MediaPacket)> {
        let mut packets = Vec::new();
        for at in from..=to {
            playback.release(ms(at));
            while let Step::Send(packet) = outlet.poll(playback, ms(at)) {
                packets.push((at, packet));
            }
        }
        packets
    }

    fn pictures(packets: &[(u64, MediaPacket)]) -> Vec<(u64, u32)> {
        let ends = packets.iter().filter(|(_, packet)| packet.track == Track::Video && packet.is_marked);
        ends.map(|(at, packet)| (*at, packet.timestamp)).collect()
    }

    #[test]
    fn a_viewer_that_was_there_gets_each_picture_when_it_is_due() {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        let packets = run(&mut outlet, &mut playback, 0, 1000);
        let pictures = pictures(&packets);
        assert_eq!(pictures.len(), 26);
        for (number, (at, timestamp)) in pictures.iter().enumerate() {
            assert_eq!(*at, 40 * number as u64);
            assert_eq!(timestamp.wrapping_sub(pictures[0].1), 3600 * number as u32);
        }
        for pair in packets.windows(2) {
            assert_eq!(pair[1].1.sequence_number, pair[0].1.sequence_number.wrapping_add(1));
        }
    }

    #[test]
    fn a_late_joiner_gets_a_keyframe_at_once_and_is_at_the_position_of_the_others() {
        let (mut playback, mut early, mut late) = (file(300), outlet(false), outlet(false));
        run(&mut early, &mut playback, 0, 1500);
        let packets = run(&mut late, &mut playback, 1501, 1515);
        let caught_up = pictures(&packets);
        // All 38 pictures since the keyframe, within a few milliseconds.
        assert_eq!(caught_up.len(), 38);
        assert_eq!(packets[0].1.payload[1] & 1, 0, "the first one is a keyframe");
        let stamps: Vec<_> = caught_up.iter().map(|(_, stamp)| stamp.wrapping_sub(caught_up[0].1)).collect();
        assert!(stamps.windows(2).all(|pair| pair[0] < pair[1]), "{stamps:?}");
        assert!(stamps[37] < 90 * 15, "they are stamped with the time of sending: {stamps:?}");
        // From now on both get the same pictures at the same time.
        let (next, other) =
            (run(&mut late, &mut playback, 1516, 1600), run(&mut early, &mut playback, 1516, 1600));
        assert_eq!(pictures(&next).iter().map(|(at, _)| *at).collect::<Vec<_>>(), [1520, 1560, 1600]);
        assert_eq!(pictures(&other).len(), 3);
        let jump = pictures(&next)[0].1.wrapping_sub(caught_up[37].1);
        assert!(jump <= 90 * 20, "no gap in the timestamps: {jump}");
    }

    #[test]
    fn a_late_joiner_of_a_file_that_stands_sees_its_picture() {
        let mut playback = file(300);
        playback.release(ms(100));
        playback.pause(ms(100));
        let packets = run(&mut outlet(true), &mut playback, 60_000, 60_020);
        assert_eq!(pictures(&packets).len(), 3);
        assert!(packets.iter().all(|(_, packet)| packet.track == Track::Video), "old sound is not sent");
    }

    /// When the picture of a file that stands was sent, to a viewer that has the packets which `has` says.
    fn standing(has: impl Fn(u64) -> bool) -> Vec<u64> {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        playback.release(ms(0));
        playback.pause(ms(0));
        let mut sent = Vec::new();
        for at in (0..300_000).step_by(10) {
            for (at, packet) in run(&mut outlet, &mut playback, at, at) {
                sent.push(at);
                if has(at) {
                    outlet.handle_received(packet.sequence_number);
                }
            }
        }
        sent
    }

    #[test]
    fn a_picture_that_stands_is_sent_until_the_viewer_has_it() {
        assert_eq!(standing(|_| true), [0]);
        assert_eq!(standing(|at| at > 3000), [0, 2000, 6000]);
        assert_eq!(standing(|_| false), [0, 2000, 6000, 14_000, 30_000, 62_000], "a viewer may never say it");
    }

    #[test]
    fn word_of_an_earlier_packet_does_not_confirm_the_last_one() {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        let packets = run(&mut outlet, &mut playback, 0, 100);
        playback.pause(ms(100));
        outlet.handle_received(packets[packets.len() - 2].1.sequence_number);
        assert_eq!(pictures(&run(&mut outlet, &mut playback, 101, 2200)).len(), 3, "from the keyframe on");
    }

    #[test]
    fn a_keyframe_request_is_answered_from_the_nearest_earlier_keyframe() {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        run(&mut outlet, &mut playback, 0, 2410);
        outlet.handle_keyframe_request(&playback, ms(2411));
        let answer = run(&mut outlet, &mut playback, 2411, 2430);
        assert_eq!(answer[0].1.payload[1] & 1, 0, "a keyframe");
        assert_eq!(pictures(&answer).len(), 11, "and all that was sent since");
    }

    #[test]
    fn a_keyframe_request_of_a_viewer_with_a_frame_to_come_is_answered_after_that_frame() {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        run(&mut outlet, &mut playback, 0, 2410);
        playback.release(ms(2440));
        playback.pause(ms(2440));
        outlet.handle_keyframe_request(&playback, ms(2441));
        let answer = run(&mut outlet, &mut playback, 2441, 2460);
        let keyframes = answer.iter().filter(|(_, packet)| packet.payload[1] & 1 == 0).count();
        assert_eq!((keyframes, pictures(&answer).len()), (1, 1 + 12));
    }

    #[test]
    fn a_keyframe_that_is_sent_anyway_answers_a_request() {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        run(&mut outlet, &mut playback, 0, 1970);
        playback.release(ms(2000));
        outlet.handle_keyframe_request(&playback, ms(2001));
        assert_eq!(pictures(&run(&mut outlet, &mut playback, 2001, 2030)).len(), 1);
    }

    #[test]
    fn requests_about_the_same_loss_are_answered_once() {
        let (mut playback, mut outlet) = (file(300), outlet(false));
        run(&mut outlet, &mut playback, 0, 1210);
        for at in [1211, 1215, 1500, 1800] {
            outlet.handle_keyframe_request(&playback, ms(at));
        }
        let keyframes = |packets: &[(u64, MediaPacket)]| {
            packets
                .iter()
                .filter(|(_, packet)| packet.payload[0] & 0x10 != 0 && packet.payload[1] & 1 == 0)
                .count()
        };
        assert_eq!(keyframes(&run(&mut outlet, &mut playback, 1801, 1990)), 1);
        assert_eq!(keyframes(&run(&mut outlet, &mut playback, 1991, 3000)), 1, "the one of the file");
        // A later request is about another loss.
        outlet.handle_keyframe_request(&playback, ms(3001));
        assert_eq!(keyframes(&run(&mut outlet, &mut playback, 3001, 3020)), 1);
    }

    #[test]
    fn what_has_to_be_caught_up_on_is_spread_over_time() {
        let (mut playback, mut late) = (file(4000), outlet(false));
        playback.release(ms(1900));
        let packets = run(&mut late, &mut playback, 1900, 2400);
        let first: usize = packets.iter().filter(|(at, _)| *at == 1900).map(|(_, p)| p.payload.len()).sum();
        assert!(first <= 24_000, "{first}");
        for window in [(1901, 1950), (1951, 2000)] {
            let inside = packets.iter().filter(|(at, _)| (window.0..=window.1).contains(at));
            let bytes: usize = inside.map(|(_, packet)| packet.payload.len()).sum();
            assert!(bytes <= 1250 * 50 + 24_000, "{bytes} bytes in 50 ms");
        }
        assert_eq!(pictures(&packets).last().unwrap().0, 2400, "it has caught up");
    }

    #[test]
    fn the_timestamps_of_sound_have_no_gaps_where_the_file_rounds_them() {
        let mut playback = Playback::default();
        playback.handle_frame(frame(Track::Video, 0, true, 100));
        // 20 ms each, as a file with a start at 6.5 ms rounds them.
        for time in [0, 21, 40, 61, 80] {
            let data = Bytes::from_static(&[0xfc; 20]);
            playback.handle_frame(crate::media::Frame { data, ..frame(Track::Audio, time, false, 20) });
        }
        playback.play(ms(0));
        let packets = run(&mut outlet(true), &mut playback, 0, 100);
        let sound: Vec<_> = packets.iter().filter(|(_, packet)| packet.track == Track::Audio).collect();
        assert_eq!(sound.len(), 5);
        for pair in sound.windows(2) {
            assert_eq!(pair[1].1.timestamp.wrapping_sub(pair[0].1.timestamp), 960);
        }
    }

    #[test]
    fn after_a_pause_sound_and_pictures_go_on_with_a_gap_of_the_same_length() {
        let (mut playback, mut outlet) = (file(300), outlet(true));
        let before = run(&mut outlet, &mut playback, 0, 100);
        playback.pause(ms(100));
        playback.play(ms(1100));
        let after = run(&mut outlet, &mut playback, 1100, 1200);
        let gap = |track, hz: u32| {
            let stamp = |packets: &[(u64, MediaPacket)], from_end: bool| {
                let mut all = packets.iter().filter(|(_, packet)| packet.track == track);
                let found = if from_end { all.next_back() } else { all.next() };
                found.unwrap().1.timestamp
            };
            stamp(&after, false).wrapping_sub(stamp(&before, true)) / (hz / 1000)
        };
        assert_eq!(gap(Track::Video, 90_000), 1040);
        assert_eq!(gap(Track::Audio, 48_000), 1020);
    }
}
