//! Whether a recording can be used, and what of it is damaged or left out.

use std::path::Path;

use elf::Arch;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};
use perfdata::{Avma, ChunkStats, RecordStats};

use crate::binaries::target::Target;

/// The recording must be of the binary's architecture.
pub(crate) fn check_machine(machine: Option<&str>, target: &Target<'_>) -> Result<(), Error> {
    let Some(machine) = machine else {
        return Ok(());
    };
    let recorded = match machine {
        "x86_64" | "amd64" => Arch::X86_64,
        "i386" | "i486" | "i586" | "i686" => Arch::X86,
        "aarch64" | "arm64" => Arch::AArch64,
        _ => return Ok(()),
    };
    // A 64-bit kernel runs 32-bit programs.
    let arch = target.image.arch();
    if recorded == arch || (recorded, arch) == (Arch::X86_64, Arch::X86) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::ArchitectureMismatch,
        format!(
            "recorded on {machine}, but {} is a program for {:?}",
            target.name(),
            target.image.arch()
        ),
    )
    .hint("Name the binary that ran where the recording was made."))
}

/// A mapping, in llvm-profgen's words.
pub(crate) fn mapping_event(name: &str, start: Avma) -> Diagnostic {
    Diagnostic::note(
        DiagnosticCode::MmapEvent,
        format!("Mmap: Binary {name} loaded at {:#x}: ", start.0),
    )
}

/// Damage and losses of an input, one diagnostic each.
pub(crate) fn trouble(stats: &RecordStats, chunks: ChunkStats, path: &Path) -> Vec<Diagnostic> {
    let path = path.display();
    let mut found = Vec::new();
    if let Some(damage) = &stats.damage {
        found.push(Diagnostic::warning(
            DiagnosticCode::InputDamaged,
            format!("{path}: {damage}; what comes before it is used"),
        ));
    }
    let malformed = stats.malformed_records + chunks.malformed;
    if malformed > 0 {
        found.push(Diagnostic::warning(
            DiagnosticCode::RecordsMalformed,
            format!("{path}: {malformed} records are malformed and were skipped"),
        ));
    }
    if chunks.unknown_event > 0 {
        let samples = chunks.unknown_event;
        found.push(Diagnostic::warning(
            DiagnosticCode::EventUnknown,
            format!("{path}: {samples} samples belong to no event of the file and were skipped"),
        ));
    }
    if stats.unknown_records > 0 {
        found.push(Diagnostic::note(
            DiagnosticCode::RecordsUnknown,
            format!(
                "{path}: {} records of unknown types were skipped",
                stats.unknown_records
            ),
        ));
    }
    found
}

/// Samples of guests are left out; all of them may be such.
pub(crate) fn guests(samples: u64, of: u64) -> Result<Option<Diagnostic>, Error> {
    if samples == 0 {
        return Ok(None);
    }
    let message = format!("{samples} of {of} samples were taken in guests, whose addresses mean nothing on the host");
    if samples == of {
        return Err(Error::new(ErrorCode::EmptyProfile, message)
            .hint("Profile a guest with a recording that was made inside it."));
    }
    Ok(Some(Diagnostic::warning(
        DiagnosticCode::GuestSamples,
        format!("{message}; they are left out"),
    )))
}
