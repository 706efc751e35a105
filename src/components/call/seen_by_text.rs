//! The text about how a member receives the local picture.

use super::signal_bars::{cause_text, is_complaint};
use crate::{language::Language, sentence, session::model::Receiver};

/// "Bob sees you at 640x360, 24 fps", followed by the cause if there is a problem.
#[must_use]
pub fn seen_by_text(seen: &Receiver, language: Language) -> String {
    let locale = language.locale();
    let name = if seen.name.is_empty() { sentence!(tile.guest)(locale) } else { &seen.name };
    let told = &seen.reception;
    let mut text = match (told.frame_width, told.frame_height) {
        (Some(width), Some(height)) => {
            let rate = told.frames_per_second.map(|rate| format!(", {rate} fps")).unwrap_or_default();
            format!("{name} {} {width}\u{d7}{height}{rate}", sentence!(own_cause.sees_you_at)(locale))
        }
        _ => name.to_owned(),
    };
    let has_picture = told.frame_width.is_some();
    if is_complaint(seen.quality.cause) || !has_picture {
        text.push_str(": ");
        text.push_str(cause_text(seen.quality.cause, true)(locale));
    }
    text
}
