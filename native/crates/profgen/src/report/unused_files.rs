//! Reports debug files that the caller named and that the job has no use for.

use std::path::Path;

use job::{Diagnostic, DiagnosticCode};

use crate::binaries::id::ByBinary;
use crate::binaries::open::Subject;
use crate::request::options::GenerateOptions;

/// Returns a warning for each named debug file that is not read, because `result` needs no debug information. A debug
/// binary is read in any case if the program has no symbols of its own. llvm-profgen does not warn.
pub(crate) fn unused_files(options: &GenerateOptions, subjects: &ByBinary<Subject>, result: &str) -> Vec<Diagnostic> {
    if !options.policy.more_debug_information {
        return Vec::new();
    }
    let has_symbols = |path: &&Path| {
        !subjects
            .values()
            .any(|subject| subject.image.symbol_file() == Some(*path))
    };
    let debug_binary = options.debug_binary.as_deref().filter(has_symbols);
    let unused = debug_binary.into_iter().chain(options.dwp.as_deref());
    let warning = |path: &Path| {
        let message = format!("{} is not used: {result} needs no debug information", path.display());
        Diagnostic::warning(DiagnosticCode::DebugInfo, message)
    };
    unused.map(warning).collect()
}
