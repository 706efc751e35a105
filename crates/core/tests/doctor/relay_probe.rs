use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

use sightline_core::{
    Timestamp,
    doctor::{CheckCode, FLOOD_MESSAGE_BYTES, FloodWindow, ProbeOutput, RelayFigures, RelayProbe},
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
fn only_bytes_of_the_size_of_a_packet_have_a_number() {
    let mut packet = RelayProbe::packet(513);
    assert_eq!((packet.len(), RelayProbe::number_of(&packet)), (160, Some(513)));
    packet.push(0);
    assert_eq!(RelayProbe::number_of(&packet), None);
    assert_eq!(RelayProbe::number_of(&packet[..2]), None);
}

/// Floods a link for two seconds that carries `per_ms` packets a millisecond, has a queue of `queue` packets and takes 20 ms. Returns the
/// packets that arrived and that were sent.
fn flood(per_ms: u64, queue: usize) -> (u64, u64) {
    let mut window = FloodWindow::new(at(0));
    let (mut waiting, mut on_the_way) = (VecDeque::new(), VecDeque::new());
    let (mut arrived, mut sent) = (0, 0);
    for ms in 0..2000 {
        for _ in 0..per_ms {
            on_the_way.extend(waiting.pop_front().map(|packet: Vec<u8>| (ms + 20, packet)));
        }
        while on_the_way.front().is_some_and(|(due, _)| *due <= ms) {
            let (_, packet) = on_the_way.pop_front().unwrap();
            assert!(window.handle_arrival(&packet, at(ms)));
            arrived += 1;
        }
        window.handle_timeout(at(ms));
        while let Some(packet) = window.poll_packet() {
            sent += 1;
            if waiting.len() < queue {
                waiting.push_back(packet);
            }
        }
    }
    (arrived, sent)
}

#[test]
fn a_flood_without_congestion_control_fills_a_path_and_loses_little() {
    // 16 Mbit/s.
    let (arrived, sent) = flood(2, 30);
    assert!(arrived > 2 * 2000 * 3 / 4, "{arrived} of {sent}");
    assert!(sent - arrived < sent / 10, "{arrived} of {sent}");
}

#[test]
fn a_flood_on_a_path_without_a_limit_is_bounded() {
    let (arrived, sent) = flood(1000, 100_000);
    assert!(arrived > 10_000 && sent <= 20_000, "{arrived} of {sent}");
}

#[test]
fn a_flood_into_a_dead_path_sends_a_few_packets_at_a_time() {
    let (arrived, sent) = flood(0, 0);
    assert_eq!(arrived, 0);
    assert!((20..=100).contains(&sent), "{sent}");
}

#[test]
fn a_packet_that_is_none_of_the_flood_is_not_counted() {
    let mut window = FloodWindow::new(at(0));
    let packet = window.poll_packet().unwrap();
    assert!(!window.handle_arrival(&RelayProbe::packet(0), at(1)));
    assert!(!window.handle_arrival(&[0xff; 1000], at(1)), "it was never sent");
    assert!(window.handle_arrival(&packet, at(1)));
}
