//! Measures building the function table (all units) and the frame table (all code) of fixtures.

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use elf::{Image, Svma};
use symbolize::{DebugInfo, DebugOptions, FileSystem, FrameTable, FunctionTable};
use testkit::Fixture;

fn benches(criterion: &mut Criterion) {
    for name in ["shapes-cpp", "life-rust"] {
        let path = Fixture::named(name).program();
        let image = Image::open(&path).expect("a fixture");
        let load = || DebugInfo::of_image(&image, &DebugOptions::default(), &FileSystem).expect("it has DWARF");
        let debug = load();
        let all = [(Svma(0), Svma(u64::MAX))];
        let mut group = criterion.benchmark_group(name);
        group.bench_function("debug sections", |bencher| bencher.iter(|| black_box(load())));
        group.bench_function("function table", |bencher| {
            bencher.iter(|| {
                black_box(FunctionTable::build(&debug, image.preferred_base(), &|| true).expect("not cancelled"))
            });
        });
        group.bench_function("frame table", |bencher| {
            bencher.iter(|| black_box(FrameTable::build(&debug, &all, &|| true).expect("not cancelled")));
        });
    }
}

criterion_group!(tables, benches);
criterion_main!(tables);
