//! Benchmarks of the pipeline on fixtures with one thread: stacks to counters, and stacks to a profile.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use profgen::{GenerateOptions, Input, Silent, generate};
use testkit::Fixture;

fn benches(criterion: &mut Criterion) {
    for name in ["calc-x86_64", "shapes-cpp", "life-rust"] {
        let fixture = Fixture::named(name);
        let bytes = fixture.read("perf.data").len() as u64;
        let mut group = criterion.benchmark_group(name);
        group.throughput(Throughput::Bytes(bytes)).sample_size(30);
        // The same recording is read again and again, so that work that is done once for a program becomes
        // small beside the counting.
        for (what, times, skip_symbolization) in [
            ("counters", 1, true),
            ("counters, 64 times", 64, true),
            ("profile", 1, false),
        ] {
            let mut options =
                GenerateOptions::new(fixture.program(), Input::PerfData(vec![fixture.perf_data(); times]));
            options.jobs = 1;
            options.skip_symbolization = skip_symbolization;
            group.throughput(Throughput::Bytes(bytes * times as u64));
            group.bench_function(what, |bencher| {
                bencher.iter(|| black_box(generate(&options, &Silent).expect("it works")))
            });
        }
    }
}

criterion_group!(pipeline, benches);
criterion_main!(pipeline);
