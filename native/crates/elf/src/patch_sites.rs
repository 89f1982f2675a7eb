//! Patch sites: code that a Linux kernel rewrites, at boot for the CPU it runs on, or later when a feature is
//! switched.

mod kinds;
mod stretch;
mod table;

use std::ops::Range;

use crate::code_layout::CodeLayout;
use crate::{Image, ImageKind, Svma};
pub(crate) use kinds::is_patch_table;
use kinds::{PREFIX, TABLES};
pub use stretch::PatchTableProblem;
pub(crate) use stretch::Stretch;
use table::Table;

/// The stretches of code that a kernel says it rewrites.
///
/// The tables `.return_sites` and `__call_sites` are not read: at their sites a return stays a return and a call
/// stays a call, of the same length and at the same address.
#[derive(Debug, Default)]
pub struct PatchSites {
    /// Stretches, ascending and disjoint.
    stretches: Box<[Stretch]>,
    problems: Vec<PatchTableProblem>,
}

impl PatchSites {
    /// Reads the tables of a kernel or a module. Other images have no tables.
    pub(crate) fn read(image: &Image, layout: &CodeLayout<'_>) -> Self {
        let (tables, mut problems) = match image.kind() {
            ImageKind::Kernel => tables_of_kernel(image),
            ImageKind::Module => (tables_of_module(image), Vec::new()),
            ImageKind::Executable | ImageKind::SharedObject => return Self::default(),
        };
        let mut stretches = Vec::new();
        for table in tables {
            problems.extend(table.read(layout, &mut stretches).err());
        }
        Self {
            stretches: join(stretches).into(),
            problems,
        }
    }

    /// Makes patch sites of stretches that were not read from tables.
    pub(crate) fn of(stretches: Vec<Stretch>) -> Self {
        Self {
            stretches: join(stretches).into(),
            problems: Vec::new(),
        }
    }

    /// Returns the number of separate stretches of code that the kernel rewrites.
    pub fn len(&self) -> usize {
        self.stretches.len()
    }

    /// Returns true if the kernel rewrites no code.
    pub fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// Returns what is wrong with the tables.
    pub fn problems(&self) -> &[PatchTableProblem] {
        &self.problems
    }

    /// Returns the stretches with a byte in `range`.
    pub(crate) fn overlapping(&self, range: Range<u32>) -> &[Stretch] {
        let first = self.stretches.partition_point(|stretch| stretch.end <= range.start);
        let count = self.stretches[first..].partition_point(|stretch| stretch.start < range.end);
        &self.stretches[first..first + count]
    }
}

/// Returns the tables of a kernel. Each lies between two symbols.
fn tables_of_kernel(image: &Image) -> (Vec<Table<'_>>, Vec<PatchTableProblem>) {
    let names: Vec<&[u8]> = TABLES
        .iter()
        .flat_map(|table| [table.first, table.end])
        .map(str::as_bytes)
        .collect();
    let symbols = image.symbols_named(PREFIX, &names);
    let (mut tables, mut problems) = (Vec::new(), Vec::new());
    for (kind, borders) in TABLES.iter().zip(symbols.chunks_exact(2)) {
        let bytes = match *borders {
            [Some(first), Some(end)] if first == end => continue,
            [Some(first), Some(end)] => table_bytes(image, first..end),
            [None, None] => continue,
            _ => None,
        };
        let svma = borders[0].unwrap_or_default();
        match bytes {
            Some(bytes) => tables.push(Table { kind, svma, bytes }),
            None => problems.push(PatchTableProblem::NotInFile { table: kind.name }),
        }
    }
    (tables, problems)
}

/// Returns the tables of a module. Each is a section with the name of the table.
fn tables_of_module(image: &Image) -> Vec<Table<'_>> {
    let names = TABLES
        .iter()
        .flat_map(|kind| [Some(kind.name), kind.other_name].map(|name| Some((kind, name?))))
        .flatten();
    let sections = names.flat_map(|(kind, name)| image.sections_named(name).map(move |section| (kind, section)));
    sections
        .filter(|(_, section)| !section.data.is_empty())
        .map(|(kind, section)| Table {
            kind,
            svma: section.svma,
            bytes: section.data,
        })
        .collect()
}

/// Returns the bytes from one address up to another. Both addresses must lie in one section.
fn table_bytes(image: &Image, range: Range<Svma>) -> Option<&[u8]> {
    image
        .sections()
        .iter()
        .filter(|section| section.allocated)
        .find_map(|section| {
            let first = usize::try_from(range.start.0.checked_sub(section.svma.0)?).ok()?;
            let end = usize::try_from(range.end.0.checked_sub(section.svma.0)?).ok()?;
            image.bytes_at(&section.data).get(first..end)
        })
}

/// Sorts stretches and joins those that overlap, as the alternatives for one place do. A joined stretch is passable
/// if a part of it is.
fn join(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    // The entries of a table are in order for each object file, which makes a stable sort fast.
    stretches.sort();
    stretches.dedup_by(|next, kept| {
        let overlaps = next.start < kept.end;
        if overlaps {
            kept.end = kept.end.max(next.end);
            kept.passable |= next.passable;
        }
        overlaps
    });
    stretches
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Compares the joined stretches with a slow count of the stretches at each byte.
        #[test]
        fn joined_stretches_are_disjoint_and_cover_the_same_bytes(
            raw in prop::collection::vec((0u32..60, 1u32..9, any::<bool>()), 0..20),
        ) {
            let stretches: Vec<_> = raw
                .iter()
                .map(|&(start, length, passable)| Stretch { start, end: start + length, passable })
                .collect();
            let sites = PatchSites { stretches: join(stretches.clone()).into(), problems: vec![] };
            prop_assert!(sites.stretches.is_sorted_by(|a, b| a.end <= b.start));
            for offset in 0..80 {
                let covers = |stretch: &&Stretch| (stretch.start..stretch.end).contains(&offset);
                let found = sites.overlapping(offset..offset + 1);
                prop_assert_eq!(found.len(), usize::from(stretches.iter().any(|stretch| covers(&stretch))));
                if stretches.iter().filter(covers).any(|stretch| stretch.passable) {
                    prop_assert!(found[0].passable);
                }
            }
            for stretch in &sites.stretches {
                let parts = stretches.iter().filter(|part| part.start < stretch.end && part.end > stretch.start);
                prop_assert_eq!(stretch.passable, parts.into_iter().any(|part| part.passable));
            }
        }
    }
}
