//! Tests of properties that hold for any profile and for any bytes.

mod common;

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use proptest::prelude::*;
use sampleprof::{
    BodyRecord, Content, Format, FunctionSamples, LineLocation, MergeInput, MergeOptions, Merged, Profile,
    WriteOptions, merge, read, sections, write,
};

use common::{encode, functions, profile_of, text};

fn every_form() -> impl Strategy<Value = WriteOptions> {
    prop_oneof![
        Just(WriteOptions {
            format: Format::Text,
            ..WriteOptions::default()
        }),
        Just(WriteOptions {
            format: Format::Binary,
            ..WriteOptions::default()
        }),
        Just(WriteOptions::default()),
        Just(WriteOptions {
            compress: true,
            ..WriteOptions::default()
        }),
        Just(WriteOptions {
            use_md5: true,
            ..WriteOptions::default()
        }),
    ]
}

fn merge_all(inputs: &[MergeInput]) -> Merged {
    merge(inputs, MergeOptions::default(), |_| ControlFlow::Continue(())).unwrap()
}

fn input(number: usize, weight: u64, bytes: Vec<u8>) -> MergeInput {
    MergeInput {
        name: format!("input {number}"),
        weight,
        content: Content::Bytes(bytes),
    }
}

/// A place in a profile: the chain of inlined functions, a location, and the name of a call target or the kind of
/// another count.
type Place = (Vec<(LineLocation, String)>, Option<LineLocation>, String);

/// Adds every count of a profile to the map by its place: a simple second implementation of merging.
fn counts(profile: &Profile, weight: u64, into: &mut BTreeMap<Place, u64>) {
    for function in &profile.functions {
        add_counts(profile, function, LineLocation::default(), &[], weight, into);
    }
}

fn add_counts(
    profile: &Profile,
    function: &FunctionSamples,
    call_site: LineLocation,
    callers: &[(LineLocation, String)],
    weight: u64,
    into: &mut BTreeMap<Place, u64>,
) {
    let name = |id| profile.names.get(id).to_string();
    let path = [callers, &[(call_site, name(function.name))]].concat();
    let mut add = |location, what: String, count: u64| {
        let sum: &mut u64 = into.entry((path.clone(), location, what)).or_default();
        *sum = (u128::from(*sum) + u128::from(count) * u128::from(weight)).min(u64::MAX.into()) as u64;
    };
    add(None, "total".into(), function.total);
    add(None, "head".into(), function.head);
    for record in &function.body {
        add(Some(record.location), String::new(), record.count);
        for target in &record.targets {
            add(Some(record.location), name(target.name), target.count);
        }
    }
    for (location, inlinee) in &function.inlinees {
        add_counts(profile, inlinee, *location, &path, weight, into);
    }
}

/// Changes the counts of a function, and leaves its structure as it is.
fn shift_counts(function: &mut FunctionSamples, bits: u32) {
    function.total >>= bits;
    function.head >>= bits;
    for record in &mut function.body {
        record.count >>= bits;
        record.targets.iter_mut().for_each(|target| target.count >>= bits);
    }
    function
        .inlinees
        .iter_mut()
        .for_each(|(_, inlinee)| shift_counts(inlinee, bits));
}

proptest! {
    #[test]
    fn written_profiles_are_read(specs in functions(), options in every_form(), probe_based: bool) {
        prop_assume!(!(probe_based && options.format == Format::Binary));
        let profile = profile_of(&specs, probe_based);
        let bytes = write(&profile, &options).unwrap();
        let again = read(&bytes, "profile").unwrap();
        prop_assert_eq!(again.flags, profile.flags);
        if options.use_md5 {
            let mut expected = BTreeMap::new();
            counts(&profile, 1, &mut expected);
            let mut found = BTreeMap::new();
            counts(&again, 1, &mut found);
            let values = |counts: BTreeMap<Place, u64>| { let mut v: Vec<_> = counts.into_values().collect(); v.sort_unstable(); v };
            prop_assert_eq!(values(found), values(expected));
        } else {
            prop_assert_eq!(text(&again), text(&profile));
            prop_assert!(write(&again, &options).unwrap() == bytes, "written again, it differs");
        }
    }

    #[test]
    fn merging_adds_every_count(inputs in prop::collection::vec((functions(), prop_oneof![Just(1), 1u64..9, Just(u64::MAX)], every_form()), 1..6)) {
        let mut expected = BTreeMap::new();
        let mut merge_inputs = Vec::new();
        for (number, (specs, weight, options)) in inputs.into_iter().enumerate() {
            let profile = profile_of(&specs, false);
            counts(&profile, weight, &mut expected);
            let options = WriteOptions { use_md5: false, ..options };
            merge_inputs.push(input(number, weight, write(&profile, &options).unwrap()));
        }
        let merged = merge_all(&merge_inputs);
        let mut found = BTreeMap::new();
        counts(&merged.profile, 1, &mut found);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn merging_again_and_again_adds_every_count(
        profiles in prop::collection::vec(functions(), 1..4),
        inputs in prop::collection::vec((any::<prop::sample::Index>(), 0u32..64, 1u64..9, every_form()), 1..40),
    ) {
        let mut expected = BTreeMap::new();
        let inputs: Vec<_> = inputs.into_iter().enumerate().map(|(number, (index, bits, weight, options))| {
            let specs: &Vec<_> = index.get(&profiles);
            let mut profile = profile_of(specs, false);
            profile.functions.iter_mut().for_each(|function| shift_counts(function, bits));
            counts(&profile, weight, &mut expected);
            let options = WriteOptions { use_md5: false, ..options };
            input(number, weight, write(&profile, &options).unwrap())
        }).collect();
        let mut found = BTreeMap::new();
        counts(&merge_all(&inputs).profile, 1, &mut found);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn merging_does_not_depend_on_threads(inputs in prop::collection::vec((functions(), every_form()), 1..20), probe_based: bool) {
        let inputs: Vec<_> = inputs.iter().enumerate().map(|(number, (specs, options))| {
            let format = if probe_based { Format::ExtBinary } else { options.format };
            input(number, 1, write(&profile_of(specs, probe_based), &WriteOptions { format, ..*options }).unwrap())
        }).collect();
        let with_threads = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let merged = merge_all(&inputs);
                (encode(&merged.profile, Format::ExtBinary), merged.mismatches)
            })
        };
        prop_assert!(with_threads(1) == with_threads(3));
    }

    #[test]
    fn damaged_profiles_are_errors_at_worst(
        specs in functions(),
        options in every_form(),
        edits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..4),
        cut in proptest::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = write(&profile_of(&specs, false), &options).unwrap();
        for (index, byte) in edits {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        let _ = sections(&bytes, "damaged");
        let one_by_one = read(&bytes, "damaged");
        if let Ok(profile) = &one_by_one {
            // Names may now hold bytes that a form cannot store, so writing may fail.
            let _ = write(profile, &options);
        }
        // Merging checks the bytes before it adds counts, in other code than reading.
        let merged = merge(&[input(0, 1, bytes)], MergeOptions::default(), |_| ControlFlow::Continue(()));
        prop_assert_eq!(merged.is_ok(), one_by_one.is_ok());
        if let (Ok(merged), Ok(profile)) = (merged, one_by_one) {
            let (mut expected, mut found) = (BTreeMap::new(), BTreeMap::new());
            counts(&profile, 1, &mut expected);
            counts(&merged.profile, 1, &mut found);
            prop_assert_eq!(found, expected);
        }
    }

    #[test]
    fn any_bytes_are_errors_at_worst(form in 0..3, tail: Vec<u8>) {
        let start: &[u8] = match form {
            0 => b"",
            1 => b"\xff\xe5\xd0\xb1\xf4\xc9\x94\xa8\x53\x67",
            _ => b"\x84\xe4\xd0\xb1\xf4\xc9\x94\xa8\x53\x67",
        };
        let _ = read(&[start, &tail].concat(), "any");
    }

    #[test]
    fn any_text_is_an_error_at_worst(lines in prop::collection::vec(" {0,4}[!0-9a-z:. ]{0,12}", 0..12)) {
        let _ = read(format!("f:1:1\n{}", lines.join("\n")).as_bytes(), "any");
    }
}

#[test]
fn stated_starts_of_functions_are_checked() {
    let mut profile = Profile::new();
    for (name, count) in [("a", 5), ("b", 300), ("c", 1)] {
        let mut function = FunctionSamples::new(profile.names.intern(name.as_bytes()));
        function.total = count;
        function.body = (1..4)
            .map(|line| BodyRecord {
                location: LineLocation::new(line, 0),
                count,
                targets: Vec::new(),
            })
            .collect();
        profile.functions.push(function);
    }
    let good = encode(&profile, Format::ExtBinary);
    let merged_with = |last: &[u8]| {
        let before = (0..4).map(|number| input(number, 1, good.clone()));
        let inputs: Vec<_> = before.chain([input(4, 1, last.to_vec())]).collect();
        text(&merge_all(&inputs).profile)
    };
    let expected = merged_with(&good);
    assert!(expected.starts_with("b:1500:0\n 1: 1500\n"), "{expected}");
    let sections = sections(&good, "good").unwrap();
    let offsets = sections
        .iter()
        .find(|section| section.name() == "FuncOffsetTableSection");
    let offsets = offsets.unwrap();
    for position in offsets.offset..offsets.offset + offsets.size {
        for bits in 1..=u8::MAX {
            let mut bad = good.clone();
            bad[position as usize] ^= bits;
            assert_eq!(merged_with(&bad), expected, "byte {position}, {bits:#x}");
        }
    }
}

#[test]
fn the_deepest_inlining_allowed_fits_any_stack() {
    let mut profile = Profile::new();
    let name = profile.names.intern(b"recursive");
    let mut function = FunctionSamples::new(name);
    for _ in 0..sampleprof::MAX_INLINE_DEPTH {
        let inner = std::mem::replace(&mut function, FunctionSamples::new(name));
        function.inlinees.push((LineLocation::new(1, 0), inner));
    }
    function.checksum = std::num::NonZeroU64::new(1);
    profile.functions.push(function);
    profile.flags.probe_based = true;
    for format in [Format::Text, Format::ExtBinary] {
        let bytes = encode(&profile, format);
        let inputs = [input(0, 1, bytes.clone()), input(1, 1, bytes)];
        assert_eq!(text(&merge_all(&inputs).profile), text(&profile));
    }
    profile.flags.probe_based = false;
    let bytes = encode(&profile, Format::Binary);
    assert_eq!(
        text(&merge_all(&[input(0, 1, bytes.clone()), input(1, 1, bytes)]).profile),
        text(&profile)
    );
}
