//! Tests of profiles with calling contexts, which compare the results with `llvm-profdata` 22 and with each other.

mod common;

use std::ops::ControlFlow;

use proptest::prelude::*;
use sampleprof::{
    ColdContexts, Content, Format, HOT_CUTOFF, MAX_INLINE_DEPTH, MergeInput, MergeOptions, Profile, ProfileSummary,
    ReadErrorKind, WriteError, WriteOptions, hot_functions, merge, overlap, read, render_hot_functions, render_overlap,
    render_sections, sections, write,
};

use common::{called_functions, context_profile_of, encode, llvm_profdata, run, text};

const MERGE_TO_TEXT: [&str; 5] = ["merge", "--sample", "--text", "in", "-o=-"];

fn config() -> ProptestConfig {
    // The number of cases is small, because each case starts the tool several times.
    ProptestConfig {
        cases: 64,
        ..ProptestConfig::default()
    }
}

/// Returns the bytes before the last section, the metadata, which LLVM writes in the order of a hash table.
fn without_metadata(bytes: &[u8]) -> &[u8] {
    let table = sections(bytes, "in").unwrap();
    let metadata = table
        .iter()
        .find(|section| section.name() == "FunctionMetadata")
        .unwrap();
    assert_eq!(metadata.offset + metadata.size, bytes.len() as u64);
    &bytes[..metadata.offset as usize]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn llvm_reads_what_we_write(specs in called_functions(), probe_based: bool) {
        let Some(tool) = llvm_profdata("llvm_reads_what_we_write") else { return Ok(()) };
        let profile = context_profile_of(&specs, probe_based);
        let expected = text(&profile);
        for options in [
            WriteOptions { format: Format::Text, ..WriteOptions::default() },
            WriteOptions::default(),
            WriteOptions { compress: true, ..WriteOptions::default() },
        ] {
            let bytes = write(&profile, &options).unwrap();
            let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &bytes)]);
            prop_assert_eq!(String::from_utf8(printed).unwrap(), expected.clone());
            prop_assert_eq!(text(&read(&bytes, "in").unwrap()), expected.clone());
        }
    }

    #[test]
    fn we_write_and_read_what_llvm_writes(specs in called_functions(), probe_based: bool) {
        let Some(tool) = llvm_profdata("we_write_and_read_what_llvm_writes") else { return Ok(()) };
        let profile = context_profile_of(&specs, probe_based);
        let input = encode(&profile, Format::Text);
        for (flags, options) in [
            (&["--extbinary"][..], WriteOptions::default()),
            (&["--extbinary", "--use-md5"], WriteOptions { use_md5: true, ..WriteOptions::default() }),
        ] {
            let arguments = [&["merge", "--sample", "in", "-o=out"], flags].concat();
            let theirs = run(&tool, &arguments, &[("in", &input)]);
            let ours = write(&profile, &options).unwrap();
            prop_assert!(without_metadata(&ours) == without_metadata(&theirs), "{:?}: bytes differ", flags);
            prop_assert_eq!(ours.len(), theirs.len());
            let printed = run(&tool, &MERGE_TO_TEXT, &[("in", &theirs)]);
            prop_assert_eq!(text(&read(&theirs, "in").unwrap()), String::from_utf8(printed).unwrap());
            let table = run(&tool, &["show", "--sample", "--show-sec-info-only", "in"], &[("in", &ours)]);
            prop_assert_eq!(render_sections(&sections(&ours, "in").unwrap()), String::from_utf8(table).unwrap());
        }
    }

    #[test]
    fn merging_says_the_same(
        inputs in prop::collection::vec((called_functions(), 1u64..4, 0..3u8), 1..5),
        probe_based: bool,
    ) {
        let Some(tool) = llvm_profdata("merging_says_the_same") else { return Ok(()) };
        let inputs: Vec<MergeInput> = inputs
            .iter()
            .enumerate()
            .map(|(number, (specs, weight, form))| {
                let profile = context_profile_of(specs, probe_based);
                let content = match form {
                    0 => encode(&profile, Format::Text),
                    1 => write(&profile, &WriteOptions { use_md5: true, ..WriteOptions::default() }).unwrap(),
                    _ => encode(&profile, Format::ExtBinary),
                };
                MergeInput { name: number.to_string(), weight: *weight, content: Content::Bytes(content) }
            })
            .collect();
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
    fn layouts_are_the_same(specs in called_functions(), probe_based: bool, merged_base: bool) {
        let Some(tool) = llvm_profdata("layouts_are_the_same") else { return Ok(()) };
        let profile = context_profile_of(&specs, probe_based);
        let input = encode(&profile, Format::Text);
        let llvm = |flags: &[&str]| {
            let printed = run(&tool, &[&MERGE_TO_TEXT[..], flags].concat(), &[("in", &input)]);
            String::from_utf8(printed).unwrap()
        };

        let mut flat = profile.clone();
        prop_assert_eq!(flat.flatten(), 0);
        prop_assert_eq!(text(&flat), llvm(&["--convert-sample-profile-layout=flat"]));

        let mut nested = profile.clone();
        prop_assert_eq!(nested.nest_contexts(merged_base).unwrap(), 0);
        let base = format!("--generate-merged-base-profiles={}", u8::from(merged_base));
        prop_assert_eq!(text(&nested), llvm(&["--convert-sample-profile-layout=nest", &base]));

        // Flattening makes inlined functions into functions of their own again.
        let nested_text = encode(&nested, Format::Text);
        let mut lifted = nested;
        lifted.flatten();
        let arguments = [&MERGE_TO_TEXT[..], &["--convert-sample-profile-layout=flat"]].concat();
        let printed = String::from_utf8(run(&tool, &arguments, &[("in", &nested_text)])).unwrap();
        // In LLVM a hash table decides which of several attributes of a function stays.
        let without = |text: &str| -> Vec<String> {
            text.lines().filter(|line| !line.contains("!Attributes")).map(String::from).collect()
        };
        prop_assert_eq!(without(&text(&lifted)), without(&printed));
    }

    #[test]
    fn cold_contexts_are_merged_and_dropped_alike(
        specs in called_functions(),
        probe_based: bool,
        merge: bool,
        trim: bool,
        frames in 1usize..4,
        threshold in prop_oneof![0u64..4000, Just(u64::MAX)],
    ) {
        let Some(tool) = llvm_profdata("cold_contexts_are_merged_and_dropped_alike") else { return Ok(()) };
        let mut profile = context_profile_of(&specs, probe_based);
        let input = encode(&profile, Format::Text);
        profile.merge_cold_contexts(ColdContexts { threshold, merge, trim, frames, base_only: false });
        let flags = [
            format!("--sample-merge-cold-context={}", u8::from(merge)),
            format!("--sample-trim-cold-context={}", u8::from(trim)),
            format!("--sample-frame-depth-for-cold-context={frames}"),
            format!("--profile-summary-cold-count={threshold}"),
        ];
        let arguments: Vec<&str> = MERGE_TO_TEXT.into_iter().chain(flags.iter().map(String::as_str)).collect();
        let printed = String::from_utf8(run(&tool, &arguments, &[("in", &input)])).unwrap();
        prop_assert_eq!(text(&profile), printed);
    }

    #[test]
    fn overlap_prints_the_same(base in called_functions(), test in called_functions(), shared in called_functions()) {
        let Some(tool) = llvm_profdata("overlap_prints_the_same") else { return Ok(()) };
        let base = context_profile_of(&[shared.clone(), base].concat(), false);
        let test = context_profile_of(&[test, shared].concat(), false);
        let Ok(report) = overlap(&base, &test) else { return Ok(()) };
        let files = [("base", &*encode(&base, Format::ExtBinary)), ("test", &*encode(&test, Format::ExtBinary))];
        let printed = run(&tool, &["overlap", "--sample", "base", "test"], &files);
        prop_assert_eq!(render_overlap(&report, "base", "test"), String::from_utf8(printed).unwrap());
    }

    #[test]
    fn hot_functions_are_the_same(specs in called_functions(), probe_based: bool) {
        let Some(tool) = llvm_profdata("hot_functions_are_the_same") else { return Ok(()) };
        let profile = context_profile_of(&specs, probe_based);
        let mut totals: Vec<_> = profile.functions.iter().map(|function| function.total).collect();
        totals.sort_unstable();
        // LLVM writes functions with equal totals in the order of a hash table.
        prop_assume!(totals.is_sorted_by(|a, b| a < b));
        let arguments = ["show", "--sample", "--hot-func-list", "in"];
        let printed = String::from_utf8(run(&tool, &arguments, &[("in", &encode(&profile, Format::ExtBinary))])).unwrap();
        let report = render_hot_functions(&hot_functions(&profile), &profile, usize::MAX);
        prop_assert!(printed.ends_with(&report), "{printed}\n{report}");
    }

    #[test]
    fn damaged_contexts_are_errors_at_worst(
        specs in called_functions(),
        form in 0..3,
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let options = WriteOptions {
            format: if form == 0 { Format::Text } else { Format::ExtBinary },
            compress: form == 2,
            ..WriteOptions::default()
        };
        let mut bytes = write(&context_profile_of(&specs, true), &options).unwrap();
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let one_by_one = read(&bytes, "damaged");
        let input = MergeInput { name: "damaged".into(), weight: 1, content: Content::Bytes(bytes) };
        let merged = merge(&[input], MergeOptions::default(), |_| ControlFlow::Continue(()));
        prop_assert_eq!(merged.is_ok(), one_by_one.is_ok());
        if let Ok(mut profile) = one_by_one {
            let _ = write(&profile, &options);
            let _ = profile.clone().nest_contexts(true);
            profile.flatten();
        }
    }
}

#[test]
fn the_share_of_a_function_in_a_profile_without_counts_is_zero() {
    let profile = read(b"main:0:0\n", "in").unwrap();
    let report = render_hot_functions(&hot_functions(&profile), &profile, usize::MAX);
    assert_eq!(
        report.lines().last(),
        Some(" 0 (0.00%)              0                 0               main")
    );
}

#[test]
fn a_context_may_be_a_hundred_thousand_frames_deep() {
    let mut frames = String::new();
    for number in 0..100_000 {
        frames += &format!("f{}:{} @ ", number % 7, number % 1000);
    }
    let input = format!("[{frames}leaf]:7:1\n 1: 7\n[leaf]:5:1\n 2: 5\n");
    let profile = read(input.as_bytes(), "deep").unwrap();
    assert_eq!(text(&profile), input);
    let bytes = encode(&profile, Format::ExtBinary);
    assert_eq!(text(&read(&bytes, "deep").unwrap()), input);

    // A function whose callers have no samples becomes a function of its own.
    let mut nested = profile.clone();
    assert_eq!(nested.nest_contexts(false), Ok(0));
    assert_eq!(text(&nested), "leaf:12:2\n 1: 7\n 2: 5\n");
    let mut flat = profile;
    assert_eq!(flat.flatten(), 0);
    assert_eq!(text(&flat), text(&nested));
}

#[test]
fn contexts_that_inline_too_deep_are_an_error() {
    let chain = |depth: usize| {
        let mut input = String::new();
        let mut callers = String::new();
        for _ in 0..=depth {
            input += &format!("[{callers}f]:1:1\n 1: 1\n");
            callers += "f:2 @ ";
        }
        read(input.as_bytes(), "chain").unwrap()
    };
    assert_eq!(chain(MAX_INLINE_DEPTH).nest_contexts(false), Ok(0));
    let error = chain(MAX_INLINE_DEPTH + 1).nest_contexts(false).unwrap_err();
    assert_eq!(error.to_string(), "f is inlined more than 1024 levels deep");
}

#[test]
fn the_raw_binary_form_has_no_contexts() {
    let profile = read(b"[a:1 @ b]:1:1\n 1: 1\n", "contexts").unwrap();
    let options = WriteOptions {
        format: Format::Binary,
        ..WriteOptions::default()
    };
    assert_eq!(
        write(&profile, &options),
        Err(WriteError::UnsupportedInBinary("context-sensitive"))
    );
}

#[test]
fn an_index_beyond_the_contexts_is_an_error() {
    let profile = read(b"[a:1 @ b]:1:1\n 1: 1\n", "contexts").unwrap();
    let mut bytes = encode(&profile, Format::ExtBinary);
    let table = sections(&bytes, "in").unwrap();
    let body = table
        .iter()
        .find(|section| section.name() == "LBRProfileSection")
        .unwrap();
    bytes[body.offset as usize + 1] = 1;
    let error = read(&bytes, "in").unwrap_err();
    assert_eq!(error.kind, ReadErrorKind::ContextIndex { index: 1, len: 1 });
}

#[test]
fn different_checksums_are_told() {
    let mut profile = Profile::new();
    for (context, checksum) in [("[a:1 @ f]", 1), ("[b:1 @ f]", 2), ("[c:1 @ f]", 1)] {
        let text = format!("{context}:3:1\n 1: 3\n !CFGChecksum: {checksum}\n");
        let input = |content: Vec<u8>| MergeInput {
            name: String::new(),
            weight: 1,
            content: Content::Bytes(content),
        };
        let mut inputs = vec![input(text.into_bytes())];
        if !profile.functions.is_empty() {
            inputs.insert(0, input(encode(&profile, Format::Text)));
        }
        profile = merge(&inputs, MergeOptions::default(), |_| ControlFlow::Continue(()))
            .unwrap()
            .profile;
    }
    assert_eq!(profile.functions.len(), 3);
    let summary = ProfileSummary::compute(&profile);
    assert_eq!((summary.total_count, summary.count_at_cutoff(HOT_CUTOFF)), (6, Some(6)));
    assert_eq!(profile.clone().nest_contexts(false), Ok(1));
    assert_eq!(profile.flatten(), 1);
    assert_eq!(text(&profile), "f:6:2\n 1: 6\n !CFGChecksum: 1\n");
}
