//! Reads split DWARF: the `.dwo` files and packages with the units that skeleton units refer to (DWARF 5 section
//! 7.3.2, GNU DebugFission).

use std::path::{Path, PathBuf};

use gimli::{Dwarf, DwarfFileType, DwarfPackage, DwoId, EndianSlice, LittleEndian};
use rustc_hash::FxHashMap;

use crate::debug_files::DebugFileResolver;
use crate::diagnostics::{Diagnostic, Rejection};
use crate::sections::{SectionSet, Sections};
use dwarf::{Slice, Space, SplitReference, Unit, UnitIndex, read_units};

/// The split units of one object.
#[derive(Default)]
pub(crate) struct SplitUnits {
    files: Vec<SplitFile>,
    /// The split units, in the order of their skeletons.
    pub(crate) units: Vec<SplitUnit>,
}

struct SplitFile {
    sections: Sections,
    is_package: bool,
    /// The units of a file that is no package.
    units: Vec<Unit>,
}

/// The split unit of a skeleton.
pub(crate) struct SplitUnit {
    /// Number of the skeleton.
    pub(crate) skeleton: UnitIndex,
    file: usize,
    id: u64,
    pub(crate) unit: Unit,
}

/// The places where the split units of skeletons are looked for.
pub(crate) struct SplitSearch<'a> {
    pub(crate) resolver: DebugFileResolver<'a>,
    /// Path of the file with the skeletons, followed by the path of the program if that is another file: the debug
    /// file of a stripped program has the skeletons, and the package lies beside the program.
    pub(crate) objects: &'a [&'a Path],
}

/// The package of a program's split units, or why the package that the caller named cannot be used.
enum Package {
    None,
    Opened { file: usize, path: PathBuf },
    Unusable { path: PathBuf, reason: String },
}

impl SplitUnits {
    /// Finds the split units of the skeletons among `units`.
    pub(crate) fn load(
        search: &SplitSearch<'_>,
        main: &Dwarf<Slice<'_>>,
        units: &[Unit],
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut found = Self::default();
        let skeletons = units.iter().enumerate();
        let mut skeletons = skeletons
            .filter_map(|(index, unit)| Some((UnitIndex(index), unit, unit.split.as_deref()?)))
            .peekable();
        if skeletons.peek().is_none() {
            return found;
        }
        let package = found.open_package(search, diagnostics);
        let mut opened = FxHashMap::default();
        for (skeleton, unit, reference) in skeletons {
            let file = if let Package::Opened { file, .. } = &package {
                Some(*file)
            } else {
                let paths = search
                    .resolver
                    .split_unit_paths(&reference.name, &reference.directory, search.objects);
                paths.into_iter().find_map(|path| {
                    *opened
                        .entry(path)
                        .or_insert_with_key(|path| found.open_unit_file(path, search, diagnostics))
                })
            };
            let split = match file {
                Some(file) => found.resolve(file, skeleton, unit, reference, main),
                None => Ok(None),
            };
            let mut missing = match split {
                Ok(Some(split)) => {
                    found.units.push(split);
                    continue;
                }
                Ok(None) => None,
                Err(error) => Some(error.to_string()),
            };
            let package = match &package {
                Package::None => None,
                Package::Opened { path, .. } => Some(path.clone()),
                Package::Unusable { path, reason } => {
                    missing.get_or_insert_with(|| reason.clone());
                    Some(path.clone())
                }
            };
            let name = if reference.name.is_empty() {
                missing = missing.or(unit.fault.map(|fault| fault.to_string()));
                format!("of the unit at offset {:#x}", unit.offset.0)
            } else {
                String::from_utf8_lossy(&reference.name).into_owned()
            };
            diagnostics.push(Diagnostic::DwoMissing {
                name,
                package,
                reason: missing,
            });
        }
        found
    }

    /// Opens the package. Only a package that the caller named must exist.
    fn open_package(&mut self, search: &SplitSearch<'_>, diagnostics: &mut Vec<Diagnostic>) -> Package {
        let named = search.resolver.options.dwp.clone();
        let is_named = named.is_some();
        let paths = named.map_or_else(|| search.resolver.package_paths(search.objects), |path| vec![path]);
        for path in paths {
            let reason = match self.open(&path, true, search, diagnostics) {
                Ok(Some(file)) => match self.files[file].package() {
                    Ok(_) => return Package::Opened { file, path },
                    Err(error) => {
                        self.files.pop();
                        error.to_string()
                    }
                },
                Ok(None) if is_named => "there is no such file".to_owned(),
                Ok(None) => continue,
                Err(reason) => reason,
            };
            diagnostics.push(Diagnostic::UnreadablePackage {
                path: path.clone(),
                reason: reason.clone(),
            });
            if is_named {
                return Package::Unusable { path, reason };
            }
        }
        Package::None
    }

    /// Opens a `.dwo` file. Reports a file that exists and cannot be read.
    fn open_unit_file(
        &mut self,
        path: &Path,
        search: &SplitSearch<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<usize> {
        self.open(path, false, search, diagnostics).unwrap_or_else(|reason| {
            diagnostics.push(Diagnostic::CandidateRejected {
                path: path.to_owned(),
                reason: Rejection::Unreadable(reason),
            });
            None
        })
    }

    fn open(
        &mut self,
        path: &Path,
        is_package: bool,
        search: &SplitSearch<'_>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<usize>, String> {
        let Some(elf) = search.resolver.open_split_file(path)? else {
            return Ok(None);
        };
        let zdebug = search.resolver.options.zdebug_sections;
        let sections = Sections::read(&elf, SectionSet::Dwo, zdebug, diagnostics);
        let sections = sections.map_err(|error| error.to_string())?;
        let mut file = SplitFile {
            sections,
            is_package,
            units: Vec::new(),
        };
        if !is_package {
            let (units, error) = read_units(&Space::without_units(file.sections.dwarf()), DwarfFileType::Dwo);
            diagnostics.extend(error.map(|error| Diagnostic::UnreadableUnits {
                path: path.to_owned(),
                units: units.len(),
                reason: error.to_string(),
            }));
            file.units = units;
        }
        self.files.push(file);
        Ok(Some(self.files.len() - 1))
    }

    fn resolve(
        &self,
        file: usize,
        skeleton: UnitIndex,
        skeleton_unit: &Unit,
        reference: &SplitReference,
        main: &Dwarf<Slice<'_>>,
    ) -> gimli::Result<Option<SplitUnit>> {
        let has_id = |unit: &&Unit| unit.split.as_ref().is_some_and(|split| split.id == reference.id);
        let unit = if self.files[file].is_package {
            let Some(dwarf) = self.files[file].dwarf(reference.id, main)? else {
                return Ok(None);
            };
            let (units, error) = read_units(&Space::without_units(dwarf), DwarfFileType::Dwo);
            match (units.iter().find(has_id), error) {
                (None, Some(error)) => return Err(error),
                (unit, _) => unit.cloned(),
            }
        } else {
            self.files[file].units.iter().find(has_id).cloned()
        };
        let Some(mut unit) = unit else {
            return Ok(None);
        };
        unit.base_address = skeleton_unit.base_address;
        unit.addr_base = skeleton_unit.addr_base;
        unit.ranges_base = reference.ranges_base;
        Ok(Some(SplitUnit {
            skeleton,
            file,
            id: reference.id,
            unit,
        }))
    }

    /// Returns the sections that the DIEs of a split unit refer to.
    pub(crate) fn dwarf<'a>(&'a self, unit: &SplitUnit, main: &Dwarf<Slice<'a>>) -> Option<Dwarf<Slice<'a>>> {
        self.files[unit.file].dwarf(unit.id, main).ok()?
    }
}

impl SplitFile {
    fn package(&self) -> gimli::Result<DwarfPackage<Slice<'_>>> {
        let empty = EndianSlice::new(&[], LittleEndian);
        DwarfPackage::load(|id| Ok(self.sections.get(id)), empty)
    }

    fn dwarf<'a>(&'a self, id: u64, main: &Dwarf<Slice<'a>>) -> gimli::Result<Option<Dwarf<Slice<'a>>>> {
        if self.is_package {
            return self.package()?.find_cu(DwoId(id), main);
        }
        let mut dwarf = self.sections.dwarf();
        dwarf.make_dwo(main);
        Ok(Some(dwarf))
    }
}
