//! Runs a target over its seeds in an ordinary test: as they are, and changed.

use std::{fmt, fs, ops::Range, path::Path};

use proptest::{
    prelude::{Strategy, any, prop},
    prop_oneof,
    sample::{Index, select},
    test_runner::{Config, TestRunner},
};

/// Changed inputs for each target. A fuzzer tries a few hundred times as many in a minute.
const CHANGED_INPUTS: u32 = 3_000;
/// Most changes of one input.
const MAX_CHANGES: usize = 6;

/// Runs a target over its seeds, and names the seed when it fails.
pub fn check(target: &str, property: fn(&[u8])) {
    for (name, seed) in read(target) {
        println!("{name}");
        property(&seed);
    }
}

/// Runs a target over random changes of its seeds, and prints the shortest input that it finds when the property fails.
pub fn check_changed(target: &str, property: fn(&[u8])) {
    let seeds: Vec<_> = read(target).into_iter().map(|(_, seed)| seed).collect();
    let inputs = (select(seeds.clone()), prop::collection::vec(change(seeds), 1..=MAX_CHANGES));
    let inputs = inputs.prop_map(|(mut input, changes)| {
        for change in changes {
            change.make(&mut input);
        }
        Input(input)
    });
    println!("{target}");
    let config = Config { cases: CHANGED_INPUTS, failure_persistence: None, ..Config::default() };
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        property(&input.0);
        Ok(())
    });
    if let Err(failure) = outcome {
        panic!("{target}: {failure}");
    }
}

fn read(target: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/seeds").join(target);
    let files = fs::read_dir(folder).expect(target).map(|seed| seed.unwrap().path());
    let seeds: Vec<_> = files.map(|path| (path.display().to_string(), fs::read(path).unwrap())).collect();
    assert!(!seeds.is_empty(), "{target} has no seeds");
    seeds
}

/// Pieces that parsers treat in a special way.
const HARD_TO_READ: [&[u8]; 10] = [
    b"\"",
    b"{",
    b"]",
    b"null",
    b"-1",
    b"1e999",
    b"\\ud800",
    b"\r\n",
    b"\xf0\x9f\x92\xa9",
    b"\xff\xff\xff\xff",
];

/// A changed seed, which is shown with its text readable.
struct Input(Vec<u8>);

impl fmt::Debug for Input {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "b\"{}\"", self.0.escape_ascii())
    }
}

/// One change of an input, as fuzzers make them.
#[derive(Debug, Clone)]
enum Change {
    Set(Index, u8),
    Insert(Index, Vec<u8>),
    Remove(Index, Index),
    Repeat(Index, Index),
    /// A piece of another seed.
    Splice(Index, Vec<u8>, Index, Index),
}

fn change(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let at = any::<Index>;
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..4),
        select(&HARD_TO_READ[..]).prop_map(<[u8]>::to_vec),
    ];
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        (at(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (at(), at()).prop_map(|(from, to)| Change::Remove(from, to)),
        (at(), at()).prop_map(|(from, to)| Change::Repeat(from, to)),
        (at(), select(seeds), at(), at())
            .prop_map(|(at, other, from, to)| Change::Splice(at, other, from, to)),
    ]
}

impl Change {
    fn make(self, input: &mut Vec<u8>) {
        let place = |at: Index, input: &[u8]| at.index(input.len() + 1);
        match self {
            Self::Set(at, byte) => {
                let at = at.index(input.len().max(1));
                if let Some(old) = input.get_mut(at) {
                    *old = byte;
                }
            }
            Self::Insert(at, bytes) => {
                let at = place(at, input);
                input.splice(at..at, bytes);
            }
            Self::Remove(from, to) => drop(input.drain(range(from, to, input))),
            Self::Repeat(from, to) => {
                let piece = range(from, to, input);
                let at = piece.end;
                let repeated = input[piece].to_vec();
                input.splice(at..at, repeated);
            }
            Self::Splice(at, other, from, to) => {
                let at = place(at, input);
                let piece = range(from, to, &other);
                input.splice(at..at, other[piece].iter().copied());
            }
        }
    }
}

fn range(from: Index, to: Index, input: &[u8]) -> Range<usize> {
    let (from, to) = (from.index(input.len() + 1), to.index(input.len() + 1));
    from.min(to)..from.max(to)
}
