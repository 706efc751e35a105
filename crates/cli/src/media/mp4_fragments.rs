//! The frames in the fragments of an MP4 file (ISO/IEC 14496-12, 8.8), which recorders and streaming servers write.

use std::collections::HashMap;

use mp4_atom::{Moof, Moov, Traf, Trak, Trex};

use super::{
    Track,
    file_problem::FileProblem,
    mp4::{MAX_SAMPLES, Sample, time_of},
};

/// Takes one fragment after the other.
pub(super) struct Fragments {
    tracks: Vec<FragmentedTrack>,
    /// What holds for the frames of a track unless its fragments say otherwise, by the id of the track.
    defaults: HashMap<u32, Trex>,
    /// Frames of all tracks that may still come.
    left: usize,
}

/// A track whose frames are wanted.
struct FragmentedTrack {
    id: u32,
    kind: Track,
    timescale: u64,
    /// When the next frame is decoded, unless its fragment says so.
    decoded_at: u64,
}

impl Fragments {
    /// For these tracks of a file with this index. `decoded_until` is the end of a track's frames in the index itself.
    pub(super) fn new(index: &Moov, tracks: &[(&Trak, Track, u64)]) -> Self {
        let tracks = tracks.iter().map(|(track, kind, decoded_until)| FragmentedTrack {
            id: track.tkhd.track_id,
            kind: *kind,
            timescale: u64::from(track.mdia.mdhd.timescale),
            decoded_at: *decoded_until,
        });
        let defaults = index.mvex.iter().flat_map(|mvex| &mvex.trex);
        let defaults = defaults.map(|defaults| (defaults.track_id, defaults.clone()));
        Self { tracks: tracks.collect(), defaults: defaults.collect(), left: MAX_SAMPLES }
    }

    /// Adds the frames of a fragment that begins at `at`.
    pub(super) fn add(
        &mut self,
        fragment: &Moof,
        at: u64,
        samples: &mut Vec<Sample>,
    ) -> Result<(), FileProblem> {
        let mut place = at;
        for run in &fragment.traf {
            // Without either, a track continues where the one before it ended.
            let base = if run.tfhd.default_base_is_moof { at } else { place };
            place = self.add_run(run, run.tfhd.base_data_offset.unwrap_or(base), samples)?;
        }
        Ok(())
    }

    /// Adds the frames of one track in a fragment. Returns the end of their bytes.
    fn add_run(&mut self, run: &Traf, base: u64, samples: &mut Vec<Sample>) -> Result<u64, FileProblem> {
        let mut track = self.tracks.iter_mut().find(|track| track.id == run.tfhd.track_id);
        if let (Some(track), Some(begin)) = (&mut track, &run.tfdt) {
            track.decoded_at = begin.base_media_decode_time;
        }
        let defaults = self.defaults.get(&run.tfhd.track_id);
        let usual_duration =
            run.tfhd.default_sample_duration.or(defaults.map(|defaults| defaults.default_sample_duration));
        let usual_bytes =
            run.tfhd.default_sample_size.or(defaults.map(|defaults| defaults.default_sample_size));
        let mut offset = base;
        for part in &run.trun {
            if let Some(from_base) = part.data_offset {
                offset = base.checked_add_signed(from_base.into()).ok_or(FileProblem::Damaged)?;
            }
            self.left = self.left.checked_sub(part.samples.len()).ok_or(FileProblem::Damaged)?;
            for entry in &part.samples {
                let bytes = entry.size.or(usual_bytes).ok_or(FileProblem::Damaged)?;
                if let Some(track) = &mut track {
                    let shown_at = track.decoded_at.saturating_add_signed(entry.cts.unwrap_or(0));
                    let time = time_of(shown_at, track.timescale)?;
                    samples.push(Sample { track: track.kind, time, offset, bytes });
                    let duration = entry.duration.or(usual_duration).unwrap_or(0);
                    track.decoded_at = track.decoded_at.saturating_add(duration.into());
                }
                offset = offset.checked_add(bytes.into()).ok_or(FileProblem::Damaged)?;
            }
        }
        Ok(offset)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use bytes::Bytes;
    use mp4_atom::{Encode, Mfhd, Mvex, Tfdt, Tfhd, Trun, TrunEntry, TrunSamples};

    use super::{
        super::{file::VideoFile, mp4::testing::mp4_with, testing::AV1_KEY},
        *,
    };

    /// A frame of AV1 of this length.
    fn frame(bytes: usize) -> Vec<u8> {
        let mut frame = AV1_KEY.to_vec();
        // The size of the last OBU, whose first two bytes and the other OBUs are before it.
        frame[6] = u8::try_from(bytes - 7).unwrap();
        frame.resize(bytes, 0x10);
        frame
    }

    fn entry(size: Option<u32>, duration: Option<u32>, cts: Option<i64>) -> TrunEntry {
        TrunEntry { size, duration, cts, flags: None }
    }

    fn run(track_id: u32, samples: impl Into<TrunSamples>) -> Traf {
        let tfhd = Tfhd { track_id, default_base_is_moof: true, ..Tfhd::default() };
        Traf { tfhd, trun: vec![Trun { data_offset: Some(0), samples: samples.into() }], ..Traf::default() }
    }

    /// A fragment with its bytes behind it. Runs with an offset of 0 get that of the bytes.
    fn fragment(mut runs: Vec<Traf>, media: &[u8]) -> Vec<u8> {
        let encode = |runs: &[Traf]| {
            let mut file = Vec::new();
            Moof { mfhd: Mfhd { sequence_number: 1 }, traf: runs.to_vec() }.encode(&mut file).unwrap();
            file
        };
        let to_media = i32::try_from(encode(&runs).len() + 8).unwrap();
        for part in runs.iter_mut().flat_map(|run| &mut run.trun) {
            part.data_offset = part.data_offset.map(|offset| offset + to_media);
        }
        let mut file = encode(&runs);
        file.extend(u32::try_from(media.len() + 8).unwrap().to_be_bytes());
        file.extend(b"mdat");
        file.extend(media);
        file
    }

    /// A file of one track in milliseconds, with these fragments after its empty index.
    fn file(defaults: Trex, fragments: &[Vec<u8>]) -> Vec<u8> {
        let mut file = mp4_with(&[], 0, |moov| {
            moov.trak[0].tkhd.track_id = 7;
            moov.mvex = Some(Mvex { trex: vec![Trex { track_id: 7, ..defaults }], ..Mvex::default() });
        });
        file.extend(fragments.concat());
        file
    }

    fn open(file: Vec<u8>) -> Result<Vec<(u128, Bytes)>, FileProblem> {
        let (mut file, _) = VideoFile::open(Cursor::new(file))?;
        let mut frames = Vec::new();
        while let Some(frame) = file.next_frame()? {
            frames.push((frame.time.as_millis(), frame.data));
        }
        Ok(frames)
    }

    fn lengths(file: Vec<u8>) -> Vec<(u128, usize)> {
        open(file).unwrap().into_iter().map(|(time, data)| (time, data.len())).collect()
    }

    #[test]
    fn frames_have_the_sizes_and_times_of_their_run_of_the_fragment_or_of_the_index() {
        let defaults = Trex { default_sample_duration: 40, default_sample_size: 20, ..Trex::default() };
        // All from the index.
        let plain = run(7, TrunSamples::Inherited { count: 2, first_flags: None });
        let media = [frame(20), frame(20)].concat();
        // From the fragment.
        let mut usual = plain.clone();
        usual.tfhd.default_sample_duration = Some(10);
        usual.tfhd.default_sample_size = Some(10);
        let short = [frame(10), frame(10)].concat();
        // From the run itself, at the time that the fragment says.
        let mut own = run(7, vec![entry(Some(30), Some(5), None), entry(Some(12), Some(5), None)]);
        own.tfdt = Some(Tfdt { base_media_decode_time: 1000 });
        let long = [frame(30), frame(12)].concat();
        let whole = file(
            defaults,
            &[fragment(vec![plain], &media), fragment(vec![usual], &short), fragment(vec![own], &long)],
        );
        assert_eq!(lengths(whole), [(0, 20), (40, 20), (80, 10), (90, 10), (1000, 30), (1005, 12)]);
    }

    #[test]
    fn runs_follow_each_other_where_they_have_no_place_of_their_own() {
        let sized = |bytes| vec![entry(Some(bytes), Some(40), None)];
        // The track that nobody wants has its bytes between those of the other.
        let mut first = run(7, sized(10));
        first.trun.push(Trun { data_offset: None, samples: sized(11).into() });
        let mut other = run(9, sized(5));
        let mut last = run(7, sized(12));
        for run in [&mut other, &mut last] {
            run.tfhd.default_base_is_moof = false;
            run.trun[0].data_offset = None;
        }
        let media = [frame(10), frame(11), vec![0; 5], frame(12)].concat();
        let fragments = [fragment(vec![first, other, last], &media)];
        assert_eq!(lengths(file(Trex::default(), &fragments)), [(0, 10), (40, 11), (80, 12)]);
    }

    #[test]
    fn a_place_in_the_file_is_preferred_and_pictures_may_be_shown_later_than_decoded() {
        let begin = file(Trex::default(), &[]);
        let media = [frame(10), frame(11)].concat();
        let samples = vec![entry(Some(10), Some(40), Some(80)), entry(Some(11), Some(40), Some(80))];
        let placed = |at: u64| {
            let mut run = run(7, samples.clone());
            run.tfhd.base_data_offset = Some(at);
            run.tfhd.default_base_is_moof = false;
            run.trun[0].data_offset = None;
            fragment(vec![run], &media)
        };
        let at = begin.len() + placed(0).len() - media.len();
        let whole = file(Trex::default(), &[placed(u64::try_from(at).unwrap())]);
        assert_eq!(lengths(whole), [(0, 10), (40, 11)]);
    }

    #[test]
    fn a_file_that_ends_within_a_fragment_or_points_out_of_the_file_has_its_code() {
        let samples = vec![entry(Some(10), Some(40), None)];
        let whole = file(Trex::default(), &[fragment(vec![run(7, samples.clone())], &frame(10))]);
        let code = |file: Vec<u8>| open(file).expect_err("a file that cannot be provided").code();
        for missing in 1..20 {
            assert_eq!(code(whole[..whole.len() - missing].to_vec()), "file-truncated", "{missing}");
        }
        let mut far = run(7, samples);
        far.trun[0].data_offset = Some(1 << 20);
        assert_eq!(code(file(Trex::default(), &[fragment(vec![far], &frame(10))])), "file-truncated");
        let mut before = run(7, vec![entry(Some(10), None, None)]);
        before.trun[0].data_offset = Some(i32::MIN);
        assert_eq!(code(file(Trex::default(), &[fragment(vec![before], &[])])), "file-damaged");
        // Neither the run nor the fragment nor the index knows the size.
        let unsized_run = run(9, TrunSamples::Inherited { count: 1, first_flags: None });
        assert_eq!(code(file(Trex::default(), &[fragment(vec![unsized_run], &[])])), "file-damaged");
    }

    #[test]
    fn neither_endless_frames_nor_endless_times_are_taken() {
        let code = |fragments: &[Vec<u8>]| {
            let defaults = Trex { default_sample_size: 1, ..Trex::default() };
            open(file(defaults, fragments)).expect_err("a file that cannot be provided").code()
        };
        let many = |count| fragment(vec![run(7, TrunSamples::Inherited { count, first_flags: None })], &[]);
        assert_eq!(code(&[many(u32::MAX)]), "file-damaged");
        // Also in many fragments.
        let half = u32::try_from(MAX_SAMPLES / 2 + 1).unwrap();
        assert_eq!(code(&[many(half), many(half)]), "file-damaged");
        let mut late = run(7, vec![entry(Some(1), None, None)]);
        late.tfdt = Some(Tfdt { base_media_decode_time: u64::MAX });
        assert_eq!(code(&[fragment(vec![late], &[0])]), "file-damaged");
    }
}
