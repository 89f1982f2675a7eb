//! Finds the symbols of stripped programs.

use elf::{Image, ImageKind};

use crate::debug_files::{DebugFileProvider, DebugFileResolver};
use crate::diagnostics::{Diagnostic, Rejection};
use crate::elf_file::{ElfFile, Wanted};
use crate::error::SymbolizeError;
use crate::options::DebugOptions;

/// Gives `image` the symbols of its debug file, if it has none of its own. Returns the files that were rejected,
/// and why.
///
/// # Errors
/// Fails if a debug binary that `options` names is no readable little-endian ELF file.
pub fn add_symbols(
    image: &mut Image,
    options: &DebugOptions,
    files: &dyn DebugFileProvider,
) -> Result<Vec<Diagnostic>, SymbolizeError> {
    let mut diagnostics = Vec::new();
    // A kernel module without symbols cannot exist, because it could not be relocated.
    if image.kind() == ImageKind::Module || image.has_code_symbols() {
        return Ok(diagnostics);
    }
    let resolver = DebugFileResolver::new(options, files);
    let found = match &options.debug_binary {
        Some(path) => {
            let named = resolver.open_named(path)?;
            if named.has_symbols {
                Some(named)
            } else {
                let found = resolver.separate(&named, None, Wanted::Symbols, &mut diagnostics);
                found.map(|found| found.elf)
            }
        }
        // If the program cannot be read, the reader of its debug information reports the error.
        None => ElfFile::parse(image.path(), image.shared_data())
            .ok()
            .and_then(|named| {
                let found = resolver.separate(&named, image.build_id(), Wanted::Symbols, &mut diagnostics);
                found.map(|found| found.elf)
            }),
    };
    if let Some(ElfFile { path, data, .. }) = found {
        let taken = Image::from_data(data, &path)
            .map_err(|error| Rejection::Unreadable(error.to_string()))
            .and_then(|file| image.use_symbol_file(file).map_err(Rejection::OtherSymbols));
        if let Err(reason) = taken {
            diagnostics.push(Diagnostic::CandidateRejected { path, reason });
        }
    }
    Ok(diagnostics)
}
