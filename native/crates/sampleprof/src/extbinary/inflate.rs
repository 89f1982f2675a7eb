use std::io::Read as _;

use flate2::bufread::ZlibDecoder;

use crate::binary::Cursor;
use crate::read::ReadErrorKind;

/// No deflate stream grows by more than this factor (a match of 258 bytes takes two bits, with both trees).
const MAX_RATIO: u64 = 1032;

/// What a compressed section holds: its size before and after compression, then a zlib stream.
pub(crate) fn inflate(section: &mut Cursor<'_>) -> Result<Vec<u8>, ReadErrorKind> {
    let size = section.number()?;
    let start = section.clone();
    let len = section.count("compressed bytes", 1)?;
    let (stream, rest) = section.rest().split_at(len);
    if !rest.is_empty() {
        return Err(ReadErrorKind::TrailingBytes(rest.len()));
    }
    let most = (len as u64).saturating_mul(MAX_RATIO);
    if size > most {
        *section = start;
        return Err(ReadErrorKind::ImplausibleSize { compressed: len, size });
    }
    // Grows with what is really there; one byte more than promised tells that it is too much.
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
