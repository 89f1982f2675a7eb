//! Tests that errors say what is wrong and where.

use std::ops::ControlFlow;

use sampleprof::{
    Content, Format, FunctionSamples, InputError, LineLocation, MAX_INLINE_DEPTH, MergeError, MergeInput, MergeOptions,
    Profile, WriteError, WriteOptions, merge, read, write,
};

fn error(bytes: &[u8]) -> String {
    read(bytes, "x.afdo").unwrap_err().to_string()
}

fn profile(name: &str) -> Profile {
    let mut profile = Profile::new();
    let mut function = FunctionSamples::new(profile.names.intern(name.as_bytes()));
    function.total = 300;
    profile.functions.push(function);
    profile
}

fn extbinary(profile: &Profile) -> Vec<u8> {
    write(profile, &WriteOptions::default()).unwrap()
}

#[test]
fn foreign_files() {
    assert_eq!(error(b""), "x.afdo: an empty file, not a sample profile");
    assert_eq!(error(b"\x7fELF\x02"), "x.afdo: an ELF file, not a sample profile");
    assert_eq!(
        error(b"\xfflprofi\x81\x0d\0\0\0\0\0\0\0"),
        "x.afdo: an instrumentation profile (.profdata), not a sample profile"
    );
}

#[test]
fn text_errors_name_the_line() {
    assert_eq!(
        error(b"f:1:1\n# comment\n 1: x\n"),
        "x.afdo: line 3: expected 'LINE[.DISCRIMINATOR]: COUNT[ TARGET:COUNT]*' or 'LINE[.DISCRIMINATOR]: NAME:TOTAL', \
         found \" 1: x\""
    );
    assert_eq!(
        error(b"f:1:1\ng:1\n"),
        "x.afdo: line 2: expected 'NAME:TOTAL:HEAD', found \"g:1\""
    );
    assert_eq!(
        error(b"f:1:1\n !Unknown: 2\n"),
        "x.afdo: line 2: unknown metadata \" !Unknown: 2\""
    );
    assert_eq!(
        error(b"f:1:1\n !CFGChecksum: 2\n 1: 2\n"),
        "x.afdo: line 3: counts after the metadata of a function: \" 1: 2\""
    );
    assert_eq!(
        error(b"[a:1 @ ]:1:1\n"),
        "x.afdo: line 1: expected '[CALLER:LINE @ ... @ NAME]:TOTAL:HEAD', found \"[a:1 @ ]:1:1\""
    );
    assert_eq!(
        error(b"[a:1 @ b]:1:1\nb:1:1\n"),
        "x.afdo: line 2: some functions have calling contexts and others have not; a profile has one or the other"
    );
    assert_eq!(
        error(b"[a:1 @ b]:1:1\n 1: c:1\n"),
        "x.afdo: line 2: a function inlined into one with a calling context; a profile has one or the other"
    );
}

#[test]
fn binary_errors_name_section_and_offset() {
    let good = extbinary(&profile("f"));
    // The table of seven sections ends at 242; the size of the summary is in its first row.
    let mut bad = good.clone();
    bad[42] = 0xff;
    bad[47] = 0xff;
    assert!(
        error(&bad).starts_with("x.afdo: ProfileSummarySection at offset 0xf2: section of "),
        "{}",
        error(&bad)
    );
    assert_eq!(
        error(&good[..30]),
        "x.afdo: section table at offset 0xa: 7 sections announced, but only 12 bytes follow"
    );
    let mut bad = good.clone();
    bad[9] = 104;
    assert_eq!(
        error(&bad),
        "x.afdo: section table at offset 0x9: version 104 of the format; only 103 is known"
    );
    let body = good.len() - 9;
    assert_eq!(good[body + 1], 0, "the index of the only name");
    let mut bad = good;
    bad[body + 1] = 1;
    assert!(
        error(&bad).ends_with(": the number 1 of a name, but the table has 1"),
        "{}",
        error(&bad)
    );
}

#[test]
fn counts_are_bounded_by_the_bytes_that_follow() {
    let mut raw = write(
        &profile("f"),
        &WriteOptions {
            format: Format::Binary,
            ..WriteOptions::default()
        },
    )
    .unwrap();
    // The last two bytes are the number of records and the number of inlined functions.
    let records = raw.len() - 2;
    raw.truncate(records);
    raw.extend_from_slice(b"\xff\xff\xff\xff\xff\xff\xff\xff\x7f\0");
    let message = error(&raw);
    assert!(
        message.ends_with("9223372036854775807 body records announced, but only 1 bytes follow"),
        "{message}"
    );
}

#[test]
fn a_compressed_section_cannot_promise_more_than_zlib_can_hold() {
    let options = WriteOptions {
        compress: true,
        ..WriteOptions::default()
    };
    let mut bytes = write(&profile("f"), &options).unwrap();
    // The summary section starts with its decompressed size, which takes one byte here.
    assert!(bytes[242] < 0x80);
    bytes.splice(242..244, [0xff, 0x7f]);
    let message = error(&bytes);
    assert!(
        message.starts_with("x.afdo: ProfileSummarySection at offset"),
        "{message}"
    );
}

#[test]
fn nesting_is_bounded() {
    let mut deep = String::from("f:1:1\n");
    for depth in 1..=MAX_INLINE_DEPTH + 1 {
        deep.push_str(&" ".repeat(depth));
        deep.push_str("1: f:1\n");
    }
    assert!(error(deep.as_bytes()).ends_with("inlining nested deeper than 1024 levels"));

    let mut profile = profile("f");
    let name = profile.functions[0].name;
    for _ in 0..=MAX_INLINE_DEPTH {
        let inner = std::mem::replace(&mut profile.functions[0], FunctionSamples::new(name));
        profile.functions[0].inlinees.push((LineLocation::new(1, 0), inner));
    }
    assert_eq!(
        write(&profile, &WriteOptions::default()),
        Err(WriteError::TooDeep { name: "f".into() })
    );
}

#[test]
fn names_that_would_break_the_file_are_refused() {
    let text = WriteOptions {
        format: Format::Text,
        ..WriteOptions::default()
    };
    let terminator = |name: &str, byte| {
        Err(WriteError::NameHoldsTerminator {
            name: name.into(),
            byte,
        })
    };
    assert_eq!(write(&profile("a\nb"), &text), terminator("a\nb", b'\n'));
    assert_eq!(write(&profile("a\0b"), &WriteOptions::default()), terminator("a\0b", 0));
}

#[test]
fn line_offsets_that_no_reader_takes_are_refused() {
    // When LLVM reads text, it checks only locations without discriminator.
    let profile = read(b"f:1:1\n 65536.1: 5\n", "x").unwrap();
    let line_offset = Err(WriteError::LineOffset {
        name: "f".into(),
        line_offset: 65536,
    });
    assert_eq!(write(&profile, &WriteOptions::default()), line_offset);
}

#[test]
fn one_bad_input_is_named_and_can_be_skipped() {
    let input = |name: &str, bytes: Vec<u8>| MergeInput {
        name: name.into(),
        weight: 1,
        content: Content::Bytes(bytes),
    };
    let inputs = [
        input("good", extbinary(&profile("f"))),
        input("bad", b"\x7fELF".to_vec()),
    ];
    let run = |keep_going| {
        let options = MergeOptions {
            keep_going,
            ..MergeOptions::default()
        };
        merge(&inputs, options, |_| ControlFlow::Continue(()))
    };
    assert_eq!(
        run(false).unwrap_err().to_string(),
        "bad: an ELF file, not a sample profile"
    );
    let merged = run(true).unwrap();
    assert_eq!(
        (merged.inputs, merged.skipped.len(), merged.profile.functions.len()),
        (1, 1, 1)
    );
    assert!(matches!(&merged.skipped[0], InputError::Read(error) if error.file == "bad"));

    let missing = [MergeInput {
        name: "gone".into(),
        weight: 1,
        content: Content::File("/nonexistent/gone".into()),
    }];
    let options = MergeOptions {
        keep_going: true,
        ..MergeOptions::default()
    };
    let error = merge(&missing, options, |_| ControlFlow::Continue(())).unwrap_err();
    assert!(matches!(error, MergeError::NothingUsable { count: 1, .. }), "{error}");
}

#[test]
fn profiles_of_different_kinds_do_not_merge() {
    let input = |name: &str, bytes: &[u8]| MergeInput {
        name: name.into(),
        weight: 1,
        content: Content::Bytes(bytes.to_vec()),
    };
    let inputs = [
        input("lines", b"f:1:1\n"),
        input("probes", b"f:1:1\n !CFGChecksum: 5\n"),
    ];
    let error = merge(&inputs, MergeOptions::default(), |_| ControlFlow::Continue(())).unwrap_err();
    assert_eq!(
        error.to_string(),
        "probes is based on pseudo probes and lines is not; they cannot be merged"
    );
}

#[test]
fn merging_can_be_cancelled() {
    let inputs = [MergeInput {
        name: "f".into(),
        weight: 1,
        content: Content::Bytes(b"f:1:1\n".to_vec()),
    }];
    let error = merge(&inputs, MergeOptions::default(), |_| ControlFlow::Break(())).unwrap_err();
    assert!(matches!(error, MergeError::Cancelled));
}

#[test]
fn other_versions_of_a_function_are_left_out_and_reported() {
    let input = |name: &str, bytes: &[u8]| MergeInput {
        name: name.into(),
        weight: 1,
        content: Content::Bytes(bytes.to_vec()),
    };
    let inputs = [
        input("old", b"f:10:1\n 1: 5\n !CFGChecksum: 7\n"),
        input("new", b"f:20:2\n 1: 6\n !CFGChecksum: 8\n"),
    ];
    let merged = merge(&inputs, MergeOptions::default(), |_| ControlFlow::Continue(())).unwrap();
    assert_eq!(merged.profile.functions[0].total, 10);
    assert_eq!(merged.mismatch_count, 1);
    let mismatch = &merged.mismatches[0];
    assert_eq!(
        (mismatch.input.as_str(), mismatch.function.as_str(), mismatch.count),
        ("new", "f", 1)
    );
}

/// Returns the offset in a file of the flags of a section. Type and flags are the first fields of a row.
fn flags_of(file: &[u8], section: u64) -> usize {
    const FIRST_ROW: usize = 18;
    const ROW: usize = 32;
    let rows = (FIRST_ROW..).step_by(ROW);
    let mut found = rows.filter(|&row| file[row..row + 8] == section.to_le_bytes());
    found.next().unwrap() + 8
}

#[test]
fn flags_that_llvm_22_does_not_define_are_refused_by_name() {
    let file = extbinary(&profile("f"));
    for (section, bit, name) in [
        (1, 35, "ProfileSummarySection"),
        (2, 35, "NameTableSection"),
        (3, 32, "ProfileSymbolListSection"),
        (4, 33, "FuncOffsetTableSection"),
        (5, 34, "FunctionMetadata"),
        (32, 2, "LBRProfileSection"),
        (6, 32, "CSNameTableSection"),
    ] {
        let mut file = file.clone();
        if section == 6 {
            // Profiles without contexts do not have this section, so the test turns the section of function offsets
            // into one.
            let at = flags_of(&file, 4) - 8;
            file[at..at + 8].copy_from_slice(&6_u64.to_le_bytes());
        }
        let at = flags_of(&file, section) + bit / 8;
        file[at] |= 1 << (bit % 8);
        let flags = 1u64 << bit;
        assert_eq!(
            error(&file),
            format!("x.afdo: {name} has the flags {flags:#x}, which LLVM 22 does not define")
        );
    }
}

#[test]
fn other_versions_are_refused() {
    for format in [Format::ExtBinary, Format::Binary] {
        for version in [102, 104, 105] {
            let options = WriteOptions {
                format,
                ..WriteOptions::default()
            };
            let mut file = write(&profile("f"), &options).unwrap();
            let at = file.iter().position(|&byte| byte == 103).unwrap();
            file[at] = version;
            let message = error(&file);
            assert!(
                message.ends_with(&format!("version {version} of the format; only 103 is known")),
                "{message}"
            );
        }
    }
}

#[test]
fn a_compact_binary_profile_is_a_sample_profile() {
    let message = error(b"\x82\xe4\xd0\xb1\xf4\xc9\x94\xa8\x53");
    assert_eq!(
        message,
        "x.afdo: a sample profile in LLVM's compact binary encoding, which LLVM 17 dropped"
    );
}
