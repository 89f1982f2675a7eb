//! Benchmark of decoding alone, on one thread, of a file in the page cache, without address spaces and code.

use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use perfdata::{ChunkBuffer, PerfData, Sample};
use testkit::{EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

/// Makes a recording with branch stacks of 32 entries.
fn recording(samples: u64) -> Vec<u8> {
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles:u"));
    builder.mmap(MapSpec::code(100, 0x40_0000, 0x10_0000, 0, "/bin/prog").at(1));
    for time in 0..samples {
        let entries: Vec<_> = (0..32)
            .map(|entry| (0x40_0000 + time % 977 * 64 + entry, 0x40_8000 + entry * 16, 0))
            .collect();
        builder.sample(SampleSpec::of(event, 100).at(10 + time).entries(&entries));
    }
    builder.build_file()
}

/// Decodes the file and returns the sum of all addresses.
fn decode(path: &Path, once: bool) -> u64 {
    let mut input = PerfData::open(path).expect("it opens");
    assert!(!once || input.read_once());
    let mut buffer = ChunkBuffer::default();
    let mut sum = 0_u64;
    let mut add = |sample: &Sample<'_>| {
        for branch in sample.branches.iter() {
            sum = sum.wrapping_add(branch.from.0 ^ branch.to.0);
        }
    };
    while let Some(segment) = input.next_segment().expect("it can be read") {
        for chunk in 0..segment.chunk_count() {
            segment
                .decode_chunk(chunk, &mut buffer, &mut add)
                .expect("it can be decoded");
        }
        input.reuse(segment);
    }
    sum
}

fn benches(criterion: &mut Criterion) {
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    let bytes = recording(100_000);
    std::fs::write(file.path(), &bytes).expect("it is written");
    let one_thread = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(bytes.len() as u64)).sample_size(20);
    for (name, once) in [("read once", true), ("read twice", false)] {
        group.bench_function(name, |bencher| {
            bencher.iter(|| one_thread.install(|| black_box(decode(file.path(), once))));
        });
    }
}

criterion_group!(decoding, benches);
criterion_main!(decoding);
