//! Files: the worker that reads and stores them, and what a person chooses or drops.
//!
//! The worker is the script `file-worker.js` beside the page (`crates/file-worker`), started with the first transfer. Bytes pass
//! through the page as transferred `ArrayBuffer`s, without being copied into its memory.

mod message;
mod object_url;
mod picked;
pub mod saving;
pub mod shared;
pub mod text_file;
mod worker;

/// The bytes of a frame, in the browser's memory.
pub use js_sys::ArrayBuffer as Frame;
pub use message::{FromWorker, ToWorker};
pub use object_url::ObjectUrl;
pub use picked::{
    PickedFile, PickedFiles, choose_folders, dropped_files, input_files, is_file_drag, is_on_field,
    pasted_files, set_no_drop,
};
pub use web_sys::File;
pub use worker::{FileWorker, FileWorkerEvent};
