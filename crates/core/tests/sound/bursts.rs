use std::time::Duration;

use proptest::prelude::*;
use sightline_core::measure::sound::{MAX_BURSTS, SoundCause};

use crate::listener::{EVERYTHING, Known, Listener, PACKETS_A_SECOND, Packet};

/// Reports come once a second, so both ends of a burst are known to a second.
const A_REPORT: Duration = Duration::from_secs(1);
const A_PACKET: Duration = Duration::from_millis(20);

const BROWSERS: [Known; 4] = [
    EVERYTHING,
    Known { discarded: false, ..EVERYTHING },
    Known { sender: false, ..EVERYTHING },
    Known { discarded: false, sender: false, ..EVERYTHING },
];

#[test]
fn arriving_sound_has_no_burst() {
    let mut listener = Listener::new(EVERYTHING);
    listener.seconds(60, Packet::Played);
    assert_eq!(listener.bursts(), []);
    let summary = listener.meter.summary();
    assert_eq!((summary.burst_count, summary.concealed_ratio), (Some(0), Some(0.0)));
}

#[test]
fn each_cause_is_recognized_from_the_counters_of_every_browser() {
    for known in BROWSERS {
        for (packet, cause) in [
            (Packet::Lost, SoundCause::Loss),
            (Packet::Late, SoundCause::Late),
            (Packet::NotSent, SoundCause::Source),
        ] {
            for packets in [10, 25, 100, 400] {
                let mut listener = Listener::new(known);
                listener.seconds(10, Packet::Played);
                listener.play((0..packets).map(|_| packet));
                listener.seconds(10, Packet::Played);
                let bursts = listener.bursts();
                let [burst] = bursts.as_slice() else { panic!("{known:?} {packet:?} {packets}: {bursts:?}") };
                // Without reports of the sender, a short silence has no known cause.
                let is_told = packet != Packet::NotSent || known.sender || packets >= 25;
                let cause = if is_told { cause } else { SoundCause::Unknown };
                assert_eq!(burst.cause, cause, "{known:?} {packets} packets: {burst:?}");
            }
        }
    }
}

#[test]
fn sound_on_a_path_that_became_longer_is_late_if_the_sender_reports_that_it_sent_it() {
    for (known, cause) in
        [(EVERYTHING, SoundCause::Late), (Known { sender: false, ..EVERYTHING }, SoundCause::Unknown)]
    {
        let mut listener = Listener::new(known);
        listener.seconds(10, Packet::Played);
        // 240 ms.
        listener.play((0..12).map(|_| Packet::Delayed));
        listener.seconds(10, Packet::Played);
        let [burst] = listener.bursts()[..] else { panic!("{:?}", listener.bursts()) };
        assert_eq!(burst.cause, cause, "{burst:?}");
    }
}

#[test]
fn every_fifth_packet_that_is_lost_is_one_burst_of_loss() {
    let mut listener = Listener::new(EVERYTHING);
    listener.seconds(5, Packet::Played);
    listener
        .play((0..20 * PACKETS_A_SECOND).map(|at| if at % 5 == 0 { Packet::Lost } else { Packet::Played }));
    listener.seconds(5, Packet::Played);
    let bursts = listener.bursts();
    let [burst] = bursts.as_slice() else { panic!("{bursts:?}") };
    assert_eq!(burst.cause, SoundCause::Loss);
    assert!(burst.concealed.abs_diff(Duration::from_secs(4)) < A_PACKET, "{burst:?}");
    assert!((20..=21).contains(&burst.duration.as_secs()), "{burst:?}");
}

#[test]
fn a_member_that_declares_no_sound_is_the_cause() {
    let mut listener = Listener::new(Known { sender: false, ..EVERYTHING });
    listener.seconds(10, Packet::Played);
    listener.meter.handle_declared(false, listener.now());
    listener.seconds(10, Packet::NotSent);
    listener.meter.handle_declared(true, listener.now());
    listener.seconds(10, Packet::Played);
    let bursts = listener.bursts();
    let [burst] = bursts.as_slice() else { panic!("{bursts:?}") };
    assert_eq!((burst.cause, burst.duration), (SoundCause::Source, Duration::from_secs(10)));
    assert_eq!(listener.meter.summary().concealed_ratio, Some(0.0), "no sound was expected");
}

#[test]
fn a_lost_connection_is_not_taken_for_a_silent_source() {
    let mut listener = Listener::new(Known { sender: false, ..EVERYTHING });
    listener.seconds(10, Packet::Played);
    listener.meter.handle_connected(false, listener.now());
    // The page does not know yet that no packets were sent.
    listener.seconds(5, Packet::NotSent);
    assert_eq!(listener.bursts()[0].cause, SoundCause::Unknown);
}

#[test]
fn no_burst_is_reported_if_the_browser_does_not_count_concealed_samples() {
    let mut listener = Listener::new(Known { concealment: false, ..EVERYTHING });
    listener.seconds(5, Packet::Played);
    listener.seconds(5, Packet::Lost);
    listener.seconds(5, Packet::Played);
    let summary = listener.meter.summary();
    assert_eq!((summary.concealed_samples, summary.silent_concealed_samples), (None, None));
    assert_eq!((summary.concealed_ratio, summary.burst_count), (None, None));
    assert!(listener.bursts().is_empty() && summary.samples_received.is_some());
}

#[test]
fn more_bursts_than_are_kept_are_counted() {
    let mut listener = Listener::new(EVERYTHING);
    listener.seconds(1, Packet::Played);
    for _ in 0..MAX_BURSTS + 20 {
        listener.seconds(1, Packet::Lost);
        listener.seconds(1, Packet::Played);
    }
    assert_eq!(listener.bursts().len(), MAX_BURSTS);
    assert_eq!(listener.meter.summary().burst_count, Some(MAX_BURSTS as u32 + 20));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_known_burst_is_found_with_its_place_its_length_and_its_cause(
        first in 0_u64..50,
        bursts in prop::collection::vec(
            (prop::sample::select(vec![Packet::Lost, Packet::Late, Packet::NotSent]), 8_u64..300, 200_u64..600),
            0..10,
        ),
    ) {
        let mut listener = Listener::new(EVERYTHING);
        listener.seconds(10, Packet::Played);
        listener.play((0..first).map(|_| Packet::Played));
        let mut known = Vec::new();
        for (packet, packets, rest) in bursts {
            let from = listener.now();
            listener.play((0..packets).map(|_| packet));
            known.push((packet, from, listener.now()));
            listener.play((0..rest).map(|_| Packet::Played));
        }
        listener.seconds(3, Packet::Played);
        let found = listener.bursts();
        prop_assert_eq!(found.len(), known.len(), "{:?} of {:?}", found, known);
        for (found, (packet, from, to)) in found.iter().zip(known) {
            prop_assert!(found.start <= from && from - found.start <= A_REPORT, "{found:?} of {from:?}");
            prop_assert!(to <= found.end() && found.end() - to <= A_REPORT, "{found:?} until {to:?}");
            prop_assert!(found.concealed.abs_diff(to - from) < A_PACKET, "{found:?} of {:?}", to - from);
            let cause = match packet {
                Packet::Lost => SoundCause::Loss,
                Packet::Late => SoundCause::Late,
                _ => SoundCause::Source,
            };
            prop_assert_eq!(found.cause, cause, "{:?}", found);
        }
    }
}
