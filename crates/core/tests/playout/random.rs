//! Random clips with known stalls.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    measure::{
        ShownFrame,
        playout::{Declaration, PlayoutMeter},
    },
};

use crate::viewer::{REFRESH_US, Viewer};

/// Greatest delay of one frame relative to a punctual one: 20 ms late, and a refresh of the display.
const UNEVENNESS: Duration = Duration::from_micros(20_000 + REFRESH_US);

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn every_known_stall_is_found_once_and_nothing_else(
        fps in prop::sample::select(vec![7_u64, 12, 15, 24, 25, 30, 50, 60]),
        stalls in prop::collection::vec((200_u64..3000, 1000_u64..6000), 0..12),
        late in prop::collection::vec(0_u64..20_000, 1..50),
    ) {
        let mut viewer = Viewer::at_fps(fps);
        let mut late = late.into_iter().cycle();
        let mut play = |viewer: &mut Viewer, duration_ms: u64| {
            let end = viewer.now() + Duration::from_millis(duration_ms);
            while viewer.now() < end {
                viewer.show(late.next().unwrap_or_default());
            }
        };
        play(&mut viewer, 3000);
        let interval = Duration::from_micros(1_000_000 / fps);
        let mut known = Vec::new();
        for (stall_ms, rest_ms) in stalls {
            let before = viewer.shown_at();
            viewer.stop_for(stall_ms);
            play(&mut viewer, 1);
            known.push(viewer.shown_at() - before - interval);
            play(&mut viewer, rest_ms);
        }
        let found = viewer.stalls();
        prop_assert_eq!(found.len(), known.len(), "{:?} of {:?}", found, known);
        for (found, known) in found.iter().zip(known) {
            let off = found.duration.abs_diff(known);
            // No interval differs from the true one by more than the unevenness, so the normal interval does not either. If two
            // frames share a refresh, the unseen one counts for the gap.
            prop_assert!(off <= UNEVENNESS + interval, "{off:?} off {known:?}");
        }
    }

    #[test]
    fn the_totals_are_consistent_for_any_frames(
        events in prop::collection::vec((0_u8..8, 0_u64..2_000_000, any::<u32>(), any::<Option<u32>>()), 0..300),
    ) {
        let mut meter = PlayoutMeter::new(Timestamp::ZERO);
        let mut now_us = 0;
        for (kind, step, number, rtp_timestamp) in events {
            now_us += step;
            let now = Timestamp::from_origin(Duration::from_micros(now_us));
            match kind {
                0 => meter.handle_visibility(number % 2 == 0, now),
                1 => meter.handle_declaration(Declaration::Paused, now),
                2 => meter.handle_declaration(Declaration::Playing, now),
                3 => meter.handle_connected(number % 2 == 0, now),
                _ => {
                    let at = now_us.saturating_sub(u64::from(number % 100_000));
                    let shown_at = Timestamp::from_origin(Duration::from_micros(at));
                    meter.handle_frame(
                        ShownFrame { shown_at, presented_frames: number, rtp_timestamp, ..ShownFrame::default() },
                        now,
                    );
                }
            }
        }
        let now = Timestamp::from_origin(Duration::from_micros(now_us));
        meter.finish(now);
        let (summary, stalls) = (meter.summary(now), meter.stalls(now));
        let total: Duration = stalls.iter().map(|stall| stall.duration).sum();
        prop_assert_eq!(summary.stall_time, total);
        prop_assert_eq!(summary.stall_count as usize, stalls.len());
        prop_assert!(stalls.windows(2).all(|pair| pair[0].end() <= pair[1].start));
        if let Some(watched) = summary.watched {
            prop_assert!(total + summary.marked <= watched + Duration::from_millis(1), "{summary:?}");
            prop_assert!(summary.score.is_none_or(|score| (10..=50).contains(&score.tenths)));
        }
    }
}
