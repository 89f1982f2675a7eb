//! Decompresses pages of codecs that the Parquet library would decompress to any size. A few kilobytes of gzip can hold
//! gigabytes.

use std::io::Read;

use bytes::Bytes;
use flate2::read::MultiGzDecoder;
use parquet::basic::Compression;
use parquet::column::page::Page;
use parquet::errors::{ParquetError, Result};

/// A codec whose pages are decompressed here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    Gzip,
    /// A block of LZ4 without a frame (`LZ4_RAW` in Compression.md of the Parquet format).
    Lz4,
}

impl Codec {
    pub(crate) fn of(compression: Compression) -> Option<Self> {
        match compression {
            Compression::GZIP(_) => Some(Self::Gzip),
            Compression::LZ4_RAW => Some(Self::Lz4),
            _ => None,
        }
    }

    /// Replaces the bytes of a page, as they are in the file, by the decompressed bytes. `size` is the number of bytes
    /// that the header of the page states.
    pub(crate) fn decompress(self, page: &mut Page, size: u64) -> Result<()> {
        let (bytes, plain) = match page {
            Page::DataPageV2 {
                is_compressed: false, ..
            } => return Ok(()),
            // The levels are in front of the values, and are not compressed.
            Page::DataPageV2 {
                buf,
                def_levels_byte_len,
                rep_levels_byte_len,
                ..
            } => (buf, u64::from(*def_levels_byte_len) + u64::from(*rep_levels_byte_len)),
            Page::DataPage { buf, .. } | Page::DictionaryPage { buf, .. } => (buf, 0),
        };
        // Sizes are compared as numbers of 64 bits. The sizes of pages, which are checked before, fit in memory.
        let sound = plain <= size && plain <= bytes.len() as u64;
        let (size, plain) = (size as usize, plain as usize);
        let mut whole = Vec::with_capacity(size);
        // A page without values may have no compressed bytes at all.
        let is_whole = sound && {
            whole.extend_from_slice(&bytes[..plain]);
            size == plain || self.append(&bytes[plain..], &mut whole, size)?
        };
        if !is_whole {
            return Err(ParquetError::General(format!(
                "a page does not have the {size} bytes that its header states"
            )));
        }
        *bytes = Bytes::from(whole);
        Ok(())
    }

    /// Appends the decompressed bytes, and returns true if the text then has `size` bytes. It never gets longer than
    /// one byte more.
    fn append(self, compressed: &[u8], text: &mut Vec<u8>, size: usize) -> Result<bool> {
        match self {
            Self::Gzip => {
                let room = (size - text.len()) as u64;
                MultiGzDecoder::new(compressed).take(room + 1).read_to_end(text)?;
            }
            Self::Lz4 => {
                let start = text.len();
                text.resize(size, 0);
                let written = lz4_flex::block::decompress_into(compressed, &mut text[start..])
                    .map_err(|error| ParquetError::General(error.to_string()))?;
                text.truncate(start + written);
            }
        }
        Ok(text.len() == size)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::GzEncoder;
    use parquet::basic::Encoding;

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    fn page(bytes: Vec<u8>) -> Page {
        Page::DataPage {
            buf: bytes.into(),
            num_values: 1,
            encoding: Encoding::PLAIN,
            def_level_encoding: Encoding::RLE,
            rep_level_encoding: Encoding::RLE,
            statistics: None,
        }
    }

    /// Makes a page whose first two bytes are levels.
    fn second_version(bytes: Vec<u8>, is_compressed: bool) -> Page {
        Page::DataPageV2 {
            buf: bytes.into(),
            num_values: 1,
            encoding: Encoding::PLAIN,
            num_nulls: 0,
            num_rows: 1,
            def_levels_byte_len: 2,
            rep_levels_byte_len: 0,
            is_compressed,
            statistics: None,
        }
    }

    fn decompressed(codec: Codec, mut page: Page, size: u64) -> Option<Vec<u8>> {
        let done = codec.decompress(&mut page, size);
        done.ok().map(|()| page.buffer().to_vec())
    }

    #[test]
    fn pages_have_the_bytes_that_their_headers_state() {
        let text = b"where the branch went, where the branch was".repeat(9);
        let size = text.len() as u64;
        let forms = [
            (Codec::Gzip, gzip(&text)),
            (Codec::Lz4, lz4_flex::block::compress(&text)),
        ];
        for (codec, bytes) in forms {
            assert_eq!(
                decompressed(codec, page(bytes.clone()), size),
                Some(text.clone()),
                "{codec:?}"
            );
            for wrong in [1, size - 1, size + 1, 1 << 20] {
                assert_eq!(
                    decompressed(codec, page(bytes.clone()), wrong),
                    None,
                    "{codec:?} {wrong}"
                );
            }
            let cut = bytes[..bytes.len() - 1].to_vec();
            assert_eq!(decompressed(codec, page(cut), size), None, "{codec:?}");
            let levels = [vec![3, 1], bytes].concat();
            let whole = [&[3, 1], &text[..]].concat();
            let second = second_version(levels.clone(), true);
            assert_eq!(decompressed(codec, second, size + 2), Some(whole), "{codec:?}");
            let plain = second_version(levels.clone(), false);
            assert_eq!(
                decompressed(codec, plain, levels.len() as u64),
                Some(levels),
                "{codec:?}"
            );
            assert_eq!(decompressed(codec, page(vec![]), 0), Some(vec![]), "{codec:?}");
            assert_eq!(
                decompressed(codec, second_version(vec![3, 1], true), 2),
                Some(vec![3, 1])
            );
            assert_eq!(decompressed(codec, second_version(vec![3], true), 3), None, "{codec:?}");
            assert_eq!(
                decompressed(codec, second_version(vec![3, 1, 4], true), 1),
                None,
                "{codec:?}"
            );
        }
    }

    #[test]
    fn gzip_may_have_several_members() {
        let members = [gzip(b"one "), gzip(b"two")].concat();
        assert_eq!(decompressed(Codec::Gzip, page(members), 7), Some(b"one two".to_vec()));
    }

    #[test]
    fn no_page_is_decompressed_to_more_than_it_states() {
        // The buffer has room for the stated size, and the text stops one byte after it.
        let large = gzip(&vec![0; 50_000_000]);
        assert!(large.len() < 1_000_000);
        let mut text = Vec::with_capacity(100);
        assert!(!Codec::Gzip.append(&large, &mut text, 100).expect("a gzip text"));
        assert_eq!(text.len(), 101);
    }
}
