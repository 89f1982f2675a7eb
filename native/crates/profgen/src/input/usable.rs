//! Checks whether a recording can be used, and reports the parts of it that are damaged or left out.

use std::path::Path;

use elf::Arch;
use job::{Diagnostic, DiagnosticCode, Error, ErrorCode, count_of, form};
use perfdata::{Avma, ChunkStats, RecordStats};

use crate::binaries::target::Target;

/// Refuses a recording of another architecture than the binary's.
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
    if runs_on(recorded, target.image.arch()) {
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

/// Returns true if a machine runs programs of this architecture. A 64-bit kernel runs 32-bit programs.
fn runs_on(machine: Arch, program: Arch) -> bool {
    machine == program || (machine, program) == (Arch::X86_64, Arch::X86)
}

/// Returns a diagnostic about a mapping, in llvm-profgen's words.
pub(crate) fn mapping_event(name: &str, start: Avma) -> Diagnostic {
    Diagnostic::note(
        DiagnosticCode::MmapEvent,
        format!("Mmap: Binary {name} loaded at {:#x}: ", start.0),
    )
}

/// Returns the damage and the losses of an input, one diagnostic each.
pub(crate) fn trouble(stats: &RecordStats, chunks: ChunkStats, file: &Path) -> Vec<Diagnostic> {
    let path = file.display();
    let mut found = Vec::new();
    if let Some(damage) = &stats.damage {
        found.push(Diagnostic::warning(
            DiagnosticCode::InputDamaged,
            format!("{path}: {damage}; the samples before this place are used"),
        ));
    }
    let malformed = stats.malformed_records + chunks.malformed;
    if malformed > 0 {
        found.push(Diagnostic::warning(
            DiagnosticCode::RecordsMalformed,
            format!(
                "{path}: {} malformed and {} skipped",
                count_of(malformed, "record") + form(malformed, " is", " are"),
                form(malformed, "was", "were")
            ),
        ));
    }
    found.extend(trace_diagnostics(stats, chunks, file));
    if chunks.unknown_event > 0 {
        let samples = count_of(chunks.unknown_event, "sample");
        let (belong, were) = (
            form(chunks.unknown_event, "belongs", "belong"),
            form(chunks.unknown_event, "was", "were"),
        );
        found.push(Diagnostic::warning(
            DiagnosticCode::EventUnknown,
            format!("{path}: {samples} {belong} to no event of the file and {were} skipped"),
        ));
    }
    if stats.unknown_records > 0 {
        found.push(Diagnostic::note(
            DiagnosticCode::RecordsUnknown,
            format!(
                "{path}: {} of an unknown type {} skipped",
                count_of(stats.unknown_records, "record"),
                form(stats.unknown_records, "was", "were")
            ),
        ));
    }
    found
}

/// Returns the damage and the losses of a trace, one diagnostic each.
fn trace_diagnostics(stats: &RecordStats, chunks: ChunkStats, path: &Path) -> Vec<Diagnostic> {
    let path = path.display();
    let mut found = Vec::new();
    let packets = chunks.trace.packets;
    if packets.cut > 0 {
        let reason = if packets.bad_bytes > 0 {
            "damaged or cut off"
        } else {
            "cut off, because trace data after the cut are missing"
        };
        let message = format!(
            "{path}: {} of the trace {} {reason}; the others ({}) are used",
            count_of(packets.cut, "record"),
            form(packets.cut, "is", "are"),
            count_of(packets.records, "record")
        );
        found.push(Diagnostic::warning(DiagnosticCode::TraceDamaged, message));
    }
    if packets.unknown_packets > 0 {
        let skipped = packets.unknown_packets;
        let message = format!(
            "{path}: {} of an unknown type {} skipped in the trace",
            count_of(skipped, "packet"),
            form(skipped, "was", "were")
        );
        found.push(Diagnostic::note(DiagnosticCode::RecordsUnknown, message));
    }
    let incomplete = chunks.trace.incomplete;
    if incomplete > 0 {
        let message = format!(
            "{path}: {} left out, because the record does not say where the branch is or where it went",
            count_of(incomplete, "sampled branch") + form(incomplete, " is", " are")
        );
        found.push(Diagnostic::warning(DiagnosticCode::TraceDamaged, message));
    }
    if stats.traces_truncated > 0 {
        let times = count_of(stats.traces_truncated, "time");
        let message = format!(
            "{path}: the buffer of the trace was full {times}, and what the CPU sampled then is lost. Record with a larger buffer \
             (perf record -m,64M) or a larger period"
        );
        found.push(Diagnostic::warning(DiagnosticCode::TraceTruncated, message));
    }
    if stats.trace_collisions > 0 {
        let times = count_of(stats.trace_collisions, "time");
        let message = format!(
            "{path}: the CPU gave up samples at least {times}, because it still followed the operation before. Operations that come \
             soon after a sampled one have too few samples then. Record with a larger period"
        );
        found.push(Diagnostic::note(DiagnosticCode::TraceTruncated, message));
    }
    found
}

/// Returns the warning that the kernel wrote parts of call chains later than the samples, and that some of
/// these parts are missing in the recording.
pub(crate) fn about_incomplete_call_chains(chunks: ChunkStats, path: &Path) -> Diagnostic {
    let message = format!(
        "{}: {} of {} samples have a call chain that lacks its part in user space, so that their contexts have no callers. With `perf record \
         --call-graph fp,defer` the kernel writes that part later, and the recording does not have it. Record with `--call-graph fp`, which \
         stores it in the sample",
        path.display(),
        chunks.incomplete_call_chains,
        chunks.samples
    );
    Diagnostic::warning(DiagnosticCode::CallChainsIncomplete, message)
}

/// Returns a warning about samples of a stream that came after the address spaces of their time were forgotten.
pub(crate) fn about_late_samples(samples: u64) -> Option<Diagnostic> {
    let message = format!(
        "{} came so late that the mappings of that time were forgotten meanwhile: {} counted by the mappings that followed. Record with a \
         smaller buffer for the trace (perf record -m,512K), or end `perf record` more often",
        count_of(samples, "sample"),
        form(samples, "it is", "they are")
    );
    (samples > 0).then(|| Diagnostic::warning(DiagnosticCode::SamplesLate, message))
}

/// Returns a note about samples of guests, which are left out. It is an error if all samples are of guests.
pub(crate) fn guests(samples: u64, of: u64) -> Result<Option<Diagnostic>, Error> {
    if samples == 0 {
        return Ok(None);
    }
    let message = format!(
        "{samples} of {of} samples {} taken in guests, whose addresses mean nothing on the host",
        form(samples, "was", "were")
    );
    if samples == of {
        return Err(Error::new(ErrorCode::EmptyProfile, message)
            .hint("Profile a guest with a recording that was made inside it."));
    }
    Ok(Some(Diagnostic::warning(
        DiagnosticCode::GuestSamples,
        format!("{message}; they are left out"),
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_64_bit_kernel_runs_32_bit_programs() {
        use Arch::{AArch64, X86, X86_64};
        for (machine, programs) in [(X86_64, &[X86_64, X86][..]), (X86, &[X86]), (AArch64, &[AArch64])] {
            let all = [X86_64, X86, AArch64];
            let run: Vec<Arch> = all.into_iter().filter(|program| runs_on(machine, *program)).collect();
            assert_eq!(run, programs, "{machine:?}");
        }
    }
}
