//! Tests rules that the output of compilers rarely exercises, on DWARF written by hand.

mod support;

use elf::Svma;
use support::*;

/// Builds the abbreviations: 1: unit with low/high pc; 2: unit without; 3: function; 4: inlined function; 5:
/// declaration with a line; 6: function with references; 7: block; 8: nameless function with code; 9: unit with a
/// line program.
fn abbreviations() -> Vec<u8> {
    let code = [(AT_LOW_PC, FORM_ADDR), (AT_HIGH_PC, FORM_DATA4)];
    let mut bytes = Vec::new();
    bytes.extend(abbreviation(1, TAG_COMPILE_UNIT, true, &code));
    bytes.extend(abbreviation(2, TAG_COMPILE_UNIT, true, &[]));
    let function = [(AT_NAME, FORM_STRING), (AT_DECL_LINE, FORM_DATA1), code[0], code[1]];
    bytes.extend(abbreviation(3, TAG_SUBPROGRAM, true, &function));
    let inlined = [
        (AT_ABSTRACT_ORIGIN, FORM_REF4),
        (AT_CALL_LINE, FORM_DATA1),
        code[0],
        code[1],
    ];
    bytes.extend(abbreviation(4, TAG_INLINED, true, &inlined));
    let declaration = [(AT_NAME, FORM_STRING), (AT_DECL_LINE, FORM_DATA1)];
    bytes.extend(abbreviation(5, TAG_SUBPROGRAM, false, &declaration));
    let references = [
        (AT_ABSTRACT_ORIGIN, FORM_REF4),
        (AT_SPECIFICATION, FORM_REF4),
        code[0],
        code[1],
    ];
    bytes.extend(abbreviation(6, TAG_SUBPROGRAM, false, &references));
    bytes.extend(abbreviation(7, TAG_LEXICAL_BLOCK, true, &[]));
    bytes.extend(abbreviation(8, TAG_SUBPROGRAM, true, &code));
    let lines = [code[0], code[1], (AT_STMT_LIST, FORM_SEC_OFFSET)];
    bytes.extend(abbreviation(9, TAG_COMPILE_UNIT, true, &lines));
    bytes.push(0);
    bytes
}

fn unit_die(low: u64, len: u32) -> Bytes {
    Bytes::default().u8(1).u64(low).u32(len)
}

fn function(bytes: Bytes, name: &str, line: u8, low: u64, len: u32) -> Bytes {
    bytes.u8(3).string(name).u8(line).u64(low).u32(len)
}

fn inlined(bytes: Bytes, origin: u32, line: u8, low: u64, len: u32) -> Bytes {
    bytes.u8(4).u32(origin).u8(line).u64(low).u32(len)
}

fn program(info: Vec<u8>) -> Vec<u8> {
    elf(&[(".debug_abbrev", abbreviations()), (".debug_info", info)])
}

/// Builds one set of `.debug_aranges`.
fn aranges(unit: u32, ranges: &[(u64, u64)]) -> Vec<u8> {
    let mut pairs = Bytes::default();
    for (address, len) in ranges.iter().chain(&[(0, 0)]) {
        pairs = pairs.u64(*address).u64(*len);
    }
    let len = u32::try_from(pairs.0.len() + 12).unwrap();
    let header = Bytes::default().u32(len).u16(2).u32(unit).u8(8).u8(0).u32(0);
    header.raw(&pairs.0).0
}

#[test]
fn aranges_speak_for_the_units_they_mention() {
    let first = unit(&function(unit_die(0x1000, 0x100), "first", 1, 0x1000, 0x100).u8(0).u8(0));
    let second = unit(
        &function(unit_die(0x2000, 0x100), "second", 1, 0x2000, 0x100)
            .u8(0)
            .u8(0),
    );
    let info = [first, second].concat();
    let sections = [
        (".debug_abbrev", abbreviations()),
        (".debug_info", info),
        // The DIE of the unit claims 0x100 bytes.
        (".debug_aranges", aranges(0, &[(0x1000, 0x10)])),
    ];
    let table = frames(&open(elf(&sections)));
    assert_eq!(stack(&table, 0x100f), ["first:65535"]);
    assert!(stack(&table, 0x1010).is_empty());
    assert_eq!(stack(&table, 0x20ff), ["second:65535"]);
}

#[test]
fn of_overlapping_units_the_one_that_began_first_has_the_addresses() {
    let make = |name, low, len| unit(&function(unit_die(low, len), name, 0, low, len).u8(0).u8(0));
    let units = [make("a", 0x50, 0x50), make("b", 0x10, 0x50), make("c", 0x50, 0x100)];
    let table = frames(&open(program(units.concat())));
    assert_eq!(stack(&table, 0x4f), ["b:0"]);
    assert_eq!(
        stack(&table, 0x50),
        ["b:0"],
        "b goes on although a comes first in the file"
    );
    assert_eq!(stack(&table, 0x60), ["a:0"]);
    assert_eq!(stack(&table, 0xa0), ["c:0"]);
}

#[test]
fn a_nameless_frame_ends_the_stack_and_its_call_site_stands_for_it() {
    // f calls a nameless function at line 20. g is inlined into that function at line 30.
    let dies = unit_die(0x1000, 0x100);
    let nameless = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(7).u8(0);
    let g = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(5).string("g").u8(3);
    let dies = function(dies, "f", 10, 0x1000, 0x100);
    let dies = inlined(dies, nameless, 20, 0x1010, 0x40);
    let dies = inlined(dies, g, 30, 0x1020, 0x10).u8(0);
    let dies = dies.u8(0).u8(0).u8(0);
    let table = frames(&open(program(unit(&dies))));
    assert_eq!(stack(&table, 0x1000), ["f:65526"], "no line table: line 0");
    assert_eq!(stack(&table, 0x1010), ["f:10"]);
    assert_eq!(stack(&table, 0x1020), ["f:10"]);
    // If the outermost function is nameless, nothing remains of the stack.
    let dies = unit_die(0x1000, 0x100);
    let g = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(5).string("g").u8(3);
    let dies = dies.u8(8).u64(0x1000).u32(0x100);
    let dies = inlined(dies, g, 30, 0x1020, 0x10).u8(0).u8(0).u8(0);
    let table = frames(&open(program(unit(&dies))));
    assert!(table.rows().is_empty());
}

#[test]
fn siblings_of_an_inlined_function_are_not_inlined_into_it() {
    let dies = unit_die(0x1000, 0x100);
    let g = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(5).string("g").u8(0);
    let dies = function(dies, "f", 0, 0x1000, 0x100);
    let dies = inlined(dies, g, 7, 0x1000, 0x10).u8(0);
    let dies = dies.u8(7);
    let dies = inlined(dies, g, 9, 0x1010, 0x10).u8(0);
    let dies = dies.u8(0).u8(0).u8(0);
    let table = frames(&open(program(unit(&dies))));
    assert_eq!(stack(&table, 0x1000), ["g:0", "f:7"]);
    assert_eq!(stack(&table, 0x1010), ["g:0", "f:9"]);
}

#[test]
fn the_specification_is_asked_before_the_abstract_origin() {
    let dies = unit_die(0x1000, 0x100);
    let origin = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(5).string("origin").u8(1);
    let specification = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = dies.u8(5).string("specification").u8(2);
    let dies = dies.u8(6).u32(origin).u32(specification).u64(0x1000).u32(0x100);
    let debug = open(program(unit(&dies.u8(0))));
    assert_eq!(stack(&frames(&debug), 0x1000), ["specification:65534"]);
    let table = functions(&debug);
    assert_eq!(
        table.name(table.entry_at(Svma(0x1000)).unwrap().function),
        b"specification"
    );
}

#[test]
fn references_in_a_circle_end() {
    let dies = unit_die(0x1000, 0x100);
    let first = HEADER + u32::try_from(dies.0.len()).unwrap();
    let second = first + 21;
    let dies = dies.u8(6).u32(second).u32(first).u64(0x1000).u32(0x80);
    let dies = dies.u8(6).u32(first).u32(second).u64(0x1080).u32(0x80);
    let debug = open(program(unit(&dies.u8(0))));
    assert!(frames(&debug).rows().is_empty());
    assert!(functions(&debug).is_empty());
}

#[test]
fn functions_of_one_name_are_pooled_and_the_first_claim_to_a_start_wins() {
    let dies = unit_die(0x1000, 0x1000);
    let dies = function(dies, "f", 1, 0x1000, 0x100).u8(0);
    let dies = function(dies, "g", 1, 0x1000, 0x200).u8(0);
    let dies = function(dies, "nested", 1, 0x1010, 0x10).u8(0);
    let dies = function(dies, "f", 1, 0x1800, 0x10).u8(0);
    let dies = function(dies, "discarded", 1, 0, 0x10).u8(0);
    let debug = open(program(unit(&dies.u8(0))));
    let table = symbolize::FunctionTable::build(&debug, Svma(0x1000), &|| true).unwrap();
    let names: Vec<&[u8]> = table.functions().map(|function| table.name(function)).collect();
    assert_eq!(names, [b"f".as_slice(), b"g", b"nested", b"discarded"]);
    let [f, g, nested, discarded] = table.functions().collect::<Vec<_>>()[..] else {
        panic!("four functions")
    };
    let pooled = [(Svma(0x1000), Svma(0x1100)), (Svma(0x1800), Svma(0x1810))];
    assert_eq!(table.ranges_of(f), pooled);
    assert_eq!(table.ranges_of(g), [(Svma(0x1000), Svma(0x1200))]);
    assert!(table.ranges_of(discarded).is_empty());
    assert_eq!(table.find(Svma(0x100f)).unwrap().function, f);
    assert_eq!(table.find(Svma(0x1010)).unwrap().function, nested);
    assert_eq!(table.find(Svma(0x1020)), None, "hidden by the nested range");
    assert_eq!(table.entry_at(Svma(0x1001)), None);
    assert_eq!(table.duplicated_start_count(), 1);
    let [duplicate] = table.duplicated_starts() else {
        panic!("one duplicate")
    };
    assert_eq!((duplicate.first, duplicate.second), (f, g));
}

fn with_lines(lines: &[u8]) -> Vec<u8> {
    let dies = Bytes::default().u8(9).u64(0x1000).u32(0x100).u32(0);
    let dies = function(dies, "f", 0, 0x1000, 0x100).u8(0).u8(0);
    elf(&[
        (".debug_abbrev", abbreviations()),
        (".debug_info", unit(&dies)),
        (".debug_line", line_program(lines)),
    ])
}

#[test]
fn a_discriminator_holds_for_one_row() {
    let discriminator = [0, 2, 4, 5];
    let advance = [2, 0x10];
    let lines = [
        &set_address(0x1000)[..],
        &discriminator,
        &COPY,
        &advance,
        &COPY,
        &advance,
        &END_SEQUENCE,
    ];
    let table = frames(&open(with_lines(&lines.concat())));
    assert_eq!(stack(&table, 0x1000), ["f:1.5"]);
    assert_eq!(stack(&table, 0x1010), ["f:1"]);
    assert_eq!(stack(&table, 0x1020), ["f:0"], "behind the sequence");
}

#[test]
fn a_file_that_is_not_listed_hides_the_line() {
    let set_file = [4, 2];
    let lines = [&set_address(0x1000)[..], &set_file, &COPY, &[2, 0x10], &END_SEQUENCE];
    let table = frames(&open(with_lines(&lines.concat())));
    assert_eq!(stack(&table, 0x1000), ["f:0"]);
}

#[test]
fn of_overlapping_sequences_the_one_that_ends_first_answers() {
    let sequence = |low: u64, line: i8, len: u8| {
        let parts = [
            &set_address(low)[..],
            &advance_line(line),
            &COPY,
            &[2, len],
            &END_SEQUENCE,
        ];
        parts.concat()
    };
    let lines = [sequence(0x1000, 1, 0x40), sequence(0x1010, 2, 0x10)].concat();
    let table = frames(&open(with_lines(&lines)));
    assert_eq!(
        stack(&table, 0x1000),
        ["f:0"],
        "the shorter one is asked and does not know"
    );
    assert_eq!(stack(&table, 0x1010), ["f:3"]);
    assert_eq!(stack(&table, 0x1020), ["f:2"]);
}

#[test]
fn nesting_may_be_deep() {
    let mut dies = function(unit_die(0x1000, 0x100), "f", 0, 0x1000, 0x100);
    dies.0.extend(std::iter::repeat_n(7, 1_000_000));
    let g = HEADER + u32::try_from(dies.0.len()).unwrap();
    let dies = inlined(dies, g + 18, 5, 0x1000, 0x10).u8(5).string("g").u8(0);
    let table = frames(&open(program(unit(&dies))));
    assert_eq!(stack(&table, 0x1000), ["g:0", "f:5"]);
}

#[test]
fn a_file_without_dwarf_gives_empty_tables() {
    let debug = open(elf(&[]));
    assert!(functions(&debug).is_empty());
    assert!(frames(&debug).rows().is_empty());
    assert!(debug.diagnostics().is_empty());
}

#[test]
fn a_hook_that_says_no_stops_the_work() {
    let dies = function(unit_die(0x1000, 0x100), "f", 1, 0x1000, 0x100).u8(0).u8(0);
    let debug = open(program(unit(&dies)));
    let stopped = symbolize::FunctionTable::build(&debug, Svma(0), &|| false);
    assert!(matches!(stopped, Err(symbolize::SymbolizeError::Cancelled)));
}

#[test]
fn symbols_add_functions_that_dwarf_lacks_and_dispute_names() {
    let dies = unit_die(0x1000, 0x1000);
    let dies = function(dies, "f", 1, 0x1000, 0x100).u8(0);
    let dies = function(dies, "g", 1, 0x1200, 0x100).u8(0);
    let debug = open(program(unit(&dies.u8(0))));
    let mut table = functions(&debug);
    let symbol = |start: u64, size: u64, symbol: &'static str| symbolize::FunctionSymbol {
        start: Svma(start),
        end: Svma(start + size),
        symbol: symbol.as_bytes(),
        function: symbol.split('.').next().unwrap_or_default().as_bytes(),
    };
    table.add_symbols([
        symbol(0x1000, 0x100, "f"),
        symbol(0x1200, 0x100, "alias_of_g"),
        symbol(0x1800, 0x80, "f.cold"),
        symbol(0x1900, 0x80, "new"),
        symbol(0x1910, 0x10, "inside"),
        symbol(0x1010, 0x10, "f.llvm.1"),
    ]);
    let id = |name: &str| {
        table
            .functions()
            .find(|&id| table.name(id) == name.as_bytes())
            .expect("there")
    };
    let (f, g, new) = (id("f"), id("g"), id("new"));
    assert_eq!(
        table.ranges_of(f),
        [(Svma(0x1000), Svma(0x1100)), (Svma(0x1800), Svma(0x1880))]
    );
    assert_eq!(table.find(Svma(0x1801)).map(|range| range.function), Some(f));
    assert_eq!(
        table.find(Svma(0x1200)).map(|range| range.function),
        Some(g),
        "DWARF has it first"
    );
    assert_eq!(table.find(Svma(0x1910)).map(|range| range.function), Some(new));
    assert_eq!(table.functions().len(), 3, "what lies inside a function is none");

    use symbolize::NameOrigin;
    assert_eq!(table.origin(f), NameOrigin::Symbol, "a part of it has no DWARF");
    assert_eq!(table.origin(g), NameOrigin::Disputed);
    assert_eq!(table.origin(new), NameOrigin::Disputed);
    assert_eq!(table.other_names(g).collect::<Vec<_>>(), [b"alias_of_g"]);
    assert_eq!(table.other_names(new).collect::<Vec<_>>(), [b"inside"]);
    assert_eq!(table.other_names(f).count(), 0);
    use symbolize::SymbolDifference::{Name, Range};
    let conflicts = table.symbol_conflicts().iter();
    let conflicts = conflicts.map(|found| (found.difference, found.function, &found.symbol[..]));
    let expected: [(_, _, &[u8]); 3] = [
        (Name, g, b"alias_of_g"),
        (Name, new, b"inside"),
        (Range, f, b"f.llvm.1"),
    ];
    assert_eq!(conflicts.collect::<Vec<_>>(), expected);
    assert!(table.has_debug_info());
}

#[test]
fn of_functions_folded_by_the_linker_the_lines_tell_which_one_counts() {
    // Two functions, declared on lines 3 and 15, have the same code. A third function is inlined into the second
    // one.
    let mut dies = Bytes::default().u8(9).u64(0x1000).u32(0x100).u32(0);
    dies = function(dies, "first", 3, 0x1000, 0x10).u8(0);
    dies = function(dies, "second", 15, 0x1000, 0x10);
    let origin = HEADER + 25 + 22 + 23 + 20;
    dies = inlined(dies, origin, 17, 0x1004, 4).u8(0).u8(0);
    let at = u32::try_from(dies.0.len()).unwrap() + HEADER;
    dies = dies.u8(5).string("third").u8(1).u8(0);
    let place = dies
        .0
        .windows(4)
        .position(|bytes| bytes == origin.to_le_bytes())
        .unwrap();
    dies.0[place..place + 4].copy_from_slice(&at.to_le_bytes());
    let program = |line| {
        let rows = |line: i8| {
            [
                &set_address(0x1000)[..],
                &advance_line(line - 1),
                &COPY,
                &[2, 0x10],
                &END_SEQUENCE,
            ]
            .concat()
        };
        elf(&[
            (".debug_abbrev", abbreviations()),
            (".debug_info", unit(&dies)),
            (".debug_line", line_program(&rows(line))),
        ])
    };
    let of_first = frames(&open(program(5)));
    assert_eq!(stack(&of_first, 0x1000), ["first:2"]);
    assert_eq!(stack(&of_first, 0x1004), ["first:2"], "nothing is inlined into it");
    let of_second = frames(&open(program(16)));
    assert_eq!(stack(&of_second, 0x1000), ["second:1"]);
    assert_eq!(stack(&of_second, 0x1004), ["third:15", "second:2"]);
    let before_both = frames(&open(program(2)));
    assert_eq!(
        stack(&before_both, 0x1000),
        ["second:65523"],
        "LLVM's choice where the lines tell nothing"
    );
    let as_llvm = frames(&open_as_llvm(program(5)));
    assert_eq!(stack(&as_llvm, 0x1000), ["second:65526"]);
}
