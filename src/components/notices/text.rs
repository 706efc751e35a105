//! The texts of all notices.

use sightline_core::notice::NoticeCode;

use crate::{language::Sentence, sentence};

/// The title (what happened) and the hint (what to do).
pub type NoticeText = fn(NoticeCode) -> (Sentence, Sentence);

/// The text of a notice before the room is entered, where the texts of the room are not loaded.
#[must_use]
pub fn notice_text(code: NoticeCode) -> (Sentence, Sentence) {
    macro_rules! both {
        ($key:ident) => {
            (sentence!(notice.$key.title), sentence!(notice.$key.hint))
        };
    }
    match code {
        NoticeCode::PermissionDenied => both!(permission_denied),
        NoticeCode::PermissionPending => both!(permission_pending),
        NoticeCode::NoDevice => both!(no_device),
        NoticeCode::DeviceInUse => both!(device_in_use),
        NoticeCode::CameraLost => both!(camera_lost),
        NoticeCode::MicrophoneLost => both!(microphone_lost),
        NoticeCode::ScreenUnavailable => both!(screen_unavailable),
        NoticeCode::FileNotVideo => both!(file_not_video),
        NoticeCode::FileCodec => both!(file_codec),
        NoticeCode::FileNoPictures => both!(file_no_pictures),
        NoticeCode::FileDamaged => both!(file_damaged),
        NoticeCode::FileUnreadable => both!(file_unreadable),
        NoticeCode::CaptureUnsupported => both!(capture_unsupported),
        NoticeCode::FileSoundMissing => both!(file_sound_missing),
        NoticeCode::InsecureContext => both!(insecure_context),
        NoticeCode::UnsupportedBrowser => both!(unsupported_browser),
        NoticeCode::AutoplayBlocked => both!(autoplay_blocked),
        NoticeCode::RoomNameInvalid => both!(room_name_invalid),
        NoticeCode::InvitationInvalid => both!(invitation_invalid),
        NoticeCode::ServerUnreachable => both!(server_unreachable),
        // Only the room raises the others, and it has `room_notice_text`.
        _ => both!(part_unavailable),
    }
}

/// The text of a notice in the room. Nothing in the lobby may refer to this function: its texts would load with the first page.
#[must_use]
pub fn room_notice_text(code: NoticeCode) -> (Sentence, Sentence) {
    macro_rules! both {
        ($key:ident) => {
            (sentence!(room_notice.$key.title), sentence!(room_notice.$key.hint))
        };
    }
    match code {
        NoticeCode::CameraTaken => both!(camera_taken),
        NoticeCode::MicrophoneTaken => both!(microphone_taken),
        NoticeCode::NameInvalid => both!(name_invalid),
        NoticeCode::RoomFull => both!(room_full),
        NoticeCode::RoomLocked => both!(room_locked),
        NoticeCode::KnockRefused => both!(knock_refused),
        NoticeCode::KnockUnanswered => both!(knock_unanswered),
        NoticeCode::RoomNotOpen => both!(room_not_open),
        NoticeCode::LinkChanged => both!(link_changed),
        NoticeCode::Removed => both!(removed),
        NoticeCode::RoomEnded => both!(room_ended),
        NoticeCode::OriginRefused => both!(origin_refused),
        NoticeCode::HostRefused => both!(host_refused),
        NoticeCode::SignalingLost => both!(signaling_lost),
        NoticeCode::Replaced => both!(replaced),
        NoticeCode::ProtocolError => both!(protocol_error),
        NoticeCode::ProtocolVersion => both!(protocol_version),
        NoticeCode::ServerFull => both!(server_full),
        NoticeCode::ConnectionFailed => both!(connection_failed),
        NoticeCode::TabsOnly => both!(tabs_only),
        NoticeCode::MessageTooLong => both!(message_too_long),
        NoticeCode::MemberMuted => both!(member_muted),
        NoticeCode::MemberCutOff => both!(member_cut_off),
        NoticeCode::SignalsRefused => both!(signals_refused),
        other => notice_text(other),
    }
}
