//! Reads a whole recording in a simple way, for tests to compare.

#![allow(dead_code, reason = "each test file uses some of it")]

mod short_form;

use std::io::{Cursor, Read};

use perfdata::{AddressSpaces, Change, ChunkBuffer, ChunkStats, Moment, PerfData, RecordStats};
use short_form::{ShortForm, address_of};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

/// A copy of a sample, which outlives the sample's segment.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OwnedSample {
    pub event: u16,
    pub pid: i32,
    pub time: u64,
    pub cpu: u32,
    pub ip: u64,
    pub period: u64,
    pub entries: Vec<(u64, u64, u64)>,
}

/// Everything that was read from a recording.
#[derive(Debug)]
pub struct Everything {
    pub samples: Vec<OwnedSample>,
    pub moments: Vec<Moment>,
    pub changes: Vec<Change>,
    pub spaces: AddressSpaces,
    pub stats: RecordStats,
    pub chunk_stats: ChunkStats,
    pub input: PerfData,
}

/// Reads a whole recording. Each chunk is decoded in the short form, too, which must tell the same.
pub fn read_all(mut input: PerfData) -> Everything {
    let mut samples = Vec::new();
    let mut moments = Vec::new();
    let mut changes = Vec::new();
    let mut spaces = AddressSpaces::default();
    let mut stats = RecordStats::default();
    let mut chunk_stats = ChunkStats::default();
    let mut buffer = ChunkBuffer::default();
    while let Some(segment) = input.next_segment().expect("reading works") {
        stats.add(segment.stats());
        spaces.extend(segment.side_records());
        changes.extend(segment.side_records().iter().map(|record| record.change.clone()));
        for chunk in 0..segment.chunk_count() {
            let mut addresses = Vec::new();
            let counted = segment.decode_chunk(chunk, &mut buffer, |sample| {
                addresses.push(address_of(sample));
                moments.push(sample.moment);
                samples.push(OwnedSample {
                    event: sample.event,
                    pid: sample.pid,
                    time: sample.time,
                    cpu: sample.cpu,
                    ip: sample.ip.0,
                    period: sample.period,
                    entries: sample.branches.iter().map(|b| (b.from.0, b.to.0, b.flags.0)).collect(),
                });
            });
            let counted = counted.expect("decoding works");
            for max in [usize::MAX, 3] {
                let mut found = Vec::new();
                let short_form = ShortForm { max, found: &mut found };
                let in_short = segment.decode_chunk_into(chunk, &mut buffer, short_form);
                assert_eq!(in_short.expect("decoding works"), counted);
                assert_eq!(found, addresses);
            }
            chunk_stats.add(counted);
        }
        input.reuse(segment);
    }
    Everything {
        samples,
        moments,
        changes,
        spaces,
        stats,
        chunk_stats,
        input,
    }
}

/// Reads bytes as a file, in two passes and in one. Both ways must give the same result.
pub fn read_file(bytes: &[u8]) -> Everything {
    let open = || PerfData::from_bytes(bytes.to_vec(), "file").expect("it opens");
    let (twice, mut once) = (read_all(open()), open());
    assert!(once.read_once());
    let once = read_all(once);
    assert_eq!(once.samples, twice.samples);
    assert_eq!(once.moments, twice.moments);
    assert_eq!(once.changes, twice.changes);
    assert_eq!(once.stats, twice.stats);
    assert_eq!(once.chunk_stats, twice.chunk_stats);
    assert_eq!(once.input.metadata(), twice.input.metadata());
    twice
}

/// A reader that returns a few bytes at a time, as pipes may.
pub struct Dribble<R>(pub R, pub usize);

impl<R: Read> Read for Dribble<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let len = buffer.len().min(self.1);
        self.0.read(&mut buffer[..len])
    }
}

/// Reads bytes as a stream.
pub fn read_stream(bytes: &[u8]) -> Everything {
    let reader = Dribble(Cursor::new(bytes.to_vec()), 1013);
    read_all(PerfData::from_reader(Box::new(reader), "stream").expect("it opens"))
}

/// Makes a recording of two processes with `count` samples.
pub fn small_recording(count: u64) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles:u"));
    fill(&mut builder, event, count);
    builder
}

/// Adds maps, a fork and `count` samples.
pub fn fill(builder: &mut PerfDataBuilder, event: usize, count: u64) {
    builder.mmap(MapSpec::kernel(
        0xffff_ffff_8100_0000,
        0x100_0000,
        "_text",
        0xffff_ffff_8100_0000,
    ));
    builder.mmap(
        MapSpec::code(100, 0x40_0000, 0x4000, 0, "/bin/prog")
            .with_build_id(&[7; 20])
            .at(1),
    );
    builder.fork(200, 100, 2);
    for i in 0..count {
        let entries: Vec<_> = (0..i % 33).map(|k| (0x40_0000 + i + k, 0x40_1000 + k, k % 4)).collect();
        builder.sample(
            SampleSpec::of(event, if i % 2 == 0 { 100 } else { 200 })
                .at(10 + i)
                .ip(i)
                .entries(&entries),
        );
    }
}
