//! Properties of the client's parsers for data of members, the signaling server, the browser, files and its own storage.

use std::{fmt::Debug, str, time::Duration};

use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use sightline_core::{
    chat::{Segment, TextRefused, excess_characters, prepare, split_links},
    decode::{self, ServerFrame},
    doctor::{self, Candidate, MAX_REPORT_LINK_BYTES},
    ice::IceUrl,
    measure::{
        Metric,
        report::{Report, Side, to_csv},
    },
    media::OrientationFinder,
    negotiation::ufrags_of_sdp,
    picture::{PictureInvalid, StillPicture},
    transfer::{MAX_DEPTH, Records, safe_folder, safe_name},
};
use sightline_protocol::{
    DisplayName, RoomName,
    limits::{
        MAX_CHAT_MARKS, MAX_CHAT_TEXT_BYTES, MAX_DISPLAY_NAME_CHARS, MAX_FRAME_BYTES, MAX_PICTURE_BYTES,
    },
    signaling::{ServerMessage, SignalPayload},
    tabs::TabMessage,
    telemetry::MAX_TELEMETRY_BYTES,
    text::{is_blank, is_invisible, is_mark, is_visible, with_bounded_marks, without_invisible},
    transfer::{BULK_HEADER_BYTES, BulkHeader, MAX_CHUNK_BYTES, MAX_FILE_BYTES},
};

/// A property that holds for any input; panics if it does not.
pub type Property = fn(&[u8]);

/// All targets by name.
pub const TARGETS: [(&str, Property); 21] = [
    ("bulk_frame", bulk_frame),
    ("candidate", |bytes| with_text(bytes, candidate)),
    ("chat_links", |bytes| with_text(bytes, chat_links)),
    ("chat_text", |bytes| with_text(bytes, chat_text)),
    ("check_link", |bytes| with_text(bytes, check_link)),
    ("control_message", |bytes| with_text(bytes, control_message)),
    ("display_name", |bytes| with_text(bytes, display_name)),
    ("file_name", |bytes| with_text(bytes, file_name)),
    ("ice_url", |bytes| with_text(bytes, ice_url)),
    ("kept_transfers", |bytes| with_text(bytes, kept_transfers)),
    ("report", report),
    ("room_name", |bytes| with_text(bytes, room_name)),
    ("run_log", |bytes| with_text(bytes, run_log)),
    ("sealed_payload", sealed_payload),
    ("server_frame", |bytes| with_text(bytes, server_frame)),
    ("session_description", |bytes| with_text(bytes, session_description)),
    ("still_picture", still_picture),
    ("tab_message", |bytes| with_text(bytes, tab_message)),
    ("telemetry_message", |bytes| with_text(bytes, telemetry_message)),
    ("video_file", video_file),
    ("visible_text", |bytes| with_text(bytes, visible_text)),
];

const FILE_NAME_BYTES: usize = 255;

fn with_text(bytes: &[u8], property: fn(&str)) {
    if let Ok(text) = str::from_utf8(bytes) {
        property(text);
    }
}

/// Frames of the `bulk` channel: writing a parsed frame gives the same bytes.
pub fn bulk_frame(frame: &[u8]) {
    let Some((header, payload)) = BulkHeader::split(frame) else { return };
    assert!(payload.len() <= MAX_CHUNK_BYTES && header.offset <= MAX_FILE_BYTES);
    assert_eq!(payload, &frame[BULK_HEADER_BYTES..]);
    let written = [&header.encode(), payload].concat();
    assert_eq!(BulkHeader::split(&written), Some((header, payload)));
}

/// Candidate lines of the browser and of members: a parsed line can be written and parsed again, and half of an address is
/// hidden.
pub fn candidate(line: &str) {
    let Some(candidate) = Candidate::parse(line, Duration::from_millis(1)) else { return };
    let Candidate { candidate_type, component, protocol, priority, address, port, related, after } =
        &candidate;
    let related = related.map_or_else(String::new, |at| format!(" raddr {} rport {}", at.ip(), at.port()));
    let typ = candidate_type.as_str();
    let written =
        format!("candidate:0 {component} {protocol} {priority} {address} {port} typ {typ}{related}");
    // A line that repeats a unique field can be shorter than its rewritten form.
    assert!(written.len() <= line.len() + 64, "{written}");
    if written.len() <= line.len() {
        assert_eq!(Candidate::parse(&written, *after).as_ref(), Some(&candidate));
    }
    assert!(candidate.text().len() <= line.len() + 64);
    if candidate.is_hidden() {
        let other = Candidate { address: "other.local".to_owned(), ..candidate.clone() };
        assert_eq!(candidate.redacted(), other.redacted());
    }
}

/// Concatenated segments equal the text, and a link by itself is a link.
pub fn chat_links(text: &str) {
    let segments = split_links(text);
    let joined: String = segments.iter().map(|segment| segment.as_str()).collect();
    assert_eq!(joined, text);
    for segment in &segments {
        assert!(!segment.as_str().is_empty());
        if let Segment::Link(link) = segment {
            let lower = link.to_ascii_lowercase();
            let host = lower.strip_prefix("http://").or_else(|| lower.strip_prefix("https://"));
            let host = host.expect("a scheme").split(['/', '?', '#']).next().unwrap_or_default();
            assert!(!host.is_empty() && !host.contains('@'), "{link}");
            assert!(!link.contains(|c: char| is_blank(c) || matches!(c, '<' | '>' | '"')), "{link}");
            assert_eq!(split_links(link), [*segment], "{link}");
        }
    }
    let is_text = |segment: &Segment<'_>| matches!(segment, Segment::Text(_));
    assert!(!segments.windows(2).any(|pair| pair.iter().all(is_text)), "{segments:?}");
}

/// A text to send is visible, bounded, and stays the same when it is cleaned again.
pub fn chat_text(raw: &str) {
    let excess = excess_characters(raw);
    assert!(excess <= raw.chars().count());
    match prepare(raw) {
        Ok(text) => {
            assert!(excess == 0 && text.len() <= MAX_CHAT_TEXT_BYTES && is_visible(&text));
            assert!(!text.contains(|c: char| c.is_control() && !c.is_whitespace()));
            assert_bounded_marks(&text, MAX_CHAT_MARKS);
            assert_eq!(prepare(&text).as_ref(), Ok(&text));
        }
        Err(TextRefused::TooLong) => assert!(excess > 0),
        Err(_) => {}
    }
    let typed: Vec<_> = raw.trim_end().chars().collect();
    let without = |count: usize| prepare(&typed[..typed.len() - count].iter().collect::<String>());
    assert_ne!(without(excess), Err(TextRefused::TooLong), "{excess} fewer fit");
    if excess > 0 {
        assert!(without(excess - 1).is_err(), "{excess} is the least");
    }
}

/// Reports of an examination in the fragment of a link, which anybody can write: bounded, and the same when they are handed on.
pub fn check_link(link: &str) {
    let Ok(report) = doctor::Report::from_link(link) else { return };
    assert!(link.len() <= MAX_REPORT_LINK_BYTES);
    if let Some(written) = report.to_link() {
        let again = doctor::Report::from_link(&written).expect("a link of its own");
        assert_eq!((again.verdict, again.made_at_ms), (report.verdict, report.made_at_ms));
        assert_eq!(again.to_link(), Some(written));
    }
}

/// Messages of the `control` channel.
pub fn control_message(text: &str) {
    if let Ok(message) = decode::control_message(text) {
        assert!(text.len() <= MAX_FRAME_BYTES);
        assert_same_again(&message);
    }
}

/// Names of members: bounded, visible or empty, and the same when parsed again.
pub fn display_name(raw: &str) {
    let cut = DisplayName::cut(raw);
    for name in [DisplayName::new(raw).ok(), Some(cut.clone())].into_iter().flatten() {
        assert!(name.as_str().chars().count() <= MAX_DISPLAY_NAME_CHARS);
        assert_eq!(DisplayName::new(name.as_str()).as_ref(), Ok(&name));
        assert_eq!(DisplayName::cut(name.as_str()), name);
    }
    assert!(
        DisplayName::new(raw).is_ok_and(|name| name == cut) || raw.chars().count() > MAX_DISPLAY_NAME_CHARS
    );
}

/// Names of files: one component of a path, valid in file systems, and the same when cleaned again.
pub fn file_name(raw: &str) {
    let name = safe_name(raw);
    assert_path_part(&name);
    assert_eq!(safe_name(&name), name);
    let folder = safe_folder(raw);
    if !folder.is_empty() {
        assert!(folder.split('/').count() <= MAX_DEPTH);
        folder.split('/').for_each(assert_path_part);
    }
    assert_eq!(safe_folder(&folder), folder);
}

fn assert_path_part(part: &str) {
    assert!(!part.is_empty() && part.len() <= FILE_NAME_BYTES, "{part:?}");
    assert!(!part.contains(|c: char| c.is_control() || "/\\<>:\"|?*".contains(c)), "{part:?}");
    assert!(!part.ends_with(['.', ' ']), "{part:?}");
}

/// Addresses of ICE servers: the displayed form can be parsed.
pub fn ice_url(raw: &str) {
    let Ok(url) = IceUrl::parse(raw) else { return };
    assert_eq!(IceUrl::parse(&url.to_string()).as_ref(), Ok(&url));
    if let Some(stun) = url.as_stun() {
        assert_eq!(IceUrl::parse(&stun.to_string()).as_ref(), Ok(&stun));
    }
}

/// Transfers that an earlier page instance stored.
pub fn kept_transfers(text: &str) {
    if let Some(records) = Records::from_json(text) {
        assert_eq!(Records::from_json(&records.to_json()), Some(records));
    }
}

/// Files that are opened as a report.
pub fn report(bytes: &[u8]) {
    let Ok(report) = Report::read(bytes) else { return };
    let written = report.to_json();
    let again = Report::read(written.as_bytes()).expect("what was written can be read");
    assert!(is_nearly(&parsed(&written), &parsed(&again.to_json())), "{written}");
    let rows: usize = report.sides.iter().map(|side| side.samples.len()).sum();
    assert_eq!(to_csv(&report).matches("\r\n").count(), rows + 1);
    for side in &report.sides {
        read_side(side);
    }
}

/// Names of rooms, which are part of an address.
pub fn room_name(raw: &str) {
    if let Ok(name) = RoomName::new(raw) {
        assert_eq!(RoomName::new(name.as_str()).as_ref(), Ok(&name));
        assert!(name.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'));
    }
}

/// The run log of another page.
pub fn run_log(text: &str) {
    let Ok(side) = Side::read_log(text) else { return };
    assert!(side.columns.iter().skip(1).all(|name| Metric::ALL.iter().any(|metric| metric.name() == name)));
    let written = serde_json::to_string(&side).expect("a side is JSON");
    let again = Side::read_log(&written).expect("what was written can be read");
    let again = serde_json::to_string(&again).expect("a side is JSON");
    assert!(is_nearly(&parsed(&written), &parsed(&again)), "{written}");
    read_side(&side);
}

fn read_side(side: &Side) {
    assert_eq!(side.columns.first().map(String::as_str), Some("time"));
    assert!(side.samples.iter().all(|row| row.len() == side.columns.len()));
    for metric in Metric::ALL {
        let values = side.column(metric.name()).chain([(0.0, side.total(*metric))]);
        assert!(values.filter_map(|(_, value)| value).all(f64::is_finite));
    }
    let _ = side.playout.as_ref().and_then(|playout| playout.score.as_ref()?.score());
}

/// The content of a signal that a holder of the secret encrypted: never again encrypted, and the same when written and read again.
pub fn sealed_payload(content: &[u8]) {
    let Ok(payload) = decode::sealed_payload(content) else { return };
    assert!(content.len() <= MAX_FRAME_BYTES && !matches!(payload, SignalPayload::Sealed(_)));
    assert_same_again(&payload);
    let written = serde_json::to_vec(&payload).expect("a payload is JSON");
    if written.len() <= MAX_FRAME_BYTES {
        assert_eq!(decode::sealed_payload(&written).as_ref(), Ok(&payload));
    }
}

/// Frames of the signaling server. Both readers agree on the sender of a signal.
pub fn server_frame(frame: &str) {
    let envelope = decode::envelope(frame);
    match decode::server_frame(frame) {
        Ok(ServerFrame::Message(message)) => {
            if let ServerMessage::Signal { from, .. } = &message {
                assert_eq!(envelope.from.as_ref(), Some(from));
            }
            assert_same_again(&message);
        }
        Ok(ServerFrame::UnreadableSignal(from)) => {
            assert_eq!((envelope.r#type.as_deref(), envelope.from), (Some("signal"), Some(from)));
        }
        Err(_) => {}
    }
}

/// ICE fragments in SDP: bounded, distinct, and each from a line of its own.
pub fn session_description(sdp: &str) {
    let ufrags = ufrags_of_sdp(sdp);
    assert!(ufrags.len() <= 32 && ufrags.iter().all(|ufrag| ufrag.len() <= 256 && sdp.contains(ufrag)));
    assert!((1..ufrags.len()).all(|at| !ufrags[..at].contains(&ufrags[at])));
    let written: String = ufrags.iter().map(|ufrag| format!("a=ice-ufrag:{ufrag}\r\n")).collect();
    assert_eq!(ufrags_of_sdp(&written), ufrags);
}

/// Posts of other tabs.
pub fn tab_message(post: &str) {
    let Ok(message) = decode::tab_message(post) else { return };
    if let TabMessage::Signal { from, to, .. } = &message {
        let envelope = decode::envelope(post);
        assert_eq!((envelope.from.as_ref(), envelope.to.as_ref()), (Some(from), Some(to)));
    }
    assert_same_again(&message);
}

/// Messages of the `telemetry` channel.
pub fn telemetry_message(text: &str) {
    if let Ok(message) = decode::telemetry_message(text) {
        assert!(text.len() <= MAX_TELEMETRY_BYTES);
        assert_same_again(&message);
    }
}

/// Whether the pictures of a video file are turned: a few short reads within the file answer that.
pub fn video_file(file: &[u8]) {
    let mut finder = OrientationFinder::new(file.len() as u64);
    let mut reads = 0;
    while let Some(range) = finder.poll_read() {
        reads += 1;
        assert!(reads <= 300 && range.end - range.start <= 1024, "{range:?}");
        let range = usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
        finder.handle_read(file.get(range).expect("within the file"));
    }
}

/// Text without invisible characters: cleaning again changes nothing, and the result is part of the original.
pub fn visible_text(raw: &str) {
    let visible = without_invisible(raw);
    assert_eq!(without_invisible(&visible), visible);
    assert!(is_part(&visible, raw));
    assert_eq!(is_visible(&visible), is_visible(raw));
    for limit in [0, 1, MAX_CHAT_MARKS] {
        let bounded = with_bounded_marks(raw, limit);
        assert_bounded_marks(&bounded, limit);
        assert_eq!(with_bounded_marks(&bounded, limit), bounded);
        assert!(is_part(&bounded, raw));
    }
}

/// Whether `whole` contains all characters of `part` in their order.
fn is_part(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars().all(|c| whole.any(|other| other == c))
}

fn assert_bounded_marks(text: &str, limit: usize) {
    let mut marks = limit;
    for c in text.chars() {
        if is_mark(c) {
            marks += 1;
            assert!(marks <= limit, "{text:?}");
        } else if is_blank(c) {
            marks = limit;
        } else if !is_invisible(c) {
            marks = 0;
        }
    }
}

/// A parsed value can be written and parsed to the same value.
fn assert_same_again<T: Serialize + DeserializeOwned + PartialEq + Debug>(message: &T) {
    let written = serde_json::to_string(message).expect("a message is JSON");
    let again = serde_json::from_str::<T>(&written).expect("what was written can be read");
    assert_eq!(&again, message, "{written}");
}

/// The picture of a visitor: what is taken is bounded, begins and ends as a JPEG file does, and stays the same on the way.
pub fn still_picture(bytes: &[u8]) {
    let picture = match StillPicture::new(bytes) {
        Ok(picture) => picture,
        Err(PictureInvalid::TooLong) => return assert!(bytes.len() > MAX_PICTURE_BYTES),
        Err(PictureInvalid::NotJpeg | PictureInvalid::TooManyPixels) => return,
    };
    assert!(bytes.len() <= MAX_PICTURE_BYTES && bytes.starts_with(&[0xff, 0xd8, 0xff]));
    assert!(bytes.ends_with(&[0xff, 0xd9]));
    assert_eq!(StillPicture::from_data_url(&picture.to_data_url()).as_ref(), Ok(&picture));
    let text = picture.to_text().expect("a picture is short enough to be sent");
    assert_eq!(StillPicture::from_text(&text).as_ref(), Ok(&picture));
    assert_eq!(picture.as_bytes(), bytes);
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Equal except for the last digit of a number, which serde_json does not promise.
fn is_nearly(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_nearly(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one
                    .iter()
                    .zip(other)
                    .all(|((name, one), (other_name, other))| name == other_name && is_nearly(one, other))
        }
        (Value::Number(one), Value::Number(other)) => match (one.as_f64(), other.as_f64()) {
            (Some(one), Some(other)) => (one - other).abs() <= one.abs() * 1e-12,
            _ => one == other,
        },
        _ => one == other,
    }
}
