//! Tests that damaged debug information causes no panic and no endless loop.

mod support;

use proptest::prelude::*;
use support::*;
use symbolize::DebugInfo;

/// Builds a unit with references, inlining, range lists, line rows and aranges.
fn sections() -> Vec<(&'static str, Vec<u8>)> {
    let mut abbreviations = Vec::new();
    let unit_attributes = [
        (AT_LOW_PC, FORM_ADDR),
        (AT_HIGH_PC, FORM_DATA4),
        (AT_STMT_LIST, FORM_SEC_OFFSET),
    ];
    abbreviations.extend(abbreviation(1, TAG_COMPILE_UNIT, true, &unit_attributes));
    let declaration = [
        (AT_NAME, FORM_STRING),
        (AT_LINKAGE_NAME, FORM_STRING),
        (AT_DECL_LINE, FORM_DATA1),
        (AT_DECL_FILE, FORM_DATA1),
    ];
    abbreviations.extend(abbreviation(2, TAG_SUBPROGRAM, false, &declaration));
    let function = [
        (AT_SPECIFICATION, FORM_REF4),
        (AT_LOW_PC, FORM_ADDR),
        (AT_HIGH_PC, FORM_DATA4),
    ];
    abbreviations.extend(abbreviation(3, TAG_SUBPROGRAM, true, &function));
    let inlined = [
        (AT_ABSTRACT_ORIGIN, FORM_REF4),
        (AT_RANGES, FORM_SEC_OFFSET),
        (AT_CALL_LINE, FORM_DATA1),
    ];
    abbreviations.extend(abbreviation(4, TAG_INLINED, true, &inlined));
    abbreviations.push(0);

    let dies = Bytes::default().u8(1).u64(0x1000).u32(0x100).u32(0);
    let declared = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(2).string("f").string("_Z1fv").u8(3).u8(1);
    let dies = dies.u8(3).u32(declared).u64(0x1000).u32(0x100);
    let dies = dies.u8(4).u32(declared).u32(0).u8(9).u8(0).u8(0).u8(0);

    let ranges = Bytes::default().u64(0x10).u64(0x20).u64(0x30).u64(0x38).u64(0).u64(0);
    let lines = [
        &set_address(0x1000)[..],
        &COPY,
        &[2, 0x20, 0x4b, 0x2f],
        &advance_line(3),
        &COPY,
        &[2, 0x40],
        &END_SEQUENCE,
    ];
    let aranges = Bytes::default().u32(0x2c).u16(2).u32(0).u8(8).u8(0).u32(0);
    let aranges = aranges.u64(0x1000).u64(0x100).u64(0).u64(0);
    vec![
        (".debug_abbrev", abbreviations),
        (".debug_info", unit(&dies)),
        (".debug_ranges", ranges.0),
        (".debug_line", line_program(&lines.concat())),
        (".debug_aranges", aranges.0),
    ]
}

#[test]
fn undamaged_it_is_read() {
    let debug = open(elf(&sections()));
    let table = frames(&debug);
    assert_eq!(stack(&table, 0x1010), ["_Z1fv:65534", "_Z1fv:6"]);
    assert_eq!(functions(&debug).len(), 1);
    assert_eq!(places(&debug), 1);
}

/// Returns the number of functions that have a file and a line.
fn places(debug: &DebugInfo) -> usize {
    let wanted = [&b"_Z1fv"[..], b"f", b""].into_iter().collect();
    debug.source_places(&wanted, &|| true).expect("not cancelled").len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]
    #[test]
    fn damaged_sections_are_survived(
        changes in prop::collection::vec((0usize..5, any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in prop::option::of((0usize..5, any::<prop::sample::Index>())),
    ) {
        let mut sections = sections();
        for (section, at, value) in changes {
            let bytes = &mut sections[section].1;
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some((section, at)) = cut {
            let bytes = &mut sections[section].1;
            let at = at.index(bytes.len());
            bytes.truncate(at);
        }
        let debug = open(elf(&sections));
        prop_assert!(debug.survey().compilers.len() <= 1);
        prop_assert!(places(&debug) <= 3);
        let functions = functions(&debug);
        let frames = frames(&debug);
        for pair in frames.rows().windows(2) {
            prop_assert!(pair[0].end <= pair[1].start);
        }
        for row in frames.rows() {
            prop_assert!(row.start < row.end);
            prop_assert!(frames.stack(row.frame).count() <= 16);
        }
        for range in functions.start_ranges() {
            prop_assert!(range.start < range.end);
        }
    }

    #[test]
    fn damaged_files_are_survived(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
    ) {
        let mut bytes = elf(&sections());
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        let path = std::path::Path::new("/nonexistent/program");
        let options = symbolize::DebugOptions { follow_links: symbolize::FollowLinks::NONE, ..Default::default() };
        if let Ok(debug) = DebugInfo::load(std::sync::Arc::new(bytes), path, None, &options, &symbolize::FileSystem) {
            let _ = debug.survey();
            places(&debug);
            functions(&debug);
            frames(&debug);
        }
    }
}
