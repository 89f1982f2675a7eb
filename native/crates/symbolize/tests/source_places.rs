//! Tests the search for declarations on DWARF that compilers do not write.

mod support;

use std::collections::HashSet;

use support::{
    AT_ABSTRACT_ORIGIN, AT_DECL_FILE, AT_DECL_LINE, AT_HIGH_PC, AT_LOW_PC, AT_NAME, AT_STMT_LIST, Bytes, FORM_ADDR,
    FORM_DATA1, FORM_DATA4, FORM_REF4, FORM_SEC_OFFSET, FORM_STRING, HEADER, TAG_COMPILE_UNIT, TAG_SUBPROGRAM,
    abbreviation, elf, line_program, open, unit,
};

const AT_COMP_DIR: u8 = 0x1b;
const AT_DECLARATION: u8 = 0x3c;
const AT_INLINE: u8 = 0x20;

/// Returns the declarations of the functions in a DWARF 4 unit that was compiled in `folder`, as `name file:line`.
fn places(folder: &str, dies: impl FnOnce(Bytes) -> Bytes) -> Vec<String> {
    let abbreviations = [
        abbreviation(
            1,
            TAG_COMPILE_UNIT,
            true,
            &[(AT_STMT_LIST, FORM_SEC_OFFSET), (AT_COMP_DIR, FORM_STRING)],
        ),
        // This is a function with code.
        abbreviation(
            2,
            TAG_SUBPROGRAM,
            false,
            &[
                (AT_NAME, FORM_STRING),
                (AT_DECL_FILE, FORM_DATA1),
                (AT_DECL_LINE, FORM_DATA4),
                (AT_LOW_PC, FORM_ADDR),
                (AT_HIGH_PC, FORM_DATA4),
            ],
        ),
        // This is a function that is only declared.
        abbreviation(
            3,
            TAG_SUBPROGRAM,
            false,
            &[
                (AT_NAME, FORM_STRING),
                (AT_DECL_FILE, FORM_DATA1),
                (AT_DECL_LINE, FORM_DATA4),
                (AT_DECLARATION, FORM_DATA1),
            ],
        ),
        // This is an inlined function.
        abbreviation(
            4,
            TAG_SUBPROGRAM,
            false,
            &[
                (AT_NAME, FORM_STRING),
                (AT_DECL_FILE, FORM_DATA1),
                (AT_DECL_LINE, FORM_DATA4),
                (AT_INLINE, FORM_DATA1),
            ],
        ),
        // This is the code of a function that another DIE describes.
        abbreviation(
            5,
            TAG_SUBPROGRAM,
            false,
            &[
                (AT_ABSTRACT_ORIGIN, FORM_REF4),
                (AT_LOW_PC, FORM_ADDR),
                (AT_HIGH_PC, FORM_DATA4),
            ],
        ),
        vec![0],
    ]
    .concat();
    let root = Bytes::default().u8(1).u32(0).string(folder);
    let debug = open(elf(&[
        (".debug_abbrev", abbreviations),
        (".debug_info", unit(&dies(root).u8(0))),
        (".debug_line", line_program(&[])),
    ]));
    let names = ["f", "g"].map(str::as_bytes);
    let wanted: HashSet<&[u8]> = names.into_iter().collect();
    let found = debug.source_places(&wanted, &|| true).unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    found
        .iter()
        .map(|place| format!("{} {}:{}", text(&place.name), text(&place.file), place.line))
        .collect()
}

fn function(dies: Bytes, name: &str, file: u8, line: u32) -> Bytes {
    dies.u8(2).string(name).u8(file).u32(line).u64(0x1000).u32(8)
}

#[test]
fn a_path_begins_where_the_compiler_ran() {
    assert_eq!(places("/src", |dies| function(dies, "f", 1, 7)), ["f /src/a.c:7"]);
    assert_eq!(places("/src/", |dies| function(dies, "f", 1, 7)), ["f /src/a.c:7"]);
    assert_eq!(places("", |dies| function(dies, "f", 1, 7)), ["f a.c:7"]);
}

#[test]
fn functions_without_a_usable_file_or_line_are_left_out() {
    let none: [&str; 0] = [];
    assert_eq!(places("/src", |dies| function(dies, "f", 1, 0)), none, "no line");
    assert_eq!(places("/src", |dies| function(dies, "f", 9, 7)), none, "no such file");
    assert_eq!(places("/src", |dies| function(dies, "h", 1, 7)), none, "not asked for");
    let long = "/x".repeat(4000);
    assert_eq!(
        places(&long, |dies| function(dies, "f", 1, 7)),
        none,
        "a path that nobody can open"
    );
}

#[test]
fn a_definition_comes_before_a_declaration_and_code_before_inlined_code() {
    let declared = |dies: Bytes| dies.u8(3).string("f").u8(1).u32(3).u8(1);
    let inlined = |dies: Bytes, line| dies.u8(4).string("f").u8(1).u32(line).u8(1);
    assert_eq!(places("/s", declared), [""; 0]);
    assert_eq!(places("/s", |dies| inlined(declared(dies), 5)), ["f /s/a.c:5"]);
    assert_eq!(
        places("/s", |dies| function(inlined(dies, 5), "f", 1, 9)),
        ["f /s/a.c:9"]
    );
}

#[test]
fn code_is_declared_where_its_origin_is() {
    // The root DIE has a code, an offset and `/s` with its NUL.
    let origin = HEADER + 1 + 4 + 3;
    let dies = |dies: Bytes| {
        let dies = dies.u8(4).string("g").u8(1).u32(12).u8(1);
        dies.u8(5).u32(origin).u64(0x1000).u32(8)
    };
    assert_eq!(places("/s", dies), ["g /s/a.c:12"]);
}
