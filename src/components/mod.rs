//! What a person sees, one file for each visible part. The folders are named after what they show:
//!
//! | folder | what it shows |
//! |---|---|
//! | `call` | tiles, controls, sources, shortcuts |
//! | `chat` | messages and the line to write on |
//! | `files` | files on their way |
//! | `figures` | metrics, charts, playout, runs |
//! | `settings` | devices, picture, connection |
//! | `invitation` | the link into the room |
//! | `notices` | problems and what to do |
//! | `kit` | buttons, icons and other small parts; imports none of the above |
//!
//! `later` shows a part of the page that loads when wanted, and a notice where it cannot be loaded.

pub mod call;
pub mod chat;
pub mod figures;
pub mod files;
pub mod invitation;
pub mod kit;
pub mod later;
pub mod notices;
pub mod room_part;
pub mod settings;
