//! Reads the bytes of a Parquet file, and limits the sizes that they may claim. The Parquet library allocates the
//! memory that the header of a page states.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::{Buf, Bytes};
use parquet::basic::{Compression, Type as Physical};
use parquet::column::page::{Page, PageMetadata, PageReader};
use parquet::errors::{ParquetError, Result};
use parquet::file::metadata::ColumnChunkMetaData;
use parquet::file::reader::{ChunkReader, Length};
use parquet::file::serialized_reader::SerializedPageReader;

use crate::codec::Codec;

/// Largest size of a page, and of a dictionary, in bytes. Most writers make pages of about a megabyte, and DuckDB makes
/// pages of up to 100 MB.
const MAX_PAGE: u64 = 112 << 20;
/// Largest number of bytes of all pages and dictionaries of a group that are in memory together, and the number of
/// bytes that a text of a dictionary takes in memory beside its own bytes.
const MAX_OPEN: u64 = 128 << 20;
const TEXT: u64 = size_of::<parquet::data_type::ByteArray>() as u64;
/// Number of bytes that are read first at the position of a page header.
const HEADER_BUFFER: usize = 4096;
/// Largest size of the first fields of a page header in bytes: three field headers, and numbers of 32 bits.
const MAX_SIZES: usize = 18;

/// A file that is read by position.
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
                // The position lies within the bytes, as was checked above.
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

/// The part of a file from a position on.
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

/// Number of bytes of the open pages of all columns of a group.
#[derive(Debug, Default)]
pub(crate) struct OpenPages(AtomicU64);

impl OpenPages {
    /// Replaces a page of `before` bytes by one of `bytes` bytes in the account.
    fn replace(&self, before: u64, bytes: u64) -> Result<()> {
        let all = self.0.fetch_add(bytes, Ordering::Relaxed).saturating_add(bytes);
        let all = all.saturating_sub(before);
        self.0.fetch_sub(before, Ordering::Relaxed);
        if all > MAX_OPEN {
            return Err(ParquetError::General(format!(
                "the pages of a group have {all} bytes together, more than the {MAX_OPEN} that are read"
            )));
        }
        Ok(())
    }
}

/// The file as the source of the pages of one column. The library requests a reader only at the position of a page
/// header.
#[derive(Debug)]
pub(crate) struct PageSource {
    source: Source,
    open: Arc<OpenPages>,
    /// Number of bytes of the latest page that is no dictionary.
    page: AtomicU64,
    /// Number of bytes of the latest page of any kind, as its header states it.
    latest: AtomicU64,
}

impl PageSource {
    pub(crate) fn new(source: Source, open: Arc<OpenPages>) -> Self {
        Self {
            source,
            open,
            page: AtomicU64::new(0),
            latest: AtomicU64::new(0),
        }
    }
}

impl Length for PageSource {
    fn len(&self) -> u64 {
        self.source.len()
    }
}

impl ChunkReader for PageSource {
    type T = BufReader<Part>;

    fn get_read(&self, start: u64) -> Result<Self::T> {
        let mut reader = self.source.get_read(start)?;
        let header = reader.fill_buf()?;
        let Some((is_dictionary, size)) = kind_and_size(header) else {
            return Err(ParquetError::General("a page has no header".to_owned()));
        };
        if size > MAX_PAGE {
            return Err(too_large(size));
        }
        self.latest.store(size, Ordering::Relaxed);
        // A dictionary stays in memory, and any other page replaces the one before it.
        let before = if is_dictionary {
            0
        } else {
            self.page.swap(size, Ordering::Relaxed)
        };
        self.open.replace(before, size)?;
        Ok(reader)
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes> {
        // Compression can make a page a little larger.
        if length as u64 > MAX_PAGE + MAX_PAGE / 64 {
            return Err(too_large(length as u64));
        }
        self.source.bytes(start, length)
    }
}

fn too_large(size: u64) -> ParquetError {
    ParquetError::General(format!(
        "a page has {size} bytes, more than the {MAX_PAGE} that are read"
    ))
}

/// Returns whether a page is a dictionary, and the size that its header states (parquet.thrift, `PageHeader`). The
/// first fields are the type, the uncompressed and the compressed size, each a 32-bit integer in Thrift's compact
/// form.
fn kind_and_size(header: &[u8]) -> Option<(bool, u64)> {
    const NEXT_FIELD_I32: u8 = 0x15;
    const DICTIONARY: u64 = 2;
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
                // The number is in zigzag encoding. A negative number is no size.
                return (value & 1 == 0).then_some(value >> 1);
            }
        }
        None
    };
    Some((field()? == DICTIONARY, field()?))
}

/// Pages of one column. Where memory is allocated for the values, the pages claim no more values than their bytes
/// can hold.
pub(crate) struct CheckedPages {
    source: Arc<PageSource>,
    pages: SerializedPageReader<PageSource>,
    /// The codec that the library does not know of.
    codec: Option<Codec>,
    physical: Physical,
    /// Number of rows of the group.
    rows: u64,
}

impl CheckedPages {
    pub(crate) fn new(source: PageSource, chunk: &ColumnChunkMetaData, rows: usize) -> Result<Self> {
        let source = Arc::new(source);
        let codec = Codec::of(chunk.compression());
        // To the library such a column has pages without compression.
        let as_stored = codec.map(|_| {
            let builder = chunk.clone().into_builder();
            builder.set_compression(Compression::UNCOMPRESSED).build()
        });
        let as_stored = as_stored.transpose()?;
        let pages = SerializedPageReader::new(Arc::clone(&source), as_stored.as_ref().unwrap_or(chunk), rows, None)?;
        Ok(Self {
            source,
            pages,
            codec,
            physical: chunk.column_type(),
            rows: rows as u64,
        })
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let mut page = self.pages.get_next_page()?;
        if let (Some(codec), Some(page)) = (self.codec, &mut page) {
            // The library reads the header of a page after the bytes of the page before.
            codec.decompress(page, self.source.latest.load(Ordering::Relaxed))?;
        }
        if let Some(Page::DictionaryPage { buf, num_values, .. }) = &page {
            // A text is preceded by its length.
            let least = if self.physical == Physical::INT64 { 8 } else { 4 };
            let values = u64::from(*num_values);
            if values * least > buf.len() as u64 {
                return Err(ParquetError::General(
                    "a dictionary claims more values than it has bytes for".to_owned(),
                ));
            }
            if values > self.rows {
                return Err(ParquetError::General(
                    "a dictionary has more values than there are rows".to_owned(),
                ));
            }
            if self.physical == Physical::BYTE_ARRAY {
                self.source.open.replace(0, values * TEXT)?;
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
    use super::kind_and_size;

    #[test]
    fn sizes_of_page_headers() {
        // The header states type 0, 300 bytes, and 17 bytes compressed.
        assert_eq!(
            kind_and_size(&[0x15, 0, 0x15, 0xd8, 0x04, 0x15, 0x22]),
            Some((false, 300))
        );
        assert_eq!(
            kind_and_size(&[0x15, 4, 0x15, 0xd8, 0x04, 0x15, 0x22]),
            Some((true, 300))
        );
        assert_eq!(kind_and_size(&[0x15, 0, 0x15, 0xd9, 0x04]), None, "negative");
        assert_eq!(kind_and_size(&[0x15, 0, 0x25, 0xd8, 0x04]), None, "another field");
        assert_eq!(kind_and_size(&[0x15, 0, 0x15, 0xff, 0xff, 0xff, 0xff, 0xff]), None);
        assert_eq!(kind_and_size(&[]), None);
    }
}
