//! The details behind the figures: codecs, candidate pairs, ciphers, descriptions, and a log.

use leptos::prelude::*;
use sightline_core::measure::connection::{ConnectionDetails, MediaDetail};

use super::{copy_button::CopyButton, event_text::event_text, timeline::Timeline};
use crate::{
    language::{Language, Locale, Sentence},
    sentence,
    session::model::TileModel,
};

/// The details of the connection to one member, each part in a folded section.
#[component]
pub fn Details(
    /// The member's tile.
    tile: TileModel,
    /// For the times of the log.
    timeline: Timeline,
) -> AnyView {
    let language = Language::from_context();
    let lines = move |of: fn(&ConnectionDetails, Locale) -> Vec<String>| {
        Signal::derive(move || tile.details.with(|details| of(details, language.locale())).join("\n"))
    };
    let sdp = move |of: fn(&ConnectionDetails) -> &Option<String>| {
        Signal::derive(move || tile.details.with(|details| of(details).clone()).unwrap_or_default())
    };
    let log = Signal::derive(move || {
        let texts: Vec<_> =
            tile.history.with(|history| history.events().map(|event| event_text(event, timeline)).collect());
        texts.join("\n")
    });
    view! {
        <div class="stats-details" translate="no">
            <h4>{language.text(sentence!(details.title))}</h4>
            <Part title=sentence!(details.media) text=lines(media_lines) test_id="details-media" />
            <Part title=sentence!(details.pairs) text=lines(pair_lines) test_id="details-pairs" />
            <Part title=sentence!(details.security) text=lines(security_lines) test_id="details-security" />
            <Part title=sentence!(details.local_sdp) text=sdp(|details| &details.local_sdp) test_id="sdp-local" />
            <Part title=sentence!(details.remote_sdp) text=sdp(|details| &details.remote_sdp) test_id="sdp-remote" />
            <Part title=sentence!(details.log) text=log test_id="event-log" />
        </div>
    }
    .into_any()
}

/// A folded text with a button to copy it.
#[component]
fn Part(title: Sentence, text: Signal<String>, test_id: &'static str) -> AnyView {
    let language = Language::from_context();
    // Compared before it is written, since writing would remove a selection.
    let text = Memo::new(move |_| text.get());
    let shown = Signal::derive(move || {
        let text = text.get();
        if text.is_empty() { sentence!(details.none)(language.locale()).to_owned() } else { text }
    });
    let copied = Callback::new(move |()| text.get_untracked());
    view! {
        <details>
            <summary>{language.text(title)}</summary>
            <CopyButton text=copied test_id="copy-details" />
            <pre tabindex="0" data-testid=test_id aria-label=language.text(title)>{shown}</pre>
        </details>
    }
    .into_any()
}

fn media_lines(details: &ConnectionDetails, locale: Locale) -> Vec<String> {
    details.media.iter().map(|media| media_line(media, locale)).collect()
}

fn media_line(media: &MediaDetail, locale: Locale) -> String {
    let direction = if media.is_sent { sentence!(details.sent) } else { sentence!(details.received) };
    let codec = media.mime_type.as_deref().unwrap_or(&media.kind);
    let mut line = format!("{}: {codec}", direction(locale));
    let size = media.resolution.map(|(width, height)| format!("{width}\u{d7}{height}"));
    let limited = media.limitation.as_ref().filter(|reason| *reason != "none");
    let limited = limited.map(|reason| format!("{} {reason}", sentence!(details.limited_by)(locale)));
    for part in [size, media.parameters.clone(), media.implementation.clone(), limited].into_iter().flatten()
    {
        line.push_str(", ");
        line.push_str(&part);
    }
    line
}

fn pair_lines(details: &ConnectionDetails, locale: Locale) -> Vec<String> {
    let hidden = sentence!(details.hidden)(locale);
    let line = |pair: &sightline_core::measure::connection::CandidatePair| {
        let state = if pair.is_selected { sentence!(details.in_use)(locale) } else { &pair.state };
        format!("{state}: {} \u{2194} {}", pair.local.text(hidden), pair.remote.text(hidden))
    };
    details.pairs.iter().map(line).collect()
}

fn security_lines(details: &ConnectionDetails, locale: Locale) -> Vec<String> {
    let line = |name: Sentence, cipher: &Option<String>| {
        let cipher = cipher.as_deref().unwrap_or_else(|| sentence!(figures.not_reported)(locale));
        format!("{}: {cipher}", name(locale))
    };
    vec![
        line(sentence!(details.dtls_cipher), &details.dtls_cipher),
        line(sentence!(details.srtp_cipher), &details.srtp_cipher),
    ]
}
