//! The pictures of all members on one page.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::time::Duration;

use serde_json::json;
use sightline_core::{
    Timestamp,
    measure::{
        NotedFrame, PlayoutWatch, ShownFrame, StatsEntry,
        clock::ClockEstimate,
        connection::{Cause, ExpectedPicture, Quality},
        playout::{Declaration, PlayoutSummary, SourceKnownBy},
        report::{EndReason, Party},
        run::RunState,
        stamp::{Stamp, StripReading, Unreadable},
    },
    media::SourceLog,
};
use sightline_protocol::{
    MemberId, RunId,
    control::{Playback, PublishedSource, PublishedState},
};

fn ms(ms: u64) -> Timestamp {
    Timestamp::from_origin(Duration::from_millis(ms))
}

fn bob() -> MemberId {
    MemberId::new("bob").unwrap()
}

fn publishes(source: PublishedSource, playback: Option<Playback>) -> PublishedState {
    PublishedState { source, playback, ..PublishedState::default() }
}

/// A page that sees Bob at 25 frames per second.
struct Page {
    watch: PlayoutWatch,
    now_ms: u64,
    presented: u32,
}

impl Page {
    fn new(is_visible: bool) -> Self {
        Self { watch: PlayoutWatch::new(is_visible), now_ms: 1000, presented: 0 }
    }

    fn show(&mut self, duration_ms: u64, stamp: Option<StripReading>) {
        for _ in 0..duration_ms / 40 {
            self.now_ms += 40;
            self.presented += 1;
            let shown = ShownFrame {
                shown_at: ms(self.now_ms),
                presented_frames: self.presented,
                width: 640,
                height: 360,
                ..ShownFrame::default()
            };
            self.watch.handle_frame(&bob(), NotedFrame { shown, stamp }, None, ms(self.now_ms));
        }
    }

    fn stalls(&self) -> u32 {
        self.watch.shown(&bob(), ms(self.now_ms)).summary.stall_count
    }

    /// A report in which every frame so far was decoded, with 1000 bytes each.
    fn report(&mut self) -> PlayoutSummary {
        let entries: Vec<StatsEntry> = serde_json::from_value(json!([{
            "type": "inbound-rtp", "kind": "video", "id": "V", "timestamp": self.now_ms,
            "framesReceived": self.presented, "framesDecoded": self.presented, "bytesReceived": self.presented * 1000,
        }]))
        .unwrap();
        let summary = self.watch.handle_report(&bob(), &entries, ms(self.now_ms));
        self.watch.record(&bob(), &entries, &[], self.now_ms, ms(self.now_ms));
        summary
    }

    fn open_run(&mut self) {
        let id = RunId::from_random(7);
        self.watch.start_run(id, Party::default(), "room", None, ms(self.now_ms));
        self.watch.handle_open(Party::default(), &bob(), Vec::new(), ms(self.now_ms));
    }
}

#[test]
fn the_published_state_determines_the_declaration_and_the_expected_picture() {
    use PublishedSource::{Camera, File, None as Nothing, Screen};
    let declared = |source, playback| Declaration::of(publishes(source, playback));
    assert_eq!(declared(Nothing, Some(Playback::Paused)), Declaration::NoPicture);
    assert_eq!(declared(File, Some(Playback::Paused)), Declaration::Paused);
    assert_eq!(declared(File, Some(Playback::Seeking)), Declaration::Seeking);
    assert_eq!(declared(File, Some(Playback::Ended)), Declaration::Ended);
    assert_eq!(declared(File, Some(Playback::Failed)), Declaration::Failed);
    assert_eq!(declared(File, Some(Playback::Unknown)), Declaration::Playing);
    assert_eq!(declared(Camera, None), Declaration::Playing);

    let expected = |source, playback| ExpectedPicture::of(publishes(source, playback));
    assert_eq!(expected(Nothing, None), ExpectedPicture::None);
    assert_eq!(expected(File, Some(Playback::Ended)), ExpectedPicture::None);
    assert_eq!(expected(File, Some(Playback::Failed)), ExpectedPicture::None);
    assert_eq!(expected(File, Some(Playback::Seeking)), ExpectedPicture::Moving);
    assert_eq!(expected(Screen, None), ExpectedPicture::OnlyChanges);
}

#[test]
fn a_pause_is_a_stall_only_if_it_is_undeclared() {
    for (is_declared, stalls) in [(false, 1), (true, 0)] {
        let mut page = Page::new(true);
        page.show(4000, None);
        if is_declared {
            let paused = publishes(PublishedSource::File, Some(Playback::Paused));
            page.watch.handle_published(&bob(), paused, ms(page.now_ms));
        }
        page.now_ms += 4000;
        let plays = publishes(PublishedSource::File, Some(Playback::Playing));
        page.watch.handle_published(&bob(), plays, ms(page.now_ms));
        page.show(4000, None);
        assert_eq!(page.stalls(), stalls, "declared: {is_declared}");
    }
}

#[test]
fn a_page_that_is_hidden_from_the_start_counts_no_stall_in_a_run() {
    for is_visible in [true, false] {
        let mut page = Page::new(is_visible);
        page.open_run();
        page.show(4000, None);
        page.now_ms += 4000;
        page.show(4000, None);
        assert_eq!(page.stalls(), u32::from(is_visible), "visible: {is_visible}");
    }
}

#[test]
fn the_shown_totals_during_a_run_are_those_of_the_run() {
    let mut page = Page::new(true);
    page.show(4000, None);
    page.now_ms += 3000;
    page.show(4000, None);
    assert_eq!(page.stalls(), 1);
    page.open_run();
    assert_eq!(page.watch.run_state(), RunState::Waiting);
    page.show(4000, None);
    assert_eq!(page.stalls(), 0);
}

#[test]
fn stamps_count_only_while_the_member_declares_that_it_stamps() {
    let stamped = |is_stamped| PublishedState {
        stamped: is_stamped,
        ..publishes(PublishedSource::File, Some(Playback::Playing))
    };
    let mut page = Page::new(true);
    let reading = |number, at_ms| StripReading {
        stamp: Ok(Stamp::new(number, ms(at_ms))),
        cost: Duration::from_micros(300),
    };
    let unreadable = StripReading { stamp: Err(Unreadable::Damaged), cost: Duration::ZERO };
    page.show(40, Some(reading(1, 1000)));
    assert_eq!(page.watch.truth(&bob()), None);
    page.watch.handle_published(&bob(), stamped(true), ms(page.now_ms));
    page.show(40, Some(reading(7, 1040)));
    page.show(40, Some(reading(9, 1080)));
    page.show(40, Some(unreadable));
    let truth = page.watch.truth(&bob()).unwrap();
    assert_eq!((truth.shown, truth.lost, truth.unreadable), (2, 1, 1));
    page.watch.handle_published(&bob(), stamped(false), ms(page.now_ms));
    assert_eq!(page.watch.truth(&bob()), None);
}

#[test]
fn frames_before_the_first_report_count_for_a_member_that_joins() {
    let mut page = Page::new(true);
    page.show(1000, None);
    let first = page.report();
    assert_eq!((first.frames_decoded, first.frames_presented), (Some(25.0), Some(25)));
    assert_eq!((first.bytes, first.mean_bitrate_bps), (Some(25_000.0), None), "a rate needs a time");
    page.show(1000, None);
    let second = page.report();
    assert_eq!((second.frames_received, second.frames_presented), (Some(50.0), Some(50)));
    assert_eq!((second.bytes, second.mean_bitrate_bps), (Some(50_000.0), Some(200_000.0)));
}

#[test]
fn frames_before_a_later_run_do_not_count_in_it() {
    let mut page = Page::new(true);
    page.show(1000, None);
    page.report();
    page.open_run();
    page.report();
    page.show(2000, None);
    page.report();
    let of_the_run = page.watch.shown(&bob(), ms(page.now_ms)).summary;
    assert_eq!((of_the_run.frames_decoded, of_the_run.frames_presented), (Some(50.0), Some(50)));
    assert_eq!(of_the_run.bytes, Some(50_000.0));
}

#[test]
fn a_run_that_began_before_the_member_joined_counts_everything() {
    let mut page = Page::new(true);
    page.open_run();
    page.show(1000, None);
    page.report();
    let of_the_run = page.watch.shown(&bob(), ms(page.now_ms)).summary;
    assert_eq!((of_the_run.frames_decoded, of_the_run.frames_presented), (Some(25.0), Some(25)));
}

#[test]
fn bars_and_sentence_are_never_better_than_the_score_that_is_shown_beside_them() {
    // Stops of all lengths, with all frequencies.
    for (stop_ms, play_ms) in [(0, 2000), (120, 2000), (300, 1000), (700, 3000), (2000, 2000), (9000, 1000)] {
        let mut page = Page::new(true);
        for _ in 0..12 {
            page.now_ms += stop_ms;
            page.show(play_ms, None);
            page.report();
            let score = page.watch.score(&bob(), ms(page.now_ms)).unwrap();
            assert_eq!(page.watch.shown(&bob(), ms(page.now_ms)).summary.score.as_ref(), Some(&score));
            let quality = Quality { bars: 4, cause: Cause::Good }.at_most(&score);
            assert_eq!(quality.bars == 4, score.tenths >= 40, "{stop_ms} {play_ms} {score:?}");
            assert_eq!(quality.cause == Cause::Good, score.tenths >= 40, "{stop_ms} {play_ms} {score:?}");
        }
    }
}

#[test]
fn an_old_stall_does_not_lower_the_shown_score() {
    let mut page = Page::new(true);
    page.show(5000, None);
    page.now_ms += 5000;
    page.show(2000, None);
    page.report();
    assert!(page.watch.score(&bob(), ms(page.now_ms)).unwrap().tenths < 30);
    for _ in 0..40 {
        page.show(1000, None);
        page.report();
    }
    assert_eq!(page.watch.score(&bob(), ms(page.now_ms)).unwrap().tenths, 50);
}

#[test]
fn a_file_that_is_over_ends_no_run_while_another_member_plays() {
    let mut page = Page::new(true);
    let cleo = MemberId::new("cleo").unwrap();
    page.watch.handle_published(&cleo, publishes(PublishedSource::Camera, None), ms(page.now_ms));
    page.open_run();
    page.show(1000, None);
    page.report();
    let ended = publishes(PublishedSource::File, Some(Playback::Ended));
    page.watch.handle_published(&bob(), ended, ms(page.now_ms));
    assert_eq!(page.watch.run_state(), RunState::Running);
    page.watch.handle_published(&cleo, ended, ms(page.now_ms));
    assert_eq!(page.watch.run_state(), RunState::Ended);
}

#[test]
fn the_charts_have_the_stalls_of_the_ledger() {
    let mut page = Page::new(true);
    page.show(4000, None);
    let before = page.now_ms;
    page.now_ms += 3000;
    page.show(4000, None);
    let shown = page.watch.shown(&bob(), ms(page.now_ms));
    let [(from, to)] = shown.bands.as_deref().unwrap() else { panic!("{:?}", shown.bands) };
    assert_eq!((*from, *to), (shown.stalls[0].1.start, shown.stalls[0].1.end()));
    assert!(*from >= ms(before) && *to <= ms(before + 3040), "{from:?} {to:?}");
}

#[test]
fn a_run_begun_in_a_call_takes_no_frame_from_before_the_click() {
    let mut page = Page::new(true);
    page.show(4000, None);
    page.report();
    let before = page.now_ms;
    page.open_run();
    // Frames arrive with the next report: some of them are older than the click.
    for at_ms in (before - 960..=before + 1000).step_by(40) {
        let shown =
            ShownFrame { shown_at: ms(at_ms), presented_frames: at_ms as u32 / 40, ..ShownFrame::default() };
        page.watch.handle_frame(&bob(), NotedFrame { shown, stamp: None }, None, ms(before + 1000));
    }
    let summary = page.watch.shown(&bob(), ms(before + 1000)).summary;
    assert_eq!(summary.frames_presented, Some(26), "one frame at the click and 25 in the second after it");
}

#[test]
fn frames_of_a_hidden_page_do_not_count_in_the_frame_rate() {
    let mut page = Page::new(true);
    page.show(4000, None);
    page.watch.handle_visibility(false, ms(page.now_ms));
    // The page gets no callback for these frames, and learns their number when it is visible again.
    page.now_ms += 10_000;
    page.presented += 600;
    page.watch.handle_visibility(true, ms(page.now_ms));
    page.show(4000, None);
    let rate = page.watch.shown(&bob(), ms(page.now_ms)).summary.frames_per_second.unwrap();
    assert!((rate - 25.0).abs() < 0.5, "{rate}");
}

#[test]
fn the_run_of_every_viewer_ends_when_the_provider_leaves() {
    for others in [0, 1, 3] {
        let mut page = Page::new(true);
        for other in 0..others {
            let member = MemberId::new(format!("viewer{other}")).unwrap();
            page.watch.handle_published(&member, publishes(PublishedSource::None, None), ms(page.now_ms));
        }
        page.watch.handle_published(&bob(), publishes(PublishedSource::File, None), ms(page.now_ms));
        page.open_run();
        page.show(1000, None);
        page.report();
        page.watch.forget(&bob(), ms(page.now_ms));
        assert_eq!(page.watch.run_state(), RunState::Ended, "{others} others");
        let report = page.watch.report(0, ms(page.now_ms)).unwrap();
        assert_eq!(report.ended_by, EndReason::ConnectionGone, "{others} others");
    }
}

#[test]
fn a_run_whose_only_provider_was_killed_did_not_end_by_its_limit() {
    for (is_cut, reason) in [(true, EndReason::ConnectionGone), (false, EndReason::TimeLimit)] {
        let mut page = Page::new(true);
        page.watch.handle_published(&bob(), publishes(PublishedSource::File, None), ms(page.now_ms));
        page.watch.start_run(
            RunId::from_random(7),
            Party::default(),
            "room",
            Some(Duration::from_secs(5)),
            ms(page.now_ms),
        );
        page.watch.handle_open(Party::default(), &bob(), Vec::new(), ms(page.now_ms));
        page.show(1000, None);
        page.report();
        page.watch.handle_connected(&bob(), !is_cut, ms(page.now_ms));
        page.now_ms += 5000;
        page.report();
        let report = page.watch.report(0, ms(page.now_ms)).unwrap();
        assert_eq!(report.ended_by, reason, "cut: {is_cut}");
    }
}

#[test]
fn a_file_that_is_over_ends_the_run_on_every_page_or_on_none() {
    let ended = publishes(PublishedSource::File, Some(Playback::Ended));
    for (camera, state) in
        [(PublishedSource::Camera, RunState::Running), (PublishedSource::None, RunState::Ended)]
    {
        // The end of a file on the page that plays it, and on one that watches it and publishes a camera or nothing.
        for is_provider in [true, false] {
            let mut page = Page::new(true);
            let (own, bobs) =
                if is_provider { (ended, publishes(camera, None)) } else { (publishes(camera, None), ended) };
            page.watch.handle_published(&bob(), publishes(PublishedSource::Camera, None), ms(page.now_ms));
            page.open_run();
            page.show(1000, None);
            page.report();
            page.watch.handle_own_published(own, ms(page.now_ms));
            page.watch.handle_published(&bob(), bobs, ms(page.now_ms));
            page.watch.handle_own_published(own, ms(page.now_ms));
            assert_eq!(page.watch.run_state(), state, "{camera:?}, provider: {is_provider}");
        }
    }
}

/// Bob's page tells of a file at 25 frames per second, on a clock that is the same as this one.
fn tell(page: &mut Page, log: &mut SourceLog, duration_ms: u64) {
    let clock = ClockEstimate { offset_us: 0, error: Duration::from_millis(5) };
    for _ in 0..duration_ms / 1000 {
        let from = page.now_ms;
        for at in (from..from + 1000).step_by(40) {
            log.handle_frame(ms(at), Duration::from_millis(at), (at / 40) as u32);
        }
        page.show(1000, None);
        let told = log.report(ms(page.now_ms)).unwrap();
        page.watch.handle_source_frames(&bob(), &told, Some(clock), ms(page.now_ms));
        page.report();
    }
}

#[test]
fn reports_of_source_frames_count_for_a_file_only() {
    for (source, known_by) in [
        (PublishedSource::File, Some(SourceKnownBy::Frames)),
        (PublishedSource::Camera, None),
        (PublishedSource::Screen, None),
    ] {
        let mut page = Page::new(true);
        page.watch.handle_published(&bob(), publishes(source, None), ms(page.now_ms));
        let mut log = SourceLog::new(true, ms(page.now_ms));
        log.handle_playback(Playback::Playing, ms(page.now_ms));
        tell(&mut page, &mut log, 10_000);
        let summary = page.watch.shown(&bob(), ms(page.now_ms)).summary;
        assert_eq!(summary.source_known_by, known_by, "{source:?}");
        assert_eq!(summary.source_frames.is_some(), known_by.is_some());
        assert_eq!(summary.stall_count, 0);
        assert!((summary.frames_per_second.unwrap() - 25.0).abs() < 0.5, "{summary:?}");
    }
}
