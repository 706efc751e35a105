//! The times in which a still picture is no stall: those that the sender declared, and those in which the page was hidden.

use std::{collections::VecDeque, time::Duration};

use sightline_protocol::control::{Playback, PublishedSource, PublishedState};

use crate::Timestamp;

/// Maximum number of marks that are kept.
const MAX_MARKS: usize = 1000;
/// Time that a mark covers before and after its own time: the declaration arrives separately from the picture, and the jitter
/// buffer fills again afterwards.
pub(super) const REACH: Duration = Duration::from_secs(1);

/// The sender's declaration about its main source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Declaration {
    /// The source plays, so frames are expected.
    Playing,
    /// The person paused the source.
    Paused,
    /// The source jumps to another position.
    Seeking,
    /// The file ended.
    Ended,
    /// The source should play and cannot. The picture counts as stalled until another declaration.
    Failed,
    /// No picture is published.
    NoPicture,
}

impl Declaration {
    /// The declaration in a member's published state.
    #[must_use]
    pub fn of(published: PublishedState) -> Self {
        match (published.source, published.playback) {
            (PublishedSource::None, _) => Self::NoPicture,
            (_, Some(Playback::Paused)) => Self::Paused,
            (_, Some(Playback::Seeking)) => Self::Seeking,
            (_, Some(Playback::Ended)) => Self::Ended,
            (_, Some(Playback::Failed)) => Self::Failed,
            _ => Self::Playing,
        }
    }
}

/// The reason why a picture may stand still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MarkKind {
    /// The sender declared that it paused.
    Paused,
    /// The sender declared that it seeks.
    Seeking,
    /// The sender declared the end of its file.
    Ended,
    /// The sender declared that it publishes no picture.
    NoPicture,
    /// The receiver's page was hidden.
    Hidden,
    /// A screen did not change.
    Unchanged,
}

impl MarkKind {
    /// The stable word for exports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Seeking => "seeking",
            Self::Ended => "ended",
            Self::NoPicture => "no_picture",
            Self::Hidden => "hidden",
            Self::Unchanged => "unchanged",
        }
    }

    /// Whether the page of a file reports the exact times of such a mark.
    fn has_exact_times(self) -> bool {
        matches!(self, Self::Paused | Self::Seeking | Self::Ended)
    }
}

/// A time in which a still picture is no stall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// The reason of the mark.
    pub kind: MarkKind,
    /// Start of the mark.
    pub from: Timestamp,
    /// End of the mark; `None` while it lasts.
    pub to: Option<Timestamp>,
}

impl Mark {
    /// Removes the time of the mark, and of its reach, from `rest`.
    fn cut(&self, rest: &mut Vec<(Timestamp, Timestamp)>) {
        cut(rest, self.from - REACH, self.to.map(|end| end + REACH));
    }
}

/// Removes a time from `rest`.
pub(super) fn cut(rest: &mut Vec<(Timestamp, Timestamp)>, begin: Timestamp, end: Option<Timestamp>) {
    *rest = std::mem::take(rest)
        .into_iter()
        .flat_map(|(from, to)| {
            let before = (from, to.min(begin));
            let after = end.map(|end| (from.max(end), to));
            [Some(before), after].into_iter().flatten().filter(|(from, to)| from < to)
        })
        .collect();
}

/// All marks, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Marks {
    marks: VecDeque<Mark>,
}

impl Marks {
    pub(super) fn iter(&self) -> impl Iterator<Item = &Mark> {
        self.marks.iter()
    }

    pub(super) fn handle_declaration(&mut self, declaration: Declaration, at: Timestamp) {
        let kind = match declaration {
            Declaration::Playing | Declaration::Failed => None,
            Declaration::Paused => Some(MarkKind::Paused),
            Declaration::Seeking => Some(MarkKind::Seeking),
            Declaration::Ended => Some(MarkKind::Ended),
            Declaration::NoPicture => Some(MarkKind::NoPicture),
        };
        self.change(|mark| mark.kind != MarkKind::Hidden, kind, at);
    }

    pub(super) fn handle_visibility(&mut self, is_visible: bool, at: Timestamp) {
        let kind = (!is_visible).then_some(MarkKind::Hidden);
        self.change(|mark| mark.kind == MarkKind::Hidden, kind, at);
    }

    /// Adds a mark for a past time.
    pub(super) fn handle_unchanged(&mut self, from: Timestamp, to: Timestamp) {
        self.insert(Mark { kind: MarkKind::Unchanged, from, to: Some(to) });
    }

    fn insert(&mut self, mark: Mark) {
        let at = self.marks.partition_point(|known| known.from <= mark.from);
        self.marks.insert(at, mark);
        if self.marks.len() > MAX_MARKS {
            self.marks.pop_front();
        }
    }

    /// Whether a mark covers this time.
    pub(super) fn covers(&self, at: Timestamp) -> bool {
        self.marks.iter().any(|mark| mark.from <= at + REACH && mark.to.is_none_or(|to| at <= to + REACH))
    }

    /// The parts of a time that no mark covers, in order.
    pub(super) fn uncovered(&self, from: Timestamp, to: Timestamp) -> Vec<(Timestamp, Timestamp)> {
        let mut rest = vec![(from, to)];
        self.marks.iter().for_each(|mark| mark.cut(&mut rest));
        rest
    }

    /// The parts of a time that are neither declared nor marked. `declared` is exact, so it replaces the marks of the same kinds.
    pub(super) fn undeclared(
        &self,
        from: Timestamp,
        to: Timestamp,
        declared: Option<(Timestamp, Timestamp)>,
    ) -> Vec<(Timestamp, Timestamp)> {
        let mut rest = vec![(from, to)];
        if let Some((from, to)) = declared {
            cut(&mut rest, from, Some(to));
        }
        self.marks.iter().filter(|mark| !mark.kind.has_exact_times()).for_each(|mark| mark.cut(&mut rest));
        rest
    }

    /// Takes the exact time of a declaration. A mark of the same kind at about that time is moved there.
    pub(super) fn handle_exact(&mut self, kind: MarkKind, from: Timestamp, to: Timestamp) {
        let is_it = |mark: &&mut Mark| {
            mark.kind == kind
                && mark.from <= to + REACH
                && mark.to.is_none_or(|mark_to| from <= mark_to + REACH)
        };
        if let Some(mark) = self.marks.iter_mut().rev().find(is_it) {
            (mark.from, mark.to) = (from, mark.to.map(|_| to));
        } else {
            self.insert(Mark { kind, from, to: Some(to) });
        }
    }

    /// Ends the open mark of one kind, and starts the next.
    fn change(&mut self, is_of_sort: impl Fn(&Mark) -> bool, next: Option<MarkKind>, at: Timestamp) {
        let open = self.marks.iter_mut().rev().find(|mark| mark.to.is_none() && is_of_sort(mark));
        if open.as_ref().map(|mark| mark.kind) == next {
            return;
        }
        if let Some(open) = open {
            open.to = Some(at);
        }
        if let Some(kind) = next {
            self.marks.push_back(Mark { kind, from: at, to: None });
            if self.marks.len() > MAX_MARKS {
                self.marks.pop_front();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn s(seconds: u64) -> Timestamp {
        Timestamp::from_origin(Duration::from_secs(seconds))
    }

    #[test]
    fn a_time_is_uncovered_outside_of_a_mark_and_its_reach() {
        let mut marks = Marks::default();
        marks.handle_declaration(Declaration::Paused, s(10));
        assert_eq!(marks.uncovered(s(5), s(60)), [(s(5), s(9))]);
        marks.handle_declaration(Declaration::Playing, s(20));
        assert_eq!(marks.uncovered(s(5), s(60)), [(s(5), s(9)), (s(21), s(60))]);
        assert_eq!(marks.uncovered(s(12), s(15)), []);
        assert!(marks.covers(s(9)) && marks.covers(s(21)) && !marks.covers(s(8)) && !marks.covers(s(22)));
    }

    #[test]
    fn a_hidden_page_and_a_pause_are_marks_of_their_own() {
        let mut marks = Marks::default();
        marks.handle_visibility(false, s(10));
        marks.handle_declaration(Declaration::Paused, s(12));
        marks.handle_visibility(true, s(14));
        marks.handle_declaration(Declaration::Paused, s(15));
        marks.handle_declaration(Declaration::Ended, s(16));
        let marks: Vec<_> = marks.iter().map(|mark| (mark.kind, mark.from, mark.to)).collect();
        assert_eq!(
            marks,
            [
                (MarkKind::Hidden, s(10), Some(s(14))),
                (MarkKind::Paused, s(12), Some(s(16))),
                (MarkKind::Ended, s(16), None),
            ]
        );
    }
}
