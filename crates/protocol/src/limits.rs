//! All limits of the protocol in one place. Names contain the unit.

/// Largest signaling frame and largest `control` message, in bytes of UTF-8, in either direction.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Shortest room name, in characters.
pub const MIN_ROOM_NAME_CHARS: usize = 3;
/// Longest room name, in characters.
pub const MAX_ROOM_NAME_CHARS: usize = 64;

/// Longest display name of a member, in characters.
pub const MAX_DISPLAY_NAME_CHARS: usize = 64;
/// Most combining marks on one character of a display name: enough for the vowel signs and tone marks of any script.
pub const MAX_DISPLAY_NAME_MARKS: usize = 4;

/// Longest id of any kind, in characters of `A-Z`, `a-z`, `0-9`, `-`, `_`.
pub const MAX_ID_CHARS: usize = 64;

/// Longest resume token, in characters.
pub const MAX_RESUME_TOKEN_CHARS: usize = 512;

/// Longest token that allows to open a room, in characters.
pub const MAX_CREATE_TOKEN_CHARS: usize = 200;

/// Longest chat message, in bytes of UTF-8.
pub const MAX_CHAT_TEXT_BYTES: usize = 16 * 1024;
/// Most combining marks on one character of a chat message: Tibetan writes up to eight.
pub const MAX_CHAT_MARKS: usize = 8;

/// Members in one room, unless the server's operator sets another limit.
pub const DEFAULT_ROOM_MEMBERS: usize = 8;

/// How long the seat of a member is held after its socket closed, in milliseconds.
pub const AWAY_HOLD_MS: u64 = 30_000;

/// Longest text in one part of a run's log, in bytes of UTF-8: with JSON escapes it still fits in a frame.
pub const MAX_RUN_LOG_PART_BYTES: usize = 24 * 1024;
/// Most parts of such a log: 6 MB, enough for some hours.
pub const MAX_RUN_LOG_PARTS: u16 = 256;

/// Longest encrypted signal, in characters of base64url: a frame has 536 bytes for the rest of the message.
pub const MAX_SEALED_SIGNAL_CHARS: usize = 65_000;
/// Longest encrypted display name, in characters of base64url: 24 bytes of nonce, [`MAX_DISPLAY_NAME_CHARS`] characters of up to four
/// bytes, and 16 bytes of tag are 395 characters.
pub const MAX_SEALED_NAME_CHARS: usize = 400;
/// Largest still picture of a visitor, in bytes of a JPEG file.
pub const MAX_PICTURE_BYTES: usize = 12 * 1024;
/// The same in characters of base64url.
pub const MAX_PICTURE_CHARS: usize = MAX_PICTURE_BYTES / 3 * 4;
/// Longest encrypted picture, in characters of base64url: 24 bytes of nonce, [`MAX_PICTURE_BYTES`], and 16 bytes of tag.
pub const MAX_SEALED_PICTURE_CHARS: usize = 16_438;
/// Largest width and height of a picture, in pixels.
pub const MAX_PICTURE_SIDE: u16 = 320;
/// Length of an admission tag: 32 bytes in base64url without padding.
pub const ADMISSION_TAG_CHARS: usize = 43;
/// Length of a secret in an invitation: 16 bytes in base64url without padding.
pub const SECRET_CHARS: usize = 22;
/// Length of the name of a secret: 16 bytes in base64url without padding.
pub const KEY_ID_CHARS: usize = 22;
/// Most replaced secrets that a message names. A member that missed more of them has to ask for the new link.
pub const MAX_REPLACED_KEYS: usize = 32;
/// Most removed pages that a message names.
pub const MAX_REMOVED_PAGES: usize = 64;
/// Length of the commitment of a verification: 32 bytes in base64url without padding.
pub const COMMITMENT_CHARS: usize = 43;
/// Length of the public key of a device: 65 bytes in base64url without padding.
pub const DEVICE_KEY_CHARS: usize = 87;
/// Length of a tag by which people recognize each other: 16 bytes in base64url without padding.
pub const RECOGNITION_TAG_CHARS: usize = 22;
/// Number of tags in a message, and of people that a page remembers.
pub const RECOGNITION_TAGS: usize = 32;
/// Length of a nonce of a verification: 16 bytes in base64url without padding.
pub const VERIFICATION_NONCE_CHARS: usize = 22;
