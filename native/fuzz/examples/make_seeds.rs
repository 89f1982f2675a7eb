//! Writes the seed corpus: `cargo run --example make_seeds` in this directory.

use std::fs;
use std::path::Path;

use testkit::{Compression, Endian, EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

const READ_CALLCHAIN_RAW: u64 = 1 << 4 | 1 << 5 | 1 << 10;

fn recording(endian: Endian, fields: u64) -> PerfDataBuilder {
    let mut builder = PerfDataBuilder::with_endian(endian);
    let cycles = EventSpec::branch_stacks("cycles:u");
    let fields = fields | cycles.sample_type;
    let event = builder.event(cycles.sample_type(fields));
    let other = builder.event(EventSpec::plain("instructions").sample_type(fields));
    builder.mmap(MapSpec::kernel(
        0xffff_ffff_8100_0000,
        0x100_0000,
        "_text",
        0xffff_ffff_8100_0000,
    ));
    builder.mmap(MapSpec::module(0xffff_ffff_c000_0000, 0x1000, "[ext4]"));
    builder.mmap(
        MapSpec::code(100, 0x40_0000, 0x4000, 0, "/bin/prog")
            .with_build_id(&[7; 20])
            .at(1),
    );
    builder.mmap_v1(MapSpec::code(100, 0x7f00_0000, 0x1000, 0, "//anon").data().at(2));
    builder
        .comm(100, "prog", true, 2)
        .fork(200, 100, 3)
        .exit(200, 100, 9)
        .lost(5, 4);
    for time in 5..9 {
        let entries: Vec<_> = (0..time - 4)
            .map(|k| (0x40_0010 + k, 0x40_0100 + k, 1 << 24 | k))
            .collect();
        let read = vec![time; 2];
        let sample = SampleSpec::of(if time == 7 { other } else { event }, 100)
            .at(time)
            .ip(0x40_0123);
        builder.sample(SampleSpec {
            read,
            callchain: vec![1, 2],
            raw: vec![1; 5],
            entries,
            ..sample
        });
    }
    builder
        .describe_events()
        .string_feature(3, "host")
        .string_feature(9, "GenuineIntel,6,85,4");
    builder.build_ids(&[("/bin/prog", &[7; 20]), ("[kernel.kallsyms]", &[8; 20])]);
    builder
}

fn main() -> std::io::Result<()> {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let write = |target: &str, name: &str, bytes: Vec<u8>| {
        let directory = corpus.join(target);
        fs::create_dir_all(&directory)?;
        fs::write(directory.join(name), bytes)
    };
    for (name, endian, fields) in [
        ("little", Endian::Little, 0),
        ("big", Endian::Big, 0),
        ("all-fields", Endian::Little, READ_CALLCHAIN_RAW),
        ("all-fields-big", Endian::Big, READ_CALLCHAIN_RAW),
    ] {
        let builder = recording(endian, fields);
        write("record_stream", name, builder.build_file())?;
        write("record_stream", &format!("{name}-killed"), builder.build_killed_file())?;
        write(
            "record_stream",
            &format!("{name}-zstd"),
            builder.build_compressed_file(Compression::V1, 100),
        )?;
        write(
            "record_stream",
            &format!("{name}-zstd2"),
            builder.build_compressed_file(Compression::V2, 100),
        )?;
        write("record_stream", &format!("{name}-pipe"), builder.build_pipe())?;
        let choice = u8::from(endian == Endian::Big);
        let records = builder.build_pipe().split_off(16);
        write("pipe", name, [vec![choice], records].concat())?;
        let compressed = builder.build_compressed_pipe(Compression::V1, 64).split_off(16);
        write("pipe", &format!("{name}-zstd"), [vec![choice], compressed].concat())?;
        write("zstd", name, [vec![2, 50], builder.records()].concat())?;
        write(
            "zstd",
            &format!("{name}-zstd2"),
            [vec![3, 7], builder.records()].concat(),
        )?;
        // The bytes are: choice, sample_type, read_format, branch_sample_type >> 10, flags; then the length in words,
        // and the body.
        let fields = EventSpec::branch_stacks("").sample_type | fields;
        let mut seed = [&[choice], fields.to_le_bytes().as_slice(), &[4, 0x80, 0]].concat();
        for words in [10_u8, 30, 60] {
            seed.push(words);
            seed.extend((0..u64::from(words)).flat_map(|word| (word % 4).to_le_bytes()));
        }
        write("sample_decode", name, seed)?;
    }
    Ok(())
}
