//! The open reports, and the problems with other files.

use std::sync::Arc;

use leptos::prelude::*;
use sightline_browser::BrowserError;
use sightline_core::measure::report::{PlayoutEntry, Report, ReportInvalid, Side};

use crate::{language::Sentence, sentence};

/// Most views that are shown side by side: more cannot be distinguished.
pub(super) const MAX_VIEWS: usize = 6;
/// Most files that are read at once: each is read as a whole.
pub(super) const MAX_FILES: usize = 24;

/// The open reports and the refused files.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened {
    reports: Vec<(String, Arc<Report>)>,
    pub(super) problems: Vec<Problem>,
}

/// A file that is not shown, with the reason.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) name: String,
    pub(super) code: &'static str,
    pub(super) sentence: Sentence,
}

/// One watched picture: the receiver's side of a report, and the sender's.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Index among all views.
    pub(super) at: usize,
    pub(super) file: String,
    pub(super) report: Arc<Report>,
    receiver: usize,
    sender: Option<usize>,
}

impl PartialEq for View {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at && Arc::ptr_eq(&self.report, &other.report) && self.receiver == other.receiver
    }
}

impl View {
    pub(super) fn receiver(&self) -> &Side {
        &self.report.sides[self.receiver]
    }

    pub(super) fn sender(&self) -> Option<&Side> {
        self.sender.map(|at| &self.report.sides[at])
    }

    pub(super) fn playout(&self) -> Option<&PlayoutEntry> {
        self.receiver().playout.as_ref()
    }

    /// Sender and receiver. Names may be written from right to left, which must not change the direction of the arrow.
    pub(super) fn title(&self) -> AnyView {
        let side = self.receiver();
        let (observer, observed) = (side.observer.name.clone(), side.observed.name.clone());
        view! {
            <span>
                <bdi>{observer}</bdi>
                " \u{2190} "
                <bdi>{observed}</bdi>
            </span>
        }
        .into_any()
    }

    /// The earlier view to compare with: of another measurement, in the same direction. If that measurement has other people, the
    /// reporter's picture is compared with the reporter's picture; within one measurement, two pictures that the same person
    /// watched.
    pub(super) fn baseline(&self, views: &[Self]) -> Option<usize> {
        let earlier = || views.iter().take(self.at);
        let is_elsewhere = |view: &&Self| !Arc::ptr_eq(&view.report, &self.report);
        let (side, is_own) = (self.receiver(), self.is_of_reporter());
        let has_names = |view: &&Self, observer: &str, observed: &str| {
            view.receiver().observer.name == observer && view.receiver().observed.name == observed
        };
        let is_same = |view: &&Self| has_names(view, &side.observer.name, &side.observed.name);
        let is_opposite = |view: &&Self| has_names(view, &side.observed.name, &side.observer.name);
        let same = || earlier().filter(is_elsewhere).filter(is_same);
        let are_others = |view: &&Self| {
            let report = &view.report;
            !views
                .iter()
                .any(|other| Arc::ptr_eq(&other.report, report) && (is_same(&other) || is_opposite(&other)))
        };
        let in_role = |view: &&Self| view.is_of_reporter() == is_own;
        let beside = |view: &&Self| {
            Arc::ptr_eq(&view.report, &self.report) && view.receiver().observer.member == side.observer.member
        };
        let found = same().find(in_role).or_else(|| same().next());
        let found = found.or_else(|| earlier().filter(is_elsewhere).filter(are_others).find(in_role));
        found.or_else(|| earlier().find(beside)).map(|view| view.at)
    }

    /// Whether the view is what the reporter saw.
    fn is_of_reporter(&self) -> bool {
        let reporter = self.report.sides.first().map(|side| &side.observer.member);
        reporter == Some(&self.receiver().observer.member)
    }

    /// A condition of the sender, else of the receiver.
    pub(super) fn condition(&self, name: &str) -> Option<String> {
        let of = |side: &Side| {
            side.conditions.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        self.sender().and_then(of).or_else(|| of(self.receiver()))
    }
}

impl Opened {
    /// Takes the contents of a file.
    pub(super) fn take(&mut self, name: String, bytes: Result<Option<Vec<u8>>, BrowserError>) {
        let outcome = match bytes {
            Err(_) => Err(("report-unreadable", sentence!(report.unreadable))),
            Ok(None) => Err(("report-too-large", sentence!(report.too_large))),
            Ok(Some(bytes)) => Report::read(&bytes).map_err(|invalid| (invalid.code(), sentence_of(invalid))),
        };
        match outcome {
            Ok(report) if !report.sides.iter().any(|side| is_view(&report, side)) => {
                self.fail(name, "report-empty", sentence!(report.empty));
            }
            Ok(_) if self.views().len() >= MAX_VIEWS => {
                self.fail(name, "report-too-many", sentence!(report.too_many));
            }
            Ok(report) => self.reports.push((name, Arc::new(report))),
            Err((code, sentence)) => self.fail(name, code, sentence),
        }
    }

    /// Records that more files were chosen than are read.
    pub(super) fn leave_out(&mut self, name: String) {
        self.fail(name, "report-too-many-files", sentence!(report.too_many_files));
    }

    /// Closes a report.
    pub(super) fn close(&mut self, report: &Arc<Report>) {
        self.reports.retain(|(_, open)| !Arc::ptr_eq(open, report));
    }

    pub(super) fn views(&self) -> Vec<View> {
        let mut views = Vec::new();
        for (file, report) in &self.reports {
            for (receiver, side) in report.sides.iter().enumerate() {
                if !is_view(report, side) || views.len() == MAX_VIEWS {
                    continue;
                }
                let is_other_end = |other: &Side| {
                    other.observer.member == side.observed.member
                        && other.observed.member == side.observer.member
                };
                let sender = report.sides.iter().position(is_other_end);
                let (file, report) = (file.clone(), Arc::clone(report));
                views.push(View { at: views.len(), file, report, receiver, sender });
            }
        }
        views
    }

    fn fail(&mut self, name: String, code: &'static str, sentence: Sentence) {
        self.problems.push(Problem { name, code, sentence });
    }
}

/// Whether a side is shown: it has a playout, or it has sound and no side of the report has a playout.
fn is_view(report: &Report, side: &Side) -> bool {
    side.playout.is_some() || side.sound.is_some() && report.sides.iter().all(|side| side.playout.is_none())
}

fn sentence_of(invalid: ReportInvalid) -> Sentence {
    match invalid {
        ReportInvalid::TooLarge => sentence!(report.too_large),
        ReportInvalid::NotText => sentence!(report.not_text),
        ReportInvalid::TooNested => sentence!(report.too_nested),
        ReportInvalid::NotJson => sentence!(report.not_json),
        ReportInvalid::Foreign => sentence!(report.foreign),
        ReportInvalid::TooNew => sentence!(report.too_new),
        ReportInvalid::TooLong => sentence!(report.too_long),
        ReportInvalid::Impossible => sentence!(report.impossible),
        ReportInvalid::Damaged => sentence!(report.damaged),
    }
}

#[cfg(test)]
mod tests {
    use sightline_core::measure::report::{EndReason, FORMAT, Party, SoundEntry, VERSION};

    use super::*;

    fn side(observer: &str, observed: &str) -> Side {
        let party = |name: &str| Party { member: name.to_owned(), name: name.to_owned(), ..Party::default() };
        Side {
            observer: party(observer),
            observed: party(observed),
            columns: vec!["time".to_owned()],
            playout: Some(PlayoutEntry::default()),
            ..Side::default()
        }
    }

    fn report(sides: &[(&str, &str)]) -> Vec<u8> {
        let report = Report {
            format: FORMAT.to_owned(),
            version: VERSION,
            run: String::new(),
            room: String::new(),
            started_at_unix_ms: 0.0,
            duration_s: 1.0,
            ended_by: EndReason::Stopped,
            sides: sides.iter().map(|(observer, observed)| side(observer, observed)).collect(),
        };
        report.to_json().into_bytes()
    }

    fn baselines(files: &[&[(&str, &str)]]) -> Vec<Option<usize>> {
        let mut opened = Opened::default();
        for sides in files {
            opened.take("a.json".to_owned(), Ok(Some(report(sides))));
        }
        let views = opened.views();
        views.iter().map(|view| view.baseline(&views)).collect()
    }

    #[test]
    fn a_side_with_sound_only_is_shown_and_an_empty_side_is_not() {
        let views = |sound: Option<SoundEntry>| {
            let mut report = Report::parse(std::str::from_utf8(&report(&[("ada", "bob")])).unwrap()).unwrap();
            report.sides[0].playout = None;
            report.sides[0].sound = sound;
            let mut opened = Opened::default();
            opened.take("a.json".to_owned(), Ok(Some(report.to_json().into_bytes())));
            (opened.views().len(), opened.problems.iter().map(|problem| problem.code).collect::<Vec<_>>())
        };
        assert_eq!(views(Some(SoundEntry::default())), (1, vec![]));
        assert_eq!(views(None), (0, vec!["report-empty"]));
    }

    #[test]
    fn the_two_directions_of_a_call_are_not_compared_with_each_other() {
        assert_eq!(baselines(&[&[("ada", "bob"), ("bob", "ada")]]), [None, None]);
    }

    #[test]
    fn each_direction_is_compared_with_the_same_one_of_the_first_measurement() {
        let call: &[_] = &[("ada", "bob"), ("bob", "ada")];
        assert_eq!(baselines(&[call, call]), [None, None, Some(0), Some(1)]);
        // The result does not depend on which member saved the report.
        let swapped: &[_] = &[("bob", "ada"), ("ada", "bob")];
        assert_eq!(baselines(&[call, swapped]), [None, None, Some(1), Some(0)]);
        assert_eq!(baselines(&[call, &[("bob", "ada")]]), [None, None, Some(1)]);
        assert_eq!(baselines(&[&[("ada", "bob")], &[("bob", "ada")]]), [None, None]);
    }

    #[test]
    fn reports_of_other_members_are_compared_from_the_reporters_view() {
        assert_eq!(baselines(&[&[("ada", "bob")], &[("cleo", "dan")]]), [None, Some(0)]);
        assert_eq!(
            baselines(&[&[("ada", "bob"), ("bob", "ada")], &[("cleo", "dan"), ("dan", "cleo")]]),
            [None, None, Some(0), Some(1)]
        );
    }

    #[test]
    fn two_pictures_that_one_person_watched_are_compared() {
        assert_eq!(baselines(&[&[("ada", "bob"), ("ada", "cleo")]]), [None, Some(0)]);
    }
}
