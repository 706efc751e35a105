use std::{collections::BTreeMap, time::Duration};

use sightline_core::{
    Timestamp,
    doctor::{CheckCode, FLOOD_MESSAGE_BYTES, ProbeOutput, RelayFigures, RelayProbe},
};

use crate::world::at;

/// Runs a probe over a path with this delay that loses every `loses`th packet and carries this many messages per second.
fn measure(delay: impl Fn(u16) -> Duration, loses: u16, messages_per_s: u64) -> (RelayFigures, Timestamp) {
    enum Event {
        Arrival(u16),
        Echo(u16),
        Flood,
    }
    let mut probe = RelayProbe::new(at(0));
    let mut events: BTreeMap<(Timestamp, u64), Event> = BTreeMap::new();
    let (mut now, mut serial) = (at(0), 0);
    loop {
        while let Some(output) = probe.poll_output() {
            match output {
                ProbeOutput::SendPacket(number) if loses > 0 && number % loses == 0 => {}
                ProbeOutput::SendPacket(number) => {
                    serial += 1;
                    events.insert((now + delay(number), serial), Event::Arrival(number));
                }
                ProbeOutput::Flood => {
                    for message in 0..messages_per_s * 3 {
                        serial += 1;
                        let after = Duration::from_secs(1) * u32::try_from(message).unwrap();
                        let after = after / u32::try_from(messages_per_s).unwrap();
                        events.insert((now + after, serial), Event::Flood);
                    }
                }
                ProbeOutput::End => return (probe.figures(), now),
            }
        }
        let next_event = events.first_key_value().map(|((when, _), _)| *when);
        now = [next_event, probe.poll_timeout()].into_iter().flatten().min().expect("something to wait for");
        match events.first_entry().filter(|entry| entry.key().0 == now) {
            Some(entry) => match entry.remove() {
                Event::Arrival(number) => {
                    probe.handle_arrival(number, now);
                    serial += 1;
                    events.insert((now + delay(number), serial), Event::Echo(number));
                }
                Event::Echo(number) => probe.handle_echo(number, now),
                Event::Flood => probe.handle_flood(FLOOD_MESSAGE_BYTES, now),
            },
            None => probe.handle_timeout(now),
        }
    }
}

#[test]
fn a_path_with_constant_delay_has_twice_the_delay_and_no_jitter_or_loss() {
    let (figures, ended_at) = measure(|_| Duration::from_millis(20), 0, 100);
    assert_eq!(figures.round_trip, Some(Duration::from_millis(40)));
    assert_eq!((figures.jitter, figures.loss_permille), (Some(Duration::ZERO), Some(0)));
    let expected_bps = 100 * 8 * FLOOD_MESSAGE_BYTES as u64;
    let throughput_bps = figures.throughput_bps.expect("a throughput");
    assert!(throughput_bps.abs_diff(expected_bps) * 50 < expected_bps, "{throughput_bps}");
    assert!(ended_at < at(5_000), "{ended_at:?} leaves no time to connect within the deadline");
    assert_eq!(figures.judge(Vec::new()).code, CheckCode::Ok);
}

#[test]
fn a_path_with_varying_delay_has_the_jitter_of_rfc_3550() {
    // Every other packet is 16 ms late: the estimate approaches that difference from below.
    let (figures, _) = measure(|number| Duration::from_millis(20 + 16 * u64::from(number % 2)), 0, 100);
    let jitter = figures.jitter.expect("a jitter");
    assert!((Duration::from_millis(14)..Duration::from_millis(16)).contains(&jitter), "{jitter:?}");
}

#[test]
fn lost_packets_are_counted_and_called_lossy() {
    let (figures, _) = measure(|_| Duration::from_millis(20), 5, 100);
    assert_eq!(figures.loss_permille, Some(200));
    assert_eq!(figures.judge(Vec::new()).code, CheckCode::RelayLossy);
}

#[test]
fn a_path_with_low_throughput_is_called_slow() {
    let (figures, _) = measure(|_| Duration::from_millis(20), 0, 2);
    assert_eq!(figures.judge(Vec::new()).code, CheckCode::RelaySlow);
}

#[test]
fn a_path_that_delivers_nothing_has_absent_values_instead_of_zeros() {
    let (figures, _) = measure(|_| Duration::from_millis(20), 1, 1);
    assert_eq!((figures.round_trip, figures.jitter), (None, None));
    assert_eq!(figures.judge(Vec::new()).code, CheckCode::RelayFailed);
}

#[test]
fn a_packet_that_comes_twice_or_was_never_sent_is_not_counted() {
    let mut probe = RelayProbe::new(at(0));
    for number in [0, 0, 0, 49, 9_999] {
        probe.handle_arrival(number, at(7));
        probe.handle_echo(number, at(9));
    }
    assert_eq!(probe.figures().loss_permille, Some(0));
}

#[test]
fn a_measurement_of_packets_alone_ends_after_them_and_does_not_call_the_path_slow() {
    let mut probe = RelayProbe::of_packets(at(0));
    let mut sent = 0;
    loop {
        match probe.poll_output() {
            Some(ProbeOutput::SendPacket(number)) => {
                sent += 1;
                let now = at(u64::from(number) * 30 + 5);
                probe.handle_arrival(number, now);
                probe.handle_echo(number, now);
            }
            Some(ProbeOutput::Flood) => panic!("there is no flood"),
            Some(ProbeOutput::End) => break,
            None => probe.handle_timeout(probe.poll_timeout().expect("a deadline")),
        }
    }
    let figures = probe.figures();
    assert_eq!((sent, figures.loss_permille, figures.throughput_bps), (50, Some(0), None));
    assert_eq!(figures.judge(Vec::new()).code, CheckCode::Ok);
}

#[test]
fn only_bytes_of_the_size_of_a_packet_have_a_number() {
    let mut packet = RelayProbe::packet(513);
    assert_eq!((packet.len(), RelayProbe::number_of(&packet)), (160, Some(513)));
    packet.push(0);
    assert_eq!(RelayProbe::number_of(&packet), None);
    assert_eq!(RelayProbe::number_of(&packet[..2]), None);
}
