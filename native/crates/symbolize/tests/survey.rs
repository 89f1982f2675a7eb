//! Tests the survey on debug information that compilers do not write. `test/differential/doctor.diff.ts` compares
//! the survey of real programs with the output of llvm-dwarfdump.

mod support;

use support::*;
use symbolize::{Compiler, UnitCounts};

const TAG_BASE_TYPE: u8 = 0x24;
const AT_LANGUAGE: u8 = 0x13;
const AT_PRODUCER: u8 = 0x25;
const RUST: u8 = 0x1c;

/// Builds the abbreviations: a unit, a unit with a line table, a function without and one with a line, a type.
fn abbreviations() -> Vec<u8> {
    let root = [(AT_PRODUCER, FORM_STRING), (AT_LANGUAGE, FORM_DATA1)];
    [
        abbreviation(1, TAG_COMPILE_UNIT, true, &root),
        abbreviation(
            2,
            TAG_COMPILE_UNIT,
            true,
            &[root[0], root[1], (AT_STMT_LIST, FORM_SEC_OFFSET)],
        ),
        abbreviation(3, TAG_SUBPROGRAM, false, &[(AT_NAME, FORM_STRING)]),
        abbreviation(
            4,
            TAG_SUBPROGRAM,
            false,
            &[(AT_NAME, FORM_STRING), (AT_DECL_LINE, FORM_DATA1)],
        ),
        abbreviation(5, TAG_BASE_TYPE, false, &[]),
        vec![0],
    ]
    .concat()
}

fn root(producer: &str) -> Bytes {
    Bytes::default().u8(1).string(producer).u8(RUST)
}

fn survey(units: &[Bytes], lines: Vec<u8>) -> Vec<Compiler> {
    let info = units.iter().flat_map(unit).collect();
    let sections = [
        (".debug_abbrev", abbreviations()),
        (".debug_info", info),
        (".debug_line", lines),
    ];
    open(elf(&sections)).survey().compilers
}

fn compiler(name: &str, counts: UnitCounts) -> Compiler {
    Compiler {
        name: name.to_owned(),
        language: "Rust".to_owned(),
        dwarf_version: 4,
        counts,
    }
}

#[test]
fn units_that_share_abbreviations_are_told_apart() {
    let units = [
        root("one").u8(5).u8(4).string("f").u8(1).u8(0),
        root("one").u8(3).string("g").u8(0),
        root("one").u8(0),
        root("two -O2 -fdebug-info-for-profiling").u8(5).u8(0),
        root("two /usr/bin/two -fdebug-info-for-profiling-not")
            .u8(3)
            .string("h")
            .u8(4)
            .string("i")
            .u8(1)
            .u8(0),
    ];
    let one = UnitCounts {
        units: 3,
        with_functions: 2,
        with_declaration_lines: 1,
        with_types: 1,
        ..UnitCounts::default()
    };
    let two = UnitCounts {
        units: 2,
        with_functions: 1,
        with_declaration_lines: 1,
        with_types: 1,
        with_command_line: 2,
        with_profiling_flag: 1,
        ..UnitCounts::default()
    };
    assert_eq!(survey(&units, Vec::new()), [compiler("one", one), compiler("two", two)]);
}

/// Encodes `DW_LNE_set_discriminator`.
fn discriminator(value: u8) -> [u8; 4] {
    [0, 2, 4, value]
}

#[test]
fn a_line_table_is_read_once_however_many_units_refer_to_it_or_into_it() {
    let with = line_program(&[&set_address(0x1000)[..], &discriminator(2), &COPY, &END_SEQUENCE].concat());
    let inside = 4;
    let probes_only = u32::try_from(with.len()).unwrap();
    // The pseudo probe of a call has the low three bits of its discriminator set.
    let without = line_program(&[&set_address(0x2000)[..], &discriminator(0x1f), &COPY, &END_SEQUENCE].concat());
    let empty = probes_only + u32::try_from(without.len()).unwrap();
    let units = [0, 0, inside, probes_only, empty].map(|offset| {
        let root = Bytes::default().u8(2).string("three").u8(RUST);
        root.u32(offset).u8(0)
    });
    let counts = UnitCounts {
        units: 5,
        with_lines: 3,
        with_discriminators: 2,
        ..UnitCounts::default()
    };
    let lines = [with, without, line_program(&[])].concat();
    assert_eq!(survey(&units, lines), [compiler("three", counts)]);
}

#[test]
fn compilers_without_number_are_summed_up() {
    let units: Vec<Bytes> = (0..1000).map(|n| root(&format!("compiler {n}")).u8(0)).collect();
    let compilers = survey(&units, Vec::new());
    assert!(compilers.len() <= 65, "{}", compilers.len());
    assert_eq!(
        compilers.iter().map(|compiler| compiler.counts.units).sum::<u64>(),
        1000
    );
    assert_eq!(compilers[0].name, "others");
}
