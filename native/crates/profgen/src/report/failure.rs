//! Failures of the stages below, as users see them.

use std::path::Path;

use image::ImageError;
use perfdata::Lookalike;

use crate::report::error::{Error, ErrorCode};

/// How to record what is needed, for every kind of CPU.
pub(crate) const HOW_TO_RECORD: &str = "Record with branch stacks: `perf record -e EVENT:u -N -b -c 500009 -- PROGRAM`, where EVENT is \
     BR_INST_RETIRED.NEAR_TAKEN on Intel, cpu/event=0xc4,umask=0x0/u (without `:u`) on AMD Zen 3 and later, and cycles on Arm with BRBE; \
     for the kernel, k instead of u, and -a instead of a program.";

pub(crate) fn input_error(error: perfdata::Error) -> Error {
    use perfdata::Error as E;
    let (code, hint) = match &error {
        E::Cancelled => return Error::aborted(),
        E::Io { .. } => (
            ErrorCode::InputUnreadable,
            "Check the path and your permission to read it.",
        ),
        E::FileShrank { .. } => (
            ErrorCode::InputInvalid,
            "Wait until perf has finished writing the file.",
        ),
        E::NotPerfData {
            found: Lookalike::Text, ..
        } => (
            ErrorCode::InputInvalid,
            "The output of `perf script` is no perf.data; name the file that `perf record` wrote.",
        ),
        E::NotPerfData {
            found: Lookalike::Gzip | Lookalike::Xz | Lookalike::Zstd,
            ..
        } => (
            ErrorCode::InputInvalid,
            "Decompress the file first, or pipe it: `zstdcat perf.data.zst | autofdo-gen --perfdata - ...`.",
        ),
        E::NotPerfData { .. } => (
            ErrorCode::InputInvalid,
            "Name the file that `perf record` wrote with --perfdata.",
        ),
        _ => (ErrorCode::InputInvalid, "The file is damaged or was cut; record again."),
    };
    Error::new(code, error.to_string()).hint(hint)
}

/// Why a file cannot be profiled.
#[must_use]
pub fn image_error(error: ImageError, path: &Path) -> Error {
    use ImageError as E;
    let (code, hint) = match &error {
        E::Io { .. } => (
            ErrorCode::BinaryUnreadable,
            "Check the path and your permission to read it.",
        ),
        E::NotAFile { .. } | E::NotElf { .. } => (
            ErrorCode::BinaryInvalid,
            "Name the ELF executable, shared object or vmlinux that was profiled with --binary.",
        ),
        E::Truncated { .. } | E::Malformed { .. } => (
            ErrorCode::BinaryInvalid,
            "The file is damaged; copy it again from where it was built.",
        ),
        _ => (
            ErrorCode::BinaryUnsupported,
            "Profiles are made for x86-64 and AArch64 ELF programs.",
        ),
    };
    Error::new(code, error.to_string()).hint(hint).path(path)
}

pub(crate) fn read_error(error: &std::io::Error, path: &Path) -> Error {
    Error::new(ErrorCode::InputUnreadable, format!("{}: {error}", path.display()))
        .path(path)
        .hint("Check the path and your permission to read it.")
}

/// Why debug information cannot be used.
#[must_use]
pub fn symbolize_error(error: symbolize::SymbolizeError) -> Error {
    if matches!(error, symbolize::SymbolizeError::Cancelled) {
        return Error::aborted();
    }
    Error::new(ErrorCode::BinaryInvalid, error.to_string())
        .hint("The debug information is damaged or of an unknown form; compare with `llvm-dwarfdump --verify`.")
}

pub(crate) fn probe_error(error: pseudoprobe::DecodeError, path: &Path) -> Error {
    Error::new(ErrorCode::BinaryInvalid, format!("{}: {error}", path.display()))
        .path(path)
        .hint("The pseudo probes are damaged; build the binary again, or use its debug information with --use-dwarf-correlation.")
}

pub(crate) fn write_error(error: sampleprof::WriteError) -> Error {
    let hint = match error {
        sampleprof::WriteError::TooDeep { .. } => "No compiler inlines that deep: what says so is damaged.",
        _ => "Write another --format.",
    };
    Error::new(ErrorCode::Unsupported, error.to_string()).hint(hint)
}
