use std::time::Duration;

use serde_json::json;
use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame, StatsEntry,
        playout::{IntervalPicture, MarkKind, PlayoutMeter, SenderInterval, StallCause},
    },
};
use sightline_protocol::telemetry::Limitation;

use crate::viewer::Viewer;

const ROUND_TRIP_S: f64 = 0.05;

/// Ten seconds of playing, a stall of one second, ten seconds of playing; with a stats report and a message of the sender each
/// second.
struct Story {
    viewer: Viewer,
    packets: u64,
    /// Packets that were sent and have yet to arrive.
    comes_again: u64,
    lost: u64,
    late: Duration,
    sends: Sends,
    loses: u64,
    /// What is lost in each of the two seconds before the stall.
    loses_before: u64,
    /// What is lost in each of the five seconds after the stall.
    loses_after: u64,
    /// How late the sender's messages of the stall and of the seconds after it are, in milliseconds.
    late_ms: Vec<u64>,
    path: &'static str,
    /// The round-trip time in the three seconds before the stall.
    round_trip_before_s: f64,
    round_trip_s: f64,
    are_messages_held_up: bool,
}

/// The sender's state while the picture stands still.
#[derive(Clone, Copy, PartialEq)]
enum Sends {
    Everything,
    /// Nine tenths of the packets arrive only when they are sent again, right after the stall.
    EverythingAgain,
    NothingFromItsSource,
    NothingWithASource(Limitation),
    /// The sender sends no messages about itself.
    Untold,
    /// The sender sends packets as always. Its messages about itself, from the stall on, are yet to come.
    EverythingYetUntold,
}

impl Story {
    fn new(sends: Sends) -> Self {
        Self {
            viewer: Viewer::at_fps(30),
            packets: 0,
            comes_again: 0,
            lost: 0,
            late: Duration::ZERO,
            sends,
            loses: 0,
            loses_before: 0,
            loses_after: 0,
            late_ms: Vec::new(),
            path: "P1",
            round_trip_before_s: ROUND_TRIP_S,
            round_trip_s: ROUND_TRIP_S,
            are_messages_held_up: false,
        }
    }

    fn cause(self, stall: impl FnOnce(&mut Viewer)) -> StallCause {
        let stalls = self.play(stall).stalls();
        assert_eq!(stalls.len(), 1, "{stalls:?}");
        stalls[0].cause
    }

    fn play(mut self, stall: impl FnOnce(&mut Viewer)) -> Viewer {
        for second in 0..10 {
            self.viewer.play(1000);
            self.lost += if second < 8 { 0 } else { self.loses_before };
            self.round_trip_s = if second < 7 { ROUND_TRIP_S } else { self.round_trip_before_s };
            self.report(true);
        }
        self.round_trip_s = ROUND_TRIP_S;
        stall(&mut self.viewer);
        let mut late = std::mem::take(&mut self.late_ms).into_iter().map(Duration::from_millis);
        self.late = late.next().unwrap_or_default();
        self.report(false);
        for second in 0..10 {
            self.viewer.play(1000);
            self.lost += if second < 5 { self.loses_after } else { 0 };
            self.late = late.next().unwrap_or_default();
            self.report(true);
        }
        self.viewer
    }

    fn report(&mut self, is_well: bool) {
        let now = self.viewer.now();
        self.packets += match self.sends {
            Sends::EverythingAgain if !is_well => 10,
            Sends::Everything | Sends::EverythingYetUntold => 100,
            _ if is_well => 100 + std::mem::take(&mut self.comes_again),
            _ => 0,
        };
        if !is_well {
            self.lost += self.loses;
        }
        let path = if is_well { "P1" } else { self.path };
        let entries: Vec<StatsEntry> = serde_json::from_value(json!([
            {"type": "inbound-rtp", "kind": "video", "id": "V", "timestamp": now.since_origin().as_millis() as u64,
             "bytesReceived": self.packets * 1000, "packetsReceived": self.packets, "packetsLost": self.lost},
            {"type": "candidate-pair", "id": path, "state": "succeeded", "selected": true,
             "currentRoundTripTime": self.round_trip_s},
        ]))
        .unwrap();
        self.viewer.meter.handle_report(&entries, now);
        self.are_messages_held_up |= !is_well && self.sends == Sends::EverythingYetUntold;
        if self.sends == Sends::Untold || self.are_messages_held_up {
            return;
        }
        let (source, sent, limitation) = match self.sends {
            _ if is_well => (30, 30, Limitation::None),
            Sends::NothingFromItsSource => (0, 0, Limitation::None),
            Sends::NothingWithASource(limitation) => (30, 0, limitation),
            Sends::Everything | Sends::EverythingAgain | Sends::Untold | Sends::EverythingYetUntold => {
                (30, 30, Limitation::None)
            }
        };
        let is_sent_again = !is_well && self.sends == Sends::EverythingAgain;
        let retransmitted = if is_sent_again { 90 } else { 0 };
        self.comes_again = retransmitted.into();
        let from = now.since_origin().saturating_sub(Duration::from_secs(1));
        self.viewer.meter.handle_sender(
            SenderInterval {
                from: Timestamp::from_origin(from),
                to: now,
                source_frames: Some(source),
                frames_sent: Some(sent),
                limitation,
                late: self.late,
                picture: IntervalPicture { retransmitted: Some(retransmitted), ..IntervalPicture::default() },
                ..SenderInterval::default()
            },
            now,
        );
    }
}

#[test]
fn a_source_that_stopped_is_the_source() {
    let story = Story::new(Sends::NothingFromItsSource);
    assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::Source);
    assert_eq!(Story::new(Sends::Untold).cause(|viewer| viewer.stop_for(1000)), StallCause::Source);
}

#[test]
fn frames_that_the_sender_did_not_send_are_its_computer_or_its_upload() {
    for (limitation, cause) in
        [(Limitation::Cpu, StallCause::SenderCpu), (Limitation::Bandwidth, StallCause::SenderBandwidth)]
    {
        let story = Story::new(Sends::NothingWithASource(limitation));
        assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), cause);
    }
}

#[test]
fn frames_left_unsent_without_a_reason_have_an_unknown_cause() {
    let story = Story::new(Sends::NothingWithASource(Limitation::None));
    assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::Unknown);
}

#[test]
fn frames_that_were_sent_and_lost_are_loss() {
    let story = Story { loses: 30, ..Story::new(Sends::Everything) };
    assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::Loss);
}

#[test]
fn a_path_on_which_nothing_arrives_for_a_second_was_interrupted() {
    // The sender sends less because of it, and is no busy computer.
    for sends in [Sends::Untold, Sends::NothingWithASource(Limitation::None)] {
        let story = Story { loses: 30, ..Story::new(sends) };
        assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::PathChange);
    }
}

#[test]
fn a_path_was_interrupted_even_if_every_packet_came_when_it_was_sent_again() {
    let story = Story::new(Sends::EverythingAgain);
    assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::PathChange);
}

#[test]
fn frames_that_came_late_without_loss_or_a_queue_were_longer_on_their_way() {
    let story = Story::new(Sends::Everything);
    assert_eq!(story.cause(|viewer| viewer.stall_for(1000)), StallCause::Delay);
}

#[test]
fn a_changed_or_lost_path_is_the_cause_before_any_other() {
    let story = Story { loses: 30, path: "P2", ..Story::new(Sends::Everything) };
    assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::PathChange);
    let story = Story { loses: 30, ..Story::new(Sends::Everything) };
    let cause = story.cause(|viewer| {
        viewer.meter.handle_connected(false, viewer.now());
        viewer.stop_for(1000);
        viewer.meter.handle_connected(true, viewer.now());
    });
    assert_eq!(cause, StallCause::PathChange);
}

#[test]
fn a_path_that_lost_many_packets_before_it_was_given_up_is_loss() {
    for (loses_before, cause) in [(0, StallCause::PathChange), (20, StallCause::Loss)] {
        let story = Story { loses_before, path: "P2", ..Story::new(Sends::Everything) };
        assert_eq!(
            story.cause(|viewer| viewer.stop_for(300)),
            cause,
            "{loses_before} lost in each second before"
        );
    }
}

#[test]
fn a_path_that_goes_on_losing_packets_was_not_interrupted() {
    for (loses_after, cause) in [(0, StallCause::PathChange), (10, StallCause::Loss), (40, StallCause::Loss)]
    {
        let story = Story { loses: 50, loses_after, ..Story::new(Sends::Everything) };
        assert_eq!(
            story.cause(|viewer| viewer.stall_for(1000)),
            cause,
            "{loses_after} lost in each second after"
        );
    }
}

#[test]
fn what_is_lost_right_after_a_page_stood_still_is_lost_by_the_page() {
    let lost_after = |busy_ms: u64| {
        let story = Story { loses: 30, ..Story::new(Sends::Everything) };
        story.cause(|viewer| {
            let to = viewer.now().since_origin() - Duration::from_millis(100);
            let from = to - Duration::from_millis(busy_ms);
            viewer.meter.handle_busy(Timestamp::from_origin(from), Timestamp::from_origin(to));
            viewer.stop_for(1000);
        })
    };
    assert_eq!(lost_after(100), StallCause::Loss);
    assert_eq!(lost_after(500), StallCause::Receiver);
}

#[test]
fn messages_that_are_late_by_the_same_time_took_a_longer_path_and_others_waited_in_a_queue() {
    for (late_ms, cause) in
        [(vec![401, 400, 403, 402], StallCause::Delay), (vec![401, 180, 320, 90], StallCause::Bandwidth)]
    {
        let sends = Sends::NothingWithASource(Limitation::Bandwidth);
        let story = Story { late_ms: late_ms.clone(), ..Story::new(sends) };
        assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), cause, "{late_ms:?}");
    }
}

/// No frame is shown for half a second, and then each frame is in transit for longer than the one before.
fn stall_while_a_queue_grows(viewer: &mut Viewer) {
    viewer.stall_for(500);
    for _ in 0..40 {
        viewer.stall_for(25);
        viewer.show(0);
    }
}

#[test]
fn a_full_queue_delays_all_messages_alike_and_is_no_longer_path() {
    let late_ms = vec![1500; 5];
    let full = Story { late_ms: late_ms.clone(), ..Story::new(Sends::Everything) };
    assert_eq!(full.cause(stall_while_a_queue_grows), StallCause::Bandwidth);
    let longer = Story { late_ms: late_ms.clone(), ..Story::new(Sends::Everything) };
    assert_eq!(longer.cause(|viewer| viewer.stall_for(1500)), StallCause::Delay);
    // The queue was full before, and frames wait for others to be sent again.
    let still_full = Story { late_ms, round_trip_before_s: 1.5, ..Story::new(Sends::Everything) };
    let stalls = still_full.play(|viewer| {
        viewer.stall_for(1100);
        stall_while_a_queue_grows(viewer);
    });
    let causes: Vec<_> = { stalls }.stalls().iter().map(|stall| stall.cause).collect();
    assert_eq!(causes, [StallCause::Bandwidth]);
}

#[test]
fn a_queue_is_seen_by_the_frames_before_the_sender_could_say_anything_about_it() {
    let lossy = |sends| Story { loses: 10, loses_after: 30, ..Story::new(sends) };
    assert_eq!(lossy(Sends::EverythingYetUntold).cause(stall_while_a_queue_grows), StallCause::Bandwidth);
    assert_eq!(lossy(Sends::EverythingYetUntold).cause(|viewer| viewer.stop_for(500)), StallCause::Loss);
}

#[test]
fn what_is_missing_right_after_a_queue_is_missing_for_lack_of_bandwidth() {
    for (round_trip_before_s, [lossy, renewed]) in
        [(2.0, [StallCause::Bandwidth; 2]), (ROUND_TRIP_S, [StallCause::Loss, StallCause::PathChange])]
    {
        let story = Story { loses: 10, round_trip_before_s, ..Story::new(Sends::Everything) };
        assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), lossy, "{round_trip_before_s} s");
        let story = Story { path: "P2", round_trip_before_s, ..Story::new(Sends::Everything) };
        assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), renewed, "{round_trip_before_s} s");
    }
    // The viewer's browser holds a frame back that came in time.
    let story = Story { round_trip_before_s: 2.0, ..Story::new(Sends::Everything) };
    let held_back = story.cause(|viewer| viewer.hold_back(500_000));
    assert_eq!(held_back, StallCause::Bandwidth);
    // A source may stop, and a path may be cut, right after a queue.
    let stopped = Story { loses: 10, round_trip_before_s: 2.0, ..Story::new(Sends::NothingFromItsSource) };
    assert_eq!(stopped.cause(|viewer| viewer.stop_for(1000)), StallCause::Source);
    let cut = Story { loses: 30, path: "P2", round_trip_before_s: 2.0, ..Story::new(Sends::Untold) };
    assert_eq!(cut.cause(|viewer| viewer.stop_for(1000)), StallCause::PathChange);
}

#[test]
fn a_path_was_interrupted_if_all_packets_were_lost_and_some_came_when_they_were_sent_again() {
    let story = Story { loses: 10, ..Story::new(Sends::EverythingAgain) };
    assert_eq!(story.cause(|viewer| viewer.stop_for(1000)), StallCause::PathChange);
}

#[test]
fn a_source_whose_next_frame_was_captured_in_time_did_not_stop() {
    let story = Story { loses: 30, ..Story::new(Sends::NothingFromItsSource) };
    assert_eq!(story.cause(|viewer| viewer.stall_for(1000)), StallCause::PathChange);
}

#[test]
fn a_screen_on_which_nothing_changes_is_no_stall_and_one_that_is_not_shown_is() {
    let screen = |sends| {
        let mut story = Story::new(sends);
        story.viewer.meter.handle_shows_only_changes(true);
        story
    };
    for sends in [Sends::NothingFromItsSource, Sends::Untold] {
        let mut viewer = screen(sends).play(|viewer| viewer.stop_for(1000));
        assert_eq!(viewer.stalls(), []);
        let summary = viewer.meter.summary(viewer.now());
        assert_eq!((summary.stall_count, summary.stall_time, summary.longest_stall), Default::default());
        let marks: Vec<_> = viewer.meter.marks().map(|mark| mark.kind).collect();
        assert_eq!(marks, [MarkKind::Unchanged]);
    }
    let cause = screen(Sends::Everything).cause(|viewer| viewer.stall_for(1000));
    assert_eq!(cause, StallCause::Delay);
    let story = Story { loses: 30, ..screen(Sends::Everything) };
    assert_eq!(story.cause(|viewer| viewer.stall_for(1000)), StallCause::Loss);
}

#[test]
fn a_screen_that_is_still_for_minutes_stalls_at_no_time_of_it() {
    let mut story = Story::new(Sends::NothingFromItsSource);
    story.viewer.meter.handle_shows_only_changes(true);
    for _ in 0..10 {
        story.viewer.play(1000);
        story.report(true);
    }
    for _ in 0..180 {
        story.viewer.stop_for(1000);
        story.report(false);
        let now = story.viewer.now();
        assert_eq!(story.viewer.meter.stalls(now), [], "{now:?}");
    }
}

#[test]
fn a_source_that_is_silent_for_minutes_stays_the_cause() {
    let mut story = Story::new(Sends::NothingFromItsSource);
    for _ in 0..10 {
        story.viewer.play(1000);
        story.report(true);
    }
    for _ in 0..180 {
        story.viewer.stop_for(1000);
        story.report(false);
    }
    let stalls = story.viewer.meter.stalls(story.viewer.now());
    assert_eq!(stalls.iter().map(|stall| stall.cause).collect::<Vec<_>>(), [StallCause::Source]);
}

#[test]
fn while_no_packet_comes_the_path_is_the_cause_if_the_sender_reports_frames_and_else_the_source() {
    let reported = Sends::NothingWithASource(Limitation::None);
    for (sends, cause) in [(Sends::Untold, StallCause::Source), (reported, StallCause::PathChange)] {
        let mut story = Story::new(sends);
        for _ in 0..10 {
            story.viewer.play(1000);
            story.report(true);
        }
        // The browser shows the frames that it held back.
        story.viewer.play(1000);
        story.report(false);
        for _ in 0..3 {
            story.viewer.stop_for(1000);
            story.report(false);
        }
        let stalls = story.viewer.meter.stalls(story.viewer.now());
        assert_eq!(stalls.iter().map(|stall| stall.cause).collect::<Vec<_>>(), [cause]);
    }
}

/// Frames with stamps, of which the source paints two in 900 ms. Its browser counts 30 frames a second all the same, as it repeats them.
fn cause_of_painting_too_few(busy: Duration) -> StallCause {
    let mut meter = PlayoutMeter::new(Timestamp::ZERO);
    let at = |ms: u64| Timestamp::from_origin(Duration::from_millis(ms));
    let mut shown_ms = 1000;
    for presented in 0..300_u32 {
        let is_stop = presented == 150;
        shown_ms += if is_stop { 900 } else { 33 };
        let number = if presented >= 150 { presented + 1 } else { presented };
        meter.handle_stamp(number, at(shown_ms - 50));
        let (shown_at, presented_frames) = (at(shown_ms), presented + 1);
        meter.handle_frame(ShownFrame { shown_at, presented_frames, ..ShownFrame::default() }, shown_at);
        if presented % 30 == 0 && presented > 0 || is_stop {
            let interval = SenderInterval {
                from: at(shown_ms - 1000),
                to: shown_at,
                source_frames: Some(30),
                frames_sent: Some(30),
                picture: IntervalPicture { busy: Some(busy), ..IntervalPicture::default() },
                ..SenderInterval::default()
            };
            meter.handle_sender(interval, shown_at);
        }
    }
    let stalls = meter.stalls(at(shown_ms));
    assert_eq!(stalls.len(), 1, "{stalls:?}");
    stalls[0].cause
}

#[test]
fn a_source_that_painted_too_few_frames_stood_still_and_on_a_busy_computer_that_is_the_cause() {
    assert_eq!(cause_of_painting_too_few(Duration::ZERO), StallCause::Source);
    assert_eq!(cause_of_painting_too_few(Duration::from_millis(200)), StallCause::SenderCpu);
}
