//! Files during a call over a bottleneck.

use std::time::Duration;

use sightline_core::{
    Timestamp,
    bulk::Pacer,
    transfer::{CHUNK_BYTES, MIN_CHUNK_BYTES},
};

const STEP: Duration = Duration::from_millis(5);
const PING: Duration = Duration::from_millis(50);

/// A bottleneck with a queue, shared by a call and a file transfer.
struct Link {
    now: Timestamp,
    path: Duration,
    /// Bytes per second of the link and of the call.
    rate: u64,
    call: u64,
    queue_bytes: f64,
    /// Measured round trips on their way back.
    answers: Vec<(Timestamp, Duration)>,
    next_ping: Timestamp,
    pacer: Pacer,
}

/// The observations of one simulated interval.
struct Seen {
    files: u64,
    mean_queue: Duration,
}

impl Link {
    fn new(rate_bps: u64, call_bps: u64, path: Duration) -> Self {
        let now = Timestamp::from_origin(Duration::from_secs(1));
        Self {
            now,
            path,
            rate: rate_bps / 8,
            call: call_bps / 8,
            queue_bytes: 0.0,
            answers: Vec::new(),
            next_ping: now,
            pacer: Pacer::new(MIN_CHUNK_BYTES, CHUNK_BYTES, now),
        }
    }

    fn run(&mut self, duration: Duration) -> Seen {
        let (mut files, mut queues, mut steps) = (0, Duration::ZERO, 0);
        let end = self.now + duration;
        while self.now < end {
            self.now = self.now + STEP;
            let chunk = self.pacer.chunk_bytes() as u64;
            let sent = self.pacer.allowance(self.now) / chunk * chunk;
            self.pacer.handle_sent(sent);
            files += sent;
            let in_bytes = sent as f64 + self.call as f64 * STEP.as_secs_f64();
            self.queue_bytes = (self.queue_bytes + in_bytes - self.rate as f64 * STEP.as_secs_f64()).max(0.0);
            let queue = Duration::try_from_secs_f64(self.queue_bytes / self.rate as f64).unwrap();
            if self.next_ping <= self.now {
                self.next_ping = self.now + PING;
                let round_trip = self.path + queue;
                self.answers.push((self.now + round_trip, round_trip));
            }
            let now = self.now;
            for (_, round_trip) in self.answers.extract_if(.., |(at, _)| *at <= now) {
                self.pacer.handle_round_trip(round_trip, now);
            }
            (queues, steps) = (queues + queue, steps + 1);
        }
        Seen { files, mean_queue: queues / steps }
    }
}

#[test]
fn files_use_the_bandwidth_that_the_call_leaves_and_the_queue_stays_short() {
    for (rate_bps, path_ms) in [(3_000_000_u64, 50_u64), (3_000_000, 100), (10_000_000, 20), (1_500_000, 50)]
    {
        let call_bps = rate_bps / 2;
        let mut link = Link::new(rate_bps, call_bps, Duration::from_millis(path_ms));
        // The pacer finds its earlier rate again.
        link.run(Duration::from_secs(20));
        let seen = link.run(Duration::from_secs(30));
        let left = (rate_bps - call_bps) / 8 * 30;
        // The call may see a fifth more than the path's own delay.
        assert!(
            seen.mean_queue <= Duration::from_millis(path_ms) / 5,
            "{rate_bps} {path_ms} {:?}",
            seen.mean_queue
        );
        assert!(seen.files * 2 > left, "{rate_bps} {path_ms}: {} of {left}", seen.files);
    }
}

#[test]
fn a_fast_path_is_used_within_seconds() {
    let mut link = Link::new(200_000_000, 2_000_000, Duration::from_millis(2));
    link.run(Duration::from_secs(5));
    let seen = link.run(Duration::from_secs(5));
    assert!(seen.files > 50_000_000, "{}", seen.files);
}

#[test]
fn files_slow_down_when_the_call_needs_more() {
    let mut link = Link::new(3_000_000, 800_000, Duration::from_millis(50));
    link.run(Duration::from_secs(20));
    let before = link.run(Duration::from_secs(10)).files;
    link.call = 2_500_000 / 8;
    link.run(Duration::from_secs(3));
    let seen = link.run(Duration::from_secs(20));
    assert!(seen.files / 20 < before / 10 / 2, "{} after {before}", seen.files);
    assert!(seen.mean_queue <= Duration::from_millis(10), "{:?}", seen.mean_queue);
}

#[test]
fn a_path_that_does_not_answer_slows_files_down() {
    let mut link = Link::new(10_000_000, 0, Duration::from_millis(50));
    link.run(Duration::from_secs(10));
    let before = link.pacer.rate();
    for _ in 0..20 {
        link.now = link.now + Duration::from_secs(1);
        link.pacer.handle_silence(Duration::from_secs(1), link.now);
    }
    assert!(link.pacer.rate() < before / 8, "{} after {before}", link.pacer.rate());
    // Slow, but never zero.
    link.now = link.now + Duration::from_secs(1);
    assert!(link.pacer.allowance(link.now) >= link.pacer.chunk_bytes() as u64);
}

#[test]
fn chunks_are_small_if_a_large_one_would_delay_the_call() {
    let link = Link::new(1_000_000, 0, Duration::from_millis(50));
    assert_eq!(link.pacer.chunk_bytes(), MIN_CHUNK_BYTES);
    let mut fast = Link::new(1_000_000_000, 0, Duration::from_millis(1));
    fast.run(Duration::from_secs(10));
    assert_eq!(fast.pacer.chunk_bytes(), CHUNK_BYTES);
}
