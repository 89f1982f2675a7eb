//! Reads `.pseudo_probe_desc`: the functions of the source.

use crate::cursor::Cursor;
use crate::error::{DecodeError, Problem};
use crate::probe::Guid;

const SECTION: &str = ".pseudo_probe_desc";

/// A function that has pseudo probes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Descriptor<'a> {
    /// GUID of the function in `.pseudo_probe`.
    pub guid: Guid,
    /// Checksum of the control flow graph of the function at the time when probes were inserted.
    pub checksum: u64,
    /// Linkage name of the function in the source. Later passes may have changed the name in the symbol table.
    pub name: &'a [u8],
}

/// All descriptors of a program.
#[derive(Debug, Clone, Default)]
pub struct Descriptors<'a> {
    /// Descriptors, ascending by GUID. Those with equal GUIDs are in the order of the section.
    sorted: Vec<Descriptor<'a>>,
}

impl<'a> Descriptors<'a> {
    /// Reads the sections named `.pseudo_probe_desc`. A relocatable file can have many.
    ///
    /// # Errors
    /// Fails if a section ends inside a descriptor, or has a name that is longer than the rest of the section.
    pub fn parse(sections: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, DecodeError> {
        let mut sorted = Vec::new();
        for section in sections {
            let mut cursor = Cursor::new(section);
            while !cursor.is_at_end() {
                let descriptor = descriptor(&mut cursor).map_err(|problem| DecodeError {
                    section: SECTION,
                    offset: cursor.position(),
                    problem,
                })?;
                sorted.push(descriptor);
            }
        }
        sorted.sort_by_key(|descriptor: &Descriptor<'_>| descriptor.guid);
        Ok(Self { sorted })
    }

    /// Returns the function with this GUID. Returns `None` if the compiler made the function after it had inserted
    /// the probes, as partial inlining does.
    #[must_use]
    pub fn get(&self, guid: Guid) -> Option<&Descriptor<'a>> {
        let first = self.sorted.partition_point(|descriptor| descriptor.guid < guid);
        self.sorted.get(first).filter(|descriptor| descriptor.guid == guid)
    }

    /// Returns the functions about which object files disagree: the same GUID has more than one checksum. For each,
    /// returns the descriptor that counts, ascending by GUID.
    pub fn ambiguous(&self) -> impl Iterator<Item = &Descriptor<'a>> {
        let groups = self.sorted.chunk_by(|a, b| a.guid == b.guid);
        groups.filter_map(|group| {
            let (first, others) = group.split_first()?;
            others
                .iter()
                .any(|other| other.checksum != first.checksum)
                .then_some(first)
        })
    }

    /// Returns all descriptors, ascending by GUID.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Descriptor<'a>> {
        self.sorted.iter()
    }
}

/// Reads one descriptor: GUID, checksum, length of the name, name.
fn descriptor<'a>(cursor: &mut Cursor<'a>) -> Result<Descriptor<'a>, Problem> {
    let guid = Guid(cursor.fixed64()?);
    let checksum = cursor.fixed64()?;
    let length = cursor.number32()?;
    let name = cursor.take(length as usize)?;
    Ok(Descriptor { guid, checksum, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(guid: u64, checksum: u64, name: &str) -> Vec<u8> {
        let mut out = [guid.to_le_bytes(), checksum.to_le_bytes()].concat();
        out.push(name.len() as u8);
        out.extend(name.as_bytes());
        out
    }

    #[test]
    fn functions_are_found_by_guid_and_the_first_of_equals_counts() {
        let first = [encoded(9, 90, "nine"), encoded(3, 30, "three")].concat();
        let second = [encoded(9, 91, "again"), encoded(5, 50, "")].concat();
        let descriptors = Descriptors::parse([&first[..], &second[..]]).expect("well formed");
        let guids: Vec<u64> = descriptors.iter().map(|descriptor| descriptor.guid.0).collect();
        assert_eq!(guids, [3, 5, 9, 9]);
        let nine = descriptors.get(Guid(9)).expect("there");
        assert_eq!((nine.checksum, nine.name), (90, &b"nine"[..]));
        assert_eq!(
            descriptors.ambiguous().map(|found| found.guid.0).collect::<Vec<_>>(),
            [9]
        );
        // Two object files have the same function.
        let twice = Descriptors::parse([&first[..], &first[..]]).expect("well formed");
        assert_eq!(twice.ambiguous().count(), 0);
        assert_eq!(descriptors.get(Guid(4)), None);
        assert_eq!(descriptors.get(Guid(10)), None);
    }

    #[test]
    fn every_cut_is_an_error_that_says_where() {
        let bytes = [encoded(1, 2, "one"), encoded(3, 4, "two")].concat();
        for length in 0..bytes.len() {
            let result = Descriptors::parse([&bytes[..length]]);
            if length == 0 || length == 20 {
                assert!(result.is_ok(), "{length}");
                continue;
            }
            let error = result.expect_err("cut");
            assert_eq!(error.problem, Problem::Truncated, "{length}");
            assert!(error.offset <= length, "{length}");
        }
    }
}
