//! The targets of the fuzzer without it: on the inputs that it found worth keeping (`tests/fuzz/corpus`), and on some
//! thousand more that are made of those.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};

use socketio_tests::c::root;
use socketio_tests::fuzz;

/// How many inputs are made for a target, and for the one that runs whole programs.
const MADE: usize = 5_000;
const PROGRAMS: usize = 300;

/// Evenly drawn numbers, the same in each run (splitmix64).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut number = self.0;
        number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (number ^ (number >> 31)) as usize % limit
    }
}

/// The corpus of a target, in the order of its names.
fn corpus(target: &str) -> Vec<Vec<u8>> {
    let folder = root().join("tests/fuzz/corpus").join(target);
    let entries = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One input out of others: the front of one, the end of another, a few bytes changed, repeated or left out.
fn mixed(corpus: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let piece = |random: &mut Random| {
        let whole = &corpus[random.below(corpus.len())];
        let (from, to) = (random.below(whole.len() + 1), random.below(whole.len() + 1));
        whole[from.min(to)..from.max(to)].to_vec()
    };
    let mut input = corpus[random.below(corpus.len())].clone();
    input.truncate(random.below(input.len() + 1));
    input.extend(piece(random));
    for _ in 0..random.below(4) {
        let at = random.below(input.len() + 1);
        match random.below(4) {
            0 => input.insert(at, random.below(256) as u8),
            1 => drop(input.splice(at..at, piece(random))),
            2 if at < input.len() => input[at] ^= 1 << random.below(8),
            _ if at < input.len() => drop(input.remove(at)),
            _ => {}
        }
    }
    input
}

/// Runs the corpus of a target and `made` inputs more.
fn replay(target: &str, made: usize) {
    let corpus = corpus(target);
    assert!(!corpus.is_empty(), "{target} has no corpus");
    let mut random = Random(7);
    let inputs = corpus.iter().cloned().chain((0..made).map(|_| mixed(&corpus, &mut random)));
    for input in inputs.collect::<Vec<_>>() {
        let ran = catch_unwind(AssertUnwindSafe(|| fuzz::run(target, &input)));
        assert!(ran.is_ok(), "{target} fails on {}", input.escape_ascii());
    }
}

#[test]
fn every_target_has_a_program_and_a_corpus_and_none_is_left_over() {
    let names = |folder: &str| {
        let entries = fs::read_dir(root().join("tests/fuzz").join(folder)).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_owned()).collect();
        names.sort();
        names
    };
    let mut targets = fuzz::TARGETS.map(|(name, _)| name);
    targets.sort_unstable();
    assert_eq!(names("corpus"), targets);
    assert_eq!(names("fuzz_targets"), targets);
}

macro_rules! targets {
    ($($name:ident: $made:expr;)*) => {
        $(#[test]
        fn $name() {
            replay(stringify!($name), $made);
        })*

        #[test]
        fn none_is_missing_here() {
            assert_eq!([$(stringify!($name)),*], fuzz::TARGETS.map(|(name, _)| name));
        }
    };
}

targets! {
    engine_payload: MADE;
    websocket_frames: MADE;
    http_query: MADE;
    socket_packets: MADE;
    server_session: MADE;
    client_session: MADE;
    server_peer: MADE;
    client_peer: MADE;
    c_api: PROGRAMS;
}
