//! The file header: byte order, container, sections (perf: Documentation/perf.data-file-format.txt).

use crate::byte_order::ByteOrder;

/// Size in bytes of the header that every perf since 2.6.32 writes, and of the older one without the feature bitmap.
pub(crate) const HEADER_LEN: u64 = 104;
pub(crate) const SHORT_HEADER_LEN: u64 = 72;
/// Size in bytes of a pipe's header: the magic number and this size.
pub(crate) const PIPE_HEADER_LEN: u64 = 16;
/// Number of bytes that show what kind of file an input is.
pub(crate) const MAGIC_LEN: u64 = 24;
/// Number of the HOSTNAME bit, which every perf that has features sets.
const HOSTNAME_BIT: u32 = 3;

/// Facts from the first bytes of an input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Magic {
    pub(crate) order: ByteOrder,
    /// Version of the format: 2 since Linux 3.6, 1 before.
    pub(crate) version: u8,
    /// True for a stream of records, even if it was stored in a file.
    pub(crate) pipe: bool,
}

impl Magic {
    /// Recognises perf.data by its first bytes: [`MAGIC_LEN`] bytes, or the 16 bytes that a pipe may have.
    pub(crate) fn parse(start: &[u8]) -> Option<Self> {
        let order = match start.get(..8)? {
            b"PERFILE2" => ByteOrder::Little,
            b"2ELIFREP" => ByteOrder::Big,
            b"PERFFILE" => version_1_order(start),
            _ => return None,
        };
        Some(Self {
            order,
            version: if start.starts_with(b"PERFFILE") { 1 } else { 2 },
            pipe: order.u64(start, 8)? == PIPE_HEADER_LEN,
        })
    }
}

/// Returns the byte order of a version 1 file. Its magic number is the same in both byte orders, so the attr entry
/// size decides (perf: check_magic_endian).
fn version_1_order(start: &[u8]) -> ByteOrder {
    let is_entry_size = |order: ByteOrder| matches!(order.u64(start, 16), Some(80 | 88 | 96 | 112 | 120));
    let is_pipe = |order: ByteOrder| order.u64(start, 8) == Some(PIPE_HEADER_LEN);
    if is_pipe(ByteOrder::Big)
        || (!is_pipe(ByteOrder::Little) && !is_entry_size(ByteOrder::Little) && is_entry_size(ByteOrder::Big))
    {
        ByteOrder::Big
    } else {
        ByteOrder::Little
    }
}

/// A section of the file: offset and size in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Section {
    pub(crate) offset: u64,
    pub(crate) size: u64,
}

impl Section {
    pub(crate) fn parse(bytes: &[u8], at: usize, order: ByteOrder) -> Option<Self> {
        Some(Self {
            offset: order.u64(bytes, at)?,
            size: order.u64(bytes, at + 8)?,
        })
    }

    /// Returns the end of the section. The end lies beyond all files if the sum overflows.
    pub(crate) fn end(self) -> u64 {
        self.offset.saturating_add(self.size)
    }
}

/// The header of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) attr_entry_size: u64,
    pub(crate) attrs: Section,
    pub(crate) data: Section,
    pub(crate) event_types: Section,
    /// Numbers of the features that have a section, ascending.
    pub(crate) features: Vec<u32>,
}

impl FileHeader {
    /// Reads a header of 72 or 104 bytes. Returns `None` if `bytes` is shorter than the size that the header states.
    pub(crate) fn parse(bytes: &[u8], order: ByteOrder) -> Option<Self> {
        let with_features = order.u64(bytes, 8)? >= HEADER_LEN;
        let features = if with_features {
            parse_bitmap(bytes.get(72..104)?, order)
        } else {
            Vec::new()
        };
        Some(Self {
            attr_entry_size: order.u64(bytes, 16)?,
            attrs: Section::parse(bytes, 24, order)?,
            data: Section::parse(bytes, 40, order)?,
            event_types: Section::parse(bytes, 56, order)?,
            features,
        })
    }
}

/// Reads the bitmap, which is an array of the machine's `unsigned long`. On big-endian machines its layout depends on
/// their size.
fn parse_bitmap(bitmap: &[u8], order: ByteOrder) -> Vec<u32> {
    let bits_of = |word_bits: u32| -> Vec<u32> {
        (0..256)
            .filter(|bit| {
                let at = (bit / word_bits * word_bits / 8) as usize;
                let word = match word_bits {
                    64 => order.u64(bitmap, at),
                    _ => order.u32(bitmap, at).map(u64::from),
                };
                word.is_some_and(|word| word >> (bit % word_bits) & 1 != 0)
            })
            .collect()
    };
    let wide = bits_of(64);
    if order == ByteOrder::Big && !wide.contains(&HOSTNAME_BIT) {
        let narrow = bits_of(32);
        if narrow.contains(&HOSTNAME_BIT) {
            return narrow;
        }
    }
    wide
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes a bitmap with these bits set, in words of `word_bits` bits.
    fn bitmap(bits: &[u32], word_bits: u32) -> Vec<u8> {
        let mut words = vec![0_u64; (256 / word_bits) as usize];
        for bit in bits {
            words[(bit / word_bits) as usize] |= 1 << (bit % word_bits);
        }
        let width = word_bits as usize / 8;
        words
            .iter()
            .flat_map(|word| word.to_be_bytes()[8 - width..].to_vec())
            .collect()
    }

    #[test]
    fn big_endian_bitmaps_of_both_word_sizes() {
        let bits = [2, 3, 12, 40, 200];
        for word_bits in [32, 64] {
            assert_eq!(
                parse_bitmap(&bitmap(&bits, word_bits), ByteOrder::Big),
                bits,
                "{word_bits} bits"
            );
        }
        assert!(parse_bitmap(&[0; 32], ByteOrder::Big).is_empty());
    }

    #[test]
    fn version_1_pipes_tell_their_byte_order_by_the_header_size() {
        for (size, order) in [
            (16_u64.to_le_bytes(), ByteOrder::Little),
            (16_u64.to_be_bytes(), ByteOrder::Big),
        ] {
            let start = [b"PERFFILE".as_slice(), &size].concat();
            assert_eq!(
                Magic::parse(&start),
                Some(Magic {
                    order,
                    version: 1,
                    pipe: true
                })
            );
        }
    }
}
