//! Runs the fuzz targets of this crate's parsers over their seeds.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(unreachable_pub, reason = "the modules are those of another package")]
#![allow(clippy::print_stdout, reason = "a test that fails says at which input")]

#[path = "../../../fuzz/src/native.rs"]
mod native;
#[path = "../../../fuzz/src/seeds.rs"]
mod seeds;

#[test]
fn every_seed_of_a_native_target_has_the_properties_of_the_target() {
    for (target, property) in native::TARGETS {
        seeds::check(target, property);
    }
}

#[test]
fn every_changed_seed_of_a_native_target_has_the_properties_of_the_target() {
    for (target, property) in native::TARGETS {
        seeds::check_changed(target, property);
    }
}

#[test]
fn no_changed_byte_of_a_seed_breaks_a_property() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds");
    for (target, property) in native::TARGETS {
        for seed in std::fs::read_dir(folder.join(target)).unwrap() {
            let seed = std::fs::read(seed.unwrap().path()).unwrap();
            for at in 0..seed.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut changed = seed.clone();
                    changed[at] = value;
                    property(&changed);
                }
                property(&seed[..at]);
            }
        }
    }
}

#[test]
fn the_seeds_of_frames_are_whole_frames() {
    for (target, frames) in [
        ("vp8", 2),
        ("vp9", 2),
        ("vp9-structure", 1),
        ("av1", 2),
        ("av1-short-obu", 0),
        ("h264", 2),
        ("h264-fragment-without-begin", 0),
    ] {
        let seed = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../../fuzz/seeds/rtp_payloads")
            .join(target);
        assert_eq!(native::frames_of(&std::fs::read(seed).unwrap()).len(), frames, "{target}");
    }
}

#[test]
fn the_seeds_of_video_files_are_whole_files() {
    for (seed, frames, keyframes) in
        [("mp4_file/h264", 3, 2), ("mp4_file/h264-fragments", 6, 2), ("ogg_file/vp8-opus", 5, 2)]
    {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(seed);
        let summary = sightline_cli::media::examine(std::fs::File::open(path).unwrap()).unwrap();
        assert_eq!((summary.frames, summary.keyframes), (frames, keyframes), "{seed}");
    }
}
