//! Tests that pass the same profiles through this crate and through `llvm-profdata` 22.

mod common;

use proptest::prelude::*;
use sampleprof::{
    BodyRecord, CallTarget, Content, Format, FunctionSamples, LineLocation, MergeInput, MergeOptions, Profile,
    SymbolListEncoding, WriteOptions, attribute, merge, names_that_text_changes, overlap, read, render_overlap,
    render_sections, sections, write,
};
use std::ops::ControlFlow;

use common::{encode, functions, llvm_profdata, profile_of, run, text, try_run};

const MERGE_TO_TEXT: [&str; 5] = ["merge", "--sample", "--text", "in", "-o=-"];

const TEXT: WriteOptions = WriteOptions {
    format: Format::Text,
    use_md5: false,
    symbol_list: SymbolListEncoding::Omit,
    compress: false,
    split_layout: false,
};

/// Generates names of the characters that have a meaning in a text profile.
fn odd_name() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ :\\[\\]#!@.,a1-2]{0,6}",
        "(vtables)? ?[a1:]{0,3}",
        "[ab]:[1:]{1,3} ?[ab1]?",
        "[\t\r\\x7f\u{e9}a1 ]{1,3}",
    ]
}

/// Makes a profile that has `name` as a function, as an inlined function, or as a call target.
fn profile_with(name: &str, place: usize) -> Profile {
    let mut profile = Profile::new();
    let [main, name] = ["main", name].map(|name| profile.names.intern(name.as_bytes()));
    let mut function = FunctionSamples::new(if place == 0 { name } else { main });
    function.total = 9;
    let mut record = BodyRecord {
        location: LineLocation::new(1, 0),
        count: 9,
        targets: Vec::new(),
    };
    if place == 2 {
        record.targets = [(name, 5), (main, 2)]
            .map(|(name, count)| CallTarget { name, count })
            .to_vec();
    }
    function.body.push(record.clone());
    if place == 1 {
        let mut inlinee = FunctionSamples::new(name);
        inlinee.total = 9;
        inlinee.body.push(record);
        function.inlinees.push((LineLocation::new(2, 0), inlinee));
    }
    profile.functions.push(function);
    profile
}

fn config() -> ProptestConfig {
    // The number of cases is small, because each case starts the tool several times.
    ProptestConfig {
        cases: 48,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn llvm_reads_what_we_write(specs in functions(), probe_based: bool) {
        let Some(tool) = llvm_profdata("llvm_reads_what_we_write") else { return Ok(()) };
        let profile = profile_of(&specs, probe_based);
        let expected = text(&profile);
        for format in [Format::Text, Format::Binary, Format::ExtBinary] {
            if probe_based && format == Format::Binary {
                continue;
            }
            let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &encode(&profile, format))]);
            prop_assert_eq!(String::from_utf8(printed).unwrap(), expected.clone(), "{:?}", format);
        }
        let options = WriteOptions { compress: true, ..WriteOptions::default() };
        let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &write(&profile, &options).unwrap())]);
        prop_assert_eq!(String::from_utf8(printed).unwrap(), expected);
    }

    #[test]
    fn a_name_survives_text_or_is_known_not_to(name in odd_name(), place in 0..3usize) {
        let Some(tool) = llvm_profdata("a_name_survives_text_or_is_known_not_to") else { return Ok(()) };
        // LLVM takes names in brackets for contexts, and the tool stops at the name `[]`.
        prop_assume!(place != 0 || !name.starts_with('['));
        let profile = profile_with(&name, place);
        let to_binary = ["merge", "--sample", "--binary", "in", "-o=out"];
        let expected = run(&tool, &to_binary, &[("in", &encode(&profile, Format::ExtBinary))]);
        let survives = try_run(&tool, &to_binary, &[("in", &encode(&profile, Format::Text))]) == Ok(expected);
        prop_assert_eq!(survives, names_that_text_changes(&profile).is_empty(), "{:?}", name);
    }

    #[test]
    fn we_write_and_read_what_llvm_writes(specs in functions(), probe_based: bool) {
        let Some(tool) = llvm_profdata("we_write_and_read_what_llvm_writes") else { return Ok(()) };
        let profile = profile_of(&specs, probe_based);
        let input = encode(&profile, Format::Text);
        let forms: [(&[&str], WriteOptions); 5] = [
            (&["--extbinary"], WriteOptions::default()),
            (&["--binary"], WriteOptions { format: Format::Binary, ..WriteOptions::default() }),
            (&["--extbinary", "--use-md5"], WriteOptions { use_md5: true, ..WriteOptions::default() }),
            (&["--extbinary", "--compress-all-sections"], WriteOptions { compress: true, ..WriteOptions::default() }),
            (&["--extbinary", "--split-layout"], WriteOptions { split_layout: true, ..WriteOptions::default() }),
        ];
        for (flags, options) in forms {
            if probe_based && options.format == Format::Binary {
                continue;
            }
            let arguments = [&["merge", "--sample", "in", "-o=out"], flags].concat();
            let theirs = run(&tool, &arguments, &[("in", &input)]);
            let ours = write(&profile, &options).unwrap();
            // LLVM stores metadata in the order of a hash table, and zlib may compress differently from zlib-rs.
            if !probe_based && !options.compress {
                prop_assert!(ours == theirs, "{:?}: bytes differ", flags);
            }
            if options.use_md5 {
                let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &theirs)]);
                prop_assert_eq!(text(&read(&theirs, "in").unwrap()), String::from_utf8(printed).unwrap());
            } else {
                prop_assert_eq!(text(&read(&theirs, "in").unwrap()), text(&profile), "{:?}", flags);
            }
            let table = run(&tool, &["show", "--sample", "--show-sec-info-only", "in"], &[("in", &ours)]);
            if options.format == Format::ExtBinary {
                prop_assert_eq!(render_sections(&sections(&ours, "in").unwrap()), String::from_utf8(table).unwrap());
            }
        }
    }

    #[test]
    fn merging_says_the_same(
        inputs in prop::collection::vec((functions(), 1u64..4, 0..4u8), 1..5),
        again in prop::collection::vec((any::<prop::sample::Index>(), 1u64..4), 0..8),
        probe_based: bool,
    ) {
        let Some(tool) = llvm_profdata("merging_says_the_same") else { return Ok(()) };
        let mut inputs: Vec<MergeInput> = inputs
            .iter()
            .enumerate()
            .map(|(number, (specs, weight, form))| {
                let profile = profile_of(specs, probe_based);
                let content = match form {
                    0 => encode(&profile, Format::Text),
                    1 if !probe_based => encode(&profile, Format::Binary),
                    2 => write(&profile, &WriteOptions { use_md5: true, ..WriteOptions::default() }).unwrap(),
                    _ => encode(&profile, Format::ExtBinary),
                };
                MergeInput { name: number.to_string(), weight: *weight, content: Content::Bytes(content) }
            })
            .collect();
        for (index, weight) in again {
            let content = index.get(&inputs).content.clone();
            inputs.push(MergeInput { name: inputs.len().to_string(), weight, content });
        }
        let merged = merge(&inputs, MergeOptions::default(), |_| ControlFlow::Continue(())).unwrap();

        let mut arguments = vec!["merge".to_owned(), "--sample".into(), "--text".into(), "-o=-".into()];
        let mut files = Vec::new();
        for MergeInput { name, weight, content } in &inputs {
            let Content::Bytes(content) = content else { unreachable!() };
            arguments.push(format!("--weighted-input={weight},{name}"));
            files.push((name.as_str(), content.as_slice()));
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let expected = String::from_utf8(run(&tool, &arguments, &files)).unwrap();
        prop_assert_eq!(text(&merged.profile), expected);
    }

    #[test]
    fn text_is_taken_or_refused_alike(lines in prop::collection::vec(text_line(), 1..8)) {
        let Some(tool) = llvm_profdata("text_is_taken_or_refused_alike") else { return Ok(()) };
        let input = format!("f:1:1\n{}\n", lines.join("\n"));
        let directory = tempfile::TempDir::new().unwrap();
        std::fs::write(directory.path().join("in"), &input).unwrap();
        let output = std::process::Command::new(tool).args(MERGE_TO_TEXT).current_dir(&directory).output().unwrap();
        match read(input.as_bytes(), "in") {
            Ok(profile) => {
                // Writing may refuse a line offset that reading accepts, because the written line could not be read.
                let Ok(written) = write(&profile, &TEXT) else { return Ok(()) };
                prop_assert_eq!(String::from_utf8(written).unwrap(), String::from_utf8(output.stdout).unwrap());
            }
            Err(error) => prop_assert!(!output.status.success(), "LLVM takes what is refused here: {}", error),
        }
    }

    #[test]
    fn overlap_prints_the_same(base in functions(), test in functions(), shared in functions()) {
        let Some(tool) = llvm_profdata("overlap_prints_the_same") else { return Ok(()) };
        let small = |specs: Vec<common::Spec>| {
            // Sums that wrap or exceed 2^53 depend on the order of addition, which in LLVM is that of a hash table.
            let mut profile = profile_of(&specs, false);
            profile.functions.iter_mut().for_each(keep_small);
            profile
        };
        let base = small([shared.clone(), base].concat());
        let test = small([test, shared].concat());
        let Ok(report) = overlap(&base, &test) else { return Ok(()) };
        let files = [("base", &*encode(&base, Format::ExtBinary)), ("test", &*encode(&test, Format::ExtBinary))];
        let printed = run(&tool, &["overlap", "--sample", "base", "test"], &files);
        prop_assert_eq!(render_overlap(&report, "base", "test"), String::from_utf8(printed).unwrap());
    }
}

/// Generates lines that are valid, or nearly valid. Leaves out two kinds of lines that LLVM accepts and this crate
/// refuses: a location without a colon, and a function that is only a number.
fn text_line() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => " {1,3}[0-3](\\.[0-3])?: [0-9]{1,2}( [a-c]:[0-9])?( [a-c] [ab:]{1,2}:[0-9] ?)?",
        3 => " {1,3}[0-3](\\.[0-3])?: [a-c:. ]{0,3}:[0-9]{1,2}",
        1 => "[a-c][: a]{0,2}:[0-9]:[0-9]\r?",
        1 => " {1,3}!(Attributes|CFGChecksum|Flat): ?[0-9 ]{0,2}",
        1 => " {0,2}(#|!|x:)[0-9: a]{0,4}",
        1 => " {1,2}(65535|65536|65536\\.1|x|1\\.|\\.1):[ 0-9][0-9]",
    ]
}

fn keep_small(function: &mut FunctionSamples) {
    for record in &mut function.body {
        record.count %= 10_000;
    }
    for (_, inlinee) in &mut function.inlinees {
        keep_small(inlinee);
    }
}

#[test]
fn symbol_lists_are_the_same_bytes() {
    let Some(tool) = llvm_profdata("symbol_lists_are_the_same_bytes") else {
        return;
    };
    let mut profile = small_profile();
    let list = b"zeta\n\n alpha \nf0\r\nzeta";
    profile.add_symbols(list);
    let ours = write(&profile, &WriteOptions::default()).unwrap();
    let input = encode(&profile, Format::Text);
    let arguments = [
        "merge",
        "--sample",
        "--extbinary",
        "--prof-sym-list=list",
        "in",
        "-o=out",
    ];
    let theirs = run(&tool, &arguments, &[("in", &input), ("list", list)]);
    assert!(ours == theirs);
    let options = WriteOptions {
        symbol_list: SymbolListEncoding::Compressed,
        ..WriteOptions::default()
    };
    let compressed = write(&profile, &options).unwrap();
    let shown = run(
        &tool,
        &["show", "--sample", "--show-prof-sym-list", "in"],
        &[("in", &compressed)],
    );
    assert!(String::from_utf8(shown).unwrap().ends_with("alpha\nf0\nzeta\n"));
}

#[test]
fn partial_and_flow_sensitive_profiles_are_marked() {
    let Some(tool) = llvm_profdata("partial_and_flow_sensitive_profiles_are_marked") else {
        return;
    };
    let mut profile = small_profile();
    profile.flags.partial = true;
    let input = encode(&profile, Format::Text);
    let arguments = [
        "merge",
        "--sample",
        "--extbinary",
        "--gen-partial-profile",
        "in",
        "-o=out",
    ];
    assert!(encode(&profile, Format::ExtBinary) == run(&tool, &arguments, &[("in", &input)]));
    profile.flags.fs_discriminators = true;
    let ours = encode(&profile, Format::ExtBinary);
    let shown = run(
        &tool,
        &["show", "--sample", "--show-sec-info-only", "in"],
        &[("in", &ours)],
    );
    assert!(
        String::from_utf8(shown)
            .unwrap()
            .contains("Flags: {partial,fs-discriminator}")
    );
    assert_eq!(read(&ours, "in").unwrap().flags, profile.flags);
}

#[test]
fn attributes_are_kept_where_llvm_keeps_them() {
    let Some(tool) = llvm_profdata("attributes_are_kept_where_llvm_keeps_them") else {
        return;
    };
    let mut profile = small_profile();
    let arguments = ["merge", "--sample", "--extbinary", "in", "-o=out"];
    for (attributes, are_kept) in [
        (attribute::WAS_INLINED, false),
        (attribute::SHOULD_BE_INLINED, true),
        (attribute::WAS_INLINED | attribute::SHOULD_BE_INLINED, true),
    ] {
        profile.functions[0].attributes = attributes;
        let input = text(&profile);
        let ours = encode(&read(input.as_bytes(), "in").unwrap(), Format::ExtBinary);
        assert!(ours == run(&tool, &arguments, &[("in", input.as_bytes())]));
        let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &ours)]);
        assert_eq!(String::from_utf8(printed).unwrap() == input, are_kept);
    }
}

#[test]
fn a_hundred_thousand_functions_are_the_same_bytes() {
    let Some(tool) = llvm_profdata("a_hundred_thousand_functions_are_the_same_bytes") else {
        return;
    };
    let mut profile = Profile::new();
    for number in 0..100_000u64 {
        let mut function = FunctionSamples::new(profile.names.intern(format!("function_{number}").as_bytes()));
        function.total = number * 7919 % 5003;
        function.head = number % 17;
        let location = LineLocation::new((number % 100) as u32, 0);
        function.body.push(BodyRecord {
            location,
            count: number % 1009,
            targets: Vec::new(),
        });
        profile.functions.push(function);
    }
    let arguments = ["merge", "--sample", "--extbinary", "in", "-o=out"];
    let theirs = run(&tool, &arguments, &[("in", &encode(&profile, Format::Text))]);
    assert!(encode(&profile, Format::ExtBinary) == theirs);
}

#[test]
fn deep_inlining_survives() {
    let Some(tool) = llvm_profdata("deep_inlining_survives") else {
        return;
    };
    let mut profile = Profile::new();
    let name = profile.names.intern(b"recursive");
    let mut function = FunctionSamples::new(name);
    for depth in 0..500 {
        let inner = std::mem::replace(&mut function, FunctionSamples::new(name));
        function.total = depth;
        function.inlinees.push((LineLocation::new(1, 0), inner));
    }
    profile.functions.push(function);
    let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &encode(&profile, Format::ExtBinary))]);
    assert_eq!(String::from_utf8(printed).unwrap(), text(&profile));
}

fn small_profile() -> Profile {
    let mut profile = Profile::new();
    for number in 0..3 {
        let mut function = FunctionSamples::new(profile.names.intern(format!("f{number}").as_bytes()));
        function.total = 10;
        function.body.push(BodyRecord {
            location: LineLocation::new(number, 0),
            count: 5,
            targets: Vec::new(),
        });
        profile.functions.push(function);
    }
    profile
}
