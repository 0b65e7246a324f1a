//! Changes to files at random.

use proptest::prelude::*;

/// One change to a file.
#[derive(Debug, Clone)]
enum Change {
    Flip(usize, u8),
    Set(usize, Vec<u8>),
    Cut(usize),
    Remove(usize, usize),
    Insert(usize, Vec<u8>),
    Repeat(usize, usize),
}

fn change() -> impl Strategy<Value = Change> {
    let place = any::<usize>;
    // Numbers that sizes and lengths are often wrong by.
    let bytes = prop_oneof![
        prop::collection::vec(any::<u8>(), 1..9),
        Just(vec![0xff; 4]),
        Just(vec![0xff; 8]),
        Just(vec![0; 8]),
        Just(vec![0x7f, 0xff, 0xff, 0xff]),
        Just(b"99999999999999999999".to_vec()),
        Just(b"-1".to_vec()),
        Just(b"1e400".to_vec()),
        Just(b"[[[[[[[[[[[[[[[[".to_vec()),
        Just(b"\"".to_vec()),
    ];
    prop_oneof![
        (place(), any::<u8>()).prop_map(|(at, mask)| Change::Flip(at, mask)),
        (place(), bytes.clone()).prop_map(|(at, bytes)| Change::Set(at, bytes)),
        place().prop_map(Change::Cut),
        (place(), 1..64_usize).prop_map(|(at, length)| Change::Remove(at, length)),
        (place(), bytes).prop_map(|(at, bytes)| Change::Insert(at, bytes)),
        (place(), 1..256_usize).prop_map(|(at, length)| Change::Repeat(at, length)),
    ]
}

/// A file with up to six changes, half of the places within its first 64 bytes, where headers are.
pub fn changed(original: &'static [u8]) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec((change(), any::<bool>()), 1..7).prop_map(move |changes| {
        let mut bytes = original.to_vec();
        for (change, early) in changes {
            let reach = if early { bytes.len().min(64) } else { bytes.len() };
            let place = |at: usize| if reach == 0 { 0 } else { at % reach };
            let end = |at: usize, length: usize, all: usize| (at + length).min(all);
            match change {
                Change::Flip(at, mask) => {
                    if let Some(byte) = bytes.get_mut(place(at)) {
                        *byte ^= mask;
                    }
                }
                Change::Set(at, new) => {
                    let at = place(at);
                    let end = end(at, new.len(), bytes.len());
                    bytes.splice(at..end, new);
                }
                Change::Cut(at) => bytes.truncate(place(at)),
                Change::Remove(at, length) => {
                    let at = place(at);
                    bytes.drain(at..end(at, length, bytes.len()));
                }
                Change::Insert(at, new) => {
                    let at = place(at);
                    bytes.splice(at..at, new);
                }
                Change::Repeat(at, length) => {
                    let at = place(at);
                    let part = bytes[at..end(at, length, bytes.len())].to_vec();
                    bytes.splice(at..at, part);
                }
            }
        }
        bytes
    })
}

/// So many cases for each reader, or as many as `PROPTEST_CASES` says.
pub fn cases(usual: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    ProptestConfig {
        cases: cases.unwrap_or(usual),
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
