//! Tests of events, their sizes, names and ids; of features, build ids and old headers.

mod support;

use support::{read_file, read_stream, small_recording};
use testkit::{Endian, EventSpec, MapSpec, PerfDataBuilder, SampleSpec};

#[test]
fn attrs_of_every_size() {
    for attr_size in [64, 72, 80, 96, 104, 112, 120, 128, 136, 144, 1000, 5000] {
        let mut builder = PerfDataBuilder::new();
        let event = builder.event(EventSpec {
            attr_size,
            ..EventSpec::branch_stacks("cycles")
        });
        support::fill(&mut builder, event, 10);
        for all in [read_file(&builder.build_file()), read_stream(&builder.build_pipe())] {
            let attr = &all.input.metadata().attrs[0];
            assert_eq!(attr.sample_period, 1009, "attr of {attr_size} bytes");
            assert_eq!(attr.branch_sample_type, if attr_size < 80 { 0 } else { 9 });
            assert!(attr.has_branch_stack() && !attr.is_call_stack() && attr.sample_id_all() && attr.comm_exec());
            assert_eq!(all.samples.len(), 10);
        }
    }
}

#[test]
fn samples_go_to_their_events() {
    let mut builder = PerfDataBuilder::new();
    // The second event has its id at the same position, but other fields.
    let plain = builder.event(EventSpec {
        ids: vec![5, 6],
        ..EventSpec::plain("instructions")
    });
    let branches = builder.event(EventSpec {
        ids: vec![7, 8],
        ..EventSpec::branch_stacks("cycles")
    });
    for i in 0..10 {
        builder.sample(SampleSpec::of(plain, 1).at(i));
        builder.sample(SampleSpec::of(branches, 1).at(i).branches(&[(1, 2)]));
    }
    let all = read_file(&builder.build_file());
    assert!(
        all.samples
            .iter()
            .all(|sample| (sample.event == 1) == (sample.entries == [(1, 2, 2)]))
    );
    assert_eq!(all.samples.iter().filter(|sample| sample.event == 1).count(), 10);
}

#[test]
fn id_inside_the_sample_is_found_without_identifier() {
    // The fields are IP, TID, TIME, ID, BRANCH_STACK.
    let fields = 1 | 1 << 1 | 1 << 2 | 1 << 6 | 1 << 11;
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec::branch_stacks("cycles").sample_type(fields));
    builder.event(EventSpec::branch_stacks("branches").sample_type(fields));
    builder.mmap(MapSpec::code(1, 0x1000, 0x1000, 0, "/bin/a").at(77));
    builder.sample(SampleSpec::of(1, 1).at(3).branches(&[(1, 2)]));
    builder.sample(SampleSpec::of(0, 1).at(4));
    let all = read_file(&builder.build_file());
    assert_eq!(
        all.samples.iter().map(|sample| sample.event).collect::<Vec<_>>(),
        [1, 0]
    );
    // Without a PERIOD field every sample stands for the event's period.
    assert_eq!(all.samples[0].period, 1009);
    assert_eq!(all.samples[0].cpu, u32::MAX);
    assert!(all.spaces.space(1, perfdata::Moment::at_time(76)).ranges().is_empty());
    assert_eq!(all.spaces.space(1, perfdata::Moment::at_time(77)).ranges().len(), 1);
}

#[test]
fn names_come_from_where_they_are() {
    let mut builder = small_recording(1);
    builder.event(EventSpec {
        event_type: 4,
        config: 0x1c2,
        ..EventSpec::plain("ex_ret_brn_tkn")
    });
    let names = |all: &support::Everything| {
        all.input
            .metadata()
            .attrs
            .iter()
            .map(perfdata::EventAttr::label)
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&read_file(&builder.build_file())), ["cycles", "r1c2"]);
    // In EVENT_UPDATE, kind 2 is a name for the event with this id.
    let mut update = builder.clone();
    let mut body: Vec<u8> = [2_u64, 1001].iter().flat_map(|word| word.to_le_bytes()).collect();
    body.extend(b"renamed\0");
    update.other(78, 0, &body);
    assert_eq!(names(&read_stream(&update.build_pipe())), ["cycles", "renamed"]);
    builder.describe_events();
    for all in [read_file(&builder.build_file()), read_stream(&builder.build_pipe())] {
        assert_eq!(names(&all), ["cycles:u", "ex_ret_brn_tkn"]);
    }
}

#[test]
fn pipe_attrs_without_ids_get_them_from_the_description() {
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec::branch_stacks("cycles"));
    builder.event(EventSpec::plain("instructions"));
    builder.describe_events();
    builder.sample(SampleSpec::of(1, 1)).sample(SampleSpec::of(0, 1));
    let pipe = builder.build_pipe();
    // The ids are cut from the two HEADER_ATTR records after the 16-byte header.
    let (attr_record, shorter) = (8 + 136 + 8, (8 + 136_u16).to_le_bytes());
    let mut without_ids = pipe[..16].to_vec();
    for record in pipe[16..16 + 2 * attr_record].chunks(attr_record) {
        without_ids.extend_from_slice(&record[..6]);
        without_ids.extend_from_slice(&shorter);
        without_ids.extend_from_slice(&record[8..attr_record - 8]);
    }
    without_ids.extend_from_slice(&pipe[16 + 2 * attr_record..]);
    let all = read_stream(&without_ids);
    assert_eq!(
        all.samples.iter().map(|sample| sample.event).collect::<Vec<_>>(),
        [1, 0]
    );
    assert_eq!(all.input.metadata().attrs[1].ids, [1001]);
}

#[test]
fn features_are_read() {
    for endian in [Endian::Little, Endian::Big] {
        let mut builder = PerfDataBuilder::with_endian(endian);
        let event = builder.event(EventSpec::branch_stacks("cycles"));
        builder.sample(SampleSpec::of(event, 1));
        builder
            .string_feature(3, "host")
            .string_feature(4, "6.1.0")
            .string_feature(5, "6.1.90");
        builder
            .string_feature(6, "x86_64")
            .string_feature(8, "A CPU")
            .feature(9, Vec::new());
        builder.build_ids(&[("/bin/a", &[1; 20]), ("/bin/b", &[2; 8])]);
        // The number belongs to no known feature.
        builder.feature(200, vec![1, 2, 3]);
        for all in [read_file(&builder.build_file()), read_stream(&builder.build_pipe())] {
            let metadata = all.input.metadata();
            assert_eq!(metadata.hostname.as_deref(), Some("host"));
            assert_eq!(metadata.os_release.as_deref(), Some("6.1.0"));
            assert_eq!(metadata.perf_version.as_deref(), Some("6.1.90"));
            assert_eq!(metadata.arch.as_deref(), Some("x86_64"));
            assert_eq!(metadata.cpu_description.as_deref(), Some("A CPU"));
            assert_eq!(metadata.cpu_id, None);
            let ids: Vec<_> = metadata
                .build_ids
                .iter()
                .map(|entry| (&*entry.name, entry.id.to_string()))
                .collect();
            assert_eq!(ids, [("/bin/a", "01".repeat(20)), ("/bin/b", "02".repeat(8))]);
            assert!(metadata.unreadable_features.is_empty());
            assert!(metadata.features.contains(&200));
        }
    }
}

#[test]
fn map_of_an_unknown_event_has_its_time() {
    let mut stranger = PerfDataBuilder::new();
    stranger.event(EventSpec {
        ids: vec![77],
        ..EventSpec::branch_stacks("cycles")
    });
    stranger.mmap(MapSpec::code(1, 0x1000, 0x1000, 0, "/bin/a").at(50));
    let mut builder = PerfDataBuilder::new();
    builder.event(EventSpec::branch_stacks("cycles"));
    builder.event(EventSpec::plain("instructions"));
    builder.record(stranger.records());
    let all = read_file(&builder.build_file());
    let maps_at = |time| all.spaces.space(1, perfdata::Moment::at_time(time)).ranges().len();
    assert_eq!((maps_at(49), maps_at(50)), (0, 1));
}

#[test]
fn lost_records_are_told() {
    let mut builder = small_recording(1);
    builder.lost(41, 5).lost(1, 6);
    assert_eq!(read_file(&builder.build_file()).stats.lost(), 42);
    // The count that perf writes at the end repeats the same losses. A BPF filter loses nothing.
    builder.other(13, 0, &43_u64.to_le_bytes());
    builder.other(13, 1 << 15, &1000_u64.to_le_bytes());
    let stats = read_file(&builder.build_file()).stats;
    assert_eq!((stats.lost_records, stats.lost_samples, stats.lost()), (42, 43, 43));
}

/// Tests the file header of version 1, whose magic number does not show the byte order, and the 72-byte header of very
/// old perf.
#[test]
fn version_1_headers() {
    for endian in [Endian::Little, Endian::Big] {
        let mut builder = PerfDataBuilder::with_endian(endian);
        let event = EventSpec {
            attr_size: 72,
            ..EventSpec::plain("cycles")
        };
        let event = builder.event(event.without_sample_id_all().sample_type(7));
        builder.mmap_v1(MapSpec::code(5, 0x40_0000, 0x4000, 0, "/bin/old"));
        builder.sample(SampleSpec::of(event, 5).at(10).ip(0x40_1000));
        let mut file = builder.build_file();
        file[..8].copy_from_slice(b"PERFFILE");
        let all = read_file(&file);
        assert_eq!(all.samples.len(), 1);
        assert_eq!((all.samples[0].ip, all.samples[0].time), (0x40_1000, 10));
        // The header states a size of 72 bytes, so the bytes after it are not a bitmap.
        let header_size = if endian == Endian::Little { 8 } else { 15 };
        file[header_size] = 72;
        file[72..104].fill(0xff);
        assert_eq!(read_file(&file).samples, all.samples);
    }
}

/// If some records have no time, the position orders the changes of address spaces.
#[test]
fn recordings_without_times_are_ordered_by_position() {
    let mut builder = PerfDataBuilder::new();
    // The fields are IP, TID, BRANCH_STACK.
    let event = builder.event(EventSpec::branch_stacks("cycles").sample_type(1 | 2 | 1 << 11));
    for name in ["/bin/first", "/bin/second"] {
        builder.mmap(MapSpec::code(1, 0x1000, 0x1000, 0, name));
        builder.sample(SampleSpec::of(event, 1).ip(0x1800).branches(&[(0x1800, 0x1000)]));
    }
    let containers = [
        read_file(&builder.build_file()),
        read_stream(&builder.build_pipe()),
        read_file(&builder.build_compressed_file(testkit::Compression::V1, 50)),
    ];
    for all in containers {
        let names: Vec<_> = all
            .moments
            .iter()
            .filter_map(|&moment| all.spaces.space(1, moment).find(perfdata::Avma(0x1800)))
            .map(|range| all.spaces.mapping(range.map).file.name.clone())
            .collect();
        assert_eq!(names, ["/bin/first", "/bin/second"]);
    }
}
