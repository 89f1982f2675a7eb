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
    let mut context = new_context();
    let mut out = Vec::new();
    for piece in records.chunks(piece.max(1)) {
        out.extend(compress_piece(encoder, &mut context, piece, compression));
        out.extend(encoder.record(68, 0, &[]));
    }
    out
}

/// Compresses the records of the kernel. perf's own records, and the traces after them, stay as they are.
pub(super) fn compress_of_kernel(encoder: &Encoder, records: &[Vec<u8>], compression: Compression) -> Vec<u8> {
    const FIRST_OF_PERF: u32 = 64;
    const AUXTRACE: u32 = 71;
    let is_of = |record: &[u8], number: u32| record.starts_with(&encoder.u32(number));
    let is_of_kernel = |record: &[u8]| (1..FIRST_OF_PERF).any(|number| is_of(record, number));
    let mut context = new_context();
    let (mut out, mut run) = (Vec::new(), Vec::new());
    let mut is_trace = false;
    for record in records {
        if !is_trace && is_of_kernel(record) {
            run.extend_from_slice(record);
            continue;
        }
        if !run.is_empty() {
            out.extend(compress_piece(encoder, &mut context, &run, compression));
            run.clear();
        }
        out.extend_from_slice(record);
        is_trace = !is_trace && is_of(record, AUXTRACE);
    }
    if !run.is_empty() {
        out.extend(compress_piece(encoder, &mut context, &run, compression));
    }
    out
}

fn new_context() -> CCtx<'static> {
    let mut context = CCtx::create();
    context
        .set_parameter(CParameter::CompressionLevel(1))
        .expect("level 1 exists");
    context
}

fn compress_piece(encoder: &Encoder, context: &mut CCtx<'_>, piece: &[u8], compression: Compression) -> Vec<u8> {
    let payloads = payloads(context, piece);
    match compression {
        Compression::V1 => payloads
            .iter()
            .flat_map(|payload| encoder.record(81, 0, payload))
            .collect(),
        Compression::V2 => payloads
            .iter()
            .flat_map(|payload| compressed2(encoder, &[payload]))
            .collect(),
        Compression::V2Merged => compressed2(encoder, &payloads),
    }
}

fn payloads(context: &mut CCtx<'_>, piece: &[u8]) -> Vec<Vec<u8>> {
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
