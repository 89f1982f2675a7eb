//! Translates the errors of the stages into errors of a job: the code, the facts in the words of the stage, and the
//! remedy.

use std::path::Path;

use elf::ImageError;
use perfdata::Lookalike;
use sampleprof::{Foreign, InputError, MergeError, NestError, ReadError, ReadErrorKind, WriteError};

use crate::error::{Error, ErrorCode};
use crate::system::system_reason;

/// Explains how to record branch stacks on every kind of CPU.
pub const HOW_TO_RECORD: &str = "Record with branch stacks: `perf record -e EVENT:u -N -b -c 500009 -- PROGRAM`, where EVENT is \
     BR_INST_RETIRED.NEAR_TAKEN on Intel, cpu/event=0xc4,umask=0x0/u (without `:u`) on AMD Zen 3 and later, and cycles on Arm with BRBE; \
     for the kernel, k instead of u, and -a instead of a program.";

/// Makes the error for a perf.data file that cannot be used.
#[must_use]
pub fn recording_error(error: perfdata::Error) -> Error {
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
            "If `perf script` printed it, {generate --binary --perfscript} makes a profile of it. If it is a profile, `autofdo-gen show FILE` tells \
             what it holds.",
        ),
        E::NotPerfData {
            found: Lookalike::Gzip | Lookalike::Xz | Lookalike::Zstd,
            ..
        } => (
            ErrorCode::InputInvalid,
            "Decompress the file first, with `zstd -d`, `xz -d` or `gzip -d`.",
        ),
        E::NotPerfData {
            found: Lookalike::SampleProfile,
            ..
        } => (
            ErrorCode::InputInvalid,
            "`autofdo-gen show FILE` tells what a profile holds. Name the file that `perf record` wrote.",
        ),
        E::NotPerfData {
            found: Lookalike::Parquet,
            ..
        } => (
            ErrorCode::InputInvalid,
            "{generate --binary --traces} makes a profile of traces, and `autofdo-gen inspect FILE` describes them.",
        ),
        E::NotPerfData {
            found: Lookalike::Empty,
            ..
        } => (
            ErrorCode::InputInvalid,
            "If perf printed an error, mend its cause. Otherwise name the file that `perf record` wrote.",
        ),
        E::NotPerfData { .. } => (ErrorCode::InputInvalid, "Name the file that `perf record` wrote."),
        E::NotPerfDirectory { .. } => (
            ErrorCode::InputInvalid,
            "Name the file, or the folder of `perf record --threads`, that perf wrote.",
        ),
        _ => (ErrorCode::InputInvalid, "The file is damaged or was cut; record again."),
    };
    Error::of(code, error).hint(hint)
}

/// Makes the error for a file that cannot be profiled.
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
            "Name the ELF executable, shared object or vmlinux that ran.",
        ),
        E::Truncated { .. } | E::Malformed { .. } => (
            ErrorCode::BinaryInvalid,
            "The file is damaged; copy it again from where it was built.",
        ),
        _ => (
            ErrorCode::BinaryUnsupported,
            "Profiles are made for ELF programs of x86-64, i386 and AArch64.",
        ),
    };
    Error::of(code, error).hint(hint).path(path)
}

/// Makes the error for a debug file that was given in the place of the program.
#[must_use]
pub fn debug_file_as_binary(path: &Path) -> Error {
    let message = format!(
        "{}: is a debug file, which has no code, expected the program that it belongs to",
        path.display()
    );
    Error::new(ErrorCode::BinaryUnsupported, message)
        .hint("Name the program that ran with {--binary}, and this file with {--debug-binary}.")
        .path(path)
}

/// Makes the error for an input that cannot be read.
#[must_use]
pub fn unreadable(error: std::io::Error, path: &Path) -> Error {
    let hint = if error.kind() == std::io::ErrorKind::IsADirectory {
        "Name a file."
    } else {
        "Check the path and your permission to read it."
    };
    Error::new(
        ErrorCode::InputUnreadable,
        format!("{}: {}", path.display(), system_reason(&error)),
    )
    .caused_by(error)
    .path(path)
    .hint(hint)
}

/// Makes the error for a trace shard that cannot be used.
#[must_use]
pub fn shard_error(error: traceshard::Error, path: &Path) -> Error {
    use traceshard::Error as E;
    let message = match &error {
        E::Io(source) => system_reason(source),
        other => other.to_string(),
    };
    let (code, hint) = match &error {
        E::Io(_) => (
            ErrorCode::InputUnreadable,
            "Check the path and your permission to read it.",
        ),
        E::NotParquet(_) => (
            ErrorCode::InputInvalid,
            "Name files that `autofdo-gen collect` wrote, or a sum of them. `autofdo-gen inspect` describes both, and recordings, too.",
        ),
        E::Damaged(_) => (
            ErrorCode::InputInvalid,
            "Copy the file again from where it was collected, or collect again.",
        ),
        E::Encrypted => (ErrorCode::Unsupported, "Write the file without encryption."),
        E::Compression { .. } => (
            ErrorCode::Unsupported,
            "Write the file with zstd: (COMPRESSION zstd) in DuckDB, option(\"compression\", \"zstd\") in Spark.",
        ),
        E::Newer { .. } => (
            ErrorCode::Unsupported,
            "Use the release of autofdo-gen that wrote the file, or a later one.",
        ),
        E::Incomplete { .. } => (
            ErrorCode::InputInvalid,
            "A sum keeps all columns: SELECT * REPLACE (SUM(count)::UBIGINT AS count, SUM(mispredicted)::UBIGINT AS mispredicted) ... GROUP \
             BY ALL. A column that the folder of a file names, such as build_id=ab12, is missing outside of that folder.",
        ),
        E::WrongValue { found, .. } if found == "no value" => (
            ErrorCode::InputInvalid,
            "A sum of files of several versions must keep the columns that only some of them have: read them with union_by_name=true in \
             DuckDB, and with the option mergeSchema in Spark. docs/trace-shards.md describes each column.",
        ),
        E::Foreign { .. }
        | E::Twice { .. }
        | E::Version { .. }
        | E::WrongType { .. }
        | E::WrongFolder { .. }
        | E::WrongValue { .. } => (ErrorCode::InputInvalid, "docs/trace-shards.md describes each column."),
    };
    Error::new(code, format!("{}: {message}", path.display()))
        .caused_by(error)
        .path(path)
        .hint(hint)
}

/// Makes the error for debug information that cannot be used.
#[must_use]
pub fn symbolize_error(error: symbolize::SymbolizeError) -> Error {
    if matches!(error, symbolize::SymbolizeError::Cancelled) {
        return Error::aborted();
    }
    let hint = match &error {
        symbolize::SymbolizeError::Read { .. } => "Check the path and your permission to read it.",
        symbolize::SymbolizeError::NotElf { .. } => "Name the ELF file that has the debug information of the binary.",
        _ => "The debug information is damaged or of an unknown form; compare with `llvm-dwarfdump --verify`.",
    };
    Error::of(ErrorCode::BinaryInvalid, error).hint(hint)
}

/// Makes the error for pseudo probes of the binary at `path` that cannot be used.
#[must_use]
pub fn probe_error(error: pseudoprobe::DecodeError, path: &Path) -> Error {
    Error::new(ErrorCode::BinaryInvalid, format!("{}: {error}", path.display()))
        .caused_by(error)
        .path(path)
        .hint("The pseudo probes are damaged; build the binary again. {generate --use-dwarf-correlation} uses its debug information instead.")
}

/// Makes the error for a profile that cannot be written.
#[must_use]
pub fn write_error(error: WriteError) -> Error {
    let hint = match error {
        WriteError::NameHoldsTerminator { byte: 0, .. } => {
            "No program has a function with this name, so the debug information or the profile is damaged."
        }
        WriteError::TooDeep { .. } => {
            "No compiler inlines functions so deeply, so the debug information or the profile is damaged."
        }
        WriteError::LineOffset { .. } => {
            "No compiler reads a profile with such a line. Leave the function out, or make its source shorter."
        }
        WriteError::SplitContexts => "Leave out the split layout.",
        _ => "Write the extbinary format.",
    };
    Error::of(ErrorCode::Unsupported, error).hint(hint)
}

/// Makes the error for contexts that cannot become inlined functions.
#[must_use]
pub fn nest_error(error: NestError) -> Error {
    Error::of(ErrorCode::Unsupported, error)
        .hint("Write the contexts as they are; {convert --convert-sample-profile-layout=flat} adds them up.")
}

/// Makes the error for a profile that cannot be read.
#[must_use]
pub fn profile_error(error: ReadError) -> Error {
    let code = match error.kind {
        ReadErrorKind::Unsupported(_) => ErrorCode::Unsupported,
        _ => ErrorCode::InputInvalid,
    };
    let (file, hint) = (error.file.clone(), profile_remedy(&error.kind));
    Error::of(code, error).path(Path::new(&file)).hint(hint)
}

/// Remedy for a profile whose encoding is newer than this program.
const NEWER_LLVM: &str = "It was written by another release of LLVM. Convert it with the llvm-profdata of that release: `llvm-profdata merge \
     --sample --text OLD -o NEW`.";

/// Returns the remedy for a profile that cannot be read.
fn profile_remedy(kind: &ReadErrorKind) -> &'static str {
    match kind {
        ReadErrorKind::Foreign(
            Foreign::RawInstrumentation | Foreign::IndexedInstrumentation | Foreign::TextInstrumentation,
        ) => "Instrumentation profiles have tools of their own: `llvm-profdata merge` without `--sample`.",
        ReadErrorKind::Foreign(Foreign::PerfData) => "Make a profile of it first: {generate --binary --perfdata}.",
        ReadErrorKind::Foreign(Foreign::CompactBinary) => {
            "Convert it with the llvm-profdata of LLVM 16 or older, such as Debian's llvm-16: `llvm-profdata-16 merge --sample --extbinary OLD \
             -o NEW`. Names stay hashes."
        }
        ReadErrorKind::Foreign(Foreign::UnknownSampleEncoding(_)) => NEWER_LLVM,
        ReadErrorKind::Foreign(_) => "Name sample profiles, as autofdo-gen and llvm-profgen write them.",
        ReadErrorKind::Unsupported(_) => {
            "Write the profile again without them: `llvm-profdata merge --sample --extbinary` leaves them out."
        }
        ReadErrorKind::MixedContexts | ReadErrorKind::InlinedInContext => {
            "LLVM's tools never write such a profile. If it was joined by hand from several profiles, use each of them alone."
        }
        ReadErrorKind::UnsupportedVersion { .. } | ReadErrorKind::UnknownFlags { .. } => NEWER_LLVM,
        ReadErrorKind::Context(_) => {
            "In the text format a name in brackets is a calling context. If the name of the function has these brackets, write its profile \
             in the extbinary format, which keeps every name."
        }
        ReadErrorKind::LineOffset(_) => {
            "Compilers read no line offsets above 65535. Leave the line out, or make the profile again."
        }
        ReadErrorKind::FunctionLine(_) | ReadErrorKind::BodyLine(_) | ReadErrorKind::Metadata(_) => {
            "Correct the line, or make the profile again."
        }
        _ => "The file is damaged or was cut; copy or make it again.",
    }
}

/// Makes the error for `inputs` profiles that cannot be merged.
#[must_use]
pub fn merge_error(error: MergeError, inputs: usize) -> Error {
    match error {
        MergeError::Cancelled => Error::aborted(),
        MergeError::Input(error) => {
            let error = merge_input_error(error);
            match error.hint.clone() {
                Some(hint) if inputs > 1 => error.hint(format!("{hint} {{--keep-going}} leaves such files out.")),
                _ => error,
            }
        }
        MergeError::NothingUsable { count, first } => {
            let first = merge_input_error(first);
            Error {
                message: format!(
                    "none of the {count} profiles can be read; the first fails with: {}",
                    first.message
                ),
                ..first
            }
        }
        MergeError::MixedLocations { .. } => Error::of(ErrorCode::Unsupported, error)
            .hint("Merge profiles of builds with -fpseudo-probe-for-profiling apart from the others."),
        MergeError::MixedContexts { .. } => Error::of(ErrorCode::Unsupported, error)
            .hint("Take the contexts away first: {convert --convert-sample-profile-layout=nest}."),
        error => Error::of(ErrorCode::Internal, error),
    }
}

fn merge_input_error(error: InputError) -> Error {
    match error {
        InputError::Io { file, source } => unreadable(source, Path::new(&file)),
        InputError::Read(error) => profile_error(error),
        error => Error::of(ErrorCode::InputInvalid, error),
    }
}
