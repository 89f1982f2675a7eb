//! Writes COMPRESSED and COMPRESSED2 records.

use zstd_safe::{CCtx, CParameter, InBuffer, OutBuffer};

use super::encode::Encoder;

/// The type of the records that contain compressed records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Records of type 81, of any size.
    V1,
    /// Records of type 83 (perf 6.16), padded to a multiple of 8.
    V2,
    /// Records of type 83 as perf 6.16 writes them if one flush takes several records: the first header states the
    /// size of all of them, and the sizes of the other records' data are never set.
    V2Merged,
}

/// Size in bytes of the longest payload that perf puts into a record.
const MAX_PAYLOAD: usize = 65519;

/// Compresses `records`, cut every `piece` bytes, as one zstd stream that is flushed after each piece.
/// FINISHED_ROUND records stand between the pieces, as perf writes them.
pub(super) fn compress(encoder: &Encoder, records: &[u8], compression: Compression, piece: usize) -> Vec<u8> {
    let mut context = CCtx::create();
    context
        .set_parameter(CParameter::CompressionLevel(1))
        .expect("level 1 exists");
    let mut out = Vec::new();
    for piece in records.chunks(piece.max(1)) {
        let payloads = compress_piece(&mut context, piece);
        match compression {
            Compression::V1 => out.extend(payloads.iter().flat_map(|payload| encoder.record(81, 0, payload))),
            Compression::V2 => out.extend(payloads.iter().flat_map(|payload| compressed2(encoder, &[payload]))),
            Compression::V2Merged => out.extend(compressed2(encoder, &payloads)),
        }
        out.extend(encoder.record(68, 0, &[]));
    }
    out
}

fn compress_piece(context: &mut CCtx<'_>, piece: &[u8]) -> Vec<Vec<u8>> {
    let mut payloads = Vec::new();
    let mut input = InBuffer::around(piece);
    loop {
        // The payload needs room for the piece and for the bytes that the stream held back before.
        let mut payload = vec![0; MAX_PAYLOAD.min(zstd_safe::compress_bound(piece.len()) + 64)];
        let mut output = OutBuffer::around(payload.as_mut_slice());
        context
            .compress_stream(&mut output, &mut input)
            .expect("compression into a buffer works");
        let left = context.flush_stream(&mut output).expect("flushing into a buffer works");
        let len = output.pos();
        payload.truncate(len);
        payloads.push(payload);
        if left == 0 && input.pos() == piece.len() {
            return payloads;
        }
    }
}

/// Writes COMPRESSED2 records as one flush writes them.
fn compressed2(encoder: &Encoder, payloads: &[impl AsRef<[u8]>]) -> Vec<u8> {
    const GARBAGE: u64 = 0x5555_5555_5555_5555;
    let total: usize = payloads.iter().map(|payload| 16 + payload.as_ref().len()).sum();
    let mut out = Vec::new();
    for (index, payload) in payloads.iter().enumerate() {
        let payload = payload.as_ref();
        // perf lets the size overflow.
        let (size, data_size) = match index {
            0 => (total.next_multiple_of(8), total as u64 - 16),
            _ => (16 + payload.len(), GARBAGE),
        };
        out.extend(encoder.u32(83));
        out.extend(encoder.u16(0));
        out.extend(encoder.u16(size as u16));
        out.extend(encoder.u64(data_size));
        out.extend_from_slice(payload);
    }
    // If the size overflows, perf writes no padding.
    if total.next_multiple_of(8) <= usize::from(u16::MAX) {
        out.resize(total.next_multiple_of(8), 0);
    }
    out
}
