//! Symbols of stripped programs.

use elf::{Image, ImageKind};

use crate::diagnostics::{Diagnostic, Rejection};
use crate::error::SymbolizeError;
use crate::object::{ElfFile, Wanted, locate, open_file};
use crate::options::DebugOptions;

/// Gives `image` the symbols of its debug file, if it has none of its own. Returns which files were not used, and why.
///
/// # Errors
/// If a debug binary that `options` names is no readable little-endian ELF file.
pub fn add_symbols(image: &mut Image, options: &DebugOptions) -> Result<Vec<Diagnostic>, SymbolizeError> {
    let mut diagnostics = Vec::new();
    // A module without symbols cannot be relocated, so there are none.
    if image.kind() == ImageKind::Module || image.has_code_symbols() {
        return Ok(diagnostics);
    }
    let path = options.debug_binary.as_deref().unwrap_or(image.path());
    let named = match open_file(path).and_then(|file| ElfFile::parse(path, file)) {
        Ok(named) => named,
        // Whoever reads the debug information of the program says what is wrong with it.
        Err(_) if options.debug_binary.is_none() => return Ok(diagnostics),
        Err(error) => return Err(error),
    };
    let build_id = image.build_id().filter(|_| options.debug_binary.is_none());
    let found = if options.debug_binary.is_some() && named.has_symbols {
        Some(named.path)
    } else {
        locate(&named, build_id, Wanted::Symbols, options, &mut diagnostics).map(|found| found.elf.path)
    };
    if let Some(path) = found {
        let taken = Image::open(&path)
            .map_err(|error| Rejection::Unreadable(error.to_string()))
            .and_then(|file| image.take_symbols_of(file).map_err(Rejection::OtherSymbols));
        if let Err(reason) = taken {
            diagnostics.push(Diagnostic::CandidateRejected { path, reason });
        }
    }
    Ok(diagnostics)
}
