//! Takes the symbols of a stripped image from its debug file.

use std::collections::HashMap;
use std::path::Path;
use std::sync::OnceLock;

use super::{Image, SymbolFile};
use crate::headers::SectionHeader;

/// Why the symbols of a file cannot stand for those of an image.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SymbolFileProblem {
    /// The file belongs to another build, or to another machine.
    #[error("it is of another build")]
    OtherBuild,
    /// The sections of the file have other addresses than those of the image, so its symbols would have wrong
    /// addresses.
    #[error("it has no section at the place of {0}, so it belongs to another binary")]
    OtherSections(String),
}

impl Image {
    /// Uses the symbols of `file`, the debug file of this stripped image, in place of the symbols of the image.
    ///
    /// # Errors
    /// Fails if `file` is no debug file of this image.
    pub fn use_symbol_file(&mut self, file: Self) -> Result<(), SymbolFileProblem> {
        self.symbol_file = Some(Box::new(SymbolFile::new(self, file)?));
        self.symbols = OnceLock::new();
        Ok(())
    }

    /// Returns the path of the debug file that the symbols were taken from.
    pub fn symbol_file(&self) -> Option<&Path> {
        self.symbol_file.as_ref().map(|file| file.image.path())
    }
}

impl SymbolFile {
    /// Pairs the sections of the debug file with those of the stripped image. Stripping keeps the addresses of
    /// loaded sections, so symbols stay right. But stripping can remove sections that are not loaded from between
    /// them, which changes the section numbers. So sections are paired by address and size.
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
            // Several empty sections can have one address, and any of them will do.
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
