//! `provide`: shows a video file to everyone in the room.

use std::{collections::BTreeSet, path::Path, time::Duration};

use sightline_protocol::{MemberId, control::Playback};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};

use super::{
    lines::{Line, read_lines},
    output::{Event, Output},
    visit::{Happening, Visit},
};
use crate::{
    clock::until,
    failure::{Exit, Failure},
    media::{FileProblem, Source},
    options::ProvideOptions,
};

/// How long the end of the file stays: what is on its way is shown until then.
const LAST_PICTURE: Duration = Duration::from_secs(2);

pub(super) async fn run(options: &ProvideOptions, output: &mut Output) -> Result<(), Failure> {
    let (path, options) = options.clone().resolved()?;
    let source = open_described(&path, options.is_loop, output).await?;
    let lines = read_lines()?;
    let mut visit = Visit::begin_showing(&options.member, output, source.clone())?;
    if let Some(seconds) = options.member.wait {
        visit.wait_for_company(Duration::from_secs(seconds));
    }
    let states = source.states();
    let mut provide = Provide {
        visit,
        source,
        path: path.display().to_string(),
        states,
        lines: Some(lines),
        begins: !options.paused,
        stays: options.stay || options.is_loop,
        watching: BTreeSet::new(),
        lacking: BTreeSet::new(),
        leaves_at: None,
    };
    let result = provide.run().await;
    provide.visit.peer.leave().await;
    result
}

/// Opens a file, says what it contains, and begins to read it.
pub(super) async fn open_described(path: &Path, is_loop: bool, output: &Output) -> Result<Source, Failure> {
    let source = open(path).await?;
    describe(&source, path, output)?;
    source.start(is_loop).map_err(|error| Failure::of_thread(&error))?;
    Ok(source)
}

async fn open(path: &Path) -> Result<Source, Failure> {
    let opened = {
        let path = path.to_owned();
        tokio::task::spawn_blocking(move || Source::open(&path)).await
    };
    match opened {
        Ok(opened) => opened.map_err(|problem| cannot_provide(&path.display().to_string(), &problem)),
        Err(error) => Err(Failure::new(Exit::Local, "no-thread", format!("The file was not read: {error}."))),
    }
}

fn cannot_provide(path: &str, problem: &FileProblem) -> Failure {
    Failure::new(Exit::Local, problem.code(), format!("{path} cannot be shown: {problem}."))
}

fn describe(source: &Source, path: &Path, output: &Output) -> Result<(), Failure> {
    let (info, summary) = (source.info(), source.summary());
    let sound = if info.has_audio { " and Opus" } else { "" };
    output.note(&format!(
        "{}: {}{sound}, {} s, {} kbit/s, {} keyframe(s).",
        path.display(),
        info.codec.as_str(),
        summary.duration.as_secs(),
        summary.bytes_per_second() * 8 / 1000,
        summary.keyframes
    ));
    match &info.left_out {
        Some(codec) => output.warning(
            "sound-left-out",
            &format!("The sound is in {codec}, and only Opus is sent without encoding: nobody hears it."),
        ),
        None => Ok(()),
    }
}

struct Provide<'a> {
    visit: Visit<'a>,
    source: Source,
    path: String,
    states: watch::Receiver<Playback>,
    /// `None` after the end of the standard input.
    lines: Option<mpsc::Receiver<Line>>,
    /// Whether the file begins with the first viewer.
    begins: bool,
    stays: bool,
    watching: BTreeSet<MemberId>,
    /// The members without the codec.
    lacking: BTreeSet<MemberId>,
    leaves_at: Option<Instant>,
}

impl Provide<'_> {
    async fn run(&mut self) -> Result<(), Failure> {
        loop {
            tokio::select! {
                happening = self.visit.next() => self.handle(happening?)?,
                changed = self.states.changed() => if changed.is_ok() {
                    self.handle_state()?;
                },
                line = next_line(&mut self.lines) => self.handle_line(line)?,
                () = until(self.leaves_at) => return Ok(()),
            }
        }
    }

    fn handle(&mut self, happening: Happening) -> Result<(), Failure> {
        match happening {
            Happening::Watching(member) => {
                let name = self.visit.name_of(&member);
                self.lacking.remove(&member);
                if self.watching.insert(member.clone()) {
                    self.visit.output.note(&format!("{name} watches."));
                    self.visit.output.event(&Event::Watching { id: member.as_str(), name: &name }, None)?;
                }
                if std::mem::take(&mut self.begins) {
                    self.source.play();
                }
            }
            Happening::CodecMissing(member) => self.handle_missing_codec(member)?,
            Happening::Left(member) => {
                self.watching.remove(&member);
                self.lacking.remove(&member);
            }
            Happening::Alone => return Err(self.visit.nobody_came()),
            _ => {}
        }
        Ok(())
    }

    fn handle_missing_codec(&mut self, member: MemberId) -> Result<(), Failure> {
        if !self.lacking.insert(member.clone()) {
            return Ok(());
        }
        let name = self.visit.name_of(&member);
        let sentence =
            format!("{name} cannot decode {}, so they see no picture.", self.source.codec().as_str());
        if self.watching.is_empty() && !self.stays {
            return Err(Failure::new(Exit::TransferFailed, "codec-missing", sentence));
        }
        self.visit.output.warning("codec-missing", &sentence)
    }

    fn handle_state(&mut self) -> Result<(), Failure> {
        let state = *self.states.borrow_and_update();
        self.visit.peer.publish_source();
        let position_ms = u64::try_from(self.source.position().as_millis()).unwrap_or(u64::MAX);
        self.visit.output.event(&Event::Playback { state: state.as_str(), position_ms }, None)?;
        match state {
            Playback::Ended => {
                self.visit.output.note("The file has ended.");
                self.leaves_at = (!self.stays).then(|| Instant::now() + LAST_PICTURE);
            }
            Playback::Failed => {
                let problem = self.source.take_problem().unwrap_or(FileProblem::Damaged);
                return Err(cannot_provide(&self.path, &problem));
            }
            _ => {}
        }
        Ok(())
    }

    fn perform(&mut self, command: &str) -> Result<(), Failure> {
        let (word, rest) = command.split_once(' ').unwrap_or((command, ""));
        match (word, sought(rest.trim(), self.source.position())) {
            ("", _) => return Ok(()),
            ("play", _) if self.has_ended() => self.seek(Duration::ZERO, true)?,
            ("play", _) => self.source.play(),
            ("pause", _) => self.source.pause(),
            ("seek", Some(target)) => self.seek(target, false)?,
            _ => {
                let sentence = format!(
                    "{command:?} is no command: write \"play\", \"pause\", \"seek 1:30\" or \"seek -10\"."
                );
                return self.visit.output.warning("command-unknown", &sentence);
            }
        }
        self.begins = self.begins && word == "seek";
        Ok(())
    }

    fn seek(&mut self, target: Duration, plays: bool) -> Result<(), Failure> {
        self.leaves_at = None;
        self.source.seek(target, plays).map_err(|error| Failure::of_thread(&error))
    }

    fn has_ended(&self) -> bool {
        *self.states.borrow() == Playback::Ended
    }

    fn handle_line(&mut self, line: Option<Line>) -> Result<(), Failure> {
        match line {
            Some(Line::Text(text)) => return self.perform(text.trim()),
            Some(Line::TooLong) => {
                return self.visit.output.warning("command-unknown", "A line is too long for a command.");
            }
            Some(Line::Interrupted) => return Err(Failure::interrupted()),
            Some(Line::Unreadable(error)) => return Err(Failure::of_input(&error)),
            // A service has no input.
            None => self.lines = None,
        }
        Ok(())
    }
}

/// The position that a line names: seconds or `1:02:03`, from the beginning, or with a sign from here.
fn sought(text: &str, here: Duration) -> Option<Duration> {
    let (sign, text) = match text.strip_prefix(['+', '-']) {
        Some(rest) => (text.chars().next(), rest),
        None => (None, text),
    };
    let mut seconds = 0.0;
    for part in text.split(':') {
        let is_number = part.chars().all(|c| c.is_ascii_digit() || c == '.');
        seconds = seconds * 60.0 + part.parse::<f64>().ok().filter(|_| is_number)?;
    }
    let distance = Duration::try_from_secs_f64(seconds).ok()?;
    match sign {
        Some('+') => here.checked_add(distance),
        Some(_) => Some(here.saturating_sub(distance)),
        None => Some(distance),
    }
}

async fn next_line(lines: &mut Option<mpsc::Receiver<Line>>) -> Option<Line> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_in_seconds_or_hours_from_the_beginning_or_from_here() {
        let at = |text| sought(text, Duration::from_secs(100)).map(|at| at.as_secs_f64());
        assert_eq!(at("90"), Some(90.0));
        assert_eq!(at("1:30.5"), Some(90.5));
        assert_eq!(at("1:00:01"), Some(3601.0));
        assert_eq!((at("+5"), at("-5"), at("-500")), (Some(105.0), Some(95.0), Some(0.0)));
        for wrong in ["", "-", "x", "1:", "--5", "1e9", "inf", "NaN", "99999999999999999999999"] {
            assert_eq!(at(wrong), None, "{wrong}");
        }
    }
}
