//! Code that the fuzz targets share: reads a recording to its end in every possible way.

pub mod perf_script;
pub mod profile;
#[path = "../../crates/perfdata/tests/support/short_form.rs"]
mod short_form;

use std::io::{self, Cursor, Read};
use std::sync::LazyLock;

use perfdata::{AddressSpaces, ChunkBuffer, PerfData, RecordStats};
use rayon::{ThreadPool, ThreadPoolBuilder};
use short_form::{ShortForm, address_of};

static POOL: LazyLock<ThreadPool> = LazyLock::new(|| {
    let pool = ThreadPoolBuilder::new().num_threads(1).use_current_thread();
    pool.build().expect("the first pool of this thread")
});

/// Makes the fuzzer's own thread the only worker, so that the input of a crash leads to the crash again.
pub fn use_one_thread() {
    LazyLock::force(&POOL);
}

/// Facts on which two ways of reading the same bytes must agree.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Number of samples handed out.
    pub samples: u64,
    /// Number of samples of no known event, or too short for their event.
    pub unusable: u64,
    /// Sum of the numbers in all samples.
    pub sum: u64,
    /// Number of MMAP and MMAP2 records.
    pub mmaps: u64,
    /// False if the input ended early.
    pub complete: bool,
}

/// Reads the input to its end, decodes its samples in the short form, too, and looks up the addresses of the samples in the address spaces.
pub fn read_to_end(mut input: PerfData) -> Summary {
    let mut summary = Summary {
        complete: true,
        ..Summary::default()
    };
    let mut stats = RecordStats::default();
    let mut spaces = AddressSpaces::default();
    let mut buffer = ChunkBuffer::default();
    while let Some(segment) = input.next_segment().expect("memory can be read") {
        spaces.extend(segment.side_records());
        stats.add(segment.stats());
        for chunk in 0..segment.chunk_count() {
            let mut addresses = Vec::new();
            let counted = segment.decode_chunk(chunk, &mut buffer, |sample| {
                addresses.push(address_of(sample));
                let mut add = |value: u64| summary.sum = summary.sum.rotate_left(1).wrapping_add(value);
                add(sample.ip.0 ^ sample.time ^ sample.period ^ u64::from(sample.cpu));
                for branch in sample.branches.iter() {
                    add(branch.from.0 ^ branch.to.0 ^ branch.flags.0);
                }
                let space = spaces.space(sample.pid, sample.moment);
                assert!(space.period().contains(sample.moment));
                if let Some(range) = space.find(sample.ip) {
                    assert!(range.start <= sample.ip && sample.ip <= range.end);
                }
            });
            let counted = counted.expect("memory can be read");
            let mut found = Vec::new();
            let short_form = segment.decode_chunk_into(
                chunk,
                &mut buffer,
                ShortForm {
                    max: 3,
                    found: &mut found,
                },
            );
            assert_eq!(short_form.expect("memory can be read"), counted);
            assert_eq!(found, addresses, "the short form tells the same");
            summary.samples += counted.samples;
            summary.unusable += counted.unknown_event + counted.malformed;
        }
    }
    assert_eq!(
        summary.samples + summary.unusable,
        stats.samples(),
        "every sample is counted once"
    );
    summary.mmaps = stats.mmaps();
    summary.complete = stats.complete();
    for attr in &input.metadata().attrs {
        let _ = attr.label();
    }
    summary
}

/// A stream that returns a few bytes at a time.
pub struct Dribble(pub Cursor<Vec<u8>>);

impl Read for Dribble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = buffer.len().min(509);
        self.0.read(&mut buffer[..len])
    }
}

/// Reads bytes as a file in two passes, as a file in one pass, and as a stream.
pub fn read_both_ways(bytes: &[u8]) -> (Option<Summary>, Option<Summary>) {
    let file = PerfData::from_bytes(bytes.to_vec(), "file").ok().map(read_to_end);
    if let Ok(mut input) = PerfData::from_bytes(bytes.to_vec(), "file read once") {
        input.read_once();
        let once = read_to_end(input);
        // The declaration of an event may stand after its samples. A file that is read in one pass knows such an
        // event as late as a stream does.
        let same = |summary: &Summary| (summary.mmaps, summary.complete, summary.samples + summary.unusable);
        assert_eq!(file.as_ref().map(same), Some(same(&once)));
    }
    let stream = Dribble(Cursor::new(bytes.to_vec()));
    let stream = PerfData::from_reader(Box::new(stream), "stream").ok().map(read_to_end);
    (file, stream)
}
