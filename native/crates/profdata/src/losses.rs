//! Finds out what an encoding cannot store.

use job::{Diagnostic, DiagnosticCode, SmallerCounts, profile_warnings};
use sampleprof::{Format, Profile, WriteOptions};

/// Returns warnings about what `profile` will lose when it is written with these options. `smaller` selects the
/// advice for counts that are too large.
pub(crate) fn losses(profile: &Profile, options: &WriteOptions, smaller: SmallerCounts) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut warn = |code, message: &str| found.push(Diagnostic::warning(code, message));
    let extbinary = options.format == Format::ExtBinary;
    let symbols = profile.symbols.as_ref().is_some_and(|symbols| !symbols.is_empty());
    if symbols && !extbinary {
        warn(
            DiagnosticCode::SymbolListLost,
            "the list of symbols is left out, because only the extbinary format can hold it",
        );
    }
    if options.compress && !extbinary {
        warn(
            DiagnosticCode::CompressionIgnored,
            "the result is not compressed, because only the extbinary format can be",
        );
    }
    if options.use_md5 && !extbinary {
        warn(
            DiagnosticCode::Md5Ignored,
            "names stay as they are, because only the extbinary format can hold hashes instead",
        );
    }
    found.extend(profile_warnings(profile, options.format, smaller));
    let keeps_guids = extbinary && options.use_md5;
    if profile.names.has_guids() && !keeps_guids {
        found.push(Diagnostic::warning(
            DiagnosticCode::NamesUnknown,
            "for some names, only the MD5 is known. It is written as a decimal number, and compilers take the number for the name; the extbinary \
             format with hashed names keeps them",
        ));
    } else if keeps_guids && has_text(profile) {
        found.push(Diagnostic::note(
            DiagnosticCode::NamesHashed,
            "names are written as MD5 hashes, and nobody can read the names in the profile afterwards",
        ));
    }
    found
}

fn has_text(profile: &Profile) -> bool {
    profile
        .functions
        .iter()
        .any(|function| profile.names.get(function.name).text().is_some())
}
