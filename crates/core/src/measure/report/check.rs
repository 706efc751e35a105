//! Checks that the numbers of a report are plausible: finite, within bounds, and in order. The same rules apply to a file and
//! to the log of another page.

use super::{Clock, FileEntry, KnownSourceEntry, PlayoutEntry, Report, ScoreEntry, Side, SoundEntry};

/// Longest duration in a report, and greatest distance of a time from the report's zero: two days, more than a run can last.
pub const LONGEST_S: f64 = 172_800.0;
/// Latest time on a page's own clock, which started when the page was opened: thirty years.
pub(crate) const FARTHEST_S: f64 = 1e9;
/// Greatest value of any other number, such as bytes or bits per second.
const GREATEST: f64 = 1e15;
/// Latest time of day in milliseconds since 1970: the year 9999.
const LATEST_UNIX_MS: f64 = 253_402_300_799_999.0;
/// Tolerance for sums of individually rounded numbers.
const ROUNDING_S: f64 = 0.01;

/// Why the numbers of a report are implausible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// A row lacks columns, a histogram lacks buckets, or two columns have the same name.
    Structure,
    /// A number is not finite, out of bounds, or out of order.
    Number,
}

impl Report {
    pub(super) fn check(&self) -> Result<(), Flaw> {
        number(
            within(self.duration_s, 0.0, LONGEST_S) && within(self.started_at_unix_ms, 0.0, LATEST_UNIX_MS),
        )?;
        self.sides.iter().try_for_each(|side| side.check(LONGEST_S))
    }
}

impl Side {
    /// Checks everything; no time may be farther from zero than `farthest_s`.
    pub(crate) fn check(&self, farthest_s: f64) -> Result<(), Flaw> {
        let is_time = |at_s: f64| within(at_s, -farthest_s, farthest_s);
        structure(self.columns.first().is_some_and(|first| first == "time"))?;
        structure(self.columns.iter().all(|name| is_word(name)))?;
        structure((1..self.columns.len()).all(|at| !self.columns[..at].contains(&self.columns[at])))?;
        let mut last_s = f64::NEG_INFINITY;
        for row in &self.samples {
            let Some((Some(at_s), values)) = row.split_first() else { return Err(Flaw::Structure) };
            structure(row.len() == self.columns.len())?;
            number(is_time(*at_s) && *at_s >= last_s)?;
            number(values.iter().flatten().all(|value| within(*value, -GREATEST, GREATEST)))?;
            last_s = *at_s;
        }
        number(self.events.iter().all(|event| is_time(event.at_s)))?;
        number(self.clock.is_none_or(Clock::is_possible))?;
        number(self.file.as_ref().is_none_or(FileEntry::is_possible))?;
        number(self.absences.iter().all(|absence| {
            is_time(absence.from_s) && is_time(absence.to_s) && absence.from_s <= absence.to_s
        }))?;
        self.playout.as_ref().map_or(Ok(()), |playout| playout.check(is_time))?;
        self.known_source.as_ref().map_or(Ok(()), |known| known.check(is_time))?;
        self.sound.as_ref().map_or(Ok(()), |sound| sound.check(is_time))
    }
}

impl Clock {
    fn is_possible(self) -> bool {
        within(self.offset_s, -FARTHEST_S, FARTHEST_S) && within(self.error_s, 0.0, LONGEST_S)
    }
}

impl FileEntry {
    fn is_possible(&self) -> bool {
        let is_digest = |text: &String| {
            text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
        };
        is_count(self.size_bytes)
            && self.frames_per_second.is_none_or(is_count)
            && self.duration_s.is_none_or(is_length)
            && self.sha256.as_ref().is_none_or(is_digest)
    }
}

impl PlayoutEntry {
    fn check(&self, is_time: impl Fn(f64) -> bool) -> Result<(), Flaw> {
        let bounds = &self.gaps.bounds_ms;
        let counts = self.gaps.counts.len();
        structure(counts == 0 && bounds.is_empty() || counts == bounds.len() + 1)?;
        number(bounds.is_sorted_by(|a, b| a < b))?;
        let lengths = [self.watched_s, self.marked_s, self.stall_time_s, self.longest_stall_s];
        number(lengths.into_iter().all(is_length) && is_time(self.first_frame_at_s))?;
        number(self.marked_s <= self.watched_s + ROUNDING_S)?;
        number(self.longest_stall_s <= self.stall_time_s + ROUNDING_S)?;
        let optional_lengths =
            [self.time_to_first_frame_s, self.total_freezes_duration_s, self.usual_stall_time_s];
        number(optional_lengths.into_iter().flatten().all(is_length))?;
        number(within(self.stall_ratio, 0.0, 1.0) && is_count(self.stalls_per_minute))?;
        let ratios = [self.loss_ratio, self.usual_stall_ratio, self.lower_rate_ratio];
        number(ratios.into_iter().flatten().all(|ratio| within(ratio, 0.0, 1.0)))?;
        let counts = [
            self.freeze_count,
            self.bytes_received,
            self.mean_receive_bitrate_bps,
            self.frames_received,
            self.frames_decoded,
            self.frames_dropped,
            self.frames_per_second,
            self.source_frames_per_second,
        ];
        number(counts.into_iter().flatten().all(is_count))?;
        number(
            self.source_frames_presented
                .is_none_or(|shown| self.source_frames.is_some_and(|source| shown <= source)),
        )?;
        self.score.as_ref().map_or(Ok(()), ScoreEntry::check)?;
        number(self.stalls.iter().all(|stall| is_time(stall.start_s) && is_length(stall.duration_s)))?;
        number(self.stalls.is_sorted_by(|a, b| a.start_s <= b.start_s))?;
        number(self.marks.iter().all(|mark| {
            is_time(mark.from_s) && mark.to_s.is_none_or(|to_s| is_time(to_s) && mark.from_s <= to_s)
        }))
    }
}

impl ScoreEntry {
    fn check(&self) -> Result<(), Flaw> {
        number(within(self.value, 1.0, 5.0))?;
        number(self.terms.iter().all(|term| within(term.points, 0.0, 5.0) && within(term.figure, 0.0, 1e9)))
    }
}

impl KnownSourceEntry {
    fn check(&self, is_time: impl Fn(f64) -> bool) -> Result<(), Flaw> {
        let lengths = [self.delay_mean_s, self.delay_shortest_s, self.delay_longest_s, self.clock_error_s];
        number(lengths.into_iter().flatten().all(is_length))?;
        number(self.clock_offset_s.is_none_or(|offset_s| within(offset_s, -FARTHEST_S, FARTHEST_S)))?;
        number(
            self.frames
                .iter()
                .all(|(_, shown_at_s, delay_s)| is_time(*shown_at_s) && delay_s.is_none_or(is_length)),
        )?;
        number(self.clocks.iter().all(|(from_s, offset_s, error_s)| {
            is_time(*from_s) && within(*offset_s, -FARTHEST_S, FARTHEST_S) && is_length(*error_s)
        }))
    }
}

impl SoundEntry {
    fn check(&self, is_time: impl Fn(f64) -> bool) -> Result<(), Flaw> {
        let counts = [
            self.samples_received,
            self.concealed_samples,
            self.silent_concealed_samples,
            self.concealment_events,
            self.inserted_samples,
            self.removed_samples,
        ];
        number(counts.into_iter().flatten().all(is_count))?;
        let is_part =
            |part: Option<f64>, whole: Option<f64>| part.zip(whole).is_none_or(|(part, whole)| part <= whole);
        number(is_part(self.concealed_samples, self.samples_received))?;
        number(is_part(self.silent_concealed_samples, self.concealed_samples))?;
        number(self.concealed_ratio.is_none_or(|ratio| within(ratio, 0.0, 1.0)))?;
        number(self.jitter_buffer_delay_s.is_none_or(is_length))?;
        number(self.bursts.iter().all(|burst| {
            is_time(burst.start_s)
                && is_length(burst.duration_s)
                && within(burst.concealed_s, 0.0, burst.duration_s + ROUNDING_S)
        }))?;
        number(self.bursts.is_sorted_by(|a, b| a.start_s <= b.start_s))
    }
}

/// Whether a text can be the name of a column, such as `frames_per_second`.
fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// False for NaN, too.
fn within(number: f64, least: f64, most: f64) -> bool {
    (least..=most).contains(&number)
}

/// A number from the local browser; `None` if a report cannot hold it.
pub(crate) fn possible(number: f64) -> Option<f64> {
    Some(number).filter(|number| is_count(*number))
}

/// A duration from the local browser; `None` if a report cannot hold it.
pub(crate) fn possible_length(seconds: f64) -> Option<f64> {
    Some(seconds).filter(|seconds| is_length(*seconds))
}

fn is_length(seconds: f64) -> bool {
    within(seconds, 0.0, LONGEST_S)
}

fn is_count(number: f64) -> bool {
    within(number, 0.0, GREATEST)
}

fn number(is_possible: bool) -> Result<(), Flaw> {
    if is_possible { Ok(()) } else { Err(Flaw::Number) }
}

fn structure(is_whole: bool) -> Result<(), Flaw> {
    if is_whole { Ok(()) } else { Err(Flaw::Structure) }
}
