//! Says what a file is that was named as text of `perf script` and has no branch entries.

use std::path::Path;

use job::{Error, ErrorCode};

/// How to print a text that can be read.
pub(super) const HOW_TO_PRINT: &str = "Print it with `perf script -F ip,brstack --show-mmap-events -i perf.data`";

/// Returns the error about a file that has no branch entries near its beginning. `head` is this beginning.
pub(super) fn no_branches_error(head: &[u8], path: &Path) -> Error {
    let path = path.display();
    let error = |message: String, hint: &str| Error::new(ErrorCode::InputInvalid, message).hint(hint);
    if head.starts_with(b"PERFILE2") || head.starts_with(b"2ELIFREP") {
        let message = format!("{path} is a perf.data file, not text of `perf script`");
        return error(message, "Give it with {--perfdata}.");
    }
    if let Some(compression) = compression(head) {
        let message = format!("{path} is compressed with {compression}; text of `perf script` is needed");
        return error(message, "Decompress it first, with `zstd -d`, `xz -d` or `gzip -d`.");
    }
    if head.starts_with(b"\xff\xfe") || head.starts_with(b"\xfe\xff") {
        let message = format!("{path} is text in UTF-16, and `perf script` prints UTF-8");
        return error(message, "Convert it first: `iconv -f UTF-16 -t UTF-8 FILE`.");
    }
    let expected = "entries with addresses are needed, such as 0x4005c8/0x4005dc/P/-/-/0";
    if has_instructions(head) {
        let message = format!("{path} has branches as instructions (`perf script -F brstackinsn`); {expected}");
        return error(message, &format!("{HOW_TO_PRINT}."));
    }
    if head.split(u8::is_ascii_whitespace).any(is_entry_of_symbols) {
        let message = format!("{path} has branches between symbols (`perf script -F brstacksym`); {expected}");
        return error(message, &format!("{HOW_TO_PRINT}."));
    }
    let message = format!("no line of {path} has branch entries such as 0x4005c8/0x4005dc/P/-/-/0");
    error(
        message,
        &format!("{HOW_TO_PRINT}, or give that perf.data with {{--perfdata}}."),
    )
}

fn compression(head: &[u8]) -> Option<&'static str> {
    match head {
        [0x1f, 0x8b, ..] => Some("gzip"),
        [0xfd, b'7', b'z', b'X', b'Z', ..] => Some("xz"),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Some("zstd"),
        _ => None,
    }
}

/// Returns true if `head` has instructions: `\t00005581eb2a1139\tinsn: 48 89 e5`, or the text of the
/// instruction after `#` or with `--insn-trace`.
fn has_instructions(head: &[u8]) -> bool {
    memchr::memmem::find(head, b"\tinsn: ").is_some()
}

/// Returns true for `main+0x14/loop+0x0/P/-/-/0`, as perf prints branches between symbols. The letter tells
/// whether the branch was predicted.
fn is_entry_of_symbols(word: &[u8]) -> bool {
    let offset = memchr::memmem::find(word, b"+0x").map(|at| &word[at + 3..]);
    let Some(slash) = offset.and_then(|offset| memchr::memchr(b'/', offset).map(|slash| &offset[slash + 1..])) else {
        return false;
    };
    ["/P/", "/M/", "/-/"]
        .iter()
        .any(|flag| memchr::memmem::find(slash, flag.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_named_with_what_helps() {
        let utf16: Vec<u8> = "\u{feff}4f 0x1/0x2/P/-/-/0"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for (head, form, hint) in [
            (&b"PERFILE2........"[..], "is a perf.data", "--perfdata"),
            (b"\x1f\x8b\x08\0", "gzip", "gzip -d"),
            (b"\x28\xb5\x2f\xfd\0", "zstd", "Decompress"),
            (&utf16, "UTF-16", "iconv"),
            (
                b"app 7 main+0x14/loop+0x0/P/-/-/0  loop+0x9/main+0x4/M/-/-/2",
                "brstacksym",
                "brstack --show",
            ),
            (
                b"app:\n\t00005581eb2a1139\tinsn: 48 89 e5\t# PRED 3 cycles\n",
                "brstackinsn",
                "brstack --show",
            ),
            (b"no branches in /usr/lib/a+0x3", "no line of", "--perfdata"),
        ] {
            let error = no_branches_error(head, Path::new("x"));
            assert!(error.message.contains(form), "{error}");
            assert!(error.hint.clone().expect("a hint").contains(hint), "{error:?}");
        }
    }
}
