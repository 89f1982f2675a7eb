//! Benchmarks of writing and reading a profile in each form.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use sampleprof::{Format, WriteOptions};
use testkit::Fixture;

fn benches(criterion: &mut Criterion) {
    let text = Fixture::named("life-rust").read("expected.prof");
    let profile = sampleprof::read(&text, "life").expect("a profile");
    let mut group = criterion.benchmark_group("life-rust");
    for (name, format) in [
        ("text", Format::Text),
        ("binary", Format::Binary),
        ("extbinary", Format::ExtBinary),
    ] {
        let options = WriteOptions {
            format,
            ..WriteOptions::default()
        };
        let bytes = sampleprof::write(&profile, &options).expect("it can be written");
        group.bench_function(format!("write {name}"), |bencher| {
            bencher.iter(|| black_box(sampleprof::write(&profile, &options)));
        });
        group.bench_function(format!("read {name}"), |bencher| {
            bencher.iter(|| black_box(sampleprof::read(&bytes, "life")));
        });
    }
}

criterion_group!(formats, benches);
criterion_main!(formats);
