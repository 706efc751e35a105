//! A video file as the source: when its still picture is sent, whether it plays, and whether it is rotated.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    media::{OrientationFinder, PlaybackWatch, PlayerSample, StandingPicture},
    notice::NoticeCode,
};
use sightline_protocol::control::Playback;

const CLIP: &[u8] = include_bytes!("../../../tests/fixtures/clip.mp4");

fn ms(ms: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(ms))
}

/// The times until `end` at which a still picture is repainted by its timer.
fn repaints(standing: &mut StandingPicture, end: Timestamp) -> Vec<Timestamp> {
    let mut times = Vec::new();
    while let Some(due) = standing.poll_timeout().filter(|due| *due < end) {
        assert!(standing.poll_repaint(due), "its time has come");
        assert!(!standing.poll_repaint(due), "once");
        times.push(due);
    }
    times
}

#[test]
fn a_moving_source_is_never_repainted() {
    let mut standing = StandingPicture::default();
    standing.handle_standing(false, ms(0));
    standing.handle_viewer(ms(5));
    standing.handle_other_picture(ms(6));
    assert_eq!(standing.poll_timeout(), None);
    assert!(!standing.poll_repaint(ms(1000)));
}

#[test]
fn every_viewer_of_a_still_picture_gets_enough_repaints() {
    let mut standing = StandingPicture::default();
    standing.handle_standing(true, ms(0));
    repaints(&mut standing, ms(60_000));
    for joined in [60_000, 60_500, 100_000] {
        standing.handle_viewer(ms(joined));
        let times = repaints(&mut standing, ms(joined + 500));
        assert_eq!(times.first(), Some(&ms(joined)), "at once");
        assert!(times.len() >= 5, "and again, since the first may be dropped: {times:?}");
    }
    let rest = repaints(&mut standing, ms(200_000));
    assert!(rest.len() < 50, "then it costs next to nothing: {}", rest.len());
    assert!(!rest.is_empty(), "and a keyframe that was asked for comes");
    standing.handle_standing(false, ms(200_000));
    assert_eq!(standing.poll_timeout(), None);
}

#[test]
fn a_still_picture_starts_no_second_burst_and_a_late_timer_repaints_once() {
    let mut standing = StandingPicture::default();
    standing.handle_standing(true, ms(0));
    repaints(&mut standing, ms(30_000));
    standing.handle_standing(true, ms(30_000));
    assert!(standing.poll_timeout() > Some(ms(30_000)));
    assert!(standing.poll_repaint(ms(500_000)));
    assert!(!standing.poll_repaint(ms(500_001)), "the computer slept");
}

/// A file of 10 s with 15 frames per second.
struct File {
    watch: PlaybackWatch,
    now_ms: u64,
    sample: PlayerSample,
}

impl File {
    fn playing() -> Self {
        let sample = PlayerSample {
            playback: Playback::Playing,
            position: Duration::ZERO,
            duration: Some(Duration::from_secs(10)),
            frames: Some(1),
            error: None,
        };
        let mut file = Self { watch: PlaybackWatch::default(), now_ms: 1000, sample };
        file.look();
        file
    }

    fn look(&mut self) {
        self.watch.handle_sample(self.sample, ms(self.now_ms));
    }

    /// Lets time pass; position and frames advance or not.
    fn pass(&mut self, duration_ms: u64, position_goes_on: bool, frames_go_on: bool) {
        for _ in 0..duration_ms / 250 {
            self.now_ms += 250;
            if position_goes_on {
                self.sample.position += Duration::from_millis(250);
            }
            if frames_go_on {
                self.sample.frames = self.sample.frames.map(|frames| frames + 4);
            }
            self.look();
        }
    }

    fn play(&mut self, duration_ms: u64) {
        self.pass(duration_ms, true, true);
    }

    fn become_(&mut self, playback: Playback) {
        self.sample.playback = playback;
        self.look();
    }

    fn failure(&self) -> Option<(Duration, NoticeCode)> {
        self.watch.failure().map(|failure| (failure.position, failure.code))
    }
}

fn s(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

#[test]
fn a_file_that_plays_is_paused_seeks_and_ends_never_fails() {
    let mut file = File::playing();
    file.play(3000);
    file.become_(Playback::Paused);
    file.pass(600_000, false, false);
    assert_eq!(file.watch.poll_timeout(), None, "nothing to look at");
    file.become_(Playback::Playing);
    file.play(1000);
    file.sample.position = s(9);
    file.become_(Playback::Seeking);
    file.pass(2500, false, false);
    file.become_(Playback::Playing);
    file.play(1000);
    file.become_(Playback::Ended);
    assert_eq!((file.failure(), file.watch.playback()), (None, Playback::Ended));
    file.sample.position = Duration::ZERO;
    file.become_(Playback::Playing);
    file.play(500);
    assert_eq!((file.failure(), file.watch.playback()), (None, Playback::Playing));
}

#[test]
fn an_error_during_playback_stays_a_failure_despite_later_events() {
    let mut file = File::playing();
    file.play(4000);
    file.sample.error = Some(NoticeCode::FileDamaged);
    file.look();
    assert_eq!(file.failure(), Some((s(4), NoticeCode::FileDamaged)));
    // Firefox then jumps to the last picture, and both browsers claim forever that the file plays.
    file.sample.position += Duration::from_millis(700);
    file.pass(20_000, false, false);
    file.become_(Playback::Seeking);
    file.become_(Playback::Playing);
    assert_eq!(file.failure(), Some((s(4), NoticeCode::FileDamaged)));
    assert_eq!(file.watch.playback(), Playback::Failed);
    assert_eq!(file.watch.poll_timeout(), None);
}

#[test]
fn an_error_of_an_unreadable_file_is_reported_as_unreadable() {
    let mut file = File::playing();
    file.play(4000);
    file.sample.error = Some(NoticeCode::FileDamaged);
    file.look();
    assert!(file.watch.poll_check());
    file.watch.handle_readable(false);
    assert_eq!(file.failure(), Some((s(4), NoticeCode::FileUnreadable)));
}

#[test]
fn an_end_that_comes_early_is_a_failure() {
    // A truncated WebM file: the position jumps to the duration, before or together with the end.
    for says_position_first in [false, true] {
        let mut file = File::playing();
        file.play(5000);
        file.sample.position = s(10);
        if says_position_first {
            file.look();
        }
        file.become_(Playback::Ended);
        assert_eq!(file.failure(), Some((s(5), NoticeCode::FileDamaged)), "{says_position_first}");
        assert_eq!(file.watch.playback(), Playback::Failed);
        // The file plays again from the beginning.
        file.sample.position = Duration::ZERO;
        file.become_(Playback::Playing);
        assert_eq!((file.failure(), file.watch.playback()), (None, Playback::Playing));
    }
}

#[test]
fn an_end_after_a_seek_or_slightly_early_or_of_unknown_length_is_not_a_failure() {
    let mut file = File::playing();
    file.play(2000);
    file.sample.position = s(10);
    file.become_(Playback::Seeking);
    file.become_(Playback::Playing);
    file.become_(Playback::Ended);
    assert_eq!(file.failure(), None);
    let mut file = File::playing();
    file.play(9000);
    file.sample.position = s(10);
    file.become_(Playback::Ended);
    assert_eq!(file.failure(), None);
    let mut file = File::playing();
    file.sample.duration = None;
    file.play(2000);
    file.become_(Playback::Ended);
    assert_eq!(file.failure(), None);
}

#[test]
fn an_unreadable_file_fails_at_the_position_of_its_last_picture() {
    let mut file = File::playing();
    file.play(3000);
    file.pass(2250, true, false);
    assert!(file.watch.poll_check(), "it is looked whether the file is there");
    assert!(!file.watch.poll_check(), "once");
    file.watch.handle_readable(false);
    assert_eq!(file.failure(), Some((s(3), NoticeCode::FileUnreadable)));
    // Chromium continues to the end and stays there.
    file.pass(4500, true, false);
    file.pass(60_000, false, false);
    assert_eq!(file.failure(), Some((s(3), NoticeCode::FileUnreadable)));
}

#[test]
fn a_long_still_picture_is_not_a_failure_if_the_file_is_readable() {
    let mut file = File::playing();
    file.play(1000);
    for _ in 0..20 {
        file.pass(10_000, true, false);
        if file.watch.poll_check() {
            file.watch.handle_readable(true);
        }
        assert_eq!((file.failure(), file.watch.playback()), (None, Playback::Playing));
        file.play(250);
    }
    // A late answer about an earlier silence is ignored.
    file.watch.handle_readable(false);
    assert_eq!(file.failure(), None);
}

#[test]
fn a_stopped_position_is_a_failure_until_playback_continues() {
    let mut file = File::playing();
    file.play(3000);
    file.pass(3000, false, false);
    assert_eq!(file.failure(), None, "a slow disk");
    file.pass(2000, false, false);
    assert_eq!(file.failure(), Some((s(3), NoticeCode::FileDamaged)));
    file.play(500);
    assert_eq!((file.failure(), file.watch.playback()), (None, Playback::Playing));
    file.sample.position = s(8);
    file.become_(Playback::Seeking);
    file.pass(6000, false, false);
    assert_eq!(file.failure(), None, "a jump may take longer");
    file.pass(7000, false, false);
    assert_eq!(file.failure().map(|(_, code)| code), Some(NoticeCode::FileDamaged));
}

#[test]
fn the_sleep_of_the_computer_is_not_a_failure_of_the_file() {
    let mut file = File::playing();
    file.play(3000);
    file.now_ms += 3_600_000;
    file.look();
    file.play(1000);
    assert_eq!((file.failure(), file.watch.playback()), (None, Playback::Playing));
}

#[test]
fn a_browser_that_counts_no_frames_is_judged_by_the_position() {
    let mut file = File::playing();
    file.sample.frames = None;
    file.pass(8000, true, false);
    assert_eq!(file.failure(), None);
    file.pass(5000, false, false);
    assert!(file.failure().is_some());
}

/// Reads a file step by step. Returns whether it is rotated, and the number of reads.
fn orientation(file: &[u8]) -> (bool, usize) {
    let mut finder = OrientationFinder::new(file.len() as u64);
    let mut readings = 0;
    while let Some(range) = finder.poll_read() {
        readings += 1;
        let (from, to) = (range.start as usize, range.end as usize);
        finder.handle_read(file.get(from..to).unwrap_or_default());
    }
    (finder.is_turned(), readings)
}

/// The clip with this matrix in its video track.
fn with_matrix(rows: [i32; 4]) -> Vec<u8> {
    let mut clip = CLIP.to_vec();
    let matrix = clip.windows(4).position(|window| window == b"tkhd").map_or(0, |at| at + 44);
    let [a, b, c, d] = rows.map(|row| row * 0x1_0000);
    for (row, at) in [a, b, 0, c, d, 0, 0, 0, 0x4000_0000].into_iter().zip((matrix..).step_by(4)) {
        clip[at..at + 4].copy_from_slice(&row.to_be_bytes());
    }
    clip
}

#[test]
fn a_rotated_or_mirrored_film_is_recognized_by_its_matrix() {
    assert!(!orientation(CLIP).0);
    assert!(!orientation(&with_matrix([1, 0, 0, 1])).0);
    assert!(!orientation(&with_matrix([2, 0, 0, 1])).0, "another pixel shape");
    for turned in [[0, 1, -1, 0], [-1, 0, 0, -1], [0, -1, 1, 0], [-1, 0, 0, 1], [1, 0, 0, -1]] {
        assert!(orientation(&with_matrix(turned)).0, "{turned:?}");
    }
}

#[test]
fn the_index_is_found_behind_the_media_data_and_in_a_file_of_many_gigabytes() {
    let turned = with_matrix([0, 1, -1, 0]);
    let index = turned.windows(4).position(|window| window == b"moov").expect("an index") - 4;
    let length = u32::from_be_bytes(turned[index..index + 4].try_into().expect("four")) as usize;
    let index = &turned[index..index + length];
    let ftyp = &turned[..28];
    // As a phone writes it: first 8 GB of pictures, with a 64-bit size.
    let pictures = 8_u64 << 30;
    let mut head = ftyp.to_vec();
    head.extend(1_u32.to_be_bytes());
    head.extend(b"mdat");
    head.extend(pictures.to_be_bytes());
    let index_at = ftyp.len() as u64 + pictures;
    let mut finder = OrientationFinder::new(index_at + length as u64);
    while let Some(range) = finder.poll_read() {
        let part = if range.start >= index_at {
            index.get((range.start - index_at) as usize..(range.end - index_at) as usize)
        } else {
            head.get(range.start as usize..(range.end as usize).min(head.len()))
        };
        finder.handle_read(part.unwrap_or_default());
    }
    assert!(finder.is_turned());
}

#[test]
fn a_file_other_than_mp4_is_not_rotated() {
    for file in [&b""[..], b"abc", b"RIFF\0\0\0\0WAVEfmt ", &[0; 4096], &[0xff; 4096], b"\0\0\0\x08moov"] {
        assert!(!orientation(file).0, "{file:?}");
    }
    let many = b"\0\0\0\x08free".repeat(100_000);
    assert!(orientation(&many).1 <= 300);
}

proptest! {
    #[test]
    fn the_reads_of_any_file_are_bounded(
        mut file in proptest::collection::vec(any::<u8>(), 0..2000),
        damage in proptest::collection::vec((any::<usize>(), any::<u8>()), 0..30),
        is_clip in any::<bool>(),
    ) {
        if is_clip {
            file = CLIP[..6000].to_vec();
        }
        for (at, byte) in damage {
            if !file.is_empty() {
                let at = at % file.len();
                file[at] = byte;
            }
        }
        prop_assert!(orientation(&file).1 <= 300);
    }
}
