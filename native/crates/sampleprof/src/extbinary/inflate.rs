use std::io::Read as _;

use flate2::bufread::ZlibDecoder;

use crate::binary::Cursor;
use crate::read::ReadErrorKind;

/// Largest factor by which a deflate stream can grow: a match of 258 bytes takes at least two bits.
const MAX_RATIO: u64 = 1032;

/// Largest factor by which a section of more than [`LARGE`] bytes may grow. Real sections shrink to between a third
/// and a tenth.
const MAX_LARGE_RATIO: u64 = 100;

/// Size in bytes up to which a section may grow by [`MAX_RATIO`].
const LARGE: u64 = 64 << 20;

/// Returns the largest size that `len` compressed bytes may grow to.
fn largest_content(len: u64) -> u64 {
    len.saturating_mul(MAX_RATIO)
        .min(LARGE)
        .max(len.saturating_mul(MAX_LARGE_RATIO))
}

/// Decompresses a section: its size before compression, its size after compression, then a zlib stream.
pub(crate) fn inflate(section: &mut Cursor<'_>) -> Result<Vec<u8>, ReadErrorKind> {
    let size = section.number()?;
    let start = section.clone();
    let len = section.count("compressed bytes", 1)?;
    let (stream, rest) = section.rest().split_at(len);
    if !rest.is_empty() {
        return Err(ReadErrorKind::TrailingBytes(rest.len()));
    }
    if size > largest_content(len as u64) {
        *section = start;
        return Err(ReadErrorKind::ImplausibleSize { compressed: len, size });
    }
    // The vector grows with the data that is really there. One byte more than promised shows that the stream is too
    // long.
    let mut content = Vec::new();
    let taken = ZlibDecoder::new(stream).take(size + 1).read_to_end(&mut content);
    taken.map_err(|error| ReadErrorKind::Decompress(error.to_string()))?;
    if content.len() as u64 != size {
        return Err(ReadErrorKind::Decompress(format!(
            "{size} bytes promised, {} or more found",
            content.len()
        )));
    }
    Ok(content)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn content_is_bounded_by_its_compressed_size() {
        assert_eq!(largest_content(10), 10_320);
        assert_eq!(largest_content(1 << 20), 100 << 20);
        assert_eq!(largest_content(100_000), LARGE);
    }
}
