use std::cmp::Ordering;
use std::ops::Range;

use super::Cursor;
use crate::combine::{Checksums, add_record, add_target, add_up_targets, fold_equal, merge_function};
use crate::positions::FunctionKey;
use crate::read::ReadErrorKind;
use crate::{BodyRecord, CallTarget, ContextId, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, NameId, NameTable};

/// Largest line offset of a body record, 16 bits (LLVM: `isOffsetLegal`). Line offsets of call sites are not checked.
const MAX_BODY_LINE_OFFSET: u64 = 0xffff;

/// Smallest size of a body record in bytes: line, discriminator, count, number of targets.
const MIN_RECORD_SIZE: usize = 4;

/// Smallest size of a call target in bytes: name, count.
const MIN_TARGET_SIZE: usize = 2;

/// Smallest size of an inlinee in bytes: line, discriminator, name, total, number of records, number of inlinees.
const MIN_INLINEE_SIZE: usize = 6;

/// Number of targets above which the targets of a record are sorted once. With fewer, each target is searched for.
const FEW_TARGETS: usize = 16;

/// Adds encoded functions to decoded ones. To decode a function, add it to a function without counts.
#[derive(Clone, Copy)]
pub(crate) struct Decoder<'a> {
    /// The table that the ids belong to.
    pub(crate) names: &'a NameTable,
    /// Ids that the indexes into the name table of the file stand for.
    pub(crate) table: &'a [NameId],
    /// Functions that the indexes into the file's table of contexts stand for. `None` in a profile without contexts,
    /// whose functions are indexes into the name table.
    pub(crate) contexts: Option<&'a [FunctionKey]>,
    /// Factor by which every count is multiplied.
    pub(crate) weight: u64,
}

impl Decoder<'_> {
    /// Reads an index into the name table.
    #[inline]
    pub(crate) fn name(&self, cursor: &mut Cursor<'_>) -> Result<NameId, ReadErrorKind> {
        Ok(self.table[name_index(cursor, self.table.len())?])
    }

    /// Reads the start of a function that is not inlined: its head count, and the key that tells it from other
    /// functions.
    pub(crate) fn head(&self, cursor: &mut Cursor<'_>) -> Result<(u64, FunctionKey), ReadErrorKind> {
        Ok((cursor.number()?, self.key(cursor)?))
    }

    /// Reads the key that tells a function that is not inlined from other functions.
    pub(crate) fn key(&self, cursor: &mut Cursor<'_>) -> Result<FunctionKey, ReadErrorKind> {
        let Some(contexts) = self.contexts else {
            return Ok(FunctionKey {
                name: self.name(cursor)?,
                context: ContextId::BASE,
            });
        };
        let index = cursor.number()?;
        let known = usize::try_from(index).ok().and_then(|index| contexts.get(index));
        known.copied().ok_or(ReadErrorKind::ContextIndex {
            index,
            len: contexts.len(),
        })
    }

    /// Reads the rest of a function that is not inlined, and adds it to `sum`.
    pub(crate) fn add_function(
        &self,
        cursor: &mut Cursor<'_>,
        head: u64,
        sum: &mut FunctionSamples,
    ) -> Result<(), ReadErrorKind> {
        sum.head = self.add(sum.head, head);
        self.add_body(cursor, sum, 0)
    }

    fn add(&self, sum: u64, count: u64) -> u64 {
        sum.saturating_add(count.saturating_mul(self.weight))
    }

    /// Reads the part of a function that follows its name, and adds it to `sum`. The records of `sum` stay in order.
    fn add_body(&self, cursor: &mut Cursor<'_>, sum: &mut FunctionSamples, depth: usize) -> Result<(), ReadErrorKind> {
        check_depth(depth)?;
        sum.total = self.add(sum.total, cursor.number()?);
        self.add_records(cursor, &mut sum.body)?;
        self.add_inlinees(cursor, &mut sum.inlinees, depth)
    }

    fn add_records(&self, cursor: &mut Cursor<'_>, body: &mut Vec<BodyRecord>) -> Result<(), ReadErrorKind> {
        let count = cursor.count("body records", MIN_RECORD_SIZE)?;
        if body.is_empty() {
            body.reserve_exact(count);
        }
        let mut hint = 0;
        let mut new = Vec::new();
        for _ in 0..count {
            let location = body_location(cursor)?;
            let slot = find(body, &mut hint, |record| record.location.cmp(&location));
            if let Slot::At(position) = slot {
                self.add_record(cursor, &mut body[position])?;
                continue;
            }
            let mut record = BodyRecord {
                location,
                ..BodyRecord::default()
            };
            self.add_record(cursor, &mut record)?;
            if slot == Slot::End { &mut *body } else { &mut new }.push(record);
        }
        if !new.is_empty() {
            body.append(&mut new);
            body.sort_by_key(|record| record.location);
            fold_equal(body, |a, b| a.location == b.location, add_record);
        }
        Ok(())
    }

    /// Reads the part of a body record that follows its location.
    #[inline]
    fn add_record(&self, cursor: &mut Cursor<'_>, record: &mut BodyRecord) -> Result<(), ReadErrorKind> {
        record.count = self.add(record.count, cursor.number()?);
        self.add_targets(cursor, &mut record.targets)
    }

    fn add_targets(&self, cursor: &mut Cursor<'_>, targets: &mut Vec<CallTarget>) -> Result<(), ReadErrorKind> {
        let count = cursor.count("call targets", MIN_TARGET_SIZE)?;
        if count == 0 {
            return Ok(());
        }
        if targets.is_empty() {
            targets.reserve_exact(count);
        }
        let few = targets.len() + count <= FEW_TARGETS;
        for _ in 0..count {
            let target = CallTarget {
                name: self.name(cursor)?,
                count: self.add(0, cursor.number()?),
            };
            let known = if few {
                targets.iter_mut().find(|known| known.name == target.name)
            } else {
                None
            };
            match known {
                Some(known) => add_target(known, target),
                None => targets.push(target),
            }
        }
        if !few {
            add_up_targets(targets);
        }
        Ok(())
    }

    fn add_inlinees(
        &self,
        cursor: &mut Cursor<'_>,
        inlinees: &mut Vec<(LineLocation, FunctionSamples)>,
        depth: usize,
    ) -> Result<(), ReadErrorKind> {
        let count = cursor.count("inlined functions", MIN_INLINEE_SIZE)?;
        if inlinees.is_empty() {
            inlinees.reserve_exact(count);
        }
        let mut hint = 0;
        let mut new = Vec::new();
        for _ in 0..count {
            let location = call_site(cursor)?;
            let name = self.name(cursor)?;
            let slot = find(inlinees, &mut hint, |(at, callee)| {
                at.cmp(&location).then_with(|| self.names.compare(callee.name, name))
            });
            if let Slot::At(position) = slot {
                self.add_body(cursor, &mut inlinees[position].1, depth + 1)?;
                continue;
            }
            let mut callee = FunctionSamples::new(name);
            self.add_body(cursor, &mut callee, depth + 1)?;
            if slot == Slot::End { &mut *inlinees } else { &mut new }.push((location, callee));
        }
        if !new.is_empty() {
            inlinees.append(&mut new);
            inlinees.sort_by(|a, b| a.0.cmp(&b.0).then_with(|| self.names.compare(a.1.name, b.1.name)));
            let same = |a: &(LineLocation, FunctionSamples), b: &(LineLocation, FunctionSamples)| {
                a.0 == b.0 && a.1.name == b.1.name
            };
            fold_equal(inlinees, same, |into, from| {
                merge_function(&mut into.1, from.1, self.names, Checksums::Replace);
            });
        }
        Ok(())
    }
}

/// A number in an encoded function that differs between profiles with the same locations and functions.
pub(crate) enum Variable {
    Count,
    /// An index into the name table.
    Name(usize),
}

/// Reads over a function that is not inlined, refuses everything that [`Decoder`] refuses, and returns the index of
/// its name. Calls `visit` for all counts and names, in the order of their bytes, with their positions.
pub(crate) fn skim_function(
    cursor: &mut Cursor<'_>,
    table_len: usize,
    visit: &mut impl FnMut(Variable, Range<usize>),
) -> Result<usize, ReadErrorKind> {
    skim_count(cursor, visit)?;
    skim_body(cursor, table_len, 0, visit)
}

fn skim_body(
    cursor: &mut Cursor<'_>,
    table_len: usize,
    depth: usize,
    visit: &mut impl FnMut(Variable, Range<usize>),
) -> Result<usize, ReadErrorKind> {
    let name = skim_name(cursor, table_len, visit)?;
    check_depth(depth)?;
    skim_count(cursor, visit)?;
    for _ in 0..cursor.count("body records", MIN_RECORD_SIZE)? {
        body_location(cursor)?;
        skim_count(cursor, visit)?;
        for _ in 0..cursor.count("call targets", MIN_TARGET_SIZE)? {
            skim_name(cursor, table_len, visit)?;
            skim_count(cursor, visit)?;
        }
    }
    for _ in 0..cursor.count("inlined functions", MIN_INLINEE_SIZE)? {
        call_site(cursor)?;
        skim_body(cursor, table_len, depth + 1, visit)?;
    }
    Ok(name)
}

#[inline]
fn skim_count(cursor: &mut Cursor<'_>, visit: &mut impl FnMut(Variable, Range<usize>)) -> Result<(), ReadErrorKind> {
    let start = cursor.position();
    cursor.number()?;
    visit(Variable::Count, start..cursor.position());
    Ok(())
}

#[inline]
fn skim_name(
    cursor: &mut Cursor<'_>,
    table_len: usize,
    visit: &mut impl FnMut(Variable, Range<usize>),
) -> Result<usize, ReadErrorKind> {
    let start = cursor.position();
    let name = name_index(cursor, table_len)?;
    visit(Variable::Name(name), start..cursor.position());
    Ok(name)
}

/// Reads the location at which a function was inlined.
#[inline]
pub(crate) fn call_site(cursor: &mut Cursor<'_>) -> Result<LineLocation, ReadErrorKind> {
    Ok(LineLocation::new(cursor.number32()?, cursor.number32()?))
}

#[inline]
pub(super) fn body_location(cursor: &mut Cursor<'_>) -> Result<LineLocation, ReadErrorKind> {
    let line_offset = cursor.number()?;
    if line_offset > MAX_BODY_LINE_OFFSET {
        return Err(ReadErrorKind::LineOffset(line_offset));
    }
    Ok(LineLocation::new(line_offset as u32, cursor.number32()?))
}

/// Reads an index into a name table of `len` names.
#[inline]
pub(super) fn name_index(cursor: &mut Cursor<'_>, len: usize) -> Result<usize, ReadErrorKind> {
    let index = cursor.number()?;
    usize::try_from(index)
        .ok()
        .filter(|&known| known < len)
        .ok_or(ReadErrorKind::NameIndex { index, len })
}

fn check_depth(depth: usize) -> Result<(), ReadErrorKind> {
    if depth > MAX_INLINE_DEPTH {
        Err(ReadErrorKind::TooDeep)
    } else {
        Ok(())
    }
}

/// The position of an element in an ascending list, or the position where it would be inserted.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Slot {
    At(usize),
    End,
    Between,
}

/// Finds the element that `order` calls equal. The search starts from `hint`, and moves `hint` on.
///
/// Elements are normally searched for in ascending order, so that a whole list costs one pass. Otherwise each element
/// costs a binary search.
#[inline]
fn find<T>(items: &[T], hint: &mut usize, order: impl Fn(&T) -> Ordering) -> Slot {
    while let Some(item) = items.get(*hint) {
        match order(item) {
            Ordering::Less => *hint += 1,
            Ordering::Equal => return Slot::At(*hint),
            Ordering::Greater => break,
        }
    }
    if *hint > 0 && order(&items[*hint - 1]).is_ge() {
        return items[..*hint].binary_search_by(order).map_or(Slot::Between, Slot::At);
    }
    if *hint == items.len() { Slot::End } else { Slot::Between }
}
