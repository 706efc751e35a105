//! Distortions that a strip survives, and pictures that are not strips.

use std::time::Duration;

use proptest::prelude::*;
use sightline_core::{
    Timestamp,
    measure::stamp::{COLUMNS, ROWS, Stamp, Strip, Unreadable, luma_of_rgba},
};

use super::picture::{Noise, Picture};

/// The size of the receiver's canvas.
const CANVAS: (usize, usize) = (COLUMNS * 4, ROWS * 4);

fn stamp(number: u32, millis: u64) -> Stamp {
    Stamp::new(number, Timestamp::from_origin(Duration::from_millis(millis)))
}

fn read(picture: &Picture) -> Result<Stamp, Unreadable> {
    Strip::read(&picture.strip_pixels(CANVAS.0, CANVAS.1), CANVAS.0, CANVAS.1)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn a_strip_survives_scaling_blur_coarse_steps_and_noise(
        number: u32,
        millis in 0_u64..400_000_000,
        seed: u64,
        painted in prop_oneof![Just(320_usize), Just(640), Just(854), Just(1280), Just(1920)],
        shown in 160_usize..1280,
        blur in 0.0..0.6,
        contrast in 0.45..1.0,
        step in 1.0..40.0,
        noise in 0.0..45.0,
    ) {
        let mut random = Noise(seed);
        let stamp = stamp(number, millis);
        let picture = Picture::painted(&stamp.strip(), painted, &mut random)
            .resized(shown.min(painted))
            .blurred(blur)
            .coarse(contrast, step, noise, &mut random);
        prop_assert_eq!(read(&picture), Ok(stamp));
    }

    #[test]
    fn a_picture_without_a_strip_has_no_stamp(seed: u64, width in 160_usize..1280) {
        let mut random = Noise(seed);
        let luma: Vec<u8> = (0..CANVAS.0 * CANVAS.1).map(|_| (127.5 + random.next() * 127.5) as u8).collect();
        prop_assert!(Strip::read(&luma, CANVAS.0, CANVAS.1).is_err());
        let plain = Picture { width, height: width, luma: vec![90.0; width * width] };
        prop_assert_eq!(read(&plain), Err(Unreadable::NoStrip));
    }

    #[test]
    fn any_single_inverted_cell_is_detected(number: u32, millis in 0_u64..400_000_000, row in 0..ROWS, column in 1..COLUMNS - 1) {
        let strip = stamp(number, millis).strip();
        let luma: Vec<u8> = (0..ROWS * COLUMNS)
            .map(|at| {
                let is_white = strip.is_white(at / COLUMNS, at % COLUMNS) != (at == row * COLUMNS + column);
                if is_white { 235 } else { 16 }
            })
            .collect();
        prop_assert!(Strip::read(&luma, COLUMNS, ROWS).is_err());
    }

    #[test]
    fn the_time_is_recovered_on_both_sides_of_a_wraparound(
        millis in 0_u64..2_000_000_000,
        off_ms in -3_600_000_i64..3_600_000,
    ) {
        let at = Timestamp::from_origin(Duration::from_millis(millis));
        let near = Timestamp::from_origin(Duration::from_millis(millis.saturating_add_signed(off_ms)));
        prop_assert_eq!(Stamp::new(1, at).painted_at(near), at);
    }
}

#[test]
fn a_picture_that_is_too_small_for_the_strip_says_so() {
    assert_eq!(Strip::read(&[0; 43 * 2], 43, 2), Err(Unreadable::TooSmall));
    assert_eq!(Strip::read(&[0; 10], 176, 8), Err(Unreadable::TooSmall), "fewer values than pixels");
}

#[test]
fn the_reader_tells_a_strip_of_another_version_from_a_damaged_one() {
    let strip = stamp(7, 8).strip();
    // The version is not in the checksum, so a later version can be recognized.
    let luma: Vec<u8> = (0..ROWS * COLUMNS)
        .map(|at| if strip.is_white(at / COLUMNS, at % COLUMNS) != (at == 2) { 235 } else { 16 })
        .collect();
    assert_eq!(Strip::read(&luma, COLUMNS, ROWS), Err(Unreadable::OtherVersion));
}

#[test]
fn light_that_falls_off_across_the_picture_does_no_harm() {
    let stamp = stamp(123_456, 789_000);
    let strip = stamp.strip();
    let luma: Vec<u8> = (0..ROWS * COLUMNS)
        .map(|at| {
            let shade = (at % COLUMNS) as f64 / COLUMNS as f64;
            let luma = if strip.is_white(at / COLUMNS, at % COLUMNS) { 250.0 } else { 140.0 };
            (luma - 135.0 * shade) as u8
        })
        .collect();
    assert_eq!(Strip::read(&luma, COLUMNS, ROWS), Ok(stamp));
}

#[test]
fn luma_weighs_green_most_and_blue_least() {
    assert_eq!(luma_of_rgba(&[255, 255, 255, 255, 0, 255, 0, 255, 0, 0, 255, 255, 9]), [255, 149, 28]);
}
