//! The messages that the page posts to the file worker.

use sightline_browser::files::ToWorker;
use sightline_core::transfer::{SinkCommand, SourceCommand, TransferHandle};
use sightline_protocol::{MemberId, TransferId, transfer::Sha256Digest};
use wasm_bindgen_test::wasm_bindgen_test;

const HANDLE: TransferHandle = TransferHandle(7);

fn posted(message: ToWorker) -> ToWorker {
    ToWorker::from_js(&message.into_js().0).unwrap()
}

#[wasm_bindgen_test]
fn a_source_command_arrives_unchanged_in_the_worker_with_its_file() {
    let commands = [
        SourceCommand::Seek { seek: 1, number: 2, offset: 1 << 40, sha256: Some(Sha256Digest([3; 32])) },
        SourceCommand::Seek { seek: 4, number: 5, offset: 0, sha256: None },
        SourceCommand::Pull { chunks: 6, chunk_bytes: 1100 },
        SourceCommand::Identify { is_whole: true },
        SourceCommand::Identify { is_whole: false },
        SourceCommand::Close,
    ];
    for command in commands {
        let file =
            web_sys::File::new_with_str_sequence(&js_sys::Array::of1(&"text".into()), "a.txt").unwrap();
        for file in [Some(file), None] {
            let size_bytes = file.as_ref().map(|file| file.size() as u64);
            match posted(ToWorker::Source(HANDLE, command.clone(), file)) {
                ToWorker::Source(HANDLE, arrived, file) => {
                    assert_eq!(arrived, command);
                    assert_eq!(file.map(|file| file.size() as u64), size_bytes);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

#[wasm_bindgen_test]
fn a_sink_command_arrives_unchanged_in_the_worker() {
    let (transfer, member) = (TransferId::from_random(8), MemberId::from_random(9));
    let commands = [
        SinkCommand::Open {
            transfer: transfer.clone(),
            member: member.clone(),
            number: 10,
            size_bytes: 1 << 40,
        },
        SinkCommand::Expect { member, number: 11 },
        SinkCommand::Discard { transfer },
    ];
    for command in commands {
        match posted(ToWorker::Sink(HANDLE, command.clone())) {
            ToWorker::Sink(HANDLE, arrived) => assert_eq!(arrived, command),
            other => panic!("{other:?}"),
        }
    }
}
