//! Diagnostics about an input that was collected.

use std::path::Path;

use job::{Diagnostic, DiagnosticCode, Error, ErrorCode};
use perfdata::{ChunkStats, Metadata, RecordStats};

use crate::binaries::live_text::KernelMemory;
use crate::gather::chosen::Chosen;
use crate::input::arm_spe::about_arm_spe;
use crate::input::events::{about_addresses, left_out, without_user_frames};
use crate::input::usable::trouble;
use crate::request::options::GenerateOptions;

/// Returns the diagnostics about an input.
///
/// # Errors
/// If `strict` is true and the input is damaged.
pub(crate) fn about_input(
    metadata: &Metadata,
    options: &GenerateOptions,
    chosen: &Chosen<'_>,
    (stats, chunks): (&RecordStats, &ChunkStats),
    path: &Path,
    strict: bool,
) -> Result<Vec<Diagnostic>, Error> {
    let mut found = trouble(stats, *chunks, path);
    if let Some(first) = found.first().filter(|_| strict) {
        return Err(Error::new(ErrorCode::InputDamaged, first.message.clone())
            .path(path)
            .hint("Leave out {--strict} to use what can be read."));
    }
    found.extend(left_out(metadata, options));
    found.extend(without_user_frames(metadata, options));
    found.extend(about_addresses(metadata, &chosen.usable));
    match about_arm_spe(metadata, &chosen.usable, &chunks.trace, path) {
        Ok(about) => found.extend(about),
        // A host on which nothing was sampled is no reason to end the job.
        Err(error) => {
            let message = format!("{}: {}", path.display(), error.message);
            found.push(Diagnostic::warning(DiagnosticCode::NoSamples, message));
        }
    }
    found.extend(KernelMemory::is_in(path).then(|| kernel_memory_unused(path)));
    Ok(found)
}

fn kernel_memory_unused(path: &Path) -> Diagnostic {
    let message = format!(
        "{}: the kernel's memory of `perf record --kcore` is not collected, so a profile of the traces reads the code of the kernel and of \
         modules from their files only. It lacks runs of code across a call or jump that the kernel replaced, unless a table in the file lists \
         the call or jump; a vmlinux lists nearly all. Make a profile of the recording itself to use the memory",
        path.display()
    );
    Diagnostic::note(DiagnosticCode::KcoreUnused, message)
}
