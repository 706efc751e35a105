//! One event in one line: words of the specifications, as they are in logs and issues.

use sightline_core::measure::connection::Event;

use super::timeline::Timeline;

/// When, what, from which state to which.
#[must_use]
pub(super) fn event_text(event: &Event, timeline: Timeline) -> String {
    let word = |word: &Option<String>| word.as_deref().unwrap_or("\u{2013}").to_owned();
    let (before, now) = (word(&event.before), word(&event.now));
    format!("{} {}: {before} \u{2192} {now}", timeline.wall_clock(event.at), event.subject.name())
}
