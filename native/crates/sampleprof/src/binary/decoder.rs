use super::Cursor;
use crate::combine::{add_up_targets, normalize};
use crate::read::ReadErrorKind;
use crate::{BodyRecord, CallTarget, FunctionSamples, LineLocation, MAX_INLINE_DEPTH, NameId, NameTable};

/// Line offsets of body records have 16 bits (LLVM: `isOffsetLegal`); those of call sites are not checked.
const MAX_BODY_LINE_OFFSET: u64 = 0xffff;

/// Fewest bytes of a body record: line, discriminator, count, number of targets.
const MIN_RECORD_SIZE: usize = 4;

/// Fewest bytes of a call target: name, count.
const MIN_TARGET_SIZE: usize = 2;

/// Fewest bytes of an inlinee: line, discriminator, name, total, number of records, number of inlinees.
const MIN_INLINEE_SIZE: usize = 6;

/// Decodes the parts that the binary forms share.
#[derive(Default)]
pub(crate) struct Decoder {
    /// The names of the profile.
    pub(crate) names: NameTable,
    /// The file's name table: what its indexes stand for.
    table: Vec<NameId>,
}

impl Decoder {
    /// Replaces the name table by one of NUL-terminated names.
    pub(crate) fn read_names(&mut self, cursor: &mut Cursor<'_>) -> Result<(), ReadErrorKind> {
        self.read_table(cursor, 1, |names, cursor| Ok(names.intern(cursor.string()?)))
    }

    /// Replaces the name table by one of MD5 hashes, ULEB128 or eight bytes each.
    pub(crate) fn read_guids(&mut self, cursor: &mut Cursor<'_>, fixed_length: bool) -> Result<(), ReadErrorKind> {
        if fixed_length {
            self.read_table(cursor, 8, |names, cursor| Ok(names.intern_guid(cursor.fixed64()?)))
        } else {
            self.read_table(cursor, 1, |names, cursor| Ok(names.intern_guid(cursor.number()?)))
        }
    }

    fn read_table(
        &mut self,
        cursor: &mut Cursor<'_>,
        entry_size: usize,
        read: impl Fn(&mut NameTable, &mut Cursor<'_>) -> Result<NameId, ReadErrorKind>,
    ) -> Result<(), ReadErrorKind> {
        let count = cursor.count("names", entry_size)?;
        self.table.clear();
        self.table.reserve(count);
        for _ in 0..count {
            self.table.push(read(&mut self.names, cursor)?);
        }
        Ok(())
    }

    /// An index into the name table.
    #[inline]
    pub(crate) fn name(&self, cursor: &mut Cursor<'_>) -> Result<NameId, ReadErrorKind> {
        let index = cursor.number()?;
        let name = usize::try_from(index).ok().and_then(|index| self.table.get(index));
        name.copied().ok_or(ReadErrorKind::NameIndex {
            index,
            len: self.table.len(),
        })
    }

    /// A function that is not inlined: its head count and its body.
    pub(crate) fn top_level(&self, cursor: &mut Cursor<'_>) -> Result<FunctionSamples, ReadErrorKind> {
        let head = cursor.number()?;
        let mut function = self.body(cursor, 0)?;
        function.head = head;
        Ok(function)
    }

    /// A place where a function was inlined.
    pub(crate) fn call_site(&self, cursor: &mut Cursor<'_>) -> Result<LineLocation, ReadErrorKind> {
        Ok(LineLocation::new(cursor.number32()?, cursor.number32()?))
    }

    fn body(&self, cursor: &mut Cursor<'_>, depth: usize) -> Result<FunctionSamples, ReadErrorKind> {
        if depth > MAX_INLINE_DEPTH {
            return Err(ReadErrorKind::TooDeep);
        }
        let mut function = FunctionSamples::new(self.name(cursor)?);
        function.total = cursor.number()?;
        let records = cursor.count("body records", MIN_RECORD_SIZE)?;
        function.body.reserve_exact(records);
        for _ in 0..records {
            function.body.push(self.record(cursor)?);
        }
        let inlinees = cursor.count("inlined functions", MIN_INLINEE_SIZE)?;
        function.inlinees.reserve_exact(inlinees);
        for _ in 0..inlinees {
            let location = self.call_site(cursor)?;
            function.inlinees.push((location, self.body(cursor, depth + 1)?));
        }
        normalize(&mut function, &self.names);
        Ok(function)
    }

    #[inline]
    fn record(&self, cursor: &mut Cursor<'_>) -> Result<BodyRecord, ReadErrorKind> {
        let line_offset = cursor.number()?;
        if line_offset > MAX_BODY_LINE_OFFSET {
            return Err(ReadErrorKind::LineOffset(line_offset));
        }
        let location = LineLocation::new(line_offset as u32, cursor.number32()?);
        let count = cursor.number()?;
        let len = cursor.count("call targets", MIN_TARGET_SIZE)?;
        let mut targets = Vec::with_capacity(len);
        for _ in 0..len {
            targets.push(CallTarget {
                name: self.name(cursor)?,
                count: cursor.number()?,
            });
        }
        add_up_targets(&mut targets);
        Ok(BodyRecord {
            location,
            count,
            targets,
        })
    }
}
