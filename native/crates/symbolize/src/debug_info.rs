//! Finds, opens and indexes the debug information of one program.

use std::path::{Path, PathBuf};

use elf::{FileData, Image, Svma};
use gimli::DwarfFileType;
use object::CompressionFormat;

use crate::debug_files::{DebugFileProvider, DebugFileResolver, Located};
use crate::diagnostics::Diagnostic;
use crate::elf_file::{ElfFile, Wanted};
use crate::error::SymbolizeError;
use crate::options::DebugOptions;
use crate::sections::{SectionSet, Sections};
use crate::split::{SplitSearch, SplitUnits};
use dwarf::{CuMap, Fault, Space, Unit, UnitIndex, read_units};

/// The debug information of one program. Tables are built from it. It should be dropped when all tables are built,
/// because it holds the files.
pub struct DebugInfo {
    /// The file from which frames are read.
    frames: DebugObject,
    /// The file from which functions are read.
    functions: FunctionSource,
    diagnostics: Vec<Diagnostic>,
}

enum FunctionSource {
    SameAsFrames,
    Other(Box<DebugObject>),
}

/// One file with DWARF, and the files that it refers to.
pub(crate) struct DebugObject {
    path: PathBuf,
    sections: Sections,
    units: Vec<Unit>,
    /// True if the header of a unit cannot be read. The units after this header are lost.
    units_cut: bool,
    folded_by_lines: bool,
    cu_map: CuMap,
    /// The fault that hides the addresses of a unit.
    hidden: Option<Fault>,
    supplementary: Option<(Sections, Vec<Unit>)>,
    split: SplitUnits,
}

/// A [`DebugObject`] in the types of gimli.
pub(crate) struct View<'a> {
    pub(crate) sections: &'a Sections,
    pub(crate) main: Space<'a>,
    /// The split units, ascending by the number of their skeleton.
    pub(crate) split: Vec<(UnitIndex, Space<'a>)>,
    pub(crate) cu_map: &'a CuMap,
    /// True if lines decide between folded functions; see [`DebugOptions::folded_functions_by_lines`].
    pub(crate) folded_by_lines: bool,
}

impl DebugInfo {
    /// Finds and opens the debug information of `image`. Requests other files from `files`.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn of_image(
        image: &Image,
        options: &DebugOptions,
        files: &dyn DebugFileProvider,
    ) -> Result<Self, SymbolizeError> {
        Self::load(image.shared_data(), image.path(), image.build_id(), options, files)
    }

    /// Finds and opens the debug information of the program at `path`, whose bytes are `data`. Requests other files
    /// from `files`. `build_id` replaces the build id in the file.
    ///
    /// # Errors
    /// Fails if the program, or a debug binary that `options` names, is no readable little-endian ELF file. Missing
    /// or malformed debug information is no error; see [`Self::diagnostics`].
    pub fn load(
        data: FileData,
        path: &Path,
        build_id: Option<&[u8]>,
        options: &DebugOptions,
        files: &dyn DebugFileProvider,
    ) -> Result<Self, SymbolizeError> {
        let mut diagnostics = Vec::new();
        let resolver = DebugFileResolver::new(options, files);
        let named = match &options.debug_binary {
            Some(path) => resolver.open_named(path)?.with_addresses(&mut diagnostics)?,
            None => ElfFile::parse(path, data)?,
        };
        // The given build id is that of the profiled binary, so it says nothing about a debug binary that the
        // caller chose.
        let build_id = build_id.filter(|_| options.debug_binary.is_none());
        let separate = resolver.separate(&named, build_id, Wanted::DebugInfo, &mut diagnostics);
        let (frames, functions) = if let Some(Located { elf, source }) = separate {
            diagnostics.push(Diagnostic::DebugFile {
                path: elf.path.clone(),
                source,
            });
            let frames = DebugObject::load(&elf, path, resolver, &mut diagnostics)?;
            let functions = if options.function_table_follows_links && !named.has_debug_info {
                FunctionSource::SameAsFrames
            } else {
                let named = DebugObject::load(&named, path, resolver, &mut diagnostics)?;
                FunctionSource::Other(Box::new(named))
            };
            (frames, functions)
        } else {
            let frames = DebugObject::load(&named, path, resolver, &mut diagnostics)?;
            (frames, FunctionSource::SameAsFrames)
        };
        let mut debug = Self {
            frames,
            functions,
            diagnostics,
        };
        if let Some(package) = &options.dwp
            && !debug.has_skeletons()
        {
            let path = package.clone();
            debug.diagnostics.push(Diagnostic::PackageUnused { path });
        }
        Ok(debug)
    }

    /// Returns the files that were found, and what could not be read.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Returns the path of the file from which frames are read.
    #[must_use]
    pub fn frames_path(&self) -> &Path {
        &self.frames.path
    }

    /// Returns the path of the file from which functions are read.
    #[must_use]
    pub fn functions_path(&self) -> &Path {
        &self.function_object().path
    }

    /// Returns the number of the unit that an address belongs to.
    #[must_use]
    pub fn unit_at(&self, svma: Svma) -> Option<UnitIndex> {
        self.frames.cu_map.unit_at(svma.0)
    }

    /// Returns the number of units in the file from which frames are read.
    #[must_use]
    pub fn unit_count(&self) -> usize {
        self.frames.units.len()
    }

    pub(crate) fn functions_are_in_the_same_file(&self) -> bool {
        matches!(self.functions, FunctionSource::SameAsFrames)
    }

    /// Returns the fault that hides the addresses of some units, if there is one. These addresses then seem to
    /// belong to no unit.
    pub(crate) fn fault_of_addresses(&self) -> Option<Fault> {
        let frames = &self.frames;
        let unit_fault = frames.units.iter().find_map(|unit| unit.fault);
        let of_header = || frames.units_cut.then_some(Fault::UNREADABLE_UNIT);
        unit_fault.or(frames.hidden).or_else(of_header)
    }

    /// Returns true if a unit is the skeleton of a split unit.
    fn has_skeletons(&self) -> bool {
        let objects = [&self.frames, self.function_object()];
        objects
            .iter()
            .any(|object| object.units.iter().any(|unit| unit.split.is_some()))
    }

    fn function_object(&self) -> &DebugObject {
        match &self.functions {
            FunctionSource::SameAsFrames => &self.frames,
            FunctionSource::Other(object) => object,
        }
    }

    pub(crate) fn functions(&self) -> View<'_> {
        self.function_object().view()
    }

    pub(crate) fn frames(&self) -> View<'_> {
        self.frames.view()
    }

    /// Returns the compression of the sections of the file from which frames are read.
    pub(crate) fn compression(&self) -> Option<CompressionFormat> {
        self.frames.sections.compression
    }
}

/// Returns the units, and true if there are more units that cannot be read.
fn units(path: &Path, sections: &Sections, diagnostics: &mut Vec<Diagnostic>) -> (Vec<Unit>, bool) {
    let (units, error) = read_units(&Space::without_units(sections.dwarf()), DwarfFileType::Main);
    if let Some(error) = &error {
        diagnostics.push(Diagnostic::UnreadableUnits {
            path: path.to_owned(),
            units: units.len(),
            reason: error.to_string(),
        });
    }
    (units, error.is_some())
}

impl DebugObject {
    /// Loads the debug information of `program`, which is in `elf`.
    fn load(
        elf: &ElfFile,
        program: &Path,
        resolver: DebugFileResolver<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Self, SymbolizeError> {
        let options = resolver.options;
        let sections = Sections::read(elf, SectionSet::Plain, options.zdebug_sections, diagnostics)?;
        let (units, units_cut) = units(&elf.path, &sections, diagnostics);
        if let Some(format) = elf.other_format {
            let path = elf.path.clone();
            diagnostics.push(Diagnostic::OtherFormat { path, format });
        }
        let supplementary = match resolver.find_supplementary(elf, diagnostics) {
            Some(Located { elf, source }) => {
                diagnostics.push(Diagnostic::DebugFile {
                    path: elf.path.clone(),
                    source,
                });
                let sections = Sections::read(&elf, SectionSet::Plain, options.zdebug_sections, diagnostics)?;
                let (units, _) = self::units(&elf.path, &sections, diagnostics);
                Some((sections, units))
            }
            None => None,
        };
        let main = sections.dwarf();
        let moved = options.follow_links.moved_split_units && program != elf.path;
        let objects = [elf.path.as_path(), program];
        let search = SplitSearch {
            resolver,
            objects: if moved { &objects } else { &objects[..1] },
        };
        let split = SplitUnits::load(&search, &main, &units, diagnostics);
        let mut object = Self {
            path: elf.path.clone(),
            sections,
            units,
            units_cut,
            folded_by_lines: options.folded_functions_by_lines,
            cu_map: CuMap::default(),
            hidden: None,
            supplementary,
            split,
        };
        let (cu_map, hidden) = CuMap::build(&object.view().main);
        (object.cu_map, object.hidden) = (cu_map, hidden);
        Ok(object)
    }

    fn view(&self) -> View<'_> {
        let main = self.sections.dwarf();
        let split = self.split.units.iter().enumerate();
        let split = split.filter_map(|(index, split)| {
            let space = Space {
                id: 2 + index,
                dwarf: self.split.dwarf(split, &main)?,
                units: std::slice::from_ref(&split.unit),
                supplementary: None,
            };
            Some((split.skeleton, space))
        });
        let split = split.collect();
        let supplementary = self.supplementary.as_ref().map(|(sections, units)| {
            Box::new(Space {
                id: 1,
                dwarf: sections.dwarf(),
                units,
                supplementary: None,
            })
        });
        View {
            sections: &self.sections,
            main: Space {
                id: 0,
                dwarf: main,
                units: &self.units,
                supplementary,
            },
            split,
            cu_map: &self.cu_map,
            folded_by_lines: self.folded_by_lines,
        }
    }
}
