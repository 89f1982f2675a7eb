//! Keeps whole samples with call chains: for each file, the entries of the branch stack that start or end in the
//! file, and the call chain as the file sees it.
//!
//! Calling contexts are worked out from the branch stack and the call chain of a sample together, and only a reader
//! that has the binary knows which branches are calls and returns. So the parts of a sample are kept together, and
//! only equal samples are added up.
//!
//! Rows are packed into bytes, because hardly any two samples are equal.

use std::hash::BuildHasher;

use hashbrown::hash_table::Entry;
use hashbrown::{DefaultHashBuilder, HashTable};
use perfdata::{Avma, Branch, Sample, Speculation};
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use traceshard::{BinaryKind, Ends, push_branches, write_call_chain};

use crate::gather::entry::Of;
use crate::gather::files::FileId;
use crate::gather::known_samples::{KnownSamples, SampleKey};
use crate::gather::packed::{Packed, Unpacked};
use crate::gather::rows::EventId;
use crate::gather::spots::{Spot, Spots};

/// Number of bytes that count as one row, where numbers of rows bound the memory.
const BYTES_OF_A_ROW: usize = 32;

/// A row: equal samples as one file sees them.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StackRow {
    pub file: FileId,
    pub event: EventId,
    /// Place of the packed row in the arena, and the numbers of bytes of the call chain and of the branch stack.
    start: usize,
    chain: u32,
    stack: u32,
    pub count: u64,
}

/// Rows, some of them perhaps more than once.
#[derive(Debug, Default)]
pub(crate) struct StackRows {
    arena: Vec<u8>,
    rows: Vec<StackRow>,
}

impl StackRows {
    pub(crate) fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the memory of the rows, as a number of rows of usual size.
    pub(crate) fn len(&self) -> usize {
        (self.arena.len() + size_of_val(&self.rows[..])) / BYTES_OF_A_ROW
    }

    /// Returns the call chain and the branch stack of a row, packed.
    fn packed(&self, row: &StackRow) -> &[u8] {
        &self.arena[row.start..][..row.bytes()]
    }

    /// Appends the call chain and the branch stack of a row to two texts. Appends nothing for a chain without frames.
    pub(crate) fn push_texts(&self, row: &StackRow, [chain_text, stack_text]: &mut [Vec<u8>; 2]) {
        let (chain, stack) = self.packed(row).split_at(row.chain as usize);
        write_call_chain(Unpacked::new(chain), chain_text);
        let mut ends = Unpacked::new(stack);
        let entries = std::iter::from_fn(|| -> Option<Ends> {
            let to = ends.next()?;
            Some((ends.next()?, to))
        });
        push_branches(stack_text, entries);
    }

    /// Moves the rows of `other` to these rows.
    pub(crate) fn take(&mut self, other: &mut Self) {
        let mut other = std::mem::take(other);
        if self.is_empty() {
            *self = other;
            return;
        }
        let moved = self.arena.len();
        self.arena.append(&mut other.arena);
        self.rows.extend(other.rows.iter().map(|row| StackRow {
            start: row.start + moved,
            ..*row
        }));
    }

    /// Sorts the rows by `whose`, then by call chain and branch stack, and adds up equal rows. Returns the rows.
    pub(crate) fn sort_by_key<K: Ord + Copy + Send + Sync>(
        &mut self,
        whose: impl Fn(&StackRow) -> K + Sync,
    ) -> Vec<StackRow> {
        let rows = std::mem::take(&mut self.rows);
        let parts = |row: &StackRow| self.packed(row).split_at(row.chain as usize);
        let place = |at: u32| {
            let row = &rows[at as usize];
            let (chain, stack) = parts(row);
            // Chains with the same sampled address become neighbours.
            let chain = beginning(chain) & !u64::from(u32::MAX) | FxBuildHasher.hash_one(chain) >> 32;
            ((whose(row), chain, beginning(stack)), at)
        };
        let len = u32::try_from(rows.len()).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
        let mut places: Vec<_> = (0..len).into_par_iter().map(place).collect();
        // Rows with similar texts become neighbours, which makes the file smaller.
        places.par_sort_unstable_by(|(one, a), (other, b)| {
            let bytes = |at: &u32| parts(&rows[*at as usize]);
            one.cmp(other).then_with(|| bytes(a).cmp(&bytes(b)))
        });
        let mut sorted: Vec<StackRow> = Vec::with_capacity(rows.len());
        let mut last = None;
        for (key, at) in places {
            let row = rows[at as usize];
            match sorted.last_mut() {
                Some(kept) if last == Some(key) && parts(kept) == parts(&row) => kept.count += row.count,
                _ => sorted.push(row),
            }
            last = Some(key);
        }
        sorted
    }
}

/// Returns the first bytes as a number, so that few rows are compared by more bytes.
fn beginning(bytes: &[u8]) -> u64 {
    let mut first = [0; size_of::<u64>()];
    let len = bytes.len().min(first.len());
    first[..len].copy_from_slice(&bytes[..len]);
    u64::from_be_bytes(first)
}

impl StackRow {
    /// Returns the number of bytes of the packed row.
    pub(crate) fn bytes(&self) -> usize {
        self.chain as usize + self.stack as usize
    }
}

/// A sample as one file sees it, while the row is built.
#[derive(Default)]
struct Part {
    file: FileId,
    stack: Packed,
    chain: Packed,
    /// Number of frames of the sample up to the last frame in the file, that frame included.
    frames: usize,
}

/// Counts samples, each distinct one once.
#[derive(Default)]
pub(crate) struct StackTable {
    rows: StackRows,
    /// Half of the hash of each row, and its index. The hasher has a random key, so a recording cannot be made to collide.
    known: HashTable<(u32, u32)>,
    hasher: DefaultHashBuilder,
    known_samples: KnownSamples,
    /// The current sample, and its rows.
    key: SampleKey,
    rows_of_sample: Vec<u32>,
    /// The parts of the current sample, and of samples before, whose memory is used again.
    parts: Vec<Part>,
    used: usize,
    /// For each file the number of the last sample that touches it, and the index of its part.
    part_of: Vec<(u64, u32)>,
    sample: u64,
}

impl StackTable {
    /// Counts a sample. Leaves out the branch entries that [`Table::count`](crate::gather::table::Table::count)
    /// leaves out: those on wrong paths, and slots that the CPU had not filled. `wants` returns true for the files
    /// that get a row; it may depend on the event of the sample.
    pub(crate) fn add(&mut self, sample: &Sample<'_>, of: Of, spots: &mut Spots, wants: impl Fn(BinaryKind) -> bool) {
        if !self.known_samples.are_found() {
            let branches = sample.branches.iter().filter(happened);
            let branches = branches.map(|branch| [branch.from.0, branch.to.0]);
            let frames = self.locate(branches, sample.call_chain.addresses(), spots, wants);
            for part in 0..self.used {
                self.finish(part, of.event(), frames);
            }
            return;
        }
        let mut key = std::mem::take(&mut self.key);
        key.fill(sample, of, happened);
        let slot = self.known_samples.slot_of(&key);
        if let Some(rows) = self.known_samples.rows(slot, &key) {
            for row in rows {
                self.rows.rows[*row as usize].count += 1;
            }
        } else {
            let chain = key.call_chain().iter().copied();
            let frames = self.locate(key.branches().iter().copied(), chain, spots, wants);
            let mut rows = std::mem::take(&mut self.rows_of_sample);
            rows.clear();
            rows.extend((0..self.used).map(|part| self.finish(part, of.event(), frames)));
            self.known_samples.remember(slot, &mut key, rows.iter().copied());
            self.rows_of_sample = rows;
        }
        self.key = key;
    }

    /// Divides a sample into the parts of the files that it touches. Returns the number of frames of its call chain, or
    /// 0 if it touches no file.
    fn locate(
        &mut self,
        branches: impl Iterator<Item = [u64; 2]>,
        call_chain: impl Iterator<Item = u64>,
        spots: &mut Spots,
        wants: impl Fn(BinaryKind) -> bool,
    ) -> usize {
        self.sample += 1;
        self.used = 0;
        for [from, to] in branches {
            let mut place = |address| match spots.find(Avma(address)) {
                Spot::In((file, kind), address) if wants(kind) => Some((file, address)),
                _ => None,
            };
            match (place(from), place(to)) {
                (Some((file, from)), Some((other, to))) if file == other => {
                    self.part(file).push_entry((Some(from), Some(to)));
                }
                (from, to) => {
                    if let Some((file, from)) = from {
                        self.part(file).push_entry((Some(from), None));
                    }
                    if let Some((file, to)) = to {
                        self.part(file).push_entry((None, Some(to)));
                    }
                }
            }
        }
        let mut frames = 0;
        if self.used > 0 {
            for address in call_chain {
                if let Spot::In((file, _), address) = spots.find(Avma(address))
                    && let Some(part) = self.known_part(file)
                {
                    self.parts[part].push_frame(frames, address);
                }
                frames += 1;
            }
        }
        frames
    }

    /// Returns the index of the part of a file that the current sample is known to touch.
    fn known_part(&self, file: FileId) -> Option<usize> {
        match self.part_of.get(file as usize) {
            Some((sample, part)) if *sample == self.sample => Some(*part as usize),
            _ => None,
        }
    }

    /// Returns the part of a file that the current sample touches.
    fn part(&mut self, file: FileId) -> &mut Part {
        let index = match self.known_part(file) {
            Some(index) => index,
            None => {
                let index = self.used;
                self.used += 1;
                if self.part_of.len() <= file as usize {
                    self.part_of.resize(file as usize + 1, (0, 0));
                }
                // A sample has fewer entries than that.
                self.part_of[file as usize] = (self.sample, index as u32);
                if self.parts.len() < self.used {
                    self.parts.push(Part::default());
                }
                self.parts[index].begin(file);
                index
            }
        };
        &mut self.parts[index]
    }

    /// Adds the row of a part of a sample that has this number of frames. Returns the index of the row.
    fn finish(&mut self, part: usize, event: EventId, frames: usize) -> u32 {
        let part = &mut self.parts[part];
        if part.frames < frames {
            part.chain.push(None);
        }
        let Self {
            rows: StackRows { arena, rows },
            known,
            hasher,
            ..
        } = self;
        // Both casts lose no bits: a sample has at most 64 KiB, and at most three times as many are packed.
        let row = StackRow {
            file: part.file,
            event,
            start: arena.len(),
            chain: part.chain.bytes().len() as u32,
            stack: part.stack.bytes().len() as u32,
            count: 1,
        };
        arena.extend_from_slice(part.chain.bytes());
        arena.extend_from_slice(part.stack.bytes());
        let packed = |row: &StackRow| &arena[row.start..][..row.bytes()];
        let key = |row: &StackRow| (row.file, row.event, row.chain);
        // The other half is lost, so that the table need not read rows to grow.
        let half = hasher.hash_one((key(&row), packed(&row))) as u32;
        let hash = |half: u32| u64::from(half).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let is_same = |&(known, index): &(u32, u32)| {
            let found = &rows[index as usize];
            known == half && key(found) == key(&row) && packed(found) == packed(&row)
        };
        match known.entry(hash(half), is_same, |(half, _)| hash(*half)) {
            Entry::Occupied(found) => {
                let (_, index) = *found.get();
                rows[index as usize].count += 1;
                arena.truncate(row.start);
                index
            }
            Entry::Vacant(place) => {
                let index = u32::try_from(rows.len()).unwrap_or_else(|_| unreachable!("fewer rows than that are kept"));
                place.insert((half, index));
                rows.push(row);
                index
            }
        }
    }

    /// Returns the memory of the rows, as a number of rows of usual size.
    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    /// Forgets which files samples touch. This is called before views get other numbers.
    pub(crate) fn flush(&mut self) {
        self.known_samples.clear();
    }

    /// Takes all rows out of the table.
    pub(crate) fn drain(&mut self) -> StackRows {
        self.known.clear();
        self.known_samples.clear();
        std::mem::take(&mut self.rows)
    }
}

/// Returns true for an entry that is neither a slot that the CPU had not filled nor on a wrong path.
fn happened(branch: &Branch) -> bool {
    let is_unfilled = branch.from.0 | branch.to.0 == 0;
    !is_unfilled && branch.flags.speculation() != Speculation::WrongPath
}

impl Part {
    #[inline]
    fn begin(&mut self, file: FileId) {
        self.file = file;
        self.stack.clear();
        self.chain.clear();
        self.frames = 0;
    }

    /// Adds an entry. Its target comes first, because it lies near the source of the next newer entry.
    fn push_entry(&mut self, (from, to): Ends) {
        self.stack.push(to);
        self.stack.push(from);
    }

    /// Adds a frame in the file. `before` is the number of frames of the sample before it.
    fn push_frame(&mut self, before: usize, address: u64) {
        if self.frames < before {
            self.chain.push(None);
        }
        self.chain.push(Some(address));
        self.frames = before + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Builds a table of samples in one file. A sample has entries and frames.
    fn table(samples: &[(&[Ends], &[Option<u64>])]) -> StackTable {
        let mut table = StackTable::default();
        for (entries, frames) in samples {
            table.sample += 1;
            table.used = 0;
            entries.iter().for_each(|ends| table.part(3).push_entry(*ends));
            for (before, frame) in frames.iter().enumerate() {
                if let Some(address) = frame {
                    table.part(3).push_frame(before, *address);
                }
            }
            table.finish(0, 1, frames.len());
        }
        table
    }

    #[test]
    fn equal_samples_are_one_row_and_neighbouring_frames_outside_are_one_frame() {
        let entries: &[Ends] = &[(Some(0x10), Some(0x20)), (None, Some(0x8))];
        let frames: &[Option<u64>] = &[None, None, Some(0x22), None, None];
        let short: &[Option<u64>] = &[None, Some(0x22), None];
        let mut first = table(&[(entries, frames), (&entries[..1], &[]), (entries, short)]).drain();
        let mut second = table(&[(entries, frames)]).drain();
        assert_eq!((first.rows.len(), second.rows.len()), (2, 1));
        first.take(&mut second);
        let rows = first.sort_by_key(|row| row.file);
        let text = |row: &StackRow| {
            let mut texts = Default::default();
            first.push_texts(row, &mut texts);
            (texts, row.count)
        };
        let rows: Vec<_> = rows.iter().map(text).collect();
        let texts = |chain: &str, stack: &str| [chain, stack].map(|text| text.as_bytes().to_vec());
        assert_eq!(rows, [(texts("", "10>20"), 1), (texts("- 22 -", "10>20 ->8"), 3)]);
    }
}
