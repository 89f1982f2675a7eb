//! Checks that every sample profile must pass, whatever its bytes are.

use std::ops::ControlFlow;

use sampleprof::{
    ColdContexts, Content, Format, FunctionSamples, MergeInput, MergeOptions, Profile, WriteOptions, merge, read,
    sections, write,
};

/// Reads a profile, writes it in every form, reads these forms, merges the profile, and removes its contexts.
pub fn check(bytes: &[u8]) {
    let _ = sections(bytes, "fuzz");
    let profile = read(bytes, "fuzz");
    // Merging adds functions without decoding them first, so it has checks of its own.
    let input = MergeInput {
        name: "fuzz".into(),
        weight: 1,
        content: Content::Bytes(bytes.to_vec()),
    };
    let merged = merge(&[input], MergeOptions::default(), |_| ControlFlow::Continue(()));
    assert_eq!(merged.is_ok(), profile.is_ok());
    let Ok(profile) = profile else { return };
    if profile.functions.is_empty() {
        // A file without functions has no place for the flags of the metadata section.
        return;
    }
    check_layouts(&profile);
    for format in [Format::Text, Format::Binary, Format::ExtBinary] {
        let options = WriteOptions {
            format,
            ..WriteOptions::default()
        };
        let Ok(written) = write(&profile, &options) else {
            continue;
        };
        // A text does not keep all names apart. Names that are GUIDs are sorted by number, and their decimal digits by
        // text.
        if format == Format::Text || profile.names.has_guids() {
            continue;
        }
        let again = read(&written, "written").expect("what is written can be read");
        // The summary depends on attributes, so a form without attributes has the summary of the profile without them
        // when it is written again (in LLVM too).
        let mut kept = profile.clone();
        if !stores_attributes(&profile, format) {
            kept.functions.iter_mut().for_each(remove_attributes);
        }
        assert!(
            write(&again, &options) == write(&kept, &options),
            "written again, it differs"
        );
    }
}

/// Returns whether the form has the attributes of functions (LLVM: `SecFlagHasAttribute`).
fn stores_attributes(profile: &Profile, format: Format) -> bool {
    format == Format::ExtBinary && (profile.flags.pre_inlined || profile.flags.context_sensitive)
}

fn remove_attributes(function: &mut FunctionSamples) {
    function.attributes = 0;
    for (_, inlinee) in &mut function.inlinees {
        remove_attributes(inlinee);
    }
}

/// Converts the contexts into the other layouts, and merges cold contexts.
fn check_layouts(profile: &Profile) {
    let mut flat = profile.clone();
    flat.flatten();
    assert!(!flat.flags.context_sensitive);
    if !profile.flags.context_sensitive {
        return;
    }
    for merged_base in [false, true] {
        let mut nested = profile.clone();
        if nested.nest_contexts(merged_base).is_ok() {
            assert!(nested.functions.len() <= flat.functions.len());
        }
    }
    let mut merged = profile.clone();
    merged.merge_cold_contexts(ColdContexts {
        threshold: 100,
        merge: true,
        trim: false,
        frames: 2,
        base_only: false,
    });
    assert!(merged.functions.len() <= profile.functions.len());
}
