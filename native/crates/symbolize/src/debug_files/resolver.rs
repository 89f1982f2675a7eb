//! Finds the files that a binary needs: requests one candidate after the other from a provider until a file fits.

use std::io;
use std::path::{Path, PathBuf};

use super::candidates::{self, Candidate, Identity};
use super::file_system::uncompressed;
use super::provider::{DebugFileProvider, FileRequest, OpenedFile};
use crate::diagnostics::{DebugFileSource, Diagnostic, Rejection};
use crate::elf_file::{ElfFile, Wanted};
use crate::error::SymbolizeError;
use crate::options::DebugOptions;

/// A file that was found, and the way in which it was found.
pub(crate) struct Located {
    pub(crate) elf: ElfFile,
    pub(crate) source: DebugFileSource,
}

/// Finds the debug files of binaries.
#[derive(Clone, Copy)]
pub(crate) struct DebugFileResolver<'r> {
    pub(crate) options: &'r DebugOptions,
    files: &'r dyn DebugFileProvider,
}

impl<'r> DebugFileResolver<'r> {
    pub(crate) fn new(options: &'r DebugOptions, files: &'r dyn DebugFileProvider) -> Self {
        Self { options, files }
    }

    /// Opens a file that the caller named. The file may be compressed as a whole.
    pub(crate) fn open_named(&self, path: &Path) -> Result<ElfFile, SymbolizeError> {
        let opened = self.files.open(FileRequest::Path(path));
        let OpenedFile { path, data } = opened.map_err(|source| SymbolizeError::Read {
            path: path.to_owned(),
            source,
        })?;
        ElfFile::parse(&path, uncompressed(data, &path)?)
    }

    /// Returns the separate debug file of `named` that has the wanted sections. `build_id` replaces the build id in
    /// the file.
    pub(crate) fn separate(
        &self,
        named: &ElfFile,
        build_id: Option<&[u8]>,
        wanted: Wanted,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Located> {
        let candidates = candidates::separate(named, build_id, wanted, self.options, self.files);
        self.first_match(candidates, named, wanted, diagnostics)
    }

    /// Returns the supplementary file, to which dwz moved a part of the debug information of `elf`.
    pub(crate) fn find_supplementary(&self, elf: &ElfFile, diagnostics: &mut Vec<Diagnostic>) -> Option<Located> {
        let supplement = elf.supplementary.as_ref()?;
        if !self.options.follow_links.supplementary {
            return None;
        }
        let candidates = candidates::supplementary(elf, supplement, self.options, self.files);
        let found = self.first_match(candidates, elf, Wanted::DebugInfo, diagnostics);
        if found.is_none() {
            diagnostics.push(Diagnostic::SupplementaryMissing {
                name: String::from_utf8_lossy(&supplement.name).into_owned(),
                id: supplement.id.clone(),
            });
        }
        found
    }

    /// Returns the paths where the `.dwo` file of a skeleton unit in one of `objects` may be.
    pub(crate) fn split_unit_paths(&self, name: &[u8], directory: &[u8], objects: &[&Path]) -> Vec<PathBuf> {
        candidates::split_unit(name, directory, objects, self.options)
    }

    /// Returns the paths where the package of the split units of `objects` may be, if the caller named none.
    pub(crate) fn package_paths(&self, objects: &[&Path]) -> Vec<PathBuf> {
        candidates::packages(objects)
    }

    /// Opens a `.dwo` file or a package. Returns `Ok(None)` if there is no such file.
    pub(crate) fn open_split_file(&self, path: &Path) -> Result<Option<ElfFile>, String> {
        match self.files.open(FileRequest::Path(path)) {
            Ok(OpenedFile { path, data }) => {
                let elf = ElfFile::parse(&path, data);
                elf.map(Some).map_err(|error| error.to_string())
            }
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error.to_string()),
        }
    }

    /// Returns the first candidate that fits. Reports candidates that exist and do not fit.
    fn first_match(
        &self,
        candidates: Vec<Candidate>,
        of: &ElfFile,
        wanted: Wanted,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Located> {
        candidates.into_iter().find_map(|candidate| {
            let opened = match self.files.open(candidate.place.request()) {
                Ok(opened) => opened,
                Err(error) if is_absent(&error) => return None,
                Err(error) => {
                    if let FileRequest::Path(path) = candidate.place.request() {
                        diagnostics.push(candidate_rejected(path, Rejection::Unreadable(error.to_string())));
                    }
                    return None;
                }
            };
            // A link may lead back to the file that has the link.
            if self.files.real_path(&opened.path) == self.files.real_path(&of.path) {
                return None;
            }
            let path = opened.path.clone();
            let checked = check_candidate(opened, &candidate.identity, wanted).and_then(|elf| {
                elf.with_addresses(diagnostics)
                    .map_err(|error| Rejection::Unreadable(error.to_string()))
            });
            match checked {
                Ok(elf) => Some(Located {
                    elf,
                    source: candidate.source,
                }),
                Err(reason) => {
                    diagnostics.push(candidate_rejected(&path, reason));
                    None
                }
            }
        })
    }
}

/// Returns true if there is no file. A folder or a device counts as absent, too, because neither is a debug file.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::InvalidInput
    )
}

fn candidate_rejected(path: &Path, reason: Rejection) -> Diagnostic {
    Diagnostic::CandidateRejected {
        path: path.to_owned(),
        reason,
    }
}

/// Returns the file if it is the requested file and has the wanted sections.
fn check_candidate(opened: OpenedFile, identity: &Identity, wanted: Wanted) -> Result<ElfFile, Rejection> {
    let elf = ElfFile::parse(&opened.path, opened.data).map_err(|error| Rejection::Unreadable(error.to_string()))?;
    match identity {
        Identity::BuildId(id) => check_build_id(&elf, id)?,
        Identity::Crc(crc) => check_crc(&elf, *crc)?,
        Identity::Supplement(id) if elf.supplementary_id.as_ref() == Some(id) => {}
        Identity::Supplement(id) => check_build_id(&elf, id)?,
    }
    match wanted {
        _ if elf.has(wanted) => Ok(elf),
        Wanted::DebugInfo => Err(Rejection::NoDebugInfo),
        Wanted::Symbols => Err(Rejection::NoSymbols),
    }
}

fn check_build_id(elf: &ElfFile, expected: &[u8]) -> Result<(), Rejection> {
    if elf.build_id.as_deref() == Some(expected) {
        return Ok(());
    }
    Err(Rejection::BuildId {
        expected: expected.to_vec(),
        found: elf.build_id.clone(),
    })
}

fn check_crc(elf: &ElfFile, expected: u32) -> Result<(), Rejection> {
    let mut crc = flate2::Crc::new();
    crc.update((*elf.data).as_ref());
    let found = crc.sum();
    if found == expected {
        return Ok(());
    }
    Err(Rejection::Crc { expected, found })
}
