//! The reports that are open, and what was wrong with the other files.

use std::sync::Arc;

use sightline_browser::BrowserError;
use sightline_core::report::{PlayoutEntry, Report, ReportInvalid, Side};

use crate::{language::Sentence, sentence};

/// Views that are shown side by side: more cannot be told apart.
pub(super) const MAX_VIEWS: usize = 6;

/// What is open.
#[derive(Debug, Clone, Default)]
pub(super) struct Opened {
    reports: Vec<(String, Arc<Report>)>,
    pub(super) problems: Vec<Problem>,
}

/// A file that is not shown.
#[derive(Debug, Clone)]
pub(super) struct Problem {
    pub(super) name: String,
    pub(super) code: &'static str,
    pub(super) sentence: Sentence,
}

/// One picture that was watched: by whom, and what the other end says of it.
#[derive(Debug, Clone)]
pub(super) struct View {
    /// Of all that are shown.
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

    /// Who sees whom.
    pub(super) fn title(&self) -> String {
        let side = self.receiver();
        format!("{} \u{2190} {}", side.observer.name, side.observed.name)
    }

    /// A word of the circumstances: the sender's, else the receiver's.
    pub(super) fn condition(&self, name: &str) -> Option<String> {
        let of = |side: &Side| {
            side.conditions.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
        };
        self.sender().and_then(of).or_else(|| of(self.receiver()))
    }
}

impl Opened {
    /// Takes what a file holds.
    pub(super) fn take(&mut self, name: String, text: Result<Option<String>, BrowserError>) {
        let outcome = match text {
            Err(_) => Err(("report-unreadable", sentence!(report.unreadable))),
            Ok(None) => Err(("report-too-large", sentence!(report.too_large))),
            Ok(Some(text)) => Report::parse(&text).map_err(problem),
        };
        match outcome {
            Ok(report) if report.sides.iter().all(|side| side.playout.is_none()) => {
                self.fail(name, "report-empty", sentence!(report.empty));
            }
            Ok(_) if self.views().len() >= MAX_VIEWS => {
                self.fail(name, "report-too-many", sentence!(report.too_many));
            }
            Ok(report) => self.reports.push((name, Arc::new(report))),
            Err((code, sentence)) => self.fail(name, code, sentence),
        }
    }

    /// Puts a report away.
    pub(super) fn close(&mut self, report: &Arc<Report>) {
        self.reports.retain(|(_, open)| !Arc::ptr_eq(open, report));
    }

    pub(super) fn views(&self) -> Vec<View> {
        let mut views = Vec::new();
        for (file, report) in &self.reports {
            for (receiver, side) in report.sides.iter().enumerate() {
                if side.playout.is_none() || views.len() == MAX_VIEWS {
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

fn problem(invalid: ReportInvalid) -> (&'static str, Sentence) {
    match invalid {
        ReportInvalid::TooLarge => ("report-too-large", sentence!(report.too_large)),
        ReportInvalid::NotJson => ("report-not-json", sentence!(report.not_json)),
        ReportInvalid::Foreign => ("report-foreign", sentence!(report.foreign)),
        ReportInvalid::TooNew => ("report-too-new", sentence!(report.too_new)),
        ReportInvalid::Damaged => ("report-damaged", sentence!(report.damaged)),
    }
}
