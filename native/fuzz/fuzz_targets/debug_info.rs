//! Reads a program as a job does: headers, symbols, code and DWARF. The first byte chooses how code is decoded.
#![no_main]

use std::collections::HashSet;
use std::path::Path;
use std::sync::Arc;

use autofdo_gen_fuzz::use_one_thread;
use elf::{Code, DecodePolicy, Image, Svma};
use libfuzzer_sys::fuzz_target;
use symbolize::{DebugInfo, DebugOptions, FileSystem, FollowLinks, FrameTable, FunctionTable};

/// Largest number of instructions that are decoded. More of them take time and test nothing new.
const MOST_INSTRUCTIONS: usize = 4096;

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, file)) = bytes.split_first() else {
        return;
    };
    use_one_thread();
    read_code(
        file,
        if choice & 1 == 0 {
            DecodePolicy::FULL
        } else {
            DecodePolicy::LLVM_PROFGEN
        },
    );
    read_debug_info(file);
});

fn read_code(file: &[u8], policy: DecodePolicy) {
    let Ok(image) = Image::from_bytes(file.to_vec(), Path::new("program")) else {
        return;
    };
    assert!(
        image
            .symbols()
            .iter()
            .is_sorted_by_key(|symbol| (symbol.section, symbol.svma))
    );
    let Ok(code) = Code::new(&image, policy) else { return };
    let end = Svma(code.base().0.saturating_add(u64::from(code.span())));
    // The last instruction before a symbol may reach beyond the start of the symbol.
    let mut behind = code.base();
    for instruction in code.instructions(code.base(), end).take(MOST_INSTRUCTIONS) {
        assert!(behind <= instruction.svma && instruction.length > 0);
        assert!(code.class_at(instruction.svma).is_some());
        behind = Svma(instruction.svma.0 + 1);
    }
    let _ = code.patch_sites().problems().len();
}

fn read_debug_info(file: &[u8]) {
    let options = DebugOptions {
        follow_links: FollowLinks::NONE,
        ..DebugOptions::default()
    };
    let bytes = Arc::new(file.to_vec());
    let Ok(debug) = DebugInfo::load(bytes, Path::new("program"), None, &options, &FileSystem) else {
        return;
    };
    let functions = FunctionTable::build(&debug, Svma(0), &|| true).expect("not cancelled");
    let starts = functions.start_ranges().map(|range| range.start);
    assert!(starts.is_sorted_by(|a, b| a < b));
    for duplicate in functions.duplicated_starts() {
        assert_eq!(
            functions.entry_at(duplicate.start).map(|range| range.function),
            Some(duplicate.first)
        );
    }
    let frames = FrameTable::build(&debug, &[(Svma(0), Svma(u64::MAX))], &|| true).expect("not cancelled");
    assert!(frames.rows().iter().all(|row| row.start < row.end));
    assert!(frames.rows().is_sorted_by(|a, b| a.end <= b.start));
    for row in frames.rows() {
        assert_eq!(frames.lookup(row.start), Some(row.frame));
        let mut inner = row.frame;
        while let Some(outer) = frames.frame(inner).inlined_into {
            assert!(outer < inner);
            inner = outer;
        }
    }
    let _ = debug.survey();
    let names: HashSet<&[u8]> = functions.functions().map(|function| functions.name(function)).collect();
    let places = debug.source_places(&names, &|| true).expect("not cancelled");
    assert!(
        places
            .iter()
            .all(|place| place.line > 0 && names.contains(place.name.as_slice()))
    );
}
