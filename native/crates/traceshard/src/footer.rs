//! Checks the description of a file before the Parquet library reads it. The library allocates memory for as many
//! columns as a group claims to have, and follows nested groups to any depth.

/// Largest depth of nested groups of columns. A shard has depth 1.
const MAX_DEPTH: usize = 32;

/// Types of Thrift's compact form (thrift-compact-protocol.md).
mod kind {
    pub(super) const STOP: u8 = 0;
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const BYTE: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const STRUCT: u8 = 12;
}

/// Returns true if the schema in a description is a tree with as many columns as it states (parquet.thrift:
/// `FileMetaData.schema` is field 2, `SchemaElement.num_children` is field 5).
pub(crate) fn has_sound_schema(footer: &[u8]) -> bool {
    let mut rest = Compact(footer);
    rest.schema().is_some()
}

struct Compact<'a>(&'a [u8]);

impl Compact<'_> {
    fn schema(&mut self) -> Option<()> {
        let mut id = 0;
        loop {
            let kind = self.field(&mut id)?;
            if kind == kind::STOP {
                return None;
            }
            if id != 2 {
                self.skip(kind, 0)?;
                continue;
            }
            let (elements, kind) = (kind == kind::LIST).then(|| self.list())??;
            return (kind == kind::STRUCT).then(|| self.tree(elements))?;
        }
    }

    /// Walks the elements in order from the root.
    fn tree(&mut self, elements: u64) -> Option<()> {
        // For each open group, the number of children that are still to come.
        let mut open = vec![1u64];
        for _ in 0..elements {
            // A group is left when its last child has been walked through.
            while open.last() == Some(&0) {
                open.pop();
            }
            *open.last_mut()? -= 1;
            let children = self.children()?;
            if children > 0 {
                (children < elements && open.len() < MAX_DEPTH).then_some(())?;
                open.push(children);
            }
        }
        open.iter().all(|missing| *missing == 0).then_some(())
    }

    /// Reads the number of children of the next element.
    fn children(&mut self) -> Option<u64> {
        let (mut id, mut children) = (0, 0);
        loop {
            match self.field(&mut id)? {
                kind::STOP => return Some(children),
                kind::I32 if id == 5 => {
                    let number = self.varint()?;
                    // In zigzag encoding an odd number is negative.
                    (number & 1 == 0).then_some(())?;
                    children = number >> 1;
                }
                other => self.skip(other, 0)?,
            }
        }
    }

    /// Reads the type of the next field, and sets `id` to the number of the field.
    fn field(&mut self, id: &mut u64) -> Option<u8> {
        let head = self.byte()?;
        let kind = head & 15;
        if kind != kind::STOP {
            *id = match head >> 4 {
                0 => self.varint()? >> 1,
                distance => *id + u64::from(distance),
            };
        }
        Some(kind)
    }

    /// Returns the number of elements of a list, and their type.
    fn list(&mut self) -> Option<(u64, u8)> {
        let head = self.byte()?;
        let size = match head >> 4 {
            15 => self.varint()?,
            size => u64::from(size),
        };
        Some((size, head & 15))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Option<()> {
        (depth < MAX_DEPTH).then_some(())?;
        match kind {
            kind::TRUE | kind::FALSE => Some(()),
            kind::BYTE => self.take(1),
            kind::I16 | kind::I32 | kind::I64 => self.varint().map(drop),
            kind::DOUBLE => self.take(8),
            kind::BINARY => {
                let length = self.varint()?;
                self.take(length)
            }
            kind::LIST => {
                let (size, kind) = self.list()?;
                // Each element takes at least one byte, even a truth value.
                (size <= self.0.len() as u64).then_some(())?;
                (0..size).try_for_each(|_| match kind {
                    kind::TRUE | kind::FALSE => self.take(1),
                    kind => self.skip(kind, depth + 1),
                })
            }
            kind::STRUCT => {
                let mut id = 0;
                loop {
                    match self.field(&mut id)? {
                        kind::STOP => return Some(()),
                        kind => self.skip(kind, depth + 1)?,
                    }
                }
            }
            _ => None,
        }
    }

    fn byte(&mut self) -> Option<u8> {
        let (&first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(first)
    }

    fn take(&mut self, bytes: u64) -> Option<()> {
        self.0 = self.0.get(usize::try_from(bytes).ok()?..)?;
        Some(())
    }

    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(value);
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::has_sound_schema;

    /// Builds a description: version 1, then a list of elements, each with the given number of children.
    fn footer(children: &[u8]) -> Vec<u8> {
        let mut bytes = vec![0x15, 2, 0x19, 0xfc, children.len() as u8];
        for children in children {
            // Field 4 is a name, field 5 the number of children.
            bytes.extend([0x48, 1, b'x', 0x15, children << 1, 0]);
        }
        bytes
    }

    #[test]
    fn a_schema_is_a_tree() {
        assert!(has_sound_schema(&footer(&[2, 0, 0])));
        assert!(has_sound_schema(&footer(&[2, 1, 0, 0])));
        assert!(!has_sound_schema(&footer(&[3, 0, 0])), "one is missing");
        assert!(!has_sound_schema(&footer(&[1, 0, 0])), "one too many");
        assert!(!has_sound_schema(&footer(&[60, 0])), "more than there are");
        let deep: Vec<u8> = [1].repeat(40).into_iter().chain([0]).collect();
        assert!(!has_sound_schema(&footer(&deep)), "too deep");
        let whole = footer(&[2, 0, 0]);
        assert!((0..whole.len()).all(|len| !has_sound_schema(&whole[..len])));
    }
}
