//! The text about how a member receives the local picture.

use super::signal_bars::{cause_text, is_complaint};
use crate::{language::Language, sentence, session::model::Receiver};

/// "Bob sees 640x360, 24 fps". A problem comes first, because a small tile shows the beginning only: "Packet loss on the path to them
/// (Bob sees 640x360, 24 fps)".
#[must_use]
pub fn seen_by_text(seen: &Receiver, language: Language) -> String {
    let locale = language.locale();
    let name = if seen.name.is_empty() { sentence!(tile.guest)(locale) } else { &seen.name };
    let told = &seen.reception;
    let (seen_by, has_picture) = match (told.frame_width, told.frame_height) {
        (Some(width), Some(height)) => {
            let rate = told.frames_per_second.map(|rate| format!(", {rate} fps")).unwrap_or_default();
            let sees = sentence!(own_cause.sees)(locale);
            (format!("{name} {sees} {width}\u{d7}{height}{rate}"), true)
        }
        _ => (name.to_owned(), told.frame_width.is_some()),
    };
    if is_complaint(seen.quality.cause) || !has_picture {
        format!("{} ({seen_by})", cause_text(seen.quality.cause, true)(locale))
    } else {
        seen_by
    }
}
