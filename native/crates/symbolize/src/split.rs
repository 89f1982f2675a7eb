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

/// Where the other halves of skeletons are looked for.
pub(crate) struct SplitSearch<'a> {
    /// The package that was asked for by name.
    pub(crate) package: Option<&'a Path>,
    /// The file with the skeletons.
    pub(crate) object: &'a Path,
    /// The program, if that is another file: the debug file of a stripped program has the skeletons, and the program has the package
    /// beside it. `None` also where only what LLVM finds is wanted.
    pub(crate) program: Option<&'a Path>,
    /// Whether a `.dwo` that is not where the compiler put it is looked for beside the objects.
    pub(crate) beside: bool,
    /// Whether `.zdebug_*` sections are read.
    pub(crate) zdebug_sections: bool,
}

impl SplitSearch<'_> {
    fn objects(&self) -> impl Iterator<Item = &Path> {
        std::iter::once(self.object).chain(self.program)
    }

    /// Where a `.dwo` may lie: where the compiler put it, else beside the object, for objects that were moved together with
    /// their `.dwo` files.
    fn dwo_paths(&self, reference: &SplitReference) -> Vec<PathBuf> {
        let name = Path::new(OsStr::from_bytes(&reference.name));
        let mut paths = vec![Path::new(OsStr::from_bytes(&reference.directory)).join(name)];
        if self.beside {
            for object in self.objects() {
                let beside = object.parent().unwrap_or(Path::new(""));
                paths.push(beside.join(name));
                paths.extend(name.file_name().map(|name| beside.join(name)));
            }
        }
        paths.dedup();
        paths
    }
}

impl SplitUnits {
    /// Finds the other halves of the skeletons among `units`.
    pub(crate) fn load(
        search: &SplitSearch<'_>,
        main: &Dwarf<Slice<'_>>,
        units: &[Unit],
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
        let package = found.open_package(search, diagnostics);
        let mut opened = FxHashMap::default();
        for (skeleton, unit, reference) in skeletons {
            let file = if package.is_some() {
                Some(0)
            } else {
                search.dwo_paths(reference).into_iter().find_map(|path| {
                    *opened
                        .entry(path)
                        .or_insert_with_key(|path| found.open(path, false, search.zdebug_sections, diagnostics).ok())
                })
            };
            let split = file.and_then(|file| found.resolve(file, skeleton, unit, reference, main));
            match split {
                Some(split) => found.units.push(split),
                None => diagnostics.push(Diagnostic::DwoMissing {
                    name: String::from_utf8_lossy(&reference.name).into_owned(),
                    package: package.clone(),
                }),
            }
        }
        found
    }

    /// Opens the package and returns its path. Only one that was asked for by name must be there.
    fn open_package(&mut self, search: &SplitSearch<'_>, diagnostics: &mut Vec<Diagnostic>) -> Option<PathBuf> {
        let Some(named) = search.package else {
            let objects = search.objects().map(|object| with_suffix(object, ".dwp"));
            return objects.into_iter().find(|path| {
                let opened = self.open(path, true, search.zdebug_sections, diagnostics);
                opened.is_ok_and(|file| self.check_package(file, path, diagnostics))
            });
        };
        match self.open(named, true, search.zdebug_sections, diagnostics) {
            Ok(file) => self.check_package(file, named, diagnostics).then(|| named.to_owned()),
            Err(reason) => {
                diagnostics.push(Diagnostic::UnreadablePackage {
                    path: named.to_owned(),
                    reason,
                });
                None
            }
        }
    }

    /// Whether the file that was opened last is a package; if not, it is closed and reported.
    fn check_package(&mut self, file: usize, path: &Path, diagnostics: &mut Vec<Diagnostic>) -> bool {
        let Err(error) = self.files[file].package() else {
            return true;
        };
        diagnostics.push(Diagnostic::UnreadablePackage {
            path: path.to_owned(),
            reason: error.to_string(),
        });
        self.files.pop();
        false
    }

    fn open(
        &mut self,
        path: &Path,
        is_package: bool,
        zdebug: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<usize, String> {
        let file = map_file(path).map_err(|error| error.to_string())?;
        let elf = ElfFile::parse(path, file).map_err(|error| error.to_string())?;
        let sections = elf.sections(SectionSet::Dwo, zdebug, diagnostics);
        let sections = sections.map_err(|error| error.to_string())?;
        let mut file = SplitFile {
            sections,
            is_package,
            units: Vec::new(),
        };
        if !is_package {
            file.units = read_units(&Space::without_units(dwarf(&file.sections)), DwarfFileType::Dwo).0;
        }
        self.files.push(file);
        Ok(self.files.len() - 1)
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
