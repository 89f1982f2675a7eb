//! Functions that the linker folded into one, because their code is the same (gold's and lld's `--icf`).
//!
//! All their DIEs have the addresses of the one that was kept, but the line table has the rows of one function first. LLVM takes the name of
//! the last DIE, and so the lines of another function.

use dwarf::{FileReference, Space, Unit};

/// A subprogram among others with the same addresses.
pub(crate) struct Folded {
    pub(crate) decl_line: u64,
    /// `None` where it is not stated, or counted in another list of files than that of the rows.
    pub(crate) decl_file: Option<FileReference>,
}

/// The subprograms that have a range in common with another one, range by range, as numbers of nodes. `all` are those with one range.
pub(crate) fn groups(mut all: Vec<(u64, u64, u32)>) -> Vec<(u64, u64, Vec<u32>)> {
    all.sort_unstable();
    all.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1))
        .filter(|group| group.len() > 1)
        .map(|group| (group[0].0, group[0].1, group.iter().map(|entry| entry.2).collect()))
        .collect()
}

/// Which of `candidates` the rows at `low..high` are of: the one that is declared last at or above the first row's line, in the same file. Of
/// several, the last. `None` if it is none of them.
pub(crate) fn owner(main: &Space<'_>, unit: &Unit, (low, high): (u64, u64), candidates: &[Folded]) -> Option<usize> {
    let (file, line) = first_row(main, unit, low, high)?;
    let fits = candidates.iter().enumerate().filter(|(_, candidate)| {
        let in_file = candidate.decl_file.is_none_or(|declared| declared.number == file);
        in_file && candidate.decl_line > 0 && candidate.decl_line <= line
    });
    fits.max_by_key(|(_, candidate)| candidate.decl_line)
        .map(|(index, _)| index)
}

/// File and line of the first row with a line in the first sequence that has these addresses.
fn first_row(main: &Space<'_>, unit: &Unit, low: u64, high: u64) -> Option<(u64, u64)> {
    let lines = main.dwarf.debug_line;
    let size = unit.encoding.address_size;
    let program = lines.program(unit.line_program?, size, None, None).ok()?;
    let mut rows = program.rows();
    // Rows in the sequence that is read now, and whether they have come to the function.
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
