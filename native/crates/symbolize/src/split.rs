//! Split DWARF: the `.dwo` files and packages that hold what skeleton units leave out (DWARF 5 section 7.3.2, GNU DebugFission).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use gimli::{Dwarf, DwarfFileType, DwarfPackage, DwoId, EndianSlice, LittleEndian};
use rustc_hash::FxHashMap;

use crate::diagnostics::Diagnostic;
use crate::dwarf::{Space, SplitReference, Unit, read_units};
use crate::object::{ElfFile, SectionSet, Sections, Slice, dwarf, map_file};

/// The split units of one object.
#[derive(Default)]
pub(crate) struct SplitUnits {
    files: Vec<SplitFile>,
    /// In the order of their skeletons.
    pub(crate) units: Vec<SplitUnit>,
}

struct SplitFile {
    sections: Sections,
    is_package: bool,
    /// The units of a file that is no package.
    units: Vec<Unit>,
}

/// A skeleton's other half.
pub(crate) struct SplitUnit {
    /// The skeleton's number.
    pub(crate) skeleton: usize,
    file: usize,
    id: u64,
    pub(crate) unit: Unit,
}

impl SplitUnits {
    /// Finds the other halves of the skeletons among `units`.
    pub(crate) fn load(
        object: &Path,
        main: &Dwarf<Slice<'_>>,
        units: &[Unit],
        package: Option<&Path>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let mut found = Self::default();
        let skeletons = units.iter().enumerate();
        let mut skeletons = skeletons
            .filter_map(|(index, unit)| Some((index, unit, unit.split.as_deref()?)))
            .peekable();
        if skeletons.peek().is_none() {
            return found;
        }
        let package = package.map_or_else(|| with_suffix(object, ".dwp"), Path::to_owned);
        found.open_package(&package, diagnostics);
        let mut opened = FxHashMap::default();
        for (skeleton, unit, reference) in skeletons {
            let file = if found.files.first().is_some_and(|file| file.is_package) {
                Some(0)
            } else {
                dwo_paths(object, reference).into_iter().find_map(|path| {
                    *opened
                        .entry(path)
                        .or_insert_with_key(|path| found.open(path, false, diagnostics))
                })
            };
            let split = file.and_then(|file| found.resolve(file, skeleton, unit, reference, main));
            match split {
                Some(split) => found.units.push(split),
                None => diagnostics.push(Diagnostic::DwoMissing {
                    name: String::from_utf8_lossy(&reference.name).into_owned(),
                }),
            }
        }
        found
    }

    fn open_package(&mut self, path: &Path, diagnostics: &mut Vec<Diagnostic>) {
        let Some(file) = self.open(path, true, diagnostics) else {
            return;
        };
        if let Err(error) = self.files[file].package() {
            self.files.pop();
            diagnostics.push(Diagnostic::UnreadablePackage {
                path: path.to_owned(),
                reason: error.to_string(),
            });
        }
    }

    fn open(&mut self, path: &Path, is_package: bool, diagnostics: &mut Vec<Diagnostic>) -> Option<usize> {
        let file = map_file(path).ok()?;
        let elf = ElfFile::parse(path, file).ok()?;
        let sections = elf.sections(SectionSet::Dwo, diagnostics).ok()?;
        let mut file = SplitFile {
            sections,
            is_package,
            units: Vec::new(),
        };
        if !is_package {
            file.units = read_units(&Space::without_units(dwarf(&file.sections)), DwarfFileType::Dwo).0;
        }
        self.files.push(file);
        Some(self.files.len() - 1)
    }

    fn resolve(
        &self,
        file: usize,
        skeleton: usize,
        skeleton_unit: &Unit,
        reference: &SplitReference,
        main: &Dwarf<Slice<'_>>,
    ) -> Option<SplitUnit> {
        let has_id = |unit: &&Unit| unit.split.as_ref().is_some_and(|split| split.id == reference.id);
        let mut unit = if self.files[file].is_package {
            let dwarf = self.files[file].dwarf(reference.id, main)?;
            let (units, _) = read_units(&Space::without_units(dwarf), DwarfFileType::Dwo);
            units.iter().find(has_id)?.clone()
        } else {
            self.files[file].units.iter().find(has_id)?.clone()
        };
        unit.base_address = skeleton_unit.base_address;
        unit.addr_base = skeleton_unit.addr_base;
        unit.ranges_base = reference.ranges_base;
        Some(SplitUnit {
            skeleton,
            file,
            id: reference.id,
            unit,
        })
    }

    /// The sections that a split unit's DIEs refer to.
    pub(crate) fn dwarf<'a>(&'a self, unit: &SplitUnit, main: &Dwarf<Slice<'a>>) -> Option<Dwarf<Slice<'a>>> {
        self.files[unit.file].dwarf(unit.id, main)
    }
}

impl SplitFile {
    fn package(&self) -> gimli::Result<DwarfPackage<Slice<'_>>> {
        let empty = EndianSlice::new(&[], LittleEndian);
        DwarfPackage::load(|id| Ok(self.sections.get(id)), empty)
    }

    fn dwarf<'a>(&'a self, id: u64, main: &Dwarf<Slice<'a>>) -> Option<Dwarf<Slice<'a>>> {
        if self.is_package {
            return self.package().ok()?.find_cu(DwoId(id), main).ok()?;
        }
        let mut dwarf = dwarf(&self.sections);
        dwarf.make_dwo(main);
        Some(dwarf)
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Where a `.dwo` may lie: where the compiler put it, else beside the object, for objects that were moved together with
/// their `.dwo` files.
fn dwo_paths(object: &Path, reference: &SplitReference) -> Vec<PathBuf> {
    let name = Path::new(OsStr::from_bytes(&reference.name));
    let mut paths = vec![Path::new(OsStr::from_bytes(&reference.directory)).join(name)];
    let beside = object.parent().unwrap_or(Path::new(""));
    paths.push(beside.join(name));
    paths.extend(name.file_name().map(|name| beside.join(name)));
    paths.dedup();
    paths
}
