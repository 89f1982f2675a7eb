//! Tests that the same records in every container give the same samples.

mod support;

use std::io::Cursor;

use perfdata::PerfData;
use support::{Dribble, Everything, fill, read_all, read_file, read_stream, small_recording};
use testkit::{Compression, Endian, EventSpec, PerfDataBuilder, make_named_pipe};

fn assert_same(left: &Everything, right: &Everything) {
    assert_eq!(left.samples, right.samples);
    assert_eq!(left.changes, right.changes);
    assert_eq!(left.stats.samples(), right.stats.samples());
    assert!(right.stats.complete(), "{:?}", right.stats.damage);
}

#[test]
fn file_has_all_that_was_put_in() {
    let all = read_file(&small_recording(100).build_file());
    assert_eq!(all.samples.len(), 100);
    let sample = &all.samples[40];
    assert_eq!((sample.pid, sample.time, sample.ip, sample.period), (100, 50, 40, 1));
    assert_eq!(sample.entries.len(), 7);
    assert_eq!(sample.entries[2], (0x40_0000 + 42, 0x40_1002, 2));
    assert_eq!(all.stats.mmaps(), 2);
    assert_eq!(all.changes.len(), 3);
    assert_eq!(all.stats.damage, None);
}

#[test]
fn file_on_disk_equals_bytes() {
    let builder = small_recording(5000);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), builder.build_file()).expect("writing it");
    let on_disk = read_all(PerfData::open(file.path()).expect("it opens"));
    assert_same(&read_file(&builder.build_file()), &on_disk);
}

#[cfg(unix)]
#[test]
fn fifo_is_read_as_a_stream() {
    let builder = small_recording(2000);
    for bytes in [builder.build_pipe(), builder.build_file()] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let fifo = directory.path().join("fifo");
        make_named_pipe(&fifo);
        let writer = std::thread::spawn({
            let fifo = fifo.clone();
            move || std::fs::write(fifo, bytes)
        });
        let all = read_all(PerfData::open(&fifo).expect("it opens"));
        writer.join().expect("the writer ends").expect("writing works");
        assert_same(&read_file(&builder.build_file()), &all);
    }
}

#[test]
fn file_cut_while_it_is_read_is_an_error() {
    let builder = small_recording(30_000);
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), builder.build_file()).expect("writing it");
    let mut input = PerfData::open(file.path()).expect("it opens");
    let segment = input.next_segment().expect("reading works").expect("a segment");
    file.as_file().set_len(3 << 20).expect("cutting it");
    let mut buffer = perfdata::ChunkBuffer::default();
    let results: Vec<_> = (0..segment.chunk_count())
        .map(|chunk| segment.decode_chunk(chunk, &mut buffer, |_| {}))
        .collect();
    assert!(results[0].is_ok());
    assert!(matches!(results.last(), Some(Err(perfdata::Error::FileShrank { .. }))));
}

#[test]
fn pipe_equals_file() {
    let builder = small_recording(300);
    let file = read_file(&builder.build_file());
    let pipe = read_stream(&builder.build_pipe());
    assert!(pipe.input.metadata().pipe);
    assert_same(&file, &pipe);
    // The output of a pipe that was stored in a file is recognised by its header, not by the way it is opened.
    assert_same(&file, &read_file(&builder.build_pipe()));
}

#[test]
fn file_through_a_pipe_equals_file() {
    let mut builder = small_recording(300);
    builder.describe_events().string_feature(3, "host");
    let file = read_file(&builder.build_file());
    let streamed = read_stream(&builder.build_file());
    assert_same(&file, &streamed);
    assert_eq!(file.input.metadata(), streamed.input.metadata());
    assert_eq!(streamed.input.metadata().hostname.as_deref(), Some("host"));
}

#[test]
fn long_stream_comes_in_several_segments() {
    let builder = small_recording(60_000);
    let pipe = builder.build_pipe();
    let mut input = PerfData::from_reader(Box::new(Cursor::new(pipe.clone())), "stream").expect("it opens");
    let mut segments = 0;
    while input.next_segment().expect("reading works").is_some() {
        segments += 1;
    }
    assert!(segments > 1, "{segments} segments of {} bytes", pipe.len());
    assert_same(&read_file(&builder.build_file()), &read_stream(&pipe));
}

#[test]
fn compressed_records_may_be_cut_anywhere() {
    let builder = small_recording(300);
    let plain = read_file(&builder.build_file());
    for compression in [Compression::V1, Compression::V2] {
        for piece in [1, 7, 64, 1777, 1 << 20] {
            let file = read_file(&builder.build_compressed_file(compression, piece));
            assert!(file.input.metadata().compressed);
            assert_same(&plain, &file);
            assert_same(&plain, &read_stream(&builder.build_compressed_pipe(compression, piece)));
        }
    }
}

#[test]
fn a_compressed_record_may_begin_in_one_segment_and_end_in_the_next() {
    // The records fill more than two segments of 16 MiB, in steps that end within records.
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let entries: Vec<_> = (0..2500).map(|entry| (entry, 2 * entry, 3)).collect();
    for time in 0..600 {
        builder.sample(
            testkit::SampleSpec::of(event, 1)
                .at(time)
                .entries(&entries[..2500 - time as usize % 7]),
        );
    }
    let plain = read_file(&builder.build_file());
    let file = builder.build_compressed_file(Compression::V1, 1_000_003);
    assert_same(&plain, &read_file(&file));
    let pipe = builder.build_compressed_pipe(Compression::V1, 1_000_003);
    assert_same(&plain, &read_stream(&pipe));
}

#[test]
fn compressed2_whose_size_overflows_is_read() {
    // These entries do not compress, so that payloads reach the limit.
    let mut builder = PerfDataBuilder::new();
    let event = builder.event(EventSpec::branch_stacks("cycles"));
    let mut state = 1_u64;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    for time in 0..2000 {
        let entries: Vec<_> = (0..32).map(|_| (random(), random(), random() & 0xfff)).collect();
        builder.sample(testkit::SampleSpec::of(event, 1).at(time).entries(&entries));
    }
    let plain = read_file(&builder.build_file());
    for compression in [Compression::V2, Compression::V2Merged] {
        let file = builder.build_compressed_file(compression, 1 << 18);
        assert_same(&plain, &read_file(&file));
        assert_same(
            &plain,
            &read_stream(&builder.build_compressed_pipe(compression, 1 << 18)),
        );
        // A file that is cut in the middle ends early and keeps the samples before the cut.
        let cut = read_file(&file[..file.len() / 2]);
        assert!(!cut.stats.complete() && cut.samples.len() > 500);
        assert_eq!(cut.samples[..], plain.samples[..cut.samples.len()]);
    }
}

#[test]
fn directory_is_read_as_one_recording() {
    let builder = small_recording(500);
    let mut plain = read_file(&builder.build_file());
    plain.samples.sort();
    for compression in [None, Some(Compression::V1), Some(Compression::V2)] {
        let directory = tempfile::tempdir().expect("a temporary directory");
        builder
            .write_directory(directory.path(), 10, 12, compression)
            .expect("writing it");
        let mut all = read_all(PerfData::open(directory.path()).expect("it opens"));
        all.samples.sort();
        assert_same(&plain, &all);
    }
}

#[test]
fn directory_says_which_file_is_missing() {
    let builder = small_recording(500);
    let directory = tempfile::tempdir().expect("a temporary directory");
    builder
        .write_directory(directory.path(), 10, 4, None)
        .expect("writing it");
    std::fs::remove_file(directory.path().join("data.2")).expect("removing it");
    // Neither the directory nor the FIFO is a file of records. A FIFO would keep its reader waiting.
    std::fs::create_dir(directory.path().join("data.7")).expect("a directory");
    make_named_pipe(&directory.path().join("data.8"));
    let all = read_all(PerfData::open(directory.path()).expect("it opens"));
    assert_eq!(
        all.stats.damage.expect("it is reported").kind,
        perfdata::DamageKind::ThreadFileMissing { number: 2 }
    );
    assert!(all.samples.len() > 300 && all.samples.len() < 500);
}

#[test]
fn events_behind_the_records_need_a_file() {
    let file = small_recording(20).build_file();
    let expected = read_file(&file);
    // Moves the attrs, which follow the header, to the end of the file.
    let word = |at: usize| u64::from_le_bytes(file[at..at + 8].try_into().expect("8 bytes"));
    let (attrs, attrs_size, data, data_size) = (word(24), word(32), word(40), word(48));
    let mut moved = file[..(data + data_size) as usize].to_vec();
    moved[24..32].copy_from_slice(&(data + data_size).to_le_bytes());
    moved[72..104].fill(0);
    moved.extend_from_slice(&file[attrs as usize..(attrs + attrs_size) as usize]);
    assert_eq!(read_file(&moved).samples, expected.samples);
    let error = PerfData::from_reader(Box::new(Cursor::new(moved)), "pipe").expect_err("it is refused");
    assert!(matches!(error, perfdata::Error::EventsBehindRecords { .. }), "{error}");
}

#[test]
fn first_segment_of_a_directory_has_the_maps_of_all_files() {
    let mut builder = small_recording(10);
    let directory = tempfile::tempdir().expect("a temporary directory");
    // The map comes last, in another file than the sample.
    builder.mmap(testkit::MapSpec::code(100, 0x7000_0000, 0x1000, 0, "/lib/late.so").at(3));
    builder
        .write_directory(directory.path(), 1, 3, Some(Compression::V1))
        .expect("writing it");
    let mut input = PerfData::open(directory.path()).expect("it opens");
    let first = input.next_segment().expect("reading works").expect("a segment");
    assert_eq!(first.side_records().len(), 4);
    assert_eq!(first.stats().samples(), 10);
    while let Some(segment) = input.next_segment().expect("reading works") {
        assert!(segment.side_records().is_empty());
        assert_eq!(segment.stats().samples(), 0, "counted with the first segment");
    }
}

#[test]
fn big_endian_equals_little_endian() {
    let of = |endian| {
        let mut builder = PerfDataBuilder::with_endian(endian);
        let event = builder.event(EventSpec::branch_stacks("cycles"));
        builder.event(EventSpec::plain("instructions"));
        fill(&mut builder, event, 200);
        builder.describe_events().string_feature(3, "host");
        builder
    };
    let (little, big) = (of(Endian::Little), of(Endian::Big));
    let expected = read_file(&little.build_file());
    assert_same(&expected, &read_file(&big.build_file()));
    assert_same(&expected, &read_stream(&big.build_pipe()));
    assert_same(&expected, &read_file(&big.build_compressed_file(Compression::V1, 100)));
    let attrs = |all: &Everything| all.input.metadata().attrs.clone();
    assert_eq!(attrs(&expected), attrs(&read_file(&big.build_file())));
}

#[test]
fn trace_data_between_records_is_passed_over() {
    let mut builder = small_recording(20);
    let plain = read_file(&builder.build_file());
    // The builder adds AUXTRACE with 3 MiB after it, whose bytes look like records.
    let mut body = Vec::new();
    body.extend((3_u64 << 20).to_le_bytes());
    body.resize(40, 0);
    builder.other(71, 0, &body);
    let fake: Vec<u8> = [9_u32, 8 << 16].iter().flat_map(|word| word.to_le_bytes()).collect();
    builder.record(fake.repeat((3 << 20) / 8));
    // The builder adds TRACING_DATA, padded to a multiple of 8 bytes.
    builder.other(66, 0, &[11, 0, 0, 0, 0, 0, 0, 0]);
    builder.record(b"\x17\x08\x44tracing\x000.6\0\0".to_vec());
    fill(&mut builder, 0, 20);
    for all in [read_file(&builder.build_file()), read_stream(&builder.build_pipe())] {
        assert!(all.stats.complete(), "{:?}", all.stats.damage);
        assert_eq!(all.samples.len(), 40);
        assert_eq!(all.samples[20..], plain.samples[..]);
    }
}

/// The bytes after the record show whether its trace data is there. So the reader must wait for these bytes: at the
/// end of a block that was read from a file, and in a pipe that has not delivered them yet.
#[test]
fn tracing_data_is_found_behind_the_end_of_what_was_read() {
    const BLOCK: usize = 256 << 10;
    const RECORD: usize = 16;
    let records = |builder: &PerfDataBuilder| {
        let file = builder.build_file();
        usize::try_from(u64::from_le_bytes(file[48..56].try_into().unwrap())).unwrap()
    };
    for behind in [0, 8] {
        let mut builder = small_recording(20);
        let mut rest = BLOCK - behind - RECORD - records(&builder);
        while rest > 0 {
            let size = rest.min(0xff00);
            builder.other(12, 0, &vec![0; size - 8]);
            rest -= size;
        }
        builder.other(66, 0, &[16, 0, 0, 0, 0, 0, 0, 0]);
        assert_eq!(records(&builder), BLOCK - behind);
        // The bytes of the trace data are not a record.
        builder.record(b"\x17\x08\x44tracing\x00\x00\x00\x00\x00\x00".to_vec());
        fill(&mut builder, 0, 10);
        let pipe = Dribble(Cursor::new(builder.build_pipe()), 1);
        let piped = read_all(PerfData::from_reader(Box::new(pipe), "pipe").expect("it opens"));
        for all in [read_file(&builder.build_file()), piped] {
            assert!(all.stats.complete(), "{:?}", all.stats.damage);
            assert_eq!(all.samples.len(), 30);
        }
    }
}

/// `perf inject -i PIPE -o FILE` (6.1 and 6.12) announces trace data that it does not copy.
#[test]
fn tracing_data_may_be_announced_and_absent() {
    let mut builder = small_recording(20);
    // The announced sizes are larger and smaller than the records that follow.
    for size in [1_u32 << 20, 64, 1] {
        let mut announced = size.to_le_bytes().to_vec();
        announced.resize(8, 0);
        builder.other(66, 0, &announced);
        fill(&mut builder, 0, 10);
    }
    builder.other(66, 0, &[16, 0, 0, 0, 0, 0, 0, 0]);
    for all in [read_file(&builder.build_file()), read_stream(&builder.build_pipe())] {
        assert!(all.stats.complete(), "{:?}", all.stats.damage);
        assert_eq!(all.samples.len(), 50);
    }
}
