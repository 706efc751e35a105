//! The messages between page and worker: arrays whose first element is a word. The commands and events are those of
//! `sightline_core::transfer`; the browser's part is the file or frame that belongs to one.

use js_sys::{Array, ArrayBuffer};
use sightline_core::transfer::{
    FileIdentity, SinkCommand, SinkEvent, SourceCommand, SourceEvent, TransferHandle,
};
use sightline_protocol::{
    MemberId, TransferId,
    transfer::{Sha256Digest, TransferEnd},
};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::File;

/// A message from the page to the worker.
#[derive(Debug, Clone)]
pub enum ToWorker {
    /// A command for the source of a transfer. The file comes with the first seek and with each request to identify it.
    Source(TransferHandle, SourceCommand, Option<File>),
    /// A command for the sink of a transfer.
    Sink(TransferHandle, SinkCommand),
    /// A frame of a member.
    Frame(MemberId, ArrayBuffer),
    /// Asks again for the complete file of this transfer.
    Fetch(TransferHandle, TransferId),
}

/// A message from the worker to the page.
#[derive(Debug, Clone)]
pub enum FromWorker {
    /// The worker runs.
    Ready,
    /// An event of a source, with its frame if there is one.
    Source(TransferHandle, SourceEvent, Option<ArrayBuffer>),
    /// An event of a sink.
    Sink(TransferHandle, SinkEvent),
    /// The complete file of a transfer.
    File(TransferHandle, File),
}

impl ToWorker {
    /// The message for `postMessage`, and the objects to transfer.
    #[must_use]
    pub fn into_js(self) -> (Array, Array) {
        let transferred = Array::new();
        let message = match self {
            Self::Source(handle, command, file) => source_array(handle.0, command, file),
            Self::Sink(handle, command) => sink_array(handle.0, command),
            Self::Frame(member, buffer) => {
                transferred.push(&buffer);
                array(&["frame".into(), member.as_str().into(), buffer.into()])
            }
            Self::Fetch(handle, transfer) => {
                array(&["fetch".into(), handle.0.into(), transfer.as_str().into()])
            }
        };
        (message, transferred)
    }

    /// Parses a posted message; `None` for anything else.
    #[must_use]
    pub fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let handle = || number(&message.get(1)).map(TransferHandle);
        let file = || message.get(2).dyn_into().ok();
        let member = |at| MemberId::new(message.get(at).as_string()?).ok();
        let transfer = || TransferId::new(message.get(2).as_string()?).ok();
        Some(match message.get(0).as_string()?.as_str() {
            "seek" => {
                let command = SourceCommand::Seek {
                    seek: number(&message.get(3))?,
                    number: number(&message.get(4))?,
                    offset: read_wide(&message.get(5))?,
                    sha256: read_digest(&message.get(6)),
                };
                Self::Source(handle()?, command, file())
            }
            "pull" => {
                let (chunks, chunk_bytes) = (number(&message.get(3))?, number(&message.get(4))?);
                Self::Source(handle()?, SourceCommand::Pull { chunks, chunk_bytes }, file())
            }
            "identify" => {
                let is_whole = message.get(3).is_truthy();
                Self::Source(handle()?, SourceCommand::Identify { is_whole }, file())
            }
            "close" => Self::Source(handle()?, SourceCommand::Close, file()),
            "open" => {
                let command = SinkCommand::Open {
                    transfer: transfer()?,
                    member: member(3)?,
                    number: number(&message.get(4))?,
                    size_bytes: read_wide(&message.get(5))?,
                };
                Self::Sink(handle()?, command)
            }
            "expect" => {
                let command = SinkCommand::Expect { member: member(2)?, number: number(&message.get(3))? };
                Self::Sink(handle()?, command)
            }
            "discard" => Self::Sink(handle()?, SinkCommand::Discard { transfer: transfer()? }),
            "frame" => Self::Frame(member(1)?, message.get(2).dyn_into().ok()?),
            "fetch" => Self::Fetch(handle()?, transfer()?),
            _ => return None,
        })
    }
}

fn source_array(handle: u32, command: SourceCommand, file: Option<File>) -> Array {
    let file = file.map_or(JsValue::NULL, JsValue::from);
    match command {
        SourceCommand::Seek { seek, number, offset, sha256 } => array(&[
            "seek".into(),
            handle.into(),
            file,
            seek.into(),
            number.into(),
            wide(offset),
            digest(sha256),
        ]),
        SourceCommand::Pull { chunks, chunk_bytes } => {
            array(&["pull".into(), handle.into(), file, chunks.into(), chunk_bytes.into()])
        }
        SourceCommand::Identify { is_whole } => {
            array(&["identify".into(), handle.into(), file, is_whole.into()])
        }
        SourceCommand::Close => array(&["close".into(), handle.into(), file]),
    }
}

fn sink_array(handle: u32, command: SinkCommand) -> Array {
    match command {
        SinkCommand::Open { transfer, member, number, size_bytes } => array(&[
            "open".into(),
            handle.into(),
            transfer.as_str().into(),
            member.as_str().into(),
            number.into(),
            wide(size_bytes),
        ]),
        SinkCommand::Expect { member, number } => {
            array(&["expect".into(), handle.into(), member.as_str().into(), number.into()])
        }
        SinkCommand::Discard { transfer } => {
            array(&["discard".into(), handle.into(), transfer.as_str().into()])
        }
    }
}

impl FromWorker {
    /// The message for `postMessage`, and the objects to transfer.
    #[must_use]
    pub fn into_js(self) -> (Array, Array) {
        let transferred = Array::new();
        let message = match self {
            Self::Ready => array(&["ready".into()]),
            Self::Source(handle, SourceEvent::Failed(reason), _) => {
                array(&["source-failed".into(), handle.0.into(), reason.as_str().into()])
            }
            Self::Source(handle, SourceEvent::Identified(identity), _) => array(&[
                "identified".into(),
                handle.0.into(),
                digest(identity.map(|identity| identity.sampled)),
                digest(identity.and_then(|identity| identity.whole)),
            ]),
            Self::Source(handle, SourceEvent::Reached { seek, sha256 }, _) => {
                array(&["reached".into(), handle.0.into(), seek.into(), digest(Some(sha256))])
            }
            Self::Source(handle, SourceEvent::Frame { seek, offset, length_bytes, sha256 }, frame) => {
                let frame = frame.map_or(JsValue::NULL, JsValue::from);
                if !frame.is_null() {
                    transferred.push(&frame);
                }
                let numbers = [seek.into(), wide(offset), wide(length_bytes), digest(sha256)];
                array(&[&["frame".into(), handle.0.into()], numbers.as_slice(), &[frame]].concat())
            }
            Self::Sink(handle, event) => match event {
                SinkEvent::Opened { verified_bytes, sha256 } => {
                    array(&["opened".into(), handle.0.into(), wide(verified_bytes), digest(Some(sha256))])
                }
                SinkEvent::Progress { verified_bytes, sha256 } => {
                    array(&["progress".into(), handle.0.into(), wide(verified_bytes), digest(Some(sha256))])
                }
                SinkEvent::Wrong { verified_bytes, sha256 } => {
                    array(&["wrong".into(), handle.0.into(), wide(verified_bytes), digest(Some(sha256))])
                }
                SinkEvent::Complete { sha256 } => {
                    array(&["complete".into(), handle.0.into(), digest(Some(sha256))])
                }
                SinkEvent::Failed(reason) => {
                    array(&["sink-failed".into(), handle.0.into(), reason.as_str().into()])
                }
            },
            Self::File(handle, file) => array(&["file".into(), handle.0.into(), file.into()]),
        };
        (message, transferred)
    }

    /// Parses a posted message; `None` for anything else.
    #[must_use]
    pub fn from_js(message: &JsValue) -> Option<Self> {
        let message: &Array = message.dyn_ref()?;
        let word = message.get(0).as_string()?;
        if word == "ready" {
            return Some(Self::Ready);
        }
        let handle = TransferHandle(number(&message.get(1))?);
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

/// JavaScript represents integers up to 2^53 exactly, and no file is larger.
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
