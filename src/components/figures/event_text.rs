//! Formats an event as one line, in the words of the specifications, for logs and issues.

use sightline_core::measure::connection::Event;

use super::timeline::Timeline;

/// Time, subject, old state and new state.
#[must_use]
pub(super) fn event_text(event: &Event, timeline: Timeline) -> String {
    let word = |word: &Option<String>| word.as_deref().unwrap_or("\u{2013}").to_owned();
    let (before, now) = (word(&event.before), word(&event.now));
    format!("{} {}: {before} \u{2192} {now}", timeline.wall_clock(event.at), event.subject.name())
}
