//! Templates of functions that occur in many files with the same structure and different counts.
//!
//! In profiles of one program, a function mostly has the same lines, calls and inlined functions. So the bytes of a
//! function are compared with those that an earlier file had for it. Where only counts differ, the counts are added up
//! side by side, without a search for the location of each.

use crate::NameId;
use crate::binary::{Cursor, Decoder, Variable, skim_function};
use crate::leb128;
use crate::read::ReadErrorKind;
use crate::{FunctionSamples, NameTable};

/// Number of bytes that are compared at once.
const WORD: usize = size_of::<u64>();

/// Masks that select the first bytes of a word, indexed by the number of bytes.
const FIRST_BYTES: [u64; WORD + 1] = [
    0,
    0xff,
    0xffff,
    0x00ff_ffff,
    0xffff_ffff,
    0x00ff_ffff_ffff,
    0xffff_ffff_ffff,
    0x00ff_ffff_ffff_ffff,
    u64::MAX,
];

/// An encoded function without its counts and its indexes of names, with the sums of these counts.
pub(super) struct Template {
    /// The bytes between the numbers that were taken out, one gap after the other. A word of zeros follows, so that a
    /// word can be read at each gap.
    fixed: Vec<u8>,
    /// Number of bytes in the gap before each number.
    gaps: Vec<u8>,
    /// Positions of the numbers that are names, ascending, with the ids of these names in the sum.
    names: Vec<(u32, NameId)>,
    /// The sum of each number. The sum of a number that is an index of a name means nothing.
    sums: Vec<u64>,
}

impl Template {
    /// Makes the template of the function at the cursor. `table` has the ids in the sum that indexes of names stand
    /// for. Returns `None` if the function is unusual.
    ///
    /// # Errors
    /// When the function cannot be decoded.
    pub(super) fn read(cursor: &mut Cursor<'_>, table: &[NameId]) -> Result<Option<Self>, ReadErrorKind> {
        let bytes = cursor.rest();
        let start = cursor.position();
        let mut template = Self {
            fixed: Vec::new(),
            gaps: Vec::new(),
            names: Vec::new(),
            sums: Vec::new(),
        };
        let mut is_usual = true;
        let mut done = 0;
        skim_function(cursor, table.len(), &mut |variable, range| {
            let gap = &bytes[done..range.start - start];
            done = range.end - start;
            is_usual &= u8::try_from(gap.len()).is_ok() && u32::try_from(template.gaps.len()).is_ok();
            if let Variable::Name(index) = variable {
                template.names.push((template.gaps.len() as u32, table[index]));
            }
            template.fixed.extend_from_slice(gap);
            template.gaps.push(gap.len() as u8);
        })?;
        template
            .fixed
            .extend_from_slice(&bytes[done..cursor.position() - start]);
        template.fixed.extend_from_slice(&[0; WORD]);
        template.fixed.shrink_to_fit();
        template.gaps.shrink_to_fit();
        template.sums = vec![0; template.gaps.len()];
        Ok(is_usual.then_some(template))
    }

    /// Returns true if both templates have the same structure.
    pub(super) fn equals(&self, other: &Self) -> bool {
        self.gaps == other.gaps && self.names == other.names && self.fixed == other.fixed
    }

    /// Appends the numbers of the function at the start of `bytes` to `values`, if the function has this structure,
    /// and returns the length of the function in bytes. `table` has the ids in the sum that indexes of names stand
    /// for, and other ids for names that are not in the sum. A function does not match if it has a count of more than
    /// 32 bits, or if fewer than 16 bytes follow the start of its last number.
    pub(super) fn matches(&self, bytes: &[u8], table: &[NameId], values: &mut Vec<u32>) -> Option<usize> {
        let start = values.len();
        values.resize(start + self.gaps.len(), 0);
        let end = self.numbers(bytes, &mut values[start..]).filter(|_| {
            let known = |&(slot, name): &(u32, NameId)| {
                let index = values[start + slot as usize] as usize;
                table.get(index) == Some(&name)
            };
            self.names.iter().all(known)
        });
        if end.is_none() {
            values.truncate(start);
        }
        end
    }

    /// Reads the numbers of the function, if the function has this structure, and returns its length in bytes. Like
    /// [`Self::matches`], needs some bytes after the function.
    fn numbers(&self, bytes: &[u8], values: &mut [u32]) -> Option<usize> {
        let mut position = 0;
        let mut fixed = self.fixed.as_slice();
        for (&gap, value) in self.gaps.iter().zip(values) {
            let mut gap = usize::from(gap);
            if gap > WORD {
                let (long, rest) = fixed.split_at(gap);
                if !bytes.get(position..)?.starts_with(long) {
                    return None;
                }
                fixed = rest;
                position += gap;
                gap = 0;
            }
            // One check that the bytes are there serves for the gap and for a number of two bytes.
            let found: &[u8; 2 * WORD] = bytes.get(position..)?.first_chunk()?;
            let &expected = fixed.first_chunk()?;
            let differing = word(found) ^ u64::from_le_bytes(expected);
            if differing & FIRST_BYTES[gap] != 0 {
                return None;
            }
            fixed = &fixed[gap..];
            position += gap;
            // Most numbers have one or two bytes. Both lengths are decoded without a branch.
            let (low, high) = (found[gap], found[gap + 1]);
            if low & high & 0x80 == 0 {
                let more = u32::from(low >> 7);
                *value = u32::from(low & 0x7f) | (u32::from(high) * more) << 7;
                position += 1 + more as usize;
            } else {
                let (long, len) = leb128::decode(&bytes[position..]).ok()?;
                *value = u32::try_from(long).ok()?;
                position += len;
            }
        }
        let rest = &fixed[..fixed.len() - WORD];
        bytes.get(position..)?.starts_with(rest).then(|| position + rest.len())
    }

    /// Adds numbers that [`Self::matches`] found, multiplied by `weight`.
    pub(super) fn add(&mut self, values: &[u32], weight: u64) {
        for (sum, &value) in self.sums.iter_mut().zip(values) {
            *sum = sum.saturating_add(u64::from(value).saturating_mul(weight));
        }
    }

    /// Adds the sums of this template to the counts of `function`, which has all locations of this structure. `names`
    /// are the names of the sum.
    ///
    /// # Panics
    /// Never, because a function of the same structure was decoded before.
    pub(super) fn add_to(&self, function: &mut FunctionSamples, names: &NameTable) {
        let mut bytes = Vec::new();
        let mut table = Vec::with_capacity(self.names.len());
        let mut done = 0;
        for ((slot, &gap), &sum) in (0..).zip(&self.gaps).zip(&self.sums) {
            let gap = usize::from(gap);
            bytes.extend_from_slice(&self.fixed[done..done + gap]);
            done += gap;
            match self.names.get(table.len()) {
                Some(&(named, name)) if named == slot => {
                    leb128::push(&mut bytes, table.len() as u64);
                    table.push(name);
                }
                _ => leb128::push(&mut bytes, sum),
            }
        }
        bytes.extend_from_slice(&self.fixed[done..self.fixed.len() - WORD]);
        let decoder = Decoder {
            names,
            table: &table,
            contexts: None,
            weight: 1,
        };
        let mut cursor = Cursor::new(&bytes);
        let added = decoder
            .head(&mut cursor)
            .and_then(|(head, _)| decoder.add_function(&mut cursor, head, function));
        added.expect("a function of this structure was decoded");
    }
}

/// Returns the first eight bytes as a word.
fn word(bytes: &[u8; 2 * WORD]) -> u64 {
    u64::from_le_bytes(std::array::from_fn(|index| bytes[index]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The function is encoded as: head, name, total, 1 record of line, discriminator, count, 1 target of name, count;
    /// 1 inlined function at line, discriminator: name, total, no records, no inlined functions.
    const FUNCTION: [u8; 17] = [3, 0, 9, 1, 4, 0, 7, 1, 1, 7, 1, 5, 2, 1, 2, 0, 0];
    const TABLE: [NameId; 2] = [NameId(10), NameId(20)];
    /// Bytes after the function: a function is only compared if other functions follow.
    const MORE: [u8; 2 * WORD] = [0xaa; 2 * WORD];

    fn matched(template: &Template, function: &[u8], table: &[NameId]) -> Option<(usize, Vec<u32>)> {
        let mut values = vec![99];
        let len = template.matches(&[function, &MORE].concat(), table, &mut values);
        assert_eq!(values.remove(0), 99);
        assert_eq!(len.is_none(), values.is_empty());
        len.map(|len| (len, values))
    }

    fn template() -> Template {
        let mut cursor = Cursor::new(&FUNCTION);
        let template = Template::read(&mut cursor, &TABLE).unwrap().unwrap();
        assert!(cursor.is_at_end());
        template
    }

    #[test]
    fn only_counts_may_differ() {
        let template = template();
        let values = vec![3, 0, 9, 7, 1, 7, 1, 2];
        assert_eq!(matched(&template, &FUNCTION, &TABLE), Some((17, values)));
        // The other function has the total 300, which takes two bytes, and a count of 2^32-1.
        let other = [
            3, 0, 0xac, 2, 1, 4, 0, 0xff, 0xff, 0xff, 0xff, 0xf, 1, 1, 7, 1, 5, 2, 1, 2, 0, 0,
        ];
        let values = vec![3, 0, 300, u32::MAX, 1, 7, 1, 2];
        assert_eq!(matched(&template, &other, &TABLE), Some((22, values)));
        for position in [3, 4, 5, 7, 10, 11, 12, 15, 16] {
            let mut other = FUNCTION;
            other[position] ^= 1;
            assert_eq!(matched(&template, &other, &TABLE), None, "byte {position}");
        }
    }

    #[test]
    fn names_are_those_of_the_sum() {
        let template = template();
        let mut swapped = FUNCTION;
        for position in [1, 8, 13] {
            swapped[position] ^= 1;
        }
        assert_eq!(matched(&template, &swapped, &TABLE), None);
        let found = matched(&template, &swapped, &[TABLE[1], TABLE[0]]);
        assert_eq!(found, Some((17, vec![3, 1, 9, 7, 0, 7, 0, 2])));
        assert_eq!(matched(&template, &FUNCTION, &TABLE[..1]), None, "no such name");
    }

    #[test]
    fn cut_functions_and_large_counts_do_not_match() {
        let template = template();
        for len in 0..FUNCTION.len() {
            assert_eq!(template.matches(&FUNCTION[..len], &TABLE, &mut Vec::new()), None);
        }
        let large = [
            3, 0, 0x80, 0x80, 0x80, 0x80, 0x10, 1, 4, 0, 7, 1, 1, 7, 1, 5, 2, 1, 2, 0, 0,
        ];
        assert_eq!(matched(&template, &large, &TABLE), None, "2^32");
    }

    #[test]
    fn sums_are_those_of_functions_added_one_by_one() {
        let mut names = NameTable::new();
        let table = [names.intern(b"caller"), names.intern(b"callee")];
        let decoder = Decoder {
            names: &names,
            table: &table,
            contexts: None,
            weight: 5,
        };
        let mut template = Template::read(&mut Cursor::new(&FUNCTION), &table).unwrap().unwrap();
        let (mut expected, mut sum) = (FunctionSamples::new(table[0]), FunctionSamples::new(table[0]));
        for function in [&mut expected, &mut sum] {
            let mut cursor = Cursor::new(&FUNCTION);
            let (head, _) = decoder.head(&mut cursor).unwrap();
            decoder.add_function(&mut cursor, head, function).unwrap();
        }
        for _ in 0..3 {
            let (_, values) = matched(&template, &FUNCTION, &table).unwrap();
            template.add(&values, 5);
            let mut cursor = Cursor::new(&FUNCTION);
            let (head, _) = decoder.head(&mut cursor).unwrap();
            decoder.add_function(&mut cursor, head, &mut expected).unwrap();
        }
        template.add_to(&mut sum, &names);
        assert_eq!(sum, expected);
        assert_eq!(sum.inlinees[0].1.total, 2 * 5 * 4);
    }
}
