//! `watch`: receives the pictures and the sound of others, measures them, and writes the report of a page.

mod new_file;
mod recording;

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Write,
    time::Duration,
};

use sightline_core::measure::{Figure, FigureValue, MemberFigures, Metric, report::Report, run::RunState};
use sightline_protocol::MemberId;
use tokio::time::Instant;

use self::{
    new_file::{NewFile, cannot_write},
    recording::Recording,
};
use super::{
    output::{Event, FigureOfMember, Output},
    visit::{Happening, Visit},
};
use crate::{
    clock::until,
    failure::{Exit, Failure},
    options::WatchOptions,
    peer::Watch,
};

/// How long to wait for somebody, and for a picture, unless `--wait` says otherwise.
const WAIT: Duration = Duration::from_secs(600);
/// How long the measurements that others made in this run may take to arrive.
const LOGS: Duration = Duration::from_secs(2);

pub(super) async fn run(options: &WatchOptions, output: &mut Output) -> Result<(), Failure> {
    let report = options.report.as_deref().map(NewFile::create).transpose()?;
    let (recording, frames) = options.record.as_deref().map(Recording::begin).transpose()?.unzip();
    let setup = Watch { run: options.run.map(Duration::from_secs), frames };
    let mut visit = Visit::begin_watching(&options.member, output, setup)?;
    let wait = options.member.wait.map_or(WAIT, Duration::from_secs);
    visit.wait_for_company(wait);
    let picture_due = Some(Instant::now() + wait);
    let mut watch = Watching { visit, picture_due, seen: BTreeSet::new(), ends_at: None };
    let result = watch.run().await;
    watch.visit.peer.stop_run();
    let document = watch.visit.peer.report().filter(has_measured);
    watch.visit.peer.leave().await;

    let output: &Output = watch.visit.output;
    let printed = document.as_ref().map_or(Ok(()), |document| print(document, output));
    let written = report.zip(document).map_or(Ok(()), |(report, document)| write_report(report, &document));
    let recorded = match recording {
        Some(recording) => end_recording(recording, output).await,
        None => Ok(()),
    };
    result.and(written).and(recorded).and(printed)
}

struct Watching<'a> {
    visit: Visit<'a>,
    /// When it is too late for a picture.
    picture_due: Option<Instant>,
    /// The members whose pictures have arrived.
    seen: BTreeSet<MemberId>,
    ends_at: Option<Instant>,
}

impl Watching<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        loop {
            tokio::select! {
                happening = self.visit.next() => match happening? {
                    Happening::Figures(member, figures) => self.show(&member, &figures)?,
                    Happening::Run(progress) if progress.state == RunState::Ended => {
                        self.ends_at.get_or_insert(Instant::now() + LOGS);
                    }
                    Happening::Alone => return Err(self.visit.nobody_came()),
                    _ => {}
                },
                () = until(self.picture_due) => {
                    self.picture_due = None;
                    if self.visit.has_company() {
                        let sentence = "Somebody is in the room, and no picture of theirs arrived in time.";
                        return Err(Failure::new(Exit::Alone, "no-picture", sentence));
                    }
                }
                () = until(self.ends_at) => return Ok(()),
            }
        }
    }

    fn show(&mut self, member: &MemberId, figures: &MemberFigures) -> Result<(), Failure> {
        let rows = &figures.figures.rows;
        let name = self.visit.name_of(member);
        // Frames of a file are counted seconds later, when its page has reported them or is known not to: a short clip may be over.
        let has_picture =
            rows.iter().any(|row| row.metric == Metric::TimeToFirstFrame && row.value.is_some());
        if has_picture && self.seen.insert(member.clone()) {
            self.picture_due = None;
            self.visit.stop_waiting();
            self.visit.output.note(&format!("The pictures of {name} arrive."));
            self.visit.output.event(&Event::Picture { id: member.as_str(), name: &name }, None)?;
        }
        let values: BTreeMap<_, _> =
            rows.iter().filter_map(|row| Some((row.metric.name(), value(row)?))).collect();
        self.visit.output.event(&Event::Figures { id: member.as_str(), name: &name, figures: values }, None)
    }
}

fn value(row: &Figure) -> Option<FigureOfMember<'_>> {
    match row.value.as_ref()? {
        FigureValue::Number(number) => Some(FigureOfMember::Number(*number)),
        FigureValue::Word(word) => Some(FigureOfMember::Word(word)),
    }
}

/// Whether anything arrived.
fn has_measured(document: &Report) -> bool {
    document.sides.iter().any(|side| side.playout.is_some() || side.sound.is_some())
}

/// Prints what this member measured.
fn print(document: &Report, output: &Output) -> Result<(), Failure> {
    // The first side is this member's own.
    let observer = document.sides.first().map(|side| &side.observer.member);
    for side in document.sides.iter().filter(|side| Some(&side.observer.member) == observer) {
        let Some(playout) = &side.playout else { continue };
        let name = if side.observed.name.is_empty() { &side.observed.member } else { &side.observed.name };
        let frames = playout.frames_presented.unwrap_or_default();
        let rate = playout.frames_per_second.unwrap_or_default();
        let (width, height) =
            (playout.frame_width.unwrap_or_default(), playout.frame_height.unwrap_or_default());
        let lost = playout.loss_ratio.unwrap_or_default() * 100.0;
        let line = format!(
            "{name}: {frames} frames received in {:.1} s ({rate:.1} a second), {width}x{height}, {} stalls ({:.1} s), {lost:.1} % of \
             the packets lost",
            playout.watched_s, playout.stall_count, playout.stall_time_s
        );
        let event = Event::Measured {
            id: &side.observed.member,
            name: &side.observed.name,
            frames,
            frames_per_second: playout.frames_per_second,
            stall_count: playout.stall_count,
            stall_time_s: playout.stall_time_s,
            loss_ratio: playout.loss_ratio,
        };
        output.event(&event, Some(&line))?;
    }
    Ok(())
}

fn write_report((mut new, mut file): (NewFile, File), document: &Report) -> Result<(), Failure> {
    let written = file.write_all(document.to_json().as_bytes()).and_then(|()| file.sync_all());
    written.map_err(|error| cannot_write(new.path(), &error))?;
    new.keep();
    Ok(())
}

async fn end_recording(recording: Recording, output: &Output) -> Result<(), Failure> {
    let path = recording.path().to_owned();
    let recorded = recording.end().await?;
    if recorded.frames > 0 {
        output.note(&format!("{} frames are in {}.", recorded.frames, path.display()));
    }
    if recorded.has_other_codec {
        let sentence = "The recording ended early, since the member changed the codec.";
        return output.warning("recording-ended", sentence);
    }
    Ok(())
}
