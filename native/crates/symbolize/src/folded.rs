//! Finds functions that the linker folded into one because they have the same code (gold's and lld's `--icf`).
//!
//! The DIEs of all these functions have the addresses of the function that was kept, but the line table has the
//! rows of one of the functions first. LLVM takes the name of the last DIE, so it can combine this name with the
//! lines of another function.

use dwarf::{FileReference, Space, Unit};

/// A subprogram that shares its addresses with other subprograms.
pub(crate) struct Folded {
    pub(crate) decl_line: u64,
    /// The file of the declaration. `None` if it is not stated, or if it is an entry of another list of files than
    /// that of the rows.
    pub(crate) decl_file: Option<FileReference>,
}

/// Returns the ranges that several subprograms share, each with the node numbers of these subprograms. `all` has
/// the subprograms with one range.
pub(crate) fn groups(mut all: Vec<(u64, u64, u32)>) -> Vec<(u64, u64, Vec<u32>)> {
    all.sort_unstable();
    all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter(|group| group.len() > 1)
        .map(|group| (group[0].0, group[0].1, group.iter().map(|entry| entry.2).collect()))
        .collect()
}

/// Returns the candidate whose lines the rows at `low..high` are: the one that is declared last at or above the
/// line of the first row, in the same file. If there are several, returns the last of them. Returns `None` if no
/// candidate fits.
pub(crate) fn owner(main: &Space<'_>, unit: &Unit, (low, high): (u64, u64), candidates: &[Folded]) -> Option<usize> {
    let (file, line) = first_row(main, unit, low, high)?;
    let fits = candidates.iter().enumerate().filter(|(_, candidate)| {
        let in_file = candidate.decl_file.is_none_or(|declared| declared.number == file);
        in_file && candidate.decl_line > 0 && candidate.decl_line <= line
    });
    fits.max_by_key(|(_, candidate)| candidate.decl_line)
        .map(|(index, _)| index)
}

/// Returns file and line of the first row with a line in the first sequence that has these addresses.
fn first_row(main: &Space<'_>, unit: &Unit, low: u64, high: u64) -> Option<(u64, u64)> {
    let lines = main.dwarf.debug_line;
    let size = unit.encoding.address_size;
    let program = lines.program(unit.line_program?, size, None, None).ok()?;
    let mut rows = program.rows();
    // The row found in the current sequence, and whether the sequence has reached the function.
    let mut found = None;
    while let Ok(Some((_, row))) = rows.next_row() {
        if row.end_sequence() {
            if found.is_some() && row.address() > low {
                return found;
            }
            found = None;
        } else if found.is_none()
            && (low..high).contains(&row.address())
            && let Some(line) = row.line()
        {
            found = Some((row.file_index(), line.get()));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_equal_ranges_are_folded() {
        let all = vec![(10, 20, 0), (10, 20, 3), (10, 21, 1), (30, 40, 2), (5, 20, 4)];
        assert_eq!(groups(all), [(10, 20, vec![0, 3])]);
    }
}
