//! Finds the declarations of functions: the file, and the line from which lines of a profile are counted.

use std::collections::HashSet;

use gimli::{AttributeValue, IncompleteLineProgram, LineProgramHeader, constants as dw};
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::debug_info::{DebugInfo, View};
use crate::error::SymbolizeError;
use dwarf::{FileReference, Interest, Resolver, Skip, Slice, Space, Unit, UnitIndex, Value, attributes, walk};

/// Largest length of a folder, or of a file name, in bytes: Linux opens no longer path (`PATH_MAX`). Many functions
/// may share one path.
const MAX_PATH: usize = 4096;

/// The place where a function is declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourcePlace {
    /// Linkage name of the function, or its plain name if there is no linkage name.
    pub name: Vec<u8>,
    /// Path of the file as the compiler recorded it. A relative path is preceded by the folder in which the
    /// compiler ran.
    pub file: Vec<u8>,
    /// Line number, `DW_AT_decl_line`, from 1.
    pub line: u32,
}

/// A place whose path has not been put together yet.
struct Found<'a> {
    name: &'a [u8],
    file: FileReference,
    line: u32,
    has_code: bool,
}

impl DebugInfo {
    /// Returns the declarations of the functions in `wanted`, by name. Functions that were only inlined count, too.
    /// If several functions have one name, the first one with code of its own counts. Functions without a stated
    /// declaration are left out.
    ///
    /// `keep_going` is called once for each unit.
    ///
    /// # Errors
    /// [`SymbolizeError::Cancelled`] if `keep_going` returns false.
    pub fn source_places(
        &self,
        wanted: &HashSet<&[u8]>,
        keep_going: &(dyn Fn() -> bool + Sync),
    ) -> Result<Vec<SourcePlace>, SymbolizeError> {
        let view = self.frames();
        let main = view.main.units.iter().map(|unit| (&view.main, unit));
        let split = view.split.iter();
        let split = split.flat_map(|(_, space)| space.units.iter().map(move |unit| (space, unit)));
        let units: Vec<(&Space<'_>, &Unit)> = main.chain(split).collect();
        let found: Vec<Vec<Found<'_>>> = units
            .par_iter()
            .filter(|(_, unit)| !unit.is_type)
            .map_init(Resolver::default, |resolver, (space, unit)| {
                if keep_going() {
                    Ok(read_unit(resolver, space, unit, wanted))
                } else {
                    Err(SymbolizeError::Cancelled)
                }
            })
            .collect::<Result<_, _>>()?;
        let mut best: FxHashMap<&[u8], &Found<'_>> = FxHashMap::default();
        for place in found.iter().flatten() {
            let known = best.entry(place.name).or_insert(place);
            if place.has_code && !known.has_code {
                *known = place;
            }
        }
        let mut best: Vec<&Found<'_>> = best.into_values().collect();
        // Places of one unit stand together, so the list of files of each unit is read once.
        best.sort_unstable_by_key(|place| (place.file.space, place.file.unit));
        let same_unit = |a: &&Found<'_>, b: &&Found<'_>| (a.file.space, a.file.unit) == (b.file.space, b.file.unit);
        let mut places = Vec::with_capacity(best.len());
        for group in best.chunk_by(same_unit) {
            let Some(files) = Files::of(&view, group[0].file) else {
                continue;
            };
            places.extend(group.iter().filter_map(|place| {
                Some(SourcePlace {
                    name: place.name.to_vec(),
                    file: files.path(place.file.number)?,
                    line: place.line,
                })
            }));
        }
        places.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(places)
    }
}

/// Reads the wanted functions that a unit defines or inlines.
fn read_unit<'s, 'a>(
    resolver: &mut Resolver<'s, 'a>,
    space: &'s Space<'a>,
    unit: &'s Unit,
    wanted: &HashSet<&[u8]>,
) -> Vec<Found<'a>> {
    let reader = resolver.open(space, unit);
    let mut found = Vec::new();
    // Errors are ignored here: the code that counts samples reports them.
    let _ = walk(
        reader.bytes,
        unit.root,
        unit.encoding,
        &reader.table,
        Skip::of(unit),
        |interest| matches!(interest, Interest::Subprogram | Interest::SubprogramWithCode),
        |die| {
            let subprogram = reader.subroutine(die.offset);
            // A declaration of a function that another unit defines is skipped. The other function may be a
            // different one of the same name.
            if subprogram.is_declaration() {
                return;
            }
            let description = resolver.describe_cached(&reader, die.offset, &subprogram);
            if let Some(name) = description.name
                && wanted.contains(name)
                && let Some(file) = description.decl_file
                && let Ok(line @ 1..) = u32::try_from(description.decl_line)
            {
                found.push(Found {
                    name,
                    file,
                    line,
                    has_code: die.interest == Interest::SubprogramWithCode,
                });
            }
        },
    );
    found
}

/// The list of files in the header of a line program (DWARF 5 section 6.2.4).
struct Files<'v, 'a> {
    space: &'v Space<'a>,
    unit: &'v Unit,
    program: IncompleteLineProgram<Slice<'a>>,
    /// The folder in which the compiler ran.
    base: Vec<u8>,
}

impl<'v, 'a> Files<'v, 'a> {
    /// Reads the list of files that a reference points into.
    fn of(view: &'v View<'a>, reference: FileReference) -> Option<Self> {
        let (space, skeleton) = space_of(view, reference.space)?;
        let index = space
            .units
            .binary_search_by_key(&reference.unit, |unit| unit.offset)
            .ok()?;
        let unit = &space.units[index];
        // A split unit without a list of files shares the list of its skeleton.
        let (space, unit) = match (unit.line_program, skeleton) {
            (None, Some(skeleton)) => (&view.main, view.main.unit(skeleton)),
            _ => (space, unit),
        };
        let (offset, lines) = (unit.line_program?, space.dwarf.debug_line);
        let program = lines.program(offset, unit.encoding.address_size, None, None).ok()?;
        let base = base_folder(space, unit, program.header()).unwrap_or_default().to_vec();
        Some(Self {
            space,
            unit,
            program,
            base,
        })
    }

    /// Returns the path of an entry; `None` for a path that is too long for any system.
    fn path(&self, number: u64) -> Option<Vec<u8>> {
        let header = self.program.header();
        let file = header.file(number)?;
        let name = text(self.space, self.unit, file.path_name())?;
        // Before DWARF 5 the folder in which the compiler ran has the number 0, and no entry.
        let folder = match file.directory_index() {
            0 if header.version() < 5 => None,
            _ => file
                .directory(header)
                .and_then(|folder| text(self.space, self.unit, folder)),
        };
        let parts = [&self.base[..], folder.unwrap_or_default(), name];
        if parts.iter().any(|part| part.len() > MAX_PATH) {
            return None;
        }
        Some(parts.into_iter().fold(Vec::new(), join))
    }
}

/// Returns the space with this id, and the skeleton of its unit, if it has one.
fn space_of<'v, 'a>(view: &'v View<'a>, id: usize) -> Option<(&'v Space<'a>, Option<UnitIndex>)> {
    if view.main.id == id {
        return Some((&view.main, None));
    }
    let supplementary = view.main.supplementary.as_deref();
    if let Some(space) = supplementary.filter(|space| space.id == id) {
        return Some((space, None));
    }
    let (skeleton, space) = view.split.iter().find(|(_, space)| space.id == id)?;
    Some((space, Some(*skeleton)))
}

/// Returns the folder in which the compiler ran.
fn base_folder<'a>(space: &Space<'a>, unit: &Unit, header: &LineProgramHeader<Slice<'a>>) -> Option<&'a [u8]> {
    if header.version() >= 5 {
        return text(space, unit, header.directory(0)?);
    }
    let mut table = dwarf::AbbreviationTable::default();
    space.load_abbreviations(unit, None, &mut table);
    let mut folder = None;
    let read = attributes(space.bytes(unit), unit.root, &table, unit.encoding, |at, value| {
        if at == dw::DW_AT_comp_dir && folder.is_none() {
            folder = Some(value);
        }
    });
    read.and_then(|()| folder.map_or(Ok(None), |folder| space.string(unit, folder)))
        .ok()?
}

fn text<'a>(space: &Space<'a>, unit: &Unit, value: AttributeValue<Slice<'a>>) -> Option<&'a [u8]> {
    let value = match value {
        AttributeValue::String(string) => return Some(string.slice()),
        AttributeValue::DebugStrRef(offset) => Value::StringOffset(offset),
        AttributeValue::DebugLineStrRef(offset) => Value::LineStringOffset(offset),
        AttributeValue::DebugStrOffsetsIndex(index) => Value::StringIndex(index),
        _ => return None,
    };
    space.string(unit, value).ok()?
}

/// Returns the path `name` relative to `folder`.
fn join(mut folder: Vec<u8>, name: &[u8]) -> Vec<u8> {
    if name.starts_with(b"/") || folder.is_empty() {
        return name.to_vec();
    }
    if !name.is_empty() {
        if !folder.ends_with(b"/") {
            folder.push(b'/');
        }
        folder.extend(name);
    }
    folder
}
