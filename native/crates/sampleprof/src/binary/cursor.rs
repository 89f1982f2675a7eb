use crate::leb128::{self, Leb128Error};
use crate::read::ReadErrorKind;

/// A position in bytes that are not trusted.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// Returns the number of bytes read so far. After an error, this is the position where the bad part starts.
    #[inline]
    pub(crate) fn position(&self) -> usize {
        self.position
    }

    /// Moves to `position`, or to the end if the end comes first.
    pub(crate) fn seek(&mut self, position: usize) {
        self.position = position.min(self.bytes.len());
    }

    #[inline]
    pub(crate) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    #[inline]
    pub(crate) fn is_at_end(&self) -> bool {
        self.position == self.bytes.len()
    }

    /// Reads a ULEB128 number.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, ReadErrorKind> {
        match leb128::decode(self.rest()) {
            Ok((value, len)) => {
                self.position += len;
                Ok(value)
            }
            Err(Leb128Error::Truncated) => Err(ReadErrorKind::Truncated),
            Err(Leb128Error::TooLarge) => Err(ReadErrorKind::NumberTooLarge(u64::BITS)),
        }
    }

    /// Reads a ULEB128 number of at most 32 bits.
    #[inline]
    pub(crate) fn number32(&mut self) -> Result<u32, ReadErrorKind> {
        let start = self.position;
        u32::try_from(self.number()?).map_err(|_| {
            self.position = start;
            ReadErrorKind::NumberTooLarge(u32::BITS)
        })
    }

    /// Reads the number of entries that follow. Each entry has at least `entry_size` bytes.
    ///
    /// The caller may allocate memory for that number of entries, because the remaining bytes are enough for them.
    #[inline]
    pub(crate) fn count(&mut self, what: &'static str, entry_size: usize) -> Result<usize, ReadErrorKind> {
        let start = self.position;
        let count = self.number()?;
        let remaining = self.rest().len();
        let most = remaining / entry_size;
        match usize::try_from(count) {
            Ok(count) if count <= most => Ok(count),
            _ => {
                self.position = start;
                Err(ReadErrorKind::CountTooLarge { what, count, remaining })
            }
        }
    }

    /// Reads a little-endian number of eight bytes.
    pub(crate) fn fixed64(&mut self) -> Result<u64, ReadErrorKind> {
        let Some(bytes) = self.rest().first_chunk() else {
            return Err(ReadErrorKind::Truncated);
        };
        self.position += bytes.len();
        Ok(u64::from_le_bytes(*bytes))
    }

    /// Reads the bytes before the next NUL.
    pub(crate) fn string(&mut self) -> Result<&'a [u8], ReadErrorKind> {
        let rest = self.rest();
        let len = memchr::memchr(0, rest).ok_or(ReadErrorKind::TruncatedName)?;
        self.position += len + 1;
        Ok(&rest[..len])
    }
}
