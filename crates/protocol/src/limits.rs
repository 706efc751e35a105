//! Every bound of the protocol, in one place. Units are in the names.

/// Largest signalling frame and largest `control` message, in bytes of UTF-8, in either direction.
pub const MAX_FRAME_BYTES: usize = 64 * 1024;

/// Shortest room name, in characters.
pub const MIN_ROOM_NAME_CHARS: usize = 3;
/// Longest room name, in characters.
pub const MAX_ROOM_NAME_CHARS: usize = 64;

/// Longest name a member shows, in characters.
pub const MAX_DISPLAY_NAME_CHARS: usize = 64;
/// Most marks on one character of such a name: vowel signs and tone marks of any script have room.
pub const MAX_DISPLAY_NAME_MARKS: usize = 4;

/// Longest id of any kind, in characters of `A-Z`, `a-z`, `0-9`, `-`, `_`.
pub const MAX_ID_CHARS: usize = 64;

/// Longest resume token, in characters.
pub const MAX_RESUME_TOKEN_CHARS: usize = 512;

/// Longest chat message, in bytes of UTF-8.
pub const MAX_CHAT_TEXT_BYTES: usize = 16 * 1024;
/// Most marks on one character of such a message: Tibetan writes up to eight.
pub const MAX_CHAT_MARKS: usize = 8;

/// Members in one room where the server's operator says nothing else.
pub const DEFAULT_ROOM_MEMBERS: usize = 8;

/// How long the place of a member whose socket closed is held, in milliseconds.
pub const AWAY_HOLD_MS: u64 = 30_000;

/// Longest text in one part of a measurement's log, in bytes of UTF-8: escaped, it still fits in a frame.
pub const MAX_RUN_LOG_PART_BYTES: usize = 24 * 1024;
/// Most parts of such a log: 6 MB, some hours.
pub const MAX_RUN_LOG_PARTS: u16 = 256;
