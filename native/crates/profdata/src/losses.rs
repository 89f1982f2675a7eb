//! What an encoding cannot hold.

use job::{Diagnostic, DiagnosticCode, profile_warnings};
use sampleprof::{Format, Profile, WriteOptions};

/// Warnings about what `profile` will lose when it is written so. Where `llvm-profdata merge` warns of the same, the
/// text is its own.
pub(crate) fn losses(profile: &Profile, options: &WriteOptions) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut warn = |code, message: &str| found.push(Diagnostic::warning(code, message));
    let extbinary = options.format == Format::ExtBinary;
    let symbols = profile.symbols.as_ref().is_some_and(|symbols| !symbols.is_empty());
    if symbols && !extbinary {
        warn(
            DiagnosticCode::SymbolListLost,
            "Profile Symbol list is not empty but the output format is not ExtBinary format. The list will be lost in the output.",
        );
    }
    if options.compress && !extbinary {
        warn(
            DiagnosticCode::CompressionIgnored,
            "-compress-all-section is ignored. Specify -extbinary to enable it",
        );
    }
    if options.use_md5 && !extbinary {
        warn(
            DiagnosticCode::Md5Ignored,
            "-use-md5 is ignored. Specify -extbinary to enable it",
        );
    }
    if !extbinary {
        for (mark, what) in profile.flags.only_in_extbinary() {
            warn(
                mark.into(),
                &format!("the output format cannot say {what}; only extbinary can"),
            );
        }
    }
    found.extend(profile_warnings(profile, options.format));
    let keeps_guids = extbinary && options.use_md5;
    if profile.names.has_guids() && !keeps_guids {
        found.push(Diagnostic::warning(
            DiagnosticCode::NamesUnknown,
            "only the MD5 of some names is known; they are written as decimal numbers, which compilers take for names. \
             --use-md5 keeps them",
        ));
    } else if keeps_guids && has_text(profile) {
        found.push(Diagnostic::note(
            DiagnosticCode::NamesHashed,
            "names are written as MD5; they cannot be told from the profile afterwards",
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
