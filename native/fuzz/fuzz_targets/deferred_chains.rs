//! Reads samples whose call chains end in cookies, and the records with the user parts of these chains, in any order.
//! A model joins both with a map, and the reader must hand out the same call chains.
#![no_main]

use std::collections::HashMap;
use std::io::Cursor;

use autofdo_gen_fuzz::Dribble;
use libfuzzer_sys::fuzz_target;
use perfdata::{ChunkBuffer, PerfData};
use testkit::{Endian, EventSpec, PerfDataBuilder, SampleSpec};

const CALL_CHAIN: u64 = 1 << 5;
const CALLCHAIN_DEFERRED: u32 = 22;
const KERNEL: u64 = 128_u64.wrapping_neg();
const USER: u64 = 512_u64.wrapping_neg();
const USER_DEFERRED: u64 = 640_u64.wrapping_neg();
/// The address of all samples.
const SAMPLED: u64 = 0x5000;

/// A thread and a cookie, by which both parts of a call chain find each other.
type Key = (i32, u64);

/// The part of a call chain that stands in a sample.
struct Chain {
    /// The addresses in the kernel, if the sample was taken there.
    kernel: Option<Vec<u64>>,
    key: Key,
}

impl Chain {
    /// Returns all addresses of the chain.
    fn joined(&self, user_parts: &HashMap<Key, Vec<u64>>) -> Vec<u64> {
        match (&self.kernel, user_parts.get(&self.key)) {
            (None, None) => vec![SAMPLED],
            (kernel, user) => kernel.iter().chain(user).flatten().copied().collect(),
        }
    }
}

/// Makes a recording, and the model of it.
fn recording(mut bytes: &[u8], endian: Endian) -> (PerfDataBuilder, Vec<Chain>, HashMap<Key, Vec<u64>>) {
    let mut builder = PerfDataBuilder::with_endian(endian);
    let mut event = EventSpec::branch_stacks("cycles");
    event.sample_type |= CALL_CHAIN;
    let event = builder.event(event);
    let (mut chains, mut parts) = (Vec::new(), HashMap::new());
    while let [what, size, rest @ ..] = bytes {
        let (tid, cookie) = (1 + i32::from(what >> 2 & 1), u64::from(what >> 3 & 7));
        let size = usize::from(size & 15).min(rest.len());
        let (addresses, behind) = rest.split_at(size);
        bytes = behind;
        let addresses = addresses.iter().map(|byte| u64::from(*byte) << 8);
        match what & 3 {
            // A sample in the kernel, or in the program.
            mode @ (0 | 1) => {
                let kernel: Option<Vec<u64>> = (mode == 0).then(|| addresses.collect());
                let front = kernel.iter().flat_map(|kernel| [&[KERNEL], &kernel[..]].concat());
                let callchain = front.chain([USER_DEFERRED, cookie]).collect();
                builder.sample(SampleSpec {
                    callchain,
                    ip: SAMPLED,
                    ..SampleSpec::of(event, tid)
                });
                chains.push(Chain {
                    kernel,
                    key: (tid, cookie),
                });
            }
            // A user part, whose number of words is true, or too large.
            kind => {
                let addresses: Vec<u64> = addresses.collect();
                let claimed = if kind == 2 || what & 64 == 0 {
                    addresses.len() as u64 + 1
                } else {
                    u64::from(*what) << 56 | 1 << 20
                };
                let trailer = [tid as u64 | (tid as u64) << 32, 9, 0, 1000];
                let words = [&[cookie, claimed, USER], &addresses[..], &trailer].concat();
                let word = |word: u64| match endian {
                    Endian::Little => word.to_le_bytes(),
                    Endian::Big => word.to_be_bytes(),
                };
                let body: Vec<u8> = words.into_iter().flat_map(word).collect();
                builder.other(CALLCHAIN_DEFERRED, 2, &body);
                if claimed < 1 << 20 {
                    parts.insert((tid, cookie), addresses);
                }
            }
        }
    }
    (builder, chains, parts)
}

/// Returns the addresses of the call chain of each sample.
fn read(mut input: PerfData) -> Vec<Vec<u64>> {
    let mut found = Vec::new();
    let mut buffer = ChunkBuffer::default();
    while let Some(segment) = input.next_segment().expect("memory can be read") {
        for chunk in 0..segment.chunk_count() {
            let counted = segment.decode_chunk(chunk, &mut buffer, |sample| {
                found.push(sample.call_chain.addresses().collect())
            });
            counted.expect("memory can be read");
        }
    }
    found
}

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, bytes)) = bytes.split_first() else {
        return;
    };
    let endian = if choice & 1 == 0 { Endian::Little } else { Endian::Big };
    let (builder, chains, parts) = recording(bytes, endian);
    let expected: Vec<Vec<u64>> = chains.iter().map(|chain| chain.joined(&parts)).collect();
    let file = builder.build_file();
    assert_eq!(
        read(PerfData::from_bytes(file.clone(), "file").expect("a recording")),
        expected
    );
    let mut once = PerfData::from_bytes(file, "file read once").expect("a recording");
    once.read_once();
    assert_eq!(read(once), expected);
    let stream = Dribble(Cursor::new(builder.build_pipe()));
    assert_eq!(
        read(PerfData::from_reader(Box::new(stream), "stream").expect("a recording")),
        expected
    );
});
