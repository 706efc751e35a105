//! What page and worker post to each other: arrays, the first element a word.

use js_sys::{Array, ArrayBuffer};
use sightline_core::transfer::{FileIdentity, SinkEvent, SourceEvent};
use sightline_protocol::transfer::{Sha256Digest, TransferEnd};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

/// To the worker. Numbers named `handle` are the page's.
#[derive(Debug, Clone)]
pub enum ToWorker {
    /// This file is what the transfer reads.
    Source(u32, File),
    /// `SourceCommand::Seek`
    Seek {
        /// Of the transfer.
        handle: u32,
        /// Comes back with every frame.
        seek: u32,
        /// Into the frames.
        number: u32,
        /// In the file.
        offset: u64,
        /// Of the file up to there.
        sha256: Option<Sha256Digest>,
    },
    /// `SourceCommand::Pull`
    Pull {
        /// Of the transfer.
        handle: u32,
        /// How many.
        chunks: u32,
        /// How large.
        chunk_bytes: u32,
    },
    /// `SourceCommand::Identify`, with the file and whether all of it is read.
    Identify(u32, File, bool),
    /// `SourceCommand::Close`
    CloseSource(u32),
    /// `SinkCommand::Open`
    OpenSink {
        /// Of the transfer.
        handle: u32,
        /// In the storage.
        name: String,
        /// From whom.
        member: String,
        /// In the frames.
        number: u32,
        /// Of the whole file.
        size_bytes: u64,
    },
    /// `SinkCommand::Expect`
    Expect(u32, String, u32),
    /// `SinkCommand::Discard`, with the name in the storage.
    Discard(u32, String),
    /// A frame from a member.
    Frame(String, ArrayBuffer),
    /// The file of this name, which is complete, is wanted again.
    Fetch(u32, String),
}

/// From the worker.
#[derive(Debug, Clone)]
pub enum FromWorker {
    /// It runs.
    Ready,
    /// From a source, with the frame where there is one.
    Source(u32, SourceEvent, Option<ArrayBuffer>),
    /// From a sink.
    Sink(u32, SinkEvent),
    /// A complete file.
    File(u32, File),
}

impl ToWorker {
    /// As it is posted, and what of it is handed over.
    #[must_use]
    pub fn into_js(self) -> (Array, Array) {
        let transferred = Array::new();
        let message = match self {
            Self::Source(handle, file) => array(&["source".into(), handle.into(), file.into()]),
            Self::Seek { handle, seek, number, offset, sha256 } => array(&[
                "seek".into(),
                handle.into(),
                seek.into(),
                number.into(),
                wide(offset),
                digest(sha256),
            ]),
            Self::Pull { handle, chunks, chunk_bytes } => {
                array(&["pull".into(), handle.into(), chunks.into(), chunk_bytes.into()])
            }
            Self::Identify(handle, file, is_whole) => {
                array(&["identify".into(), handle.into(), file.into(), is_whole.into()])
            }
            Self::CloseSource(handle) => array(&["close".into(), handle.into()]),
            Self::OpenSink { handle, name, member, number, size_bytes } => array(&[
                "open".into(),
                handle.into(),
                name.into(),
                member.into(),
                number.into(),
                wide(size_bytes),
            ]),
            Self::Expect(handle, member, number) => {
                array(&["expect".into(), handle.into(), member.into(), number.into()])
            }
            Self::Discard(handle, name) => array(&["discard".into(), handle.into(), name.into()]),
            Self::Frame(member, buffer) => {
                transferred.push(&buffer);
                array(&["frame".into(), member.into(), buffer.into()])
            }
            Self::Fetch(handle, name) => array(&["fetch".into(), handle.into(), name.into()]),
        };
        (message, transferred)
    }

    /// As it was posted; `None` where it is none of these.
    #[must_use]
    pub fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let handle = || number(&message.get(1));
        Some(match message.get(0).as_string()?.as_str() {
            "source" => Self::Source(handle()?, message.get(2).dyn_into().ok()?),
            "seek" => Self::Seek {
                handle: handle()?,
                seek: number(&message.get(2))?,
                number: number(&message.get(3))?,
                offset: read_wide(&message.get(4))?,
                sha256: read_digest(&message.get(5)),
            },
            "pull" => Self::Pull {
                handle: handle()?,
                chunks: number(&message.get(2))?,
                chunk_bytes: number(&message.get(3))?,
            },
            "identify" => {
                Self::Identify(handle()?, message.get(2).dyn_into().ok()?, message.get(3).is_truthy())
            }
            "close" => Self::CloseSource(handle()?),
            "open" => Self::OpenSink {
                handle: handle()?,
                name: message.get(2).as_string()?,
                member: message.get(3).as_string()?,
                number: number(&message.get(4))?,
                size_bytes: read_wide(&message.get(5))?,
            },
            "expect" => Self::Expect(handle()?, message.get(2).as_string()?, number(&message.get(3))?),
            "discard" => Self::Discard(handle()?, message.get(2).as_string()?),
            "frame" => Self::Frame(message.get(1).as_string()?, message.get(2).dyn_into().ok()?),
            "fetch" => Self::Fetch(handle()?, message.get(2).as_string()?),
            _ => return None,
        })
    }
}

impl FromWorker {
    /// As it is posted, and what of it is handed over.
    #[must_use]
    pub fn into_js(self) -> (Array, Array) {
        let transferred = Array::new();
        let message = match self {
            Self::Ready => array(&["ready".into()]),
            Self::Source(handle, SourceEvent::Failed(reason), _) => {
                array(&["source-failed".into(), handle.into(), reason.as_str().into()])
            }
            Self::Source(handle, SourceEvent::Identified(identity), _) => array(&[
                "identified".into(),
                handle.into(),
                digest(identity.map(|identity| identity.sampled)),
                digest(identity.and_then(|identity| identity.whole)),
            ]),
            Self::Source(handle, SourceEvent::Reached { seek, sha256 }, _) => {
                array(&["reached".into(), handle.into(), seek.into(), digest(Some(sha256))])
            }
            Self::Source(handle, SourceEvent::Frame { seek, offset, length_bytes, sha256 }, frame) => {
                let frame = frame.map_or(JsValue::NULL, JsValue::from);
                if !frame.is_null() {
                    transferred.push(&frame);
                }
                let numbers = [seek.into(), wide(offset), wide(length_bytes), digest(sha256)];
                array(&[&["frame".into(), handle.into()], numbers.as_slice(), &[frame]].concat())
            }
            Self::Sink(handle, event) => match event {
                SinkEvent::Opened { verified_bytes, sha256 } => {
                    array(&["opened".into(), handle.into(), wide(verified_bytes), digest(Some(sha256))])
                }
                SinkEvent::Progress { verified_bytes, sha256 } => {
                    array(&["progress".into(), handle.into(), wide(verified_bytes), digest(Some(sha256))])
                }
                SinkEvent::Wrong { verified_bytes, sha256 } => {
                    array(&["wrong".into(), handle.into(), wide(verified_bytes), digest(Some(sha256))])
                }
                SinkEvent::Complete { sha256 } => {
                    array(&["complete".into(), handle.into(), digest(Some(sha256))])
                }
                SinkEvent::Failed(reason) => {
                    array(&["sink-failed".into(), handle.into(), reason.as_str().into()])
                }
            },
            Self::File(handle, file) => array(&["file".into(), handle.into(), file.into()]),
        };
        (message, transferred)
    }

    /// As it was posted; `None` where it is none of these.
    #[must_use]
    pub fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let word = message.get(0).as_string()?;
        if word == "ready" {
            return Some(Self::Ready);
        }
        let handle = number(&message.get(1))?;
        let verified_bytes = || read_wide(&message.get(2));
        Some(match word.as_str() {
            "frame" => Self::Source(
                handle,
                SourceEvent::Frame {
                    seek: number(&message.get(2))?,
                    offset: read_wide(&message.get(3))?,
                    length_bytes: read_wide(&message.get(4))?,
                    sha256: read_digest(&message.get(5)),
                },
                message.get(6).dyn_into().ok(),
            ),
            "reached" => Self::Source(
                handle,
                SourceEvent::Reached {
                    seek: number(&message.get(2))?,
                    sha256: read_digest(&message.get(3))?,
                },
                None,
            ),
            "identified" => {
                let whole = read_digest(&message.get(3));
                let identity = read_digest(&message.get(2)).map(|sampled| FileIdentity { sampled, whole });
                Self::Source(handle, SourceEvent::Identified(identity), None)
            }
            "source-failed" => Self::Source(handle, SourceEvent::Failed(reason(&message.get(2))), None),
            "opened" => Self::Sink(
                handle,
                SinkEvent::Opened {
                    verified_bytes: verified_bytes()?,
                    sha256: read_digest(&message.get(3))?,
                },
            ),
            "progress" => Self::Sink(
                handle,
                SinkEvent::Progress {
                    verified_bytes: verified_bytes()?,
                    sha256: read_digest(&message.get(3))?,
                },
            ),
            "wrong" => Self::Sink(
                handle,
                SinkEvent::Wrong { verified_bytes: verified_bytes()?, sha256: read_digest(&message.get(3))? },
            ),
            "complete" => Self::Sink(handle, SinkEvent::Complete { sha256: read_digest(&message.get(2))? }),
            "sink-failed" => Self::Sink(handle, SinkEvent::Failed(reason(&message.get(2)))),
            "file" => Self::File(handle, message.get(2).dyn_into().ok()?),
            _ => return None,
        })
    }
}

fn array(values: &[JsValue]) -> Array {
    values.iter().collect()
}

/// Numbers up to 2^53 are themselves, and no file is larger.
fn wide(number: u64) -> JsValue {
    JsValue::from_f64(number as f64)
}

fn read_wide(value: &JsValue) -> Option<u64> {
    value.as_f64().map(|number| number as u64)
}

fn number(value: &JsValue) -> Option<u32> {
    value.as_f64().map(|number| number as u32)
}

fn digest(sha256: Option<Sha256Digest>) -> JsValue {
    sha256.map_or(JsValue::NULL, |sha256| String::from(sha256).into())
}

fn read_digest(value: &JsValue) -> Option<Sha256Digest> {
    Sha256Digest::try_from(value.as_string()?).ok()
}

fn reason(value: &JsValue) -> TransferEnd {
    let word = value.as_string().unwrap_or_default();
    [
        TransferEnd::DiskFull,
        TransferEnd::TooLarge,
        TransferEnd::StorageRefused,
        TransferEnd::FileChanged,
        TransferEnd::FileUnreadable,
    ]
    .into_iter()
    .find(|reason| reason.as_str() == word)
    .unwrap_or(TransferEnd::Other)
}
