//! Decompresses sections (zlib and zstd; ELF gABI, SHF_COMPRESSED; GNU `.zdebug_`) and whole files, as kernel
//! modules are installed (gzip, xz and zstd; Linux: scripts/Makefile.modinst).
//!
//! The size that a stream states is not trusted. The output grows as the stream yields bytes.

use std::io::Read;

use object::CompressionFormat;

/// Largest expansion of DEFLATE (zlib technical notes). zstd can expand further, but debug sections do not.
const MAX_EXPANSION: u64 = 1032;
/// Largest ratio of the size of a file to its compressed size. Kernel modules are 3 to 6 times as large as their
/// compressed form.
const MAX_FILE_EXPANSION: u64 = 100;
/// Number of bytes of output that any stream may have, however short it is.
const SLACK: u64 = 64 << 10;
/// Size of the first reservation of memory, as a multiple of the size of the input.
const USUAL_EXPANSION: u64 = 4;
/// Largest memory for the dictionary of an xz stream, in KiB. The largest preset, `xz -9`, needs 64 MiB.
const XZ_MEMORY_KIB: u32 = 65 << 10;

/// Compression of a whole file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FileCompression {
    Gzip,
    Xz,
    Zstd,
}

impl FileCompression {
    /// Detects the compression by the first bytes of the file. Returns `None` if the file is not compressed.
    pub(crate) fn of(data: &[u8]) -> Option<Self> {
        const MAGIC: [(&[u8], FileCompression); 3] = [
            (b"\x1f\x8b", FileCompression::Gzip),
            (b"\xfd7zXZ\0", FileCompression::Xz),
            (b"\x28\xb5\x2f\xfd", FileCompression::Zstd),
        ];
        let found = MAGIC.into_iter().find(|(magic, _)| data.starts_with(magic));
        found.map(|(_, compression)| compression)
    }

    /// Decompresses the file `input`. The error says what is wrong with the file.
    pub(crate) fn decompress(self, input: &[u8]) -> Result<Vec<u8>, String> {
        let most = largest_content(input.len());
        let mut output = Vec::new();
        let limited = |reader: &mut dyn Read, output: &mut Vec<u8>| {
            // One byte more than allowed is read, which distinguishes too much content from just enough.
            reader
                .take(most + 1)
                .read_to_end(output)
                .map_err(|error| error.to_string())
        };
        match self {
            Self::Gzip => limited(&mut flate2::read::MultiGzDecoder::new(input), &mut output).map(|_| ()),
            Self::Xz => {
                let mut reader = lzma_rust2::XzReader::new_mem_limit(input, true, XZ_MEMORY_KIB);
                limited(&mut reader, &mut output).map(|_| ())
            }
            Self::Zstd => zstd(input, most + 1, &mut output).map(|_| ()),
        }?;
        if output.len() as u64 > most {
            let len = input.len();
            return Err(format!("{len} compressed bytes have more than {most} bytes of content"));
        }
        Ok(output)
    }
}

/// Returns the largest allowed content, in bytes, of a file of this compressed size, or of all its sections
/// together.
pub(crate) fn largest_content(compressed: usize) -> u64 {
    (compressed as u64)
        .saturating_mul(MAX_FILE_EXPANSION)
        .saturating_add(SLACK)
}

/// Decompresses a section whose header states `size` bytes of content.
///
/// # Errors
/// Says what is wrong with the section.
pub fn decompress_section(input: &[u8], format: CompressionFormat, size: u64) -> Result<Vec<u8>, String> {
    let most = (input.len() as u64).saturating_mul(MAX_EXPANSION).saturating_add(SLACK);
    if size > most {
        return Err(format!(
            "{} compressed bytes claim {size} bytes of content",
            input.len()
        ));
    }
    let first = size.min((input.len() as u64).saturating_mul(USUAL_EXPANSION));
    let mut output = Vec::new();
    output
        .try_reserve_exact(usize::try_from(first).map_err(|error| error.to_string())?)
        .map_err(|error| error.to_string())?;
    match format {
        CompressionFormat::Zlib => {
            flate2::read::ZlibDecoder::new(input)
                .take(size)
                .read_to_end(&mut output)
                .map_err(|error| format!("zlib: {error}"))?;
        }
        CompressionFormat::Zstandard => {
            zstd(input, size, &mut output)?;
        }
        other => return Err(format!("unknown compression {other:?}")),
    }
    if output.len() as u64 != size {
        return Err(format!("{} bytes of content, expected {size}", output.len()));
    }
    Ok(output)
}

/// Decompresses the frames of `input` until they end or `output` has `most` bytes.
fn zstd(input: &[u8], most: u64, output: &mut Vec<u8>) -> Result<(), String> {
    let describe = |code| format!("zstd: {}", zstd_safe::get_error_name(code));
    let mut decoder = zstd_safe::DCtx::create();
    let mut input = zstd_safe::InBuffer::around(input);
    let mut block = vec![0; zstd_safe::DCtx::out_size()];
    let mut frame_open = true;
    while (output.len() as u64) < most {
        if !frame_open && input.pos == input.src.len() {
            return Ok(());
        }
        let (read, written) = {
            let before = input.pos;
            let mut out = zstd_safe::OutBuffer::around(&mut block[..]);
            let left = decoder.decompress_stream(&mut out, &mut input).map_err(describe)?;
            frame_open = left != 0;
            (input.pos - before, out.pos())
        };
        let room = usize::try_from(most - output.len() as u64).unwrap_or(usize::MAX);
        output.extend_from_slice(&block[..written.min(room)]);
        if read == 0 && written == 0 {
            return Err("zstd: the stream ends early".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    const KINDS: [FileCompression; 3] = [FileCompression::Gzip, FileCompression::Xz, FileCompression::Zstd];

    fn zlib(content: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(content).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd_compress(content: &[u8]) -> Vec<u8> {
        let mut out = vec![0; zstd_safe::compress_bound(content.len())];
        let len = zstd_safe::compress(&mut out[..], content, 3).unwrap();
        out.truncate(len);
        out
    }

    #[test]
    fn both_formats_round_trip() {
        let content: Vec<u8> = (0..100_000u32).flat_map(u32::to_le_bytes).collect();
        let size = content.len() as u64;
        assert_eq!(
            decompress_section(&zlib(&content), CompressionFormat::Zlib, size).unwrap(),
            content
        );
        assert_eq!(
            decompress_section(&zstd_compress(&content), CompressionFormat::Zstandard, size).unwrap(),
            content
        );
    }

    #[test]
    fn a_size_that_is_not_the_contents_is_refused() {
        for (input, format) in [
            (zlib(b"hello"), CompressionFormat::Zlib),
            (zstd_compress(b"hello"), CompressionFormat::Zstandard),
        ] {
            assert!(decompress_section(&input, format, 6).is_err());
            assert!(decompress_section(&input, format, u64::MAX).is_err());
            assert!(decompress_section(&input[..input.len() - 8], format, 5).is_err());
        }
    }

    #[test]
    fn files_of_each_kind_round_trip_and_are_bounded() {
        let content: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
        let compress = |content: &[u8]| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
            gzip.write_all(content).unwrap();
            let mut xz = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
            xz.write_all(content).unwrap();
            [gzip.finish().unwrap(), xz.finish().unwrap(), zstd_compress(content)]
        };
        for (file, kind) in compress(&content).into_iter().zip(KINDS) {
            assert_eq!(FileCompression::of(&file), Some(kind));
            assert_eq!(kind.decompress(&file).unwrap(), content, "{kind:?}");
            assert!(kind.decompress(&file[..file.len() / 2]).is_err(), "{kind:?}");
        }
        for (file, kind) in compress(&vec![0; 8 << 20]).into_iter().zip(KINDS) {
            let error = kind.decompress(&file).unwrap_err();
            assert!(error.contains("compressed bytes have more than"), "{kind:?}: {error}");
        }
        assert_eq!(FileCompression::of(b"\x7fELF"), None);
    }
}
