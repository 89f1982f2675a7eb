//! A debug file whose symbols stand for those of a stripped image.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::{Image, SymbolFile};
use crate::headers::SectionHeader;

/// Why a file's symbols cannot stand for those of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolFileProblem {
    /// It is another build's, or another machine's.
    #[error("it is of another build")]
    OtherBuild,
    /// Its sections are elsewhere, so its symbols would be, too.
    #[error("it has no section that is where {0} is, so it is not of this binary")]
    OtherSections(String),
}

impl Image {
    /// Takes the symbols of `file`, the debug file of this stripped image, in the place of its own.
    ///
    /// # Errors
    /// If `file` is no debug file of this image.
    pub fn take_symbols_of(&mut self, file: Self) -> Result<(), SymbolFileProblem> {
        self.symbol_file = Some(Box::new(SymbolFile::new(self, file)?));
        self.symbols = OnceLock::new();
        Ok(())
    }

    /// The debug file that symbols were taken of.
    pub fn symbol_file(&self) -> Option<&Path> {
        self.symbol_file.as_ref().map(|file| file.image.path())
    }
}

impl SymbolFile {
    /// Stripping leaves loaded sections where they are, and so symbols stay right. But sections that are not loaded can go from
    /// between them, which changes the numbers, so sections are told by address and size.
    fn new(stripped: &Image, image: Image) -> Result<Self, SymbolFileProblem> {
        let is_other = |(a, b)| a != b;
        if stripped.arch() != image.arch() || stripped.build_id().zip(image.build_id()).is_some_and(is_other) {
            return Err(SymbolFileProblem::OtherBuild);
        }
        let key = |section: &SectionHeader| {
            section
                .allocated
                .then_some((section.svma, section.size, section.executable))
        };
        let mut indices = HashMap::new();
        for (index, section) in (0u32..).zip(stripped.sections()) {
            // Of empty sections there can be several at one address, and any of them will do.
            if let Some(key) = key(section) {
                indices.entry(key).or_insert(index);
            }
        }
        let sections: Box<[Option<u32>]> = image
            .sections()
            .iter()
            .map(|section| indices.get(&key(section)?).copied())
            .collect();
        let mut found = vec![false; stripped.sections().len()];
        sections
            .iter()
            .flatten()
            .for_each(|&index| found[index as usize] = true);
        let missing = (0u32..)
            .zip(&found)
            .find(|&(index, found)| stripped.has_code(index) && !found);
        if let Some((index, _)) = missing {
            let name = String::from_utf8_lossy(stripped.section_name(index)).into_owned();
            return Err(SymbolFileProblem::OtherSections(name));
        }
        Ok(Self { image, sections })
    }
}
