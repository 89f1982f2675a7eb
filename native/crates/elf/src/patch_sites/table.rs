//! Reads a table of patch sites.

use super::kinds::{Address, EntryLayout, Extent, Passable, TableKind};
use super::stretch::{PatchTableProblem, Stretch};
use crate::Svma;
use crate::code_layout::CodeLayout;

/// A table of patch sites in an image.
pub(super) struct Table<'i> {
    pub(super) kind: &'static TableKind,
    pub(super) svma: Svma,
    pub(super) bytes: &'i [u8],
}

/// The content of one entry.
enum Entry {
    Site(Stretch),
    /// The entry has no address: the linker left the address to a relocation, or discarded the function.
    Void,
}

/// The result of reading a table in one layout.
#[derive(Default)]
struct Reading {
    sites: Vec<Stretch>,
    entries: usize,
    stray: usize,
}

impl Table<'_> {
    /// Adds the sites of the table, read in the layout in which most entries name code. In the right layout
    /// normally all entries do. A table with a few other entries is still used.
    pub(super) fn read(&self, layout: &CodeLayout<'_>, stretches: &mut Vec<Stretch>) -> Result<(), PatchTableProblem> {
        let table = self.kind.name;
        let size = self.bytes.len();
        let candidates = self.kind.layouts.iter().filter(|entry| {
            let rest = size % entry.size;
            rest == 0 || rest >= entry.used
        });
        let Reading { sites, entries, stray } = candidates
            .map(|entry| self.read_as(entry, layout))
            // The order is reversed because `max_by_key` returns the last of equal maxima, and the first of equally
            // good layouts is wanted.
            .rev()
            .max_by_key(|reading| reading.entries - reading.stray)
            .filter(|reading| reading.stray <= reading.entries / 10)
            .ok_or(PatchTableProblem::UnknownLayout { table, size })?;
        stretches.extend(sites);
        if stray > 0 {
            return Err(PatchTableProblem::StrayEntries { table, stray, entries });
        }
        Ok(())
    }

    fn read_as(&self, entry: &EntryLayout, layout: &CodeLayout<'_>) -> Reading {
        let mut reading = Reading::default();
        let addresses = (self.svma.0..).step_by(entry.size).map(Svma);
        for (bytes, svma) in self.bytes.chunks(entry.size).zip(addresses) {
            reading.entries += 1;
            match self.entry(entry, bytes, svma, layout) {
                Some(Entry::Site(stretch)) => reading.sites.push(stretch),
                Some(Entry::Void) => {}
                None => reading.stray += 1,
            }
        }
        reading
    }

    /// Returns the content of an entry; `None` if the entry names no code.
    fn entry(&self, entry: &EntryLayout, bytes: &[u8], svma: Svma, layout: &CodeLayout<'_>) -> Option<Entry> {
        let site = match entry.address {
            Address::Absolute => Svma(u64::from_le_bytes(*bytes.first_chunk()?)),
            Address::Relative => relative(bytes, svma, 0)?,
        };
        if site == Svma(0) {
            return Some(Entry::Void);
        }
        let length = match entry.extent {
            Extent::Instruction => 1,
            Extent::Stated(position) | Extent::Alternative(position) => *bytes.get(position)?,
        };
        let code = layout.code_range(site, length)?;
        if let Extent::Alternative(position) = entry.extent {
            let replacement = *bytes.get(position + 1)?;
            // If the kernel computes the replacement (arm64 callbacks), the file has no replacement.
            if replacement > 0 {
                layout.code_range(relative(bytes, svma, 4)?, replacement)?;
            }
            if replacement > length {
                return None;
            }
        }
        let passable = match self.kind.passable {
            Passable::Always => true,
            Passable::Never => false,
            Passable::UnlessMarked => relative(bytes, svma, 4)?.0 & 1 == 0,
        };
        Some(Entry::Site(Stretch {
            start: code.start,
            end: code.end,
            passable,
        }))
    }
}

/// Returns the address that the relative field at `position` of an entry names.
fn relative(entry: &[u8], svma: Svma, position: usize) -> Option<Svma> {
    let distance = i32::from_le_bytes(*entry.get(position..)?.first_chunk()?);
    let field = svma.wrapping_add(position as u64);
    Some(Svma(field.0.wrapping_add_signed(i64::from(distance))))
}
