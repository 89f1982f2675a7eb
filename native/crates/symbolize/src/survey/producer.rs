//! Reads the compiler and the language of a unit.

use gimli::DwLang;

/// Number of bytes of a compiler's name that are kept, followed by the number of bytes of the name with the command
/// line that are read.
const MAX_NAME: usize = 160;
const MAX_PRODUCER: usize = 16 << 10;

/// Returns the name of the compiler, and the command line that some compilers record after it. Flags begin with a
/// dash. clang writes its own path before the flags.
pub(super) fn split_producer(producer: &[u8]) -> (String, &[u8]) {
    let producer = &producer[..producer.len().min(MAX_PRODUCER)];
    let flags = (1..producer.len()).find(|&at| producer[at - 1] == b' ' && matches!(producer[at], b'-' | b'/'));
    let (name, flags) = producer.split_at(flags.unwrap_or(producer.len()));
    let name = &name[..name.len().min(MAX_NAME)];
    (String::from_utf8_lossy(name).trim_end().to_owned(), flags)
}

/// Returns true if `word` is one of the words of a command line.
pub(super) fn contains_word(text: &[u8], word: &[u8]) -> bool {
    text.split(|byte| *byte == b' ').any(|part| part == word)
}

/// Names languages that got a number after DWARF 5, and that gimli has no name for yet (DWARF: "Language Names and
/// Versions" of the committee).
fn newer_language(code: u16) -> Option<&'static str> {
    const NAMES: [&str; 19] = [
        "HIP",
        "Assembly",
        "C_sharp",
        "Mojo",
        "GLSL",
        "GLSL_ES",
        "HLSL",
        "OpenCL_CPP",
        "CPP_for_OpenCL",
        "SYCL",
        "C_plus_plus_23",
        "Odin",
        "P4",
        "Metal",
        "C23",
        "Fortran23",
        "Ruby",
        "Move",
        "Hylo",
    ];
    NAMES.get(usize::from(code).checked_sub(0x30)?).copied()
}

/// Returns the name of a language in DWARF, or its number.
pub(super) fn language_name(language: Option<u64>) -> String {
    let Some(language) = language else {
        return String::new();
    };
    let known = u16::try_from(language)
        .ok()
        .and_then(|code| DwLang(code).static_string().or_else(|| newer_language(code)));
    known.map_or_else(
        || format!("{language:#x}"),
        |name| name.trim_start_matches("DW_LANG_").to_owned(),
    )
}
