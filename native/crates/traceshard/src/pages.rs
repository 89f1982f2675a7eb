//! The bytes of a Parquet file, with limits on what they may claim: the library takes the memory that a page's header asks for.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use bytes::{Buf, Bytes};
use parquet::basic::Type as Physical;
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

/// The most bytes of a page, and of a dictionary. Writers make pages of about a megabyte.
const MAX_PAGE: u64 = 32 << 20;
/// Bytes that are read to begin with where a page header is.
const HEADER_BUFFER: usize = 4096;
/// The first fields of a page header take no more bytes: three field headers, and numbers of 32 bits.
const MAX_SIZES: usize = 18;

/// A file, read by position.
#[derive(Debug, Clone)]
pub(crate) enum Source {
    File(Arc<File>, u64),
    Memory(Bytes),
}

impl Source {
    fn read_at(&self, buffer: &mut [u8], at: u64) -> io::Result<usize> {
        match self {
            Self::File(file, _) => file.read_at(buffer, at),
            Self::Memory(bytes) => {
                let at = usize::try_from(at).unwrap_or(usize::MAX).min(bytes.len());
                (&bytes[at..]).read(buffer)
            }
        }
    }

    fn bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        let end = start.checked_add(length as u64).filter(|end| *end <= self.len());
        if end.is_none() {
            return Err(ParquetError::EOF("it ends before its contents do".to_owned()));
        }
        match self {
            Self::File(file, _) => {
                let mut bytes = vec![0; length];
                file.read_exact_at(&mut bytes, start)?;
                Ok(bytes.into())
            }
            Self::Memory(bytes) => {
                let mut bytes = bytes.clone();
                // Within the bytes, as was checked above.
                bytes.advance(usize::try_from(start).unwrap_or(bytes.len()));
                bytes.truncate(length);
                Ok(bytes)
            }
        }
    }
}

impl Length for Source {
    fn len(&self) -> u64 {
        match self {
            Self::File(_, len) => *len,
            Self::Memory(bytes) => bytes.len() as u64,
        }
    }
}

/// A part of a file from a position on.
#[derive(Debug)]
pub(crate) struct Part {
    source: Source,
    at: u64,
}

impl Read for Part {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read_at(buffer, self.at)?;
        self.at += count as u64;
        Ok(count)
    }
}

impl ChunkReader for Source {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let part = Part {
            source: self.clone(),
            at: start,
        };
        Ok(BufReader::with_capacity(HEADER_BUFFER, part))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        self.bytes(start, length)
    }
}

/// The same file, of which the library reads nothing but pages: it asks for a reader where a page header is.
#[derive(Debug, Clone)]
pub(crate) struct PageSource(pub Source);

impl Length for PageSource {
    fn len(&self) -> u64 {
        self.0.len()
    }
}

impl ChunkReader for PageSource {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut reader = self.0.get_read(start)?;
        let header = reader.fill_buf()?;
        match uncompressed_size(header) {
            Some(size) if size <= MAX_PAGE => Ok(reader),
            Some(size) => Err(too_large(size)),
            None => Err(ParquetError::General("a page has no header".to_owned())),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // Compression can make a page a little larger.
        if length as u64 > MAX_PAGE + MAX_PAGE / 64 {
            return Err(too_large(length as u64));
        }
        self.0.bytes(start, length)
    }
}

fn too_large(size: u64) -> ParquetError {
    ParquetError::General(format!(
        "a page has {size} bytes, and {MAX_PAGE} are the most that are read"
    ))
}

/// The size that a page header announces (parquet.thrift, `PageHeader`): the first fields are the type, the uncompressed and the
/// compressed size, each a 32-bit integer in Thrift's compact form.
fn uncompressed_size(header: &[u8]) -> Option<u64> {
    const NEXT_FIELD_I32: u8 = 0x15;
    let mut rest = &header[..header.len().min(MAX_SIZES)];
    let mut field = || {
        let (&first, behind) = rest.split_first()?;
        rest = behind;
        (first == NEXT_FIELD_I32).then_some(())?;
        let mut value = 0u64;
        for shift in (0..35).step_by(7) {
            let (&byte, behind) = rest.split_first()?;
            rest = behind;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                // Zigzag; a negative number is no size.
                return (value & 1 == 0).then_some(value >> 1);
            }
        }
        None
    };
    field()?;
    field()
}

/// Pages of one column, which claim no more values than their bytes can hold where memory is taken for them.
pub(crate) struct CheckedPages {
    pub pages: SerializedPageReader<PageSource>,
    pub physical: Physical,
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.pages.get_next_page()?;
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page {
            // A text has its length before it.
            let least = if self.physical == Physical::INT64 { 8 } else { 4 };
            if u64::from(*num_values) * least > buf.len() as u64 {
                return Err(ParquetError::General(
                    "a dictionary claims more values than it has bytes for".to_owned(),
                ));
            }
        }
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.pages.skip_next_page()
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::uncompressed_size;

    #[test]
    fn sizes_of_page_headers() {
        // type 0, 300 bytes, 17 bytes compressed
        assert_eq!(uncompressed_size(&[0x15, 0, 0x15, 0xd8, 0x04, 0x15, 0x22]), Some(300));
        assert_eq!(uncompressed_size(&[0x15, 0, 0x15, 0xd9, 0x04]), None, "negative");
        assert_eq!(uncompressed_size(&[0x15, 0, 0x25, 0xd8, 0x04]), None, "another field");
        assert_eq!(uncompressed_size(&[0x15, 0, 0x15, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(uncompressed_size(&[]), None);
    }
}
