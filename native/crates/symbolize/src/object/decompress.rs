//! Compressed sections: zlib and zstd (ELF gABI, SHF_COMPRESSED; GNU `.zdebug_`).
//!
//! The uncompressed size stands in the section's header and is not to be believed before the bytes are there:
//! output grows as the stream yields it.

use std::io::Read;

use object::CompressionFormat;

/// DEFLATE cannot expand further than this (zlib technical notes). zstd can, but debug sections do not.
const MAX_EXPANSION: u64 = 1032;
/// Output that any stream may have, however short.
const SLACK: u64 = 64 << 10;
/// The first reservation, as a multiple of the input.
const USUAL_EXPANSION: u64 = 4;

pub(super) fn decompress(input: &[u8], format: CompressionFormat, size: u64) -> Result<Vec<u8>, String> {
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
        CompressionFormat::Zstandard => zstd(input, size, &mut output)?,
        other => return Err(format!("unknown compression {other:?}")),
    }
    if output.len() as u64 != size {
        return Err(format!("{} bytes of content, expected {size}", output.len()));
    }
    Ok(output)
}

fn zstd(input: &[u8], size: u64, output: &mut Vec<u8>) -> Result<(), String> {
    let describe = |code| format!("zstd: {}", zstd_safe::get_error_name(code));
    let mut decoder = zstd_safe::DCtx::create();
    let mut input = zstd_safe::InBuffer::around(input);
    let mut block = vec![0; zstd_safe::DCtx::out_size()];
    while (output.len() as u64) < size {
        let (read, written) = {
            let before = input.pos;
            let mut out = zstd_safe::OutBuffer::around(&mut block[..]);
            decoder.decompress_stream(&mut out, &mut input).map_err(describe)?;
            (input.pos - before, out.pos())
        };
        let room = usize::try_from(size - output.len() as u64).unwrap_or(usize::MAX);
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
            decompress(&zlib(&content), CompressionFormat::Zlib, size).unwrap(),
            content
        );
        assert_eq!(
            decompress(&zstd_compress(&content), CompressionFormat::Zstandard, size).unwrap(),
            content
        );
    }

    #[test]
    fn a_size_that_is_not_the_contents_is_refused() {
        for (input, format) in [
            (zlib(b"hello"), CompressionFormat::Zlib),
            (zstd_compress(b"hello"), CompressionFormat::Zstandard),
        ] {
            assert!(decompress(&input, format, 6).is_err());
            assert!(decompress(&input, format, u64::MAX).is_err());
            assert!(decompress(&input[..input.len() - 8], format, 5).is_err());
        }
    }
}
